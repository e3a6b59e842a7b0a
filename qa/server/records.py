"""The service's conversations and feedback, stored and read on a thread of their own.

A stored answer is on disk before it is served; whatever is read back is held against the corpus first.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Protocol, TypeVar

import msgspec

from embeddings.corpus import readable
from embeddings.errors import StoreReadOnly
from embeddings.types import Article, Place
from embeddings.usable_corpus import UsableCorpus
from qa.access.keys import Collections
from qa.answers import turn_of
from qa.conversations.changes import AnswerChanges, changes_since, corrected, rechecked, state_of_sources
from qa.conversations.database import ConversationDatabase
from qa.conversations.feedback import Feedback, FeedbackBook, Opinion, Reason, ServedAnswers, served
from qa.conversations.history import Bounds, History, KeptTurn, new_id, standing
from qa.conversations.migration import open_target
from qa.errors import HistoryUnavailable, NotFound
from qa.language.dates import stamp
from qa.server.errors import NotReady, ServerError
from qa.server.monitoring import is_read_only
from qa.server.wire import ConversationPage, ConversationTurn, ConversationTurns, FeedbackPage, KeptAnswer
from qa.server.worker import Permits, Worker
from qa.settings import Settings
from qa.types import Answer, Question, Turn

T = TypeVar("T")

_log = logging.getLogger(__name__)

_TURNS_HEEDED = 6
"""A follow-up points back at most so many turns."""
_SERVED = 5_000
"""Feedback can be given on so many of the last answers; on those of conversations as long as they are kept."""
_FEEDBACK = 50_000
_STOP_SECONDS = 10.0


class ReadCorpus(Protocol):
    """Runs a job on the thread that reads the corpus, as far as it may be shown."""

    def __call__(
        self, job: Callable[[UsableCorpus], T], /, *, within: Collections, kept_back: bool = False
    ) -> Awaitable[T]:
        """Give the job's result; `within` are the collections within reach, and `kept_back`: it may also see what
        readers are not shown."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question in its conversation, if it has one."""

    question: Question
    """Names the conversation, also where it is about to begin."""
    turns: tuple[Turn, ...] = ()
    """What was said before, the last turn last."""
    begins: bool = False


