"""Rows of ragas and deepeval: takes their JSON or JSON Lines, gives questions with the reference as accepted answer.

What a system once answered (`response`, `actual_output`) and retrieved is no part of a dataset and is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from qa.evaluation.convert.converted import Converted, read_rows
from qa.evaluation.types import Example, GoldSpan

__all__ = ["convert_deepeval", "convert_ragas"]


class _Ragas(msgspec.Struct, frozen=True):
    """Names of today, and those before ragas 0.2."""

    user_input: str | None = None
    question: str | None = None
    reference: str | None = None
    ground_truth: str | None = None
    ground_truths: list[str] | None = None
    reference_contexts: list[str] | None = None
    response: str | None = None
    retrieved_contexts: list[str] | None = None


class _DeepEval(msgspec.Struct, frozen=True):
    """A golden or a test case."""

    input: str
    expected_output: str | None = None
    context: list[str] | None = None
    actual_output: str | None = None
    retrieval_context: list[str] | None = None
    name: str | None = None


def convert_ragas(paths: Sequence[Path]) -> Converted:
    """Reference contexts become gold words without an article. Raises InvalidDataset."""
    examples, notes = [], []
    for place, row in read_rows(paths, _Ragas):
        asked = row.user_input or row.question
        if not asked or not asked.strip():
            notes.append(f"{place}: left out, it has neither user_input nor question")
            continue
        answers = (row.reference or row.ground_truth, *(row.ground_truths or ()))
        examples.append(_example("", asked, answers, row.reference_contexts or ()))
    return _converted(examples, notes)


def convert_deepeval(paths: Sequence[Path]) -> Converted:
    """`context` becomes gold words without an article. Raises InvalidDataset."""
    examples, notes = [], []
    for place, row in read_rows(paths, _DeepEval):
        if not row.input.strip():
            notes.append(f"{place}: left out, its input is empty")
            continue
        examples.append(_example(row.name or "", row.input, (row.expected_output,), row.context or ()))
    return _converted(examples, notes)


def _example(name: str, question: str, answers: Iterable[str | None], contexts: Iterable[str]) -> Example:
    return Example(
        id=name or hashlib.sha256(question.encode()).hexdigest()[:16],
        question=question.strip(),
        answers=tuple(dict.fromkeys(answer.strip() for answer in answers if answer and answer.strip())),
        gold=tuple(GoldSpan(text=text) for text in contexts if text.strip()),
    )


def _converted(examples: Sequence[Example], notes: list[str]) -> Converted:
    """The formats have no ids: of questions that repeat, the first is kept and the rest is noted."""
    kept: dict[str, Example] = {}
    for example in examples:
        if example.id in kept:
            notes.append(f"left out, it repeats: {example.question[:80]}")
        kept.setdefault(example.id, example)
    return Converted(examples=tuple(kept.values()), notes=tuple(notes))
