"""Which of several figures in one sentence counts what is asked: "six were found alive, and two are still missing"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from embeddings.chunking.sentences import split_sentences
from qa.language.quantities import quantities_of
from qa.language.words import words_of
from qa.reading.reader import AnswerSpan

__all__ = ["of_that_state"]

_STATE = re.compile(
    r"how many [^?]*?\b(?:(?:are|is|remain)(?: still| now| currently| being| believed| feared)* (?P<state>[a-z]{4,})"
    r"|(?:voted|were|was) (?P<side>for|against)\b)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[;:](?!\d)|,(?!\d)(?: (?:and|but|while))?|\b(?:and|but|while|after|though|as)\b", re.IGNORECASE)


def of_that_state(question: str, text: str, spans: Sequence[AnswerSpan]) -> tuple[AnswerSpan, ...]:
    """Spans without figures beside that of the state asked for, where a span has that one.

    A sentence is taken clause by clause: where the one that has the word of the state ("missing") has a figure of its
    own, the figures of its other clauses count something else.

    >>> told = "Six were found alive, and two are still missing."
    >>> [told[one.start : one.end] for one in of_that_state(
    ...     "How many are missing?", told, (AnswerSpan(0, 3, 2.0), AnswerSpan(26, 29, 1.0)))]
    ['two']
    >>> told = "Nine members voted against it and twelve for it."
    >>> [told[one.start : one.end] for one in of_that_state(
    ...     "How many members voted for it?", told, (AnswerSpan(0, 4, 2.0), AnswerSpan(34, 40, 1.0)))]
    ['twelve']
    """
    asked = _STATE.match(question)
    if asked is None or (asked["state"] and words_of(asked["state"])[0].stop):
        return tuple(spans)
    state = re.compile(rf"\b{asked['side'] or asked['state']}\b", re.IGNORECASE)
    kept = list(spans)
    for start, end in split_sentences(text):
        clauses = [(a, b) for a, b in _clauses(text, start, end) if quantities_of(text[a:b])]
        own = [(a, b) for a, b in clauses if state.search(text[a:b])]
        if len(clauses) > 1 and any(_within(one, own) for one in kept):
            kept = [one for one in kept if _within(one, own) or not _within(one, [(start, end)])]
    return tuple(kept)


def _clauses(text: str, start: int, end: int) -> list[tuple[int, int]]:
    edges = [start, *(match.start() for match in _CLAUSE.finditer(text, start, end)), end]
    return list(pairwise(edges))


def _within(span: AnswerSpan, places: Sequence[tuple[int, int]]) -> bool:
    return any(start <= span.start and span.end <= end for start, end in places)
