"""Makes the events of an answer from the results of the steps, folds them into the answer, and joins parts."""

import math
import re
import uuid
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from itertools import chain, zip_longest

import msgspec

from qa.citations import search_result, short_answer
from qa.errors import AbstainReason, FallbackReason
from qa.finding import SHOWN, Found
from qa.language.dates import shown, stamp
from qa.question.understanding import Understood
from qa.reading.composing import is_short
from qa.reading.sentence_ranking import Reading, ReadSentence
from qa.retrieval.search import keeps_period, stale
from qa.tracing import Value
from qa.types import (
    Answer,
    AnswerEvent,
    AnswerMode,
    Citation,
    Claim,
    ClaimEvent,
    Conflict,
    Event,
    Evidence,
    Filters,
    Generation,
    Question,
    SearchResult,
    SearchResultsEvent,
    ShortAnswer,
    Turn,
    Usage,
    Verdict,
)

ABSTENTION = "The articles do not answer this question."
CAVEATS: Mapping[Verdict, str] = {
    "supported": "",
    "partly_supported": " (supported in part)",
    "unsupported": " (not supported by the sources)",
    "contradicted": " (the sources say otherwise)",
}
"""Added after a sentence when an answer is shown as plain text, without its verdicts."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The text written for a question, by a model or by extraction."""

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
    """One event per claim, each with its citations that no earlier event had."""
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
        answer=_told(written, question),
        answer_mode=written.mode,
        fallback_reason=written.fallback_reason,
        abstain_reason=written.abstain_reason,
        short_answer=with_others(written.short_answer, opened.search_results),
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
        replaces=question.replaces,
    )
    return AnswerEvent(answer=answer)


def _told(written: Written, question: Question) -> str:
    """Its text. Of a collection without articles, a misspelled one perhaps, it is told: whoever may ask it may know."""
    if written.abstain_reason == "empty_corpus" and question.collection is not None and question.filters == Filters():
        return f"There are no articles in the collection {question.collection!r}."
    return written.text


def support_of(written: Written, *, reading: Reading) -> float:
    """The support score of an answer: that of its weakest sentence if a model wrote it, else the reader's probability.

    The reader knows nothing about a model's text, and an answer is only as true as its least true sentence.
    """
    if written.mode == "generated":
        return min(claim.support_score for claim in written.claims)
    return reading.probability


def agreed_short_answer(
    claims: Sequence[Claim], citations: Sequence[Citation], reading: Reading, evidence: Sequence[Evidence]
) -> ShortAnswer | None:
    """The reader's short answer, if a generated sentence has the same words and cites the sentence they are in."""
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


def with_others(short: ShortAnswer | None, results: Sequence[SearchResult]) -> ShortAnswer | None:
    """The short answer with the number of other articles that have the same words."""
    if short is None:
        return None
    others = {one.article_id for one in results if _says(one.text, short.text)} - {short.article_id}
    return msgspec.structs.replace(short, elsewhere=len(others))


def _says(text: str, words: str) -> bool:
    # Scripts without capitals put no spaces between words, or join small words to others.
    before, behind = (r"(?<!\w)" if _ends(words[0]) else "", r"(?!\w)" if _ends(words[-1]) else "")
    return re.search(f"{before}{re.escape(words)}{behind}", text, re.IGNORECASE) is not None


def _ends(character: str) -> bool:
    return character.isdigit() or character.lower() != character.upper()


async def fold(events: AsyncGenerator[Event, None]) -> Answer:
    """Consume the events of one question and return its answer. Raises what they raise."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, AnswerEvent):
                return event.answer
    raise AssertionError("events end with an answer")


def told_of(answer: Answer, *, texts: bool) -> Mapping[str, Value]:
    """The trace attributes of an answer; its words only with `texts`."""
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


# --- Joins the evidence and the answers of all parts of a question
class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a question, and the evidence for it."""

    asked: Understood
    found: Found


