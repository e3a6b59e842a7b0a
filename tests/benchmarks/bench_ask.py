"""What `/api/ask` costs in CPU time, extractive, through the real service; prints JSON.

    python tests/benchmarks/bench_ask.py [--data FOLDER] [--questions FILE] [--against CHECKOUT] [FILE_OR_FOLDER …]

The service answers the labelled questions about the samples (or those of FILE, a question a line of JSON) over the
samples and the files named, or over a store that is there. With another checkout, a second service runs it, with the
packages of its own `.venv` where it has one, else with this one's; each question is put to both in turn, so that what
else the machine does falls on both. Replies are compared without ids, links and times. `first` is a question asked for
the first time, `again` the same once more.

With `--askers 16`, sixteen questions at once go to one service and one after the other to a second one, and so on
through all of them; `at_once` is what that many askers are answered in as much time on the wall and of the processors.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

import seeds

ROOT = Path(__file__).resolve().parents[2]
WARMING = 5
"""Questions asked before anything is measured: what is loaded at the first need is loaded then."""
LONG = {"QA_DEADLINE_SECONDS": "600", "QA_MAX_QUEUE": "100"}
"""No question fails because the machine is busy."""
MASKED = re.compile(
    r'"(?:id|conversation_id|conversation_token|links?|timings_ms|as_of)": ?(?:"[^"]*"|\{[^{}]*\}|null),?'
)


class Asked(NamedTuple):
    """One question as it is sent."""

    id: str
    body: bytes


class Cost(NamedTuple):
    """What one answer took, and a hash of it."""

    milliseconds: float
    reply: str


class Service:
    """One service under measurement."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._pid = process.pid
        # The clock of another process's CPU time, as Linux numbers it: to the nanosecond, where /proc counts ticks.
        self._clock = (~process.pid << 3) | 2
        self._port = port

    def seconds(self) -> float:
        """CPU time of all its threads so far."""
        return time.clock_gettime(self._clock)

    def megabytes(self) -> int:
        """Resident memory, pages of files included."""
        (found,) = re.findall(r"VmRSS:\s*(\d+)", Path(f"/proc/{self._pid}/status").read_text())
        return round(int(found) / 1024)

    def ask(self, asked: Asked) -> Cost:
        """Put one question; every thread of the service counts."""
        began = self.seconds()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=600)
        connection.request("POST", "/api/ask", asked.body, {"Content-Type": "application/json", "Connection": "close"})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        spent = self.seconds() - began
        if response.status != 200:
            raise SystemExit(f"{asked.id}: {response.status} {text[:300]}")
        return Cost(1000 * spent, hashlib.sha256(MASKED.sub("", text).encode()).hexdigest()[:16])


def python_of(checkout: Path) -> str:
    """An older version needs the libraries that it was written for."""
    own = checkout / ".venv/bin/python"
    return str(own.absolute()) if checkout != ROOT and own.exists() else sys.executable


