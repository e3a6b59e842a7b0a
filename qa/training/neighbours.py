"""Takes questions with their passages, gives each question beside passages that are near it and do not answer it.

In service a question meets the passages that retrieval holds for nearest, nearly all of them about the same matter and
without the answer. A reader that saw each passage alone tells answers from no answers, and is as sure of words of the
right kind in a neighbour as of the answer. Method: the passages of one question are weighed against each other
(Clark and Gardner 2018, "shared normalization"; Karpukhin et al. 2020, hard negatives of the retriever's own).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from embeddings.encoders import Encoder
from qa.training.reader_data import Row, Tokens, Window, window_of

__all__ = ["Group", "Neighbourhood", "Neighbours", "groups_of", "neighbours_of"]

Group = tuple[Window, ...]
"""Windows of one question; where there are several, the first one alone holds the answer."""
Neighbours = list[tuple[int, ...]]
"""For each row, in order, the rows whose contexts lie near its question and do not hold the answer; empty for none."""
UNTIED = {
    "squad2_train",
    "squad1_train_sample",
    "squad1_train_prefix",
    "squadshifts_new_wiki",
    "nq_dev_oracle",
    "qed_dev_nq",
}
"""Sources whose questions say what they are about, and can be asked of any passage."""
LOOKED_AT, KEPT, BLOCK = 40, 12, 512


class Neighbourhood(msgspec.Struct, frozen=True, kw_only=True):
    """How questions are put beside their neighbours in an epoch."""

    groups: int
    """Questions of an epoch that come with neighbours."""
    alone: float = 1.0
    """Share of an epoch's other windows."""
    size: int = 2
    """Neighbours of a question."""


def neighbours_of(rows: Sequence[Row], encoder: Encoder, cache: Path) -> Neighbours:
    """The nearest rows by the encoder that retrieves, nearest first; kept in `cache`, since it takes minutes."""
    if cache.is_file():
        return msgspec.json.decode(cache.read_bytes(), type=Neighbours)
    places = {row.context: number for number, row in enumerate(rows)}
    contexts = list(places)
    vectors = np.concatenate(
        [encoder.encode_passages(contexts[at : at + BLOCK]) for at in range(0, len(contexts), BLOCK)]
    )
    found: Neighbours = []
    for row in rows:
        if row.is_impossible or not row.answers or row.source not in UNTIED:
            found.append(())
            continue
        near = np.argsort(-(vectors @ encoder.encode_query(row.question)), kind="stable")[:LOOKED_AT]
        others = [contexts[number] for number in near if not _answers(contexts[number], row)]
        found.append(tuple(places[context] for context in others[:KEPT]))
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_bytes(msgspec.json.encode(found))
    return found


def _answers(context: str, row: Row) -> bool:
    folded = context.casefold()
    return context == row.context or any(answer.text.casefold() in folded for answer in row.answers)


def groups_of(
    tokens: Sequence[Tokens],
    neighbours: Neighbours,
    shape: Neighbourhood,
    rng: random.Random,
    *,
    cls: int,
    sep: int,
) -> list[Group]:
    """So many questions, each with its passage and some of its neighbours."""
    able = [number for number, near in enumerate(neighbours) if len(near) >= shape.size]
    made: list[Group] = []
    for number in rng.sample(able, min(shape.groups, len(able))):
        own = window_of(tokens[number], rng, cls=cls, sep=sep)
        if own is None or not own.first:
            continue
        drawn = rng.sample(neighbours[number], shape.size)
        others = [window_of(_asked_of(tokens[number], tokens[other]), rng, cls=cls, sep=sep) for other in drawn]
        made.append((own, *(other for other in others if other)))
    return made


def _asked_of(asked: Tokens, other: Tokens) -> Tokens:
    """The question of one row put to the passage of another, which does not answer it."""
    row = Row(question=asked.row.question, context=other.row.context, is_impossible=True)
    return msgspec.structs.replace(other, row=row, question=asked.question)
