"""What a key opens: which kinds of acts, in which collections; text of an entry of `QA_API_KEYS` in, a scope out.

The part of an entry after the hash says it: `ask+ingest` or `ask:world+sport`. Without that part a key opens
everything, as every key did before there were scopes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, get_args
from urllib.parse import quote, unquote

import msgspec

from qa.errors import SettingsError

__all__ = ["EVERYTHING", "NOTHING", "PERMISSIONS", "Collections", "Permission", "Scope", "name_of", "parse", "scope_of"]

Permission = Literal["ask", "ingest", "admin"]
"""`ask`: ask, search, read what may be shown, and make tokens for pages; `ingest`: add, list, read and delete articles,
also those kept back; `admin`: read feedback and, in all collections, run the service. None includes another."""
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

Collections = tuple[str, ...] | None
"""Names of collections in order; None: all, also those that come later."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~:@=+,-]{0,99}")
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


EVERYTHING = Scope()
NOTHING = Scope(may=(), collections=())


def parse(acts: str, collections: str | None, *, at: str) -> Scope:
    """Read both parts of an entry; `at` names the entry in messages. Raises SettingsError.

    >>> parse("ingest+ask", "world+a%2Bb", at="entry 1")
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
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"{at} names a collection that cannot be: a name has 1 to 100 of A-Z a-z 0-9 . _ ~ : @ = + , - and begins "
            "with a letter, a digit or _; write + : , and = as %2B, %3A, %2C and %3D, and + between two names"
        )
    return name


def _listed(names: Iterable[str]) -> str:
    """Names as a sentence lists them.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    *others, last = names or [""]
    return f"{', '.join(others)} and {last}" if others else last
