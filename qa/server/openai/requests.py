"""The requests of OpenAI's clients, and how they translate to ours.

The name of a model is a way of being answered. Fields that mean nothing here are passed over; what clients can ask
for and does not exist here is named in an error, because an answer without it would be taken for one with it. Fields
that only steer how a model writes (temperature, seed, limits) are let pass. What chat clients ask on their own behalf
(a title, tags, follow-up questions) is answered from the request itself: such prompts hold the whole conversation;
retrieving for them would cost as much as a question and cite nonsense.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from qa.errors import NotFound
from qa.server.errors import FieldError, InvalidRequest, Unsupported
from qa.server.openai import Piece
from qa.types import Filters, Question, Turn

_LONGEST = 2000
"""Characters of a question, as for `POST /api/ask`."""
_TURNS = 6
_TASK = "### Task:"
"""How Open WebUI and its like begin what they ask for themselves: titles, tags, follow-up questions."""
_LINK = re.compile(r" \[\d+\]\(\S*\)")
"""A link that we wrote into an earlier answer."""
Name = Annotated[str, msgspec.Meta(max_length=200)]
Items = Annotated[list["InputItem"], msgspec.Meta(min_length=1, max_length=2000)]
Choice = str | dict[str, Any]
Fault = tuple[str, str]
"""Field, and what to do."""
_TEXT = "answers are plain text with citations; leave it out, and read the citations from the annotations"
_TOOLS = "nothing is called here, answers come from the articles; leave it out, or say that none is to be called"
_WANTED = re.compile(r'"(title|tags|follow_ups|queries|text|emoji)"\s*:')
_HISTORY = re.compile(r"<chat_history>(?P<chat>.*?)</chat_history>", re.DOTALL)
_USER = re.compile(r"^\s*USER:\s*(?P<text>.*?)(?=^\s*(?:USER|ASSISTANT):|\Z)", re.DOTALL | re.MULTILINE)
_TITLE = 60


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a message; only its text is read."""

    text: str | None = None


class InputItem(msgspec.Struct, frozen=True, kw_only=True):
    """A message; items of other kinds (calls of tools and their results) have no role or no text."""

    role: str | None = None
    content: str | list[Part] | None = None


class Narrowing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Our own extra field: what `POST /api/ask` takes beside the question."""

    collection: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    filters: Filters = Filters()
    as_of: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    max_citations: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3


class StreamOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream should bring beside the text."""

    include_usage: bool | None = None


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /v1/chat/completions` takes, as far as it is read."""

    n: int | None = None
    response_format: FormatWish | None = None
    tools: list[Any] | None = None
    tool_choice: Choice | None = None
    functions: list[Any] | None = None
    """As `tools`, older."""
    function_call: Choice | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    modalities: list[str] | None = None
    model: Name
    messages: Items
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    sourceline: Narrowing = Narrowing()


class ResponsesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /v1/responses` takes, as far as it is read."""

    text: TextWishes | None = None
    tools: list[Any] | None = None
    tool_choice: Choice | None = None
    background: bool | None = None
    conversation: Choice | None = None
    prompt: dict[str, Any] | None = None
    top_logprobs: int | None = None
    model: Name
    input: str | Items
    stream: bool | None = None
    previous_response_id: str | None = None
    sourceline: Narrowing = Narrowing()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request, understood."""

    way: Way
    question: Question
    turns: tuple[Turn, ...]
    """What was said before, oldest first."""
    task: str | None
    """What the client asks for on its own behalf; nothing is looked up for it."""
    put: str
    """The text of all messages, for counting."""


def asked_in_chat(request: ChatRequest) -> Asked:
    """Read a chat: the last message of the user is the question. Raises InvalidRequest, Unsupported or NotFound."""
    _refuse(_in_chat(request))
    return _asked(request.messages, model=request.model, narrowing=request.sourceline, field="messages")


def asked_in_responses(request: ResponsesRequest) -> Asked:
    """Read a request for a response. Raises InvalidRequest, Unsupported or NotFound."""
    _refuse(_in_responses(request))
    if request.previous_response_id is not None:
        raise _invalid("previous_response_id", "responses are not kept here; send the earlier messages in `input`")
    items = [InputItem(role="user", content=request.input)] if isinstance(request.input, str) else request.input
    return _asked(items, model=request.model, narrowing=request.sourceline, field="input")


def _asked(items: Sequence[InputItem], *, model: str, narrowing: Narrowing, field: str) -> Asked:
    way = _way_of(model)
    said = [(item.role, text) for item in items if (text := _text(item)) and item.role in {"user", "assistant"}]
    while said and said[-1][0] == "assistant":
        said.pop()  # the beginning of an answer, put into our mouth
    if not said:
        raise _invalid(field, "there is no message of the user with text in it")
    text = said[-1][1]
    task = text if text.startswith(_TASK) else None
    if task is None and len(text) > _LONGEST:
        raise _invalid(field, f"the question has {len(text):,} characters; {_LONGEST:,} are read")
    question = Question(
        question=text[:_LONGEST],
        mode=way.mode,
        collection=narrowing.collection,
        filters=narrowing.filters,
        as_of=narrowing.as_of,
        max_citations=narrowing.max_citations,
    )
    put = "\n".join(map(_text, items))
    return Asked(way=way, question=question, turns=_turns(said[:-1])[-_TURNS:], task=task, put=put)


def _turns(said: Sequence[tuple[str | None, str]]) -> tuple[Turn, ...]:
    """Questions with what was answered to each; one without an answer stands alone."""
    turns: list[Turn] = []
    for role, text in said:
        if role == "user":
            put = text[:_LONGEST]
            turns.append(Turn(question=put, resolved_query=put, answer="", answer_mode="abstained", as_of=""))
        elif turns and not turns[-1].answer:
            answer = _LINK.sub("", text[:_LONGEST])
            turns[-1] = msgspec.structs.replace(turns[-1], answer=answer, answer_mode="generated")
    return tuple(turns)


