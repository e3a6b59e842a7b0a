"""What evaluation needs of the offline half: an encoder that remembers, and a corpus made from articles at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder, EncoderIdentity, TokenVectors
from embeddings.ingest import index_articles
from embeddings.types import Article, Vector, Vectors

__all__ = ["MemoEncoder", "indexed"]


class MemoEncoder:
    """Passes on to an encoder and keeps the token vectors of every text it has seen."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._tokens: dict[str, TokenVectors] = {}

    @property
    def identity(self) -> EncoderIdentity:
        """The wrapped encoder's."""
        return self._encoder.identity

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Passed on."""
        return self._encoder.encode_passages(texts)

    def encode_query(self, text: str) -> Vector:
        """Passed on."""
        return self._encoder.encode_query(text)

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Only texts not seen before are encoded."""
        new = sorted({text for text in texts if text not in self._tokens}, key=len)
        for vectors in self._encoder.encode_tokens(new):
            self._tokens[vectors.text] = vectors
        return [self._tokens[text] for text in texts]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Passed on."""
        return self._encoder.count_tokens(texts)


@contextmanager
def indexed(articles: Sequence[Article], encoder: Encoder, folder: Path) -> Iterator[Corpus]:
    """A corpus holding exactly these articles, their text untouched."""
    corpus = EmbeddedCorpus.open(folder, identity=encoder.identity)
    try:
        index_articles(articles, corpus=corpus, encoder=encoder)
        yield corpus
    finally:
        corpus.close()
