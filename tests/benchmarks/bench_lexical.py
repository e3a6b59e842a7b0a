"""Which lexical index: latency over about 100,000 passages and quality on dated news questions; prints JSON.

    python tests/benchmarks/bench_lexical.py

Passages are pieces of a hundred words. Latency is measured over all articles of the RealTimeQA pool (made-up text
where `../shared` is absent) with real questions and with the commonest words; quality (of the article, by its best
passage) over the smaller and the whole pool, for the questions whose gold article is known. SQLite FTS5 is the index
this one was chosen over; tantivy and bm25s are measured where they are installed.
"""

from __future__ import annotations

import gzip
import json
import platform
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from embeddings.index import lexical
from embeddings.index.terms import Terms

Row = tuple[str, str, str]
"""Article, title, passage."""
Search = Callable[[str], list[int]]
"""Gives the numbers of the best passages for a question."""

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "realtimeqa"
TERMS = Terms()
K = 200
TITLE_WEIGHT = 3
STOPWORDS = set(
    "a an and are as at be by for from has have how in is it its of on or that the this to was were what when where "
    "which who will with".split()
)


def pieces(text: str, size: int = 100) -> Iterator[str]:
    words = text.split()
    return (" ".join(words[start : start + size]) for start in range(0, len(words), size))


def pool(name: str) -> list[Row]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as lines:
        articles = [json.loads(line) for line in lines]
    return [(each["url"], each["title"], piece) for each in articles for piece in pieces(each["text"])]


def made_up(passages: int = 100_000) -> list[Row]:
    """Words as frequent as in any language: the n-th as 1/n."""
    draw = np.random.default_rng(1)
    numbers = np.minimum(draw.zipf(1.2, size=(passages, 100)), 80_000)
    return [
        (f"a{row // 15}", f"title {row // 15}", " ".join(f"w{number}" for number in line))
        for row, line in enumerate(numbers)
    ]


def ours(rows: list[Row]) -> Search:
    alive = np.ones(len(rows), dtype=np.bool_)
    segments = [
        lexical.post(((key, *rows[key][1:]) for key in range(start, min(start + 8192, len(rows)))), TERMS)
        for start in range(0, len(rows), 8192)
    ]
    views = [lexical.view(lexical.merge(segments, alive), alive)]  # keys are rows here

    def search(question: str) -> list[int]:
        return [hit.key for hit in lexical.search(views, TERMS.of_question(question), k=K, allowed=views)]

    return search


def fts5(rows: list[Row], *, budget: float) -> Search:
    """FTS5 without stopwords; of the others the rarest, until they occur in `budget` passages together."""
    db = apsw.Connection("")
    db.execute(
        "CREATE VIRTUAL TABLE held USING fts5(title, text, content='', contentless_delete=1,"
        " tokenize='porter unicode61 remove_diacritics 2')"
    )
    db.execute("CREATE VIRTUAL TABLE words USING fts5vocab(held, row)")
    with db:
        db.executemany(
            "INSERT INTO held (rowid, title, text) VALUES (?, ?, ?)", ((n, *row[1:]) for n, row in enumerate(rows))
        )
    stems = db.fts5_tokenizer("porter", ["unicode61", "remove_diacritics", "2"])

    def frequency(word: str) -> int:
        stem = stems(word.encode(), apsw.FTS5_TOKENIZE_QUERY, None, include_offsets=False, include_colocated=False)[0]
        return int(db.execute("SELECT doc FROM words WHERE term = ?", (stem,)).get or 0)

    def search(question: str) -> list[int]:
        words = plain_words(question)
        if budget < len(rows):
            words, spent = sorted(words, key=frequency), 0
            for number, word in enumerate(words):
                spent += frequency(word)
                if number and spent > budget:
                    words = words[:number]
                    break
        asked = " OR ".join(f'"{word}"' for word in words)
        found = db.execute(
            f"SELECT rowid FROM held WHERE held MATCH ? ORDER BY bm25(held, {TITLE_WEIGHT}, 1) LIMIT {K}", (asked,)
        )
        return [row for (row,) in found]

    return search


def tantivy(rows: list[Row]) -> Search | None:
    try:
        import tantivy as engine
    except ImportError:
        return None
    schema = engine.SchemaBuilder().add_integer_field("key", stored=True)
    for field in ("title", "text"):
        schema = schema.add_text_field(field, tokenizer_name="en_stem")
    index = engine.Index(schema.build())
    writer = index.writer()
    for key, (_, title, text) in enumerate(rows):
        writer.add_document(engine.Document(key=key, title=title, text=text))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def search(question: str) -> list[int]:
        asked, _ = index.parse_query_lenient(" ".join(f'"{word}"' for word in plain_words(question)), ["title", "text"])
        return [searcher.doc(address)["key"][0] for _, address in searcher.search(asked, K).hits]

    return search


