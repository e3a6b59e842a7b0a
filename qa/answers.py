"""The events of an answer, made of what the steps found, and folded back into the answer."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing

import msgspec

from qa.citations import search_result, short_answer
from qa.language.timestamps import shown, stamp
from qa.question.understanding import Understood
from qa.reading.composing import is_short
from qa.reading.read import Reading
from qa.retrieval.search import keeps_period, stale
from qa.tracing import Value
from qa.types import (
    AbstainReason,
    Answer,
    AnswerEvent,
    AnswerMode,
    Citation,
    Claim,
    ClaimEvent,
    Conflict,
    Event,
    Evidence,
    FallbackReason,
    Filters,
    Generation,
    Question,
    SearchResultsEvent,
    ShortAnswer,
    Turn,
    Usage,
    Verdict,
)

__all__ = [
    "ABSTENTION",
    "CAVEATS",
    "Written",
    "agreed_short_answer",
    "claim_events",
    "finished",
    "fold",
    "opening",
    "support_of",
    "told_of",
    "turn_of",
]

ABSTENTION = "The articles do not answer this question."
CAVEATS: Mapping[Verdict, str] = {
    "supported": "",
    "partly_supported": " (supported in part)",
    "unsupported": " (not supported by the sources)",
    "contradicted": " (the sources say otherwise)",
}
"""What follows a sentence where an answer is shown as mere text, without its verdicts."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What was written for a question, whatever wrote it."""

    mode: AnswerMode
    text: str
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    short_answer: ShortAnswer | None = None
    conflicts: tuple[Conflict, ...] = ()
    fallback_reason: FallbackReason | None = None
    abstain_reason: AbstainReason | None = None
    generation: Generation | None = None
    usage: Usage = Usage()
    unanswered: tuple[str, ...] = ()


def opening(question: Question, asked: Understood, evidence: Sequence[Evidence]) -> SearchResultsEvent:
    """The first event; it names the answer."""
    return SearchResultsEvent(
        id=f"ans_{uuid.uuid4().hex}",
        conversation_id=question.conversation_id,
        question=question.question,
        resolved_query=asked.resolved_query,
        as_of=stamp(asked.as_of),
        understood_period=shown(asked.period),
        search_results=tuple(search_result(item) for item in evidence),
    )


def claim_events(written: Written) -> Iterator[ClaimEvent]:
    """One event per claim, each with the citations that no earlier one carried."""
    carried: set[str] = set()
    for claim in written.claims:
        new = [c for c in written.citations if c.id in claim.citation_ids and c.id not in carried]
        carried.update(citation.id for citation in new)
        yield ClaimEvent(claim=claim, citations=tuple(new))


def finished(
    opened: SearchResultsEvent,
    written: Written,
    question: Question,
    asked: Understood,
    *,
    evidence: Sequence[Evidence],
    support_score: float,
    timings_ms: dict[str, float],
) -> AnswerEvent:
    """The last event: the whole answer."""
    cited, filters = written.citations, question.filters
    about_now = asked.intent.newest if asked.period is None else asked.period.recent
    answer = Answer(
        id=opened.id,
        conversation_id=opened.conversation_id,
        question=opened.question,
        resolved_query=opened.resolved_query,
        as_of=opened.as_of,
        understood_period=opened.understood_period,
        answer=written.text,
        answer_mode=written.mode,
        fallback_reason=written.fallback_reason,
        abstain_reason=written.abstain_reason,
        short_answer=written.short_answer,
        claims=written.claims,
        citations=written.citations,
        conflicts=written.conflicts,
        search_results=opened.search_results,
        support_score=round(support_score, 4),
        usage=written.usage,
        timings_ms=timings_ms,
        generation=written.generation,
        unanswered=written.unanswered,
        filters=None if filters == Filters() else filters,
        period_kept=keeps_period(cited, evidence, period=asked.period),
        stale_citation_ids=stale(cited, evidence, question=asked.resolved_query) if about_now else (),
    )
    return AnswerEvent(answer=answer)


def support_of(written: Written, *, reading: Reading) -> float:
    """How sure an answer is: as its weakest sentence where a model wrote it, else as the reader is of the evidence.

    The reader knows nothing of what a model wrote, and an answer is as true as the least true thing it says.
    """
    if written.mode == "generated":
        return min(claim.support_score for claim in written.claims)
    return reading.probability


def agreed_short_answer(
    claims: Sequence[Claim], citations: Sequence[Citation], reading: Reading, evidence: Sequence[Evidence]
) -> ShortAnswer | None:
    """The reader's few words, where a generated sentence has them, too, and cites the sentence they stand in."""
    for citation in citations:
        said = next(claim.text for claim in claims if citation.id in claim.citation_ids)
        for item in reading.sentences:
            if item.short is None or not is_short(item, reading.kind):
                continue
            passage = evidence[item.sentence.evidence].stored.passage
            at = item.sentence.start - citation.start_char_index
            inside = at >= 0 and item.sentence.end <= citation.end_char_index
            same = (passage.article_id, passage.article_version) == (citation.article_id, citation.article_version)
            if inside and same and _says(said, item.sentence.text[slice(*item.short)]):
                return short_answer(citation, (at + item.short[0], at + item.short[1]))
    return None


def _says(sentence: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", sentence, re.IGNORECASE) is not None


async def fold(events: AsyncGenerator[Event, None]) -> Answer:
    """Run through the events of one question and give its answer. Raises what they raise."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, AnswerEvent):
                return event.answer
    raise AssertionError("events end with an answer")


def told_of(answer: Answer, *, texts: bool) -> Mapping[str, Value]:
    """What a trace tells of an answer: how it came about, its words only with `texts`."""
    told: dict[str, Value] = {
        "sourceline.answer_mode": answer.answer_mode,
        "sourceline.claims": len(answer.claims),
        "sourceline.citations": len(answer.citations),
        "sourceline.passages": answer.usage.passages_read,
        "sourceline.support_score": answer.support_score,
    }
    for name, reason in (("fallback_reason", answer.fallback_reason), ("abstain_reason", answer.abstain_reason)):
        if reason is not None:
            told[f"sourceline.{name}"] = reason
    if texts:
        told |= {"sourceline.question": answer.question, "sourceline.answer": answer.answer}
    return told


def turn_of(answer: Answer) -> Turn:
    """An answer as the turn that a follow-up refers to."""
    return Turn(
        question=answer.question,
        resolved_query=answer.resolved_query,
        answer=answer.answer,
        answer_mode=answer.answer_mode,
        as_of=answer.as_of,
        short_answer=answer.short_answer.text if answer.short_answer else None,
        article_ids=tuple(dict.fromkeys(citation.article_id for citation in answer.citations)),
    )
