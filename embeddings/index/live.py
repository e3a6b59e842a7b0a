"""The picture that searches run on, kept up to date: readers take it, nobody waits for a writer.

Publishing a picture is one assignment. A search asks for the picture of the very state that its read transaction
sees; where that is newer than the one at hand, it reads the few passages that came since.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import apsw

from embeddings.errors import IndexDamaged
from embeddings.index import files
from embeddings.index.snapshot import Snapshot, caught_up, empty, overgrown, squeezed, with_merged
from embeddings.index.terms import Terms
from embeddings.store.database import Fault
from embeddings.store.reads import State

__all__ = ["LiveIndex"]

_log = logging.getLogger(__name__)


class LiveIndex:
    """Holds the current picture of one store."""

    def __init__(self, folder: Path, *, terms: Terms, fault: Fault) -> None:
        self.folder = folder
        self._terms = terms
        self._fault = fault
        self._current: Snapshot | None = None
        self._saved: str | None = None
        """Stamp of the state that the files on disk show, as far as this process knows."""
        self._publishing = threading.Lock()
        self._merging = threading.Lock()

    def at(self, db: apsw.Connection, state: State) -> Snapshot | None:
        """The picture of `state`, which is what `db` sees; None where a newer one was published meanwhile."""
        current = self._current
        if current is None or current.state.change < state.change:
            with self._publishing:
                current = self._current
                if current is None:
                    current = self._current = self._first(db, state)
                elif current.state.change < state.change:
                    current = self._current = caught_up(current, db, state, self._terms)
        return current if current.state.change == state.change else None

    def merge(self) -> None:
        """Merge small segments and drop removed passages while searches go on; one thread at a time."""
        if not self._merging.acquire(blocking=False):
            return
        try:
            while self._current is not None and (run := overgrown(self._current)):
                merged = squeezed(run, self._current.alive)
                with self._publishing:
                    if self._current is not None and run[0] in self._current.segments:
                        self._current = with_merged(self._current, run, merged)
        finally:
            self._merging.release()

    def save(self, db: apsw.Connection, state: State) -> None:
        """Write the picture of `state` to disk, as one segment without removed passages, unless it is there already."""
        snapshot = self.at(db, state)
        if snapshot is None or self._saved == state.stamp:
            return
        with self._merging:
            whole = _single(snapshot)
            with self._publishing:
                if self._current is snapshot:
                    self._current = whole
        try:
            files.save(self.folder, whole, fault=self._fault)
            self._saved = state.stamp
        except OSError as error:
            _log.warning(
                "the indexes could not be saved in %s (%s); the next start makes them again", self.folder, error
            )

    def remake(self, db: apsw.Connection, state: State) -> None:
        """Make the picture of `state` from the store alone, whatever the files on disk say."""
        with self._publishing:
            self._saved = None
            self._current = _single(caught_up(empty(state), db, state, self._terms))

    def _first(self, db: apsw.Connection, state: State) -> Snapshot:
        """Read the files, or make the picture from the store where they are not exactly it."""
        if state.active is None:
            return empty(state)
        try:
            loaded = files.load(self.folder, state)
        except files.IndexOutdated as reason:
            _log.info("%s; making the indexes from the store", reason)
        except IndexDamaged as reason:
            _log.warning("%s; it is not used: making the indexes from the store", reason)
        else:
            self._saved = state.stamp
            return loaded
        return _single(caught_up(empty(state), db, state, self._terms))


def _single(snapshot: Snapshot) -> Snapshot:
    """The same picture in one segment."""
    living = sum(int(snapshot.alive[segment.near.keys].sum()) for segment in snapshot.segments)
    rows = sum(len(segment.near.keys) for segment in snapshot.segments)
    if living == rows and len(snapshot.segments) < 2:
        return snapshot
    return with_merged(snapshot, snapshot.segments, squeezed(snapshot.segments, snapshot.alive))
