"""An installation without the model libraries: what it leaves out is said, and nothing else is missing."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import pytest

from embeddings import encoders
from embeddings.errors import EncoderError
from qa.reading import load_reader


@pytest.fixture
def slim(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def without_models(name: str) -> object:
        return None if name == "sentence_transformers" else found(name)

    monkeypatch.setattr(importlib.util, "find_spec", without_models)


@pytest.mark.usefixtures("slim")
def test_models_by_name_say_what_they_need(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="SLIM=1"):
        encoders.load("sentence-transformers/all-MiniLM-L6-v2")
    with pytest.raises(EncoderError, match="SLIM=1"):
        load_reader(str(tmp_path))


@pytest.mark.parametrize("target", ["install", "serve"])
@pytest.mark.parametrize(("slim", "lock"), [("", "requirements.lock"), ("1", "requirements-slim.lock")])
def test_make_installs_the_lock_that_was_asked_for(repo: Path, target: str, slim: str, lock: str) -> None:
    command = ["make", "--dry-run", target, "VENV=elsewhere", f"SLIM={slim}"]
    done = subprocess.run(command, cwd=repo, capture_output=True, text=True, check=True)
    assert f"scripts/install.sh elsewhere {lock}" in done.stdout
