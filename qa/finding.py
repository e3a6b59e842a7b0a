"""Retrieves passages for an understood question, reads them, and decides whether they answer it."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.runtime import Stopwatch
from qa.errors import AbstainReason
from qa.language.dates import Period, moment, stamp
from qa.language.question_words import language_of
from qa.language.time_expressions import period_of
from qa.language.words import matter
from qa.question.understanding import Understood, in_their_words, with_numbers
from qa.reading import OverlapReader, Reader
from qa.reading.answer_filters import answers_another, filter_answers
from qa.reading.composing import newest_first, newest_said, of_all_words
from qa.reading.name_filters import from_articles_about, from_articles_with, naming
from qa.reading.newest_answers import asks_of_now, newest_of_series, newest_within, of_now
from qa.reading.sentence_ranking import DEPTH, Reading, ReadSentence, articles_in_turn, best_passages_first, read
from qa.retrieval import WIDER, Reranker, rerank
from qa.retrieval.recency import AFTERWARDS, is_late, says_when, tells_of_another, tells_of_every, timely, timely_first
from qa.retrieval.search import READ, Depth, retrieve
from qa.settings import Settings
from qa.types import Evidence

_NO_MATCH = 0.05
"""Below this probability nothing retrieved is near the question."""
SHOWN = 8
"""Passages shown, and given to a model: the best of those read."""
_ENDED = timedelta(days=365)
"""If the newest article is older than this, a date without a year means a year of the archive."""
_A_YEAR, _YEARS = timedelta(days=365), 3
"""How many of the archive's last years are tried."""

_LATEST = Depth(listed=100, kept=40, per_article=2)
"""Depth for questions about the latest news on a topic: the newest passage need not match best."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The result of retrieval and reading, before anything is written."""

    evidence: tuple[Evidence, ...]
    reading: Reading
    reason: AbstainReason | None
    """Why the articles' own sentences do not answer; None if they do."""


