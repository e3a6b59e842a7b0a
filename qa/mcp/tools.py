"""The tools: what each takes and gives, its schemas, and a call of it.

Nothing here knows how the protocol is spoken, nor who does the work: that is an `Archive`.

What goes in and out are the values of the HTTP API, field by field (`qa.types`, `qa.checking.values`, `Article`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Protocol

import msgspec

from embeddings.cleaning.identity import MAX_ID
from embeddings.types import Article
from qa.checking.values import CheckReport, TextToCheck
from qa.errors import InvalidQuestion
from qa.types import Answer, Question, SearchAnswer, SearchQuestion

__all__ = ["TOOLS", "Archive", "NamedArticle", "Tool", "call"]

_NOT_HERE = frozenset({"conversation_id", "store", "stream"})
"""Fields of the HTTP API for what it keeps, and for how it sends; here every call stands on its own."""
_NARROWED = (
    "`filters` (source, section, language, author, published_after, published_before, article_ids) and `collection` "
    "narrow the articles used; "
    "dates are ISO 8601."
)


class NamedArticle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which article is wanted."""

    article_id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
    version: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    """`article_version` of a citation; the current version if absent."""
    collection: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    """Where `article_id` is an id that publishers gave in several collections: which one."""


class Archive(Protocol):
    """What carries the tools out: a store opened for one client, or a running service. Each raises what it says to
    whom; nothing is kept of a call."""

    async def ask(self, asked: Question, /) -> Answer:
        """Answer a question."""

    async def search(self, asked: SearchQuestion, /) -> SearchAnswer:
        """Find passages."""

    async def article(self, article_id: str, *, version: str | None, collection: str | None) -> Article:
        """One article, as it is now or in one version. Raises NotFound and AmbiguousId."""

    async def check(self, asked: TextToCheck, /) -> CheckReport:
        """Judge the sentences of a text."""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool."""

    name: str
    description: str
    takes: type[msgspec.Struct]
    gives: type[msgspec.Struct]
    do: Callable[[Archive, Any], Awaitable[msgspec.Struct]]

    def input_schema(self) -> dict[str, Any]:
        """JSON schema of the arguments."""
        schema = _schema(self.takes)
        schema["properties"] = {name: one for name, one in schema["properties"].items() if name not in _NOT_HERE}
        return schema

    def output_schema(self) -> dict[str, Any]:
        """JSON schema of the structured content."""
        return _schema(self.gives)


async def call(tool: Tool, arguments: Mapping[str, Any], *, archive: Archive) -> bytes:
    """What the tool gives, as JSON. Raises InvalidQuestion, and what the archive raises."""
    return msgspec.json.encode(await tool.do(archive, _read(tool, arguments)))


async def _get_article(archive: Archive, asked: NamedArticle) -> Article:
    return await archive.article(asked.article_id, version=asked.version, collection=asked.collection)


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            name="ask",
            description="Answer a question from the stored news articles. Each sentence is one of `claims` and names "
            "its citations: `cited_text` is, character for character, the article's text from `start_char_index` to "
            "`end_char_index` (Unicode code points; get_article gives that text). `answer_mode` `abstained` means that "
            "the articles do not answer: say so. The question must stand on its own, nothing is remembered. `as_of`: "
            f"answer as if asked then. {_NARROWED}",
            takes=Question,
            gives=Answer,
            do=lambda archive, asked: archive.ask(asked),
        ),
        Tool(
            name="search",
            description="Find passages of the stored news articles, best first, one per story: `text` is the article's "
            f"text from `start_char_index` to `end_char_index`. {_NARROWED}",
            takes=SearchQuestion,
            gives=SearchAnswer,
            do=lambda archive, asked: archive.search(asked),
        ),
        Tool(
            name="get_article",
            description="Read one stored article, in the version that a citation or a search result names "
            "(`article_version`), or as it is now.",
            takes=NamedArticle,
            gives=Article,
            do=_get_article,
        ),
        Tool(
            name="check_claims",
            description="Judge every sentence of a text: `supported`, `partly_supported`, `unsupported` or "
            "`contradicted`, with the exact words that support it and what differs. It is held against the texts of "
            f"`against`, or against the stored articles where there are none. {_NARROWED}",
            takes=TextToCheck,
            gives=CheckReport,
            do=lambda archive, asked: archive.check(asked),
        ),
    )
}


def _read(tool: Tool, arguments: Mapping[str, Any]) -> msgspec.Struct:
    """The arguments as the value that the tool takes. Raises InvalidQuestion."""
    foreign = sorted(_NOT_HERE & arguments.keys())
    if foreign:
        raise InvalidQuestion(f"every call stands on its own here; leave out {', '.join(foreign)}")
    try:
        return msgspec.convert(arguments, tool.takes)
    except msgspec.ValidationError as error:
        raise InvalidQuestion(f"{tool.name} cannot use these arguments, see its inputSchema: {error}") from None


def _schema(of: type[msgspec.Struct]) -> dict[str, Any]:
    """JSON schema with an object at its root, as the protocol wants it."""
    _, schemas = msgspec.json.schema_components([of], ref_template="#/$defs/{name}")
    root: dict[str, Any] = schemas.pop(of.__name__)
    return root | {"$defs": schemas} if schemas else root
