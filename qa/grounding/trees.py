"""The dependency tree of a sentence, from its words and token vectors, and who does what to whom in it.

The encoder is read, not run again: a biaffine scorer (Dozat & Manning, 2017) over the hidden states half-way up a
frozen encoder, where grammar shows best (Hewitt & Manning, 2019; Tenney et al., 2019); fitted by `make fit-parser`
for one encoder, useless with another. Of the tree come bonds, pairs of words with the role of one at the other.
Voice, relative clauses, participles and shared subjects are undone, so that "beat him", "he was beaten", "beating
him" and "who beat him" come to the same roles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.encoders import TokenVectors
from qa.language.words import Word

__all__ = ["ARGUMENTS", "ROOT", "Bond", "Parser", "Tree", "bonds_of", "likeliest_heads", "load_parser", "word_states"]

_Singles = npt.NDArray[np.float32]
_NEVER = -1e4
_LEAK = 0.1
_LONGEST = 100
"""Words beyond which no sentence is parsed: it is none, or a list, and the time grows with the square."""
ROOT = -1
"""The head of the word that has none."""
_IMPOSSIBLE = -1e3
_Floats = npt.NDArray[np.floating]
_FORM = frozenset({"det", "case", "mark", "aux", "aux:pass", "cc", "punct", "cop", "expl", "discourse", "dep"})
"""Relations that say how, not what; `compound:prt` belongs to its verb."""
_RELATIVE = frozenset({"who", "which", "that", "whom"})
_SUBJECTS = ("nsubj", "nsubj:pass", "csubj", "csubj:pass")
_PLAIN = {
    "obj": "object",
    "iobj": "to",
    "nmod:poss": "of",
    "appos": "is",
    "flat": "name",
    "compound": "modifier",
    "amod": "modifier",
    "advmod": "modifier",
    "obl": "modifier",
    "nmod": "modifier",
    "nummod": "count",
}
ARGUMENTS = ("subject", "object", "is")
"""The roles at the heart of a sentence; others are prepositions, or say what kind of link it is."""


class Parser:
    """The fitted scorer."""

    def __init__(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self.encoder = str(arrays["encoder"])
        """Revision of the encoder whose vectors it reads."""
        self.relations = tuple(str(name) for name in arrays["relations"])
        self._weights = {
            name: array.astype(np.float32) for name, array in arrays.items() if name not in {"encoder", "relations"}
        }
        self._reach = (len(self._weights["distance"]) - 1) // 2

    def parse(self, words: tuple[Word, ...], vectors: TokenVectors) -> Tree | None:
        """The tree over these words of the text; None without half-way states, a word, or an end in sight."""
        if vectors.halfway is None or not 0 < len(words) <= _LONGEST:
            return None
        rows = _with_neighbours(word_states(words, vectors))
        heads = likeliest_heads(self._head_scores(rows))
        return Tree(words=words, heads=heads, relations=self._relations_of(rows, heads))

    def _head_scores(self, rows: _Singles) -> _Singles:
        """Shape (n, n + 1): each word with the root, then with every word, as its head."""
        count, weights = len(rows), self._weights
        heads = np.concatenate([weights["root"][None], self._projected(rows, "head")])
        scores = _with_one(self._projected(rows, "dependent")) @ weights["arcs"] @ heads.T
        places = np.arange(count)
        apart = np.clip(places[None] - places[:, None], -self._reach, self._reach) + self._reach
        scores[:, 1:] += weights["distance"][apart]
        scores[places, places + 1] = _NEVER
        return np.asarray(scores, np.float32)

    def _relations_of(self, rows: _Singles, heads: tuple[int, ...]) -> tuple[str, ...]:
        candidates = np.concatenate([self._weights["relation_root"][None], self._projected(rows, "relation_head")])
        theirs = _with_one(candidates[np.array(heads) + 1])
        ours = _with_one(self._projected(rows, "relation_dependent"))
        scores = np.einsum("nk,rkl,nl->nr", ours, self._weights["relation"], theirs, optimize=True)
        scores[:, self.relations.index("root")] = _NEVER
        best = scores.argmax(axis=1)
        return tuple("root" if head == ROOT else self.relations[best[word]] for word, head in enumerate(heads))

    def _projected(self, rows: _Singles, name: str) -> _Singles:
        out = rows @ self._weights[f"{name}_weight"].T + self._weights[f"{name}_bias"]
        return np.asarray(np.where(out > 0, out, _LEAK * out), np.float32)


@lru_cache(maxsize=1)
def load_parser() -> Parser:
    """The parser that ships with the package."""
    path = files("qa.grounding").joinpath("parser.npz")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return Parser(dict(arrays))


def word_states(words: Sequence[Word], vectors: TokenVectors) -> _Singles:
    """Mean half-way state of each word's tokens; zeros for a word that the encoder cut off.

    The vectors must have such states. Fitting pools by this, too: otherwise the parser would read what it never saw.
    """
    halfway = np.asarray(vectors.halfway, np.float32)
    pooled = np.zeros((len(words), halfway.shape[1]), np.float32)
    if not vectors.spans:
        return pooled
    starts, ends = np.array(vectors.spans, np.int64).T
    for at, word in enumerate(words):
        own = (starts < word.end) & (word.start < ends)
        if own.any():
            pooled[at] = halfway[own].mean(axis=0)
    return pooled


def _with_neighbours(rows: _Singles) -> _Singles:
    """Each word beside the one before it and the one after it; zeros beyond the ends."""
    edge = np.zeros((1, rows.shape[1]), np.float32)
    padded = np.concatenate([edge, rows, edge])
    return np.concatenate([padded[:-2], rows, padded[2:]], axis=1)


def _with_one(rows: _Singles) -> _Singles:
    return np.concatenate([rows, np.ones((len(rows), 1), np.float32)], axis=1)


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """The words of one sentence, each with its head and its relation to it (Universal Dependencies)."""

    words: tuple[Word, ...]
    heads: tuple[int, ...]
    relations: tuple[str, ...]

    def children(self, word: int, *relations: str) -> list[int]:
        """Words that depend on a word, in their order; of some relations only, if any are given."""
        return [
            child
            for child, head in enumerate(self.heads)
            if head == word and (not relations or self.relations[child] in relations)
        ]


def likeliest_heads(scores: _Floats) -> tuple[int, ...]:
    """The tree of the highest score; shape (n, n + 1): a row per word, its first column for the root.

    Each word's best head, and only where these make no tree, the best of all trees (Chu & Liu, 1965; Edmonds, 1967).
    """
    heads = tuple(int(head) for head in scores.argmax(axis=1) - 1)
    return heads if _is_tree(heads) else _best_tree(scores)


def _is_tree(heads: tuple[int, ...]) -> bool:
    """Whether there is one root, and every word comes to it."""
    if heads.count(ROOT) != 1:
        return False
    for word in range(len(heads)):
        at, steps = word, 0
        while at != ROOT and steps <= len(heads):
            at, steps = heads[at], steps + 1
        if at != ROOT:
            return False
    return True


def _best_tree(scores: _Floats) -> tuple[int, ...]:
    """So much is taken off roots that there is one only."""
    count = len(scores)
    penalty = float(np.ptp(scores[scores > _IMPOSSIBLE])) * count + 1.0
    square = np.full((count + 1, count + 1), -np.inf)
    square[1:] = scores
    square[1:, 0] -= penalty
    np.fill_diagonal(square, -np.inf)
    return tuple(int(head) - 1 for head in _heads(square)[1:])


def _heads(scores: _Floats) -> npt.NDArray[np.intp]:
    """Head of each node in the best tree that hangs on node 0; scores of shape (nodes, nodes), a row per node.

    Where the best heads run in a circle, it is taken for one node, and opened where the tree of the rest enters it.
    """
    heads = np.asarray(scores.argmax(axis=1), np.intp)
    circle = _circle(heads)
    if not len(circle):
        return heads
    rest = np.setdiff1d(np.arange(len(scores)), circle)
    kept = scores[circle, heads[circle]]
    entering = scores[np.ix_(circle, rest)] - kept[:, None]
    leaving = scores[np.ix_(rest, circle)]
    small = np.full((len(rest) + 1, len(rest) + 1), -np.inf)
    small[:-1, :-1] = scores[np.ix_(rest, rest)]
    small[-1, :-1] = entering.max(axis=0)
    small[:-1, -1] = leaving.max(axis=1)
    found = _heads(small)
    for node, head in zip(rest[1:], found[1:-1], strict=True):
        heads[node] = rest[head] if head < len(rest) else circle[leaving[np.searchsorted(rest, node)].argmax()]
    entered = int(found[-1])
    heads[circle[entering[:, entered].argmax()]] = rest[entered]
    return heads


def _circle(heads: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Nodes that are each other's heads, in order; none where all come to node 0."""
    for start in range(1, len(heads)):
        seen: list[int] = []
        at = start
        while at and at not in seen:
            seen.append(at)
            at = int(heads[at])
        if at:
            return np.array(sorted(seen[seen.index(at) :]), np.intp)
    return np.array([], np.intp)