def bm25s(rows: list[Row]) -> Search | None:
    try:
        import bm25s as engine
    except ImportError:
        return None
    index = engine.BM25(method="lucene", k1=lexical.K1, b=lexical.B)
    held = [TERMS.of_text(" ".join([*[title] * TITLE_WEIGHT, text])) for _, title, text in rows]
    index.index(held, show_progress=False)

    def search(question: str) -> list[int]:
        found, scores = index.retrieve([TERMS.of_question(question)], k=K, show_progress=False)
        return [int(key) for key, score in zip(found[0], scores[0], strict=True) if score > 0]

    return search


def plain_words(question: str) -> list[str]:
    words = list(dict.fromkeys(re.findall(r"\w+", question.lower())))
    return [word for word in words if word not in STOPWORDS] or words


def engines(rows: list[Row]) -> Iterator[tuple[str, Search, float]]:
    """Each engine that is here, filled, with the seconds that took."""
    makers: dict[str, Callable[[list[Row]], Search | None]] = {
        "ours": ours,
        "fts5, all words": lambda rows: fts5(rows, budget=float("inf")),
        "fts5, pruned to 5% of the passages": lambda rows: fts5(rows, budget=0.05 * len(rows)),
        "fts5, pruned to 10%": lambda rows: fts5(rows, budget=0.10 * len(rows)),
        "fts5, pruned to 20%": lambda rows: fts5(rows, budget=0.20 * len(rows)),
        "tantivy": tantivy,
        "bm25s": bm25s,
    }
    for name, make in makers.items():
        began = time.perf_counter()
        search = make(rows)
        if search is not None:
            yield name, search, time.perf_counter() - began


def latency(search: Search, questions: Iterable[str]) -> dict[str, float]:
    """Wall clock, and processor time beside it: on a machine that others use, only the latter compares engines."""
    wall, processor = [], []
    for question in questions:
        began, began_processor = time.perf_counter(), time.process_time()
        search(question)
        wall.append(time.perf_counter() - began)
        processor.append(time.process_time() - began_processor)
    return {
        f"{name}_p{share}_ms": round(float(np.percentile(seconds, share)) * 1e3, 2)
        for name, seconds in (("wall", wall), ("cpu", processor))
        for share in (50, 95)
    }


def quality(search: Search, rows: list[Row], questions: list[dict[str, Any]]) -> dict[str, float]:
    ranks = []
    for each in questions:
        articles = list(dict.fromkeys(rows[key][0] for key in search(each["question"])))[:10]
        ranks.append(next((rank for rank, url in enumerate(articles, 1) if url in each["gold_urls"]), 0))
    n = len(ranks)
    return {
        "n": n,
        "hit@1": round(ranks.count(1) / n, 3),
        "hit@10": round(sum(rank > 0 for rank in ranks) / n, 3),
        "mrr@10": round(sum(1 / rank for rank in ranks if rank) / n, 3),
    }


def common_questions(rows: list[Row], number: int = 60) -> list[str]:
    """Questions of the twelve to twenty commonest words that no stopword list removes."""
    counts = Counter(word for _, _, text in rows[::20] for word in plain_words(text))
    commonest = [word for word, _ in counts.most_common(80)]
    draw = random.Random(1)
    return [" ".join(draw.sample(commonest, draw.randint(12, 20))) for _ in range(number)]


def main() -> None:
    there = DATA.is_dir()
    asked = [json.loads(line) for line in (DATA / "questions.jsonl").read_text().splitlines()] if there else []
    gold = [each for each in asked if each["gold_urls"]]
    pools = (
        {"all": pool("articles.jsonl.gz"), "small": pool("articles-small.jsonl.gz")}
        if there
        else {"made up": made_up()}
    )
    if not there:
        sys.stderr.write(f"NOT MEASURED: quality, and latency on real text: {DATA} is not here\n")
    report: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "sqlite": apsw.sqlite_lib_version(),
    }
    for name, rows in pools.items():
        real = [each["question"] for each in asked[:300]] or common_questions(rows)
        report[name] = {"passages": len(rows)}
        for engine, search, seconds in engines(rows):
            search(real[0])
            report[name][engine] = {
                "fill_seconds": round(seconds, 1),
                "questions": latency(search, real),
                "common words": latency(search, common_questions(rows)),
                **({"quality": quality(search, rows, gold)} if gold else {}),
            }
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
