"""Corpus statistics for ranking and spelling, for all or some collections: passages, lengths, terms.

Counting is what costs most of a search, so counts are remembered: exactly as long as the server's own snapshot says
that nothing has changed, those of common terms until the corpus has grown or shrunk by a hundredth.
"""

import threading
from collections.abc import Sequence

import msgspec

from embeddings.index.terms import Lexicon
from embeddings.postgres.database import Connection
from embeddings.postgres.passages import passages as stored_passages
from embeddings.postgres.reads import matching, of_lexemes, the_row
from embeddings.postgres.schema import lexeme
from embeddings.types import Where

_COMMON = 1_000
_MOST_REMEMBERED = 100_000
_MOST_STATES = 64
Within = tuple[str, ...] | None
"""Which collections count; None: all."""


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """Of a generation."""

    passages: int
    words: int


class _State(msgspec.Struct, frozen=True):
    """Counts that hold for one snapshot of one generation."""

    key: tuple[str, int]
    sizes: Sizes
    frequencies: dict[str, int]


class Statistics:
    """The memory of one process; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[Within, _State] = {}
        self._common: dict[tuple[int, Within, str], tuple[int, int]] = {}
        """How many passages hold a term, and how many there were when that was counted."""

    def sizes(self, db: Connection, generation: int, *, within: Within = None) -> Sizes:
        """How much the generation holds in the state that `db` sees."""
        return self._at(db, generation, within).sizes

    def frequencies(
        self, db: Connection, generation: int, terms: Sequence[str], *, within: Within = None
    ) -> dict[str, int]:
        """How many passages of the generation hold each term."""
        state = self._at(db, generation, within)
        missing = [term for term in terms if term not in state.frequencies]
        for term in missing:
            known = self._common.get((generation, within, term))
            if known is not None and abs(known[1] - state.sizes.passages) * 100 < known[1]:
                state.frequencies[term] = known[0]
        counted = _counted(db, generation, within, [term for term in missing if term not in state.frequencies])
        state.frequencies.update(counted)
        self._remember(generation, within, counted, state.sizes.passages)
        return {term: state.frequencies[term] for term in terms}

    def _at(self, db: Connection, generation: int, within: Within) -> _State:
        (snapshot,) = the_row(db, "SELECT pg_current_snapshot()::text")
        key = (str(snapshot), generation)
        state = self._states.get(within)
        if state is None or state.key != key:
            state = _State(key, _sizes(db, generation, within), {})
            with self._lock:
                if len(self._states) >= _MOST_STATES:
                    self._states.clear()
                self._states[within] = state
        return state

    def _remember(self, generation: int, within: Within, counted: dict[str, int], passages: int) -> None:
        with self._lock:
            if len(self._common) > _MOST_REMEMBERED:
                self._common.clear()
            self._common |= {
                (generation, within, term): (count, passages) for term, count in counted.items() if count >= _COMMON
            }


def as_query(term: str) -> str:
    """A term as the server's text search asks for it: nothing in it is syntax."""
    return "'" + lexeme(term).replace("\\", "\\\\").replace("'", "''") + "'"


def _sizes(db: Connection, generation: int, within: Within) -> Sizes:
    condition, values = matching(Where(within=within))
    among = f" AND article IN (SELECT number FROM articles WHERE {condition})" if values else ""  # noqa: S608
    passages, words = the_row(
        db,
        "SELECT coalesce(sum(passages), 0)::bigint, coalesce(sum(words), 0)::bigint FROM encodings"  # noqa: S608
        f" WHERE generation = %s{among}",
        (generation, *values),
    )
    return Sizes(passages=passages, words=words)


def _counted(db: Connection, generation: int, within: Within, terms: Sequence[str]) -> dict[str, int]:
    if not terms:
        return {}
    condition, values = of_lexemes(Where(within=within))
    rows = db.execute(
        f"SELECT term, (SELECT count(*) FROM lexemes WHERE generation = %s AND terms @@ query AND {condition})"  # noqa: S608
        " FROM unnest(%s::text[], %s::tsquery[]) AS given (term, query)",
        (generation, *values, list(terms), [as_query(term) for term in terms]),
    )
    return dict(rows.fetchall())


class StoredLexicon(Lexicon):
    """What a generation holds in the state that `db` sees."""

    def __init__(self, db: Connection, *, generation: int, statistics: Statistics, where: Where) -> None:
        self._db = db
        self._generation = generation
        self._statistics = statistics
        self._where = where

    def like(self, term: str, *, mistakes: int) -> Sequence[str]:
        """Terms that any passage ever held, of about this length, with its first letter or its first two swapped."""
        term = lexeme(term)
        rows = self._db.execute(
            "SELECT term FROM vocabulary WHERE left(term, 1) = ANY(%s) AND length(term) BETWEEN %s AND %s"
            " ORDER BY term",
            ([term[:1], term[1:2]], len(term) - mistakes, len(term) + mistakes),
        )
        return [found for (found,) in rows]

    def frequency(self, term: str) -> int:
        """How many passages hold a term, in the collections in question; none where the filter leaves none of them."""
        within = self._where.within
        held = self._statistics.frequencies(self._db, self._generation, [term], within=within)[term]
        return held if held and self._keys(term, most=1) else 0

    def words(self, term: str, *, passages: int) -> str:
        """Title and text of the first passages that hold a term."""
        stored, _ = stored_passages(self._db, self._keys(term, most=passages))
        return " ".join(f"{stored[key].title} {stored[key].passage.text}" for key in sorted(stored))

    def _keys(self, term: str, *, most: int) -> list[int]:
        condition, values = of_lexemes(self._where)
        rows = self._db.execute(
            "SELECT key FROM lexemes WHERE generation = %s AND terms @@ %s::tsquery"  # noqa: S608 - values are bound
            f" AND {condition} ORDER BY key LIMIT %s",
            (self._generation, as_query(term), *values, most),
        )
        return [key for (key,) in rows]
