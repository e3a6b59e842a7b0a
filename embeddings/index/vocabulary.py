"""The terms of a snapshot, for guesses at what was misspelt."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from embeddings.index import lexical
from embeddings.index.snapshot import Chosen
from embeddings.index.spellings import Lexicon
from embeddings.store import passages as store_passages

__all__ = ["SnapshotLexicon"]


class SnapshotLexicon(Lexicon):
    """What is held among the passages of a snapshot that count; `db` must see the same state."""

    def __init__(self, db: apsw.Connection, *, among: Chosen) -> None:
        self._db = db
        self._among = among

    def like(self, term: str, *, mistakes: int) -> Sequence[str]:  # noqa: ARG002 - comparing all is fast enough
        """All with the same first letter, or that begin with the second: the two may be swapped."""
        beginnings = (term[:1], term[1::-1]) if len(term) > 1 else (term,)
        return sorted({word for beginning in beginnings for word in lexical.terms_from(self._among.posted, beginning)})

    def frequency(self, term: str) -> int:
        """How many passages hold a term."""
        return len(self._keys(term))

    def words(self, term: str, *, passages: int) -> str:
        """Title and text of the first passages that hold a term."""
        stored, _ = store_passages.passages(self._db, self._keys(term)[:passages])
        return " ".join(f"{item.title} {item.passage.text}" for item in stored.values())

    def _keys(self, term: str) -> list[int]:
        return lexical.keys_of(self._among.posted, term)
