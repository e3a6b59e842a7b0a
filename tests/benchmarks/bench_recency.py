"""How strongly dates should weigh: chosen on one half of the RealTimeQA questions, reported on the other; prints JSON.

    python tests/benchmarks/bench_recency.py DATA_DIR ../shared/data/realtimeqa/questions.jsonl

DATA_DIR as for `bench_retrieval.py`. `later` is what the preference costs: the same questions asked 270 days after,
when fresh articles are about something else. The halves are by the hash of the question's id.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from news_retrieval import gain, gold_in

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import load
from embeddings.types import Hits, Where
from qa.evaluation import Example
from qa.evaluation.convert import convert_realtimeqa
from qa.evaluation.metrics.answers import first_rank, reciprocal_rank
from qa.language.dates import is_after, moment
from qa.retrieval import recency
from qa.retrieval.search import fuse

FRESH, FADES, STRENGTH = (0, 7, 14), (7, 14, 30), (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)
SHIPPED = (7, 14, 0.5)
LATER = timedelta(days=270)


class Found:
    """What both lists hold for one question, with dates."""

    def __init__(self, question: Example, hits: Hits, corpus: EmbeddedCorpus, gold: set[str]) -> None:
        self.gold = gold
        self.asked = moment(question.asked_at or "", field="asked_at")
        stored = corpus.passages(fuse(hits).keys())
        self.scored = [
            (score, stored[key].passage.article_id, stored[key].published_at)
            for key, score in fuse(hits).items()
            if key in stored
        ]

    def gain(self, as_of: datetime, setting: tuple[float, float, float]) -> float:
        """Reciprocal rank of the gold article under a setting."""
        known = [item for item in self.scored if not is_after(item[2], as_of)]
        fresh, fades, strength = setting
        values = {"_FRESH": timedelta(days=fresh), "_FADES": timedelta(days=fades), "_STRENGTH": strength}
        with patch.multiple(recency, **values):
            factors = recency.preferences([published for _, _, published in known], as_of=as_of)
        ranked = sorted(zip(known, factors, strict=True), key=lambda pair: -pair[0][0] * pair[1])
        articles = list(dict.fromkeys(article for (_, article, _), _ in ranked))
        return reciprocal_rank(first_rank(articles[:10], self.gold), within=10)


def mean(values: Sequence[float]) -> float:
    return round(sum(values) / max(len(values), 1), 4)


def report(halves: Sequence[Sequence[Found]]) -> Mapping[str, object]:
    chosen_on, reported_on = halves
    grid = {
        setting: (
            mean([found.gain(found.asked, setting) for found in chosen_on]),
            mean([found.gain(found.asked + LATER, setting) for found in chosen_on]),
        )
        for setting in itertools.product(FRESH, FADES, STRENGTH)
    }
    best = max(grid, key=lambda setting: sum(grid[setting]))
    none = (7, 14, 0.0)
    shipped = [found.gain(found.asked, SHIPPED) for found in reported_on]
    without = [found.gain(found.asked, none) for found in reported_on]
    later = [[found.gain(found.asked + LATER, setting) for found in reported_on] for setting in (SHIPPED, none)]
    return {
        "bench": "recency",
        "measure": "MRR@10",
        "chosen_on": {"n": len(chosen_on), "grid": [[*setting, *values] for setting, values in grid.items()]},
        "best": best,
        "shipped": SHIPPED,
        "reported_on": {
            "n": len(reported_on),
            "shipped": mean(shipped),
            "without": mean(without),
            "gain": [round(value, 4) for value in gain(shipped, without)],
            "later_shipped": mean(later[0]),
            "later_without": mean(later[1]),
            "later_gain": [round(value, 4) for value in gain(*later)],
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("questions", type=Path)
    options = parser.parse_args()
    encoder = load("all-MiniLM-L6-v2", threads=1)
    corpus = EmbeddedCorpus.open(options.store, identity=encoder.identity, read_only=True)
    halves: list[list[Found]] = [[], []]
    try:
        questions = convert_realtimeqa([options.questions]).examples
        gold = gold_in(corpus, questions)
        for question in (question for question in questions if question.id in gold):
            hits = corpus.search(encoder.encode_query(question.question), question.question, k=50, where=Where())
            half = int(hashlib.sha256(question.id.encode()).hexdigest(), 16) % 2
            halves[half].append(Found(question, hits, corpus, gold[question.id]))
    finally:
        corpus.close()
    json.dump(report(halves), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
