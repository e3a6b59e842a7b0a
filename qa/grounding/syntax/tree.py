"""Takes scores of every word as every other's head, gives the likeliest tree."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from qa.language.words import Word

__all__ = ["ROOT", "Tree", "likeliest_heads"]

ROOT = -1
"""The head of the word that has none."""

_IMPOSSIBLE = -1e3
_Floats = npt.NDArray[np.floating]


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