def _text(item: InputItem) -> str:
    content = item.content or ""
    text = content if isinstance(content, str) else "\n".join(part.text for part in content if part.text)
    return text.strip()


def _invalid(field: str, detail: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {detail}", errors=(FieldError(field=field, detail=detail),))


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How to answer."""

    mode: Literal["auto", "extractive"] = "auto"
    links: bool = False
    """Write each citation into the text, as a Markdown link, for clients that show no annotations."""
    note: str | None = None
    """What the caller should know about it."""


_MODELS: Mapping[str, Way] = {
    "sourceline": Way(),
    "sourceline-links": Way(links=True),
    "sourceline-extractive": Way(mode="extractive"),
    "sourceline-extractive-links": Way(mode="extractive", links=True),
}
_USUAL = "sourceline"


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model, as OpenAI lists it."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "sourceline"


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /v1/models` gives."""

    data: tuple[Model, ...]
    object: Literal["list"] = "list"


def known(model: str) -> Way:
    """Look a model up. Raises NotFound."""
    found = _MODELS.get(model)
    if found is None:
        raise NotFound(f"there is no model {model[:100]!r}; use {', '.join(_MODELS)}")
    return found


def _way_of(model: str) -> Way:
    """How to answer whoever asks for this model.

    Many clients can ask for models of other makers only (`gpt-4o`): they get the usual answer, with a note that says
    so. A name that begins like ours and is none of them is a mistake. Raises NotFound.
    """
    if model in _MODELS or model.startswith(_USUAL):
        return known(model)
    note = f"There is no model {model[:100]!r} here: {_USUAL!r} answered. Names that can be asked for: GET /v1/models."
    return msgspec.structs.replace(_MODELS[_USUAL], note=note)


def listed() -> ModelList:
    """Every model there is."""
    return ModelList(data=tuple(Model(id=name) for name in _MODELS))


class FormatWish(msgspec.Struct, frozen=True, kw_only=True):
    """The form that an answer should have."""

    type: str


class TextWishes(msgspec.Struct, frozen=True, kw_only=True):
    """How text should be written."""

    format: FormatWish | None = None


def _in_chat(asked: ChatRequest) -> Iterator[Fault]:
    if asked.n not in {None, 1}:
        yield "n", "there is one answer to a question; leave it out, or send 1"
    if asked.response_format is not None and asked.response_format.type != "text":
        yield "response_format", _TEXT
    yield from _tools(asked.tools, asked.tool_choice, names=("tools", "tool_choice"))
    yield from _tools(asked.functions, asked.function_call, names=("functions", "function_call"))
    for name, given in (("logprobs", asked.logprobs), ("top_logprobs", asked.top_logprobs)):
        if given:
            yield name, "sentences are checked against the articles, not weighed by tokens; leave it out"
    if any(kind != "text" for kind in asked.modalities or ()):
        yield "modalities", "answers are text; leave it out"


def _in_responses(asked: ResponsesRequest) -> Iterator[Fault]:
    if asked.text is not None and asked.text.format is not None and asked.text.format.type != "text":
        yield "text.format", _TEXT
    yield from _tools(asked.tools, asked.tool_choice, names=("tools", "tool_choice"))
    if asked.background:
        yield "background", "responses are not kept; leave it out, and wait for the answer"
    if asked.conversation is not None:
        yield "conversation", "send the earlier messages in `input`"
    if asked.prompt is not None:
        yield "prompt", "no prompts are kept here; send the question in `input`"
    if asked.top_logprobs:
        yield "top_logprobs", "sentences are checked against the articles, not weighed by tokens; leave it out"


def _tools(given: Sequence[Any] | None, choice: Choice | None, *, names: tuple[str, str]) -> Iterator[Fault]:
    """Tools are refused unless the caller says that none is to be called; a choice that forces a call, always."""
    if given and choice != "none":
        yield names[0], _TOOLS
    if choice not in (None, "none", "auto"):
        yield names[1], "no call can be forced; leave it out"


def _refuse(faults: Iterator[Fault]) -> None:
    found = tuple(FieldError(field=field, detail=detail) for field, detail in faults)
    if found:
        told = "; ".join(f"{one.field}: {one.detail}" for one in found)
        raise Unsupported(told, errors=found)


def answer_task(prompt: str) -> str:
    """The JSON that the prompt asks for: the first question as the title, empty lists for the rest.

    >>> answer_task('### Task: ... {"title": "..."} <chat_history>USER: Who won?\\nASSISTANT: Ada.</chat_history>')
    '{"title":"Who won?"}'
    >>> answer_task('### Task: ... {"tags": ["a"]}')
    '{"tags":[]}'
    """
    wanted = {found[1]: None for found in _WANTED.finditer(prompt)}
    key = next(iter(wanted), "")
    if key == "title":
        return msgspec.json.encode({"title": _title(prompt)}).decode()
    if key in {"text", "emoji"}:
        return msgspec.json.encode({key: ""}).decode()
    return msgspec.json.encode({key: []} if key else {}).decode()


async def task_pieces(prompt: str) -> AsyncGenerator[Piece, None]:
    """The same as the pieces of a text."""
    yield Piece(text=answer_task(prompt))


def _title(prompt: str) -> str:
    chat = _HISTORY.search(prompt)
    first = _USER.search(chat["chat"] if chat else "")
    words = " ".join(first["text"].split()) if first else ""
    if len(words) <= _TITLE:
        return words or "News"
    return words[: _TITLE - 1].rpartition(" ")[0] + "…"
