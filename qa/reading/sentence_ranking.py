"""Finds the sentences of the evidence that answer a question, best first, with the words in them that do."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from qa.grounding import chance
from qa.language.words import matter, stems
from qa.reading import (
    AnswerSpan,
    Calibration,
    Clues,
    Features,
    PassageText,
    Reader,
    SentenceAt,
    is_said,
    sentence_places,
    sentences_of,
)
from qa.reading.answer_types import WHOLE, Kind, asks_ahead, is_past, kind_of, type_test, what_it_tells
from qa.reading.office_holders import asks_holder, still_in_office, who_left
from qa.reading.passage_pruning import Estimate, ReadingQueue, estimate_of
from qa.reading.sentence_filters import of_that_state
from qa.types import Evidence

_HEADLINE = 3.0
"""A headline or caption yields to a sentence that says the same, if that lies at most so far behind, in log-odds."""
_MOST_READ, _MOST_LEAD, _MOST_WORDS = 12.0, 8.0, 15.0
_RETOLD = 0.5
"""Share of a headline's words from which a question is about the very thing that it tells."""
_HEADLINE_WORDS = 3
"""A shorter title names a matter."""
_LEAST_SCORE = 1e-3
"""Retrieval scores below count as this: they are taken the logarithm of."""
_FRESHER = 2.0
"""What the logarithm of a date's factor weighs, in log-odds."""
_REST_OF_A_DATE = len(" 12, 1961")
DEPTH = 6
"""Passages read, best first. What retrieval ranks lower cannot win any more: of 400 questions on newspaper articles and
150 on 1,500 dated ones, 14 passages gave the same answers as 6, and 4 gave others (docs/quality.md). An item of a list
may stand lower; for lists all are read."""
_COUNTED = re.compile(r" [\w%]+")
"""Behind a figure, what it counts: 22,000 seats are no price."""
_BEFORE_A_CUT = re.compile(r"(?:[A-Z][A-Za-z]*-|\d[.,]?)$")
_BEHIND_A_CUT = re.compile(r"[.,]?\d")
"""No figure: the 19 of COVID-19, the 22 of 22,000."""
_OF_AN_AGE = re.compile(r"[- ]years?[- ]old")
_ASKS_AN_AGE = re.compile(r"\b(?:old|aged?|years?|young)\b", re.IGNORECASE)
"""The 42 of "a 42-year-old" is her age and nothing else."""


