"""Takes the bonds of a sentence, gives what each of its words is tied to, over up to three bonds, and how closely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from qa.grounding.syntax.bonds import ARGUMENTS, Bond, bonds_of
from qa.grounding.syntax.tree import Tree
from qa.language.names import same_name
from qa.language.synonyms import families
from qa.language.words import Word

__all__ = ["Sentence", "Tie", "kindred", "likeness", "sentence_of"]

_REACH = 3
_FARTHER = 0.5
"""What each further bond leaves of a tie."""
_LEAST = 0.25
_LEAST_NAME = 4
_ROLE_LOST, _ROLE_CHANGED, _EXCHANGED = 0.65, 0.5, 0.2
"""What is left of a tie where both sentences tie two words, but not in the same role: the last, subject for object."""
_MOVED = frozenset({*ARGUMENTS[:2], "by", "of", "from", "to"})


class Tie(msgspec.Struct, frozen=True):
    """How one word hangs together with another: the roles on the way, `^` towards a head."""

    path: tuple[str, ...]
    strength: float


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed sentence."""

    words: tuple[Word, ...]
    tree: Tree
    bonds: tuple[Bond, ...]
    ties: tuple[Mapping[int, Tie], ...]
    """For each word, its ties to words that carry matter."""


def sentence_of(tree: Tree) -> Sentence:
    """Read a tree for what its words are tied to."""
    bonds = bonds_of(tree)
    near: list[list[tuple[int, str]]] = [[] for _ in tree.words]
    for bond in bonds:
        near[bond.dependent].append((bond.head, bond.role + "^"))
        near[bond.head].append((bond.dependent, bond.role))
    ties = tuple(_ties(word, near, tree.words) for word in range(len(tree.words)))
    return Sentence(words=tree.words, tree=tree, bonds=bonds, ties=ties)


def _ties(start: int, near: Sequence[Sequence[tuple[int, str]]], words: Sequence[Word]) -> dict[int, Tie]:
    found: dict[int, Tie] = {}
    front, seen = [(start, Tie((), 1.0))], {start}
    for distance in range(_REACH):
        further: list[tuple[int, Tie]] = []
        for at, tie in front:
            for other, role in near[at]:
                if other in seen:
                    continue
                seen.add(other)
                reached = Tie((*tie.path, role), tie.strength * (_FARTHER if distance else 1.0))
                further.append((other, reached))
                if not words[other].stop:
                    found[other] = reached
        front = further
    return found


def likeness(ours: Tie, theirs: Tie) -> float:
    """How far a tie of the evidence is the claim's, from 0 to 1."""
    return _role_likeness(ours.path, theirs.path) * min(1.0, max(theirs.strength / ours.strength, _LEAST))


def _role_likeness(ours: tuple[str, ...], theirs: tuple[str, ...]) -> float:
    if ours == theirs:
        return 1.0
    if len(ours) == len(theirs) == 1:
        one, other = ours[0].rstrip("^"), theirs[0].rstrip("^")
        if {one, other} == {"subject", "object"}:
            return _EXCHANGED
        if one != other and one in _MOVED and other in _MOVED:
            return _ROLE_CHANGED
    return _ROLE_LOST


@lru_cache(maxsize=65536)
def kindred(one: Word, other: Word) -> bool:
    """Whether two words may stand for the same: forms of one word, spellings of one name, one family of news words."""
    if one.stem == other.stem:
        return True
    if one.capital and other.capital and len(one.text) >= _LEAST_NAME and same_name(one.text, other.text):
        return True
    ours = families().get(one.stem, frozenset[int]())
    return bool(ours and ours & families().get(other.stem, frozenset[int]()))
