"""The tutorial docs/newsroom.md goes as it says: every step run in order, by one shell, against the real service."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STEP = re.compile(
    r"<!-- step -->\n```bash\n(.*?)```(?:(?:(?!<!-- step -->|```).)*<!-- says -->\n```text\n(.*?)```)?", re.DOTALL
)
END = "--- end of a step"


@pytest.fixture(scope="module")
def steps(repo: Path) -> list[tuple[str, str]]:
    """Commands with what they say."""
    text = (repo / "docs" / "newsroom.md").read_text(encoding="utf-8")
    found = STEP.findall(text)
    assert len(found) == text.count("<!-- step -->") > 5
    assert sum(bool(said) for _, said in found) == text.count("<!-- says -->")
    return found


def run(commands: list[str], folder: Path, **variables: str) -> list[str]:
    """What each of some commands says, run by one shell that ends at the first failure."""
    script = "".join(f"{command}\necho '{END}'\n" for command in commands)
    environment = {**os.environ, **variables, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(END)[:-1]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_the_morning_goes_as_it_is_told(
    steps: list[tuple[str, str]], begin_service: Callable[..., Any], tmp_path: Path, repo: Path
) -> None:
    data = {"QA_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(repo)}
    told = run([steps[0][0].replace("8700", free_port())], tmp_path, **data)
    service = begin_service(QA_ENCODER="all-MiniLM-L6-v2", QA_READER="", QA_DATA_DIR=data["QA_DATA_DIR"])
    rest = [command.replace("http://127.0.0.1:8000", service.url) for command, _ in steps[1:]]
    told += run(rest, tmp_path, **data)
    for (command, said), heard in zip(steps, told, strict=True):
        for piece in said.split("...\n"):
            assert piece.strip() in heard, command
