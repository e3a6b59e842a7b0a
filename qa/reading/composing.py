"""Composes the answer from ranked sentences: text, claims, citations, short answer.

A question for the latest on a topic is answered with the newest sentences about it. No network reads for it: the date
of a text, not its words, answers "What is the latest?".
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile

import msgspec

from embeddings.types import StoredPassage
from qa.citations import cite, short_answer
from qa.language.dates import BEGINNING, moment
from qa.language.words import matter, stems, words_of
from qa.reading import SentenceAt, is_said, sentences_of
from qa.reading.answer_types import WHOLE, Kind
from qa.reading.sentence_ranking import Reading, ReadSentence, same_answer
from qa.types import Citation, Claim, Evidence, ShortAnswer

_MORE_WITHIN = 2.0
"""How far, in log-odds, another source of the same answer may lie behind the best and still be added."""
_LISTED_WITHIN = 4.0
"""The same for another item of a list."""
_SHORT_WORDS = 12
_ALL_WORDS = 0.5
"""How likely a sentence with all words of a search for words is what was looked for: what is asked stays open."""
_SAME_WORDING = 0.6
"""Share of common words from which two sentences are copies: newspapers shorten and reorder wire reports."""
_LEANS = re.compile(
    r"(?:he|she|they|it|his|her|hers|their|its|this|these|those|both|the (?:company|firm|agency|group|team|ministry|"
    r"minister|president|court|bank|army|party|union|report|study|couple|pair|man|woman|officer|suspect|move|decision))\b",
    re.IGNORECASE,
)
_ABOUT = 0.66
"""A sentence is about a topic if it and its title have this share of the topic's words, and all its names."""
_QUOTED = re.compile(r"[“\"«„]")
_GOES_ON = re.compile(
    r"[“\"«„]|(?:(?:he|she|they|the [a-z]+) )?(?:also )?(?:added|continued|went on)\b|(?:he|she|they) (?:also )?said\b",
    re.IGNORECASE,
)
"""The beginning of a sentence in which the quoted speaker goes on."""
_MOST_SAID = 2
"""Further sentences of a quotation that are added."""
_TOGETHER = timedelta(days=7)
"""Sentences older than the newest by more than this are not the latest."""


class Composition(msgspec.Struct, frozen=True, kw_only=True):
    """An extractive answer; every sentence is a quotation."""

    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    short_answer: ShortAnswer | None


def choose(reading: Reading, evidence: Sequence[Evidence], *, limit: int) -> tuple[ReadSentence, ...]:
    """The best sentence, and other sources with the same answer; for a list, sentences with more items."""
    if not reading.sentences:
        return ()
    best = reading.sentences[0]
    chosen = [best, *_said_on(best, reading, evidence)][:limit]
    lists = reading.kind == "list"
    for other in reading.sentences[1:]:
        if len(chosen) >= limit or other.logit < best.logit - (_LISTED_WITHIN if lists else _MORE_WITHIN):
            break
        if other.short_logit <= 0:
            continue
        same = any(same_answer(other, earlier) and _figures(other) == _figures(earlier) for earlier in chosen)
        fits = not same if lists else same or reading.kind == "sentence"
        if fits and not any(_repeats(other, earlier, evidence, lists=lists) for earlier in chosen):
            chosen.append(other)
    return tuple(chosen)


def _said_on(best: ReadSentence, reading: Reading, evidence: Sequence[Evidence]) -> list[ReadSentence]:
    """The next sentences of a quotation, if the question asks what somebody said."""
    if reading.kind != "sentence" or not _QUOTED.search(best.sentence.text):
        return []
    after = [
        one
        for one in sentences_of(evidence[best.sentence.evidence], evidence=best.sentence.evidence)
        if one.start > best.sentence.start
    ]
    going_on = takewhile(lambda one: _GOES_ON.match(one.text), after[:_MOST_SAID])
    return [msgspec.structs.replace(best, sentence=one, short=None, clues=None) for one in going_on]


def compose(
    chosen: Sequence[ReadSentence], evidence: Sequence[Evidence], *, kind: Kind = "words", limit: int = 10
) -> Composition:
    """Join the chosen sentences, each cited with its own exact words.

    If the first begins with "He" or "The company", and there is room, the sentence before it is added.
    """
    first = chosen[0]
    sentences = [one.sentence for one in chosen]
    if len(sentences) < limit and leans_back(first.sentence.text) and first.sentence.before:
        before = _before(first.sentence)
        place = (before.evidence, before.start)
        sentences = [before, *(one for one in sentences if (one.evidence, one.start) != place)]
    claims: list[Claim] = []
    citations: list[Citation] = []
    at = 0
    for number, sentence in enumerate(sentences, start=1):
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
    answering = citations[sentences.index(first.sentence)]
    short = short_answer(answering, first.short) if first.short and is_short(first, kind) else None
    text = " ".join(claim.text for claim in claims)
    return Composition(text=text, claims=tuple(claims), citations=tuple(citations), short_answer=short)


