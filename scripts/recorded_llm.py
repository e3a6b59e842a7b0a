"""Stand between the service and a slow model: keep what the model says, and say it again at once when asked again.

    python scripts/recorded_llm.py RECORDING [BASE_URL]

Prints `serving at http://127.0.0.1:PORT/v1`. A request is known by its body. What RECORDING (JSON, one reply a
line, with the millisecond of each piece) does not know goes to BASE_URL; without one it is refused. So a change to
what happens after the model has spoken, checking above all, is measured on the very same drafts, in minutes.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2

_FENCE = re.compile(rb"==[0-9a-f]{12}==")


def name_of(body: bytes) -> str:
    """What a request is known by: all of it but the fence around its sources, which is another every time."""
    return hashlib.sha256(_FENCE.sub(b"====", body)).hexdigest()


class Recording:
    """Replies by the hash of their request, in a file that is only ever added to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        replies: list[dict[str, Any]] = [json.loads(line) for line in lines]
        self._replies = {name_of(json.dumps(reply["body"]).encode()): reply for reply in replies}

    @property
    def models(self) -> list[str]:
        """Names of the models that spoke."""
        return sorted({str(reply["body"].get("model", "")) for reply in self._replies.values()})

    def known(self, body: bytes) -> dict[str, Any] | None:
        """The reply that was given to this request."""
        return self._replies.get(name_of(json.dumps(json.loads(body)).encode()))

    def keep(self, body: bytes, *, content_type: str, pieces: list[tuple[float, str]]) -> None:
        """Add a reply that came to its end."""
        reply = {"body": json.loads(body), "content_type": content_type, "pieces": pieces}
        name = name_of(json.dumps(reply["body"]).encode())
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            self._replies[name] = reply
            file.write(json.dumps(reply, ensure_ascii=False) + "\n")


class Handler(BaseHTTPRequestHandler):
    """One request of the service."""

    recording: Recording
    upstream: str

    def do_GET(self) -> None:
        """Pass on, as for the list of models; without a model to ask, list those that spoke."""
        if self.upstream:
            self._pass_on("GET", b"")
            return
        self._begin(200, "application/json")
        models = [{"id": name, "object": "model"} for name in self.recording.models]
        self.wfile.write(json.dumps({"object": "list", "data": models}).encode())

    def do_POST(self) -> None:
        """Say again what was said to this request, or ask and keep it."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if reply := self.recording.known(body):
            self._begin(200, reply["content_type"])
            for _, piece in reply["pieces"]:
                self.wfile.write(piece.encode())
            return
        self._pass_on("POST", body)

    def _pass_on(self, method: str, body: bytes) -> None:
        if not self.upstream:
            self._begin(404, "application/json")
            self.wfile.write(b'{"error": {"message": "not in the recording", "code": "not_recorded"}}')
            return
        url = self.upstream.removesuffix("/v1") + self.path
        began, pieces = time.monotonic(), list[tuple[float, str]]()
        headers = {"Content-Type": "application/json"}
        with httpx2.stream(method, url, content=body, headers=headers, timeout=None) as reply:
            kind = reply.headers.get("Content-Type", "application/json")
            self._begin(reply.status_code, kind)
            for text in reply.iter_text():
                pieces.append((round(1000 * (time.monotonic() - began), 1), text))
                self.wfile.write(text.encode())
                self.wfile.flush()
        if body and reply.status_code == 200:
            self.recording.keep(body, content_type=kind, pieces=pieces)

    def _begin(self, status: int, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: the recording tells."""


def main(arguments: list[str]) -> int:
    """Serve until interrupted."""
    if len(arguments) not in {1, 2}:
        sys.stderr.write("usage: python scripts/recorded_llm.py RECORDING [BASE_URL]\n")
        return 2
    Handler.recording = Recording(Path(arguments[0]))
    Handler.upstream = arguments[1] if len(arguments) == 2 else ""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"serving at http://127.0.0.1:{server.server_address[1]}/v1\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
