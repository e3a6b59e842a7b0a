"""Signed, not stored: short-lived tokens of pages, and links that open one article or one kept answer.

A token is bound to one origin and perhaps one collection, good for asking and reading only. It is `st1.CLAIMS.MAC`:
the claims as JSON and their HMAC-SHA-256, both in URL-safe base64. The secret has nothing to do with any API key; it
lies in the data folder, or in the database that several services share (`shared`), so that a restart leaves tokens
valid.

Links are for readers who have no key. Who gets an answer over the API may pass its citations on; they see what was
cited and its article, and nothing else. Who was given the link to an answer sees that answer, and nothing of its
conversation, where he may read every collection that its owner may.
"""

import base64
import binascii
import hmac
import os
import secrets
import threading
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, unquote

import msgspec

from qa.access.keys import Collections

PREFIX = "st1."
_LONGEST = 2000
_SECRET_BYTES = 32
_BYTES = 16


class TokenClaims(msgspec.Struct, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """What a token says."""

    origin: str
    """The only origin whose pages may use it."""
    expires_at: int
    """Seconds since 1970, UTC."""
    subject: str
    """Owner of the conversations and feedback; says nothing of who it is."""
    issuer: str
    """Name of the API key it was made with; empty: an allowed origin got it for itself."""
    collection: str | None = None
    """The only collection that may be read with it; None: all that its maker may read."""

    @property
    def owner(self) -> str:
        """Whose conversations and feedback these are: a visitor has others beside each collection."""
        return f"visitor:{self.subject}" + (f"@{self.collection}" if self.collection is not None else "")


class Signing(Protocol):
    """What signs tokens and links."""

    def value(self) -> bytes:
        """The secret. Raises OSError where it can be neither read nor made."""


class Secret:
    """The secret that signs tokens: made once, kept in a file that only the service's user can read."""

    def __init__(self, path: Path) -> None:
        """The file is read or made at first use."""
        self._path = path
        self._value: bytes | None = None
        self._lock = threading.Lock()

    def value(self) -> bytes:
        """The secret. Raises OSError where it can be neither read nor made."""
        with self._lock:
            if self._value is None:
                self._value = _read(self._path) or _make(self._path)
            return self._value


def new_subject() -> str:
    """A random owner, for a visitor seen for the first time."""
    return secrets.token_urlsafe(16)


def mint(claims: TokenClaims, *, secret: bytes) -> str:
    """Sign claims."""
    body = _text(msgspec.json.encode(claims))
    return f"{PREFIX}{body}.{_text(_mac(body, secret))}"


def read(token: str, *, secret: bytes) -> TokenClaims | None:
    """The claims of a token that was signed here, expired or not; None for anything else."""
    if not token.startswith(PREFIX) or len(token) > _LONGEST or not token.isascii():
        return None
    body, _, mac = token.removeprefix(PREFIX).partition(".")
    if not hmac.compare_digest(mac, _text(_mac(body, secret))):
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=TokenClaims)
    except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError):
        return None  # signed by another version


def _mac(body: str, secret: bytes) -> bytes:
    return hmac.digest(secret, f"{PREFIX}{body}".encode(), "sha256")


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _read(path: Path) -> bytes | None:
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return None
    return found if len(found) == _SECRET_BYTES else None


def _make(path: Path) -> bytes:
    """Write a new secret whole or not at all; a torn one would only have cost every page a new token."""
    path.parent.mkdir(parents=True, exist_ok=True)
    value = secrets.token_bytes(_SECRET_BYTES)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return value


def signature(article_id: str, *, version: str, secret: bytes) -> str:
    """What opens this version of this article; 22 characters that can stand in an address."""
    return _signed(f"article page\0{article_id}\0{version}", secret)


def is_signed(article_id: str, *, version: str, given: str, secret: bytes) -> bool:
    """Whether a signature was made here for this version of this article."""
    return hmac.compare_digest(
        given.encode(errors="replace"), signature(article_id, version=version, secret=secret).encode()
    )


def answer_signature(answer_id: str, *, within: Collections, secret: bytes) -> str:
    """What opens this kept answer, whose owner may read these collections (None: all); they stand in it."""
    if within is None:
        return _signed(f"answer\0{answer_id}", secret)
    named = "+".join(quote(name, safe="") for name in within)
    mac = _signed(f"answer\0{answer_id}\0{named}", secret)
    return f"{mac}.{named}"


def is_signed_answer(answer_id: str, *, given: str, within: Collections, secret: bytes) -> bool:
    """Whether a signature was made here for this answer, by one who may read no more than these collections."""
    _, dot, named = given.partition(".")
    of_owner = tuple(unquote(name) for name in named.split("+")) if dot else None
    if within is not None and (of_owner is None or not set(of_owner) <= set(within)):
        return False
    expected = answer_signature(answer_id, within=of_owner, secret=secret)
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode(errors="replace"))


def _signed(said: str, secret: bytes) -> str:
    digest = hmac.digest(secret, said.encode(errors="replace"), "sha256")
    return base64.urlsafe_b64encode(digest[:_BYTES]).rstrip(b"=").decode()
