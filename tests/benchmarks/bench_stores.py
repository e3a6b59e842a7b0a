"""Both stores with the same passages: how fast they fill and search, what is found, how large they are; prints JSON.

    python tests/benchmarks/bench_stores.py [--passages 20000] [--encoded 2000]

Passages are pieces of a hundred words of the RealTimeQA pool. So many of them are encoded; the other vectors are those
with noise, a cosine of about .94 away, so that they lie in clusters as real ones do. Recall is against the exact list
of the embedded store. The server is that of the tests, writing to the disk in earnest, on this machine.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import load
from embeddings.opening import KeptCorpus
from embeddings.postgres.corpus import PostgresCorpus
from embeddings.types import (
    Article,
    EncodedPassage,
    Held,
    Hits,
    IndexedArticle,
    Passage,
    Vectors,
    Where,
    article_version,
    passage_id,
)

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "realtimeqa"
PIECES = 5
"""Passages of an article."""
DEPTH, SEARCHES = 50, 60
NOISE = 0.36


def server_class() -> Any:
    spec = importlib.util.spec_from_file_location("postgres_server", ROOT / "tests" / "postgres_server.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["postgres_server"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PostgresServer


def texts(count: int) -> list[tuple[str, str]]:
    """Titles and passages, the articles' own, in their order."""
    found: list[tuple[str, str]] = []
    with gzip.open(DATA / "articles.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            article = json.loads(line)
            words = article["text"].split()
            found += [(article["title"], " ".join(words[at : at + 100])) for at in range(0, len(words), 100)]
            if len(found) >= count:
                break
    return found[:count]


def vectors(encoder: Any, passages: list[str], encoded: int) -> Vectors:
    """Real ones first, then real ones with noise."""
    drawn = np.random.default_rng(3)
    chosen = drawn.choice(len(passages), size=min(encoded, len(passages)), replace=False)
    real = np.concatenate(
        [
            encoder.encode_passages([passages[at] for at in chosen[start : start + 64]])
            for start in range(0, len(chosen), 64)
        ]
    )
    made = real[drawn.integers(len(real), size=len(passages))]
    made = made + NOISE * drawn.normal(size=made.shape) / np.sqrt(made.shape[1])
    made[: len(real)] = real
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def articles(rows: list[tuple[str, str]], made: Vectors) -> Iterator[IndexedArticle]:
    for start in range(0, len(rows) - PIECES + 1, PIECES):
        number = start // PIECES
        pieces = [text for _, text in rows[start : start + PIECES]]
        name, text = f"a{number}", "\n\n".join(pieces)
        version = article_version(text)
        source = "thousandth" if number % 1000 == 7 else "hundredth" if number % 100 == 7 else "rest"
        collection = "tenth" if number % 10 == 3 else "default"
        passages, at = [], 0
        for piece, vector in zip(pieces, made[start : start + PIECES], strict=True):
            identity = passage_id(name, version, at, at + len(piece))
            passages.append(
                EncodedPassage(
                    passage=Passage(
                        id=identity, article_id=name, article_version=version, start=at, end=at + len(piece), text=piece
                    ),
                    vector=vector,
                )
            )
            at += len(piece) + 2
        article = Article(
            id=name, version=version, title=rows[start][0], text=text, source=source, collection=collection
        )
        yield IndexedArticle(article=article, passages=tuple(passages), signature=b"")


FILTERS = {
    "none": Where(),
    "10 %": Where(collection="tenth"),
    "1 %": Where(sources=("hundredth",)),
    "0.1 %": Where(sources=("thousandth",)),
}


def fill(corpus: KeptCorpus, rows: list[tuple[str, str]], made: Vectors) -> dict[str, float]:
    began = time.perf_counter()
    waiting: list[Held] = []
    for indexed in articles(rows, made):
        waiting.append(Held(indexed=indexed))
        if len(waiting) == 64:
            corpus.take(waiting)
            waiting = []
    corpus.take(waiting)
    taken = time.perf_counter() - began
    corpus.rebuild()
    return {
        "passages_per_second": round(len(rows) / taken, 1),
        "index_seconds": round(time.perf_counter() - began - taken, 1),
    }


def searched(corpus: KeptCorpus, questions: list[tuple[Any, str]], where: Where) -> tuple[list[Hits], list[float]]:
    hits, seconds = [], []
    corpus.search(*questions[0], k=DEPTH, where=where)
    for vector, text in questions:
        began = time.perf_counter()
        hits.append(corpus.search(vector, text, k=DEPTH, where=where))
        seconds.append(time.perf_counter() - began)
    return hits, seconds


def names(corpus: KeptCorpus, hits: Any) -> set[str]:
    return {stored.passage.id for stored in corpus.passages([hit.key for hit in hits]).values()}


def share(both: tuple[KeptCorpus, KeptCorpus], pairs: list[tuple[Any, Any]]) -> float:
    """Of what the first finds, how much the second finds."""
    found = wanted = 0
    for one, other in pairs:
        expected = names(both[0], one)
        found += len(expected & names(both[1], other))
        wanted += len(expected)
    return round(found / wanted, 4) if wanted else 1.0


def measured(embedded: KeptCorpus, server: KeptCorpus, questions: list[tuple[Any, str]]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    for name, where in FILTERS.items():
        row: dict[str, Any] = {"passages": embedded.count(where).passages}
        for kind, asked in (("dense", [(vector, "") for vector, _ in questions]), ("both", questions)):
            lists = []
            for store, corpus in (("embedded", embedded), ("postgres", server)):
                hits, seconds = searched(corpus, asked, where)
                lists.append(hits)
                cuts = statistics.quantiles(seconds, n=20)
                row[f"{store} {kind} ms"] = {"p50": round(1e3 * cuts[9], 1), "p95": round(1e3 * cuts[18], 1)}
            both = (embedded, server)
            row[f"{kind} recall"] = share(both, [(one.dense, other.dense) for one, other in zip(*lists, strict=True)])
        row["lexical overlap"] = share(both, [(one.lexical, other.lexical) for one, other in zip(*lists, strict=True)])
        report[name] = row
    return report


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--passages", type=int, default=20_000)
    options.add_argument("--encoded", type=int, default=2_000)
    given = options.parse_args()
    encoder = load("all-MiniLM-L6-v2")
    rows = texts(given.passages)
    made = vectors(encoder, [text for _, text in rows], given.encoded)
    with (DATA / "questions.jsonl").open(encoding="utf-8") as lines:
        asked = [json.loads(line)["question"] for line, _ in zip(lines, range(SEARCHES), strict=False)]
    questions = [(encoder.encode_query(text), text) for text in asked]
    report: dict[str, Any] = {"passages": len(rows), "searches": len(questions), "k": DEPTH, "cores": os.cpu_count()}
    with (
        tempfile.TemporaryDirectory() as folder,
        server_class()(durable=True) as postgres,
        closing(EmbeddedCorpus.open(Path(folder), identity=encoder.identity)) as embedded,
        closing(PostgresCorpus.open(postgres.url(), identity=encoder.identity, timeout=600)) as server,
    ):
        for name, corpus in (("embedded", embedded), ("postgres", server)):
            report[name] = fill(corpus, rows, made)
            sizes = corpus.stats()
            report[name] |= {
                "store_mb": round(sizes.database_bytes / 1e6, 1),
                "index_mb": round(sizes.index_bytes / 1e6, 1),
            }
        report["search"] = measured(embedded, server, questions)
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
