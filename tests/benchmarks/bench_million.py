"""The store on one machine at a million passages: what is found, how fast, in how much memory; prints JSON.

    python tests/benchmarks/bench_million.py [--size 1000000] [--encoded 3000] [--folder reports/bench/million]

Vectors are made of those of real passages: each is a real one plus a share of the difference of two others, the share
drawn evenly from 0 to SPREAD. So they vary where real ones do. The report says how near to real questions the first and
the tenth lie, among real passages and among as many made ones. Texts are the halves of two real passages. Filters let
10 %, 1 % and 0.1 % of the articles through, drawn evenly, and the tenth that lies nearest to one question.

Times are processor time on one thread, each step in a process of its own; the filled store is kept in the folder and
used again. Not part of `make test`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import EncoderIdentity
from embeddings.store import writes
from embeddings.store.database import Store
from embeddings.types import (
    Article,
    EncodedPassage,
    IndexedArticle,
    Passage,
    Vector,
    Vectors,
    Where,
    article_version,
    passage_id,
)

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "realtimeqa"
PIECES = 5
"""Passages of an article."""
SPREAD = 0.9
DEPTH, SEARCHES, TOP = 60, 100, 10
BLOCK = 20_000
IDENTITY = EncoderIdentity(name="made", revision="1" * 64, dimension=384, max_tokens=256, normalised=True)
FILTERS = {
    "none": Where(),
    "10 %": Where(sections=("tenth",)),
    "1 %": Where(sources=("hundredth", "thousandth")),
    "0.1 %": Where(sources=("thousandth",)),
    "10 %, near one question": Where(collection="near"),
}


def words_of_passages() -> list[str]:
    found: list[str] = []
    with gzip.open(DATA / "articles.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            words = json.loads(line)["text"].split()
            found += [" ".join(words[at : at + 100]) for at in range(0, len(words), 100)]
    return found


def questions() -> list[str]:
    with (DATA / "questions.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line)["question"] for line in islice(lines, SEARCHES)]


def real(folder: Path, encoded: int) -> tuple[Vectors, Vectors]:
    """Vectors of real passages and of questions; encoded once, kept for the next run."""
    kept = folder / f"real-{encoded}.npz"
    if not kept.exists():
        from embeddings.encoders import load

        encoder, texts = load("all-MiniLM-L6-v2", threads=1), words_of_passages()
        chosen = np.random.default_rng(3).choice(len(texts), size=encoded, replace=False)
        passages = [
            encoder.encode_passages([texts[at] for at in chosen[start : start + 64]]) for start in range(0, encoded, 64)
        ]
        asked = np.stack([encoder.encode_query(text) for text in questions()])
        np.savez(kept, passages=np.concatenate(passages), questions=asked)
    with np.load(kept) as read:
        return read["passages"], read["questions"]


def made_of(some: Vectors, count: int, *, seed: int) -> Vectors:
    """Vectors as if more were written on what these are about."""
    draw = np.random.default_rng(seed)
    one, other, third = (draw.integers(len(some), size=count) for _ in range(3))
    share = draw.uniform(0, SPREAD, size=(count, 1)).astype(np.float32)
    mixed = some[one] + share * (some[other] - some[third])
    scaled: Vectors = (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def likeness(some: Vectors, asked: Vectors) -> dict[str, Any]:
    """How near passages lie to questions and to each other: among real ones, and among ones made of a quarter."""
    quarter = len(some) // 4
    report = {}
    for name, pool in (("real", some[quarter:]), ("made", made_of(some[:quarter], len(some) - quarter, seed=5))):
        to_questions = -np.sort(-(asked @ pool.T), axis=1)[:, : 2 * TOP]
        to_passages = -np.sort(-(pool[:: len(pool) // 200] @ pool.T), axis=1)[:, 1 : 2 * TOP]
        report[name] = {
            "questions, 1st 10th": [round(float(np.median(to_questions[:, at])), 3) for at in (0, TOP - 1)],
            "passages, 1st 10th": [round(float(np.median(to_passages[:, at])), 3) for at in (0, TOP - 1)],
        }
    return report


def fill(folder: Path, size: int, encoded: int) -> None:
    """Make the store and the vectors in it, block by block."""
    some, asked = real(folder, encoded)
    texts = words_of_passages()
    place = folder / str(size)
    kept = np.lib.format.open_memmap(place / "vectors.npy", mode="w+", dtype=np.float32, shape=(size, some.shape[1]))
    store = Store.open(place / "store")
    # Where the nearest tenth ends is read from one block.
    least = float(np.quantile(made_of(some, BLOCK, seed=1000) @ asked[0], 0.9))
    for start in range(0, size, BLOCK):
        block = made_of(some, min(BLOCK, size - start), seed=1000 + start)
        near = block @ asked[0] >= least
        block = np.concatenate([block[near], block[~near]])  # so that articles are near or not
        kept[start : start + len(block)] = block
        with store.writing() as db:
            generation = writes.ensure_generation(db, IDENTITY)
            for indexed in articles(block, start, texts, near=block @ asked[0] >= least):
                writes.put(db, indexed, generation)  # quicker than `replace`, which makes the index as it goes
    with store.writing() as db:
        writes.adopt(db, IDENTITY)
    store.tidy()
    store.close()
    kept.flush()


def articles(block: Vectors, start: int, texts: list[str], *, near: Any) -> Iterator[IndexedArticle]:
    draw = np.random.default_rng(start)
    for at in range(0, len(block) - PIECES + 1, PIECES):
        number = (start + at) // PIECES
        pairs = draw.integers(len(texts), size=(PIECES, 2))
        pieces = [f"{texts[a][: len(texts[a]) // 2]} {texts[b][len(texts[b]) // 2 :]}" for a, b in pairs]
        yield article(f"a{number}", pieces, block[at : at + PIECES], number, near=bool(near[at]))


def article(name: str, pieces: list[str], vectors: Vectors, number: int, *, near: bool = False) -> IndexedArticle:
    text = "\n\n".join(pieces)
    version = article_version(text)
    passages, at = [], 0
    for piece, vector in zip(pieces, vectors, strict=True):
        end = at + len(piece)
        passage = Passage(
            id=passage_id(name, version, at, end),
            article_id=name,
            article_version=version,
            start=at,
            end=end,
            text=piece,
        )
        passages.append(EncodedPassage(passage=passage, vector=vector))
        at = end + 2
    told = Article(
        id=name,
        version=version,
        title=" ".join(pieces[0].split()[:8]),
        text=text,
        source="thousandth" if number % 1000 == 7 else "hundredth" if number % 100 == 7 else "rest",
        section="tenth" if number % 10 == 7 else "",
        collection="near" if near else "default",
    )
    return IndexedArticle(article=told, passages=tuple(passages), signature=b"")


def build(place: Path) -> dict[str, Any]:
    """Make the index from the store."""
    began = time.process_time()
    with closing(EmbeddedCorpus.open(place / "store", identity=IDENTITY)) as corpus:
        corpus.rebuild()
    return {"index_cpu_s": round(time.process_time() - began, 1), "peak": memory()}


def search(place: Path, folder: Path, encoded: int) -> dict[str, Any]:
    """Start, then search under each filter."""
    _, asked = real(folder, encoded)
    texts = questions()
    before = memory()
    began, wall = time.process_time(), time.perf_counter()
    with closing(EmbeddedCorpus.open(place / "store", identity=IDENTITY, read_only=True)) as corpus:
        corpus.search(asked[0], texts[0], k=DEPTH, where=Where())
        report: dict[str, Any] = {
            "start_cpu_s": round(time.process_time() - began, 2),
            "start_wall_s": round(time.perf_counter() - wall, 2),
            "memory before": before,
            "memory started": memory(),
        }
        wanted = nearest(place, asked)
        for name, where in FILTERS.items():
            report[name] = under_filter(corpus, asked, texts, where, wanted[name])
        report["memory after"] = memory()
    return report


def under_filter(corpus: EmbeddedCorpus, asked: Vectors, texts: list[str], where: Where, wanted: Any) -> dict[str, Any]:
    def dense_alone(vector: Vector, _: str) -> Any:
        return corpus.search(vector, "", k=DEPTH, where=where)

    def both(vector: Vector, text: str) -> Any:
        return corpus.search(vector, text, k=DEPTH, where=where)

    dense_alone(asked[0], "")
    hits, alone = timed(dense_alone, asked, texts)
    _, together = timed(both, asked, texts)
    found = [{hit.key - 1 for hit in each.dense[:TOP]} for each in hits]
    deep = [{hit.key - 1 for hit in each.dense[:DEPTH]} for each in hits]
    return {
        "recall@10": share(found, [each[:TOP] for each in wanted]),
        f"recall@{DEPTH}": share(deep, [each[:DEPTH] for each in wanted]),
        "dense_ms": quantiles(alone),
        "lexical_ms": quantiles([max(0.0, two - one) for one, two in zip(alone, together, strict=True)]),
        "both_ms": quantiles(together),
    }


def nearest(place: Path, asked: Vectors) -> dict[str, list[list[int]]]:
    """The exact lists, under each filter, from the vectors as they were made."""
    vectors = np.load(place / "vectors.npy", mmap_mode="r")
    scores = np.empty((len(asked), len(vectors)), dtype=np.float32)
    for start in range(0, len(vectors), BLOCK):
        scores[:, start : start + BLOCK] = asked @ vectors[start : start + BLOCK].T
    found = {}
    for name, where in FILTERS.items():
        rows = np.flatnonzero(among(place, where, len(vectors)))
        part = scores[:, rows]
        best = np.argpartition(-part, min(DEPTH, len(rows) - 1), axis=1)[:, :DEPTH]
        order = np.take_along_axis(best, np.argsort(-np.take_along_axis(part, best, 1), axis=1), 1)
        found[name] = rows[order].tolist()
    return found


def among(place: Path, where: Where, size: int) -> Any:
    from embeddings.store.reads import key_runs

    mask = np.zeros(size, dtype=np.bool_)
    store = Store.open(place / "store", read_only=True)
    with store.reading() as db:
        for first, last in key_runs(db, where, 1).tolist():
            mask[first - 1 : last] = True
    store.close()
    return mask


def timed(call: Callable[[Vector, str], Any], asked: Vectors, texts: list[str]) -> tuple[list[Any], list[float]]:
    found, seconds = [], []
    for vector, text in zip(asked, texts, strict=True):
        began = time.process_time()
        found.append(call(vector, text))
        seconds.append(time.process_time() - began)
    return found, seconds


def quantiles(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=20)
    return {"p50": round(1e3 * cuts[9], 2), "p95": round(1e3 * cuts[18], 2)}


def share(found: list[set[int]], wanted: list[list[int]]) -> float:
    return round(sum(len(one & set(two)) for one, two in zip(found, wanted, strict=True)) / sum(map(len, wanted)), 4)


def add(place: Path, number: int) -> dict[str, Any]:
    """What `qa ingest` of one article does with the store: open, write, close."""
    vectors = np.load(place / "vectors.npy", mmap_mode="r")[number : number + PIECES]
    pieces = [f"A new passage number {at} of article {number} on a harbour" for at in range(PIECES)]
    indexed = article(f"new{number}", pieces, np.array(vectors), number)
    began, wall = time.process_time(), time.perf_counter()
    with closing(EmbeddedCorpus.open(place / "store", identity=IDENTITY)) as corpus:
        corpus.replace([indexed])
        written = time.process_time() - began
    return {
        "add_cpu_ms": round(1e3 * (time.process_time() - began), 1),
        "until acknowledged": round(1e3 * written, 1),
        "wall_ms": round(1e3 * (time.perf_counter() - wall), 1),
        "memory": memory(),
    }


def add_in_service(place: Path) -> dict[str, Any]:
    """What adding costs a service that is searching."""
    vectors = np.array(np.load(place / "vectors.npy", mmap_mode="r")[: 20 * PIECES])
    seconds = []
    with closing(EmbeddedCorpus.open(place / "store", identity=IDENTITY)) as corpus:
        corpus.search(vectors[0], "harbour", k=DEPTH, where=Where())
        for number in range(20):
            pieces = [f"Passage {at} of served article {number} on a harbour" for at in range(PIECES)]
            one = article(f"served{number}", pieces, vectors[number * PIECES : (number + 1) * PIECES], number)
            began = time.process_time()
            corpus.replace([one])
            corpus.search(vectors[0], "harbour", k=DEPTH, where=Where())
            seconds.append(time.process_time() - began)
        # As it was, for the next run.
        added = [f"served{number}" for number in range(20)] + [f"new{PIECES * number}" for number in range(20)]
        corpus.delete(Where(article_ids=tuple(added)))
    return {"add_and_search_cpu_ms": quantiles(seconds)}


def memory() -> dict[str, int]:
    """Megabytes: all of it, what is this process's own, and what are pages of files that the system may drop."""
    names = {"VmRSS": "resident", "RssAnon": "own", "RssFile": "of files", "VmHWM": "peak"}
    with Path("/proc/self/status").open() as lines:
        read = dict(line.split(":", 1) for line in lines)
    return {word: round(int(read[name].split()[0]) / 1e3) for name, word in names.items()}


