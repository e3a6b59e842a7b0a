"""Takes files of premises and claims, gives token ids of claims with their evidence, and what it makes of them."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["LABELS", "Encoded", "Label", "Pair", "development", "encoded", "pairs_of", "shares"]

Label = Literal["entailment", "contradiction", "neutral", "not_entailment"]
LABELS: tuple[Label, ...] = ("entailment", "contradiction", "neutral", "not_entailment")
"""The first three are the network's outcomes; the last says only that it is not the first."""
CLAIM_TOKENS = 80
TOKENS = 256
"""Of the whole input; longer evidence is cut at its end."""
DEVELOPMENT_CLAIMS = 200
"""The last claims of the documents are kept to choose by."""
DEVELOPMENT_SHARE = 40
"""One in so many short pairs is kept to choose by."""


class Pair(msgspec.Struct, frozen=True):
    """One line of the training files; other fields are passed over."""

    premise: str
    hypothesis: str
    label: Label
    source: str = ""


class Encoded(msgspec.Struct, frozen=True):
    """Token ids of one input: the claim, then its evidence."""

    ids: tuple[int, ...]
    second: int
    """Where the evidence begins."""
    label: int
    """Place in `LABELS`."""


def pairs_of(path: Path) -> Iterator[Pair]:
    """Read one file of pairs, gzipped JSON Lines."""
    with gzip.open(path, "rb") as lines:
        decoder = msgspec.json.Decoder(Pair)
        for line in lines:
            yield decoder.decode(line)


def development(short: Sequence[Pair], documents: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """What to train on, and what to choose by: no claim of a document stands in both."""
    claims = list(dict.fromkeys(pair.hypothesis for pair in documents))
    kept = set(claims[-DEVELOPMENT_CLAIMS:])
    train = [pair for at, pair in enumerate(short) if at % DEVELOPMENT_SHARE]
    train += [pair for pair in documents if pair.hypothesis not in kept]
    return train, [*short[::DEVELOPMENT_SHARE], *(pair for pair in documents if pair.hypothesis in kept)]


def shares(pairs: Iterable[Pair], rng: random.Random, *, times: Mapping[str, int]) -> list[Pair]:
    """The pairs of one epoch, each as often as the beginning of its source's name says, else once; shuffled."""
    made: list[Pair] = []
    for pair in pairs:
        made += [pair] * next((count for name, count in times.items() if pair.source.startswith(name)), 1)
    rng.shuffle(made)
    return made


def encoded(pairs: Sequence[Pair], tokenizer: Tokenizer) -> list[Encoded]:
    """Cut pairs into token ids as the checker reads them: `[CLS] claim [SEP] evidence [SEP]`."""
    cls, sep = tokenizer.encode("").ids
    texts = list(dict.fromkeys(text for pair in pairs for text in (pair.premise, pair.hypothesis)))
    ids = {
        text: tuple(each.ids)
        for text, each in zip(texts, tokenizer.encode_batch(texts, add_special_tokens=False), strict=True)
    }
    made = []
    for pair in pairs:
        head = (cls, *ids[pair.hypothesis][:CLAIM_TOKENS], sep)
        evidence = ids[pair.premise][: TOKENS - len(head) - 1]
        made.append(Encoded((*head, *evidence, sep), len(head), LABELS.index(pair.label)))
    return made
