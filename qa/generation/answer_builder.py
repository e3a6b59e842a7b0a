"""Collects verified sentences into an answer: takes judged sentences in order, gives the claims they become."""

from __future__ import annotations

import re

from qa.citations import cite
from qa.generation.verification import Judged
from qa.types import Citation, Claim, ClaimEvent

__all__ = ["AnswerBuilder"]

_TRIES = 4
"""Sentences looked at for each one that the answer may have; repetitions count."""


class AnswerBuilder:
    """The answer as far as it is written; what is on it stays."""

    def __init__(self, *, limit: int, lenient: bool) -> None:
        """`limit` bounds sentences and citations; `lenient` keeps sentences without support, marked as such."""
        self._limit = limit
        self._lenient = lenient
        self._seen: set[str] = set()
        self._looked_at = 0
        self.claims: list[Claim] = []
        self.citations: list[Citation] = []
        self.dropped = 0
        self.unresolved = 0
        self.inexact = 0

    @property
    def text(self) -> str:
        """The sentences so far."""
        return " ".join(claim.text for claim in self.claims)

    @property
    def full(self) -> bool:
        """Whether nothing more is wanted: enough is said, or the draft goes round in circles."""
        most = max(len(self.claims), len(self.citations))
        return most >= self._limit or self._looked_at >= _TRIES * self._limit

    def take(self, judged: Judged) -> ClaimEvent | None:
        """Put a sentence on the page, or drop it, also where the words that bear it out are too many to cite."""
        self._looked_at += 1
        self.unresolved += judged.unresolved
        self.inexact += judged.inexact
        key = " ".join(re.findall(r"\w+", judged.text.casefold()))
        if key and key in self._seen:
            return None
        self._seen.add(key)
        fits = len(self.citations) + len(judged.quotes) <= self._limit
        if not judged.text or not fits or not (judged.verdict == "supported" or self._lenient):
            self.dropped += 1
            return None
        return self._write(judged)

    def _write(self, judged: Judged) -> ClaimEvent:
        start = sum(len(claim.text) + 1 for claim in self.claims)
        placed = (start, start + len(judged.text))
        citations = tuple(
            cite(quote.stored, number=number, cited=(quote.start, quote.end), placed=placed, text=quote.text)
            for number, quote in enumerate(judged.quotes, start=len(self.citations) + 1)
        )
        claim = Claim(
            text=judged.text,
            start=placed[0],
            end=placed[1],
            verdict=judged.verdict,
            support_score=round(judged.score, 4),
            citation_ids=tuple(citation.id for citation in citations),
            origin="quoted" if any(citation.cited_text == judged.text for citation in citations) else "model",
        )
        self.claims.append(claim)
        self.citations += citations
        return ClaimEvent(claim=claim, citations=citations)
