"""Both stores rank alike: BM25 to the last digits, cosine exactly, and what the vector index finds is what there is."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.postgres import search, statistics
from embeddings.postgres.corpus import PostgresCorpus
from embeddings.types import Article, Hit, Where

OpenPostgres = Callable[..., PostgresCorpus]
WORDS = "river dam vote storm harbour court bridge school ferry council mayor train".split()


def articles(made: Any, count: int, *, seed: int = 7) -> list[Article]:
    """Texts of few words, so that some are common, some rare, and many repeated."""
    drawn = np.random.default_rng(seed)
    often = 1 / np.arange(1, len(WORDS) + 1)
    often /= often.sum()
    return [
        made.article(
            f"a{number}",
            "\n".join(
                f"{' '.join(drawn.choice(WORDS, size=drawn.integers(2, 30), p=often))} {number}.{line}"
                for line in range(4)
            ),
            title=" ".join(drawn.choice(WORDS, size=3)),
            source=f"s{number % 10}",
        )
        for number in range(count)
    ]


def named(corpus: Corpus, hits: tuple[Hit, ...]) -> list[tuple[str, float]]:
    found = corpus.passages([hit.key for hit in hits])
    return [(found[hit.key].passage.id, hit.score) for hit in hits]


QUESTIONS = (
    *("dam", "river dam", "train vote", "the mayor of the harbour council", "storm 17", "hm"),
    "did the mayor and the council vote on the train, the ferry, the school, the bridge or the court by the river",
)
WHERES = (Where(), Where(sources=("s3", "s4")), Where(article_ids=("a7", "a8")))


def test_both_stores_give_the_same_lists(
    tmp_path: Path, open_corpus: OpenPostgres, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few passages the rare terms are let choose: what could still be among the best is looked at."""
    server = open_corpus()
    with closing(EmbeddedCorpus.open(tmp_path / "store", identity=made.identity)) as embedded:
        for corpus in (embedded, server):
            made.put(corpus, *articles(made, 60))
        for where, (few, chosen) in product(WHERES, ((1_000, 0), (0, 1_000), (0, 20), (0, 1))):
            monkeypatch.setattr(search, "FEW", few)
            monkeypatch.setattr(search, "_CHOSEN", chosen)
            for question in QUESTIONS:
                one, other = (
                    corpus.search(made.vector(question), question, k=25, where=where) for corpus in (embedded, server)
                )
                same(named(embedded, one.dense), named(server, other.dense))
                same(named(embedded, one.lexical), named(server, other.lexical))


def same(expected: list[tuple[str, float]], found: list[tuple[str, float]]) -> None:
    """The same scores for the same passages; of equally good ones either store may leave out another."""
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], rel=1e-4, abs=1e-6)
    alike = dict(expected)
    assert all(alike.get(name, score) == pytest.approx(score, rel=1e-4, abs=1e-6) for name, score in found)
    assert len(dict(found).keys() & alike.keys()) >= len(expected) - 2


def test_common_terms_are_not_counted_again_until_the_corpus_has_changed(
    open_corpus: OpenPostgres, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "_COMMON", 5)
    corpus = open_corpus()
    made.put(
        corpus, *(made.article(f"a{number}", f"{('storm', 'calm')[number % 2]} {number}") for number in range(200))
    )

    def score() -> float:
        return corpus.search(made.vector("x"), "storm", k=1, where=Where()).lexical[0].score

    before = score()
    made.put(corpus, made.article("b", "calm 7"))
    remembered = score()
    assert remembered != before, "how many passages there are is always counted"
    assert remembered == pytest.approx(before, rel=0.05)
    made.put(corpus, made.article("b", "storm 7"))
    assert score() == remembered, "one more passage of 101 changes nothing yet"
    made.put(corpus, *(made.article(f"c{number}", f"calm {number}") for number in range(200)))
    assert score() > 1.5 * before, "half as common now"


def test_the_vector_index_finds_what_comparing_all_finds(
    open_corpus: OpenPostgres, made: Any, monkeypatch: pytest.MonkeyPatch, postgres_server: Any, schema: str
) -> None:
    made.put(open_corpus(), *articles(made, 100))
    exact = open_corpus()
    assert exact.stats().index_bytes > 0
    monkeypatch.setattr(search, "EXACT_MOST", 50)
    corpus = open_corpus()
    assert [finding.kind for finding in corpus.verify()] == ["index_outdated"]
    corpus.rebuild()
    assert corpus.verify() == []
    found = wanted = 0
    for where in (Where(), Where(sources=("s1", "s2", "s3"))):
        for question in WORDS:
            vector = made.vector(question)
            hits = corpus.search(vector, "", k=20, where=where).dense
            assert len(hits) == 20
            monkeypatch.setattr(search, "EXACT_MOST", 5_000)
            best = exact.search(vector, "", k=20, where=where).dense
            monkeypatch.setattr(search, "EXACT_MOST", 50)
            wanted += len(best)
            found += len({hit.key for hit in best} & {hit.key for hit in hits})
            assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert found / wanted >= 0.95
    corpus.close()  # a connection says at its end at the latest what it used
    until = time.monotonic() + 120
    while not uses_index(postgres_server, schema):
        assert time.monotonic() < until, "this compared all twice"
        time.sleep(0.1)


def uses_index(server: Any, schema: str) -> bool:
    with psycopg.connect(server.url()) as db:
        row = db.execute(
            "SELECT idx_scan FROM pg_stat_user_indexes WHERE schemaname = %s AND indexrelname LIKE 'passages_near_%%'",
            (schema,),
        ).fetchone()
    return row is not None and row[0] > 0


def test_a_generation_is_indexed_as_soon_as_it_is_large(
    open_corpus: OpenPostgres, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "EXACT_MOST", 50)
    corpus = open_corpus()
    made.put(corpus, *articles(made, 10))
    assert [corpus.verify(), corpus.stats().generations[0].passages] == [[], 40]
    made.put(corpus, *articles(made, 20))
    assert corpus.verify() == [], "a large generation without an index would be found"
    other = open_corpus(identity=made.other)
    made.put(other, *articles(made, 20), identity=made.other)
    assert other.verify() == []
    assert len(other.search(made.vector("x", made.other), "river", k=80, where=Where()).dense) == 80
