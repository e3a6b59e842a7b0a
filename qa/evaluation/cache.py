"""What evaluation needs of the offline half: an encoder that remembers, and corpora made from articles at hand."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder, TokenVectors
from embeddings.encoders.encoder import RememberingEncoder
from embeddings.ingest import fingerprint, index_articles
from embeddings.runtime.memory import Memory
from embeddings.types import Article

__all__ = ["CachingEncoder", "indexed", "kept"]


class CachingEncoder(RememberingEncoder):
    """Remembers the vectors of all questions, and the token vectors of texts it has seen."""

    def __init__(self, encoder: Encoder, *, limit: int | None = None) -> None:
        """Of more than `limit` texts the oldest is forgotten: one takes about 50 kB."""
        super().__init__(encoder, vectors=Memory(sys.maxsize))
        self._limit = limit
        self._tokens: dict[str, TokenVectors] = {}

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Only texts not seen before are encoded."""
        new = sorted({text for text in texts if text not in self._tokens}, key=len)
        for vectors in self._encoder.encode_tokens(new):
            self._tokens[vectors.text] = vectors
        asked = [self._tokens[text] for text in texts]
        while self._limit is not None and len(self._tokens) > self._limit:
            del self._tokens[next(iter(self._tokens))]
        return asked


@contextmanager
def indexed(articles: Sequence[Article], encoder: Encoder, folder: Path) -> Iterator[Corpus]:
    """A corpus holding exactly these articles, their text untouched."""
    corpus = EmbeddedCorpus.open(folder, identity=encoder.identity)
    try:
        index_articles(articles, corpus=corpus, encoder=encoder)
        yield corpus
    finally:
        corpus.close()


@contextmanager
def kept(articles: Sequence[Article], encoder: Encoder, cache: Path) -> Iterator[Corpus]:
    """As `indexed`, in a folder under `cache` named for what it holds; what is there already is not encoded again.

    Also after a kill in the middle: only articles that are not complete are encoded.
    """
    digest = hashlib.sha256(encoder.identity.key.encode())
    for article in articles:
        digest.update(f"\0{article.id}\0{fingerprint(article)}".encode())
    corpus = EmbeddedCorpus.open(cache / digest.hexdigest()[:24], identity=encoder.identity)
    try:
        held = corpus.fingerprints([article.id for article in articles])
        missing = [article for article in articles if held.get(article.id) != fingerprint(article)]
        index_articles(missing, corpus=corpus, encoder=encoder)
        yield corpus
    finally:
        corpus.close()
