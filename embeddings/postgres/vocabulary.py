"""The terms of a generation, for guesses at what was misspelt."""

from __future__ import annotations

from collections.abc import Sequence

from embeddings.index.spellings import Lexicon
from embeddings.postgres.database import Connection
from embeddings.postgres.filters import of_lexemes
from embeddings.postgres.passages import passages as stored_passages
from embeddings.postgres.statistics import Statistics, as_query
from embeddings.postgres.values import lexeme
from embeddings.types import Where

__all__ = ["StoredLexicon"]


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
