"""Joins what was found and written for each part of a question into one finding and one answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain, zip_longest

import msgspec

from qa.answers import Written
from qa.finding import SHOWN, Found
from qa.language.timestamps import stamp
from qa.question.understanding import Understood
from qa.reading.read import Reading, ReadSentence
from qa.types import Citation, Claim, Conflict, Evidence, Turn, Usage

__all__ = [
    "Part",
    "asked_together",
    "citations_each",
    "found_together",
    "said_together",
    "spent_together",
    "turn_after",
]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a question asks, and what was found for it."""

    asked: Understood
    found: Found


def citations_each(limit: int, parts: int) -> tuple[int, ...]:
    """How many citations each part may have of the `limit` of a question; the first ones get what is left over.

    >>> citations_each(3, 2)
    (2, 1)
    """
    return tuple(limit // parts + (number < limit % parts) for number in range(parts))


def asked_together(asked: Understood, parts: Sequence[Part], texts: Sequence[str]) -> Understood:
    """The whole question with its parts as they were looked up; `texts` may be more than those."""
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
    """Evidence and sentences of all parts, in turns; it answers where any of them does, as surely as the least sure."""
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
    """The answers of all parts, one after the other, and at the end, which of the `questions` have none.

    `questions` may be more than what was written: what was not looked up is not answered, either.
    """
    if len(questions) == 1:
        return written[0]
    answered = [one for one in written if one.claims]
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
        short_answer=answered[0].short_answer if len(answered) == 1 else None,
        unanswered=tuple(left),
    )


def _moved(found: Found, place: dict[int, int]) -> list[ReadSentence]:
    """The sentences of one part with their evidence where it lies among that of all parts."""
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
    """What the answers of all parts cost together; `once` is what each of them counts, and what a draft for all did."""
    dropped = sum(usage.citations_dropped - once.citations_dropped for usage in each)
    return msgspec.structs.replace(once, citations_dropped=once.citations_dropped + dropped, query_encodings=len(each))
