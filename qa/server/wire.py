"""The HTTP values that are not already in `qa.types` or `embeddings.types`."""

from typing import Annotated, Literal

import msgspec

from embeddings.cleaning.article import MAX_TEXT
from embeddings.cleaning.identity import MAX_COLLECTION, MAX_ID
from embeddings.types import Article, Status
from qa.conversations.changes import Reason as SourceState
from qa.conversations.feedback import Feedback, Opinion, Reason
from qa.conversations.history import Conversation
from qa.server.errors import FieldError
from qa.server.monitoring import Writes
from qa.sources.ledger import LateSource
from qa.types import Answer

ID_PATTERN = "^[A-Za-z0-9_][A-Za-z0-9._~:@=+,-]*$"
"""What can stand in an address as it is; `embeddings.cleaning.identity` holds callers to it."""
_GIVEN_OR_WHOLE = f"^({ID_PATTERN[1:-1]}!)?{ID_PATTERN[1:]}"


class ArticleIn(msgspec.Struct, frozen=True, kw_only=True):
    """One article as `POST /api/articles` takes it; `embeddings.parsers.jsonl` reads it, as it reads those in files.

    Fields that are not here are left out and reported.
    """

    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)] = ""
    """Needed, except where an `id` or `url` comes with nothing but `status`, `embargoed_until` or `usage_terms`, said
    of an article held."""
    title: str | None = None
    id: Annotated[str, msgspec.Meta(pattern=_GIVEN_OR_WHOLE, max_length=MAX_ID)] | None = None
    """The caller's own id, which counts within the collection; or the whole id that the service gave the article.
    Without one, the link names the article, then its title with its date, then its text."""
    url: str | None = None
    source: str | None = None
    published_at: str | None = None
    """As written in the source; it becomes ISO 8601 where it can be read."""
    authors: list[str] | str | None = None
    language: str | None = None
    section: str | None = None
    usage_terms: str | None = None
    """On what terms its publisher lets it be used; kept with the article."""
    embargoed_until: str | None = None
    """ISO 8601 time with its zone before which nothing of it is shown. Left out, what was said of it before holds."""
    status: Literal["usable", "withheld", "canceled"] | None = None
    """What is not `usable` is not shown, in no version. Left out, what was said of it before holds. A `withheld` or
    `canceled` needs no `text`: then the article of that `id` or `url` is taken back."""
    copies: bool | None = None
    """Whether `status` and `embargoed_until` hold for its copies, too: other articles of its text or of the page of its
    link, in all collections that the caller may write to. Each is reported under the same `item`."""
    collection: Annotated[str, msgspec.Meta(pattern=f"{ID_PATTERN}|^$", max_length=MAX_COLLECTION)] | None = None
    file: Annotated[str, msgspec.Meta(max_length=300)] | None = None
    """Name of the file it was read from (and `:line` of one with an article a line), for what has neither id nor url: a
    later version from a file of that name then takes its place, as `qa ingest` has it."""
    summary_only: bool | None = None
    """Whether `text` is only a feed's summary of what the `url` opens: it never replaces that."""
    pages: list[int] | None = None
    """Offsets in `text` at which its first page begins, its second …, where its source has pages."""


