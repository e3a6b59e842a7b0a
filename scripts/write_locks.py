"""Resolve pyproject.toml in an empty virtual environment and write the lock files.

Takes the dependency lists of pyproject.toml, gives `requirements.lock` (what the service and any model run on),
`requirements-slim.lock` (that without the extra `models`), `requirements-postgres.lock` (what a store on a server needs
on top) and `requirements-dev.lock` (what the checks need on top).
Nothing is installed: pip resolves and reports.
Run by `make lock`; standard library only, so that any Python 3.11 or newer can run it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Written by `make lock` from pyproject.toml with Python {python}; do not edit.\n"
# The service runs on the CPU build of torch; any of these means that pip took another one.
UNWANTED = ("nvidia-", "triton", "cuda-")


def resolve(pip: Path, requirements: list[str], *, constraints: Path | None) -> dict[str, str]:
    """Name → version of everything pip would install for these requirements."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(pip), "install", "-qq", "--dry-run", "--ignore-installed", "--report", str(report)]
        if constraints is not None:
            command += ["--constraint", str(constraints)]
        subprocess.run([*command, *requirements], check=True)  # noqa: S603 - words of our own pyproject.toml
        items = json.loads(report.read_text())["install"]
    # A local label (2.13.0+cpu) says which build this machine got; the pin must hold on every machine.
    return {item["metadata"]["name"]: item["metadata"]["version"].split("+")[0] for item in items}


def refuse_unwanted(versions: dict[str, str]) -> None:
    """Stop before a lock with CUDA packages is written."""
    found = sorted(name for name in versions if name.lower().startswith(UNWANTED))
    if found:
        sys.exit(
            f"pip chose a CUDA build of torch ({', '.join(found)}); no lock was written.\n"
            "Offer it the CPU build: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make lock"
        )


def write(path: Path, versions: dict[str, str], *, first: str = "") -> None:
    """One exact pin a line, in alphabetical order."""
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items(), key=lambda pin: pin[0].lower())]
    header = HEADER.format(python=f"{sys.version_info.major}.{sys.version_info.minor}")
    path.write_text(header + first + "".join(lines), encoding="utf-8")
    sys.stdout.write(f"{path.name}: {len(lines)} packages\n")


def main() -> None:
    """Write all files, or none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    base, extras = project["dependencies"], project["optional-dependencies"]
    runtime_lock, dev_lock = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = Path(folder) / "bin" / "pip"
        runtime = resolve(pip, base + extras["models"], constraints=None)
        refuse_unwanted(runtime)
        pinned = Path(folder) / "constraints.txt"
        pinned.write_text("".join(f"{name}=={version}\n" for name, version in runtime.items()))
        slim = resolve(pip, base, constraints=pinned)
        server = resolve(pip, base + extras["postgres"], constraints=pinned)
        everything = resolve(pip, base + extras["models"] + extras["dev"], constraints=pinned)
        refuse_unwanted(everything)
    write(runtime_lock, runtime)
    write(ROOT / "requirements-slim.lock", slim)
    driver = {name: version for name, version in server.items() if name not in runtime}
    write(ROOT / "requirements-postgres.lock", driver)
    extra = {name: version for name, version in everything.items() if name not in runtime}
    write(dev_lock, extra, first="-r requirements.lock\n")


if __name__ == "__main__":
    main()
