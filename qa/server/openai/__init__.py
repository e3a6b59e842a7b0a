"""OpenAI's wire format for our answers, as pure translation; `qa.server.routes.protocols` serves it.

Here is what both formats have of an answer: its text in pieces with links to what it cites, its tokens, its errors.
Clients show this text as Markdown. What Markdown would take for a link, an image or HTML stands in an article as
plain words, so it is made to stay that: a space keeps the brackets apart. A link opens the article at the cited words.
What the format has no field for, how the answer came about, stands in a field that clients may pass over.
"""

import re
from bisect import bisect_left
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from itertools import pairwise
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from litestar import Request, Response
from litestar.openapi.datastructures import ResponseSpec

from qa.access.tokens import signature
from qa.answers import CAVEATS
from qa.errors import AbstainReason, FallbackReason
from qa.generation.prompt import count_tokens
from qa.server.http.problems import Problem, by_status, problem_of, serve_problem
from qa.types import Answer, AnswerEvent, AnswerMode, Citation, ClaimEvent, Event

_ACTIVE = re.compile(r"(?<=\])(?=[(\[:])|(?<=<)(?=[A-Za-z/!?])")
"""Where a Markdown link, image or reference, or a tag, holds together."""
Address = Callable[[Citation], str]
_WHOLE_WORDS = 12
_EDGE_WORDS = 5


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One citation as a link for the words `text[start:end]`, in code points."""

    url: str
    title: str
    start: int
    end: int


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the text; the last one says what answer it belongs to."""

    text: str
    links: tuple[Link, ...] = ()
    answer: Answer | None = None


class CitedText:
    """Writes one answer."""

    def __init__(self, *, address: Address, in_text: bool) -> None:
        """`in_text`: also write the links into the text, after each sentence."""
        self._address = address
        self._in_text = in_text
        self._read = 0
        self._length = 0
        self._numbers: dict[str, tuple[int, str]] = {}

    def claim(self, event: ClaimEvent) -> Piece:
        """The text of one sentence, with what parts it from the one before; one that is not supported says so."""
        claim = event.claim
        gap = claim.start - self._read
        parting = " " if gap == 1 else "\n" * gap  # sentences stand a space apart, paragraphs an empty line
        words, moved = inert(claim.text)
        begin = self._length + len(parting)
        links = tuple(self._link(one, begin, claim.start, moved) for one in event.citations)
        for one, link in zip(event.citations, links, strict=True):
            self._numbers.setdefault(one.id, (len(self._numbers) + 1, link.url))
        text = parting + words + CAVEATS[claim.verdict] + (self._written(claim.citation_ids) if self._in_text else "")
        self._read = claim.end
        self._length += len(text)
        return Piece(text=text, links=links)

    def rest(self, answer: Answer) -> Piece:
        """What follows the last claim: everything, where nothing was claimed."""
        text, _ = inert(answer.answer[self._read :])
        return Piece(text=text, answer=answer)

    def _link(self, citation: Citation, begin: int, start: int, moved: Callable[[int], int]) -> Link:
        return Link(
            url=self._address(citation),
            title=citation.title,
            start=begin + moved(citation.start - start),
            end=begin + moved(citation.end - start),
        )

    def _written(self, citation_ids: tuple[str, ...]) -> str:
        known = [self._numbers[one] for one in citation_ids if one in self._numbers]
        return "".join(f" [{number}]({_in_brackets(url)})" for number, url in known)


def inert(text: str) -> tuple[str, Callable[[int], int]]:
    """The same words, none of them Markdown links, images or HTML; and where an offset has moved to.

    >>> inert("See ![x](https://example.org/x.png) <b>now</b>, a < b [2024].")[0]
    'See ![x] (https://example.org/x.png) < b>now< /b>, a < b [2024].'
    """
    places = [found.start() for found in _ACTIVE.finditer(text)]
    edges = [0, *places, len(text)]
    plain = " ".join(text[start:end] for start, end in pairwise(edges))
    return plain, lambda offset: offset + bisect_left(places, offset)