class Finder:
    """Retrieves and reads over one corpus."""

    def __init__(
        self, *, corpus: Corpus, encoder: Encoder, reader: Reader, settings: Settings, reranker: Reranker | None
    ) -> None:
        self._corpus = corpus
        self._encoder = encoder
        self._reader = reader
        self._by_words = OverlapReader()
        self._settings = settings
        self._reranker = reranker

    def find(self, asked: Understood, clock: Stopwatch, *, share: int = 1, sparing: bool = False) -> Found:
        """Retrieve, read, and decide whether that answers. Blocking.

        `share`: read 1/share of the usual number of passages. `sparing`: skip passages that can add nothing to those
        already read; this changes the order of the others.
        """
        if asked.intent.kind == "small_talk":
            return Found(evidence=(), reading=Reading(sentences=(), probability=0.0), reason="no_match")
        if asked.intent.kind == "latest" and (latest := self._latest(asked, clock)):
            return latest
        if asked.near and asked.stays_with and not asked.where.article_ids:
            within = msgspec.structs.replace(asked.where, article_ids=asked.stays_with)
            there = msgspec.structs.replace(asked, where=within, near=False, about=(), topics=())
            close = self.find(there, clock, share=share, sparing=sparing)
            if close.reason is None:
                return close
        depth = msgspec.structs.replace(READ, kept=math.ceil(READ.kept / share))
        found = self.evidence(asked, depth, clock)
        asked = _met(asked, found)
        able, reading = self._read(asked, found, sparing=sparing)
        if language_of(asked.resolved_query) is None and not self._is_sure(reading, asked):
            reading = of_all_words(matter(asked.undated), reading, able)
        if sparing and reading.kind != "list":
            sure = self._is_sure(reading, asked)
            reading, best = articles_in_turn(reading, able, kept=SHOWN, sure=sure)
        else:
            reading, best = best_passages_first(reading, able, kept=SHOWN)
        # Passages too old for the question stay behind all those read.
        evidence = (*best, *found[len(able) :])[:SHOWN]
        clock.lap("read")
        return Found(
            evidence=evidence, reading=reading, reason=self._abstain_reason(reading, evidence, asked, found=found)
        )

    def _read(
        self, asked: Understood, found: Sequence[Evidence], *, sparing: bool
    ) -> tuple[Sequence[Evidence], Reading]:
        """The evidence that can answer, in reading order, and the sentences in it that do."""
        any_time = asked.period is None or asked.period.recent
        now = any_time and asks_of_now(asked.to_read)
        able = timely(found, asked.period)
        able = newest_within(asked.to_read, able, first=DEPTH) if now else able
        reader = self._reader_of(asked)
        again = partial(read, asked.to_read, reader=reader, put=partial(_put, asked))
        elsewhen = partial(_of_another_month, asked.period, able)

        def strikes(one: ReadSentence) -> bool:
            return elsewhen(one) or (bool(asked.habit) and not tells_of_every(asked.habit, one.sentence.text))

        def is_what_was_asked(one: ReadSentence) -> bool:
            return not (answers_another(asked.to_read, one) or strikes(one))

        # The log-odds of other readers have no known meaning; and the newest passage need not be the most promising.
        known = sparing and reader.calibration.reader and not now
        first = again(able, ends_at=is_what_was_asked if known else None)
        reading = filter_answers(
            asked.to_read, first, able, calibration=reader.calibration, again=again, strikes=strikes
        )
        if asked.must_name:
            known_as = (asked.must_name, in_their_words(asked.must_name, _texts(found)))
            reading = naming(known_as, reading, able, calibration=reader.calibration)
        reading = from_articles_with(asked.about, reading, able, calibration=reader.calibration)
        reading = from_articles_about(asked.topics, reading, able, calibration=reader.calibration)
        if now:
            reading = of_now(asked.to_read, reading, able, calibration=reader.calibration)
        return able, newest_of_series(reading, able) if any_time else reading

    def _latest(self, asked: Understood, clock: Stopwatch) -> Found | None:
        """The newest passages on a topic; None if no passage found has all of its names."""
        found = newest_first(timely(self.evidence(asked, _LATEST, clock), asked.period))
        reading = newest_said(in_their_words(asked.intent.topic, _texts(found)), found)
        clock.lap("read")
        if reading is None:
            return None
        reading, evidence = best_passages_first(reading, found, kept=SHOWN)
        return Found(evidence=evidence, reading=reading, reason=None)

    def placed(self, asked: Understood) -> Sequence[Understood]:
        """The possible readings of a question that leaves its time open, the likeliest first. Blocking.

        "Is it open on Sunday?" means the next Sunday, or else every Sunday. If the newest article is from 2022, "in
        March" means March 2022 even years later, or else the March before.
        """
        if asked.period and asked.period.weekday:
            return [asked, msgspec.structs.replace(asked, period=None, habit=asked.period.weekday)]
        if asked.period is None or not asked.period.yearless:
            return [asked]
        told = self._corpus.overview(asked.where, newest=0)
        if told.latest is None or told.earliest is None:
            return [asked]
        newest, oldest = (moment(day, field="published_at") for day in (told.latest, told.earliest))
        if asked.period.start - newest < _ENDED:
            return [asked]
        said = (
            asked.resolved_query,
            asked.period.words,
        )  # in a follow-up, the period's words may come from the turn before
        meant: list[Understood] = []
        for back in range(_YEARS):
            as_of = newest - back * _A_YEAR
            period = next((period for text in said if (period := period_of(text, as_of=as_of))), asked.period)
            if as_of >= oldest or not meant:
                meant.append(msgspec.structs.replace(asked, period=period))
        return meant

    def evidence(self, asked: Understood, depth: Depth, clock: Stopwatch) -> tuple[Evidence, ...]:
        """Retrieve without reading, best first. Blocking."""
        wider = msgspec.structs.replace(depth, kept=depth.kept * (WIDER if self._reranker else 1))
        found = self._retrieved(asked, asked.lookup, wider, clock)
        met = in_their_words(asked.lookup, _texts(found))
        if met != asked.lookup:
            # "What did the KWA decide?" found the Kelmar Water Authority by meaning; searching by name finds more.
            found = _each_once([*self._retrieved(asked, f"{asked.lookup} {met}", wider, clock), *found])[: wider.kept]
        if self._reranker:
            found = rerank(found, question=asked.resolved_query, reranker=self._reranker, kept=depth.kept)
            clock.lap("rerank")
        return timely_first(found, asked.period)

    def _retrieved(self, asked: Understood, lookup: str, depth: Depth, clock: Stopwatch) -> tuple[Evidence, ...]:
        vector = self._encoder.encode_query(lookup)
        clock.lap("encode")
        within = [asked.where]
        if asked.stays_with and not asked.where.article_ids:
            within.insert(0, msgspec.structs.replace(asked.where, article_ids=asked.stays_with))
        listed = [
            retrieve(
                self._corpus,
                text=with_numbers(lookup),
                vector=vector,
                where=where,
                depth=depth,
                as_of=asked.as_of,
                period=asked.period,
                ranked_by=self._settings.retrieval,
            )
            for where in within
        ]
        clock.lap("retrieve")
        return _each_once(item for one in listed for item in one)[: depth.kept]

    def _abstain_reason(
        self, reading: Reading, evidence: Sequence[Evidence], asked: Understood, *, found: Sequence[Evidence]
    ) -> AbstainReason | None:
        if not evidence:
            return "no_match" if self._corpus.count(asked.where).passages else "empty_corpus"
        if (period := asked.period) and period.recent:
            late = self._out_of_time(reading, evidence, asked, period=period, found=found)
            if late:
                return late
        if period and not period.recent and (other := self._of_another_time(reading, evidence, asked, period=period)):
            return other
        if self._is_sure(reading, asked):
            return None
        if not _can_read(self._reader, asked):
            return "unread_language"
        return "weak_match" if reading.probability >= _NO_MATCH else "no_match"

    def _reader_of(self, asked: Understood) -> Reader:
        """The reader, if it knows the question's language; else the one that compares words."""
        return self._reader if _can_read(self._reader, asked) else self._by_words

    def _is_sure(self, reading: Reading, asked: Understood) -> bool:
        return reading.probability >= (self._settings.answer_threshold or self._reader_of(asked).calibration.threshold)

    def _older_answers(self, found: Sequence[Evidence], asked: Understood, period: Period) -> bool:
        """Whether passages too old for the question answer it once its time is removed."""
        late = [item for number, item in enumerate(found) if is_late(number, found, period)]
        return bool(late) and self._is_sure(read(asked.undated, late, reader=self._reader_of(asked)), asked)

    def _out_of_time(
        self,
        reading: Reading,
        evidence: Sequence[Evidence],
        asked: Understood,
        *,
        period: Period,
        found: Sequence[Evidence],
    ) -> AbstainReason | None:
        """Why a question about the last days has no answer, if only older news was found; None if some is fresh."""
        if not reading.sentences:
            return None
        if not is_late(reading.sentences[0].sentence.evidence, evidence, period) and (
            self._is_sure(reading, asked) or not self._older_answers(found, asked, period)
        ):
            return None
        held = self._holds(asked, period.start - timedelta(days=2), asked.as_of + timedelta(days=1))
        return "stale_only" if held else "outside_corpus_dates"

    def _of_another_time(
        self, reading: Reading, evidence: Sequence[Evidence], asked: Understood, *, period: Period
    ) -> AbstainReason | None:
        """Why a question about a past period is not answered, if only news of other times was found; else None.

        News that names no date is about the days when it was published.
        """
        over = not period.open and period.end <= asked.as_of
        if not over or not reading.sentences or not is_late(reading.sentences[0].sentence.evidence, evidence, period):
            return None
        held = self._holds(asked, period.start, period.end + AFTERWARDS)
        return "weak_match" if held else "outside_corpus_dates"

    def _holds(self, asked: Understood, start: datetime, end: datetime) -> bool:
        """Whether any article in scope was published then."""
        then = msgspec.structs.replace(asked.where, published_after=stamp(start), published_before=stamp(end))
        return self._corpus.count(then).passages > 0


