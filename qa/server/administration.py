"""What the operator may see: articles by source and day, questions and answers, reviews.

Of stored answers nobody is shown more than their readers are: what they quote is held against the articles first. Of
articles that readers are not shown it gives numbers here; `kept_back` of `/api/articles` shows them.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from embeddings.cleaning.identity import page_keys
from embeddings.copies import copies_held
from embeddings.corpus import meant, readable
from embeddings.types import Article, SourceTally, Vector, Where
from embeddings.usable_corpus import UsableCorpus
from qa.access.keys import Permission
from qa.conversations import question_log
from qa.conversations.database import ConversationDatabase
from qa.conversations.feedback import DatasetRow, Feedback, Review, ReviewBook, Verdicts, row_of
from qa.conversations.question_log import AskedQuestion, DayOfQuestions, Outcome
from qa.errors import NotFound
from qa.language.dates import stamp
from qa.retrieval.search import fuse
from qa.server.errors import FieldError, InvalidRequest
from qa.server.monitoring import Writes
from qa.server.records import ReadCorpus, Records, once_each
from qa.server.wire import ArticlePage, ArticleSummary, KeptAnswer, summary


# --- The wire format of `/api/admin`
class CorpusDay(msgspec.Struct, frozen=True, kw_only=True):
    """Articles of one day of publication."""

    day: str
    articles: int


class CorpusSource(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of one source."""

    source: str
    """Empty: of articles that name none."""
    articles: int
    kept_back: int
    """How many of them readers are not shown now: withheld, canceled, under embargo."""
    undated: int
    earliest: str | None
    """Day of its oldest dated article, ISO 8601, in UTC."""
    latest: str | None
    days: tuple[CorpusDay, ...]
    """The days asked for on which it has articles."""


class CorpusBySource(msgspec.Struct, frozen=True, kw_only=True):
    """The articles by source and day of publication."""

    articles: int
    kept_back: int
    days: tuple[str, ...]
    """The days asked for, the first one first, in UTC."""
    sources: tuple[CorpusSource, ...]
    """The source with the most articles first."""
    sources_omitted: int
    """How many more sources there are."""


class AdminArticle(msgspec.Struct, frozen=True, kw_only=True):
    """One article, also where readers are not shown it, and where else its story is held."""

    article: Article
    copies: tuple[ArticleSummary, ...]
    """Other articles of its text or page, in all collections, for which `copies` of an article sent speaks."""


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """How fresh a feed or watched folder is, and what is wrong with it."""

    name: str
    """Address of a feed, path of a watched folder."""
    kind: Literal["feed", "folder"]
    state: Literal["active", "gone"]
    """`gone`: its server says that it is there no more."""
    asked_at: str | None
    """When it was last asked with success, ISO 8601."""
    brought_at: str | None
    """When it last brought an article that was new or changed."""
    due_at: str | None
    """When it is asked next; null of a folder, and of a feed that is gone."""
    failures: int
    """One after another."""
    trouble: str
    """What went wrong the last time; empty when nothing did."""


class SourceStates(msgspec.Struct, frozen=True, kw_only=True):
    """Feeds and watched folders of this machine."""

    sources: tuple[SourceState, ...]
    writes: Writes
    """Whether articles can be added."""


class QuestionDays(msgspec.Struct, frozen=True, kw_only=True):
    """Questions by day."""

    days: tuple[DayOfQuestions, ...]
    """Every day of those asked for, the first one first."""


class QuestionPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of questions, the latest first."""

    questions: tuple[AskedQuestion, ...]
    next: int | None
    """Value of `before` for the following page; null on the last one."""


class AdminAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of one answer; at least one of the fields is there."""

    kept: KeptAnswer | None
    """Null where the reader did not have it kept, or it has made room for newer ones."""
    feedback: Feedback | None
    review: Review | None