class Bond(msgspec.Struct, frozen=True):
    """`dependent` has `role` at `head`; both are places of words."""

    head: int
    role: str
    dependent: int


def bonds_of(tree: Tree) -> tuple[Bond, ...]:
    """All bonds of a sentence, those that are only meant along with those that are written."""
    subjects: dict[int, Bond] = {}
    found: list[Bond] = []
    for bond, is_subject in _written(tree):
        found.append(bond)
        if is_subject:
            subjects.setdefault(bond.head, bond)
    found += _joined(tree, found)
    found += _meant(tree, subjects)
    return tuple(dict.fromkeys(bond for bond in found if bond.head != bond.dependent))


def _written(tree: Tree) -> Iterator[tuple[Bond, bool]]:
    """Bonds that a word's own relation tells, and whether it is the subject there."""
    for word, (head, relation) in enumerate(zip(tree.heads, tree.relations, strict=True)):
        if head == ROOT or relation in _FORM or relation in {"conj", "compound:prt"}:
            continue
        if relation == "acl:relcl":
            yield _relative(tree, word, head)
        elif relation == "acl":  # the noun before a participle: "people injured", "a ferry carrying"
            yield Bond(word, "subject" if _low(tree, word).endswith("ing") else "object", head), True
        elif not (_low(tree, word) in _RELATIVE and tree.relations[head] == "acl:relcl"):
            yield Bond(head, _role(tree, word), word), relation in _SUBJECTS


