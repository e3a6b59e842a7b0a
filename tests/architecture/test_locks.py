"""The lock files hold what pyproject.toml asks for: exact, complete, with hashes, and without a CUDA build."""

from __future__ import annotations

import hashlib
import os
import re
import runpy
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PIN = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[0-9][A-Za-z0-9.]*)(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)"
)
LOCKS = ["requirements.lock", "requirements-slim.lock", "requirements-postgres.lock", "requirements-dev.lock"]


def entries(path: Path) -> dict[str, re.Match[str]]:
    """Name → what is pinned, in a lock file in which every line pins something by hashes."""
    lines = path.read_text().replace(" \\\n   ", "").splitlines()
    found = [(line, PIN.fullmatch(line)) for line in lines if line and not line.startswith(("#", "-r "))]
    assert [line for line, pin in found if pin is None] == []
    return {canonicalize_name(pin["name"]): pin for _, pin in found if pin is not None}


def pins(path: Path) -> dict[str, str]:
    return {name: pin["version"] for name, pin in entries(path).items()}


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


def test_one_pin_has_the_same_hashes_in_every_lock(repo: Path) -> None:
    known: dict[str, str] = {}
    for lock in LOCKS:
        for name, pin in entries(repo / lock).items():
            assert known.setdefault(name, pin["hashes"]) == pin["hashes"], f"{lock} differs in {name}: run `make lock`"


def test_the_development_lock_is_complete(repo: Path) -> None:
    """Packages are installed by hash and without what they need: that has to be in the lock itself."""
    locked = pins(repo / "requirements.lock") | pins(repo / "requirements-dev.lock")
    for name in locked:
        for requirement in map(Requirement, requires(name) or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": "", "sys_platform": "linux"}):
                assert canonicalize_name(requirement.name) in locked, f"{name} needs {requirement}"


@pytest.fixture
def small_packages(tmp_path: Path) -> Path:
    """A folder with two wheels."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("smallthing", "tinything"):
        with zipfile.ZipFile(folder / f"{name}-1.2-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}.py", "")
            for file, text in {
                "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n",
                "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
                "RECORD": "",
            }.items():
                wheel.writestr(f"{name}-1.2.dist-info/{file}", text)
    return folder


def pinned(name: str, wheel: bytes) -> str:
    return f"{name}==1.2 \\\n    --hash=sha256:{hashlib.sha256(wheel).hexdigest()}\n"


def test_another_file_than_the_locked_one_is_refused(repo: Path, small_packages: Path, tmp_path: Path) -> None:
    """By the script that installs, into an environment that the first run makes; only the file's hash differs.

    It is in the half of the packages that is installed beside the other.
    """
    good, wheel = (file.read_bytes() for file in sorted(small_packages.iterdir()))
    (tmp_path / "all.lock").write_text("-r one.lock\n")
    words = [str(repo / "scripts" / "install_packages.sh"), str(tmp_path / "venv"), str(tmp_path / "all.lock")]
    environment = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "PIP_CONFIG_FILE": os.devnull}
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(small_packages)}
    for content, honest in ((b"another", False), (wheel, True)):
        (tmp_path / "one.lock").write_text(pinned("smallthing", good) + pinned("tinything", content))
        done = subprocess.run(words, env=environment | offline, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == honest, done.stderr
        assert ("DO NOT MATCH THE HASHES" in done.stderr) != honest
        assert bool(list((tmp_path / "venv").rglob("tinything.py"))) == honest
    assert list((tmp_path / "venv").rglob("smallthing.py"))


def test_hashes_are_of_the_pinned_version_alone_and_of_the_file_taken_here(repo: Path) -> None:
    locks = runpy.run_path(str(repo / "scripts" / "write_locks.py"))
    names = ["a_b-1.2-py3-none-any.whl", "a_b-1.2-1-cp311-cp311-linux.whl", "a-b-1.2.tar.gz", "a_b-1.2.1.tar.gz"]
    names += ["a_b-11.2-py3-none-any.whl", "a_b-1.2.post1-py3-none-any.whl", "a_b-1.2.1-1.2-py3-none-any.whl"]
    files = [{"filename": name, "hashes": {"sha256": f"{place}"}} for place, name in enumerate(names)]
    assert locks["hashes"]("a-b", locks["Pin"]("1.2", "9"), files) == ["0", "1", "2", "9"]
    with pytest.raises(SystemExit, match=r"no file of a-b==3\.0"):
        locks["hashes"]("a-b", locks["Pin"]("3.0", "9"), files)
