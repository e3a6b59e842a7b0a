"""The whole table in one run: ingest and search beside peers, an answer, start, memory, size; written into the docs.

    python tests/benchmarks/bench_table.py ARTICLES.jsonl.gz [--against CHECKOUT] [--write docs/performance.md]
        [--articles 150] [--real 20] [--rounds 2] [--peers NAME …] [--limit N]

Runs `bench_peers`, `bench_ask` and `bench_start`, prints their reports as one JSON object, and with `--write` puts the
table between the marks in that file. Peers are shares of ours: a busy or slow machine makes all of them dearer. What
cannot be installed or run is named in the table with the reason; `--peers` alone measures none.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OPENS, CLOSES = "<!-- written by make bench BENCH=table -->", "<!-- end -->"
NAMES = {"llamaindex": "LlamaIndex", "langchain": "LangChain", "haystack": "Haystack", "txtai": "txtai"}
ROWS = {
    "passages_per_cpu_second": "ingest: passages a CPU-second",
    "own_cpu_ms_a_passage": "ingest beside the encoder: CPU-ms a passage",
    "search_beside_encoder_cpu_ms": "a search beside the encoder: CPU-ms",
}
Report = Mapping[str, Any]


def run(bench: str, *words: str) -> Report:
    """One benchmark in a process of its own; gives its report."""
    sys.stderr.write(f"table: {bench}\n")
    script = [sys.executable, str(HERE / f"bench_{bench}.py"), *words]
    found: Report = json.loads(subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found


def megabytes_of(lock: Path) -> float:
    """What the distributions of a lock file take on the disk; those that are not installed here count as nothing."""
    total = 0.0
    for name in re.findall(r"^([A-Za-z0-9][\w.-]*)==", lock.read_text(encoding="utf-8"), re.MULTILINE):
        try:
            files = distribution(name).files or ()
        except PackageNotFoundError:
            continue
        paths = [Path(str(file.locate())) for file in files]
        total += sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file())
    return total / 2**20


def beside_peers(peers: Report) -> Iterator[str]:
    """Rows of ours in figures, of each peer as a share of ours; peers that are not there are named below them."""
    figures, ours = peers["figures"], peers["figures"]["sourceline"]
    names = [name for name in NAMES if name in figures]
    yield row("", "Sourceline", *(NAMES[name] + " " + peers["versions"][name][0].partition("==")[2] for name in names))
    yield "|---" * (len(names) + 2) + "|"
    for key, told in ROWS.items():
        mine = ours[key]
        shares = (f"{figures[name][key]['median'] / mine['median']:.2f} ×" for name in names)
        yield row(told, f"{mine['median']:.2f} ({mine['least']:.2f} to {mine['most']:.2f})", *shares)
    for key, told, form in (
        ("share_of_bare_by_cpu", "share of the CPU time in the encoder, ingesting", ".2f"),
        ("characters_per_passage", "characters a passage", ".0f"),
    ):
        yield row(told, *(format(figures[name][key]["median"], form) for name in ("sourceline", *names)))
    yield ""
    stored = f"{ours['passages_without_encoder']['median']:,.0f} passages of {peers['articles']} articles"
    encoded = f"{ours['passages']['median']:.0f} of them (of {peers['encoded_articles']}) encoded in earnest"
    yield f"{stored}, {encoded}; 100 searches at most; {peers['rounds']} round(s), median and extremes."
    for name, shown in NAMES.items():
        if name not in figures:
            yield f"\n{shown} was not measured: {peers['failed'].get(name, 'not asked for')}."


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def alone(ask: Report, start: Report, size: float) -> Iterator[str]:
    """Rows of what only this project does, or nobody else was measured in."""
    yield "| | measured | bar |"
    yield "|---|---|---|"
    first, again = (ask[name]["this_cpu_ms"] for name in ("first", "again"))
    asked = f"`/api/ask`, extractive, {ask['questions']} sample questions"
    yield f"| {asked}: CPU-ms, mean (p5 to p95) | {spread(first)} | 130 |"
    if "ratio_of_totals" in ask["first"]:
        yield f"| the same, of the other checkout's | {ask['first']['ratio_of_totals']:.3f} | .33 |"
    yield f"| the same question again | {spread(again)} | |"
    for name, told, bar in (
        ("help", "`qa --help`", ".3"),
        ("ask", "`qa ask`, whole", "1.2"),
        ("serve", "ready", "1.5"),
    ):
        this = start["start"][name]["this"]
        yield f"| {told}: CPU-s, median of {start['rounds']} | {this['median_cpu_seconds']:.2f} | {bar} |"
    yield f"| memory of the service after these questions, MB | {ask['megabytes']['this']:.0f} | 250 |"
    yield f"| installed without models by name, MB (files, before they are compiled) | {size:.0f} | 500 |"


def spread(cost: Report) -> str:
    return f"{cost['mean']:.0f} ({cost['p5']:.0f} to {cost['p95']:.0f})"


def written(document: str, rows: Sequence[str]) -> str:
    """The document with these lines between its marks. Raises ValueError where it has none."""
    before, opens, rest = document.partition(OPENS)
    _, closes, after = rest.partition(CLOSES)
    if not (opens and closes):
        raise ValueError(f"the document has no {OPENS} … {CLOSES}")
    return "\n".join([before + opens, "", *rows, "", closes]) + after


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--against", type=Path, help="another checkout, for answers")
    parser.add_argument("--write", type=Path)
    for name, default in (("articles", 150), ("real", 20), ("rounds", 2)):
        parser.add_argument(f"--{name}", type=int, default=default, help="as of bench_peers")
    parser.add_argument("--peers", nargs="*", choices=NAMES, default=list(NAMES), help="these alone")
    parser.add_argument("--limit", type=int, help="of the sample questions, so many")
    given = parser.parse_args()
    limit = ["--limit", str(given.limit)] if given.limit else []
    numbers = [word for name in ("articles", "real", "rounds") for word in (f"--{name}", str(getattr(given, name)))]
    start = run("start")
    ask = run("ask", *(["--against", str(given.against)] if given.against else []), *limit)
    peers = run("peers", str(given.path), *numbers, "--only", *given.peers)
    size, (load, *_) = megabytes_of(ROOT / "requirements-slim.lock"), os.getloadavg()
    rows = [*beside_peers(peers), "", *alone(ask, start, size), "", f"Load of the machine at the end: {load:.0f}."]
    sys.stderr.write("\n".join(rows) + "\n")
    if given.write:
        given.write.write_text(written(given.write.read_text(encoding="utf-8"), rows), encoding="utf-8")
    report = {"bench": "table", "load": os.getloadavg(), "peers": peers, "ask": ask, "start": start}
    json.dump(report, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
