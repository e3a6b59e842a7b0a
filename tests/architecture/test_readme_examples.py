"""Every example of README and docs/ is run against the service that `make serve` starts, and gives what is shown."""

from __future__ import annotations

import http.client
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qa.settings import Settings

pytestmark = pytest.mark.slow

VOLATILE = {"id", "conversation_id", "as_of", "timings_ms"}
"""Differ from run to run, so the values shown are examples."""
DOCUMENTED = "127.0.0.1:8000"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Started:
    """`scripts/serve.sh` running, as `make serve` runs it."""

    def __init__(self, repo: Path, data: Path, **variables: str) -> None:
        self.port = free_port()
        self.environment = {**os.environ, "QA_DATA_DIR": str(data), **variables}
        command = [str(repo / "scripts" / "serve.sh"), sys.prefix, "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def wait(self) -> str:
        """Give the line that says the service is ready."""
        assert self._process.stdout
        for line in self._process.stdout:
            if "is ready" in line:
                return line
        raise AssertionError(f"it ended: {self._process.communicate()[1]}")

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind, however the test ends."""
        self._process.kill()
        self._process.communicate()

    def stop(self) -> tuple[int, str]:
        """Ask it to stop; give exit status and what it said on standard error."""
        self._process.send_signal(signal.SIGINT)
        errors = self._process.communicate(timeout=240)[1]
        return self._process.returncode, errors

    def get(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=240)
        connection.request("GET", path)
        body = connection.getresponse().read()
        connection.close()
        return json.loads(body)


def test_serve_fills_an_empty_store_and_only_that(repo: Path, tmp_path: Path) -> None:
    with Started(repo, tmp_path / "data", QA_ENCODER="hashing", QA_READER="words") as first:
        assert f"http://127.0.0.1:{first.port}" in first.wait()
        articles = first.get("/api/articles")["articles"]
        status, errors = first.stop()
    assert status == 0, errors
    assert "adding the sample articles" in errors
    assert len(articles) >= 12

    with Started(repo, tmp_path / "data", QA_ENCODER="hashing", QA_READER="words") as second:
        second.wait()
        assert second.get("/api/articles")["articles"] == articles
        status, errors = second.stop()
    assert status == 0, errors
    assert "sample articles" not in errors


def test_serve_does_not_take_a_broken_store_for_an_empty_one(repo: Path, tmp_path: Path) -> None:
    """An operator whose store cannot be opened must not find sample articles in its place."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "store.db").write_bytes(b"not a database" * 1000)
    with (
        Started(repo, tmp_path / "data", QA_ENCODER="hashing", QA_READER="words") as started,
        pytest.raises(AssertionError, match="it ended") as ended,
    ):
        started.wait()
    assert "sample articles" not in str(ended.value)


@pytest.fixture(scope="module")
def service(repo: Path, sample_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """The real encoder over the sample articles, which it finds encoded already."""
    data = tmp_path_factory.mktemp("readme") / "data"
    shutil.copytree(sample_store, data)
    with Started(repo, data) as started:
        started.wait()
        yield started


REPO = Path(__file__).resolve().parents[2]
DOCUMENTS = (REPO / "README.md", *sorted((REPO / "docs").glob("*.md")))
EXAMPLE = re.compile(
    r"<!-- run -->\n```bash\n(.*?)```(?:(?:(?!<!-- run -->|```).)*<!-- output -->\n```\w*\n(.*?)```)?", re.DOTALL
)
"""Between a command and its output there may be a sentence, and no other block."""


def examples(document: Path) -> list[tuple[str, str | None]]:
    """Every block marked as run, with the output shown after it."""
    return [(block, shown or None) for block, shown in EXAMPLE.findall(document.read_text(encoding="utf-8"))]


def test_the_documents_have_examples_and_none_is_missed() -> None:
    assert len(examples(REPO / "README.md")) >= 4
    assert len([example for document in DOCUMENTS for example in examples(document)]) >= 7
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        assert text.count("<!-- run -->") == len(examples(document)), document.name
        assert text.count("<!-- output -->") == sum(shown is not None for _, shown in examples(document)), document.name
    assert f"{Settings().host}:{Settings().port}" == DOCUMENTED


@pytest.mark.parametrize(
    ("block", "shown"),
    [
        pytest.param(*example, id=f"{document.stem}-{place}")
        for document in DOCUMENTS
        for place, example in enumerate(examples(document), 1)
    ],
)
def test_the_example_gives_what_is_shown(
    repo: Path, service: Started, tmp_path: Path, block: str, shown: str | None
) -> None:
    # Commands that do not ask the service work on a store of their own: one process writes to a store at a time.
    data = service.environment["QA_DATA_DIR"] if DOCUMENTED in block else str(tmp_path)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.replace(DOCUMENTED, f"127.0.0.1:{service.port}")],
        cwd=repo,
        env={**service.environment, "QA_DATA_DIR": data, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if shown and shown.lstrip().startswith("{"):
        assert differences(json.loads(shown), json.loads(done.stdout)) == []
    elif shown:
        assert shown.strip() in done.stdout


def differences(shown: Any, actual: Any, *, at: str = "answer") -> list[str]:
    """Where an answer is not what is shown; a document may leave fields out, and cut a list short."""
    if isinstance(shown, dict) and isinstance(actual, dict):
        absent = [f"{at}.{key} does not exist" for key in shown if key not in actual]
        common = [key for key in shown if key in actual and key not in VOLATILE]
        return absent + [line for key in common for line in differences(shown[key], actual[key], at=f"{at}.{key}")]
    if isinstance(shown, list) and isinstance(actual, list) and len(shown) <= len(actual):
        pairs = enumerate(zip(shown, actual, strict=False))
        return [line for index, (one, other) in pairs for line in differences(one, other, at=f"{at}[{index}]")]
    if isinstance(shown, float) and isinstance(actual, float):
        return [] if math.isclose(shown, actual, abs_tol=0.02) else [f"{at}: {shown} is shown, {actual} came"]
    return [] if shown == actual else [f"{at}: {shown!r} is shown, {actual!r} came"]


def test_the_comparison_finds_differences() -> None:
    actual = {"id": "a", "answer": "x", "list": [{"n": 1}, {"n": 2}], "score": 0.51}
    assert differences({"id": "b", "answer": "x", "list": [{"n": 1}], "score": 0.5}, actual) == []
    wrong: dict[str, Any]
    for wrong in ({"answer": "y"}, {"gone": 1}, {"list": [{"n": 2}]}, {"list": [{}, {}, {}]}, {"score": 0.4}):
        assert differences(wrong, actual)
