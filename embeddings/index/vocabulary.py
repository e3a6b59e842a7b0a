"""The terms of a snapshot, for guesses at what was misspelt."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from embeddings.index import lexical
from embeddings.index.snapshot import Mask, Snapshot
from embeddings.index.spellings import Lexicon
from embeddings.store import passages as store_passages

__all__ = ["SnapshotLexicon"]


class SnapshotLexicon(Lexicon):
    """What a snapshot holds among the passages that count; `db` must see the same state."""

    def __init__(self, snapshot: Snapshot, db: apsw.Connection, *, among: Mask) -> None:
        self._snapshot = snapshot
        self._db = db
        self._among = among

    def like(self, term: str, *, mistakes: int) -> Sequence[str]:  # noqa: ARG002 - comparing all is fast enough
        """All that the snapshot holds; where every passage counts, all that it ever held, which costs less."""
        vocabulary = self._snapshot.vocabulary
        if self._among is self._snapshot.alive:
            return list(vocabulary)
        segments = [segment.posted for segment in self._snapshot.segments]
        held = lexical.terms_of(segments, alive=self._among)
        return [term for term, number in vocabulary.items() if number in held]

    def frequency(self, term: str) -> int:
        """How many passages hold a term."""
        return len(self._keys(term))

    def words(self, term: str, *, passages: int) -> str:
        """Title and text of the first passages that hold a term."""
        stored, _ = store_passages.passages(self._db, self._keys(term)[:passages])
        return " ".join(f"{item.title} {item.passage.text}" for item in stored.values())

    def _keys(self, term: str) -> list[int]:
        number = self._snapshot.vocabulary.get(term)
        if number is None:
            return []
        segments = [segment.posted for segment in self._snapshot.segments]
        return lexical.keys_of(segments, number, alive=self._among)
