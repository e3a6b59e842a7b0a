"""What decides the answers of this process, in a form that can be compared and published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from importlib import resources
from importlib.resources.abc import Traversable

import msgspec

from qa.settings import Settings

__all__ = ["corpus_hash", "prompt_fingerprints", "public_url", "shown_settings"]

_LEFT_OUT = frozenset(
    {
        "data_dir",
        "host",
        "port",
        "threads",
        "max_body_bytes",
        "max_queue",
        "log_level",
        "llm_concurrency",
        "store",
        "store_schema",
        "store_connections",
        "store_timeout_seconds",
        "workers",
    }
)
"""Where and how fast a service runs, not what it says."""
_NOT_PROMPTS = (".py", ".pyc")


def corpus_hash(articles: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over the ids and versions of all articles: equal hashes mean equal articles, in whatever order.

    >>> corpus_hash([("a", "1"), ("b", "2")]) == corpus_hash([("b", "2"), ("a", "1")])
    True
    """
    lines = sorted(f"{article_id}\0{version}" for article_id, version in articles)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def shown_settings(settings: Settings) -> dict[str, str]:
    """Settings that decide answers, by name; neither secrets nor where things lie on this machine."""
    return {
        name: public_url(str(value)) if name.endswith("_url") else str(value)
        for name, value in msgspec.structs.asdict(settings).items()
        if name not in _LEFT_OUT and not name.startswith("history_") and not _is_secret(name)
    }


def public_url(url: str) -> str:
    """An address without the user, the password and the query it may carry.

    >>> public_url("https://me:secret@models.example:8443/v1?key=7")
    'https://models.example:8443/v1'
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return ""
    authority, slash, path = rest.partition("?")[0].partition("#")[0].partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def prompt_fingerprints() -> dict[str, str]:
    """SHA-256 of every prompt of this installation, by its file's name."""
    return {
        name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in _files(resources.files("prompts"), "")
    }


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.is_dir():
            if not entry.name.startswith(("_", ".")):
                yield from _files(entry, f"{prefix}{entry.name}/")
        elif not entry.name.endswith(_NOT_PROMPTS):
            yield f"{prefix}{entry.name}", entry


def _is_secret(name: str) -> bool:
    return any(word in name for word in ("key", "token", "secret", "password"))