def _relative(tree: Tree, verb: int, noun: int) -> tuple[Bond, bool]:
    """What the noun is in its relative clause: what the pronoun is, or what is missing."""
    for child in tree.children(verb, *_SUBJECTS, "obj"):
        if _low(tree, child) in _RELATIVE:
            return Bond(verb, _role(tree, child), noun), tree.relations[child] != "obj"
    if tree.children(verb, *_SUBJECTS):
        return Bond(verb, "object", noun), False
    return Bond(verb, "subject", noun), True


def _role(tree: Tree, word: int) -> str:
    head, relation = tree.heads[word], tree.relations[word]
    if relation in _SUBJECTS:
        if tree.children(head, "cop"):
            return "is"
        return "object" if relation.endswith(":pass") or tree.children(head, "aux:pass") else "subject"
    if relation == "obl:agent":
        return "subject"
    if cases := tree.children(word, "case"):
        preposition = _low(tree, cases[0])
        if preposition == "by" and (tree.children(head, "aux:pass") or tree.relations[head] == "acl"):
            return "subject"
        return "of" if preposition in {"'s", "’s"} else preposition
    return _PLAIN.get(relation, relation)


def _joined(tree: Tree, written: list[Bond]) -> list[Bond]:
    """What is joined to a word by "and" has its role, too."""
    first = {word: _first(tree, word) for word, relation in enumerate(tree.relations) if relation == "conj"}
    return [
        Bond(bond.head, bond.role, word)
        for word, start in first.items()
        for bond in written
        if bond.dependent == start and bond.role != "name"
    ]


def _meant(tree: Tree, subjects: dict[int, Bond]) -> list[Bond]:
    """Subjects that a joined verb, a participle or an infinitive shares with the verb it hangs on."""
    found: list[Bond] = []
    for word, relation in enumerate(tree.relations):
        if relation not in {"conj", "advcl", "xcomp"} or word in subjects:
            continue
        above = _first(tree, word) if relation == "conj" else tree.heads[word]
        is_noun = tree.words[word].capital or tree.words[word].number or tree.children(word, "det", "nummod", "case")
        if above in subjects and not (relation == "conj" and is_noun):
            role = "object" if tree.children(word, "aux:pass") else "subject"
            bond = Bond(word, role, subjects[above].dependent)
            subjects[word] = bond
            found.append(bond)
    return found


def _first(tree: Tree, word: int) -> int:
    """The first of the words that "and" joins."""
    while tree.relations[word] == "conj" and tree.heads[word] != ROOT:
        word = tree.heads[word]
    return word


def _low(tree: Tree, word: int) -> str:
    return tree.words[word].text.lower()
