"""The MCP tools: inputs, outputs, schemas, and the archive that carries out their calls.

Nothing here knows how the protocol is spoken.

What goes in and out are the values of the HTTP API, field by field (`qa.types`, `qa.checking`, `Article`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Protocol, TypeVar

import msgspec

from embeddings.cleaning.identity import MAX_ID
from embeddings.opening import open_corpus
from embeddings.types import Article
from embeddings.usable_corpus import UsableCorpus
from qa.answers import fold, told_of
from qa.assembly import Answerer, assemble
from qa.checking import CheckReport, TextToCheck
from qa.checking.text_checker import TextChecker
from qa.errors import InvalidQuestion, NotFound, QAError
from qa.generators import Generator
from qa.settings import Settings, load_encoder
from qa.tracing import part
from qa.types import Answer, ArticleNow, Question, SearchAnswer, SearchQuestion, naming_fields

_NOT_HERE = frozenset({"conversation_id", "replaces", "store", "stream"})
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


async def _get_article(archive: Archive, asked: NamedArticle) -> ArticleNow:
    article = await archive.article(asked.article_id, version=asked.version, collection=asked.collection)
    now = article if asked.version is None else await archive.article(article.id, version=None, collection=None)
    return ArticleNow.of(article, now=now)


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
            "(`article_version`), or as it is now. Another `current_version` than `version`: it was corrected since.",
            takes=NamedArticle,
            gives=ArticleNow,
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
        said = naming_fields(str(error), of=tool.takes)
        raise InvalidQuestion(f"{tool.name} cannot use these arguments, see its inputSchema: {said}") from None


def _schema(of: type[msgspec.Struct]) -> dict[str, Any]:
    """JSON schema with an object at its root, as the protocol wants it."""
    _, schemas = msgspec.json.schema_components([of], ref_template="#/$defs/{name}")
    root: dict[str, Any] = schemas.pop(of.__name__)
    return root | {"$defs": schemas} if schemas else root


# --- An archive of one's own: corpus and answerers, opened for reading at the first call, on the thread that computes
# Opened late, so that a client gets its list of tools at once, and is told by the tool what is wrong with the store;
# a call after that tries again.
T = TypeVar("T")


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """All that answers a call."""

    corpus: UsableCorpus
    answering: Answerer
    checking: TextChecker
    generator: Generator | None


class Opened:
    """The parts behind their thread; never blocks the event loop it is used from.

    Each call raises QAError and EmbeddingsError, which say what to do. Opening is no part of its time.
    """

    def __init__(self, settings: Settings, *, within: tuple[str, ...] | None = None) -> None:
        """`within`: the only collections that are read; None: all."""
        self.settings = settings
        self._within = within
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answering")
        self._parts: Parts | None = None

    async def parts(self) -> Parts:
        """Open them where they are not. Raises SettingsError and EmbeddingsError."""
        return await self.run(self._open) if self._parts is None else self._parts

    async def run(self, job: Callable[[], T], /) -> T:
        """Do a blocking job on the thread; one cancelled before its turn is forgotten. Raises what the job raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    async def ask(self, asked: Question, /) -> Answer:
        """Answer a question within the deadline."""
        parts = await self.parts()
        with part("answer") as span:
            answer = await self._in_time("ask", fold(parts.answering.events(asked, run=self.run)))
            span.tell(told_of(answer, texts=span.texts))
            return answer

    async def search(self, asked: SearchQuestion, /) -> SearchAnswer:
        """Find passages within the deadline."""
        parts = await self.parts()
        with part("search") as span:
            found = await self._in_time("search", parts.answering.search(asked, run=self.run))
            span.tell({"sourceline.passages": len(found.search_results)})
            return found

    async def article(self, article_id: str, *, version: str | None, collection: str | None) -> Article:
        """One article, as it is now or in one version. Raises NotFound and AmbiguousId."""
        parts = await self.parts()
        corpus = parts.corpus if collection is None else parts.corpus.narrowed(collection)
        reading = self.run(lambda: corpus.get(corpus.called(article_id) or article_id, version=version))
        if (found := await self._in_time("get_article", reading)) is None:
            which = f" in version {version!r}" if version else ""
            raise NotFound(f"no article {article_id!r}{which}; take article_id and article_version from a citation")
        return found

    async def check(self, asked: TextToCheck, /) -> CheckReport:
        """Judge the sentences of a text; it ends by itself at the deadline, with what it has."""
        parts = await self.parts()
        try:
            with part("check") as span:
                report = await parts.checking.check(asked, run=self.run, seconds=self.settings.deadline_seconds)
                span.tell({"sourceline.sentences": len(report.sentences)})
                return report
        except TimeoutError:
            raise self._late("check_claims") from None

    async def close(self) -> None:
        """Let the running job end, forget the waiting ones, close the corpus."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        if self._parts is None:
            return
        if self._parts.generator is not None:
            await self._parts.generator.close()
        self._parts.corpus.close()

    async def _in_time(self, tool: str, work: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self.settings.deadline_seconds):
                return await work
        except TimeoutError:
            raise self._late(tool) from None

    def _late(self, tool: str) -> QAError:
        seconds = self.settings.deadline_seconds
        return QAError(f"{tool} did not finish within {seconds:g} seconds; ask for less, or raise QA_DEADLINE_SECONDS")

    def _open(self) -> Parts:
        if self._parts is None:  # of two calls that came together, the second finds them open
            settings = self.settings
            encoder = load_encoder(settings)
            corpus = open_corpus(settings.place, identity=encoder.identity, read_only=True)
            try:
                assembly = assemble(settings, encoder=encoder)
            except BaseException:
                corpus.close()
                raise
            self._parts = Parts(
                corpus=UsableCorpus(corpus, now=assembly.now, within=self._within),
                answering=assembly.over(corpus, within=self._within),
                checking=assembly.checks_against(corpus, within=self._within),
                generator=assembly.generator,
            )
        return self._parts
