"""Takes the judged sentences, gives the answer they make: text, claims, citations, short answer."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from qa.citations import cite, short_answer
from qa.extractive.reading import Reading, ReadSentence
from qa.types import Citation, Claim, Evidence, ShortAnswer

__all__ = ["Composition", "choose", "compose"]

_SHORT_THRESHOLD = 0.0
"""Log-odds above which the best candidate is offered as the short answer: more likely right than wrong."""
_MORE_WITHIN = 1.0
"""How far, in log-odds, a further sentence may lie behind the best one and still be added."""


class Composition(msgspec.Struct, frozen=True, kw_only=True):
    """An extractive answer, every sentence of it a quotation."""

    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    short_answer: ShortAnswer | None


def choose(reading: Reading, evidence: Sequence[Evidence], *, limit: int) -> tuple[ReadSentence, ...]:
    """The best sentence, and others nearly as good from other articles, each wording once."""
    if not reading.sentences:
        return ()
    best = reading.sentences[0]
    chosen = [best]
    taken = {_article(best, evidence), best.sentence.text}
    for other in reading.sentences[1:]:
        if len(chosen) >= limit or other.logit < max(best.logit - _MORE_WITHIN, 0.0):
            break
        if taken.isdisjoint({_article(other, evidence), other.sentence.text}):
            chosen.append(other)
            taken |= {_article(other, evidence), other.sentence.text}
    return tuple(chosen)


def compose(chosen: Sequence[ReadSentence], evidence: Sequence[Evidence]) -> Composition:
    """Set the chosen sentences side by side, each cited with its own exact words."""
    claims: list[Claim] = []
    citations: list[Citation] = []
    at = 0
    for number, item in enumerate(chosen, start=1):
        sentence = item.sentence
        placed = (at, at + len(sentence.text))
        at = placed[1] + 1
        citation = cite(
            evidence[sentence.evidence].stored,
            number=number,
            cited=(sentence.start, sentence.end),
            placed=placed,
            text=sentence.text,
        )
        citations.append(citation)
        claims.append(_quotation(citation))
    first = chosen[0]
    short = short_answer(citations[0], first.short) if first.short and first.short_logit > _SHORT_THRESHOLD else None
    text = " ".join(claim.text for claim in claims)
    return Composition(text=text, claims=tuple(claims), citations=tuple(citations), short_answer=short)


def _quotation(citation: Citation) -> Claim:
    """A claim that is its own source's words: supported by construction."""
    return Claim(
        text=citation.cited_text,
        start=citation.start,
        end=citation.end,
        verdict="supported",
        support_score=1.0,
        citation_ids=(citation.id,),
    )


def _article(item: ReadSentence, evidence: Sequence[Evidence]) -> str:
    return evidence[item.sentence.evidence].stored.passage.article_id
