"""API keys: text of `QA_API_KEYS` in, hashed entries out; only hashes are kept, compared, shown or logged.

A key made by `new_key` has 256 random bits, so one round of SHA-256 is enough: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable

import msgspec

from qa.errors import SettingsError

__all__ = ["Key", "find", "hashed", "new_key", "parse"]

_PREFIX = "qak_"
_HASH = "sha256"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SHORTEST = 16
"""A key that people made up should at least not be a word."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key: never the key itself."""

    name: str
    """Owns what is done with the key; two keys of one name are one caller, so that a key can be changed."""
    digest: str
    """SHA-256 of the key, in hexadecimal."""

    def __str__(self) -> str:
        return f"{self.name}:{_HASH}:{self.digest}"


def new_key(name: str) -> tuple[str, Key]:
    """Make a fresh key; give the key, for its owner only, and its entry, for `QA_API_KEYS`. Raises SettingsError."""
    secret = _PREFIX + secrets.token_urlsafe(32)
    return secret, _entry(name, _digest(secret))


def parse(text: str) -> tuple[Key, ...]:
    """Read entries parted by commas: `sha256:HASH`, a plain key, or either with `name:` before it.

    Raises SettingsError, which says which entry is at fault and nothing of what it holds.
    """
    entries = [entry.strip() for entry in text.split(",")]
    return tuple(_parse_one(entry, position=place) for place, entry in enumerate(entries, start=1) if entry)


def hashed(text: str) -> str:
    """The same entries, with every plain key replaced by its hash. Raises SettingsError."""
    return ",".join(str(key) for key in parse(text))


def find(presented: str, keys: Iterable[Key]) -> Key | None:
    """The key that was presented; takes as long whether and wherever it is found."""
    digest = _digest(presented)
    found = None
    for key in keys:
        if hmac.compare_digest(digest, key.digest):
            found = key
    return found


def _parse_one(entry: str, *, position: int) -> Key:
    *before, last = entry.split(":")
    if before and before[-1] == _HASH:
        before.pop()
        if not _DIGEST.fullmatch(last):
            raise SettingsError(f"entry {position} of QA_API_KEYS is not sha256: and 64 hexadecimal digits")
        digest = last
    elif len(last) < _SHORTEST or not last.isascii() or not last.isprintable() or " " in last:
        raise SettingsError(
            f"entry {position} of QA_API_KEYS is not a key: a key has {_SHORTEST} or more printable ASCII characters, "
            "none of them a space, a comma or a colon; `qa keys new` makes one"
        )
    else:
        digest = _digest(last)
    if len(before) > 1:
        raise SettingsError(
            f"entry {position} of QA_API_KEYS has too many colons; it is KEY, NAME:KEY or NAME:sha256:HASH"
        )
    return _entry(before[0] if before else f"key-{digest[:12]}", digest)


def _entry(name: str, digest: str) -> Key:
    if not _NAME.fullmatch(name):
        raise SettingsError(
            "the name of an API key is 1 to 32 of a-z, 0-9, _ and -, and starts with a letter or a digit"
        )
    return Key(name=name, digest=digest)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
