"""Fits the dependency parser of the support checker to treebanks; writes `qa/grounding/parser.npz`.

    python -m qa.training.fit_parser --out qa/grounding/parser.npz --train PATH… --report PATH…

A path is a CoNLL-U file or a folder with such files. No sentence of `--report` is fitted to, even where `--train`
holds it, too. The parser that ships was fitted to UD English EWT (CC BY-SA 4.0): weights only, none of its text.
Dozat and Manning, "Deep Biaffine Attention for Neural Dependency Parsing" (2017), on frozen vectors: every word is
scored as every other's head, plus a preference for each distance, then each relation at the head.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from embeddings.encoders import Encoder, TokenVectors, load
from embeddings.errors import EncoderError
from qa.evaluation.metrics.statistics import Estimate, mean
from qa.evaluation.types import InvalidDataset
from qa.grounding.trees import Parser, word_states
from qa.language.words import Word
from qa.training.treebanks import TreebankSentence, read_treebank

__all__ = ["Arrays", "fit", "main", "score"]

_EPOCHS = 9
_FEWEST_WORDS = 2
"""In a sentence of one word there is nothing to decide."""
_MOST_WORDS = 60
"""Longer ones are lists and signatures, and cost most."""
_AT_ONCE = 512
_NO_LAYERS = "this encoder keeps no states half-way up its layers; name a model of transformer layers"
Arrays = dict[str, npt.NDArray[Any]]
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the fit from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--train", type=Path, nargs="+", required=True)
    parser.add_argument("--report", type=Path, nargs="+", required=True)
    parser.add_argument("--encoder", default="all-MiniLM-L6-v2")
    options = parser.parse_args(arguments)
    if not options.out.parent.is_dir():
        parser.error(f"there is no folder {options.out.parent} to write into")
    reported = {path: read_treebank([path]).sentences for path in options.report}
    held_out = {sentence.text for own in reported.values() for sentence in own}
    bank = read_treebank(options.train)
    sentences = [sentence for sentence in bank.sentences if sentence.text not in held_out]
    _say(f"{len(sentences)} sentences to fit to; {bank.left_out} that are cut otherwise than we cut are left out")
    encoder = load(options.encoder)
    arrays = fit(sentences, encoder=encoder, told=_say)
    np.savez_compressed(options.out, allow_pickle=False, **arrays)
    for path, own in reported.items():
        attached, labelled = score(own, parser=Parser(arrays), encoder=encoder)
        _say(f"{path}: {attached.groups} sentences, {attached.n} words, UAS {_told(attached)}, LAS {_told(labelled)}")


def fit(
    sentences: Sequence[TreebankSentence],
    *,
    encoder: Encoder,
    epochs: int = _EPOCHS,
    told: Callable[[str], None] = lambda _: None,
) -> Arrays:
    """The arrays of a parser fitted to what an encoder makes of these sentences, as `Parser` reads them.

    Sentences of one word and very long ones are left out.

    Raises InvalidDataset where none is left, EncoderError where the encoder has no layers to look into.
    """
    known = [sentence for sentence in sentences if _FEWEST_WORDS <= len(sentence.words) <= _MOST_WORDS]
    if not known:
        raise InvalidDataset(
            f"none of {len(sentences)} sentences to fit to has {_FEWEST_WORDS} to {_MOST_WORDS} words; "
            "name more files, none of which is reported on"
        )
    relations = tuple(sorted({relation for sentence in known for relation in sentence.relations}))
    places = {relation: place for place, relation in enumerate(relations)}
    examples = [
        _ParserExample(
            vectors=_word_vectors(sentence.words, text),
            heads=sentence.heads,
            relations=tuple(places[relation] for relation in sentence.relations),
        )
        for sentence, text in _read(known, encoder, told=told)
    ]
    network = _fit_network(
        examples,
        relations=len(relations),
        epochs=epochs,
        told=lambda epoch, loss: told(f"epoch {epoch} of {epochs}: loss {loss:.3f}"),
    )
    return {
        **network.arrays(),
        "relations": np.array(relations),
        "encoder": np.array(encoder.identity.revision),
    }


def score(sentences: Sequence[TreebankSentence], *, parser: Parser, encoder: Encoder) -> tuple[Estimate, Estimate]:
    """Share of words with the right head, and with the right relation at it, too; sentences are the groups.

    Sentences of one word are left out. Attachment scores over our words: no punctuation is among them.
    """
    known = [sentence for sentence in sentences if len(sentence.words) >= _FEWEST_WORDS]
    attached: list[float] = []
    labelled: list[float] = []
    groups: list[str] = []
    for number, (sentence, text) in enumerate(_read(known, encoder)):
        tree = parser.parse(sentence.words, text)
        if tree is None:
            raise EncoderError(_NO_LAYERS)
        for word, (head, relation) in enumerate(zip(tree.heads, tree.relations, strict=True)):
            right = head == sentence.heads[word]
            attached.append(right)
            labelled.append(right and relation == sentence.relations[word])
            groups.append(str(number))
    return mean(attached, groups=groups), mean(labelled, groups=groups)


def _read(
    sentences: Sequence[TreebankSentence], encoder: Encoder, *, told: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[TreebankSentence, TokenVectors]]:
    """Each sentence with the vectors of its tokens."""
    for start in range(0, len(sentences), _AT_ONCE):
        own = sentences[start : start + _AT_ONCE]
        yield from zip(own, encoder.encode_tokens([sentence.text for sentence in own]), strict=True)
        told(f"{start + len(own)} of {len(sentences)} sentences encoded")


def _word_vectors(words: Sequence[Word], text: TokenVectors) -> npt.NDArray[np.float16]:
    """What the parser reads of each word. Raises EncoderError for an encoder without states half-way up."""
    if text.halfway is None:
        raise EncoderError(_NO_LAYERS)
    return word_states(words, text).astype(np.float16)


def _told(estimate: Estimate) -> str:
    return f"{estimate.value:.4f} (95 % {estimate.low:.4f} to {estimate.high:.4f})"


def _say(line: str) -> None:
    print(line, flush=True)


class _ParserExample(msgspec.Struct, frozen=True, kw_only=True):
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


class _ParserNetwork(nn.Module):
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


def _fit_network(
    examples: Sequence[_ParserExample],
    *,
    relations: int,
    epochs: int,
    seed: int = 0,
    told: Callable[[int, float], None] = lambda _epoch, _loss: None,
) -> _ParserNetwork:
    """Fit to these sentences; always the same for the same input on one machine. `told` gets each epoch's mean loss."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        shuffle = np.random.default_rng(seed)
        network = _ParserNetwork(examples[0].vectors.shape[1], relations=relations)
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


def _groups(examples: Sequence[_ParserExample]) -> list[list[int]]:
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
    examples: Sequence[_ParserExample], groups: Sequence[Sequence[int]], shuffle: np.random.Generator
) -> Iterator[_Batch]:
    for number in shuffle.permutation(len(groups)):
        yield _batch([examples[place] for place in groups[number]])


def _batch(own: Sequence[_ParserExample]) -> _Batch:
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


if __name__ == "__main__":
    main()