@contextmanager
def serving(checkout: Path, data: Path) -> Iterator[Service]:
    environ = {
        **os.environ,
        "PYTHONPATH": str(checkout.resolve()),
        "QA_DATA_DIR": str(data),
        "QA_VISITOR_RATE": "0",
    } | LONG
    with subprocess.Popen(
        [python_of(checkout), "-m", "qa", "serve", "--port", "0"],
        cwd=data,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        found = re.search(r":(\d+)", ready)
        if found is None:
            raise SystemExit(f"{checkout}: the service did not become ready: {ready!r}")
        try:
            yield Service(process, int(found[1]))
        finally:
            process.send_signal(signal.SIGTERM)


def ingested(checkout: Path, data: Path, paths: Sequence[Path]) -> None:
    environ = {**os.environ, "PYTHONPATH": str(checkout.resolve()), "QA_DATA_DIR": str(data)}
    files = [str(path.resolve()) for path in (seeds.articles_dir(), *paths)]
    subprocess.run([python_of(checkout), "-m", "qa", "ingest", *files], cwd=data, env=environ, check=True, stdout=2)


def questions(file: Path | None) -> list[Asked]:
    if file is None:
        rows = [(one.id, one.question, one.as_of) for one in seeds.questions()]
    else:
        read = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        rows = [(str(one.get("id", number)), one["question"], one.get("as_of")) for number, one in enumerate(read)]
    return [Asked(name, body(question, as_of)) for name, question, as_of in rows]


def body(question: str, as_of: str | None) -> bytes:
    fields = {"question": question, "mode": "extractive"} | ({"as_of": as_of} if as_of else {})
    return msgspec.json.encode(fields)


def spread(values: Sequence[float]) -> dict[str, float]:
    quarters = statistics.quantiles(values, n=20)
    return {
        "mean": round(statistics.mean(values), 3),
        "p5": round(quarters[0], 3),
        "p50": round(statistics.median(values), 3),
        "p95": round(quarters[-1], 3),
    }


def measured(services: dict[str, Service], asked: Sequence[Asked]) -> dict[str, list[Cost]]:
    """Each question to each service in turn, the first one changing from question to question."""
    costs: dict[str, list[Cost]] = {name: [] for name in services}
    for number, one in enumerate(asked):
        for name in sorted(services, reverse=bool(number % 2)):
            costs[name].append(services[name].ask(one))
    return costs


def at_once(services: dict[str, Service], asked: Sequence[Asked], askers: int) -> dict[str, object]:
    """`askers` questions at once to the one service, one after the other to the other one: answers a second."""
    wall, cpu, same = dict.fromkeys(services, 0.0), dict.fromkeys(services, 0.0), True
    with ThreadPoolExecutor(askers) as pool:
        for start in range(0, len(asked), askers):
            some, replies = asked[start : start + askers], []
            for name in sorted(services, reverse=bool(start // askers % 2)):
                began, spent = time.perf_counter(), services[name].seconds()
                run = pool.map if name == "at_once" else map
                replies.append([cost.reply for cost in run(services[name].ask, some)])
                wall[name] += time.perf_counter() - began
                cpu[name] += services[name].seconds() - spent
            same = same and replies[0] == replies[1]
    return {
        "askers": askers,
        "answers_a_second": {name: round(len(asked) / seconds, 3) for name, seconds in wall.items()},
        "answers_a_cpu_second": {name: round(len(asked) / seconds, 3) for name, seconds in cpu.items()},
        "same_replies": same,
    }


def compared(costs: dict[str, list[Cost]], asked: Sequence[Asked]) -> dict[str, object]:
    this, other = costs["this"], costs["other"]
    ratios = [mine.milliseconds / theirs.milliseconds for mine, theirs in zip(this, other, strict=True)]
    total = sum(one.milliseconds for one in this) / sum(one.milliseconds for one in other)
    different = [one.id for one, a, b in zip(asked, this, other, strict=True) if a.reply != b.reply]
    return {"ratio_of_totals": round(total, 3), "ratio_by_question": spread(ratios), "different": different}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("more", nargs="*", type=Path, help="files to ingest beside the samples")
    parser.add_argument("--data", type=Path, help="a store to copy; nothing is ingested")
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--against", type=Path, help="another checkout")
    parser.add_argument("--askers", type=int, help="so many at once, instead of all this")
    options = parser.parse_args()
    checkouts = {"this": ROOT, **({"other": options.against} if options.against else {})}
    if options.askers:
        checkouts = {"alone": ROOT, "at_once": ROOT}
    asked = questions(options.questions)[: options.limit]
    with tempfile.TemporaryDirectory(prefix="sourceline-bench-") as folder, ExitStack() as stack:
        services = {}
        for name, checkout in checkouts.items():
            data = Path(folder, name)
            if options.data:
                shutil.copytree(options.data, data)
            else:
                data.mkdir()
                ingested(checkout, data, options.more)
            services[name] = stack.enter_context(serving(checkout, data))
        for number in range(WARMING):
            for service in services.values():
                service.ask(Asked("warming", body(f"How many ships of class {number} were lost near Aru?", None)))
        if options.askers:
            found = at_once(services, asked, options.askers)
            json.dump({"bench": "ask", "questions": len(asked), "load": os.getloadavg(), **found}, sys.stdout, indent=1)
            return
        passes = {name: measured(services, asked) for name in ("first", "again")}
        megabytes = {name: service.megabytes() for name, service in services.items()}
    report: dict[str, object] = {"bench": "ask", "questions": len(asked), "load": os.getloadavg()}
    report["megabytes"] = megabytes
    for name, costs in passes.items():
        cpu = {f"{one}_cpu_ms": spread([cost.milliseconds for cost in of]) for one, of in costs.items()}
        report[name] = cpu | (compared(costs, asked) if options.against else {})
    report["replies"] = hashlib.sha256("".join(one.reply for one in passes["first"]["this"]).encode()).hexdigest()
    json.dump(report, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