def citations_each(limit: int, parts: int) -> tuple[int, ...]:
    """How many of the `limit` citations each part may have; the first parts get the remainder.

    >>> citations_each(3, 2)
    (2, 1)
    """
    return tuple(limit // parts + (number < limit % parts) for number in range(parts))


def asked_together(asked: Understood, parts: Sequence[Part], texts: Sequence[str]) -> Understood:
    """The whole question with its parts as they were looked up; `texts` may have more parts."""
    if len(texts) == 1:
        return parts[0].asked
    queries = [part.asked.resolved_query for part in parts]
    return msgspec.structs.replace(asked, resolved_query=" ".join([*queries, *texts[len(parts) :]]))


def turn_after(part: Part) -> Turn:
    """A part as the turn that the next one refers to ("Who won, and how old is she?")."""
    best = part.found.reading.sentences[0] if part.found.reading.sentences and not part.found.reason else None
    stored = part.found.evidence[best.sentence.evidence].stored if best else None
    return Turn(
        question=part.asked.resolved_query,
        resolved_query=part.asked.resolved_query,
        answer=best.sentence.text if best else "",
        answer_mode="extractive" if best else "abstained",
        as_of=stamp(part.asked.as_of),
        short_answer=best.words or None if best else None,
        article_ids=(stored.passage.article_id,) if stored else (),
    )


def found_together(parts: Sequence[Part]) -> Found:
    """Evidence and sentences of all parts, in turns; it answers if any part does, as surely as the least sure."""
    if len(parts) == 1:
        return parts[0].found
    each = math.ceil(SHOWN / len(parts))
    taken = zip_longest(*(part.found.evidence[:each] for part in parts))
    evidence = {item.stored.key: item for item in chain.from_iterable(taken) if item}
    place = {key: number for number, key in enumerate(evidence)}
    answered = [part.found for part in parts if not part.found.reason]
    in_turns = zip_longest(*(_moved(part.found, place) for part in parts if not part.found.reason))
    sure = [found.reading.probability for found in answered or [part.found for part in parts]]
    return Found(
        evidence=tuple(evidence.values()),
        reading=Reading(
            sentences=tuple(one for one in chain.from_iterable(in_turns) if one),
            probability=min(sure) if answered else max(sure),
            kind="sentence",
            passages=sum(part.found.reading.passages for part in parts),
        ),
        reason=None if answered else parts[0].found.reason,
    )


def said_together(written: Sequence[Written], questions: Sequence[str]) -> Written:
    """The answers of all parts, one after the other, then a list of the `questions` without one.

    There may be more `questions` than answers: those not looked up have no answer either.
    """
    if len(questions) == 1:
        return written[0]
    # Leave out what an earlier part has said.
    answered = [
        one
        for number, one in enumerate(written)
        if one.claims and not any(one.text in earlier.text for earlier in written[:number] if earlier.claims)
    ]
    if not answered:
        return written[0]
    left = [text for number, text in enumerate(questions) if number >= len(written) or not written[number].claims]
    claims: list[Claim] = []
    citations: list[Citation] = []
    conflicts: list[Conflict] = []
    text = ""
    for one in answered:
        at, before = len(text) + bool(text), len(citations)
        text = f"{text} {one.text}" if text else one.text
        names = {citation.id: f"c{before + number}" for number, citation in enumerate(one.citations, start=1)}
        citations += [_renamed(citation, names, at) for citation in one.citations]
        claims += [_claim(claim, names, at) for claim in one.claims]
        conflicts += [_conflict(conflict, names) for conflict in one.conflicts]
    return msgspec.structs.replace(
        answered[0],
        text=" ".join([text, *(f"Not answered: “{question}”" for question in left)]),
        claims=tuple(claims),
        citations=tuple(citations),
        conflicts=tuple(conflicts),
        short_answer=answered[0].short_answer if sum(1 for one in written if one.claims) == 1 else None,
        unanswered=tuple(left),
    )


def _moved(found: Found, place: dict[int, int]) -> list[ReadSentence]:
    """The sentences of one part, with the index of their evidence among that of all parts."""
    keys = [_key(found.evidence, one) for one in found.reading.sentences]
    return [
        msgspec.structs.replace(one, sentence=msgspec.structs.replace(one.sentence, evidence=place[key]))
        for one, key in zip(found.reading.sentences, keys, strict=True)
        if key in place
    ]


def _key(evidence: Sequence[Evidence], one: ReadSentence) -> int:
    return evidence[one.sentence.evidence].stored.key


def _renamed(citation: Citation, names: dict[str, str], at: int) -> Citation:
    return msgspec.structs.replace(citation, id=names[citation.id], start=citation.start + at, end=citation.end + at)


def _claim(claim: Claim, names: dict[str, str], at: int) -> Claim:
    ids = tuple(names[name] for name in claim.citation_ids)
    return msgspec.structs.replace(claim, start=claim.start + at, end=claim.end + at, citation_ids=ids)


def _conflict(conflict: Conflict, names: dict[str, str]) -> Conflict:
    later = names[conflict.later] if conflict.later else None
    return msgspec.structs.replace(
        conflict, citation_ids=tuple(names[name] for name in conflict.citation_ids), later=later
    )


def spent_together(each: Sequence[Usage], *, once: Usage) -> Usage:
    """The usage of all parts together; `once`: what each part counts, and a draft for all."""
    dropped = sum(usage.citations_dropped - once.citations_dropped for usage in each)
    return msgspec.structs.replace(once, citations_dropped=once.citations_dropped + dropped, query_encodings=len(each))
