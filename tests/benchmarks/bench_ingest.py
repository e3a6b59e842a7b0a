"""Ingest: speed as a share of the bare encoder's, the price of doing it again, what a kill costs; prints JSON.

    python tests/benchmarks/bench_ingest.py ARTICLES.jsonl.gz [--limit 100] [--threads 0]

Bare encoder: the very texts that the ingest encoded, in one call, in the same process; half of them before the ingest
and half after, so that a machine that grows slower or faster does not favour one side. Where others work on the
machine too, trust `share_of_bare_by_cpu`: it compares processor seconds, which do not count time spent waiting.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from embeddings import encoders, parsers
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder, EncoderIdentity
from embeddings.ingest import IngestProgress, IngestReport, ingest
from embeddings.types import RawArticle, Rejected, Vector, Vectors, Where


class Watched:
    """An encoder that keeps what it was given to encode, and for how long it was at it."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.texts: list[str] = []
        self.seconds = 0.0

    @property
    def identity(self) -> EncoderIdentity:
        return self._encoder.identity

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        began = time.perf_counter()
        vectors = self._encoder.encode_passages(texts)
        self.seconds += time.perf_counter() - began
        self.texts += texts
        return vectors

    def encode_query(self, text: str) -> Vector:
        return self._encoder.encode_query(text)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._encoder.count_tokens(texts)


def items(path: Path, limit: int | None) -> Iterator[RawArticle | Rejected]:
    return islice(parsers.read(path), limit)


class Seconds(NamedTuple):
    """Time taken, by the clock on the wall and by all cores together."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Seconds:
        return cls(time.perf_counter(), time.process_time())

    def since(self, began: Seconds) -> Seconds:
        return Seconds(self.wall - began.wall, self.cpu - began.cpu)


def run(
    folder: Path, source: Iterable[RawArticle | Rejected], encoder: Encoder, progress: object = None
) -> tuple[IngestReport, Seconds]:
    """Ingest with opening and closing of the corpus; gives the report and the time all of it took."""
    began = Seconds.now()
    corpus = EmbeddedCorpus.open(folder, identity=encoder.identity)
    report = ingest(source, corpus=corpus, encoder=encoder, progress=progress)  # type: ignore[arg-type]
    corpus.close()
    return report, Seconds.now().since(began)


def encoding(encoder: Encoder, texts: Sequence[str]) -> Seconds:
    began = Seconds.now()
    encoder.encode_passages(texts)
    return Seconds.now().since(began)


def speed(path: Path, limit: int | None, encoder: Encoder, folder: Path) -> dict[str, object]:
    """First ingest against the bare encoder, then a second ingest of the same."""
    texts = passages_of(path, limit, encoder)
    encoder.encode_passages(texts[:32])  # loads the weights
    before = encoding(encoder, texts[::2])
    watched = Watched(encoder)
    first, took = run(folder, items(path, limit), watched)
    after = encoding(encoder, texts[1::2])
    bare = Seconds(before.wall + after.wall, before.cpu + after.cpu)
    assert sorted(watched.texts) == sorted(texts)
    second, took_again = run(folder, items(path, limit), encoder)
    return {
        "articles": len(first.articles),
        "rejected": len(first.rejected),
        "outcomes": Counter(article.outcome for article in first.articles),
        "passages": len(texts),
        "passages_per_second": round(len(texts) / took.wall, 2),
        "bare_passages_per_second": round(len(texts) / bare.wall, 2),
        "share_of_bare": round(bare.wall / took.wall, 3),
        "share_of_bare_by_cpu": round(bare.cpu / took.cpu, 3),
        "seconds": round(took.wall, 2),
        "seconds_encoding": round(watched.seconds, 2),
        "seconds_beside_encoding": round(took.wall - watched.seconds, 2),
        "second_ingest_seconds": round(took_again.wall, 3),
        "second_ingest_share": round(took_again.wall / took.wall, 4),
        "second_ingest_share_by_cpu": round(took_again.cpu / took.cpu, 4),
        "second_ingest_encoded": second.passages_encoded,
        "second_outcomes": Counter(article.outcome for article in second.articles),
    }


def passages_of(path: Path, limit: int | None, encoder: Encoder) -> list[str]:
    """What the encoder will be given, found by an ingest with an encoder that takes no time."""

    class Idle(Watched):
        def encode_passages(self, texts: Sequence[str]) -> Vectors:
            import numpy as np

            self.texts += texts
            vectors = np.random.default_rng(len(self.texts)).standard_normal((len(texts), self.identity.dimension))
            return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    idle = Idle(encoder)
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), items(path, limit), idle)
    return idle.texts


def killed(path: Path, limit: int | None, folder: Path, threads: int) -> dict[str, object]:
    """SIGKILL in the middle of an ingest, then the same again: nothing that was written is encoded once more."""
    script = [sys.executable, __file__, str(path), "--child", str(folder), "--threads", str(threads)]
    command = [*script, *(["--limit", str(limit)] if limit else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for step, _ in enumerate(child.stdout, start=1):  # a line whenever something was written
            if step == 2:
                child.send_signal(signal.SIGKILL)
                break
    encoder = encoders.load("all-MiniLM-L6-v2", threads=threads)
    corpus = EmbeddedCorpus.open(folder, identity=encoder.identity)
    survived = corpus.count(Where())
    corpus.close()
    watched = Watched(encoder)
    report, took = run(folder, items(path, limit), watched)
    corpus = EmbeddedCorpus.open(folder, identity=encoder.identity, read_only=True)
    whole, findings = corpus.count(Where()), corpus.verify()
    corpus.close()
    return {
        "articles_that_survived": survived.articles,
        "passages_that_survived": survived.passages,
        "outcomes_of_resuming": Counter(article.outcome for article in report.articles),
        "passages_encoded_by_resuming": len(watched.texts),
        "passages_encoded_twice": survived.passages + len(watched.texts) - whole.passages,
        "articles_in_the_end": whole.articles,
        "damage": len(findings),
        "seconds_to_resume": round(took.wall, 2),
    }


def child(path: Path, limit: int | None, folder: Path, threads: int) -> None:
    """Ingest, printing a line whenever articles were written, until killed."""
    done = 0

    def tell(progress: IngestProgress) -> None:
        nonlocal done
        if progress.items > done:
            done = progress.items
            sys.stdout.write(f"{done}\n")
            sys.stdout.flush()

    run(folder, items(path, limit), encoders.load("all-MiniLM-L6-v2", threads=threads), tell)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--limit", type=int, help="only the first so many articles")
    parser.add_argument("--threads", type=int, default=0, help="of the encoder; 0 is one per core")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.path, given.limit, given.child, given.threads)
        return
    encoder = encoders.load("all-MiniLM-L6-v2", threads=given.threads)
    with tempfile.TemporaryDirectory() as folder:
        measured = speed(given.path, given.limit, encoder, Path(folder, "speed"))
        resumed = killed(given.path, given.limit, Path(folder, "killed"), given.threads)
    report = {
        "bench": "ingest",
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
        "threads": given.threads,
        "python": platform.python_version(),
        "torch": version("torch"),
        "limit": given.limit,
        **measured,
        "killed": resumed,
    }
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
