"""What ranking needs to know of the whole corpus: how many passages, how long, how many hold a term.

Counting is what costs most of a search, so counts are remembered: exactly as long as the server's own snapshot says
that nothing has changed, those of common terms until the corpus has grown or shrunk by a hundredth.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import msgspec

from embeddings.postgres.database import Connection
from embeddings.postgres.reads import the_row
from embeddings.postgres.values import lexeme

__all__ = ["Sizes", "Statistics", "as_query"]

_COMMON = 1_000
_MOST_REMEMBERED = 100_000


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
        self._state: _State | None = None
        self._common: dict[tuple[int, str], tuple[int, int]] = {}
        """How many passages hold a term, and how many there were when that was counted."""

    def sizes(self, db: Connection, generation: int) -> Sizes:
        """How much the generation holds in the state that `db` sees."""
        return self._at(db, generation).sizes

    def frequencies(self, db: Connection, generation: int, terms: Sequence[str]) -> dict[str, int]:
        """How many passages of the generation hold each term."""
        state = self._at(db, generation)
        missing = [term for term in terms if term not in state.frequencies]
        for term in missing:
            known = self._common.get((generation, term))
            if known is not None and abs(known[1] - state.sizes.passages) * 100 < known[1]:
                state.frequencies[term] = known[0]
        counted = _counted(db, generation, [term for term in missing if term not in state.frequencies])
        state.frequencies.update(counted)
        self._remember(generation, counted, state.sizes.passages)
        return {term: state.frequencies[term] for term in terms}

    def _at(self, db: Connection, generation: int) -> _State:
        (snapshot,) = the_row(db, "SELECT pg_current_snapshot()::text")
        key = (str(snapshot), generation)
        state = self._state
        if state is None or state.key != key:
            state = self._state = _State(key, _sizes(db, generation), {})
        return state

    def _remember(self, generation: int, counted: dict[str, int], passages: int) -> None:
        with self._lock:
            if len(self._common) > _MOST_REMEMBERED:
                self._common.clear()
            common = {(generation, term): (count, passages) for term, count in counted.items() if count >= _COMMON}
            self._common |= common


def as_query(term: str) -> str:
    """A term as the server's text search asks for it: nothing in it is syntax."""
    return "'" + lexeme(term).replace("\\", "\\\\").replace("'", "''") + "'"


def _sizes(db: Connection, generation: int) -> Sizes:
    passages, words = the_row(
        db,
        "SELECT coalesce(sum(passages), 0)::bigint, coalesce(sum(words), 0)::bigint FROM encodings"
        " WHERE generation = %s",
        (generation,),
    )
    return Sizes(passages=passages, words=words)


def _counted(db: Connection, generation: int, terms: Sequence[str]) -> dict[str, int]:
    if not terms:
        return {}
    rows = db.execute(
        "SELECT term, (SELECT count(*) FROM passages WHERE generation = %s AND terms @@ query)"
        " FROM unnest(%s::text[], %s::tsquery[]) AS given (term, query)",
        (generation, list(terms), [as_query(term) for term in terms]),
    )
    return dict(rows.fetchall())
