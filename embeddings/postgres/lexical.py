"""BM25 by the server's full text: takes terms, gives the keys of passages that hold them, best first.

The same formula over the same terms as the embedded store's (`embeddings.index.lexical`), so that both rank alike. The
server's index finds the passages. How often one holds a term, `ts_rank` tells: for a single term it gives the sum of
1/n² over its places, divided by that sum's limit, which is another number for every count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from embeddings.index.lexical import K1, MOST_TERMS, B
from embeddings.postgres.database import Connection
from embeddings.postgres.filters import of_passages
from embeddings.postgres.statistics import Statistics, as_query
from embeddings.types import Hit, Where

__all__ = ["search"]

_MOST_SCORED = 5_000
"""Common terms choose no passages where the rarer ones choose so many; those that could still be among the best are
looked at all the same."""

_LIMIT = 1.64493406685
"""The sum of 1/n², as ts_rank has it."""


class _Wanted(msgspec.Struct, frozen=True):
    query: str
    frequency: int
    weight: float


def search(
    db: Connection, question: Sequence[str], *, generation: int, statistics: Statistics, k: int, where: Where
) -> tuple[Hit, ...]:
    """Rank the passages that a filter lets through by BM25; how rare a term is counts over all of these collections."""
    sizes = statistics.sizes(db, generation, within=where.within)
    frequencies = statistics.frequencies(db, generation, question, within=where.within)
    held = sorted((term for term in question if frequencies[term]), key=lambda term: frequencies[term])[:MOST_TERMS]
    if not held:
        return ()
    wanted = [_wanted(term, frequencies[term], sizes.passages) for term in held]
    mean = sizes.words / sizes.passages
    choosing = _rarest(wanted)
    hits = _ranked(db, wanted, choosing, mean=mean, generation=generation, k=k, where=where)
    missed = sum(one.weight for one in wanted[len(choosing) :]) * (K1 + 1)
    if len(choosing) < len(wanted) and (len(hits) < k or hits[-1].score <= missed):
        hits = _ranked(db, wanted, wanted, mean=mean, generation=generation, k=k, where=where)
    return hits


def _wanted(term: str, frequency: int, passages: int) -> _Wanted:
    return _Wanted(as_query(term), frequency, math.log(1 + (passages - frequency + 0.5) / (frequency + 0.5)))


def _rarest(wanted: Sequence[_Wanted]) -> Sequence[_Wanted]:
    """As many terms, the rarest first, as choose a bounded number of passages; one at least."""
    together = 0
    for number, one in enumerate(wanted):
        together += one.frequency
        if together > _MOST_SCORED:
            return wanted[: max(1, number)]
    return wanted


def _ranked(
    db: Connection,
    wanted: Sequence[_Wanted],
    choosing: Sequence[_Wanted],
    *,
    mean: float,
    generation: int,
    k: int,
    where: Where,
) -> tuple[Hit, ...]:
    condition, values = of_passages(where)
    rows = db.execute(
        "SELECT key, sum(weight * %s * count / (count + %s + %s * words)) AS score"  # noqa: S608 - values are bound
        " FROM passages CROSS JOIN unnest(%s::tsquery[], %s::float8[]) AS wanted (query, weight)"
        " CROSS JOIN LATERAL (SELECT width_bucket(ts_rank('{1,1,1,1}', terms, query), %s::float4[])::float8)"
        " AS counted (count)"
        f" WHERE generation = %s AND terms @@ %s::tsquery AND count > 0 AND {condition}"
        " GROUP BY key ORDER BY score DESC, key LIMIT %s",
        (
            K1 + 1,
            K1 * (1 - B),
            K1 * B / mean,
            [one.query for one in wanted],
            [one.weight for one in wanted],
            _STEPS,
            generation,
            " | ".join(one.query for one in choosing),
            *values,
            k,
        ),
    )
    return tuple(Hit(key, score) for key, score in rows)


def _steps(most: int) -> list[float]:
    """Between what ts_rank gives for n - 1 and for n places of a term, for each n from 1."""
    sums = [0.0]
    for number in range(1, most + 1):
        sums.append(sums[-1] + 1 / number**2)
    return [(before + after) / 2 / _LIMIT for before, after in pairwise(sums)]


_STEPS = _steps(255)