class ReadSentence(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence, judged."""

    sentence: SentenceAt
    logit: float
    """Log-odds that it answers, by all its clues, and how timely it is; higher is better."""
    timeliness: float = 0.0
    """What of them is due to the article's date: it puts an answer behind fresher ones, and makes it no less sure."""
    short: tuple[int, int] | None
    """Span, in the sentence, of the words that answer."""
    short_logit: float = 0.0
    """Log-odds of those words against no answer in the passage."""
    clues: Clues | None = None
    """Of the best sentence of a passage: what its place was decided by."""

    @property
    def words(self) -> str:
        """The words that answer; empty where none do."""
        return self.sentence.text[slice(*self.short)] if self.short else ""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """All sentences read for one question, best first, and how sure the best one is."""

    sentences: tuple[ReadSentence, ...]
    probability: float
    """Calibrated probability that the best answer is right; 0 with no sentence."""
    kind: Kind = "words"
    passages: int = 0
    """How many were read for it."""


def read(
    question: str,
    evidence: Sequence[Evidence],
    *,
    reader: Reader,
    put: Callable[[Evidence], str] | None = None,
    ends_at: Callable[[ReadSentence], bool] | None = None,
) -> Reading:
    """Let the reader read the first passages, for a list all, and judge their sentences by what it found in them.

    `put` gives the question as it is put to one passage, where that is not the same for all. With `ends_at`, passages
    are left out that can add nothing to the best sentence for which it holds.
    """
    kind, calibration = kind_of(question), reader.calibration
    evidence = evidence if kind == "list" else evidence[:DEPTH]
    judge = _judge(question, evidence, reader=reader, put=put)
    judged: dict[tuple[str, int], ReadSentence] = {}
    if ends_at is None or kind == "list":
        left = ReadingQueue(len(evidence))
    else:
        asked = matter(question)
        left = ReadingQueue(
            len(evidence), estimates=[_estimate(item, asked, calibration) for item in evidence], ends_at=ends_at
        )
    while numbers := left.next(judged.values()):
        for one in judge(numbers):
            # Passages of one article overlap: each place counts once, as what was read with more around it.
            place = (evidence[one.sentence.evidence].stored.passage.article_id, one.sentence.start)
            if place not in judged or judged[place].logit < one.logit:
                judged[place] = one
    ordered = _said_first(
        sorted(judged.values(), key=lambda one: (-one.logit, one.sentence.evidence, one.sentence.start))
    )
    features = features_of(ordered)
    return Reading(
        sentences=tuple(ordered),
        probability=calibration.probability(features) if features else 0.0,
        kind=kind,
        passages=left.taken,
    )


def _estimate(item: Evidence, asked: frozenset[str], calibration: Calibration) -> Estimate:
    text = item.stored.passage.text
    sentences = [text[start:end] for start, end in sentence_places(text)]
    estimate = estimate_of(
        item.stored.title, sentences, retrieval=_relevance(item), asked=asked, calibration=calibration
    )
    return msgspec.structs.replace(estimate, logit=estimate.logit + _timeliness(item))


def _relevance(item: Evidence) -> float:
    """How well a passage matches the question, whatever its date: that an article is old makes no answer less sure."""
    return math.log(max(item.score / item.freshness, _LEAST_SCORE))


def _timeliness(item: Evidence) -> float:
    """How far its date puts a passage back behind fresher ones, in log-odds: 0 for the freshest, else below."""
    return _FRESHER * math.log(item.freshness)


def _judge(
    question: str, evidence: Sequence[Evidence], *, reader: Reader, put: Callable[[Evidence], str] | None
) -> Callable[[Sequence[int]], Iterator[ReadSentence]]:
    """What reads the passages of these numbers and judges their sentences."""
    answering, holds = _answering(question, evidence), asks_holder(question)
    whole = kind_of(question) in WHOLE

    def judge(numbers: Sequence[int]) -> Iterator[ReadSentence]:
        items = [evidence[number] for number in numbers]
        for number, item, found in zip(numbers, items, _spans(question, items, reader=reader, put=put), strict=True):
            # The words for when that were not put to a passage are not missed in its sentences, either.
            asked = matter(put(item) if put else question)
            yield from _judged(
                item,
                number,
                answering(item, found),
                asked=asked,
                holds=holds,
                whole=whole,
                calibration=reader.calibration,
            )

    return judge


def best_passages_first(
    reading: Reading, evidence: Sequence[Evidence], *, kept: int
) -> tuple[Reading, tuple[Evidence, ...]]:
    """The `kept` best passages, in the order of what was read in them, and their sentences; `score` becomes that."""
    best: dict[int, float] = {}
    for one in reading.sentences:
        best[one.sentence.evidence] = max(one.logit, best.get(one.sentence.evidence, -math.inf))
    lowest = min(best.values(), default=0.0)
    weighed = {number: best.get(number, lowest - 1.0 - number) for number in range(len(evidence))}
    order = sorted(weighed, key=lambda number: (-weighed[number], number))[:kept]
    place = {number: rank for rank, number in enumerate(order)}
    scored = tuple(msgspec.structs.replace(evidence[number], score=chance(weighed[number])) for number in order)
    return _placed(reading, place), scored


def articles_in_turn(
    reading: Reading, evidence: Sequence[Evidence], *, kept: int, sure: bool
) -> tuple[Reading, tuple[Evidence, ...]]:
    """`kept` passages in the order of the search: one of each article, then the others; and their sentences.

    That of the best sentence is always kept. Where the reading is sure, it comes first, and those in which words were
    found are kept whatever their place. What else was read is a worse order than the search's (docs/yardsticks.md).
    """
    best = reading.sentences[0].sentence.evidence if reading.sentences else None
    numbers = sorted(range(len(evidence)), key=lambda number: sure and number != best)
    opening: dict[str, int] = {}
    for number in numbers:
        opening.setdefault(evidence[number].stored.passage.article_id, number)
    order = sorted(numbers, key=lambda number: number not in opening.values())
    told = {one.sentence.evidence for one in reading.sentences if sure and one.short_logit > 0}
    chosen = set(sorted(order, key=lambda number: number != best and number not in told)[:kept])
    order = [number for number in order if number in chosen]
    return _placed(reading, {number: rank for rank, number in enumerate(order)}), tuple(evidence[n] for n in order)


def _placed(reading: Reading, place: Mapping[int, int]) -> Reading:
    """The reading, its passages numbered anew; sentences of those left out are left out."""
    moved = tuple(
        msgspec.structs.replace(
            one, sentence=msgspec.structs.replace(one.sentence, evidence=place[one.sentence.evidence])
        )
        for one in reading.sentences
        if one.sentence.evidence in place
    )
    return msgspec.structs.replace(reading, sentences=moved)


def features_of(ordered: Sequence[ReadSentence]) -> Features | None:
    """What the calibration weighs of the best answer; None where nothing was read."""
    if not ordered:
        return None
    best = ordered[0]
    rivals = [one.logit for one in ordered[1:] if not same_answer(one, best)]
    return Features(
        logit=best.logit - best.timeliness,
        read=max(-_MOST_READ, min(best.short_logit, _MOST_READ)),
        lead=min(best.logit - max(rivals), _MOST_LEAD) if rivals else _MOST_LEAD,
        words=min(len(best.words.split()), _MOST_WORDS),
    )


def no_surer(reading: Reading, sentences: Sequence[ReadSentence], *, calibration: Calibration) -> float:
    """How sure the first of these sentences is as an answer: never surer than the reading that they are left of."""
    features = features_of(sentences)
    return min(calibration.probability(features), reading.probability) if features else 0.0


def same_answer(one: ReadSentence, other: ReadSentence) -> bool:
    """Whether two sentences answer with the same words, or one with a part of the other's."""
    first, second = (matter(each.words) for each in (one, other))
    if not first or not second:
        return False
    return first <= second or second <= first


def _spans(
    question: str, evidence: Sequence[Evidence], *, reader: Reader, put: Callable[[Evidence], str] | None
) -> list[tuple[AnswerSpan, ...]]:
    """What the reader finds in each passage, those that are asked the same together."""
    asked = [put(item) if put else question for item in evidence]
    spans: list[tuple[AnswerSpan, ...]] = [()] * len(evidence)
    for one in dict.fromkeys(asked):
        places = [number for number, text in enumerate(asked) if text == one]
        stored = [evidence[number].stored for number in places]
        told = matter(one)
        given = [PassageText(text=item.passage.text, title=_context(item.title, told)) for item in stored]
        for number, found in zip(places, reader.read(one, given), strict=True):
            spans[number] = found
    return spans


def _context(title: str, told: frozenset[str]) -> str:
    """The title to read a passage with: none where it is a headline half of which the question tells.

    "Which team was invited to the White House?" asks for the rest of such a headline. The reader has learned from
    titles that name the matter, and takes the words of any title for no answer (docs/quality.md).
    """
    said = matter(title)
    is_headline = len(said) >= _HEADLINE_WORDS
    return "" if is_headline and len(told & said) >= _RETOLD * len(said) else title


def _answering(
    question: str, evidence: Sequence[Evidence]
) -> Callable[[Evidence, Sequence[AnswerSpan]], tuple[AnswerSpan, ...]]:
    """Picks the spans whose words can answer the question by their type, in sentences that tell of what it asks."""
    fits, tells, ahead = type_test(question), what_it_tells(question), asks_ahead(question)
    holds, of_age = asks_holder(question), _ASKS_AN_AGE.search(question) is not None
    # An article without a date is taken to be no older than the others found.
    latest = max((item.stored.published_at for item in evidence if item.stored.published_at), default=None)

    def that_can_answer(item: Evidence, found: Sequence[AnswerSpan]) -> Iterator[AnswerSpan]:
        text, published = item.stored.passage.text, item.stored.published_at or latest
        sentences = sentences_of(item, evidence=0) if tells else ()
        for span in found:
            words, dated = text[span.start : span.end], text[span.start : span.end + _REST_OF_A_DATE]
            counted = _COUNTED.match(text, span.end) if words[-1:].isdigit() else None
            if (
                (fits is None or (fits(words) and (counted is None or fits(words + counted.group()))))
                and not _is_cut_number(text, span.start, span.end)
                and (of_age or not _OF_AN_AGE.match(text, span.end))
                and not (ahead and is_past(dated, published=published))
                and (tells is None or tells(_around(item, span, sentences)))
            ):
                yield span

    def of_the_present(item: Evidence, found: Sequence[AnswerSpan]) -> tuple[AnswerSpan, ...]:
        able = tuple(that_can_answer(item, found))
        text = item.stored.passage.text
        return still_in_office(question, text, able) if holds else of_that_state(question, text, able)

    return of_the_present


def _is_cut_number(text: str, start: int, end: int) -> bool:
    """Whether a figure is but a part of one, or of a name."""
    if text[start].isdigit() and _BEFORE_A_CUT.search(text[:start]):
        return True
    return text[end - 1].isdigit() and _BEHIND_A_CUT.match(text, end) is not None


def _around(item: Evidence, span: AnswerSpan, sentences: Sequence[SentenceAt]) -> str:
    """The sentence of a span and the one before it."""
    end = item.stored.passage.start + span.end
    return " ".join([one.text for one in sentences if one.start < end][-2:])


def _judged(
    item: Evidence,
    number: int,
    spans: Sequence[AnswerSpan],
    *,
    asked: frozenset[str],
    holds: bool,
    whole: bool,
    calibration: Calibration,
) -> list[ReadSentence]:
    """The sentences of one passage in which words were found; a question that stands in the text answers nothing."""
    start = item.stored.passage.start
    inside = {
        sentence: within
        for sentence in sentences_of(item, evidence=number)
        if not sentence.text.endswith("?")
        and (within := [span for span in spans if sentence.start <= start + span.start < sentence.end])
    }
    if not inside:
        return []
    own = {sentence: _log_sum([span.logit for span in within]) for sentence, within in inside.items()}
    best = max(own, key=lambda sentence: own[sentence])
    clues = Clues(
        logit=own[best],
        retrieval=_relevance(item),
        # Where long answers begin and end is less certain than what they say.
        share=math.exp((own[best] if whole else inside[best][0].logit) - _log_sum([span.logit for span in spans])),
        sentence=len(asked & (stems(item.stored.title) | _told_in(best, holds=holds))) / max(len(asked), 1),
    )
    return [
        ReadSentence(
            sentence=sentence,
            # Between passages all clues count, within one the reader's own odds alone.
            logit=calibration.log_odds(clues) - (own[best] - own[sentence]) + _timeliness(item),
            timeliness=_timeliness(item),
            short=_within(sentence, start + within[0].start, start + within[0].end),
            short_logit=within[0].logit,
            clues=clues if sentence is best else None,
        )
        for sentence, within in inside.items()
    ]


def _told_in(sentence: SentenceAt, *, holds: bool) -> frozenset[str]:
    """Stems of a sentence; where the holder of an office is asked for, with those of one before it that says who left.

    "Ida Gant takes over" tells of the office that the sentence before names.
    """
    return stems(f"{sentence.before} {sentence.text}" if holds and who_left(sentence.before) else sentence.text)


def _within(sentence: SentenceAt, start: int, end: int) -> tuple[int, int]:
    """A span of the article as one of the sentence, cut where the sentence ends."""
    return start - sentence.start, min(end, sentence.end) - sentence.start


def _said_first(ordered: list[ReadSentence]) -> list[ReadSentence]:
    """Let a headline or caption at the top yield to a sentence that gives the same answer."""
    if not ordered or is_said(ordered[0].sentence.text):
        return ordered
    best = ordered[0]
    for number, one in enumerate(ordered[1:], start=1):
        if one.logit < best.logit - _HEADLINE:
            break
        if is_said(one.sentence.text) and same_answer(one, best):
            raised = msgspec.structs.replace(one, logit=best.logit, timeliness=best.timeliness)
            return [raised, *ordered[:number], *ordered[number + 1 :]]
    return ordered


def _log_sum(logits: Sequence[float]) -> float:
    most = max(logits)
    return most + math.log(sum(math.exp(logit - most) for logit in logits))
