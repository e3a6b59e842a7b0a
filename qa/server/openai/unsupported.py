"""What OpenAI's clients can ask for and does not exist here: named in an error, because an answer without it would
be taken for one with it. Fields that only steer how a model writes (temperature, seed, limits) are let pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from qa.server.errors import FieldError, Unsupported

__all__ = ["ChatOptions", "FormatWish", "ResponsesOptions", "TextWishes", "refuse_in_chat", "refuse_in_responses"]

Choice = str | dict[str, Any]
Fault = tuple[str, str]
"""Field, and what to do."""

_TEXT = "answers are plain text with citations; leave it out, and read the citations from the annotations"
_TOOLS = "nothing is called here, answers come from the articles; leave it out, or say that none is to be called"


class FormatWish(msgspec.Struct, frozen=True, kw_only=True):
    """The form that an answer should have."""

    type: str


class TextWishes(msgspec.Struct, frozen=True, kw_only=True):
    """How text should be written."""

    format: FormatWish | None = None


class ChatOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a chat may ask for beside its answer."""

    n: int | None = None
    response_format: FormatWish | None = None
    tools: list[Any] | None = None
    tool_choice: Choice | None = None
    functions: list[Any] | None = None
    """As `tools`, older."""
    function_call: Choice | None = None
    logprobs: bool | None = None
    modalities: list[str] | None = None


class ResponsesOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a request for a response may ask for beside its answer."""

    text: TextWishes | None = None
    tools: list[Any] | None = None
    tool_choice: Choice | None = None
    background: bool | None = None
    conversation: Choice | None = None
    prompt: dict[str, Any] | None = None
    top_logprobs: int | None = None


def refuse_in_chat(asked: ChatOptions) -> None:
    """Raise Unsupported where a chat asks for what is not done here, naming every such field."""
    _refuse(_in_chat(asked))


def refuse_in_responses(asked: ResponsesOptions) -> None:
    """As `refuse_in_chat`."""
    _refuse(_in_responses(asked))


def _in_chat(asked: ChatOptions) -> Iterator[Fault]:
    if asked.n not in {None, 1}:
        yield "n", "there is one answer to a question; leave it out, or send 1"
    if asked.response_format is not None and asked.response_format.type != "text":
        yield "response_format", _TEXT
    yield from _tools(asked.tools, asked.tool_choice, names=("tools", "tool_choice"))
    yield from _tools(asked.functions, asked.function_call, names=("functions", "function_call"))
    if asked.logprobs:
        yield "logprobs", "sentences are checked against the articles, not weighed by tokens; leave it out"
    if any(kind != "text" for kind in asked.modalities or ()):
        yield "modalities", "answers are text; leave it out"


def _in_responses(asked: ResponsesOptions) -> Iterator[Fault]:
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