async def pieces(events: AsyncGenerator[Event, None], text: CitedText) -> AsyncGenerator[Piece, None]:
    """The text of an answer as it is made; the first piece is empty and says that there will be one."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, ClaimEvent):
                yield text.claim(event)
            elif isinstance(event, AnswerEvent):
                yield text.rest(event.answer)
            else:
                yield Piece(text="")


async def fold(found: AsyncGenerator[Piece, None]) -> Piece:
    """All pieces in one."""
    async with aclosing(found):
        return joined([piece async for piece in found])


def joined(every: Sequence[Piece]) -> Piece:
    """All pieces in one; the last one, where there is one, says what answer they belong to."""
    links = tuple(link for piece in every for link in piece.links)
    return Piece(text="".join(piece.text for piece in every), links=links, answer=every[-1].answer if every else None)


def _in_brackets(url: str) -> str:
    """A link as it may stand between round brackets."""
    return url.replace("(", "%28").replace(")", "%29")


def address_of(citation: Citation, *, base_url: str, secret: bytes | None = None) -> str:
    """The article's own address, or where it has none the page under which this service (at `base_url`) shows it.

    With `secret` that link opens to whoever follows it: readers have no key.
    """
    url = citation.url or ""
    if urlsplit(url).scheme not in {"http", "https"}:
        named = {"version": citation.article_version}
        named |= {"start": str(citation.start_char_index), "end": str(citation.end_char_index)}
        if secret is not None:
            named["sig"] = signature(citation.article_id, version=citation.article_version, secret=secret)
        url = f"{base_url.rstrip('/')}/articles/{quote(citation.article_id)}?{urlencode(named)}"
    joint = "" if "#" in url else "#"
    return f"{url}{joint}{text_fragment(citation.cited_text)}"


def text_fragment(words: str) -> str:
    """The part of a link that makes a browser scroll to these words and mark them.

    A long quotation is named by its first and last words: pages break what we join. Format:
    https://wicg.github.io/scroll-to-text-fragment/

    >>> text_fragment("About 4,200 people work there.")
    ':~:text=About%204%2C200%20people%20work%20there.'
    >>> text_fragment("a b c d e f g h i j k l m")
    ':~:text=a%20b%20c%20d%20e,i%20j%20k%20l%20m'
    """
    found = words.split()
    if len(found) <= _WHOLE_WORDS and "\n" not in words:
        return f":~:text={_encoded(found)}"
    edge = min(_EDGE_WORDS, len(found) // 2)
    return f":~:text={_encoded(found[:edge])},{_encoded(found[-edge:])}" if edge else f":~:text={_encoded(found)}"


def _encoded(words: list[str]) -> str:
    return quote(" ".join(words), safe="").replace("-", "%2D")


class About(msgspec.Struct, frozen=True, kw_only=True):
    """The native answer behind a reply, in short; `id` is what feedback is given on."""

    id: str
    answer_mode: AnswerMode
    fallback_reason: FallbackReason | None
    abstain_reason: AbstainReason | None
    resolved_query: str
    support_score: float
    note: str | None = None
    """What the caller should know: that another model than the one asked for answered."""


def about(answer: Answer | None, *, note: str | None = None) -> About | None:
    """The fields of an answer that travel along; nothing where nothing was looked up."""
    if answer is None:
        return None
    told = [name for name in About.__struct_fields__ if name != "note"]
    return About(**{name: getattr(answer, name) for name in told}, note=note)


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """How long question and answer are."""

    read: int
    written: int


def tokens_of(whole: Piece, *, put: str) -> Tokens:
    """What the model behind an answer counted; where none was asked, the tokens of the messages and of the answer.

    Blocking: the first call reads the ranks of the tokens, a fifth of a second.
    """
    usage = whole.answer.usage if whole.answer else None
    read, written = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    return Tokens(read=read or count_tokens(put), written=written or count_tokens(whole.text))


# --- Errors as OpenAI's clients read them: the same table of problems, in another envelope and in the description
ErrorType = Literal[
    "invalid_request_error", "authentication_error", "permission_error", "rate_limit_error", "server_error"
]
_TYPES: dict[int, ErrorType] = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong."""

    message: str
    type: ErrorType
    param: str | None
    """The field at fault, where one is."""
    code: str
    """The kind of problem, as in the last part of `/problems/{slug}`, with underscores."""


class ErrorEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """Every error under `/v1`."""

    error: ErrorBody


def is_openai(path: str) -> bool:
    """Whether this is an address that OpenAI's clients use."""
    return path == "/v1" or path.startswith("/v1/")


def _envelope(problem: Problem) -> ErrorEnvelope:
    """The same problem in OpenAI's words."""
    faults = () if isinstance(problem.errors, msgspec.UnsetType) else problem.errors
    details = "; ".join(f"{fault.field}: {fault.detail}" if fault.field else fault.detail for fault in faults)
    shown = details if details and not problem.detail.startswith(details) else ""
    incident = "" if isinstance(problem.incident_id, msgspec.UnsetType) else f" (incident {problem.incident_id})"
    return ErrorEnvelope(
        error=ErrorBody(
            message=problem.detail + (f" ({shown})" if shown else "") + incident,
            type=_TYPES.get(problem.status, "server_error" if problem.status >= 500 else "invalid_request_error"),
            param=faults[0].field if faults else None,
            code=problem.type.rpartition("/")[2].replace("-", "_"),
        )
    )


def serve_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Turn any error into the document that its address promises."""
    served = serve_problem(request, error)
    if not is_openai(request.scope["path"]):
        return served
    return Response(
        _envelope(served.content), status_code=served.status_code, media_type="application/json", headers=served.headers
    )


def failure(request: Request[Any, Any, Any], error: Exception) -> ErrorEnvelope:
    """The same for what goes wrong in the middle of a stream."""
    return _envelope(problem_of(error, request=request))


def errors(*slugs: str) -> dict[int, ResponseSpec]:
    """By status, from the table of problems; what goes wrong on any route is added."""
    return {
        status: ResponseSpec(
            ErrorEnvelope,
            generate_examples=False,
            description="; ".join(f"{kind.title} (`{kind.slug.replace('-', '_')}`)" for kind in kinds),
            media_type="application/json",
        )
        for status, kinds in by_status((*slugs, "internal-error")).items()
    }
