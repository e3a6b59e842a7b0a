"""Any history of writes, deletions and restarts leaves what a dictionary would hold, and finds exactly that."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.index import snapshot
from embeddings.postgres.corpus import PostgresCorpus
from embeddings.types import Article, CorpusCounts, Place, StoredPassage, Where

WORDS = ("river", "dam", "vote", "storm", "harbour", "court")
NAMES = st.sampled_from([f"article {number}" for number in range(6)])
SOURCES = st.sampled_from(["Wire", "Paper"])
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), min_size=1, max_size=4)
WHERES = st.one_of(
    st.just(Where()),
    st.builds(lambda source: Where(sources=(source,)), SOURCES),
    st.builds(lambda names: Where(article_ids=tuple(names)), st.lists(NAMES, min_size=1, max_size=3)),
)


def matches(article: Article, where: Where) -> bool:
    return (not where.sources or article.source in where.sources) and (
        not where.article_ids or article.id in where.article_ids
    )


class CorpusHistory(RuleBasedStateMachine):
    """A corpus against a dictionary of what was acknowledged."""

    made: Any
    corpus: Corpus

    @initialize()
    def begin(self) -> None:
        self.held: dict[str, Article] = {}
        self.past: dict[tuple[str, str], Article] = {}
        self.seen: dict[int, str] = {}
        """Every key ever handed out, with the passage it named: none may come to name another."""
        self.corpus = self.opened_anew()

    def opened_anew(self) -> Corpus:
        """A new and empty corpus."""
        raise NotImplementedError

    def opened_again(self) -> Corpus:
        """The one before, after it was closed."""
        raise NotImplementedError

    def teardown(self) -> None:
        self.corpus.close()

    @rule(names=st.lists(NAMES, min_size=1, max_size=3, unique=True), texts=st.data(), source=SOURCES)
    def replace(self, names: list[str], texts: st.DataObject, source: str) -> None:
        articles = [self.made.article(name, "\n".join(texts.draw(TEXTS)), source=source, title=name) for name in names]
        self.made.put(self.corpus, *articles)
        for article in articles:
            self.held[article.id] = article
            self.past[article.id, article.version] = article

    @rule(data=st.data(), status=st.sampled_from(["usable", "withheld"]), source=SOURCES)
    def restate(self, data: st.DataObject, status: str, source: str) -> None:
        """Something else is said of texts that are held, of one perhaps for the second time."""
        if not self.held:
            return
        names = data.draw(st.lists(st.sampled_from(sorted(self.held)), min_size=1, max_size=3, unique=True))
        said = [msgspec.structs.replace(self.held[name], status=status, source=source) for name in names]
        self.made.put(self.corpus, *said)
        for article in said:
            self.held[article.id] = self.past[article.id, article.version] = article

    @rule(where=WHERES.filter(lambda where: where.restricts()))
    def delete(self, where: Where) -> None:
        gone = {name for name, article in self.held.items() if matches(article, where)}
        assert self.corpus.delete(where) == len(gone)
        self.held = {name: article for name, article in self.held.items() if name not in gone}
        self.past = {key: article for key, article in self.past.items() if key[0] not in gone}

    @rule()
    def restart(self) -> None:
        self.corpus.close()
        self.corpus = self.opened_again()

    @rule(text=st.sampled_from(["storm", "river dam", "unheard"]), where=WHERES, k=st.integers(1, 30))
    def search(self, text: str, where: Where, k: int) -> None:
        """Recall is 1: the dense list is the brute-force list, the lexical one holds all that hold a word."""
        vector = self.made.vector(text)
        hits = self.corpus.search(vector, text, k=k, where=where)
        stored = self.stored([hit.key for hit in (*hits.dense, *hits.lexical)])
        expected = self.brute_force(where)
        assert len({hit.key for hit in hits.dense}) == len(hits.dense) == min(k, len(expected))
        cosines = sorted((float(made @ vector) for _, made in expected), reverse=True)[:k]
        assert np.allclose([hit.score for hit in hits.dense], cosines, atol=1e-5)
        for hit in hits.dense:
            assert hit.score == pytest.approx(float(self.made.vector(stored[hit.key].passage.text) @ vector), abs=1e-5)
        wanted = set(text.split())
        holding = sum(bool(wanted & set(words.split())) for words, _ in expected)
        assert len({hit.key for hit in hits.lexical}) == len(hits.lexical) == min(k, holding)
        assert all(wanted & set(stored[hit.key].passage.text.split()) for hit in hits.lexical)

    @invariant()
    def holds_exactly_what_was_acknowledged(self) -> None:
        if not hasattr(self, "corpus"):
            return
        listed = self.corpus.scan(where=Where(), after=None, limit=100)
        assert list(listed) == [self.held[name] for name in sorted(self.held)]
        assert self.corpus.count(Where()) == CorpusCounts(
            articles=len(self.held), passages=len(self.brute_force(Where()))
        )
        for (name, version), article in self.past.items():
            assert self.corpus.get(name, version=version) == article
        assert self.corpus.fingerprints(self.held).keys() == self.held.keys()
        assert self.corpus.homes(["unheard", *self.held]) == dict.fromkeys(self.held, "default")

    @invariant()
    def finds_exactly_the_passages_of_current_articles(self) -> None:
        if not hasattr(self, "corpus"):
            return
        hits = self.corpus.search(self.made.vector("x"), " ".join(WORDS), k=1000, where=Where())
        assert {hit.key for hit in hits.dense} == {hit.key for hit in hits.lexical}
        found = sorted((each.passage.article_id, each.passage.start) for each in self.stored(hits.dense).values())
        expected = [
            (name, each.passage.start)
            for name, article in self.held.items()
            for each in self.made.indexed(article).passages
        ]
        assert found == sorted(expected)

    def stored(self, hits: Any) -> dict[int, StoredPassage]:
        keys = [getattr(hit, "key", hit) for hit in hits]
        found = dict(self.corpus.passages(keys))
        assert found.keys() == set(keys)
        for key, each in found.items():
            assert self.seen.setdefault(key, each.passage.id) == each.passage.id
            article = self.held[each.passage.article_id]
            assert each.passage.article_version == article.version
            assert article.text[each.passage.start : each.passage.end] == each.passage.text
        return found

    def brute_force(self, where: Where) -> list[tuple[str, Any]]:
        lines = [line for article in self.held.values() if matches(article, where) for line in article.text.split("\n")]
        return [(line, self.made.vector(line)) for line in lines]


class EmbeddedHistory(CorpusHistory):
    """The embedded corpus, which also crashes and saves its indexes."""

    def opened_anew(self) -> Corpus:
        self.root = Path(tempfile.mkdtemp())
        self.folder = self.root / "0"
        return self.opened_again()

    def opened_again(self) -> Corpus:
        return EmbeddedCorpus.open(self.folder, identity=self.made.identity)

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.root)

    @rule()
    def crash(self) -> None:
        """What is on the disk now, index files of whatever age, is what a killed process leaves."""
        left = self.root / str(int(self.folder.name) + 1)
        shutil.copytree(self.folder, left)
        self.corpus.close()
        self.folder = left
        self.corpus = self.opened_again()

    @rule()
    def save(self) -> None:
        assert isinstance(self.corpus, EmbeddedCorpus)
        self.corpus.checkpoint()
        assert self.corpus.verify() == []


class PostgresHistory(CorpusHistory):
    """The corpus on a server, whose connections also break."""

    server: Any

    def opened_anew(self) -> Corpus:
        self.schema = f"history_{uuid4().hex}"
        return self.opened_again()

    def opened_again(self) -> Corpus:
        return PostgresCorpus.open(
            Place(server=self.server.url(), schema=self.schema, connections=2, timeout=120), identity=self.made.identity
        )

    @rule()
    def lose_connections(self) -> None:
        """Every connection of the store ends, as in a restart of the server."""
        with psycopg.connect(self.server.url(), autocommit=True) as db:
            db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sourceline'")

    @rule()
    def verify(self) -> None:
        assert isinstance(self.corpus, PostgresCorpus)
        assert self.corpus.verify() == []


def test_any_history_leaves_what_a_dictionary_would(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "_DEAD_LEAST", 2)  # so that few removals already rewrite a segment
    EmbeddedHistory.made = made
    examples = int(os.environ.get("HISTORIES", "25"))
    run_state_machine_as_test(
        EmbeddedHistory, settings=settings(max_examples=examples, stateful_step_count=25, deadline=None)
    )


def test_so_it_does_on_a_server(made: Any, postgres_server: Any) -> None:
    PostgresHistory.made, PostgresHistory.server = made, postgres_server
    examples = int(os.environ.get("POSTGRES_HISTORIES", "3"))
    run_state_machine_as_test(
        PostgresHistory, settings=settings(max_examples=examples, stateful_step_count=20, deadline=None)
    )
