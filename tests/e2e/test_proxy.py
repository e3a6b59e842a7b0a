"""The proxy of the profile `cluster`, nginx with the very file that ships, before two services on one database.

Needs an nginx: that of the PATH, or the one that NGINX_PROGRAM names.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

NGINX = os.environ.get("NGINX_PROGRAM") or shutil.which("nginx")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not NGINX, reason="needs nginx (PATH or NGINX_PROGRAM)"),
]

KILN = {"id": "kiln", "text": "The kiln at Osk employs 35 people. The kiln was built in 1890.", "title": "The kiln"}
QUESTION = {"question": "How many people does the kiln at Osk employ?"}


class Waiting(ThreadingHTTPServer):
    """A model that begins to write, and goes on when it is let."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Writing)
        self.go = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class _Writing(BaseHTTPRequestHandler):
    server: Waiting
    protocol_version = "HTTP/1.0"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for text in ("The kiln at Osk employs 35 people [1]. The kiln ", "was built in 1890 [1]."):
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            chunk["choices"] = [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}]  # type: ignore[assignment]
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()
            self.server.go.wait(120)
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def model() -> Iterator[Waiting]:
    with Waiting() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def two(begin_service: Callable[..., Any], postgres_server: Any, model: Waiting) -> list[Any]:
    shared = {"QA_STORE": postgres_server.url(), "QA_STORE_SCHEMA": f"test_{uuid4().hex}"}
    written = {"QA_LLM_BASE_URL": model.url, "QA_LLM_MODEL": "m", "QA_DEADLINE_SECONDS": "100"}
    return [begin_service(**shared, **written, QA_TRUSTED_PROXIES="127.0.0.1/32") for _ in range(2)]


@pytest.fixture(scope="module")
def proxy(two: list[Any], repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    said = (repo / "scripts" / "cluster_proxy.conf").read_text()
    for name, service in zip(("one", "two"), two, strict=True):
        said = said.replace(f"server {name}:8000", f"server 127.0.0.1:{service.port}")
    folder = tmp_path_factory.mktemp("nginx")
    listening = re.sub(r"listen \d+;", f"listen 127.0.0.1:{port};", said)
    with running(folder, listening), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                client.get("/health/live").raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield client


@contextmanager
def running(folder: Path, said: str) -> Iterator[None]:
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    text = f"{user} pid {folder}/pid; daemon off; events {{}} http {{ access_log off; {paths} {said} }}"
    (folder / "nginx.conf").write_text(text)
    command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    with subprocess.Popen(command) as process:
        yield
        process.terminate()


def test_events_pass_as_they_come(proxy: httpx.Client, model: Waiting) -> None:
    """The first is read while the model has not said its last word; were they kept back, this would wait for ever."""
    proxy.post("/api/articles", json=KILN).raise_for_status()
    with proxy.stream("POST", "/api/ask", json=QUESTION | {"stream": True, "mode": "generated"}) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        events = (line for line in reply.iter_lines() if line.startswith("event:"))
        assert list(islice(events, 2)) == ["event: search_results", "event: claim"]
        assert not model.go.is_set()
        model.go.set()
        assert list(events) == ["event: claim", "event: answer"]


def test_one_of_them_may_go_and_come_back(proxy: httpx.Client, two: list[Any], model: Waiting) -> None:
    model.go.set()
    for service in two:
        service.kill()
        answers = [proxy.post("/api/ask", json=QUESTION).raise_for_status().json() for _ in range(4)]
        assert {answer["citations"][0]["cited_text"] for answer in answers} == {"The kiln at Osk employs 35 people."}
        assert proxy.post("/api/articles", json=KILN).is_success
        service.start()
        time.sleep(5.5)  # as long as it is left alone after a failure
