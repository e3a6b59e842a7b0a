"""What OpenAI's clients send, and what of it is asked of the service; fields that mean nothing here are let pass."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from qa.server.errors import FieldError, InvalidRequest
from qa.server.openai.models import Way, way_of
from qa.server.openai.unsupported import ChatOptions, ResponsesOptions, refuse_in_chat, refuse_in_responses
from qa.types import Filters, Question, Turn

__all__ = [
    "Asked",
    "ChatRequest",
    "InputItem",
    "Narrowing",
    "Part",
    "ResponsesRequest",
    "StreamOptions",
    "asked_in_chat",
    "asked_in_responses",
]

_LONGEST = 2000
"""Characters of a question, as for `POST /api/ask`."""
_TURNS = 6
_TASK = "### Task:"
"""How Open WebUI and its like begin what they ask for themselves: titles, tags, follow-up questions."""
_LINK = re.compile(r" \[\d+\]\(\S*\)")
"""A link that we wrote into an earlier answer."""

Name = Annotated[str, msgspec.Meta(max_length=200)]
Items = Annotated[list["InputItem"], msgspec.Meta(min_length=1, max_length=2000)]


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


class ChatRequest(ChatOptions, frozen=True, kw_only=True):
    """What `POST /v1/chat/completions` takes, as far as it is read."""

    model: Name
    messages: Items
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    sourceline: Narrowing = Narrowing()


class ResponsesRequest(ResponsesOptions, frozen=True, kw_only=True):
    """What `POST /v1/responses` takes, as far as it is read."""

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
    refuse_in_chat(request)
    return _asked(request.messages, model=request.model, narrowing=request.sourceline, field="messages")


def asked_in_responses(request: ResponsesRequest) -> Asked:
    """Read a request for a response. Raises InvalidRequest, Unsupported or NotFound."""
    refuse_in_responses(request)
    if request.previous_response_id is not None:
        raise _invalid("previous_response_id", "responses are not kept here; send the earlier messages in `input`")
    items = [InputItem(role="user", content=request.input)] if isinstance(request.input, str) else request.input
    return _asked(items, model=request.model, narrowing=request.sourceline, field="input")


def _asked(items: Sequence[InputItem], *, model: str, narrowing: Narrowing, field: str) -> Asked:
    way = way_of(model)
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
