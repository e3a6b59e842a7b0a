"""The service as a process: ready line, signals, exit codes, and what is left after kill -9."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import HashingEncoder
from embeddings.errors import StoreBusy
from embeddings.ingest import ingest
from embeddings.types import RawArticle

pytestmark = pytest.mark.slow

SERVE = """
import json, sys, time
from pathlib import Path
from qa.server.run import serve
from qa.settings import Settings

def slowly(settings):
    while Path({loads_after!r}).exists():
        time.sleep(0.01)
    from qa.server.run import load
    parts = load(settings)
    search = parts.answering.search

    async def slow_search(question, *, run, history=()):
        await run(lambda: time.sleep({search_seconds}))
        return await search(question, run=run, history=history)

    parts.answering.search = slow_search
    return parts

code = 0
for choices in json.loads({settings!r}):
    print(end=choices.pop("before", ""), file=sys.stderr, flush=True)
    code = serve(Settings(**dict(choices, data_dir=Path(choices["data_dir"]))), load=slowly)
sys.exit(code)
"""
READY = re.compile(r"^Sourceline is ready at (http://\S+:\d+)$")
Start = Callable[..., "Process"]


class Process:
    """A service in its own process."""

    def __init__(
        self, *settings: dict[str, object], repo: Path, loads_after: str = "no such file", search_seconds: float = 0
    ) -> None:
        """With several settings, one after the other is served; `before` in them is written to standard error first."""
        usual = {"encoder": "hashing", "reader": "words", "host": "127.0.0.1", "port": 0, "log_level": "warning"}
        told = json.dumps([{**usual, **one} for one in settings])
        source = SERVE.format(settings=told, loads_after=loads_after, search_seconds=search_seconds)
        self.popen = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", source],
            cwd=repo,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def address(self) -> str:
        """Wait for the ready line."""
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        found = READY.match(line)
        assert found, line + self.stop(signal.SIGKILL)[1]
        return found[1]

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; give the exit code and what was written to standard error."""
        self.popen.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        _, errors = self.popen.communicate(timeout=240)
        return self.popen.returncode, errors


@pytest.fixture
def start(tmp_path: Path, repo: Path) -> Iterator[Start]:
    """Start a service on a folder of this test; whatever is left of it is killed at the end."""
    begun: list[Process] = []

    def begin(
        *several: dict[str, object], loads_after: str = "no such file", search_seconds: float = 0, **settings: object
    ) -> Process:
        choices = [{"data_dir": str(tmp_path / "data"), **one} for one in several or (settings,)]
        begun.append(Process(*choices, repo=repo, loads_after=loads_after, search_seconds=search_seconds))
        return begun[-1]

    yield begin
    for process in begun:
        with process.popen:
            process.popen.kill()


@contextmanager
def in_background(act: Callable[[], httpx.Response]) -> Iterator[list[httpx.Response]]:
    found: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: found.append(act()))
    thread.start()
    yield found
    thread.join(240)


def test_from_start_to_stop_what_it_writes_is_for_its_own_user(start: Start, tmp_path: Path) -> None:
    process = start()
    address = process.address()
    with httpx.Client(base_url=address) as client:
        client.post("/api/articles", json={"id": "a", "text": "The mill employs 35 people."}).raise_for_status()
        assert client.get("/health/ready").json() == {"status": "ready", "articles": 1, "passages": 1, "writes": "open"}
        assert client.head("/docs").status_code == 200
        assert client.post("/api/ask", json={"question": "Who?", "store": True}).status_code == 200
    assert process.stop(signal.SIGINT) == (0, "")
    assert [path for path in files(tmp_path / "data") if path.stat().st_mode & 0o077] == []


def test_a_stop_ends_accepted_requests_first(start: Start) -> None:
    process = start(search_seconds=1.0)
    address = process.address()
    httpx.post(f"{address}/api/articles", json={"id": "a", "text": "The mill employs 35 people."})
    with in_background(lambda: httpx.post(f"{address}/api/search", json={"question": "Who?"})) as answers:
        wait_for(lambda: "sourceline_questions_admitted 1" in httpx.get(f"{address}/metrics").text)
        code, errors = process.stop()
    assert (code, errors) == (0, "")
    assert [answer.status_code for answer in answers] == [200]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health/live")