def _can_read(reader: Reader, asked: Understood) -> bool:
    language = language_of(asked.resolved_query)
    return reader.languages is None or language is None or language in reader.languages


def _of_another_month(period: Period | None, evidence: Sequence[Evidence], one: ReadSentence) -> bool:
    """Whether a sentence's figure is for another month, quarter or year than the question names."""
    if period is None or one.short is None:
        return False
    stored, (start, end) = evidence[one.sentence.evidence].stored, one.short
    return tells_of_another(
        one.sentence.text, start=start, end=end, title=stored.title, published_at=stored.published_at, period=period
    )


def _put(asked: Understood, item: Evidence) -> str:
    """The question to put to one passage: without its date words if the passage does not say them."""
    dated = asked.period is None or says_when(item.stored.passage.text, asked.period)
    return asked.to_read if dated else asked.undated


def _met(asked: Understood, found: Sequence[Evidence]) -> Understood:
    """The question, its names written as the passages found write them."""
    texts = _texts(found)
    return msgspec.structs.replace(
        asked, to_read=in_their_words(asked.to_read, texts), undated=in_their_words(asked.undated, texts)
    )


def _texts(found: Sequence[Evidence]) -> list[str]:
    return [f"{item.stored.title}\n{item.stored.passage.text}" for item in found]


def _each_once(found: Iterable[Evidence]) -> tuple[Evidence, ...]:
    kept: dict[int, Evidence] = {}
    for item in found:
        kept.setdefault(item.stored.key, item)
    return tuple(kept.values())
