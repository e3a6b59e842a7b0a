"""What the service is made of, opened from settings: store, encoder, answerer."""

from __future__ import annotations

from embeddings import encoders
from embeddings.embedded_corpus import EmbeddedCorpus
from qa.answering import Answerer
from qa.server.service import Parts
from qa.settings import Settings

__all__ = ["load"]


def load(settings: Settings) -> Parts:
    """Open everything; the index is verified (or rebuilt) in this. Raises EmbeddingsError."""
    encoder = encoders.load(settings.encoder, threads=settings.threads)
    corpus = EmbeddedCorpus.open(settings.data_dir, identity=encoder.identity)
    try:
        answering = Answerer(corpus=corpus, encoder=encoder, settings=settings)
    except BaseException:
        corpus.close()
        raise
    return Parts(corpus=corpus, encoder=encoder, answering=answering)
