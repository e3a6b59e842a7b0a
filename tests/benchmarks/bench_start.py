"""What starting costs in CPU time and memory: `qa --help`, one `qa ask`, `qa serve` until it is ready, on the samples.

    python tests/benchmarks/bench_start.py [OTHER_CHECKOUT]

Each is started anew in every round, in turn with the same of another checkout where one is given (with this one's
packages), and once before, which compiles the modules. Prints JSON: the least and the median of the rounds, megabytes
resident, and what each takes of the other's.
"""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
QUESTION = "How many people was the Skerra ferry carrying when it got stuck?"
WORK = {"help": ["--help"], "ask": ["ask", QUESTION], "serve": ["serve", "--port", "0"]}

Cost = tuple[float, float]
"""CPU seconds, and megabytes resident."""


def run(checkout: Path, data: str, *words: str) -> Cost:
    """Run one command from a checkout; one that serves is stopped as soon as it is ready."""
    environ = {**os.environ, "PYTHONPATH": str(checkout.resolve()), "QA_DATA_DIR": data}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every start would compile all modules anew
    with subprocess.Popen(
        [sys.executable, "-m", "qa", *words],
        cwd=data,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        if words[0] == "serve":
            assert "ready" in process.stdout.readline()
            spent = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            (resident,) = re.findall(r"VmRSS:\s*(\d+)", Path(f"/proc/{process.pid}/status").read_text())
            process.send_signal(signal.SIGTERM)
            return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK"), int(resident) / 1024
        process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0, words
        return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def told(costs: list[Cost]) -> dict[str, float]:
    seconds = [cost[0] for cost in costs]
    least, median = round(min(seconds), 2), round(statistics.median(seconds), 2)
    return {"least_cpu_seconds": least, "median_cpu_seconds": median, "megabytes": round(costs[-1][1])}


def main() -> None:
    checkouts = dict(zip(("this", "other"), [ROOT, *map(Path, sys.argv[1:2])], strict=False))
    costs: dict[str, dict[str, list[Cost]]] = {name: {one: [] for one in checkouts} for name in WORK}
    with tempfile.TemporaryDirectory(prefix="sourceline-bench-") as data:
        run(ROOT, data, "ingest", str(ROOT / "seeds" / "articles"))
        for number in range(1 + ROUNDS):
            for name, words in WORK.items():
                for one, checkout in checkouts.items():
                    cost = run(checkout, data, *words)
                    costs[name][one] += [cost] if number else []
    report: dict[str, dict[str, object]]
    report = {name: {one: told(of) for one, of in by.items()} for name, by in costs.items()}
    if "other" in checkouts:
        for name, by in costs.items():
            this, other = ([cost[0] for cost in by[one]] for one in ("this", "other"))
            report[name]["ratio"] = {
                "of_least": round(min(this) / min(other), 2),
                "of_median": round(statistics.median(this) / statistics.median(other), 2),
            }
    json.dump({"bench": "start", "rounds": ROUNDS, "start": report}, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
