"""What the contract of `Corpus` is run over, and made-up articles whose vectors need no model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import EncoderIdentity
from embeddings.types import (
    Article,
    EncodedPassage,
    IndexedArticle,
    Passage,
    Place,
    Vector,
    article_version,
    passage_id,
)


class Made:
    """Makes articles: each line of the text is a passage, and its vector depends on its words alone."""

    identity = EncoderIdentity(name="made", revision="1" * 64, dimension=8, max_tokens=64, normalised=True)
    other = EncoderIdentity(name="other", revision="2" * 64, dimension=12, max_tokens=64, normalised=True)

    def vector(self, text: str, identity: EncoderIdentity = identity) -> Vector:
        """A unit vector, always the same for the same words and encoder."""
        seed = int.from_bytes(hashlib.sha256(f"{identity.name}\0{text}".encode()).digest()[:8], "big")
        drawn = np.random.default_rng(seed).normal(size=identity.dimension)
        return (drawn / np.linalg.norm(drawn)).astype(np.float32)

    def article(self, name: str, text: str, **said: str) -> Article:
        return Article(id=name, version=article_version(text), text=text, **{"title": f"Title of {name}"} | said)

    def indexed(self, article: Article, identity: EncoderIdentity = identity) -> IndexedArticle:
        passages, start = [], 0
        for line in article.text.split("\n"):
            end = start + len(line)
            if line:
                passage = Passage(
                    id=passage_id(article.id, article.version, start, end),
                    article_id=article.id,
                    article_version=article.version,
                    start=start,
                    end=end,
                    text=line,
                )
                passages.append(EncodedPassage(passage=passage, vector=self.vector(line, identity)))
            start = end + 1
        signature = hashlib.sha256(article.text.encode()).digest()
        return IndexedArticle(article=article, passages=tuple(passages), signature=signature)

    def put(self, corpus: Corpus, *articles: Article, identity: EncoderIdentity = identity) -> None:
        corpus.replace([self.indexed(article, identity) for article in articles])


OpenCorpus = Callable[..., Corpus]


@pytest.fixture(scope="session")
def made() -> Made:
    return Made()


@pytest.fixture(params=["embedded", "postgres"])
def open_corpus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenCorpus]:
    """Opens one and the same corpus, again and again: `open_corpus(identity=…, read_only=…)`.

    To prove another implementation, name it in `params` and open it here.
    """
    if request.param == "embedded":
        opening: OpenCorpus = partial(EmbeddedCorpus.open, tmp_path / "corpus")
    else:
        opening = opening_postgres(request.getfixturevalue("postgres_server"))
    opened: list[Corpus] = []

    def open_it(*, identity: EncoderIdentity = Made.identity, read_only: bool = False) -> Corpus:
        opened.append(opening(identity=identity, read_only=read_only))
        return opened[-1]

    yield open_it
    for corpus in opened:
        corpus.close()


def opening_postgres(server: Any) -> OpenCorpus:
    """Opens one and the same corpus on a server, in a schema of its own."""
    from embeddings.postgres.corpus import PostgresCorpus

    return partial(PostgresCorpus.open, Place(server=server.url(), schema=f"test_{uuid4().hex}", connections=12))


@pytest.fixture
def corpus(open_corpus: OpenCorpus) -> Corpus:
    return open_corpus()
