"""Search by cosine: exact where few passages are in question, by pgvector's HNSW index where many are.

The index holds half-precision numbers; what it finds is ranked again by the full ones. A filter is applied while the
index is walked, and where the walk ends with fewer than there must be, all passages in question are compared.
"""

from __future__ import annotations

from psycopg import sql

from embeddings.postgres.database import Connection
from embeddings.postgres.filters import among, of_passages
from embeddings.types import Hit, Vector, Where

__all__ = ["EXACT_MOST", "build", "drop_others", "index_name", "is_indexed", "search"]

EXACT_MOST = 5_000
"""Up to so many passages are compared one by one; and a generation of no more has no index."""

_LARGEST_INDEXED = 4_000
"""Dimensions that half precision may have in an index."""
_BEAM, _LARGEST_BEAM = 200, 1_000
"""Candidates held during a walk: with 100 of them 95 % of the first fifty were found, with 200 98 % (of 20,000)."""


def search(db: Connection, vector: Vector, *, generation: int, passages: int, k: int, where: Where) -> tuple[Hit, ...]:
    """Rank the passages that a filter lets through, of which there are so many at most, by cosine to a unit vector."""
    if not passages:
        return ()
    if passages > EXACT_MOST and is_indexed(db, generation):
        hits = _walked(db, vector, generation=generation, k=k, where=where)
        if len(hits) == min(k, passages):
            return hits
    return _compared(db, vector, generation=generation, k=k, where=where)


def index_name(generation: int) -> str:
    """What the index of a generation is called."""
    return f"passages_near_{generation}"


def is_indexed(db: Connection, generation: int) -> bool:
    """Whether a generation has an index that is whole."""
    return _validity(db, generation) is True


def build(db: Connection, generation: int, *, dimension: int) -> bool:
    """Make the index of a generation while others read and write; `db` stands in no transaction.

    Gives False where there is one, or the vectors are too long for any.
    """
    validity = _validity(db, generation)
    if validity or dimension > _LARGEST_INDEXED:
        return False
    name = sql.Identifier(index_name(generation))
    if validity is False:  # whoever began it did not live to its end
        db.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(name))
    db.execute(
        sql.SQL(
            "CREATE INDEX CONCURRENTLY {} ON passages USING hnsw ((embedding::halfvec({})) halfvec_cosine_ops)"
            " WHERE generation = {}"
        ).format(name, sql.Literal(dimension), sql.Literal(generation))
    )
    return True


def drop_others(db: Connection) -> None:
    """Remove the indexes of generations that are no more; `db` stands in no transaction."""
    kept = {index_name(number) for (number,) in db.execute("SELECT number FROM generations")}
    rows = db.execute(
        "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexname LIKE 'passages_near_%'"
    )
    for name in {name for (name,) in rows} - kept:
        db.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(name)))


def _validity(db: Connection, generation: int) -> bool | None:
    row = db.execute(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", (index_name(generation),)
    ).fetchone()
    return None if row is None else row[0]


def _walked(db: Connection, vector: Vector, *, generation: int, k: int, where: Where) -> tuple[Hit, ...]:
    condition, values = of_passages(where)
    beam, more = min(_LARGEST_BEAM, max(_BEAM, 4 * k)), 2 * k
    db.execute(
        "SELECT set_config('hnsw.ef_search', %s, true), set_config('hnsw.iterative_scan', 'relaxed_order', true),"
        " set_config('hnsw.max_scan_tuples', '100000', true), set_config('enable_seqscan', 'off', true),"
        " set_config('enable_sort', 'off', true)",
        (str(beam),),
    )
    # The numbers of generation and dimension are written out: only so does the planner see that the index fits.
    rows = db.execute(
        "SELECT key, 1 - (embedding <=> %s) FROM (SELECT key, embedding FROM passages"  # noqa: S608 - values are bound
        f" WHERE generation = {generation:d} AND {condition}"
        f" ORDER BY embedding::halfvec({len(vector):d}) <=> %s::halfvec({len(vector):d}) LIMIT %s) AS near"
        " ORDER BY embedding <=> %s, key LIMIT %s",
        (vector, *values, vector, more, vector, k),
    )
    return tuple(Hit(key, score) for key, score in rows)


def _compared(db: Connection, vector: Vector, *, generation: int, k: int, where: Where) -> tuple[Hit, ...]:
    condition, values = among(where)
    rows = db.execute(
        "SELECT key, 1 - (embedding <=> %s) FROM passages"  # noqa: S608 - values are bound
        f" WHERE generation = %s AND {condition} ORDER BY embedding <=> %s, key LIMIT %s",
        (vector, generation, *values, vector, k),
    )
    return tuple(Hit(key, score) for key, score in rows)
