"""The sentences of retrieved passages, each with its place in its article."""

from __future__ import annotations

import re

import msgspec

from embeddings.chunking.sentences import split_sentences
from qa.types import Evidence

__all__ = ["SentenceAt", "is_said", "leans_back", "sentences_of"]

_ENDS = re.compile(r"[.!…。！]['\"”’»)\]]*$")
_LEANS = re.compile(
    r"(?:he|she|they|it|his|her|hers|their|its|this|these|those|both|the (?:company|firm|agency|group|team|ministry|"
    r"minister|president|court|bank|army|party|union|report|study|couple|pair|man|woman|officer|suspect|move|decision))\b",
    re.IGNORECASE,
)


class SentenceAt(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence with its place: `article.text[start:end] == text`."""

    text: str
    start: int
    end: int
    evidence: int
    """Index of the evidence it was found in (the best-ranked one, where passages overlap)."""
    before: str = ""
    """The sentence before it in that passage; empty for the first."""
    before_start: int = 0
    """Where that one begins in the article."""


def sentences_of(item: Evidence, *, evidence: int) -> list[SentenceAt]:
    """All sentences of one passage, in order."""
    passage = item.stored.passage
    found: list[SentenceAt] = []
    for start, end in split_sentences(passage.text):
        earlier = found[-1] if found else None
        found.append(
            SentenceAt(
                text=passage.text[start:end],
                start=passage.start + start,
                end=passage.start + end,
                evidence=evidence,
                before=earlier.text if earlier else "",
                before_start=earlier.start if earlier else 0,
            )
        )
    return found


def is_said(text: str) -> bool:
    """Whether a sentence ends as one that says something; headlines and captions do not.

    >>> is_said("The bridge reopened on Friday."), is_said("Bridge to reopen"), is_said("Will it reopen?")
    (True, False, False)
    """
    return _ENDS.search(text) is not None


def leans_back(text: str) -> bool:
    """Whether a sentence begins with something that an earlier one names.

    >>> leans_back("He resigned in May."), leans_back("Mr. Holm resigned in May.")
    (True, False)
    """
    return _LEANS.match(text) is not None