class Records:
    """Conversations and feedback of one service. `owner` says whose they are; nobody sees another's.

    Quotations from collections that the caller may not read (`within`) are withheld.
    """

    def __init__(self, settings: Settings, *, read: ReadCorpus) -> None:
        self._settings = settings
        self._read = read
        self._worker = Worker("records")
        self._permits = Permits(settings.max_queue + 1, what="requests for conversations")
        self._served = ServedAnswers(limit=_SERVED)
        self._database: ConversationDatabase | None = None
        self._read_only = False

    async def open(self) -> None:
        """Open the file, or the tables on the server; where they are read-only nothing is kept, nor anything shown.

        Raises HistoryUnavailable.
        """
        place = self._settings.place
        try:
            self._database = await self._worker.run(partial(_opened, place))
        except StoreReadOnly:
            self._read_only = True
            _log.warning("%s is read-only: no conversation and no feedback is kept", place)

    async def close(self) -> None:
        """Let the running job end, then close the file."""
        ended = await asyncio.to_thread(self._worker.stop, wait_seconds=_STOP_SECONDS)
        if ended and self._database is not None:
            self._database.close()
            self._database = None

    async def enter(self, question: Question, *, owner: str, within: Collections) -> Asked:
        """Place a question in its conversation. Raises NotFound where it names one, or an answer in it, that is not
        there."""
        if question.conversation_id is None:
            if question.replaces is not None:
                raise NotFound("`replaces` names an answer of a conversation: name that, too, in `conversation_id`")
            if not question.store:
                return Asked(question=question)
            return Asked(question=msgspec.structs.replace(question, conversation_id=new_id()), begins=True)
        turns = await self.recall(question.conversation_id, owner=owner, within=within, before=question.replaces)
        return Asked(question=question, turns=turns)

    async def recall(
        self, conversation_id: str, *, owner: str, within: Collections, before: str | None = None
    ) -> tuple[Turn, ...]:
        """The last turns of a conversation, or those before an answer, as far as they still hold. Raises NotFound."""
        read = partial(self._history().last_turns, conversation_id, owner=owner, limit=_TURNS_HEEDED + 1, until=before)
        kept = [turn for turn in standing(await self._run(read)) if turn.answer.id != before]
        return tuple(turn_of(turn.answer) for turn in await self._checked(kept[-_TURNS_HEEDED:], within))

    async def remember(self, answer: Answer, asked: Asked, *, owner: str) -> Answer:
        """Note an answer before it is served; what belongs to a conversation is on disk when this returns, or the
        answer says that it is not. A conversation that would have begun with it does not exist then."""
        if answer.conversation_id is not None:
            try:
                append = partial(self._history().append, answer, at=_now(), owner=owner, begin=asked.begins)
                await self._run(append)
            except (HistoryUnavailable, ServerError) as error:
                _log.warning("an answer is served and not kept: %s", error)
                conversation = None if asked.begins else answer.conversation_id
                answer = msgspec.structs.replace(answer, conversation_id=conversation, not_kept=True)
        self._served.note(answer, owner=owner)
        return answer

    async def conversations(self, *, owner: str, before: int | None, limit: int) -> ConversationPage:
        """Conversations, the last used first."""
        found, following = await self._run(partial(self._history().page, owner=owner, before=before, limit=limit))
        return ConversationPage(conversations=tuple(found), next=following)

    async def conversation(
        self, conversation_id: str, *, owner: str, within: Collections, after: int, limit: int
    ) -> ConversationTurns:
        """The turns of a conversation, every quotation in them held against the corpus. Raises NotFound."""
        history = self._history()
        about = await self._run(partial(history.conversation, conversation_id, owner=owner))
        kept, following = await self._run(
            partial(history.turns, conversation_id, owner=owner, after=after, limit=limit)
        )
        return ConversationTurns(conversation=about, turns=await self._checked(kept, within), next=following)

    async def answer(self, answer_id: str, *, owner: str | None, within: Collections) -> KeptAnswer:
        """A kept answer without its conversation, every quotation held against the corpus. Raises NotFound.

        Of whomever, where `owner` is None.
        """
        kept = await self._run(partial(self._history().kept, answer_id, owner=owner))
        (turn,) = await self._checked([kept], within)
        alone = msgspec.structs.replace(turn.answer, conversation_id=None)
        return KeptAnswer(
            asked_at=turn.asked_at,
            answer=alone,
            withheld=turn.withheld,
            corrected_since=turn.corrected_since,
            corrected_citation_ids=turn.corrected_citation_ids,
            source_state=turn.source_state,
        )

    async def delete(self, conversation_id: str, *, owner: str) -> None:
        """Erase a conversation. Raises NotFound."""
        await self._run(partial(self._history().delete, conversation_id, owner=owner))
        self._served.forget(conversation_id)

    async def changes(self, answer_id: str, *, owner: str | None, within: Collections) -> AnswerChanges:
        """What became of the articles that a kept answer quotes. Raises NotFound for an answer that is not kept.

        Of whomever, where `owner` is None.
        """
        kept = await self._run(partial(self._history().answer, answer_id, owner=owner))
        if kept is None:
            raise NotFound(
                f"no answer {answer_id!r} is kept; ask with `store: true` or a `conversation_id` to have answers kept"
            )
        return await self._read(lambda corpus: changes_since(kept, shown=corpus), within=within)

    async def give_feedback(
        self,
        answer_id: str,
        *,
        verdict: Opinion,
        reasons: Sequence[Reason],
        comment: str,
        owner: str,
        within: Collections,
    ) -> Feedback:
        """Store what a reader thinks of an answer. Raises NotFound for one that is not remembered."""
        about = self._served.find(answer_id, owner=owner)
        if about is None and (kept := await self._run(partial(self._history().answer, answer_id, owner=owner))):
            about = served(kept)
        if about is None:
            raise NotFound(f"no answer {answer_id!r} is remembered; feedback has to come soon after the answer")
        about = msgspec.structs.replace(about, collections=within)
        book = FeedbackBook(self._opened(), limit=_FEEDBACK)
        give = partial(book.give, about, owner=owner, verdict=verdict, reasons=reasons, comment=comment, at=_now())
        return await self._run(give)

    async def feedback(self, *, within: Collections, before: int | None, limit: int) -> FeedbackPage:
        """What readers said who could read nothing beyond these collections, the latest first."""
        book = FeedbackBook(self._opened(), limit=_FEEDBACK)
        found, following = await self._run(partial(book.page, within=within, before=before, limit=limit))
        return FeedbackPage(feedback=tuple(found), next=following)

    async def run(self, job: Callable[[ConversationDatabase], T]) -> T:
        """Run a job on the database of what is kept. Raises HistoryUnavailable, NotReady, Overloaded."""
        return await self._run(partial(job, self._opened()))

    async def _checked(self, kept: Sequence[KeptTurn], within: Collections) -> tuple[ConversationTurn, ...]:
        return await self._read(partial(_recheck, kept), within=within) if kept else ()

    def _opened(self) -> ConversationDatabase:
        if self._read_only:
            raise HistoryUnavailable(f"{self._settings.place} is read-only: no conversation and no feedback is kept")
        if self._database is None:
            raise NotReady("the conversations are being opened; send this again in a moment")
        return self._database

    def _history(self) -> History:
        settings = self._settings
        bounds = Bounds(
            turns=settings.history_turns, conversations=settings.history_conversations, size=settings.history_bytes
        )
        return History(self._opened(), bounds=bounds)

    async def _run(self, job: Callable[[], T]) -> T:
        with self._permits.one():
            return await self._worker.run(job, timeout=self._settings.deadline_seconds)


def _opened(place: Place) -> ConversationDatabase:
    """Raises StoreReadOnly, HistoryUnavailable."""
    if not place.server and is_read_only(place.folder):
        raise StoreReadOnly(f"the folder {place.folder} cannot be written")
    return open_target(place)


def _recheck(kept: Sequence[KeptTurn], corpus: UsableCorpus) -> tuple[ConversationTurn, ...]:
    """Each turn as it may be shown; every article version is read once."""
    find = once_each(corpus)
    found = []
    for turn in kept:
        answer, withheld = rechecked(turn.answer, find=find, why_not=corpus.why_not)
        citations = corrected(answer, current=lambda article_id: find(article_id, None))
        found.append(
            ConversationTurn(
                number=turn.number,
                asked_at=turn.asked_at,
                answer=answer,
                withheld=withheld,
                corrected_since=bool(citations),
                corrected_citation_ids=citations,
                source_state=state_of_sources(answer),
            )
        )
    return tuple(found)


def once_each(corpus: UsableCorpus) -> Callable[[str, str | None], Article | None]:
    """Give what reads an article as it may be shown, in a version or, with None, as it is; each one once."""
    return cache(lambda article_id, version: readable(corpus, article_id, version=version))


def _now() -> str:
    return stamp(datetime.now(UTC))
