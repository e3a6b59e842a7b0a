"""The lock files hold what pyproject.toml asks for: exact, complete, and without a CUDA build."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def pins(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith(("#", "-r "))]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def project(repo: Path) -> dict[str, Any]:
    return tomllib.loads((repo / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize(("lock", "extras"), [("requirements.lock", ["models"]), ("requirements-slim.lock", [])])
def test_the_lock_satisfies_every_dependency(repo: Path, lock: str, extras: list[str]) -> None:
    locked, declared = pins(repo / lock), project(repo)
    wanted = declared["dependencies"] + [one for extra in extras for one in declared["optional-dependencies"][extra]]
    for requirement in map(Requirement, wanted):
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{requirement} is not in {lock}: run `make lock`"
        assert requirement.specifier.contains(locked[name]), f"{lock} has {name}=={locked[name]}: `make lock`"


def test_the_slim_lock_is_the_runtime_lock_without_models(repo: Path) -> None:
    """Complete, too: it holds whatever its packages say they need."""
    slim, runtime = pins(repo / "requirements-slim.lock"), pins(repo / "requirements.lock")
    assert slim.items() < runtime.items()
    assert not slim.keys() & {"torch", "transformers", "sentence-transformers", "scikit-learn", "scipy"}
    for name in slim:
        for requirement in map(Requirement, requires(name) or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert canonicalize_name(requirement.name) in slim, f"{name} needs {requirement}"


def test_the_development_lock_adds_to_the_runtime_lock(repo: Path) -> None:
    runtime, development = pins(repo / "requirements.lock"), pins(repo / "requirements-dev.lock")
    assert "-r requirements.lock" in (repo / "requirements-dev.lock").read_text().splitlines()
    assert not runtime.keys() & development.keys()
    for requirement in map(Requirement, project(repo)["optional-dependencies"]["dev"]):
        assert canonicalize_name(requirement.name) in runtime | development, f"{requirement} is not locked: `make lock`"


def test_the_driver_of_a_server_is_added_to_either(repo: Path) -> None:
    driver, development = pins(repo / "requirements-postgres.lock"), pins(repo / "requirements-dev.lock")
    assert driver.items() <= development.items()
    assert not driver.keys() & pins(repo / "requirements.lock").keys()
    for requirement in map(Requirement, project(repo)["optional-dependencies"]["postgres"]):
        assert requirement.specifier.contains(driver[canonicalize_name(requirement.name)])
        assert {f"psycopg-{extra}" for extra in requirement.extras} <= driver.keys()


def test_torch_is_the_processor_build(repo: Path) -> None:
    locked = pins(repo / "requirements.lock")
    assert locked["torch"] == "2.13.0"
    assert [name for name in locked if name.startswith(("nvidia", "cuda", "triton"))] == []
