"""The commands that serve need neither the large model libraries nor those of extras: without them all works."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

LARGE = ("torch", "transformers", "sentence_transformers", "psycopg", "mcp")
FERRY = "The ferry Almeric left the harbour at noon on Friday. It carried 214 people to Skerra."
QUESTION = "How many people did the ferry carry?"


@pytest.fixture(scope="module")
def environment(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Default settings, a data folder of its own, and libraries that can not be imported but note who tried."""
    folder = tmp_path_factory.mktemp("without")
    for name in LARGE:
        (folder / f"{name}.py").write_text(
            f"open({str(folder / 'imported')!r}, 'a').write({name + chr(10)!r})\n"
            f"raise ModuleNotFoundError({name!r} + ' is not installed', name={name!r})\n"
        )
    settings = {"QA_DATA_DIR": str(folder / "data"), "QA_THREADS": "1"}
    paths = f"{folder}{os.pathsep}{repo}"
    article = folder / "ferry.txt"
    article.write_text(f"Ferry leaves\n\n{FERRY}\n", encoding="utf-8")
    given = {**os.environ, **settings, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", "FOLDER": str(folder)}
    qa(given, "ingest", str(article))
    return given


def qa(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "qa", *arguments]
    done = subprocess.run(
        command, env=environment, cwd=environment["FOLDER"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported(environment: dict[str, str]) -> list[str]:
    """Which of the libraries anybody tried to import so far."""
    noted = Path(environment["FOLDER"]) / "imported"
    return noted.read_text().split() if noted.exists() else []


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[str]:
    """The address of `qa serve`, on a free port."""
    command = [sys.executable, "-m", "qa", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            process.send_signal(signal.SIGTERM)


def test_ingest_and_ask(environment: dict[str, str]) -> None:
    answer = json.loads(qa(environment, "ask", "--json", QUESTION))
    assert answer["citations"][0]["cited_text"] in FERRY
    assert imported(environment) == []


def test_check(environment: dict[str, str]) -> None:
    claims = Path(environment["FOLDER"]) / "claims.txt"
    claims.write_text("The ferry Almeric carried 214 people to Skerra.", encoding="utf-8")
    assert json.loads(qa(environment, "check", "--json", str(claims)))["summary"]["supported"] == 1
    assert imported(environment) == []


def test_serve(environment: dict[str, str]) -> None:
    with serving(environment) as url:
        for path in ("ask", "search"):
            found = httpx.post(f"{url}/api/{path}", json={"question": QUESTION}, timeout=60).raise_for_status().json()
            assert found["search_results"][0]["title"] == "Ferry leaves"
        added = {"id": "b", "title": "Bridge", "text": "The bridge over the Osprey closes in July."}
        httpx.post(f"{url}/api/articles", json=added, timeout=60).raise_for_status()
    assert imported(environment) == []


def test_an_import_would_be_noted(environment: dict[str, str]) -> None:
    program = "from embeddings.encoders import load; load('sentence-transformers/all-MiniLM-L6-v2').encode_query('x')"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert imported(environment) == ["sentence_transformers"]
    (Path(environment["FOLDER"]) / "imported").unlink()
