"""Imports point one way, heavy libraries have one owner each, and the command line starts without them."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("qa", "embeddings", "prompts", "seeds")
HEAVY = {
    "torch",
    "faiss",
    "litestar",
    "sentence_transformers",
    "trafilatura",
    "transformers",
    "scipy",
    "sklearn",
    "numpy",
    "onnxruntime",
    "tokenizers",
}


def imported_by(*command: str) -> set[str]:
    """Top-level names of every module that running `python command…` imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return {found[1] for found in re.finditer(r"^import time:[^|]+\|[^|]+\|\s*([\w]+)", done.stderr, re.MULTILINE)}


@pytest.mark.parametrize(
    "command",
    [
        ["-c", "import qa.cli"],
        ["-m", "qa", "--help"],
        ["-m", "qa", "articles", "--help"],
        ["-m", "qa", "check", "--help"],
        ["-m", "qa", "ingest", "--help"],
        ["-m", "qa", "serve", "--help"],
        ["-m", "qa", "store", "--help"],
    ],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    assert not imported_by(*command) & HEAVY


def test_the_search_for_heavy_imports_finds_them() -> None:
    assert "faiss" in imported_by("-c", "import faiss")


SERVICE = """
from pathlib import Path
import qa.server.run
from qa.server.run import load
from qa.settings import Settings
settings = Settings(data_dir=Path({folder!r}), encoder="hashing", reader="words", llm_base_url="http://127.0.0.1:9/v1")
load(settings).corpus.close()
{more}
"""


def test_what_traces_is_not_imported_unless_it_is_on(tmp_path: Path) -> None:
    off = SERVICE.format(folder=str(tmp_path), more="")
    assert "opentelemetry" not in imported_by("-c", off)
    on = SERVICE.format(
        folder=str(tmp_path),
        more="from qa.tracing import open_tracing; open_tracing('http://127.0.0.1:9', texts=False).close()",
    )
    assert "opentelemetry" in imported_by("-c", on)


def test_help_is_there_at_once() -> None:
    """0.3 s on a free machine: some five times what the library that draws it takes to be imported.

    Processor time, as the wall clock also measures who else is at work; a ratio, as machines differ.
    """

    def seconds(*command: str) -> float:
        taken = []
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, *command], check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return min(taken)

    assert seconds("-m", "qa", "--help") < 10 * seconds("-c", "import rich_click")


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_the_import_contracts_hold(repo: Path) -> None:
    done = lint_imports(repo)
    assert done.returncode == 0, done.stdout + done.stderr


VIOLATIONS = {
    "embeddings/types.py": ["import qa.types"],
    "qa/types.py": ["import qa.answering", "import torch", "import faiss", "import litestar", "import apsw"],
    "qa/answering.py": ["import qa.server", "import trafilatura", "import tiktoken", "import rich"],
    "qa/server/run.py": ["import qa.answering"],
    "qa/evaluation/targets/in_process.py": ["import qa.answering"],
    "qa/language/words.py": ["import qa.question.intents", "import qa.language.names"],
    "qa/tracing/__init__.py": ["import opentelemetry", "import qa.settings"],
    "qa/mcp/tools.py": ["import mcp", "import qa.mcp.protocol", "import qa.server.service"],
    "qa/server/http/sse.py": ["import qa.server.service"],
    "embeddings/index/terms.py": ["import embeddings.index.live"],
    "embeddings/store/schema.py": ["import embeddings.store.writes", "import embeddings.index.dense"],
    "qa/unplaced_step.py": [""],
    "embeddings/cleaning/unplaced_step.py": [""],
}


@pytest.fixture(scope="module")
def complaints(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said of a copy of the packages in which every contract is broken."""
    root = tmp_path_factory.mktemp("broken")
    for package in PACKAGES:
        for path in (repo / package).rglob("*.py"):
            copy = root / path.relative_to(repo)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    shutil.copy(repo / "pyproject.toml", root)
    for file, lines in VIOLATIONS.items():
        with (root / file).open("a") as source:
            source.write("\n".join(["", *lines, ""]))
    done = lint_imports(root)
    assert done.returncode == 1
    return done.stdout


@pytest.mark.parametrize(("file", "line"), [(file, line) for file, lines in VIOLATIONS.items() for line in lines])
def test_the_import_contracts_bite(complaints: str, file: str, line: str) -> None:
    module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert f"- {module} -> {line.rsplit(maxsplit=1)[-1]}" in complaints if line else f"- {module}\n" in complaints
