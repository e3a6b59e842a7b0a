"""Takes trees whose words have vectors, fits the biaffine scorer of `qa.grounding.syntax`, gives its weights.

Dozat and Manning, "Deep Biaffine Attention for Neural Dependency Parsing" (2017), on frozen vectors: every word is
scored as every other's head, plus a preference for each distance, then each relation at the head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ParserExample", "ParserNetwork", "fit_network"]

_WINDOW = 1
"""Neighbours on each side that a word is seen with."""
_ARC_UNITS = 128
_RELATION_UNITS = 48
_FARTHEST = 12
"""Distances beyond count as this."""
_LEAK = 0.1
_START = 0.02
_INPUT_DROPOUT = 0.15
_DROPOUT = 0.33
_RATE = 2e-3
_MOMENTA = (0.9, 0.95)
_BATCH_WORDS = 1_500
_NEVER = -1e4

Halves = npt.NDArray[np.float16]


class ParserExample(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence to learn from."""

    vectors: Halves
    """One row per word; halves, as a treebank has to fit into memory."""
    heads: tuple[int, ...]
    """-1 for the root."""
    relations: tuple[int, ...]
    """Places in the network's list of relations."""


class _Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences of about one length, padded."""

    vectors: Tensor
    present: Tensor
    """Which words are there."""
    heads: Tensor
    """0 for the root, else the place of the head plus one."""
    relations: Tensor


class ParserNetwork(nn.Module):
    """The scorer. Its parameters are named as the arrays of `parser.npz`, dots for underscores."""

    def __init__(self, dimension: int, *, relations: int) -> None:
        super().__init__()
        width = dimension * (2 * _WINDOW + 1)
        self.head = nn.Linear(width, _ARC_UNITS)
        self.dependent = nn.Linear(width, _ARC_UNITS)
        self.root = nn.Parameter(torch.zeros(_ARC_UNITS))
        self.arcs = nn.Parameter(torch.randn(_ARC_UNITS + 1, _ARC_UNITS) * _START)
        self.distance = nn.Parameter(torch.zeros(2 * _FARTHEST + 1))
        self.relation_head = nn.Linear(width, _RELATION_UNITS)
        self.relation_dependent = nn.Linear(width, _RELATION_UNITS)
        self.relation_root = nn.Parameter(torch.zeros(_RELATION_UNITS))
        self.relation = nn.Parameter(torch.randn(relations, _RELATION_UNITS + 1, _RELATION_UNITS + 1) * _START)

    def arrays(self) -> dict[str, Halves]:
        """The weights in half precision, as they ship."""
        return {name.replace(".", "_"): value.numpy().astype(np.float16) for name, value in self.state_dict().items()}

    def loss(self, batch: _Batch) -> Tensor:
        """How unlikely the right heads are, and the right relations at them: mean cross-entropy per word, summed."""
        rows = functional.dropout(_with_neighbours(batch.vectors), _INPUT_DROPOUT, training=self.training)
        there = batch.present
        arcs = functional.cross_entropy(self._head_scores(rows, there)[there], batch.heads[there])
        relations = self._relation_scores(rows, batch.heads)[there]
        return arcs + functional.cross_entropy(relations, batch.relations[there])

    def _head_scores(self, rows: Tensor, present: Tensor) -> Tensor:
        """Shape (sentences, n, n + 1): for each word the root, then every word, as its head."""
        words = rows.shape[1]
        heads = _below(self.root, self._projected(rows, self.head))
        scores = _with_one(self._projected(rows, self.dependent)) @ self.arcs @ heads.transpose(1, 2)
        place = torch.arange(words)
        apart = (place[None, :] - place[:, None]).clamp(-_FARTHEST, _FARTHEST) + _FARTHEST
        scores = scores + functional.pad(self.distance[apart], (1, 0))
        absent = functional.pad(~present, (1, 0))[:, None, :]
        itself = functional.pad(torch.eye(words, dtype=torch.bool), (1, 0))[None]
        return scores.masked_fill(absent | itself, _NEVER)

    def _relation_scores(self, rows: Tensor, heads: Tensor) -> Tensor:
        """Shape (sentences, n, relations): each relation of a word to the head it is given."""
        candidates = _below(self.relation_root, self._projected(rows, self.relation_head))
        places = heads[:, :, None].expand(-1, -1, candidates.shape[-1])
        theirs = _with_one(candidates.gather(1, places))
        ours = _with_one(self._projected(rows, self.relation_dependent))
        return torch.einsum("bnk,rkl,bnl->bnr", ours, self.relation, theirs)

    def _projected(self, rows: Tensor, layer: nn.Linear) -> Tensor:
        return functional.dropout(functional.leaky_relu(layer.forward(rows), _LEAK), _DROPOUT, training=self.training)


def fit_network(
    examples: Sequence[ParserExample],
    *,
    relations: int,
    epochs: int,
    seed: int = 0,
    told: Callable[[int, float], None] = lambda _epoch, _loss: None,
) -> ParserNetwork:
    """Fit to these sentences; always the same for the same input on one machine. `told` gets each epoch's mean loss."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        shuffle = np.random.default_rng(seed)
        network = ParserNetwork(examples[0].vectors.shape[1], relations=relations)
        optimiser = torch.optim.Adam(network.parameters(), lr=_RATE, betas=_MOMENTA)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
        groups = _groups(examples)
        for epoch in range(1, epochs + 1):
            total = 0.0
            for batch in _batches(examples, groups, shuffle):
                loss = network.loss(batch)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                total += loss.item()
            schedule.step()
            told(epoch, total / len(groups))
    # What is measured is what ships: weights in half precision.
    return network.eval().half().float()


def _groups(examples: Sequence[ParserExample]) -> list[list[int]]:
    """Sentences of about one length, so many that they have `_BATCH_WORDS` words."""
    groups: list[list[int]] = [[]]
    words = 0
    for place in sorted(range(len(examples)), key=lambda place: len(examples[place].heads)):
        if words >= _BATCH_WORDS:
            groups.append([])
            words = 0
        groups[-1].append(place)
        words += len(examples[place].heads)
    return groups


def _batches(
    examples: Sequence[ParserExample], groups: Sequence[Sequence[int]], shuffle: np.random.Generator
) -> Iterator[_Batch]:
    for number in shuffle.permutation(len(groups)):
        yield _batch([examples[place] for place in groups[number]])


def _batch(own: Sequence[ParserExample]) -> _Batch:
    def padded(rows: Sequence[Any], kind: torch.dtype) -> Tensor:
        return nn.utils.rnn.pad_sequence([torch.as_tensor(row, dtype=kind) for row in rows], batch_first=True)

    return _Batch(
        vectors=padded([example.vectors for example in own], torch.float32),
        present=padded([[True] * len(example.heads) for example in own], torch.bool),
        heads=padded([[head + 1 for head in example.heads] for example in own], torch.long),
        relations=padded([example.relations for example in own], torch.long),
    )


def _with_neighbours(vectors: Tensor) -> Tensor:
    """Each word between the one before it and the one after it; zeros beyond the ends."""
    words = vectors.shape[1]
    padded = functional.pad(vectors, (0, 0, _WINDOW, _WINDOW))
    return torch.cat([padded[:, start : start + words] for start in range(2 * _WINDOW + 1)], dim=-1)


def _below(first: Tensor, rows: Tensor) -> Tensor:
    """The rows of each sentence with the root's before them."""
    return torch.cat([first.expand(len(rows), 1, -1), rows], dim=1)


def _with_one(rows: Tensor) -> Tensor:
    return functional.pad(rows, (0, 1), value=1.0)
