"""What the service is made of, opened from settings: store, encoder, answerer; each used once, so that all are warm."""

from __future__ import annotations

from embeddings import encoders
from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder
from embeddings.types import Where
from qa.assembly import assemble
from qa.server.service import Parts
from qa.settings import Settings

__all__ = ["load"]

_TEXT = "Is everything ready?"


def load(settings: Settings) -> Parts:
    """Open everything, verify (or rebuild) the index, warm the encoder up.

    Raises SettingsError, and EmbeddingsError, also where the store was filled by another encoder: no question could
    be answered. A model's server is not asked yet: without it, too, questions have answers.
    """
    encoder = encoders.load(settings.encoder, threads=settings.threads)
    corpus = EmbeddedCorpus.open(settings.data_dir, identity=encoder.identity)
    try:
        corpus.activate(encoder.identity)  # refuses a store of another encoder before any weights are read
        _warm_up(corpus, encoder)
        assembly = assemble(settings, encoder=encoder)
    except BaseException:
        corpus.close()
        raise
    return Parts(corpus=corpus, encoder=encoder, answering=assembly.over(corpus), generator=assembly.generator)


def _warm_up(corpus: Corpus, encoder: Encoder) -> None:
    """Do what a question does: the first time loads weights and index files."""
    corpus.search(encoder.encode_query(_TEXT), _TEXT, k=1, where=Where())
    encoder.encode_tokens([_TEXT])
