"""scripts/recorded_llm.py: what a slow model said once can be said again, to another fence, without it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

PIECES = ('data: {"a": "Süß"}\n\n', "data: [DONE]\n\n")


class Model(BaseHTTPRequestHandler):
    asked: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append(body)
        self.send_response(500 if "fail" in body else 200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for piece in PIECES:
            self.wfile.write(piece.encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def upstream() -> Iterator[str]:
    Model.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Model) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


@contextmanager
def between(repo: Path, *arguments: str) -> Iterator[str]:
    command = [sys.executable, str(repo / "scripts" / "recorded_llm.py"), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().removeprefix("serving at ").strip()
        finally:
            process.terminate()


def ask(base: str, fence: str, question: str = "Who won?") -> httpx.Response:
    content = f"=={fence}== source [S1] =={fence}== {question}"
    return httpx.post(
        f"{base}/chat/completions", json={"model": "slow", "messages": [{"content": content}]}, timeout=120
    )


def test_what_was_said_once_is_said_again(repo: Path, tmp_path: Path, upstream: str) -> None:
    recording = str(tmp_path / "drafts.jsonl")
    with between(repo, recording, upstream) as base:
        first = ask(base, "0123456789ab")
        again = ask(base, "ba9876543210")
        assert first.text == again.text == "".join(PIECES)
        assert len(Model.asked) == 1
        assert ask(base, "0123456789ab", "Who lost?").text == first.text
        assert len(Model.asked) == 2
        assert ask(base, "0123456789ab", "fail").status_code == 500
    with between(repo, recording) as alone:
        assert [one["id"] for one in httpx.get(f"{alone}/models", timeout=120).json()["data"]] == ["slow"]
        assert ask(alone, "aaaaaaaaaaaa").text == first.text
        assert ask(alone, "aaaaaaaaaaaa").headers["content-type"] == "text/event-stream"
        assert ask(alone, "0123456789ab", "fail").status_code == 404
    assert len(Model.asked) == 3