def is_short(item: ReadSentence, kind: Kind) -> bool:
    """Whether its few words answer by themselves."""
    return kind not in WHOLE and item.short_logit > 0 and 0 < len(item.words.split()) <= _SHORT_WORDS


def _figures(item: ReadSentence) -> frozenset[str]:
    """The numbers in its words: "July 1" does not support "16 months from July 1"."""
    return frozenset(word.text for word in words_of(item.words) if word.number)


def _before(sentence: SentenceAt) -> SentenceAt:
    return SentenceAt(
        text=sentence.before,
        start=sentence.before_start,
        end=sentence.before_start + len(sentence.before),
        evidence=sentence.evidence,
    )


def _quotation(citation: Citation) -> Claim:
    """A claim in its source's own words: supported by construction."""
    return Claim(
        text=citation.cited_text,
        start=citation.start,
        end=citation.end,
        verdict="supported",
        support_score=1.0,
        citation_ids=(citation.id,),
        origin="quoted",
    )


def _repeats(item: ReadSentence, earlier: ReadSentence, evidence: Sequence[Evidence], *, lists: bool) -> bool:
    """Whether a sentence adds nothing: it has nearly the same words, or (except for lists) is from the same article."""
    if not lists and _article(item, evidence) == _article(earlier, evidence):
        return True
    said, before = (stems(each.sentence.text) for each in (item, earlier))
    return len(said & before) >= _SAME_WORDING * len(said | before)


def _article(item: ReadSentence, evidence: Sequence[Evidence]) -> str:
    return evidence[item.sentence.evidence].stored.passage.article_id


def newest_first(found: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The passages by date, newest first, each in the newest article of its story; undated ones last."""
    told = [msgspec.structs.replace(item, stored=max((item.stored, *item.also), key=_when_stored)) for item in found]
    return tuple(sorted(told, key=_when, reverse=True))


def of_all_words(words: frozenset[str], reading: Reading, evidence: Sequence[Evidence]) -> Reading:
    """The reading led by its best sentence that has all these words, two at least; those of the title count, too.

    Who types "viking ship harbour" asks nothing that words could be found for, and wants the sentence on it.
    """
    for one in reading.sentences if len(words) > 1 else ():
        own = words & matter(one.sentence.text)
        if len(own) > 1 and words <= own | matter(evidence[one.sentence.evidence].stored.title):
            whole = msgspec.structs.replace(one, short=None)
            others = tuple(other for other in reading.sentences if other is not one)
            sure = max(reading.probability, _ALL_WORDS)
            return msgspec.structs.replace(reading, sentences=(whole, *others), probability=sure)
    return reading


def newest_said(topic: str, found: Sequence[Evidence]) -> Reading | None:
    """One sentence about the topic from each of the newest articles, in the order of `found`; None if there is none.

    The probability is the share of the topic's words that the first sentence and its title have.
    """
    asked = matter(topic)
    named = {word.stem for word in words_of(topic) if word.capital and not word.stop}
    best: dict[str, tuple[float, SentenceAt]] = {}
    for number, item in enumerate(found):
        titled = stems(item.stored.title)
        for sentence in filter(lambda one: is_said(one.text), sentences_of(item, evidence=number)):
            held = titled | stems(sentence.text)
            share = len(asked & held) / max(len(asked), 1)
            own = len(asked & held - titled) / max(len(asked), 1)
            earlier = best.get(item.stored.passage.article_id)
            # Of as many words the earlier: articles begin with their news.
            better = earlier is None or (share + own, -sentence.start) > (earlier[0], -earlier[1].start)
            if share >= _ABOUT and named <= held and better:
                best[item.stored.passage.article_id] = (share + own, sentence)
    chosen = [sentence for _, sentence in best.values()]
    latest = [one for one in chosen if _when(found[chosen[0].evidence]) - _when(found[one.evidence]) <= _TOGETHER]
    if not latest:
        return None
    share = min(best[found[latest[0].evidence].stored.passage.article_id][0], 1.0)
    said = tuple(ReadSentence(sentence=one, logit=0.0, short=None, short_logit=1.0) for one in latest)
    return Reading(sentences=said, probability=share, kind="sentence")


def _when(item: Evidence) -> datetime:
    return _when_stored(item.stored)


def _when_stored(stored: StoredPassage) -> datetime:
    return moment(stored.published_at, field="published_at") if stored.published_at else BEGINNING


def leans_back(text: str) -> bool:
    """Whether a sentence begins with something that an earlier one names.

    >>> leans_back("He resigned in May."), leans_back("Mr. Holm resigned in May.")
    (True, False)
    """
    return _LEANS.match(text) is not None
