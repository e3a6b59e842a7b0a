"""What may be stored: takes articles with their passages, proves them sound before anything is written."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from embeddings.encoders.encoder import EncoderIdentity
from embeddings.errors import EncoderError, InvalidArticle
from embeddings.index.dense import checked
from embeddings.store.filters import moment
from embeddings.types import EncodedPassage, IndexedArticle, article_version

__all__ = ["sound"]


def sound(articles: Sequence[IndexedArticle], identity: EncoderIdentity) -> list[IndexedArticle]:
    """Give the articles with their vectors as float32, each checked against the others and against its own text.

    Raises InvalidArticle or EncoderError naming the article; then nothing of the call may be written.
    """
    ids = [indexed.article.id for indexed in articles]
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise InvalidArticle(f"article {twice!r} comes twice in one call; send one version of it")
    for indexed in articles:
        _check_article(indexed)
        _check_passages(indexed)
    return [_with_checked_vectors(indexed, identity) for indexed in articles]


def _check_article(indexed: IndexedArticle) -> None:
    article = indexed.article
    if not article.id or "\0" in article.id:
        raise InvalidArticle(f"{article.id!r} cannot be an article id; use text without NUL")
    try:
        msgspec.json.encode(article)
        version = article_version(article.text)
    except UnicodeEncodeError as error:
        raise InvalidArticle(
            f"article {article.id!r} holds half of a surrogate pair ({error}); clean it first"
        ) from error
    if article.version != version:
        raise InvalidArticle(
            f"article {article.id!r} is marked as version {article.version}, but its text is {version}"
        )
    for written in (article.published_at, article.embargoed_until):
        if written is not None:
            moment(written)


def _check_passages(indexed: IndexedArticle) -> None:
    article = indexed.article
    if not indexed.passages:
        raise InvalidArticle(f"article {article.id!r} comes without passages, so that nothing could find it")
    ids = [encoded.passage.id for encoded in indexed.passages]
    if len(set(ids)) < len(ids):
        raise InvalidArticle(f"article {article.id!r} has two passages of the same id")
    for passage in (encoded.passage for encoded in indexed.passages):
        if (passage.article_id, passage.article_version) != (article.id, article.version):
            raise InvalidArticle(f"passage {passage.id} of article {article.id!r} names another article or version")
        if not 0 <= passage.start < passage.end <= len(article.text):
            raise InvalidArticle(f"passage {passage.id} of article {article.id!r} lies outside its text")
        if article.text[passage.start : passage.end] != passage.text:
            raise InvalidArticle(f"passage {passage.id} of article {article.id!r} is not what its span says")


def _with_checked_vectors(indexed: IndexedArticle, identity: EncoderIdentity) -> IndexedArticle:
    name = f"article {indexed.article.id!r}"
    for encoded in indexed.passages:
        shape = np.shape(encoded.vector)
        if shape != (identity.dimension,):
            raise EncoderError(f"{name}: a vector of shape {shape}; {identity.name} makes {identity.dimension} numbers")
    vectors = checked(
        np.stack([encoded.vector for encoded in indexed.passages]),
        dimension=identity.dimension,
        unit=identity.normalised,
        of=name,
    )
    passages = tuple(
        EncodedPassage(passage=encoded.passage, vector=vector)
        for encoded, vector in zip(indexed.passages, vectors, strict=True)
    )
    return msgspec.structs.replace(indexed, passages=passages)
