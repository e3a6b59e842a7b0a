"""Functions can be seen at once, long files are named, and the check that says so can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def check_sizes(repo: Path, *folders: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(repo / "scripts" / "check_sizes.py"), *map(str, folders)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_functions_are_short(repo: Path) -> None:
    done = check_sizes(repo, *(repo / package for package in ("qa", "embeddings", "prompts", "seeds")))
    assert done.returncode == 0, done.stderr


def function(*, body_lines: int, docstring: str = "") -> str:
    return f"def long():\n{docstring}" + "    pass\n" * body_lines


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (function(body_lines=39), ""),
        (function(body_lines=40), "long has 41 lines, at most 40"),
        (function(body_lines=39, docstring='    """One.\n\n    Two.\n    """\n'), ""),
        (function(body_lines=40, docstring='    """One."""\n'), "long has 41 lines, at most 40"),
        ("class A:\n    async " + function(body_lines=40).replace("\n    ", "\n        "), "long has 41 lines"),
    ],
)
def test_the_check_bites_at_the_limit(repo: Path, tmp_path: Path, source: str, complaint: str) -> None:
    (tmp_path / "step.py").write_text(source)
    done = check_sizes(repo, tmp_path)
    assert complaint in done.stderr
    assert done.returncode == (1 if complaint else 0)


@pytest.mark.parametrize(("lines", "warning"), [(400, ""), (401, "step.py: warning: 401 lines, more than 400")])
def test_a_long_file_is_named_and_no_more(repo: Path, tmp_path: Path, lines: int, warning: str) -> None:
    (tmp_path / "step.py").write_text("x = 1\n" * lines)
    done = check_sizes(repo, tmp_path)
    assert (warning in done.stderr) if warning else not done.stderr
    assert done.returncode == 0


def test_an_empty_folder_is_no_success(repo: Path, tmp_path: Path) -> None:
    assert check_sizes(repo, tmp_path).returncode == 1
