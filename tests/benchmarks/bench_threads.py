"""What a busy neighbour costs an encoder on torch in CPU time, with native threads that spin and with ours that sleep.

    python tests/benchmarks/bench_threads.py

Each way runs in a process of its own: a few questions and passages alone, then beside as many busy loops as there are
processors. Prints JSON: CPU time as a multiple of that of sleeping threads alone, the median of the rounds and their
extremes. It takes about a minute; other load on the machine makes "alone" less alone.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from embeddings.encoders import LIBRARY_NAME, Encoder, load
from embeddings.runtime import usable_processors

ROUNDS, QUESTIONS, PASSAGES = 5, 8, 4
QUESTION = "How many people work in the harbour that was reopened on Monday?"
PASSAGE = "The harbour was reopened on Monday after nine days. About 4,200 people work there, and most came back. " * 6
WAYS = {"spinning": None, "sleeping": "passive"}


def questions(encoder: Encoder) -> None:
    for _ in range(QUESTIONS):
        encoder.encode_query(QUESTION)


def passages(encoder: Encoder) -> None:
    encoder.encode_passages([PASSAGE] * PASSAGES)


WORK: dict[str, Callable[[Encoder], None]] = {"questions": questions, "passages": passages}


def measure(encoder: Encoder) -> dict[str, list[float]]:
    """CPU seconds of each round of each kind of work."""
    found: dict[str, list[float]] = {name: [] for name in WORK}
    for _ in range(ROUNDS):
        for name, work in WORK.items():
            began = time.process_time()
            work(encoder)
            found[name].append(time.process_time() - began)
    return found


@contextmanager
def neighbours(number: int) -> Iterator[None]:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        yield
    finally:
        for one in busy:
            one.kill()
            one.wait()


def child(way: str) -> None:
    """Measure one way; before torch is there, the policy can still be taken back."""
    if WAYS[way] is None:
        os.environ.pop("OMP_WAIT_POLICY", None)
    encoder = load(LIBRARY_NAME)  # torch: the bundled network runs each text on one thread, which waits for none
    passages(encoder)
    alone = measure(encoder)
    with neighbours(usable_processors()):
        beside = measure(encoder)
    json.dump({"alone": alone, "beside": beside}, sys.stdout)


def run(way: str) -> dict[str, dict[str, list[float]]]:
    environ = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run([sys.executable, __file__, way], env=environ, check=True, capture_output=True, text=True)
    found: dict[str, dict[str, list[float]]] = json.loads(done.stdout)
    return found


def ratios(rounds: list[float], *, to: float) -> dict[str, float]:
    return {
        "median": round(statistics.median(rounds) / to, 2),
        "least": round(min(rounds) / to, 2),
        "most": round(max(rounds) / to, 2),
    }


def main() -> None:
    if len(sys.argv) == 2:
        child(sys.argv[1])
        return
    found = {way: run(way) for way in WAYS}
    report = {
        way: {
            place: {
                name: ratios(rounds, to=statistics.median(found["sleeping"]["alone"][name]))
                for name, rounds in measured.items()
            }
            for place, measured in places.items()
        }
        for way, places in found.items()
    }
    about = {"bench": "threads", "processors": usable_processors(), "rounds": ROUNDS}
    json.dump({**about, "cpu_time": report}, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
