"""Search on the server: by cosine, and by BM25 over its full text; both give keys of passages, best first.

The index holds half-precision numbers; what it finds is ranked again by the full ones. A filter is applied while the
index is walked, and where the walk ends with fewer than there must be, all passages in question are compared.

The same formula over the same terms as the embedded store's (`embeddings.index.lexical`), so that both rank alike. The
server's index finds the passages. How often one holds a term, `ts_rank` tells: for a single term it gives the sum of
1/n² over its places, divided by that sum's limit, which is another number for every count.

Common terms choose no passages where rarer ones choose enough. What these reach then says which passages could still be
among the best; only those are looked at besides, so that the list is exact.
"""

import math
from collections.abc import Sequence
from itertools import accumulate

import msgspec
from psycopg import sql

from embeddings.index.lexical import K1, MOST_TERMS, B
from embeddings.postgres.database import Connection
from embeddings.postgres.reads import Values, among, matching, of_passages, the_row
from embeddings.postgres.statistics import Statistics, as_query
from embeddings.types import Hit, Vector, Where

EXACT_MOST = 5_000
"""Up to so many passages are compared one by one; and a generation of no more has no index."""
_LARGEST_INDEXED = 4_000
"""Dimensions that half precision may have in an index."""
_BEAM, _LARGEST_BEAM = 200, 1_000
"""Candidates held during a walk: with 100 of them 95 % of the first fifty were found, with 200 98 % (of 20,000)."""
FEW = 3_000
"""Passages in question: of no more than so many all are looked at, from their articles on."""
_CHOSEN = 1_000
"""Rare terms choose about so many of the passages in question at first."""
_TOGETHER = 2
"""So many common terms are asked for together, before it is left open which ones come with them: the question to the
index would become too long."""
_NEARLY = 1 - 1e-9
"""So that no rounding leaves out one that is equally good."""
_LIMIT = 1.64493406685
"""The sum of 1/n², as ts_rank has it."""


def search_dense(
    db: Connection, vector: Vector, *, generation: int, passages: int, k: int, where: Where
) -> tuple[Hit, ...]:
    """Rank the passages that a filter lets through, of which there are so many at most, by cosine to a unit vector."""
    if not passages:
        return ()
    if passages > EXACT_MOST and is_indexed(db, generation):
        hits = _walked(db, vector, generation=generation, k=k, where=where)
        if len(hits) == min(k, passages):
            return hits
    return _compared(db, vector, generation=generation, k=k, where=where)


def all_there(db: Connection, hits: Sequence[Hit], *, where: Where) -> bool:
    """Whether each passage of a list is held and searched now, and passes the filter."""
    keys = list({hit.key for hit in hits})
    condition, values = of_passages(where)
    searched = "generation = (SELECT number FROM generations WHERE active)"
    statement = f"SELECT count(*) FROM passages WHERE key = ANY(%s) AND {searched} AND {condition}"  # noqa: S608
    (held,) = the_row(db, statement, (keys, *values))
    return bool(held == len(keys))


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


class _Wanted(msgspec.Struct, frozen=True):
    query: str
    frequency: int
    weight: float

    @property
    def most(self) -> float:
        """More than a passage can get for this term."""
        return self.weight * (K1 + 1)


class _Scoring(msgspec.Struct, frozen=True, kw_only=True):
    """What one search asks and how it counts."""

    wanted: Sequence[_Wanted]
    """The rarest first."""
    mean: float
    """Terms of a passage."""
    generation: int
    k: int
    where: Where


