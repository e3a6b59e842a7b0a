"""Encoder parity: nDCG@10 over paragraphs, through our encoder and corpus and through sentence-transformers alone.

    python tests/benchmarks/bench_parity.py ../shared/data/squad/v1.1-dev-visible.json [--limit 1000]

Both sides see the same texts: every paragraph is one passage, its own question's only right answer. Prints JSON;
exit status 1 where the two differ by more than the tolerance.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from embeddings.duplicates import signature
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder, load
from embeddings.encoders.weights import BUNDLED_MODEL, locate
from embeddings.types import Article, EncodedPassage, IndexedArticle, Passage, Vector, Where, passage_id
from qa.evaluation.metrics.pairing import paired_bootstrap
from qa.evaluation.metrics.ranking import ndcg
from qa.evaluation.squad import SquadQuestion, read_squad

TOLERANCE = 0.001
WITHIN = 10


def ours(articles: Sequence[Article], questions: Sequence[SquadQuestion], encoder: Encoder) -> list[list[str]]:
    """Rankings by our encoder and the dense list of our corpus."""
    vectors = encoder.encode_passages([article.text for article in articles])
    with tempfile.TemporaryDirectory() as folder:
        corpus = EmbeddedCorpus.open(Path(folder), identity=encoder.identity)
        try:
            corpus.replace([whole(article, vector) for article, vector in zip(articles, vectors, strict=True)])
            return [ranked(corpus, encoder, question.question) for question in questions]
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


def ranked(corpus: EmbeddedCorpus, encoder: Encoder, question: str) -> list[str]:
    hits = corpus.search(encoder.encode_query(question), question, k=WITHIN, where=Where())
    stored = corpus.passages([hit.key for hit in hits.dense])
    return [stored[hit.key].passage.article_id for hit in hits.dense]


def theirs(articles: Sequence[Article], questions: Sequence[SquadQuestion], name: str) -> list[list[str]]:
    """Rankings by sentence-transformers as its own documentation shows it, and exact cosine."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(locate(name)), device="cpu")
    passages = np.asarray(model.encode([article.text for article in articles]), np.float64)
    asked = np.asarray(model.encode([question.question for question in questions]), np.float64)
    passages /= np.linalg.norm(passages, axis=1, keepdims=True)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    best = np.argsort(-(asked @ passages.T), axis=1, kind="stable")[:, :WITHIN]
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
    rankings = {"ours": ours(articles, questions, encoder), "plain": theirs(articles, questions, options.encoder)}
    values = {
        side: [ndcg(ranking, {q.article_id}, within=WITHIN) for ranking, q in zip(found, questions, strict=True)]
        for side, found in rankings.items()
    }
    difference, low, high = paired_bootstrap(values["ours"], values["plain"])
    report = {
        "bench": "parity",
        "python": platform.python_version(),
        "encoder": {"name": encoder.identity.name, "revision": encoder.identity.revision[:12]},
        "paragraphs": len(articles),
        "questions": len(questions),
        "ndcg_at_10": {side: round(float(np.mean(found)), 6) for side, found in values.items()},
        "difference": round(difference, 6),
        "interval": [round(low, 6), round(high, 6)],
        "same_ranking": round(float(np.mean([a == b for a, b in zip(*rankings.values(), strict=True)])), 4),
        "tolerance": TOLERANCE,
        "seconds": round(time.perf_counter() - began, 1),
    }
    json.dump(report, sys.stdout, indent=1)
    sys.stdout.write("\n")
    return int(abs(difference) > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
