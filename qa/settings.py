"""One frozen value that configures the service, read once from `QA_*` variables and passed in.

docs/configuration.md says what each field means; a test holds its table to them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from embeddings.types import Place, is_server
from qa.access import keys, places
from qa.errors import SettingsError

__all__ = ["Settings", "from_environment", "unknown_variables"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this process is set up."""

    data_dir: Path = Path("data")
    store: str = ""
    store_schema: str = "sourceline"
    store_connections: int = 8
    store_timeout_seconds: float = 30.0
    store_replicas: str = ""
    store_replica_seconds: float = 5.0
    workers: bool = False
    encoder: str = "all-MiniLM-L6-v2"
    reader: str = ""
    answer_threshold: float = 0.0
    retrieval: Literal["hybrid", "dense", "lexical"] = "hybrid"
    collection: str = "default"
    host: str = "127.0.0.1"
    port: int = 8000
    deadline_seconds: float = 30.0
    threads: int = 0
    max_body_bytes: int = 10_000_000
    max_queue: int = 32
    llm_provider: Literal["openai", "anthropic"] = "openai"
    llm_base_url: str = ""
    llm_model: str = ""
    llm_api_key: str = ""
    llm_context_tokens: int = 4096
    llm_concurrency: int = 4
    lenient: bool = False
    support_checker: str = ""
    reranker: str = ""
    history_conversations: int = 10_000
    history_turns: int = 100
    history_bytes: int = 500_000_000
    log_level: str = "info"
    api_keys: str = ""
    allow_open: bool = False
    allowed_origins: str = ""
    origin_tokens: bool = True
    origin_collections: str = ""
    frame_ancestors: str = ""
    visitor_rate: int = 200
    key_rate: int = 0
    trusted_proxies: str = ""
    service_url: str = ""
    service_key: str = ""
    feed_networks: str = ""
    otel_endpoint: str = ""
    otel_texts: bool = False

    @property
    def place(self) -> Place:
        """Where the articles are stored."""
        return Place(
            folder=self.data_dir,
            server=self.store,
            schema=self.store_schema,
            connections=self.store_connections,
            timeout=self.store_timeout_seconds,
            replicas=tuple(self.store_replicas.split()),
            replica_seconds=self.store_replica_seconds,
        )


_SECRET = frozenset({"QA_API_KEYS", "QA_LLM_API_KEY", "QA_SERVICE_KEY", "QA_STORE", "QA_STORE_REPLICAS"})
"""Never repeated in a message."""


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Read settings from `QA_*` variables.

    Raises SettingsError naming the variable and what it may be.
    """
    given = {
        field.name: _read(f"QA_{field.name.upper()}", text, field.type)
        for field in msgspec.structs.fields(Settings)
        if (text := environ.get(f"QA_{field.name.upper()}", "").strip())
    }
    settings = _checked(Settings(**given))
    return msgspec.structs.replace(settings, api_keys=keys.hashed(settings.api_keys))


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """`QA_*` variables that no setting reads: most likely misspelt."""
    known = {f"QA_{name.upper()}" for name in Settings.__struct_fields__}
    return sorted(name for name in environ if name.startswith("QA_") and name not in known)


def _read(name: str, text: str, wanted: type) -> Any:
    """Read one variable as the type of its field."""
    try:
        return msgspec.convert(text, wanted, strict=False, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as error:
        if name in _SECRET:
            raise SettingsError(f"{name} cannot be read. See docs/configuration.md") from None
        raise SettingsError(f"{name} is {text!r}: {error}. See docs/configuration.md") from None


def _checked(settings: Settings) -> Settings:
    """Refuse values that parse but cannot work."""
    if not 0 <= settings.port <= 65535:
        raise SettingsError(f"QA_PORT is {settings.port}; a port is between 0 and 65535")
    if not 0 < settings.deadline_seconds < float("inf"):
        raise SettingsError(f"QA_DEADLINE_SECONDS is {settings.deadline_seconds}; it must be a number above 0")
    if not 0 <= settings.answer_threshold < 1:
        raise SettingsError(
            f"QA_ANSWER_THRESHOLD is {settings.answer_threshold}; it is a probability, from 0 to below 1"
        )
    if settings.log_level not in {"debug", "info", "warning", "error"}:
        raise SettingsError(f"QA_LOG_LEVEL is {settings.log_level!r}; use debug, info, warning or error")
    if settings.llm_context_tokens < 512 or settings.llm_concurrency < 1:
        raise SettingsError("QA_LLM_CONTEXT_TOKENS must be 512 or more, QA_LLM_CONCURRENCY 1 or more")
    if min(settings.history_conversations, settings.history_turns, settings.history_bytes) < 1:
        raise SettingsError("QA_HISTORY_CONVERSATIONS, QA_HISTORY_TURNS and QA_HISTORY_BYTES must be 1 or more")
    _check_store(settings)
    if settings.threads < 0 or settings.max_body_bytes < 1 or settings.max_queue < 1:
        raise SettingsError("QA_THREADS must be 0 or more, QA_MAX_BODY_BYTES and QA_MAX_QUEUE 1 or more")
    if settings.visitor_rate < 0 or settings.key_rate < 0:
        raise SettingsError("QA_VISITOR_RATE and QA_KEY_RATE must be 0 or more")
    keys.parse_keys(settings.api_keys)
    allowed = places.parse_origins(settings.allowed_origins, setting="QA_ALLOWED_ORIGINS")
    places.collections_of(settings.origin_collections, allowed=allowed)
    places.parse_origins(settings.frame_ancestors, setting="QA_FRAME_ANCESTORS")
    places.parse_networks(settings.trusted_proxies, setting="QA_TRUSTED_PROXIES")
    places.parse_networks(settings.feed_networks, setting="QA_FEED_NETWORKS")
    if settings.otel_endpoint and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", settings.otel_endpoint):
        raise SettingsError(
            "QA_OTEL_ENDPOINT is not the address of a receiver; it looks like http://127.0.0.1:4318 (what a receiver "
            "wants to know of the sender goes into OTEL_EXPORTER_OTLP_HEADERS)"
        )
    return settings


def _check_store(settings: Settings) -> None:
    if settings.store and not is_server(settings.store):
        raise SettingsError("QA_STORE must begin with postgresql://; a folder is named by QA_DATA_DIR")
    if settings.workers and not settings.store:
        raise SettingsError("QA_WORKERS needs QA_STORE: workers take their work from that database")
    replicas = settings.store_replicas.split()
    if replicas and not (settings.store and all(map(is_server, replicas))):
        raise SettingsError("QA_STORE_REPLICAS must be addresses that begin with postgresql://, and needs QA_STORE")
    if not 0 < settings.store_replica_seconds < float("inf"):
        raise SettingsError("QA_STORE_REPLICA_SECONDS must be a number above 0")
    if settings.store_connections < 2 or not 0 < settings.store_timeout_seconds < float("inf"):
        raise SettingsError("QA_STORE_CONNECTIONS must be 2 or more, QA_STORE_TIMEOUT_SECONDS a number above 0")
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", settings.store_schema):
        raise SettingsError("QA_STORE_SCHEMA must be lower-case letters, digits and _, 63 at most")