def search_lexical(
    db: Connection,
    question: Sequence[str],
    *,
    generation: int,
    passages: int,
    statistics: Statistics,
    k: int,
    where: Where,
) -> tuple[Hit, ...]:
    """Rank the passages that a filter lets through, of which there are so many at most, by BM25.

    How rare a term is counts over all of these collections, filtered or not.
    """
    sizes = statistics.sizes(db, generation, within=where.within)
    frequencies = statistics.frequencies(db, generation, question, within=where.within)
    held = sorted((term for term in question if frequencies[term]), key=lambda term: frequencies[term])[:MOST_TERMS]
    if not held or not passages:
        return ()
    wanted = [_wanted(term, frequencies[term], sizes.passages) for term in held]
    scoring = _Scoring(wanted=wanted, mean=sizes.words / sizes.passages, generation=generation, k=k, where=where)
    if passages <= FEW:
        return _ranked(db, scoring, _any(wanted), few=True)
    chosen = _rarest(wanted, most=_CHOSEN * sizes.passages / passages)
    hits = _ranked(db, scoring, _any(wanted[:chosen]))
    further = _at_least(wanted[chosen:], hits[-1].score * _NEARLY if len(hits) == k else 0.0)
    if further:
        hits += _ranked(db, scoring, f"({further}) & !({_any(wanted[:chosen])})")
        hits = tuple(sorted(hits, key=lambda hit: (-hit.score, hit.key))[:k])
    return hits


def tidy(db: Connection) -> None:
    """Take into the index what lies beside it; `db` stands in no transaction."""
    db.execute("SELECT gin_clean_pending_list('lexemes_by_term')")


def _wanted(term: str, frequency: int, passages: int) -> _Wanted:
    return _Wanted(as_query(term), frequency, math.log(1 + (passages - frequency + 0.5) / (frequency + 0.5)))


def _rarest(wanted: Sequence[_Wanted], *, most: float) -> int:
    """How many terms, the rarest first, choose a bounded number of passages; one at least."""
    together = accumulate(one.frequency for one in wanted)
    return max(1, sum(chosen <= most for chosen in together))


def _any(wanted: Sequence[_Wanted]) -> str:
    return " | ".join(one.query for one in wanted)


def _at_least(wanted: Sequence[_Wanted], score: float, *, together: int = _TOGETHER) -> str:
    """Ask for the passages that hold enough of some terms to reach a score, and perhaps for others; empty for none.

    >>> dam, river = _Wanted("dam", 1, 2.0), _Wanted("river", 2, 1.0)
    >>> _at_least([dam, river], 4.5), _at_least([dam, river], 2.0), _at_least([dam, river], 7.0)
    ('dam & (river)', 'dam | river', '')
    """
    found: list[str] = []
    for at, one in enumerate(wanted):
        if sum(each.most for each in wanted[at:]) < score:
            break
        if one.most >= score or not together:
            found.append(one.query)
        elif rest := _at_least(wanted[at + 1 :], score - one.most, together=together - 1):
            found.append(f"{one.query} & ({rest})")
    return " | ".join(found)


def _ranked(db: Connection, scoring: _Scoring, choosing: str, *, few: bool = False) -> tuple[Hit, ...]:
    """Score the passages that a question to the index chooses; `few`: those are read, and chosen from, without it."""
    condition, values = matching(scoring.where)
    joined = "JOIN articles ON articles.number = lexemes.article " if values else ""
    holds = "terms @@ %s::tsquery"
    inner, outer = ("TRUE", f"WHERE {holds} ") if few else (holds, "")
    # A term that occurs c times counts w * c / (c + norm), which is w - norm * w / (c + norm).
    lost = " + ".join([f"%s::float8 / (norm + {_COUNT})"] * len(scoring.wanted))
    terms: Values = []
    for one in scoring.wanted:
        terms += [one.most, one.query]
    within = [scoring.generation, *values]
    rows = db.execute(
        f"SELECT key, %s::float8 - norm * ({lost}) AS score FROM ("  # noqa: S608 - values are bound
        f"SELECT key, terms, %s::float8 + %s::float8 * length AS norm FROM lexemes {joined}"
        f"WHERE {inner} AND lexemes.generation = %s AND {condition} OFFSET 0) AS chosen {outer}"
        "ORDER BY score DESC, key LIMIT %s",
        (
            sum(one.most for one in scoring.wanted),
            *terms,
            *(K1 * (1 - B), K1 * B / scoring.mean),
            *([*within, choosing] if few else [choosing, *within]),
            scoring.k,
        ),
    )
    return tuple(Hit(key, score) for key, score in rows)


_COUNT = f"round({1 / _LIMIT} / (1 - ts_rank('{{1,1,1,1}}', terms, %s::tsquery)) - 0.5)"
"""How often a passage holds a term, as exact as if it were counted: what is left of the sum's limit after 1/n² is near
to 1 / (n + 1/2)."""
