"""Look-alike notices, each asked for by the one name that only it holds; prints JSON.

    python tests/benchmarks/bench_names.py [--notices 300] [--asked 100]

The notices are made by rule: what tells one from another is a made-up name, which no vector knows. A question is
missed where its notice is not among the first ten articles.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

from embeddings import encoders
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.ingest import ingest
from embeddings.types import RawArticle, Where
from qa.retrieval.search import Depth, RankedBy, retrieve

SYLLABLES = (
    "ba",
    "dor",
    "fen",
    "gil",
    "hask",
    "jo",
    "kel",
    "lum",
    "mar",
    "nex",
    "or",
    "pel",
    "quin",
    "ros",
    "sted",
    "tov",
)
KINDS = {
    "company": (
        "Notice of insolvency",
        (
            "The district court of Almeric has opened insolvency proceedings over the assets of {name}. Creditors may "
            "lodge their claims until the end of next month. An administrator was appointed on the same day, and will "
            "report to the court in the autumn. Staff were told of the decision at a meeting on the premises."
        ),
        "What happened to {name}?",
    ),
    "street": (
        "Road works",
        (
            "The city roads office will close {name} to traffic from Monday while a water main is replaced. Residents "
            "can reach their houses on foot. Buses are diverted by the ring road, and the work will take five weeks."
        ),
        "Why is {name} closed?",
    ),
    "person": (
        "Court list",
        (
            "{name} appeared before the magistrates in Port Almeric on Tuesday, charged with driving uninsured, "
            "and was fined 300 crowns. The court heard that there had been two earlier warnings. Costs were awarded."
        ),
        "What was {name} fined for?",
    ),
}


def named(kind: str, rng: random.Random) -> str:
    words = ["".join(rng.sample(SYLLABLES, 2)).capitalize() for _ in range(2)]
    return {"company": f"{words[0]} {words[1]} Ltd", "street": f"{words[0]} Street", "person": " ".join(words)}[kind]


def notices(number: int, rng: random.Random) -> list[tuple[RawArticle, str]]:
    """Articles, each with the question that it alone answers."""
    made: dict[str, tuple[RawArticle, str]] = {}
    while len(made) < number:
        kind = list(KINDS)[len(made) % len(KINDS)]
        name = named(kind, rng)
        title, text, question = KINDS[kind]
        made.setdefault(
            name, (RawArticle(id=f"n{len(made)}", title=title, text=text.format(name=name)), question.format(name=name))
        )
    return list(made.values())


def places(
    pairs: Sequence[tuple[RawArticle, str]], *, corpus: Any, encoder: Any, ranked_by: RankedBy
) -> list[int | None]:
    """Of each question, the place of its notice among the first ten; None where it is missed."""
    found = []
    for article, question in pairs:
        evidence = retrieve(
            corpus,
            text=question,
            vector=encoder.encode_query(question),
            where=Where(),
            depth=Depth(listed=60, kept=10, per_article=1),
            ranked_by=ranked_by,
        )
        ids = [one.stored.passage.article_id for one in evidence]
        found.append(ids.index(article.id) if article.id in ids else None)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notices", type=int, default=300)
    parser.add_argument("--asked", type=int, default=100)
    given = parser.parse_args()
    rng = random.Random(11)
    pairs = notices(given.notices, rng)
    asked = rng.sample(pairs, given.asked)
    encoder = encoders.load("all-MiniLM-L6-v2")
    report: dict[str, Any] = {"notices": len(pairs), "asked": len(asked)}
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(EmbeddedCorpus.open(Path(folder), identity=encoder.identity)) as corpus,
    ):
        stored = ingest([article for article, _ in pairs], corpus=corpus, encoder=encoder)
        report["stored"] = sum(one.outcome == "added" for one in stored.articles)
        for ranked_by in get_args(RankedBy):
            found = places(asked, corpus=corpus, encoder=encoder, ranked_by=ranked_by)
            report[ranked_by] = {"missed": found.count(None), "first": found.count(0)}
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