def test_a_stop_cuts_a_long_ingest_off_and_says_so(start: Start) -> None:
    """It gets as long as a question may take; what it had finished by then is stored."""
    process = start(deadline_seconds=1.0)
    address = process.address()
    text = " ".join(f"Sentence {n} tells of the harbour." for n in range(200))
    body = [{"id": f"a{n}", "text": f"{n}. {text}"} for n in range(1000)]
    with in_background(lambda: httpx.post(f"{address}/api/articles", json=body)) as answers:
        wait_for(lambda: httpx.get(f"{address}/health/ready").json()["articles"] > 0)
        code, errors = process.stop()
    assert (code, errors) == (0, "")
    assert [answer.json()["type"] for answer in answers] == ["/problems/shutting-down"]
    with httpx.Client(base_url=start().address()) as client:
        assert 0 < client.get("/health/ready").json()["articles"] < 1000


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """While this file is there, nothing is loaded."""
    (tmp_path / "gate").touch()
    return tmp_path / "gate"


def test_a_stop_while_loading(start: Start, gate: Path) -> None:
    process = start(loads_after=str(gate), port=(port := free_port()))
    wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200)
    process.popen.send_signal(signal.SIGTERM)
    gate.unlink()
    assert process.wait() == (0, "")


def test_it_lives_while_it_loads(start: Start, gate: Path) -> None:
    process = start(loads_after=str(gate), port=(port := free_port()))
    wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200)
    response = httpx.get(f"http://127.0.0.1:{port}/health/ready")
    assert (response.status_code, response.json()["type"]) == (503, "/problems/not-ready")
    gate.unlink()
    assert process.address() == f"http://127.0.0.1:{port}"
    assert httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200


class OtherEncoder(HashingEncoder):
    """An encoder of another name."""

    identity = msgspec.structs.replace(HashingEncoder.identity, name="another")


def test_what_cannot_start_says_why_in_one_line(start: Start, tmp_path: Path) -> None:
    """One process tries it all, one after the other."""
    (tmp_path / "file").write_text("in the way")
    with closing(EmbeddedCorpus.open(tmp_path / "filled", identity=OtherEncoder.identity)) as corpus:
        ingest([RawArticle(id="mill", text="The mill employs 35 people.")], corpus=corpus, encoder=OtherEncoder())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        open_to_all = " can be reached from other machines, and without API keys"
        refused: dict[str, dict[str, object]] = {
            f"cannot listen on 127.0.0.1:{port}: Address already in use. Choose another --port": {"port": port},
            "encoder hashing": {"data_dir": str(tmp_path / "filled")},
            "no-such-model": {"encoder": "no-such-model"},
            str(tmp_path / "file"): {"data_dir": str(tmp_path / "file")},
            f"0.0.0.0{open_to_all}": {"host": "0.0.0.0"},
            f"::{open_to_all}": {"host": "::"},
        }
        code, errors = start(*({"before": "\0", **one} for one in refused.values())).wait()
    assert code == 1
    said = errors.split("\0")[1:]
    for part, one in zip(refused, said, strict=True):
        assert_one_line(one, part)
    assert "QA_API_KEYS" in said[-1]


def test_a_store_in_use_is_read_until_its_writer_has_ended(start: Start, tmp_path: Path) -> None:
    encoder = HashingEncoder()
    writer = EmbeddedCorpus.open(tmp_path / "data", identity=encoder.identity)
    try:
        ingest([RawArticle(id="mill", text="The mill at Osk employs 35 people.")], corpus=writer, encoder=encoder)
        service = start()
        with httpx.Client(base_url=service.address()) as client:
            assert found(client, "mill at Osk") == {"mill"}
            ingest([RawArticle(id="weir", text="The weir at Osk has a gate.")], corpus=writer, encoder=encoder)
            assert found(client, "the weir has a gate") == {"mill", "weir"}, (
                "what the other one writes is found at once"
            )
            article = {"id": "kiln", "text": "The kiln at Osk is cold."}
            refused = client.post("/api/articles", json=article)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert refused.json()["type"].endswith("store-busy")
            assert client.delete("/api/articles/mill").status_code == 503
            writer.close()
            assert client.post("/api/articles", json=article).is_success
            assert found(client, "the kiln is cold") == {"mill", "weir", "kiln"}
            with pytest.raises(StoreBusy):
                EmbeddedCorpus.open(tmp_path / "data", identity=encoder.identity)
    finally:
        writer.close()
    code, errors = service.stop()
    assert code == 0
    assert "reading for now" in errors


