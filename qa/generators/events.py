"""Server-sent events as models' servers send them: takes bytes however they are cut, gives the data of each event.

The format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import Iterator

from qa.errors import GeneratorFailed

__all__ = ["EventStream", "garbage"]

_FIELDS = frozenset({b"data", b"event", b"id", b"retry", b""})
_DOUBLED_PAIRS = 4


class EventStream:
    """One stream, read as it arrives."""

    def __init__(self, *, done: bytes = b"") -> None:
        """`done` is the data by which a server says that nothing more comes, where it has such a word."""
        self._word = done
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._doubled = _Doubled()
        self.done = False
        """That word came; nothing after it is read."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The events that are whole now. Raises GeneratorFailed for what is no event stream."""
        self._rest += data
        if b"\n" not in data:
            return
        complete, _, rest = bytes(self._rest).rpartition(b"\n")
        self._rest = bytearray(rest)
        for line in complete.split(b"\n"):
            yield from self._line(line.removesuffix(b"\r"))

    def finish(self) -> Iterator[bytes]:
        """The stream has ended: an event without the empty line behind it. Raises GeneratorFailed as `feed` does."""
        for line in (bytes(self._rest), b""):
            yield from self._line(line)
        if self._doubled.certain(at_end=True):
            raise garbage("every event comes twice")

    def _line(self, line: bytes) -> Iterator[bytes]:
        """One line; an empty one ends an event."""
        if self.done:
            return
        if not line:
            data, self._data = b"\n".join(self._data), []
            if data:
                yield from self._event(data)
            return
        name, _, value = line.partition(b":")
        if name == b"error":
            yield from self._event(b'{"error":' + value + b"}")  # llama.cpp's way of failing in mid-stream
        elif name not in _FIELDS:
            raise garbage("it is no event stream")
        elif name == b"data":
            self._data.append(value.removeprefix(b" "))

    def _event(self, data: bytes) -> Iterator[bytes]:
        if self._word and data.strip() == self._word:
            self.done = True
            return
        self._doubled.see(data)
        if self._doubled.certain():
            raise garbage("every event comes twice")
        yield data


class _Doubled:
    """Notices that each event is sent twice; the same word twice in a row is no proof."""

    def __init__(self) -> None:
        self._count = 0
        self._first = b""
        self._kinds: set[bytes] = set()
        self._possible = True

    def see(self, event: bytes) -> None:
        """Look at one more event."""
        self._count += 1
        if not self._possible:
            return
        if self._count % 2:
            self._first = event
        elif event != self._first:
            self._possible = False
            self._kinds.clear()
        else:
            self._kinds.add(event)

    def certain(self, *, at_end: bool = False) -> bool:
        """Whether all came twice, several different ones among them."""
        wanted = 2 if at_end else _DOUBLED_PAIRS
        return self._possible and self._count % 2 == 0 and len(self._kinds) >= wanted


def garbage(what: str) -> GeneratorFailed:
    """The failure of a server that sends what nobody can use."""
    return GeneratorFailed(f"the model's server sent something unusable: {what}", reason="model_failed")
