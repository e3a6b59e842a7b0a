"""Measures one peer in its own environment: CPU time of its own work beside the encoder; prints JSON.

    PYTHON NAME_peer.py ARTICLES.jsonl --model FOLDER --characters 1100 --real 20 [--searches 100]

Every peer encodes the first `--real` articles in earnest. All of the articles, and the searches, are then done by a
second peer whose encoder gives random vectors at once: what is left is its own work. It takes an hour otherwise, most
of it the same model that all of them run.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

DIMENSION = 384


class Peer(Protocol):
    """One way to store and find passages, over an empty folder."""

    def ingest(self, articles: Sequence[tuple[str, str]]) -> int:
        """Cut, encode and store titles with texts, durably; gives the number of passages."""

    def search(self, question: str) -> int:
        """Find ten passages; gives how many were found."""


Make = Callable[[Path], Peer]


class Encoding:
    """Stands in for the methods that encode: counts their CPU time, or gives random vectors in their place."""

    def __init__(self, owner: type, *names: str) -> None:
        self._random = np.random.default_rng(0)
        self.seconds, self.idle = 0.0, False
        for name in names:
            setattr(owner, name, self._instead(getattr(owner, name)))

    def _instead(self, method: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given, **named: self._run(method, given, named)

    def _run(self, method: Callable[..., Any], given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if self.idle:
            texts = given[1] if len(given) > 1 else next(iter(named.values()))
            shape = (DIMENSION,) if isinstance(texts, str) else (len(texts), DIMENSION)
            found = self._random.standard_normal(shape).astype(np.float32)
            return found / np.linalg.norm(found, axis=-1, keepdims=True)
        began = time.process_time()
        found = method(*given, **named)
        self.seconds += time.process_time() - began
        return found


def spent(work: Callable[[], int]) -> tuple[float, int]:
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def report(make: Make, encoding: Encoding, articles: Sequence[tuple[str, str]], *, real: int, searches: int) -> Any:
    """What ingest and search cost: CPU seconds, passages, and what each passage costs beside the encoder."""
    questions = [f"What is known of {title}?" for title, _ in articles][:searches]
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder)).ingest(articles[:1])  # loads the weights, and whatever else is loaded at the first need
    with tempfile.TemporaryDirectory() as folder:
        peer = make(Path(folder))
        encoding.seconds = 0.0
        seconds, passages = spent(lambda: peer.ingest(articles[:real]))
        encoded = encoding.seconds
    with tempfile.TemporaryDirectory() as folder:
        peer, encoding.idle = make(Path(folder)), True
        own, stored = spent(lambda: peer.ingest(articles))
        peer.search(questions[0])  # whatever is made at the first need
        looked, _ = spent(lambda: sum(peer.search(question) for question in questions))
    return {
        "passages": passages,
        "passages_per_cpu_second": round(passages / seconds, 2),
        "characters_per_passage": round(sum(len(text) for _, text in articles) / stored),
        "share_of_bare_by_cpu": round(encoded / seconds, 3),
        "passages_without_encoder": stored,
        "own_cpu_ms_a_passage": round(1000 * own / stored, 3),
        "search_beside_encoder_cpu_ms": round(1000 * looked / len(questions), 2),
        "megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main(prepare: Callable[[Path, int], tuple[Make, Encoding]]) -> None:
    """Measure what `prepare` makes of a model's folder and the characters of a passage."""
    parser = argparse.ArgumentParser()
    parser.add_argument("articles", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--characters", type=int, required=True, help="of a passage, at most")
    parser.add_argument("--real", type=int, default=20)
    parser.add_argument("--searches", type=int, default=100)
    given = parser.parse_args()
    rows = [json.loads(line) for line in given.articles.read_text(encoding="utf-8").splitlines()]
    make, encoding = prepare(given.model, given.characters)
    pairs = [(row["title"], row["text"]) for row in rows]
    json.dump(report(make, encoding, pairs, real=given.real, searches=given.searches), sys.stdout)
