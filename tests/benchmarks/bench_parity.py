"""Encoder parity: nDCG@10 over paragraphs and speed, by our encoder and corpus and by sentence-transformers alone.

    python tests/benchmarks/bench_parity.py ../shared/data/squad/v1.1-dev-visible.json [--limit 1000]

Both sides see the same texts: every paragraph is one passage, its own question's only right answer. Prints JSON;
exit status 1 where ours is worse by more than the tolerance. Times are the processor's, in milliseconds a text.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import BUNDLED_MODEL, Encoder, load, locate
from embeddings.near_duplicates import signature
from embeddings.types import Article, EncodedPassage, IndexedArticle, Passage, Vector, Where, passage_id
from qa.evaluation.metrics.answers import ndcg, read_squad
from qa.evaluation.metrics.statistics import compare

TOLERANCE = 0.005
"""What a runtime of less precision may cost; with the same precision the two differ by less than .001."""
WITHIN = 10


class Encoded(NamedTuple):
    """Vectors of paragraphs and questions, and the processor time of each in milliseconds."""

    passages: npt.NDArray[np.float32]
    questions: npt.NDArray[np.float32]
    passage_ms: float
    query_ms: float


def encoded(
    texts: Sequence[str],
    questions: Sequence[str],
    encode_passages: Callable[[Sequence[str]], npt.NDArray[np.float32]],
    encode_query: Callable[[str], npt.NDArray[np.float32]],
) -> Encoded:
    """As a service would: paragraphs together, questions one by one."""
    encode_query("Is everything ready?")  # loads the weights
    began = time.process_time()
    passages = encode_passages(texts)
    between = time.process_time()
    vectors = np.stack([encode_query(question) for question in questions])
    ended = time.process_time()
    return Encoded(passages, vectors, 1e3 * (between - began) / len(texts), 1e3 * (ended - between) / len(questions))


def ours(articles: Sequence[Article], found: Encoded, questions: Sequence[str], encoder: Encoder) -> list[list[str]]:
    """Rankings by the dense list of our corpus."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = EmbeddedCorpus.open(Path(folder), identity=encoder.identity)
        try:
            corpus.replace([whole(article, vector) for article, vector in zip(articles, found.passages, strict=True)])
            return [ranked(corpus, *asked) for asked in zip(found.questions, questions, strict=True)]
        finally:
            corpus.close()


def whole(article: Article, vector: Vector) -> IndexedArticle:
    """An article with all its text as one passage."""
    end = len(article.text)
    passage = Passage(
        id=passage_id(article.id, article.version, 0, end),
        article_id=article.id,
        article_version=article.version,
        start=0,
        end=end,
        text=article.text,
    )
    encoded = EncodedPassage(passage=passage, vector=vector)
    return IndexedArticle(article=article, passages=(encoded,), signature=signature(article.text))


def ranked(corpus: EmbeddedCorpus, vector: Vector, question: str) -> list[str]:
    hits = corpus.search(vector, question, k=WITHIN, where=Where())
    stored = corpus.passages([hit.key for hit in hits.dense])
    return [stored[hit.key].passage.article_id for hit in hits.dense]


def library(name: str, threads: int) -> Callable[[Sequence[str]], npt.NDArray[np.float32]]:
    """sentence-transformers as its own documentation shows it, unit vectors."""
    import torch
    from sentence_transformers import SentenceTransformer

    if threads:
        torch.set_num_threads(threads)
    model = SentenceTransformer(str(locate(name)), device="cpu")
    return lambda texts: np.asarray(model.encode(list(texts), normalize_embeddings=True), np.float32)


def theirs(articles: Sequence[Article], found: Encoded) -> list[list[str]]:
    """Rankings by exact cosine."""
    best = np.argsort(-(found.questions @ found.passages.T), axis=1, kind="stable")[:, :WITHIN]
    return [[articles[place].id for place in row] for row in best]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("squad", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="questions drawn at random; 0 takes all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--encoder", default=BUNDLED_MODEL)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    articles, questions = read_squad(options.squad)
    if options.limit and options.limit < len(questions):
        questions = random.Random(options.seed).sample(questions, options.limit)
    encoder = load(options.encoder, threads=options.threads)
    began = time.perf_counter()
    texts, asked = [article.text for article in articles], [question.question for question in questions]
    model = library(options.encoder, options.threads)
    found = {
        "ours": encoded(texts, asked, encoder.encode_passages, encoder.encode_query),
        "plain": encoded(texts, asked, model, lambda text: model([text])[0]),
    }
    rankings = {"ours": ours(articles, found["ours"], asked, encoder), "plain": theirs(articles, found["plain"])}
    values = {
        side: [ndcg(ranking, {q.article_id}, within=WITHIN) for ranking, q in zip(found, questions, strict=True)]
        for side, found in rankings.items()
    }
    gain = compare(values["ours"], values["plain"], groups=list(map(str, range(len(questions)))))
    report = {
        "bench": "parity",
        "python": platform.python_version(),
        "encoder": {name: getattr(encoder.identity, name) for name in ("name", "revision", "runtime")},
        "paragraphs": len(articles),
        "questions": len(questions),
        "ndcg_at_10": {side: round(float(np.mean(found)), 6) for side, found in values.items()},
        "difference": round(gain.mean, 6),
        "interval": [round(gain.low, 6), round(gain.high, 6)],
        "passage_ms": {side: round(one.passage_ms, 2) for side, one in found.items()},
        "query_ms": {side: round(one.query_ms, 2) for side, one in found.items()},
        "cosine": {
            kind: round(float((getattr(found["ours"], kind) * getattr(found["plain"], kind)).sum(axis=1).mean()), 5)
            for kind in ("passages", "questions")
        },
        "same_ranking": round(float(np.mean([a == b for a, b in zip(*rankings.values(), strict=True)])), 4),
        "tolerance": TOLERANCE,
        "seconds": round(time.perf_counter() - began, 1),
    }
    json.dump(report, sys.stdout, indent=1)
    sys.stdout.write("\n")
    return int(gain.mean < -TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
