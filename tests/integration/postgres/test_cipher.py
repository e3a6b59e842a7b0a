"""Connections to another machine: encrypted, whoever listens there, and to whoever it says it is where that is wanted.

The server in the wheel speaks no TLS. A relay does, as a pooler before a server would, and hands on what was said.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from embeddings.errors import StoreError
from embeddings.postgres.corpus import PostgresCorpus
from embeddings.types import Place, Where

HOST = "db.example"
ASKED_FOR_TLS = bytes.fromhex("0000000804d2162f")


class Relay:
    """Listens as a server on another machine would; without a certificate it declines to encrypt."""

    def __init__(self, behind: Path, files: tuple[Path, Path] | None) -> None:
        self._behind = str(behind / ".s.PGSQL.5432")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if files else None
        if self._context and files:
            self._context.load_cert_chain(*files)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.encrypted: list[str] = []
        """How each connection that was taken is encrypted."""
        self.unencrypted = b""
        """What was said in the clear, but for the question whether to encrypt."""
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(60)

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(client,)))
            self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            if client.recv(len(ASKED_FOR_TLS)) != ASKED_FOR_TLS or self._context is None:
                client.sendall(b"N")
                self.unencrypted += client.recv(1000)
                return
            client.sendall(b"S")
            try:
                encrypted = self._context.wrap_socket(client, server_side=True)
            except OSError:  # it does not trust us
                return
            with encrypted, socket.socket(socket.AF_UNIX) as server:
                self.encrypted.append(encrypted.version() or "")
                server.connect(self._behind)
                with suppress(OSError):
                    relay(encrypted, server)


def relay(client: ssl.SSLSocket, server: socket.socket) -> None:
    """Hand on what either says until one of them ends."""
    while True:
        for one in [client] if client.pending() else select.select([client, server], [], [])[0]:
            if not (said := one.recv(65536)):
                return
            (server if one is client else client).sendall(said)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the other machine is: its name stays that of another machine."""
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    monkeypatch.delenv("PGSSLMODE", raising=False)


@pytest.fixture
def files(certificate: Any, tmp_path: Path) -> tuple[Path, Path]:
    made: tuple[Path, Path] = certificate(tmp_path, HOST)
    return made


@pytest.fixture
def encrypting(postgres_server: Any, files: tuple[Path, Path], elsewhere: None) -> Iterator[Relay]:  # noqa: ARG001
    with closing(Relay(postgres_server.folder, files)) as relay:
        yield relay


def address(server: Any, relay: Relay, settings: str = "", *, host: str = HOST) -> str:
    return f"{server.url().split('@')[0]}@{host}:{relay.port}/postgres{settings}"


def test_another_machine_is_spoken_to_in_cipher_alone(
    encrypting: Relay, postgres_server: Any, schema: str, made: Any
) -> None:
    place = Place(server=address(postgres_server, encrypting), schema=schema)
    with closing(PostgresCorpus.open(place, identity=made.identity)) as corpus:
        made.put(corpus, made.article("a", "The dams held."))
        assert len(corpus.search(made.vector("x"), "dams", k=3, where=Where()).lexical) == 1
    assert set(encrypting.encrypted) <= {"TLSv1.2", "TLSv1.3"}
    assert encrypting.encrypted


def test_a_server_that_declines_to_encrypt_is_told_nothing(postgres_server: Any, made: Any, elsewhere: None) -> None:  # noqa: ARG001
    with closing(Relay(postgres_server.folder, None)) as relay:
        place = Place(server=address(postgres_server, relay))
        with pytest.raises(StoreError, match="server does not support SSL"):
            PostgresCorpus.open(place, identity=made.identity)
    assert relay.unencrypted == b""


@pytest.mark.parametrize("host", [HOST, "other.example"])
@pytest.mark.parametrize("known", [True, False])
def test_who_the_server_is_is_checked_where_that_is_wanted(
    host: str,
    known: bool,
    encrypting: Relay,
    postgres_server: Any,
    schema: str,
    made: Any,
    files: tuple[Path, Path],
    certificate: Any,
    tmp_path: Path,
) -> None:
    (elsewhere := tmp_path / "elsewhere").mkdir()
    roots = files[0] if known else certificate(elsewhere, HOST)[0]
    url = address(postgres_server, encrypting, f"?sslmode=verify-full&sslrootcert={roots}", host=host)
    if known and host == HOST:
        PostgresCorpus.open(Place(server=url, schema=schema), identity=made.identity).close()
        assert encrypting.encrypted
        return
    with pytest.raises(StoreError, match="does not match host name" if known else "certificate verify failed"):
        PostgresCorpus.open(Place(server=url, schema=schema), identity=made.identity)