def found(client: httpx.Client, question: str) -> set[str]:
    reply = client.post("/api/search", json={"question": question})
    return {one["article_id"] for one in reply.json()["search_results"]}


def test_an_open_address_is_warned_of_where_it_is_wanted(start: Start) -> None:
    process = start(host="0.0.0.0", allow_open=True)
    address = process.address()
    assert httpx.get(address.replace("0.0.0.0", "127.0.0.1") + "/api/articles").status_code == 200
    code, errors = process.stop()
    assert code == 0
    assert_one_line(errors, "WARNING: 0.0.0.0 can be reached from other machines, and without API keys")


def test_what_was_acknowledged_survives_kill_9(start: Start) -> None:
    process = start()
    address = process.address()
    acknowledged = []
    with httpx.Client(base_url=address) as client:
        for number in range(5):
            body = [{"id": f"a{number}-{n}", "text": f"Report {number}, part {n}, of the harbour."} for n in range(3)]
            acknowledged += [one["id"] for one in client.post("/api/articles", json=body).json()["articles"]]
        client.delete("/api/articles/a0-0").raise_for_status()
        acknowledged.remove("a0-0")
    assert process.stop(signal.SIGKILL)[0] == -signal.SIGKILL
    with httpx.Client(base_url=start().address()) as client:
        assert [one["id"] for one in client.get("/api/articles").json()["articles"]] == sorted(acknowledged)
        found = client.post("/api/search", json={"question": "Report 4 of the harbour", "limit": 50}).json()
        assert {one["article_id"] for one in found["search_results"]} <= set(acknowledged)
        assert found["search_results"]


def test_questions_keys_and_tokens_stay_out_of_log_and_files(start: Start, tmp_path: Path) -> None:
    """Of a service with keys on an open address, which says all that it ever says."""
    key, origin = "canary-key-0123456789", "https://news.example"
    process = start(host="0.0.0.0", log_level="debug", api_keys=f"desk:{key}", allowed_origins=origin)
    told = ""
    with httpx.Client(base_url=process.address().replace("0.0.0.0", "127.0.0.1")) as client:
        got = client.post("/api/tokens", json={"origin": origin}, headers={"x-api-key": key}).json()["token"]
        for shown in (key, f"{key}-wrong", got, got[:-2], f"{got}.{key}"):
            for path in ("/api/articles", "/api/conversations", f"/api/articles/none?x={key}", f"/nothing/{key}"):
                for headers in ({"authorization": f"Bearer {shown}"}, {"x-api-key": shown}, {"authorization": shown}):
                    response = client.get(path, headers=headers | {"origin": origin})
                    told += response.text + str(response.headers)
            asked = {"authorization": f"Bearer {shown}", "origin": origin}
            told += client.post("/api/ask", json={"question": "Who?", "store": True}, headers=asked).text
        assert client.get("/api/articles").status_code == 401
        operator = {"x-api-key": key}
        assert client.post("/api/search", json={"question": "canary-4711?"}, headers=operator).status_code == 200
        assert client.get("/api/articles", params={"source": "canary-4711"}, headers=operator).status_code == 200
        broken = {**operator, "content-type": "application/json"}
        assert client.post("/api/ask", content=b'{"question":"canary-4711', headers=broken).status_code == 400
    code, errors = process.stop()
    assert code == 0
    assert "INFO" in errors
    for text in (told, errors, *(path.read_bytes().decode("latin-1") for path in files(tmp_path))):
        assert "canary" not in text
        assert got not in text


def files(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    assert found
    return found


def assert_one_line(errors: str, part: str) -> None:
    assert errors.count("\n") == 1, errors
    assert errors.startswith("qa serve: ")
    assert part in errors


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while True:
        try:
            if holds():
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)
