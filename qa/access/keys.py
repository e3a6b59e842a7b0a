"""API keys: parses `QA_API_KEYS` into hashed entries; only hashes are kept, compared, shown or logged.

A key made by `new_key` has 256 random bits, so one round of SHA-256 is enough: there is nothing to guess. The part of
an entry after the hash says what the key opens, which kinds of acts in which collections: `ask+ingest` or
`ask:world+sport`. Without that part a key opens everything, as every key did before there were scopes.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from typing import Literal, get_args
from urllib.parse import quote, unquote

import msgspec

from qa.errors import SettingsError

_PREFIX = "qak_"
_HASH = "sha256"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SHORTEST = 16
"""A key that people made up should at least not be a word."""
Permission = Literal["ask", "ingest", "admin"]
"""`ask`: ask, search, read what may be shown, and make tokens for pages; `ingest`: add, list, read and delete articles,
also those kept back; `admin`: read feedback and, in all collections, run the service. None includes another."""
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)
Collections = tuple[str, ...] | None
"""Names of collections in order; None: all, also those that come later."""
_COLLECTION_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~:@=+,-]{0,99}")
"""What a collection can be called; `embeddings.cleaning.identity` holds articles to it."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody may do, and where."""

    may: tuple[Permission, ...] = PERMISSIONS
    collections: Collections = None

    def allows(self, wanted: Iterable[Permission]) -> bool:
        """Whether any of these acts is among those allowed."""
        return any(one in self.may for one in wanted)

    def reaches(self, collection: str) -> bool:
        """Whether it holds in a collection."""
        return self.collections is None or collection in self.collections

    def entry(self) -> str:
        """How `QA_API_KEYS` writes it, after a colon; empty for everything."""
        acts = "+".join(self.may)
        if self.collections is not None:
            return f"{acts}:{'+'.join(quote(name, safe='') for name in self.collections)}"
        return "" if self.may == PERMISSIONS else acts

    def __str__(self) -> str:
        """The same in words, for whoever is refused: `ask and ingest in the collections world and sport`."""
        acts = _listed(self.may) or "do nothing"
        if self.collections is None:
            return f"{acts} in all collections"
        return f"{acts} in the collection{'s' * (len(self.collections) != 1)} {_listed(self.collections)}"


def _listed(names: Iterable[str]) -> str:
    """Names as a sentence lists them.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    *others, last = names or [""]
    return f"{', '.join(others)} and {last}" if others else last


EVERYTHING = Scope()


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key: never the key itself."""

    name: str
    """Owns what is done with the key; two keys of one name are one caller, so that a key can be changed."""
    digest: str
    """SHA-256 of the key, in hexadecimal."""
    scope: Scope = EVERYTHING
    """What it opens."""

    def __str__(self) -> str:
        scope = self.scope.entry()
        return f"{self.name}:{_HASH}:{self.digest}" + (f":{scope}" if scope else "")


def new_key(name: str, *, scope: Scope = EVERYTHING) -> tuple[str, Key]:
    """Make a fresh key; give the key, for its owner only, and its entry, for `QA_API_KEYS`. Raises SettingsError."""
    secret = _PREFIX + secrets.token_urlsafe(32)
    return secret, _entry(name, _digest(secret), scope)


def parse_keys(text: str) -> tuple[Key, ...]:
    """Read entries parted by commas: `sha256:HASH` or a plain key, either with `NAME:` before it, the former perhaps
    with `:SCOPE` after it (see `scopes`).

    Raises SettingsError, which says which entry is at fault and nothing of the key in it.
    """
    entries = [entry.strip() for entry in text.split(",")]
    found = tuple(_parse_one(entry, position=place) for place, entry in enumerate(entries, start=1) if entry)
    known: dict[str, Scope] = {}
    for key in found:
        # They are one caller, with one set of conversations and tokens: what it may read must not depend on the key.
        if known.setdefault(key.name, key.scope) != key.scope:
            raise SettingsError(f"QA_API_KEYS has two keys named {key.name} with different scopes; name one otherwise")
    return found


def hashed(text: str) -> str:
    """The same entries, with every plain key replaced by its hash. Raises SettingsError."""
    return ",".join(str(key) for key in parse_keys(text))


