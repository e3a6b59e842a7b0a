"""Resolve pyproject.toml in an empty virtual environment and write the lock files.

Takes the dependency lists of pyproject.toml, gives `requirements.lock` (what the service and any model run on),
`requirements-slim.lock` (that without the extra `models`), `requirements-postgres.lock` (what a store on a server needs
on top) and `requirements-dev.lock` (what the checks need on top).
Nothing is installed: pip resolves and reports. Each pin has the hashes of all its files in the index, so that pip
refuses any other, and of the file that pip took here: the CPU build of torch lies in an index of its own.
Run by `make lock`; standard library only, so that any Python 3.11 or newer can run it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Written by `make lock` from pyproject.toml with Python {python}; do not edit.\n"
# The service runs on the CPU build of torch; any of these means that pip took another one.
UNWANTED = ("nvidia-", "triton", "cuda-")


class Pin(NamedTuple):
    """What pip would install of one package."""

    version: str
    sha256: str
    """Of the file that it took here."""


def resolve(pip: Path, requirements: list[str], *, constraints: Path | None) -> dict[str, Pin]:
    """Name → pin of everything pip would install for these requirements."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(pip), "install", "-qq", "--dry-run", "--ignore-installed", "--report", str(report)]
        if constraints is not None:
            command += ["--constraint", str(constraints)]
        subprocess.run([*command, *requirements], check=True)  # noqa: S603 - words of our own pyproject.toml
        items = json.loads(report.read_text())["install"]
    return {item["metadata"]["name"]: pin_of(item) for item in items}


def pin_of(item: dict[str, Any]) -> Pin:
    """The pin of one package in pip's report."""
    # A local label (2.13.0+cpu) says which build this machine got; the pin must hold on every machine.
    version = item["metadata"]["version"].split("+")[0]
    return Pin(version, item["download_info"]["archive_info"]["hashes"]["sha256"])


def files_in_index(name: str) -> list[dict[str, Any]]:
    """What the index has of a package, in its JSON form (PEP 691): `filename` and `hashes` of each file."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
    page = Request(f"{index}/{normal(name)}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})  # noqa: S310
    with urlopen(page, timeout=60) as reply:  # noqa: S310 - the index that pip itself asks
        return cast("list[dict[str, Any]]", json.load(reply)["files"])


def normal(name: str) -> str:
    """The name by which an index knows a package."""
    return re.sub(r"[-_.]+", "-", name).lower()


def hashes(name: str, pin: Pin, files: list[dict[str, Any]]) -> list[str]:
    """SHA-256 of each file of the pinned version, and of the one taken here, in order; stops where there is none."""
    of_version = re.compile(rf"[^-]+-{re.escape(pin.version)}-.*\.whl|.+-{re.escape(pin.version)}\.(?:tar\.\w+|zip)")
    found = {file["hashes"]["sha256"] for file in files if of_version.fullmatch(file["filename"])}
    if not found:
        sys.exit(f"the index names no file of {name}=={pin.version}; no lock was written. Try `make lock` again later.")
    return sorted(found | {pin.sha256})


def refuse_unwanted(pins: dict[str, Pin]) -> None:
    """Stop before a lock with CUDA packages is written."""
    found = sorted(name for name in pins if name.lower().startswith(UNWANTED))
    if found:
        sys.exit(
            f"pip chose a CUDA build of torch ({', '.join(found)}); no lock was written.\n"
            "Offer it the CPU build: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make lock"
        )


def entry(name: str, pin: Pin) -> str:
    """One exact pin with its hashes."""
    allowed = hashes(name, pin, files_in_index(name))
    return " \\\n    ".join([f"{name}=={pin.version}", *(f"--hash=sha256:{one}" for one in allowed)]) + "\n"


def write(path: Path, entries: dict[str, str], *, first: str = "") -> None:
    """One entry after another, in alphabetical order of the names."""
    header = HEADER.format(python=f"{sys.version_info.major}.{sys.version_info.minor}")
    path.write_text(
        header + first + "".join(entries[name] for name in sorted(entries, key=str.lower)), encoding="utf-8"
    )
    sys.stdout.write(f"{path.name}: {len(entries)} packages\n")


def main() -> None:
    """Write all files, or none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    base, extras = project["dependencies"], project["optional-dependencies"]
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = Path(folder) / "bin" / "pip"
        runtime = resolve(pip, base + extras["models"], constraints=None)
        refuse_unwanted(runtime)
        pinned = Path(folder) / "constraints.txt"
        pinned.write_text("".join(f"{name}=={pin.version}\n" for name, pin in runtime.items()))
        slim = resolve(pip, base, constraints=pinned)
        server = resolve(pip, base + extras["postgres"], constraints=pinned)
        everything = resolve(pip, base + extras["models"] + extras["dev"], constraints=pinned)
        refuse_unwanted(everything)
    entries = {name: entry(name, pin) for name, pin in (everything | server).items()}
    write(ROOT / "requirements.lock", {name: entries[name] for name in runtime})
    write(ROOT / "requirements-slim.lock", {name: entries[name] for name in slim})
    write(ROOT / "requirements-postgres.lock", {name: entries[name] for name in server if name not in runtime})
    extra = {name: entries[name] for name in everything if name not in runtime}
    write(ROOT / "requirements-dev.lock", extra, first="-r requirements.lock\n")


if __name__ == "__main__":
    main()
