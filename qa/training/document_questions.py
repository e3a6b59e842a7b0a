"""Questions that were written on the news passages of DATA/support, whose texts stay there.

A question names its passage by hash and its words by place. Passages come in two versions, of which one lacks
some facts: a question on such a fact has an answer in one and none in the other, in nearly the same words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from qa.training.checker_data import Pair, pairs_of
from qa.training.reader_data import Row, Span

ASKED = Path(__file__).parent / "documents"
"""Who asks what of which passage."""
DOCUMENTS = Path("support", "train-documents.jsonl.gz")
"""Under DATA: the passages."""
SOURCE = "asked_documents"
_FOLDS = 5


class AskedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question and a place in its passage: of the words that answer, or that only seem to."""

    question: str
    start: int
    end: int
    answered: bool = True


class AskedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The questions on one passage."""

    document: str
    """Its key, see `document_key`."""
    questions: tuple[AskedQuestion, ...]


def document_key(text: str) -> str:
    """What names a passage: the first 16 digits of its SHA-256.

    >>> document_key("Ida Holm owns the ferry.")
    '860d6c05e731cca6'
    """
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def document_rows(data: Path, folder: Path = ASKED, *, versions: bool = True) -> Iterator[Row]:
    """The questions of `folder` on the passages under `data`; one passage in five is of fold 0, the one held out.

    Without `versions`, on whole passages alone: asked of all of them, a question on a missing fact has its answer.

    Raises ValueError where a passage is missing or a place lies outside it.
    """
    texts, lacking = _versions(pairs_of(data / DOCUMENTS))
    decoder = msgspec.json.Decoder(AskedDocument)
    for path in sorted(folder.glob("*.jsonl")):
        for asked in map(decoder.decode, path.read_bytes().splitlines()):
            text = texts.get(asked.document)
            if text is None:
                raise ValueError(f"{data / DOCUMENTS} holds no passage {asked.document}, on which {path.name} asks")
            for one in asked.questions:
                if not 0 <= one.start < one.end <= len(text):
                    raise ValueError(f"{path.name}: {one.question!r} points outside of passage {asked.document}")
                yield _row(asked.document, one, text, answered=one.answered)
                if versions and one.answered:
                    without = (other for other in lacking[asked.document] if text[one.start : one.end] not in other)
                    yield from (_row(asked.document, one, other, answered=False) for other in without)


def _versions(pairs: Iterable[Pair]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Passages by key, and for each those that lack some of its facts: they share a claim."""
    whole: dict[str, list[str]] = {}
    parts: dict[str, list[str]] = {}
    for pair in pairs:
        by_claim = whole if pair.label == "entailment" else parts
        by_claim.setdefault(pair.hypothesis, []).append(pair.premise)
    texts: dict[str, str] = {}
    lacking: dict[str, dict[str, None]] = {}
    for claim, passages in whole.items():
        for text in passages:
            key = document_key(text)
            texts[key] = text
            lacking.setdefault(key, {}).update(dict.fromkeys(parts.get(claim, ())))
    return texts, {key: list(others) for key, others in lacking.items()}


def _row(document: str, one: AskedQuestion, text: str, *, answered: bool) -> Row:
    span = Span(text[one.start : one.end], one.start)
    return Row(
        question=one.question,
        context=text,
        answers=(span,) if answered else (),
        # The version that lacks the answer holds no other words that tempt.
        plausible_answers=() if one.answered else (span,),
        is_impossible=not answered,
        source=SOURCE,
        group=f"documents:{document}",
        fold=int(document[:8], 16) % _FOLDS,
    )
