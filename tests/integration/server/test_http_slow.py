"""Whoever opens connections and says nothing, or says it very slowly, does not keep them."""

from __future__ import annotations

import socket
import time

import httpx
import pytest

_HEAD = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"


def connect(client: httpx.Client) -> socket.socket:
    return socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=120)


def await_end(connection: socket.socket, *, drip: bytes = b"") -> None:
    """Until the service hangs up; meanwhile a drip every tenth of a second."""
    connection.settimeout(0.1)
    for _ in range(1200):
        try:
            connection.sendall(drip)
            if not connection.recv(65536):
                return
        except TimeoutError:
            continue
        except OSError:
            return
    raise AssertionError("it never hung up")


@pytest.mark.parametrize(("first", "drip"), [(b"", b""), (b"GET / HT", b""), (_HEAD, b"x-a: b\r\n")], ids=str)
def test_a_head_that_never_ends(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, first: bytes, drip: bytes
) -> None:
    monkeypatch.setattr("qa.server.http.problems._HEAD_SECONDS", 0.5)
    begun = time.monotonic()
    with connect(client) as connection:
        connection.sendall(first)
        await_end(connection, drip=drip)
    assert time.monotonic() - begun > 0.4


def test_the_next_request_of_a_connection_too(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(client) as connection:
        connection.sendall(_HEAD + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        monkeypatch.setattr("qa.server.http.problems._HEAD_SECONDS", 0.5)
        connection.sendall(b"GET / HT")
        await_end(connection, drip=b"T")


def test_an_answer_may_take_longer_than_a_head(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.server.http.problems._HEAD_SECONDS", 1.0)
    with connect(client) as connection:
        body = b'{"question": "Where?"}'
        head = ["POST /api/ask HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        for at in range(0, len(body), 4):
            time.sleep(0.25)
            connection.sendall(body[at : at + 4])
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