def find(presented: str, keys: Iterable[Key]) -> Key | None:
    """The key that was presented; takes as long whether and wherever it is found."""
    digest = _digest(presented)
    found = None
    for key in keys:
        if hmac.compare_digest(digest, key.digest):
            found = key
    return found


def _parse_one(entry: str, *, position: int) -> Key:
    at = f"entry {position} of QA_API_KEYS"
    parts = entry.split(":")
    named = len(parts) > 2 and parts[1] == _HASH
    if not named and (len(parts) < 2 or parts[0] != _HASH):
        return _parse_plain(parts, at=at)
    digest, *scope = parts[2 if named else 1 :]
    if not _DIGEST.fullmatch(digest):
        raise SettingsError(f"{at} is not sha256: and 64 hexadecimal digits")
    if len(scope) > 2:
        raise SettingsError(
            f"{at} has too many colons; it is KEY, NAME:KEY or NAME:sha256:HASH, the last perhaps with :SCOPE"
        )
    opens = parse_scope(scope[0], scope[1] if len(scope) > 1 else None, at=at) if scope else EVERYTHING
    return _entry(parts[0] if named else _unnamed(digest), digest, opens)


def _parse_plain(parts: list[str], *, at: str) -> Key:
    *before, secret = parts
    if len(before) > 1:
        raise SettingsError(
            f"{at} has too many colons; it is KEY, NAME:KEY or NAME:sha256:HASH, the last perhaps with :SCOPE"
        )
    if len(secret) < _SHORTEST or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise SettingsError(
            f"{at} is not a key: a key has {_SHORTEST} or more printable ASCII characters, "
            "none of them a space, a comma or a colon; `qa keys new` makes one"
        )
    digest = _digest(secret)
    return _entry(before[0] if before else _unnamed(digest), digest)


def _unnamed(digest: str) -> str:
    return f"key-{digest[:12]}"


def _entry(name: str, digest: str, scope: Scope = EVERYTHING) -> Key:
    if not _NAME.fullmatch(name):
        raise SettingsError(
            "the name of an API key is 1 to 32 of a-z, 0-9, _ and -, and starts with a letter or a digit"
        )
    return Key(name=name, digest=digest, scope=scope)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


NOTHING = Scope(may=(), collections=())


def parse_scope(acts: str, collections: str | None, *, at: str) -> Scope:
    """Read both parts of an entry; `at` names the entry in messages. Raises SettingsError.

    >>> parse_scope("ingest+ask", "world+a%2Bb", at="entry 1")
    Scope(may=('ask', 'ingest'), collections=('a+b', 'world'))
    """
    named = acts.split("+")
    if not set(named) <= set(PERMISSIONS):  # what stands there may be a secret in the wrong place
        raise SettingsError(f"{at} ends with no scope: write one or more of {', '.join(PERMISSIONS)}, joined by +")
    may = tuple(one for one in PERMISSIONS if one in named)
    if collections is None:
        return Scope(may=may)
    found = sorted({name_of(name, at=at) for name in collections.split("+")})
    return Scope(may=may, collections=tuple(found))


def scope_of(may: Iterable[Permission], collections: Iterable[str]) -> Scope:
    """A scope from its parts; where none are named, all. Raises SettingsError.

    >>> str(scope_of(["ask"], ["world"]))
    'ask in the collection world'
    """
    named, found = set(may), tuple(sorted(set(collections)))
    for name in found:
        name_of(quote(name, safe=""), at="--collection")
    return Scope(
        may=tuple(one for one in PERMISSIONS if one in named) if named else PERMISSIONS, collections=found or None
    )


def name_of(written: str, *, at: str) -> str:
    """Read the name of a collection as settings write it. Raises SettingsError.

    >>> name_of("a%2Bb", at="entry 1")
    'a+b'
    """
    name = unquote(written)
    if not _COLLECTION_NAME.fullmatch(name):
        raise SettingsError(
            f"{at} names a collection that cannot be: a name has 1 to 100 of A-Z a-z 0-9 . _ ~ : @ = + , - and begins "
            "with a letter, a digit or _; write + : , and = as %2B, %3A, %2C and %3D, and + between two names"
        )
    return name