class AddedArticle(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one article of a `POST /api/articles`."""

    item: int
    """Which article of the body, counted from 1; in NDJSON the line number."""
    id: str
    version: str
    title: str
    outcome: Literal["added", "updated", "unchanged", "duplicate"]
    ignored_fields: tuple[str, ...]
    """Fields of the item that an article does not have."""
    notes: tuple[str, ...] = ()
    """What of the item could not be read, or was not sure: a date, a link, a language."""


class AddReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of every article of a `POST /api/articles`; what is listed as an article is on disk."""

    articles: tuple[AddedArticle, ...]
    rejected: tuple[FieldError, ...]
    passages_encoded: int
    seconds: float
    job_id: str = ""
    """What `GET /api/jobs/{job_id}` knows it by."""


class ArticleSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An article without its text."""

    id: str
    version: str
    title: str
    source: str
    url: str | None
    published_at: str | None
    language: str | None
    collection: str
    authors: tuple[str, ...]
    section: str
    usage_terms: str
    embargoed_until: str | None
    """ISO 8601, UTC; readers are shown nothing of it before."""
    status: Status
    summary_only: bool
    """Whether a feed's summary stands for it still."""


class ArticlePage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of articles in order of id."""

    articles: tuple[ArticleSummary, ...]
    next: str | None
    """Value of `after` for the following page; null on the last one."""


class ConversationPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of conversations, the last used first."""

    conversations: tuple[Conversation, ...]
    next: int | None
    """Value of `before` for the following page; null on the last one."""


class ConversationTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One question with its answer, as it may be shown now."""

    number: int
    asked_at: str
    answer: Answer
    """As it was served; an abstention (`source_withdrawn`) where an article that it quotes was removed or withdrawn
    since, or is under embargo: `answer` says which."""
    withheld: int
    """Quotations and search results left out because their article was removed, altered or withdrawn."""
    corrected_since: bool = False
    """Whether an article that it quotes has another text or title now: `GET /api/answers/{id}/changes` says which."""
    corrected_citation_ids: tuple[str, ...] = ()
    """The citations of such articles."""
    source_state: SourceState | None = None
    """Of an abstention with `source_withdrawn`: what became of the article that it quoted."""


class ConversationTurns(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a conversation's turns, the first one first."""

    conversation: Conversation
    turns: tuple[ConversationTurn, ...]
    next: int | None
    """Value of `after` for the following page; null on the last one."""


class AnswerLink(msgspec.Struct, frozen=True, kw_only=True):
    """What opens one kept answer to whoever is given it: `GET /api/answers/{answer_id}?sig=`."""

    answer_id: str
    sig: str


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One kept answer, as it may be shown now, without its conversation."""

    asked_at: str
    answer: Answer
    """As it was served, but for `conversation_id`; an abstention (`source_withdrawn`) where a source was removed."""
    withheld: int
    """Quotations and search results left out because their article was removed or altered."""
    corrected_since: bool = False
    """Whether an article that it quotes has changed since."""
    corrected_citation_ids: tuple[str, ...] = ()
    """The citations of such articles."""
    source_state: SourceState | None = None
    """Of an abstention with `source_withdrawn`: what became of the article that it quoted."""


class FeedbackIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /api/answers/{answer_id}/feedback` takes."""

    verdict: Opinion
    reasons: Annotated[tuple[Reason, ...], msgspec.Meta(max_length=10)] = ()
    comment: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class FeedbackPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of feedback, the latest first."""

    feedback: tuple[Feedback, ...]
    next: int | None
    """Value of `before` for the following page; null on the last one."""


class Starter(msgspec.Struct, frozen=True, kw_only=True):
    """A question to begin with, or to go on with."""

    question: str
    article_id: str
    """The article that answers it."""
    quote: str
    """The words that answer it: whoever has read them need not be offered the question."""


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """An article by its title."""

    article_id: str
    article_version: str
    title: str
    source: str
    url: str | None
    published_at: str | None


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """What articles there are."""

    articles: int
    sources: int
    """Different names of sources."""
    earliest: str | None
    """Day of the oldest dated article, ISO 8601."""
    latest: str | None
    """Day of the newest dated article."""
    newest: tuple[Headline, ...]
    """A few, the newest first."""
    late: tuple[LateSource, ...] = ()
    """Sources that are silent for longer than usual, a few; none where `published_before` or articles are asked for."""


class Starters(msgspec.Struct, frozen=True, kw_only=True):
    """Questions that the articles answer, and what articles there are."""

    starters: tuple[Starter, ...]
    archive: Archive
    complete: bool
    """False while further questions are being tried: ask again a few seconds later."""


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """The event loop answers."""

    status: Literal["alive"] = "alive"


class FreshSource(msgspec.Struct, frozen=True, kw_only=True):
    """How fresh what a source brought is."""

    name: str
    """Address of a feed, path of a watched folder."""
    kind: Literal["feed", "folder"]
    asked_at: str | None
    """When it was last asked with success, ISO 8601."""
    brought_at: str | None
    """When it last brought an article that was new or changed."""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The store answers, its index is verified, the encoder is warm; the rest is for callers with a key."""

    articles: int | msgspec.UnsetType = msgspec.UNSET
    passages: int | msgspec.UnsetType = msgspec.UNSET
    writes: Writes | msgspec.UnsetType = msgspec.UNSET
    """Whether articles can be added."""
    sources: tuple[FreshSource, ...] | msgspec.UnsetType = msgspec.UNSET
    """Feeds and watched folders, by name; absent where this machine has none."""
    status: Literal["ready"] = "ready"


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /api/tokens` takes; `{}` from a page of an allowed origin."""

    origin: Annotated[str, msgspec.Meta(max_length=300)] | None = None
    """The origin whose pages will use the token; a page's own request names it by itself."""
    ttl_seconds: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 900
    subject: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,64}$")] | None = None
    """With a key: your own name for the visitor, who finds the same conversations under it on every device."""
    renews: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    """The token before this one; the visitor keeps conversations."""
    collection: Annotated[str, msgspec.Meta(pattern=ID_PATTERN, max_length=MAX_COLLECTION)] | None = None
    """With a key: the only collection that may be read with the token. Left out, it is the one that
    `QA_ORIGIN_COLLECTIONS` has for the origin, or the only one that the key opens; else the token reads all."""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What a page shows as `Authorization: Bearer TOKEN`."""

    token: str
    origin: str
    """The only origin whose pages may use it."""
    expires_at: str
    """ISO 8601, UTC."""
    expires_in_seconds: int
    collection: str | None = None
    """The only collection that may be read with it; null: all."""


def summary(article: Article) -> ArticleSummary:
    """Leave out the text."""
    return ArticleSummary(**{name: getattr(article, name) for name in ArticleSummary.__struct_fields__})
