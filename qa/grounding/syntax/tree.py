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
_CANDIDATES = 5
"""Heads of a word that are looked at: on sentences of news, all that ever matter, in a third of the time."""
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
    """By networkx, among the best few heads of each word; so much is taken off roots that there is one only."""
    import networkx as nx

    count = len(scores)
    penalty = float(np.ptp(scores[scores > _IMPOSSIBLE])) * count + 1.0
    graph = nx.DiGraph()
    for word, row in enumerate(scores):
        # With an edge from the root to every word there is always a tree.
        for head in {0, *map(int, np.argsort(-row)[:_CANDIDATES])} - {word + 1}:
            weight = float(row[head]) - (penalty if head == 0 else 0.0)
            graph.add_edge(head, word + 1, weight=weight)
    tree = nx.maximum_spanning_arborescence(graph, preserve_attrs=False)
    found = {word: head for head, word in tree.edges}
    return tuple(found[word + 1] - 1 for word in range(count))
