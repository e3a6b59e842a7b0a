"""Takes the judged sentences, gives the answer they make: text, claims, citations, short answer."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from qa.citations import cite, short_answer
from qa.extractive.reading import Reading, ReadSentence
from qa.extractive.words import words_of
from qa.types import Citation, Claim, Evidence, ShortAnswer

__all__ = ["SHORT_THRESHOLD", "Composition", "choose", "compose"]

SHORT_THRESHOLD = 0.0
"""Log-odds above which the best candidate is offered as the short answer: more likely right than wrong."""
_MORE_WITHIN = 1.0
"""How far, in log-odds, a further sentence may lie behind the best one and still be added."""

_SAME_WORDING = 0.6
"""Share of common words from which two sentences are copies of each other: wire reports shorten and reorder."""


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
    for other in reading.sentences[1:]:
        if len(chosen) >= limit or other.logit < max(best.logit - _MORE_WITHIN, 0.0):
            break
        if not any(_repeats(other, earlier, evidence) for earlier in chosen):
            chosen.append(other)
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
    short = short_answer(citations[0], first.short) if first.short and first.short_logit > SHORT_THRESHOLD else None
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


def _repeats(item: ReadSentence, earlier: ReadSentence, evidence: Sequence[Evidence]) -> bool:
    """Whether a sentence adds no second source: of the same article, or in (nearly) the same words."""
    if _article(item, evidence) == _article(earlier, evidence):
        return True
    said, before = ({word.stem for word in words_of(each.sentence.text)} for each in (item, earlier))
    return len(said & before) >= _SAME_WORDING * len(said | before)


def _article(item: ReadSentence, evidence: Sequence[Evidence]) -> str:
    return evidence[item.sentence.evidence].stored.passage.article_id
