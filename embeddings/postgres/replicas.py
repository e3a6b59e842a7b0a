"""Read replicas for searches: passes a search to one that is fresh enough.

Fresh means: it has replayed everything that the primary had committed `seconds` ago, and everything that this process
has written. That is checked before each search, against places in the primary's log noted now and then. What a replica
finds, its caller holds against the primary.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import TypeVar

import msgspec

from embeddings.errors import StoreError
from embeddings.postgres.database import Connection, Database, LateDatabase
from embeddings.postgres.reads import the_row
from embeddings.postgres.schema import ARTICLES
from embeddings.postgres.statistics import Statistics
from embeddings.types import Place

T = TypeVar("T")

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 3.0
"""A replica that takes longer is as good as away: the primary is asked."""
_REST_SECONDS = 10.0
"""One that failed is left alone for so long."""
_CLUSTER = "SELECT system_identifier FROM pg_control_system()"
_WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint"
_REPLAYED = "SELECT pg_is_in_recovery(), pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint"


class _Replica:
    """One replica, and what is remembered of it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        impatient = msgspec.structs.replace(place, timeout=_PATIENCE_SECONDS)
        self.database = LateDatabase(impatient, tables=ARTICLES, read_only=True)
        self.statistics = Statistics()
        self.rests_until = 0.0
        self.cluster: int | None = None


class _Mark(msgspec.Struct, frozen=True):
    """How far the primary's log was at a moment, or farther."""

    at: float
    place: int


class Replicas:
    """The replicas of one store; any thread may ask."""

    def __init__(self, primary: Database, place: Place, *, now: Callable[[], float] = time.monotonic) -> None:
        self._primary = primary
        self._seconds = place.replica_seconds
        self._now = now
        self._replicas = [_Replica(msgspec.structs.replace(place, server=url, replicas=())) for url in place.replicas]
        self._turn = count()
        self._lock = threading.Lock()
        self._marks: deque[_Mark] = deque()
        self._own = 0
        """Place in the log behind everything that this process has written."""
        self._wrote = True
        """Whether that is to be looked up; at first, since nobody knows what was written before."""

    def wrote(self) -> None:
        """Hear that this process has written something, which its next search must find."""
        self._wrote = True

    def ask(self, question: Callable[[Connection, Statistics], T]) -> T | None:
        """What a fresh replica answers; None where there is none. Raises StoreError where the primary is away."""
        if not self._replicas:
            return None
        least = self._least()
        first = next(self._turn)
        for number in range(len(self._replicas)):
            replica = self._replicas[(first + number) % len(self._replicas)]
            if self._now() < replica.rests_until:
                continue
            try:
                if self._is_fresh(replica, least):
                    with replica.database.reading() as db:  # its state is that of now, later than what was checked
                        return question(db, replica.statistics)
            except StoreError as error:
                self._leave_alone(replica, str(error))
        return None

    def close(self) -> None:
        """Close the connections. Idempotent."""
        for replica in self._replicas:
            replica.database.close()

    def _least(self) -> int:
        """The place in the log that a replica must have replayed."""
        with self._lock:
            now = self._now()
            while self._marks and self._marks[0].at < now - self._seconds:
                self._marks.popleft()
            if self._wrote or not self._marks or self._marks[-1].at < now - self._seconds / 4:
                wrote, self._wrote = self._wrote, False
                try:
                    with self._primary.reading() as db:
                        (place,) = the_row(db, _WRITTEN)
                except StoreError:
                    self._wrote = True  # to be looked up still
                    raise
                self._marks.append(_Mark(now, place))
                self._own = place if wrote else self._own
            return max(self._marks[0].place, self._own)

    def _is_fresh(self, replica: _Replica, least: int) -> bool:
        with replica.database.reading() as db:
            in_recovery, replayed = the_row(db, _REPLAYED)
            if not in_recovery:
                raise StoreError("it is no replica")
            if replica.cluster is None:
                replica.cluster = the_row(db, _CLUSTER)[0]
                with self._primary.reading() as primary:
                    if the_row(primary, _CLUSTER)[0] != replica.cluster:
                        raise StoreError("it is a replica of another server than QA_STORE names")
        return bool(replayed >= least)

    def _leave_alone(self, replica: _Replica, why: str) -> None:
        replica.rests_until = self._now() + _REST_SECONDS
        replica.cluster = None
        _log.warning("the replica %s is not asked for %g s: %s", replica.place, _REST_SECONDS, why)
