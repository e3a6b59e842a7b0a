"""Both stores with the same passages: how fast they fill and search, what is found, how large they are; prints JSON.

    python tests/benchmarks/bench_stores.py [--size 100000] [--encoded 3000] [--folder reports/bench/stores]

Passages and vectors are made as for bench_million: clustered round those of real passages. Filters let 10 %, 1 % and
0.1 % of the articles through, drawn evenly, and the tenth that lies nearest to one question. What is found is held
against the exact list: by meaning that of all vectors, by words the folder's. By words is what words cost besides.
Times are processor time, of the client and of the server's process for it, since others may use the machine, too: the
less of two. Searches are as quick where it is idle; wall times are in the report.

Each step runs in a process of its own and leaves a file in the folder: what was stopped goes on there. The server is
that of the tests, writing to the disk in earnest, on this machine. Not part of `make test`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
from bench_million import (
    BLOCK,
    DEPTH,
    IDENTITY,
    ROOT,
    articles,
    made_of,
    memory,
    quantiles,
    questions,
    real,
    words_of_passages,
)

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.opening import KeptCorpus
from embeddings.postgres.corpus import PostgresCorpus
from embeddings.types import Held, Hit, Hits, IndexedArticle, Place, Vector, Vectors, Where
from qa.retrieval.search import fuse

STORES = ("folder", "server")
FILTERS = {
    "all": Where(),
    "10 %": Where(sources=("tenth", "hundredth", "thousandth")),
    "10 %, by section": Where(sections=("tenth",)),
    "10 %, near one question": Where(collection="near"),
    "1 %": Where(sources=("hundredth", "thousandth")),
    "0.1 %": Where(sources=("thousandth",)),
}
SERVER = (
    "shared_buffers=1GB",
    "maintenance_work_mem=3GB",
    "max_wal_size=4GB",
    "max_parallel_workers_per_gather=0",  # so that the time of one process is all
)
TOGETHER = 64
"""Articles given to a store at once."""


def make(place: Path, asked: Vectors, some: Vectors, size: int) -> dict[str, float]:
    """Make the vectors, block by block, those near to the first question before the others."""
    least = float(np.quantile(made_of(some, BLOCK, seed=1000) @ asked[0], 0.9))
    kept = np.lib.format.open_memmap(place / "vectors.npy", mode="w+", dtype=np.float32, shape=(size, some.shape[1]))
    for start in range(0, size, BLOCK):
        block = made_of(some, min(BLOCK, size - start), seed=1000 + start)
        near = block @ asked[0] >= least
        kept[start : start + len(block)] = np.concatenate([block[near], block[~near]])
    kept.flush()
    return {"least": least}


def everything(place: Path, asked: Vectors, least: float) -> Iterator[IndexedArticle]:
    """What both stores are filled with: passage n gets the key n + 1 in either."""
    vectors, texts = np.load(place / "vectors.npy", mmap_mode="r"), words_of_passages()
    for start in range(0, len(vectors), BLOCK):
        block = np.array(vectors[start : start + BLOCK])
        for indexed in articles(block, start, texts, near=block @ asked[0] >= least):
            told = indexed.article
            if told.section and told.source == "rest":
                told = msgspec.structs.replace(told, source="tenth")
            yield msgspec.structs.replace(indexed, article=told)


def fill(corpus: KeptCorpus, given: Iterator[IndexedArticle]) -> dict[str, Any]:
    """Write all articles, then make what is derived; making them up does not count."""
    written = passages = 0.0
    while together := [Held(indexed=indexed) for indexed in islice(given, TOGETHER)]:
        began = time.perf_counter()
        corpus.take(together)
        written += time.perf_counter() - began
        passages += sum(len(held.indexed.passages) for held in together)
    began = time.perf_counter()
    corpus.rebuild()
    sizes = corpus.stats()
    return {
        "passages_per_second": round(passages / written, 1),
        "index_seconds": round(time.perf_counter() - began, 1),
        "data_mb": round(sizes.database_bytes / 1e6, 1),
        "index_mb": round(sizes.index_bytes / 1e6, 1),
        "client": memory(),
    }


def searched(corpus: KeptCorpus, asked: Vectors, clock: Callable[[], float]) -> dict[str, Any]:
    """Search under each filter: times, and the rows of what was found."""
    texts, report = questions(), {}
    corpus.search(asked[0], "", k=DEPTH, where=Where())
    timed = partial(timed_by, (time.perf_counter, clock))

    def both(vector: Vector, text: str, where: Where) -> Hits:
        return corpus.search(vector, text, k=DEPTH, where=where)

    def dense(vector: Vector, _: str, where: Where) -> Hits:
        return corpus.search(vector, "", k=DEPTH, where=where)

    for name, where in FILTERS.items():
        (first, hits), *again = (timed(both, asked, texts, where) for _ in range(3))
        together = np.minimum(*(seconds for seconds, _ in again))
        alone = np.minimum(*(timed(dense, asked, texts, where)[0] for _ in range(2)))
        report[name] = {
            "passages": corpus.count(where).passages,
            "first_ms": quantiles(first[1]),
            "fused_ms": quantiles(together[1]),
            "fused_wall_ms": quantiles(together[0]),
            "dense_ms": quantiles(alone[1]),
            "dense_wall_ms": quantiles(alone[0]),
            "lexical_ms": quantiles(np.maximum(0, together[1] - alone[1])),
            "dense": [[[hit.key, hit.score] for hit in each.dense] for each in hits],
            "lexical": [[[hit.key, hit.score] for hit in each.lexical] for each in hits],
        }
    return report | {"client": memory()}


def timed_by(
    clocks: Sequence[Callable[[], float]],
    call: Callable[[Vector, str, Where], Hits],
    asked: Vectors,
    texts: list[str],
    where: Where,
) -> tuple[Any, list[Hits]]:
    """Seconds by each clock, of each question; and what was found."""
    seconds, found = [], []
    for vector, text in zip(asked, texts, strict=True):
        began = [clock() for clock in clocks]
        found.append(call(vector, text, where))
        seconds.append([clock() - at for clock, at in zip(clocks, began, strict=True)])
    return np.array(seconds).T, found


def clock_of(server: Any) -> Callable[[], float]:
    """Processor time of this process and of those that work for it at the server."""

    def now() -> float:
        spent = time.process_time()
        for path in backends:
            spent += int(path.read_text().split()[0]) / 1e9
        return spent

    backends = [Path(f"/proc/{each.pid}/schedstat") for each in psutil.Process(server.process_id).children()]
    return now


def exact(place: Path, asked: Vectors, least: float) -> dict[str, list[list[tuple[int, float]]]]:
    """The exact lists by meaning under each filter, from the vectors as they were made."""
    vectors = np.load(place / "vectors.npy", mmap_mode="r")
    numbers = np.repeat(np.arange(len(vectors) // 5), 5)
    near = np.array([vectors[at] @ asked[0] >= least for at in range(0, len(vectors), 5)])
    among = {
        "all": numbers >= 0,
        "10 %": numbers % 10 == 7,
        "10 %, by section": numbers % 10 == 7,
        "10 %, near one question": near[numbers],
        "1 %": numbers % 100 == 7,
        "0.1 %": numbers % 1000 == 7,
    }
    scores = np.concatenate([vectors[at : at + BLOCK] @ asked.T for at in range(0, len(vectors), BLOCK)]).T
    found = {}
    for name, mask in among.items():
        rows = np.flatnonzero(mask)
        order = np.argsort(-scores[:, rows], axis=1, kind="stable")[:, :DEPTH]
        found[name] = [[(int(row) + 1, float(scores[at, row])) for row in rows[each]] for at, each in enumerate(order)]
    return found


def server_class() -> Any:
    spec = importlib.util.spec_from_file_location("postgres_server", ROOT / "tests" / "postgres_server.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["postgres_server"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PostgresServer


@contextmanager
def opened(store: str, place: Path, report: dict[str, Any]) -> Iterator[tuple[KeptCorpus, Callable[[], float]]]:
    """One of the stores, and what measures its work; of a server also what it holds in memory at the end."""
    if store == "folder":
        with closing(EmbeddedCorpus.open(place / "folder", identity=IDENTITY)) as embedded:
            yield embedded, time.process_time
        return
    with server_class()(durable=True, folder=place / "server", settings=SERVER) as server:
        opening = PostgresCorpus.open(Place(server=server.url(), timeout=7200, connections=1), identity=IDENTITY)
        with closing(opening) as corpus:
            yield corpus, clock_of(server)
            processes = [psutil.Process(server.process_id), *psutil.Process(server.process_id).children()]
            report["server_mb"] = round(sum(each.memory_full_info().pss for each in processes) / 1e6)


def step(given: argparse.Namespace) -> dict[str, Any]:
    """One step, in this process."""
    place, (some, asked) = given.folder / str(given.size), real(given.folder, given.encoded)
    if given.step == "make":
        return make(place, asked, some, given.size)
    least = float(done(place, "make")["least"])
    if given.step == "exact":
        return dict(exact(place, asked, least))
    what, store = given.step.split("-")
    report: dict[str, Any] = {}
    if what == "fill":
        shutil.rmtree(place / store, ignore_errors=True)
    with opened(store, place, report) as (corpus, clock):
        found = fill(corpus, everything(place, asked, least)) if what == "fill" else searched(corpus, asked, clock)
    return report | found


def done(place: Path, name: str) -> Any:
    return json.loads((place / f"{name}.json").read_text())


def whole(given: argparse.Namespace) -> dict[str, Any]:
    """Every step that is not done yet, in order, each in a process of its own."""
    place = given.folder / str(given.size)
    place.mkdir(exist_ok=True)
    real(given.folder, given.encoded)
    steps = ["make", "exact", *(f"{what}-{store}" for store in given.stores for what in ("fill", "search"))]
    command = [sys.executable, __file__, "--size", str(given.size), "--encoded", str(given.encoded)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for name in steps:
        if not (place / f"{name}.json").exists():
            more = ["--folder", str(given.folder), "--step", name]
            told = subprocess.run([*command, *more], env=environment, stdout=subprocess.PIPE, check=True, text=True)
            (place / f"{name}.json").write_text(told.stdout)
    report: dict[str, Any] = {"passages": given.size, "questions": len(questions()), "k": DEPTH, "settings": SERVER}
    report |= {"cores": os.cpu_count(), "load": os.getloadavg()[1]}
    for store in given.stores:
        report[store] = {"fill": done(place, f"fill-{store}")} | compared(place, store, given.stores)
    return report


def compared(place: Path, store: str, stores: list[str]) -> dict[str, Any]:
    """What a store found of the exact lists, and how fast."""
    wanted, found, embedded = done(place, "exact"), done(place, f"search-{store}"), done(place, f"search-{stores[0]}")
    report: dict[str, Any] = {name: found[name] for name in ("client", "server_mb") if name in found}
    for name in FILTERS:
        row, words = found[name], embedded[name]["lexical"]
        report[name] = {key: value for key, value in row.items() if key not in {"dense", "lexical"}}
        report[name]["recall"] = {
            "dense": share(row["dense"], wanted[name]),
            "lexical": share(row["lexical"], words),
            "fused": share(map(fused, row["dense"], row["lexical"]), list(map(fused, wanted[name], words)), most=DEPTH),
        }
    return report


def fused(dense: list[Any], lexical: list[Any]) -> list[tuple[int, float]]:
    """Both lists as one, best first."""
    scores = fuse(Hits(dense=tuple(Hit(*each) for each in dense), lexical=tuple(Hit(*each) for each in lexical)))
    return sorted(scores.items(), key=lambda each: (-each[1], each[0]))


def share(found: Any, wanted: Any, *, most: int = DEPTH) -> float:
    """Of what should be found, how much was: one that is as good as the last stands for it."""
    held = total = 0
    for one, two in zip(found, wanted, strict=True):
        keys = {key for key, _ in one[:most]}
        held += len(keys & {key for key, _ in two[:most]})
        total += len(two[:most])
    return round(held / total, 4) if total else 1.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=100_000)
    options.add_argument("--encoded", type=int, default=3_000)
    options.add_argument("--folder", type=Path, default=ROOT / "reports" / "bench" / "stores")
    options.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES))
    options.add_argument("--step")
    given = options.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    found = step(given) if given.step else whole(given)
    sys.stdout.write(json.dumps(found, indent=None if given.step else 1) + "\n")


if __name__ == "__main__":
    main()
