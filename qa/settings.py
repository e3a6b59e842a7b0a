"""The configuration: one frozen value, read once from `QA_*` variables and passed on.

Each field's docstring line is its help text; the table of docs/configuration.md is checked against `DESCRIPTIONS`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from embeddings.types import Place, is_server
from qa.access import keys, origins
from qa.errors import SettingsError

if TYPE_CHECKING:
    from embeddings.encoders import Encoder


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
    encoder_query_prompt: str = ""
    encoder_passage_prompt: str = ""
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

DESCRIPTIONS: Mapping[str, str] = {
    "QA_DATA_DIR": "Folder of the store and its derived indexes, and of what this service keeps of conversations.",
    "QA_STORE": "`postgresql://USER:PASSWORD@HOST:5432/DATABASE`: articles are stored there in place of that folder "
    "(needs pgvector on the server and the extra `postgres` here); empty: in the folder.",
    "QA_STORE_SCHEMA": "Schema of that database that holds the store.",
    "QA_STORE_CONNECTIONS": "Connections that this process has to that server at most.",
    "QA_STORE_TIMEOUT_SECONDS": "How long to wait for a connection to that server, and for one statement.",
    "QA_STORE_REPLICAS": "Read replicas of that server that may answer searches, as addresses separated by spaces.",
    "QA_STORE_REPLICA_SECONDS": "How far one of them may be behind; else it is not asked.",
    "QA_WORKERS": "`true`: articles sent to this service are stored by `qa work` processes, and it waits for them "
    "(needs QA_STORE).",
    "QA_ENCODER": "`all-MiniLM-L6-v2` (bundled), `hashing` (no model, for tests), or any sentence-transformers "
    "model name or path (`sentence-transformers/all-MiniLM-L6-v2`: the bundled one in full precision); a name that is "
    "not a local folder must already be in the local model cache.",
    "QA_ENCODER_QUERY_PROMPT": "What stands before each question, such as `query:`, for an encoder by name that was "
    "trained with it and does not say so in its files; a space is put behind it. Articles must be encoded again.",
    "QA_ENCODER_PASSAGE_PROMPT": "The same for passages, such as `passage:`.",
    "QA_READER": "Name or path of a question-answering model of the transformers library (such as one trained on SQuAD "
    "2.0), or `words` (no network, for tests); empty: the reader that ships.",
    "QA_ANSWER_THRESHOLD": "Probability below which a question is declined, 0 to 1; 0: the one fitted for the reader.",
    "QA_RETRIEVAL": "What ranks passages: `hybrid` (meaning and words), `dense` (meaning alone) or `lexical` "
    "(words alone).",
    "QA_COLLECTION": "Collection that articles go to when they name none.",
    "QA_HOST": "Address the service binds to.",
    "QA_PORT": "Port the service binds to; 0 picks a free one.",
    "QA_DEADLINE_SECONDS": "Wall-clock limit for one question, or one text to check.",
    "QA_THREADS": "Native threads for the encoder; 0: one per processor that this process may use, by its container's "
    "quota too. With the models that ship, half as many questions are worked on at once, four at most.",
    "QA_MAX_BODY_BYTES": "Largest request body accepted.",
    "QA_MAX_QUEUE": "Requests that may wait for the encoder before new ones get 503.",
    "QA_LLM_PROVIDER": "Which API the model's server speaks: `openai` (any compatible server) or `anthropic` (needs "
    "its SDK, the extra `anthropic`).",
    "QA_LLM_BASE_URL": "Address of an OpenAI-compatible server, such as `http://127.0.0.1:8080/v1`; empty: answers are "
    "extractive, or Anthropic's own service is asked where that is the provider.",
    "QA_LLM_MODEL": "Name of the model to ask of that server; empty: the first one it lists.",
    "QA_LLM_API_KEY": "Key for that server, where it wants one.",
    "QA_LLM_CONTEXT_TOKENS": "Context window of the model, in tokens; what does not fit is reported, never cut unseen.",
    "QA_LLM_CONCURRENCY": "Questions that may be at the model at once; further ones are answered extractively.",
    "QA_LENIENT": "`true` keeps unsupported generated sentences, marked; the default drops them.",
    "QA_SUPPORT_CHECKER": "Name or path of a model that judges claims (pairs, or words), or `lexical`: words alone; "
    "empty: the network that ships.",
    "QA_RERANKER": "Name or path of a cross-encoder that reorders passages, or `words`; empty: none.",
    "QA_HISTORY_CONVERSATIONS": "Conversations kept; the least recently used ones make room.",
    "QA_HISTORY_TURNS": "Questions kept of one conversation; the oldest ones make room.",
    "QA_HISTORY_BYTES": "Bytes that all kept answers may take together.",
    "QA_LOG_LEVEL": "`debug`, `info`, `warning` or `error`.",
    "QA_API_KEYS": "API keys, parted by commas, each as `NAME:sha256:HASH` (what `qa keys new` prints), perhaps with a "
    "scope after it (`:ask+ingest+admin:COLLECTION+COLLECTION`), or plain; only hashes are kept. "
    "Empty: no key is asked for, and the service binds to this machine only.",
    "QA_ALLOW_OPEN": "`true` lets a service without keys bind to an address that other machines reach.",
    "QA_ALLOWED_ORIGINS": "Origins whose pages may use the service from a browser, parted by commas, such as "
    "`https://news.example`.",
    "QA_ORIGIN_TOKENS": "`false`: pages of those origins get tokens only through their back end, which holds a key.",
    "QA_ORIGIN_COLLECTIONS": "Which collection the pages of each of those origins read, as `ORIGIN=COLLECTION` parted "
    "by commas, `ORIGIN=*` for all; empty: all, or none where a key is kept to some collections.",
    "QA_FRAME_ANCESTORS": "Origins that may show the service's own page in a frame.",
    "QA_VISITOR_RATE": "What one token may spend in a minute: an answer costs 10, a search 3, a read 1; 0: no limit. "
    "All tokens of one address together may spend ten times as much. Of `QA_MAX_QUEUE`, one token takes an eighth at "
    "most, those of one address half.",
    "QA_KEY_RATE": "What one key may spend in a minute; 0: no limit.",
    "QA_TRUSTED_PROXIES": "Addresses or networks whose `X-Forwarded-For` is believed.",
    "QA_SERVICE_URL": "Address of a running service that `qa ingest`, `qa feeds run`, `qa watch` and `qa articles "
    "withdraw` send to, such as `http://127.0.0.1:8000`; empty: they write to the store themselves.",
    "QA_SERVICE_KEY": "Key for that service, where it wants one.",
    "QA_FEED_NETWORKS": "Private addresses or networks that feeds and their pages may be at; all others are refused.",
    "QA_OTEL_ENDPOINT": "Address of an OpenTelemetry receiver (OTLP over HTTP), such as `http://127.0.0.1:4318`, that "
    "traces are sent to (needs the extra `otel`); empty: nothing is traced.",
    "QA_OTEL_TEXTS": "`true`: traces hold the words of questions, answers and articles, too.",
}


def load_encoder(settings: Settings) -> Encoder:
    """The encoder of the settings; raises what `embeddings.encoders.load` does."""
    from embeddings import encoders  # not needed for --help

    return encoders.load(
        settings.encoder,
        threads=settings.threads,
        query_prompt=settings.encoder_query_prompt,
        passage_prompt=settings.encoder_passage_prompt,
    )


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
    return sorted(name for name in environ if name.startswith("QA_") and name not in DESCRIPTIONS)


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
    allowed = origins.parse_origins(settings.allowed_origins, setting="QA_ALLOWED_ORIGINS")
    origins.collections_of(settings.origin_collections, allowed=allowed)
    origins.parse_origins(settings.frame_ancestors, setting="QA_FRAME_ANCESTORS")
    origins.parse_networks(settings.trusted_proxies, setting="QA_TRUSTED_PROXIES")
    origins.parse_networks(settings.feed_networks, setting="QA_FEED_NETWORKS")
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
