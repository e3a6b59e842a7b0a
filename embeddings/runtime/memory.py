"""Results that were computed before, by a hash of all that they depend on.

Such a result is never out of date: what it depends on is its key. Where an article is changed or removed, nobody asks
for what was computed of its old words any more, and the hash says nothing of them.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import Generic, TypeVar

__all__ = ["Memory", "key_of"]

T = TypeVar("T")


class Memory(Generic[T]):
    """A bounded number of results; those that were not asked for longest make room. Any thread may use it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[bytes, T] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = 0
        """How often something asked for was there."""
        self.misses = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: bytes) -> T | None:
        """What is held under a key of `key_of`; it is counted whether anything is."""
        with self._lock:
            if key not in self._held:
                self.misses += 1
                return None
            self.hits += 1
            self._held.move_to_end(key)
            return self._held[key]

    def put(self, key: bytes, result: T) -> None:
        """Hold a result, which nobody may change any more."""
        with self._lock:
            self._held[key] = result
            self._held.move_to_end(key)
            while len(self._held) > self._most:
                self._held.popitem(last=False)


def key_of(*parts: str) -> bytes:
    """A hash of texts in their order; of other texts, or of the same ones parted elsewhere, it is another.

    >>> key_of("ab", "c") == key_of("a", "bc"), key_of("a") == key_of("a")
    (False, True)
    """
    digest = hashlib.blake2b(digest_size=32)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.digest()