class ReviewIn(Verdicts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /api/admin/answers/{answer_id}/review` takes."""


class ReviewPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of reviews, those begun last first."""

    reviews: tuple[Review, ...]
    next: int | None
    """Value of `before` for the following page; null on the last one."""


class KeyInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a key opens; nothing of the key itself."""

    name: str
    may: tuple[Permission, ...]
    collections: tuple[str, ...] | None
    """Where; null: in all collections, also those that come later."""


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of `QA_API_KEYS`."""

    open: bool
    """Whether there are none, so that whoever reaches the service may do everything."""
    keys: tuple[KeyInfo, ...]


_SOURCES = 200
"""Sources listed; how many more there are is said."""


class Administration:
    """The questions of one service's administrators."""

    def __init__(self, records: Records, *, read: ReadCorpus, encode: Callable[[str], Awaitable[Vector]]) -> None:
        self._records = records
        self._read = partial(read, within=None)
        self._encode = encode

    async def corpus(self, *, days: int) -> CorpusBySource:
        """The articles by source, and by day of publication for the last `days`, today included."""
        shown_days = _days(days)
        tally = _tally(since=shown_days[0])
        every, usable = await self._read(tally, kept_back=True), await self._read(tally)
        shown = {one.source: one.articles for one in usable}
        sources = [_source(one, usable=shown.get(one.source, 0), days=shown_days) for one in every]
        return CorpusBySource(
            articles=sum(one.articles for one in sources),
            kept_back=sum(one.kept_back for one in sources),
            days=shown_days,
            sources=tuple(sources[:_SOURCES]),
            sources_omitted=max(0, len(sources) - _SOURCES),
        )

    async def find(self, text: str, *, limit: int) -> ArticlePage:
        """The articles that somebody may mean by an id, a link or some words, the likeliest first."""
        text = text.strip()
        vector = await self._encode(text)
        found = await self._read(partial(_found, text=text, vector=vector, limit=limit), kept_back=True)
        return ArticlePage(articles=tuple(map(summary, found)), next=None)

    async def article(self, article_id: str) -> AdminArticle:
        """An article and its copies, also what readers are not shown. Raises NotFound, AmbiguousId."""

        def look(corpus: UsableCorpus) -> AdminArticle | None:
            article = corpus.get(corpus.called(article_id) or article_id)
            if article is None:
                return None
            return AdminArticle(article=article, copies=tuple(map(summary, copies_held(article, corpus=corpus))))

        found = await self._read(look, kept_back=True)
        if found is None:
            raise NotFound(f"no article {article_id!r}")
        return found

    async def days(self, *, days: int) -> QuestionDays:
        """How questions came out on each of the last `days`, today included."""
        wanted = _days(days)
        found = await self._records.run(partial(question_log.days, since=wanted[0]))
        counted = {one.day: one for one in found}
        return QuestionDays(days=tuple(counted.get(day, DayOfQuestions(day=day)) for day in wanted))

    async def questions(
        self, *, outcome: Outcome | None, day: str | None, before: int | None, limit: int
    ) -> QuestionPage:
        """Questions, the latest first."""
        look = partial(question_log.questions, outcome=outcome, day=day, before=before, limit=limit)
        found, following = await self._records.run(look)
        return QuestionPage(questions=tuple(found), next=following)

    async def answer(self, answer_id: str) -> AdminAnswer:
        """What is kept of an answer, as it may be shown now. Raises NotFound where nothing is."""
        kept = await self._kept(answer_id)
        feedback = await self._records.run(partial(question_log.feedback_on, answer_id=answer_id))
        review = await self._records.run(lambda database: ReviewBook(database).of(answer_id))
        if kept is None and feedback is None and review is None:
            raise NotFound(f"nothing is kept of an answer {answer_id!r}")
        return AdminAnswer(kept=kept, feedback=feedback, review=review)

    async def review(self, answer_id: str, given: Verdicts, *, reviewer: str) -> Review:
        """Store what an editor thinks of a kept answer. Raises NotFound, InvalidRequest."""
        kept = await self._records.answer(answer_id, owner=None, within=None)
        faults = _contradictions(given) or await self._read(partial(_unreadable, given))
        if faults:
            raise InvalidRequest("the review cannot be kept like this; see errors", errors=tuple(faults))
        review = Review(
            **{name: getattr(given, name) for name in Verdicts.__struct_fields__},
            answer_id=answer_id,
            question=kept.answer.question,
            asked_at=kept.answer.as_of,
            earlier=await self._records.run(partial(question_log.earlier_questions, answer_id=answer_id)),
            answer_mode=kept.answer.answer_mode,
            reviewer=reviewer,
            reviewed_at=stamp(datetime.now(UTC)),
        )
        await self._records.run(lambda database: ReviewBook(database).save(review))
        return review

    async def reviews(self, *, before: int | None, limit: int) -> ReviewPage:
        """Reviews, those begun last first."""
        found, following = await self._records.run(lambda db: ReviewBook(db).page(before=before, limit=limit))
        return ReviewPage(reviews=tuple(found), next=following)

    async def dataset(self) -> tuple[Sequence[DatasetRow], int]:
        """The reviews as a dataset, and how many are left out because their words may not be shown, or are gone."""
        reviews = await self._records.run(_all)
        rows = await self._read(partial(_rows, reviews))
        return rows, len(reviews) - len(rows)

    async def _kept(self, answer_id: str) -> KeptAnswer | None:
        try:
            return await self._records.answer(answer_id, owner=None, within=None)
        except NotFound:
            return None


def _found(corpus: UsableCorpus, *, text: str, vector: Vector, limit: int) -> Sequence[Article]:
    """Those that have this id or link, or that the link opens here; where there are none, those of like words."""
    path = urlsplit(text).path if text.startswith(("http://", "https://")) else ""
    named = path.removeprefix("/articles/") if path.startswith("/articles/") else text
    at_link = corpus.known(page_keys(text)).values()
    exact = [*meant(corpus, [named], within=None)[named], *chain.from_iterable(at_link)]
    articles = (readable(corpus, name) for name in exact or _alike(corpus, text=text, vector=vector, k=4 * limit))
    return list({article.id: article for article in articles if article is not None}.values())[:limit]


def _alike(corpus: UsableCorpus, *, text: str, vector: Vector, k: int) -> Iterable[str]:
    """Articles (ids) with these words, the likeliest first; where no passage has one, those of like meaning."""
    hits = corpus.search(vector, text, k=k, where=Where())
    scores = fuse(hits)
    stored = corpus.passages({hit.key for hit in hits.lexical or hits.dense})
    return dict.fromkeys(stored[key].passage.article_id for key in sorted(stored, key=lambda key: -scores[key]))


def _all(database: ConversationDatabase) -> Sequence[Review]:
    return ReviewBook(database).all()


def _rows(reviews: Sequence[Review], corpus: UsableCorpus) -> Sequence[DatasetRow]:
    find = once_each(corpus)
    return [row for review in reviews if (row := row_of(review, find=find))]


def _contradictions(given: Verdicts) -> list[FieldError]:
    """What cannot be meant: `qa evaluate run` would refuse such a line."""
    if given.answerable is False and (given.answers or given.quotes):
        return [
            FieldError(field="answerable", detail="false, yet answers or quotes are given; drop the one or the other")
        ]
    blank = [name for name in ("answers", "must_not_say") if not all(one.strip() for one in getattr(given, name))]
    return [FieldError(field=name, detail="holds a blank line") for name in blank]


def _unreadable(given: Verdicts, corpus: UsableCorpus) -> list[FieldError]:
    """Quotes that stand in no article that readers may see."""
    faults = []
    for place, quote in enumerate(given.quotes):
        article = readable(corpus, quote.article_id, version=quote.article_version)
        if article is None:
            faults.append(
                FieldError(field=f"quotes[{place}]", detail="there is no such article, or it may not be shown")
            )
        elif not 0 <= quote.start_char_index < quote.end_char_index <= len(article.text):
            faults.append(FieldError(field=f"quotes[{place}]", detail="no place in the text of that version"))
    return faults


def _days(number: int) -> tuple[str, ...]:
    """The last days in UTC, ISO 8601, today the last one."""
    today = datetime.now(UTC).date()
    return tuple((today - timedelta(days=back)).isoformat() for back in reversed(range(number)))


def _tally(*, since: str) -> Callable[[UsableCorpus], Sequence[SourceTally]]:
    return lambda corpus: corpus.tally(Where(), since=since)


def _source(tally: SourceTally, *, usable: int, days: Sequence[str]) -> CorpusSource:
    return CorpusSource(
        source=tally.source,
        articles=tally.articles,
        kept_back=tally.articles - usable,
        undated=tally.undated,
        earliest=tally.earliest,
        latest=tally.latest,
        days=tuple(CorpusDay(day=one.day, articles=one.articles) for one in tally.days if one.day in days),
    )
