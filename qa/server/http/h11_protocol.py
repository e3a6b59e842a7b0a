"""uvicorn's h11 protocol with gaps closed: what is not HTTP gets a problem document, what does not end is ended."""

from __future__ import annotations

import asyncio

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from qa.server.http.headers import ALWAYS
from qa.server.http.problems import MEDIA_TYPE, PROTOCOL_PROBLEM

__all__ = ["StrictProtocol"]

_UNWANTED_BYTES = 50_000_000
"""So much of a body is thrown away after its request was refused, so that the sender gets to read the refusal."""


_HEAD_SECONDS = 20.0
"""A request whose head takes longer is not waited for: connections are few here, and cost nothing to open."""


class StrictProtocol(H11Protocol):
    """One connection."""

    _unwanted = 0
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; its first request has to come soon."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of a connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; hang up on a sender who goes on and on after the answer."""
        if self.cycle is not None and self.cycle.response_complete and self.conn.their_state is h11.SEND_BODY:
            self._unwanted += len(data)
            if self._unwanted > _UNWANTED_BYTES:
                self.transport.abort()
                return
        else:
            self._unwanted = 0
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._waiting is None:
            self._wait_for_head()  # of the next request on this connection

    def _wait_for_head(self) -> None:
        self._waiting = self.loop.call_later(_HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        if self.conn.their_state is h11.IDLE and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP. `msg` is uvicorn's own; the problem says the same."""
        del msg
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.close()
            return
        body = msgspec.json.encode(PROTOCOL_PROBLEM)
        headers = {**ALWAYS, "content-type": MEDIA_TYPE, "content-length": str(len(body)), "connection": "close"}
        response = h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request")
        for event in (response, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
