"""Generators: the interface to a language model that writes drafts.

Any OpenAI-compatible model, Anthropic's, or a script; `load_generator` takes settings.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Literal, Protocol
from urllib.parse import urlsplit

import msgspec

from qa.errors import FallbackReason, GeneratorFailed, SettingsError
from qa.settings import Settings


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A source, given apart from the words of a message."""

    title: str
    about: str
    """Where and when it was published."""
    text: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str
    documents: tuple[Document, ...] = ()
    """Only for a generator that reads documents; any other has them in `content`."""
    label: str = ""
    """With `documents`: the draft names the second one `[label2]`."""


class Delta(msgspec.Struct, frozen=True):
    """A piece of the draft as it arrives; pieces part anywhere, also inside words and markers."""

    text: str


class Finish(msgspec.Struct, frozen=True, kw_only=True):
    """The draft is complete; comes last, once."""

    reason: Literal["stop", "length", "content_filter"]
    prompt_tokens: int = 0
    """As the server counts; 0 where it does not say."""
    completion_tokens: int = 0


class Generator(Protocol):
    """Writes a draft; used from the event loop."""

    @property
    def model(self) -> str:
        """Name of the model, for the answer's metadata."""

    @property
    def context_tokens(self) -> int:
        """Size of the model's window: prompt and draft together."""

    @property
    def reads_documents(self) -> bool:
        """Whether sources are given to it as documents, which it names by itself in the draft."""

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AsyncGenerator[Delta | Finish, None]:
        """Stream a draft until `deadline` (seconds of the event loop's clock).

        Raises GeneratorFailed, before or between pieces: unreachable, refused, too slow, garbage. Closing the
        generator closes the connection upstream within a second.
        """

    async def close(self) -> None:
        """Release connections."""


class AroundGenerator:
    """What stands around another generator and says of the model what that says."""

    def __init__(self, inner: Generator) -> None:
        """`inner` is closed with this one."""
        self._inner = inner

    @property
    def model(self) -> str:
        """Name of the model."""
        return self._inner.model

    @property
    def context_tokens(self) -> int:
        """Size of the model's window."""
        return self._inner.context_tokens

    @property
    def reads_documents(self) -> bool:
        """Whether sources are given to it as documents."""
        return self._inner.reads_documents

    async def close(self) -> None:
        """Release connections."""
        await self._inner.close()


# --- A generator that says what it is told to: for tests and demonstrations without a model; deterministic
class Say(msgspec.Struct, frozen=True):
    """Write this text, in pieces of `size` characters (0: in one)."""

    text: str
    size: int = 0


class Wait(msgspec.Struct, frozen=True):
    """Let time pass."""

    seconds: float


class Fail(msgspec.Struct, frozen=True):
    """Break off."""

    reason: FallbackReason
    detail: str = "the script says so"
    server_fault: bool = True


class Stop(msgspec.Struct, frozen=True):
    """End the draft; a script that does not say how ends with `stop`."""

    reason: Literal["stop", "length", "content_filter"] = "stop"


Step = Say | Wait | Fail | Stop


class ScriptedGenerator:
    """Follows a script, or asks a function for one that fits the messages."""

    reads_documents = False

    def __init__(
        self,
        script: Sequence[Step] | Callable[[Sequence[Message]], Sequence[Step]],
        *,
        model: str = "scripted",
        context_tokens: int = 4096,
    ) -> None:
        self._script = script
        self.model = model
        self.context_tokens = context_tokens
        self.asked: list[Sequence[Message]] = []
        """The messages of every draft that was begun."""
        self.open = 0
        """Drafts that are neither finished, failed nor closed."""
        self.closed = False

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AsyncGenerator[Delta | Finish, None]:
        """Follow the script until `deadline`; a token is four characters. Raises GeneratorFailed as it says."""
        self.asked.append(tuple(messages))
        self.open += 1
        try:
            said, end = 0, Stop()
            for step in self._script(messages) if callable(self._script) else self._script:
                if isinstance(step, Stop):
                    end = step
                    break
                for piece in await _perform(step, deadline):
                    yield Delta(piece)
                    said += len(piece)
                if said > max_tokens * 4:
                    end = Stop("length")
                    break
        finally:
            self.open -= 1
        read = sum(len(message.content) for message in messages)
        yield Finish(reason=end.reason, prompt_tokens=read // 4, completion_tokens=said // 4)

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


async def _perform(step: Say | Wait | Fail, deadline: float) -> Sequence[str]:
    """Do one step; give what it says."""
    loop = asyncio.get_running_loop()
    seconds = step.seconds if isinstance(step, Wait) else 0.0
    await asyncio.sleep(max(0.0, min(seconds, deadline - loop.time())))
    if loop.time() >= deadline:
        raise GeneratorFailed("no draft in time", reason="model_timed_out")
    match step:
        case Fail(reason, detail, server_fault):
            raise GeneratorFailed(detail, reason=reason, server_fault=server_fault)
        case Say(text, size) if size:
            return [text[start : start + size] for start in range(0, len(text), size)]
        case Say(text):
            return [text] if text else []
    return []


def load_generator(settings: Settings) -> Generator | None:
    """Set the generator up (slow, so not on an event loop); its server is not asked yet. Raises SettingsError."""
    anthropic = settings.llm_provider == "anthropic"
    if not settings.llm_base_url and not anthropic:
        return None
    if settings.llm_base_url and not _is_address(settings.llm_base_url):
        raise SettingsError(
            "QA_LLM_BASE_URL is not the address of a server; it looks like http://127.0.0.1:8080/v1 (nothing else may "
            "follow, and no name or password may stand in it)"
        )
    key = settings.llm_api_key
    if not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsError("QA_LLM_API_KEY has characters that no key has; was it copied with something around it?")
    if anthropic and not (settings.llm_model and (key or settings.llm_base_url)):
        raise SettingsError("QA_LLM_PROVIDER=anthropic needs the name of a model in QA_LLM_MODEL, and QA_LLM_API_KEY")
    # Imported here: a service without a model starts without what speaks to one.
    from qa.generators.anthropic_messages import AnthropicMessages
    from qa.generators.guard import GuardedGenerator
    from qa.generators.openai_compatible import OpenAICompatible

    kind = AnthropicMessages if anthropic else OpenAICompatible
    inner: Generator = kind(
        base_url=settings.llm_base_url,
        api_key=key,
        model=settings.llm_model,
        context_tokens=settings.llm_context_tokens,
    )
    if settings.otel_endpoint:
        from qa.generators.guard import TracedGenerator

        inner = TracedGenerator(inner, provider=settings.llm_provider, base_url=settings.llm_base_url)
    return GuardedGenerator(inner, concurrency=settings.llm_concurrency)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return (
        usable
        and text.isascii()
        and text.isprintable()
        and " " not in text
        and not (parts.query or parts.fragment or parts.username)
    )
