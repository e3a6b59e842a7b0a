"""What the server and the driver raise, told as our own errors: which store, what happened, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout

from embeddings.errors import StoreBusy, StoreError, StoreFull, StoreReadOnly
from embeddings.postgres.address import Address

__all__ = ["translated", "without_password"]

_BUSY = (
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.SerializationFailure,
    errors.TooManyConnections,
)
_READ_ONLY = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Turn what the driver raises into our own errors, naming the server and never the password."""
    try:
        yield
    except psycopg.Error as error:
        raise _ours(error, address) from None  # the driver's own error may quote the connection's address


def without_password(text: str, address: Address) -> str:
    """A message on one line, the password struck out should it occur."""
    said = " ".join(text.split())
    return said.replace(address.password, "***") if address.password else said


def _ours(error: psycopg.Error, address: Address) -> StoreError:
    where, said = address.shown, without_password(str(error), address)
    if isinstance(error, PoolClosed):
        return StoreError(f"the store {where} was closed")
    if isinstance(error, PoolTimeout):
        return StoreBusy(
            f"no connection to {where} was to be had in time ({said}): it is down, or all connections of this process "
            "are at work (QA_STORE_CONNECTIONS)"
        )
    if isinstance(error, errors.DiskFull):
        return StoreFull(f"the disk of {where} is full; nothing of the last article was written. Make room there")
    if isinstance(error, _READ_ONLY):
        return StoreReadOnly(
            f"{where} does not let this user write ({said}); docs/postgresql.md says which rights it needs"
        )
    if isinstance(error, _BUSY):
        return StoreBusy(f"{where} was too busy ({said}); try again, or raise QA_STORE_TIMEOUT_SECONDS")
    if isinstance(error, psycopg.OperationalError):
        return StoreError(
            f"no connection to {where} ({said}). Does the server run, does it let this machine in, and are user and "
            "password in QA_STORE right?"
        )
    return StoreError(f"the store {where} cannot be used ({said})")
