"""What helps contributors says the same as the project: workflow, hooks before a commit, templates."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from qa.settings import Settings


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_workflow_runs_what_everybody_runs_on_every_python(repo: Path) -> None:
    workflow = read(repo / ".github" / "workflows" / "test.yml")
    (job,) = workflow["jobs"].values()
    lowest = tomllib.loads((repo / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    pythons = job["strategy"]["matrix"]["python"]
    assert pythons == [f"3.{minor}" for minor in range(int(lowest.split(".")[1]), 15)]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert workflow["permissions"] == {"contents": "read"}


@pytest.fixture(scope="module")
def hooks(repo: Path) -> dict[str, dict[str, Any]]:
    (local,) = read(repo / ".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local", "hooks of other repositories are downloaded"
    return {hook["id"]: hook for hook in local["hooks"]}


def test_the_hooks_run_the_tools_of_the_environment(hooks: dict[str, dict[str, Any]]) -> None:
    assert {hook["language"] for hook in hooks.values()} == {"system", "pygrep"}, "others download"
    tools = {hook["entry"].split()[0] for hook in hooks.values() if hook["language"] == "system"}
    assert tools == {".venv/bin/ruff", ".venv/bin/mypy"}
    assert [tool for tool in tools if not (Path(sys.prefix) / tool.removeprefix(".venv/")).exists()] == []


def test_a_private_key_is_found_and_there_is_none(repo: Path, hooks: dict[str, dict[str, Any]]) -> None:
    pattern = hooks["private-keys"]["entry"]
    for kind in ("", "RSA ", "OPENSSH ", "ENCRYPTED "):
        assert re.search(pattern, f"-----{'BEGIN'} {kind}PRIVATE KEY-----")
    found = subprocess.run(["git", "grep", "-nIE", pattern], cwd=repo, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")


def test_the_development_container_is_set_up_as_by_hand(repo: Path) -> None:
    container = json.loads((repo / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    target = container["postCreateCommand"].removeprefix("make ")
    assert re.search(rf"^{target}:", (repo / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    version = re.search(r"python:(3\.\d+)-", container["image"])
    assert version is not None
    assert f'"{version[1]}"' in (repo / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert container["forwardPorts"] == [Settings().port]


@pytest.mark.parametrize("name", ["wrong-answer", "bug", "idea"])
def test_the_form_of_an_issue_can_be_filled_in(repo: Path, name: str) -> None:
    form = read(repo / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml")
    assert {"name", "description", "body"} <= set(form)
    ids = [part["id"] for part in form["body"]]
    assert len(set(ids)) == len(ids)
    assert all(part["type"] in {"input", "textarea"} and part["attributes"]["label"] for part in form["body"])
    assert any(part.get("validations", {}).get("required") for part in form["body"])


ONE_MORE = {
    "file format": "embeddings/parsers/__init__.py: html",
    "language's names of months": "embeddings/month_names.txt: январь",
    "provider of models": "qa/generators/__init__.py: anthropic",
    "metric": "qa/evaluation/metrics/__init__.py: exact_match",
    "HTTP route": "qa/server/app.py: ask",
    "check of numbers, dates or names": "qa/grounding/mismatches.py: quantities",
    "store": "embeddings/opening.py: postgres",
    "citation rule": "qa/citations.py: Citation",
    "text of the chat": "qa/widget/languages/de.json: Quellen",
    "command": "qa/cli/__init__.py: ingest",
}
"""What somebody may want to add, with a file that the answer must lead to and a word of what is like it there."""


@pytest.mark.parametrize("wanted", ONE_MORE)
def test_who_adds_something_is_told_where(repo: Path, wanted: str) -> None:
    text = (repo / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([^|`]+) \| (.+) \|$", text, re.MULTILINE))
    named = re.findall(r"`([\w/.]+/[\w/.]*)`", rows[wanted])
    assert named, rows[wanted]
    assert all((repo / path).exists() for path in named), named
    file, word = ONE_MORE[wanted].split(": ")
    assert any(file == path or file.startswith(path.rstrip("/") + "/") for path in named)
    assert word in (repo / file).read_text(encoding="utf-8")