def in_process(step: str, given: argparse.Namespace, *more: str) -> Any:
    """Run one step by itself, so that its memory is its own."""
    command = [sys.executable, __file__, "--step", step, "--size", str(given.size), "--encoded", str(given.encoded)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--folder", str(given.folder), *more], env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    return json.loads(done.stdout)


def step(given: argparse.Namespace) -> Any:
    place = given.folder / str(given.size)
    if given.step == "fill":
        return fill(given.folder, given.size, given.encoded)
    if given.step == "build":
        return build(place)
    if given.step == "search":
        return search(place, given.folder, given.encoded)
    if given.step == "serve":
        return add_in_service(place)
    return add(place, given.number)


def whole(given: argparse.Namespace) -> dict[str, Any]:
    """Every step, in order; adding last, since it changes the store."""
    place = given.folder / str(given.size)
    some, asked = real(given.folder, given.encoded)
    if not (place / "filled").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        in_process("fill", given)
        (place / "filled").touch()
    report = {"passages": given.size, "dimension": int(some.shape[1]), "questions": len(asked), "k": DEPTH}
    report["likeness"] = likeness(some, asked)
    report["build"] = in_process("build", given)
    report["index_mb"] = round(sum(path.stat().st_size for path in (place / "store" / "index").iterdir()) / 1e6, 1)
    report["search"] = in_process("search", given)
    for turn in range(3):
        report[f"add {turn}"] = in_process("add", given, "--number", str(PIECES * turn))
    report["serve"] = in_process("serve", given)
    return report


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=1_000_000)
    options.add_argument("--encoded", type=int, default=3_000)
    options.add_argument("--folder", type=Path, default=ROOT / "reports" / "bench" / "million")
    options.add_argument("--step", choices=("fill", "build", "search", "add", "serve"))
    options.add_argument("--number", type=int, default=0)
    given = options.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    found = step(given) if given.step else whole(given)
    sys.stdout.write(json.dumps(found, indent=None if given.step else 1) + "\n")


if __name__ == "__main__":
    main()
