"""A server taken away in the middle: what was acknowledged is there when it is back, and the corpus goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from embeddings.errors import StoreError
from embeddings.postgres.corpus import PostgresCorpus
from embeddings.types import Article, Where


@pytest.fixture
def server(postgres_server: Any) -> Iterator[Any]:
    """One of our own that writes to the disk in earnest."""
    with type(postgres_server)(durable=True) as own:
        yield own


def test_what_was_acknowledged_outlives_the_server(server: Any, made: Any) -> None:
    acknowledged: list[Article] = []
    enough = threading.Event()

    def write(corpus: PostgresCorpus) -> None:
        number = 0
        while True:  # until the server is gone
            article = made.article(f"a{number % 20}", f"storm {number}\nriver {number}")
            made.put(corpus, article)
            acknowledged.append(article)
            number += 1
            if number > 30:
                enough.set()

    with closing(PostgresCorpus.open(server.url(), identity=made.identity, timeout=5)) as corpus:
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write, corpus)
            assert enough.wait(300)
            server.kill()
            with pytest.raises(StoreError):
                writing.result()
        with pytest.raises(StoreError, match="no connection to"):
            corpus.count(Where())
        server.start()
        check(corpus, made, acknowledged)
        made.put(corpus, made.article("afterwards", "calm"))
    with closing(PostgresCorpus.open(server.url(), identity=made.identity, read_only=True)) as corpus:
        assert corpus.get("afterwards") is not None


def check(corpus: PostgresCorpus, made: Any, acknowledged: list[Article]) -> None:
    """Of each article the last version acknowledged is there, or the one that was being written then."""
    last = {article.id: article for article in acknowledged}
    for name, article in last.items():
        held = corpus.get(name)
        assert held is not None
        assert held == article or int(held.text.split()[-1]) == len(acknowledged)
        assert corpus.get(name, version=article.version) == article
    assert corpus.verify() == []
    hits = corpus.search(made.vector("x"), "storm river", k=100, where=Where())
    assert len(hits.dense) == len(hits.lexical) == 2 * len(last)
