"""Takes what is asked of whom, gives the manifest that says under which conditions the answers came about."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import msgspec

from qa.evaluation.dataset import Dataset
from qa.evaluation.run_folder import examples_hash
from qa.evaluation.targets.target import Asking, Facts
from qa.evaluation.types import SCHEMA_VERSION, Example, Machine, Manifest
from qa.language.timestamps import stamp

__all__ = ["checkout_revision", "code_hash", "git_revision", "machine", "make_manifest", "versions"]

_ROOT = Path(__file__).resolve().parent.parent.parent
_CODE = ("qa", "embeddings", "prompts", "seeds")
_LIBRARIES = (
    "sourceline",
    "torch",
    "sentence-transformers",
    "transformers",
    "tokenizers",
    "faiss-cpu",
    "numpy",
    "apsw",
)


def make_manifest(
    dataset: Dataset, examples: Sequence[Example], *, facts: Facts, asking: Asking, selection: dict[str, str], seed: int
) -> Manifest:
    """`selection` says which examples of the dataset were chosen."""
    begun = datetime.now(UTC)
    options = {**selection, **{name: str(value) for name, value in msgspec.structs.asdict(asking).items()}}
    rows = examples_hash(examples)
    known = {**versions(), "code": code_hash() if facts.target.kind == "in_process" else ""}
    decisive = (dataset.sha256, rows, facts, options, known, seed)
    fingerprint = hashlib.sha256(msgspec.json.encode(decisive, order="deterministic")).hexdigest()
    return Manifest(
        schema_version=SCHEMA_VERSION,
        run_id=f"{begun:%Y%m%dT%H%M%S}-{fingerprint[:8]}",
        fingerprint=fingerprint,
        dataset=dataset.name,
        dataset_sha256=dataset.sha256,
        examples=len(examples),
        examples_sha256=rows,
        target=facts.target,
        options=options,
        settings=facts.settings,
        encoder=facts.encoder,
        prompts=facts.prompts,
        corpus=facts.corpus,
        git_revision=checkout_revision(),
        versions=known,
        machine=machine(),
        seed=seed,
        started_at=stamp(begun),
    )


def checkout_revision() -> str:
    """The commit that this code is of, as `git_revision` names it."""
    return git_revision(_ROOT)


def git_revision(root: Path) -> str:
    """The commit of a checkout, `+changed` where tracked files differ from it; empty outside of one."""
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return ""
    revision = _git(git, root, "rev-parse", "HEAD")
    return revision + ("+changed" if revision and _git(git, root, "status", "--porcelain", "-uno") else "")


def code_hash(root: Path = _ROOT) -> str:
    """SHA-256 over every file of the packages: tells versions apart where git cannot."""
    digest = hashlib.sha256()
    for package in _CODE:
        for path in sorted((root / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(root)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Of this package and of the libraries that decide what is retrieved and answered."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> Machine:
    """The machine, without its name or its owner's."""
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        python=platform.python_version(),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _git(git: str, root: Path, *arguments: str) -> str:
    done = subprocess.run([git, "-C", str(root), *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() if done.returncode == 0 else ""
