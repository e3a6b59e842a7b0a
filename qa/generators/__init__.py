"""What writes drafts: any OpenAI-compatible model, Anthropic's, or a script; `load_generator` takes settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from qa.errors import SettingsError
from qa.generators.generator import Delta, Finish, Generator, Message
from qa.settings import Settings

__all__ = ["Delta", "Finish", "Generator", "Message", "load_generator"]


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
