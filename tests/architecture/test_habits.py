"""What helps contributors says the same as the project: workflow, hooks before a commit, templates."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml


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


@pytest.mark.parametrize("name", ["wrong-answer", "bug", "idea"])
def test_the_form_of_an_issue_can_be_filled_in(repo: Path, name: str) -> None:
    form = read(repo / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml")
    assert {"name", "description", "body"} <= set(form)
    ids = [part["id"] for part in form["body"]]
    assert len(set(ids)) == len(ids)
    assert all(part["type"] in {"input", "textarea"} and part["attributes"]["label"] for part in form["body"])
    assert any(part.get("validations", {}).get("required") for part in form["body"])
