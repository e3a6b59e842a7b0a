"""The tools: what each takes and gives, its schemas, and a call of it. Nothing here knows how the protocol is spoken.

What goes in and out are the values of the HTTP API, field by field (`qa.types`, `qa.checking.values`, `Article`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

import msgspec

from embeddings.types import Article
from qa.answers import fold
from qa.checking.values import CheckReport, TextToCheck
from qa.errors import InvalidQuestion, NotFound, QAError
from qa.mcp.opened import Opened
from qa.types import Answer, Question, SearchAnswer, SearchQuestion

__all__ = ["TOOLS", "NamedArticle", "Tool", "call"]

_NOT_HERE = frozenset({"conversation_id", "store", "stream"})
"""Fields of the HTTP API for what it keeps, and for how it sends; here every call stands on its own."""
_NARROWED = (
    "`filters` (source, section, language, author, published_after, published_before, article_ids) and `collection` "
    "narrow the articles used; "
    "dates are ISO 8601."
)


class NamedArticle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which article is wanted."""

    article_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    version: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    """`article_version` of a citation; the current version if absent."""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool."""

    name: str
    description: str
    takes: type[msgspec.Struct]
    gives: type[msgspec.Struct]
    do: Callable[[Any, Opened], Awaitable[msgspec.Struct]]

    def input_schema(self) -> dict[str, Any]:
        """JSON schema of the arguments."""
        schema = _schema(self.takes)
        schema["properties"] = {name: one for name, one in schema["properties"].items() if name not in _NOT_HERE}
        return schema

    def output_schema(self) -> dict[str, Any]:
        """JSON schema of the structured content."""
        return _schema(self.gives)


async def call(tool: Tool, arguments: Mapping[str, Any], *, opened: Opened) -> bytes:
    """What the tool gives, as JSON.

    Raises QAError and EmbeddingsError, which say what to do, and whatever a defect raises.
    """
    asked = _read(tool, arguments)
    await opened.parts()  # the first call loads everything; that is no part of its time
    seconds = opened.settings.deadline_seconds
    limit = asyncio.timeout(None if tool.takes is TextToCheck else seconds)  # a check ends by itself, with what it has
    try:
        async with limit:
            return msgspec.json.encode(await tool.do(asked, opened))
    except TimeoutError:
        raise QAError(
            f"{tool.name} did not finish within {seconds:g} seconds; ask for less, or raise QA_DEADLINE_SECONDS"
        ) from None


async def _ask(asked: Question, opened: Opened) -> Answer:
    parts = await opened.parts()
    return await fold(parts.answering.events(asked, run=opened.run))


async def _search(asked: SearchQuestion, opened: Opened) -> SearchAnswer:
    parts = await opened.parts()
    return await parts.answering.search(asked, run=opened.run)


async def _get_article(asked: NamedArticle, opened: Opened) -> Article:
    parts = await opened.parts()
    found = await opened.run(lambda: parts.corpus.get(asked.article_id, version=asked.version))
    if found is None:
        which = f" in version {asked.version!r}" if asked.version else ""
        raise NotFound(f"no article {asked.article_id!r}{which}; take article_id and article_version from a citation")
    return found


async def _check_claims(asked: TextToCheck, opened: Opened) -> CheckReport:
    parts = await opened.parts()
    return await parts.checking.check(asked, run=opened.run, seconds=opened.settings.deadline_seconds)


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
            do=_ask,
        ),
        Tool(
            name="search",
            description="Find passages of the stored news articles, best first, one per story: `text` is the article's "
            f"text from `start_char_index` to `end_char_index`. {_NARROWED}",
            takes=SearchQuestion,
            gives=SearchAnswer,
            do=_search,
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
            do=_check_claims,
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
