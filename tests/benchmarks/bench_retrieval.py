"""Retrieval on RealTimeQA: article-level Hit@1/4/10 and MRR@10, each list alone and both fused; prints JSON.

    qa ingest ../shared/data/realtimeqa/articles-small.jsonl.gz      (into QA_DATA_DIR, once)
    python tests/benchmarks/bench_retrieval.py DATA_DIR ../shared/data/realtimeqa/questions.jsonl

Only the questions with a known article that the store holds count. Intervals are 95 %.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from news_retrieval import Configuration, gain, gold_in, ranks, scores

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import load
from embeddings.types import Where
from qa.evaluation.convert import convert_realtimeqa
from qa.evaluation.metrics.answers import reciprocal_rank

CONFIGURATIONS = (
    *(Configuration(name=name, ranking=name) for name in ("dense", "lexical", "fused", "evidence")),
    *(
        Configuration(name=f"{name}, as_of", ranking=name, as_of=True)
        for name in ("dense", "lexical", "fused", "evidence")
    ),
    Configuration(name="evidence, by date", ranking="evidence", as_of=True, by_date=True),
    Configuration(name="lexical, 14 days", ranking="lexical", window_days=14),
    Configuration(name="evidence, 14 days", ranking="evidence", window_days=14),
)
COMPARED = (
    ("fused", "dense"),
    ("fused", "lexical"),
    ("evidence", "fused"),
    ("evidence, as_of", "evidence"),
    ("evidence, by date", "evidence, as_of"),
    ("evidence, by date", "evidence, 14 days"),
    ("evidence, 14 days", "evidence, as_of"),
)


def compared(places: Mapping[str, Sequence[int | None]], one: str, other: str) -> dict[str, object]:
    """Difference of two configurations on the same questions."""
    report: dict[str, object] = {"one": one, "other": other}
    for measure, within in (("hit_at_1", 1), ("hit_at_10", 10)):
        values = [[float(place is not None and place <= within) for place in places[name]] for name in (one, other)]
        report[measure] = interval(*values)
    report["mrr_at_10"] = interval(*([reciprocal_rank(place, within=10) for place in places[n]] for n in (one, other)))
    return report


def interval(one: Sequence[float], other: Sequence[float]) -> dict[str, float]:
    mean, low, high = gain(one, other)
    return {"difference": round(mean, 4), "low": round(low, 4), "high": round(high, 4)}


def rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4)
    return [rounded(item) for item in value] if isinstance(value, (list, tuple)) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="folder that `qa ingest` filled (QA_DATA_DIR)")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--encoder", default="all-MiniLM-L6-v2")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    encoder = load(options.encoder, threads=options.threads)
    corpus = EmbeddedCorpus.open(options.store, identity=encoder.identity, read_only=True)
    try:
        questions = convert_realtimeqa([options.questions]).examples
        gold = gold_in(corpus, questions)
        began = time.perf_counter()
        places = ranks(questions, gold, corpus=corpus, encoder=encoder, configurations=CONFIGURATIONS)
        seconds = time.perf_counter() - began
        counts = corpus.count(Where())
    finally:
        corpus.close()
    results = [msgspec.to_builtins(scores(name, found)) for name, found in places.items()]
    report = {
        "bench": "retrieval",
        "python": platform.python_version(),
        "encoder": {"name": encoder.identity.name, "revision": encoder.identity.revision[:12]},
        "articles": counts.articles,
        "passages": counts.passages,
        "questions_with_gold": sum(bool(question.gold_urls) for question in questions),
        "questions_counted": len(gold),
        "seconds": round(seconds, 1),
        "results": [{name: rounded(value) for name, value in result.items()} for result in results],
        "compared": [compared(places, one, other) for one, other in COMPARED],
    }
    json.dump(report, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
