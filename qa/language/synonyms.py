"""Families of words that news uses for one and the same matter, kept in `synonyms.txt`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from qa.language.words import words_of

__all__ = ["families"]


@lru_cache(maxsize=1)
def families() -> Mapping[str, frozenset[int]]:
    """Stem to the numbers of the families it belongs to.

    >>> bool(families()["die"] & families()["fatal"])
    True
    """
    lines = files("qa.language").joinpath("synonyms.txt").read_text(encoding="utf-8").splitlines()
    found: dict[str, frozenset[int]] = {}
    for number, line in enumerate(line for line in lines if line and not line.startswith("#")):
        for word in words_of(line):
            found[word.stem] = found.get(word.stem, frozenset()) | {number}
    return found
