"""What the service is made of, opened from settings: store, encoder, answerer; each used once, so that all are warm."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from embeddings import encoders
from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder
from embeddings.errors import StoreReadOnly
from embeddings.index import live
from embeddings.ingest import ingest
from embeddings.opening import open_corpus
from embeddings.types import RawArticle, Where
from embeddings.usable_corpus import Clock, utc_now
from qa.answers import fold
from qa.assembly import Assembly, assemble
from qa.executor import at_once
from qa.server.parts import Narrowed, Parts
from qa.settings import Settings
from qa.types import Question

__all__ = ["load"]

_log = logging.getLogger(__name__)

_TEXT = "Is everything ready?"
_REHEARSED = RawArticle(
    title="Stage opened",
    text="The stage of Velda was opened on Monday. About 4,200 people came, the town said.",
    origin="rehearsal",
)
_QUESTION = "How many people came?"


def load(settings: Settings, *, now: Clock = utc_now) -> Parts:
    """Open everything, verify (or rebuild) the index, warm up what answers: nothing is left to load for a question.

    Raises SettingsError, and EmbeddingsError, also where the store was filled by another encoder: no question could
    be answered. A model's server is not asked yet: without it, too, questions have answers.
    """
    encoder = encoders.load(settings.encoder, threads=settings.threads)
    corpus = _opened(settings, encoder)
    try:
        corpus.activate(encoder.identity)  # refuses a store of another encoder before any weights are read
        assembly = msgspec.structs.replace(assemble(settings, encoder=encoder), now=now)
        _warm_up(corpus, encoder)
        _rehearse(assembly)
    except BaseException:
        corpus.close()
        raise

    def narrowed(within: tuple[str, ...]) -> Narrowed:
        return Narrowed(
            answering=assembly.over(corpus, within=within), checking=assembly.checks_against(corpus, within=within)
        )

    return Parts(
        corpus=corpus,
        encoder=encoder,
        answering=assembly.over(corpus),
        checking=assembly.checks_against(corpus),
        narrowed=narrowed,
        generator=assembly.generator,
        memories=assembly.memories,
        now=assembly.now,
    )


def _opened(settings: Settings, encoder: Encoder) -> Corpus:
    """The corpus; of a store that this user cannot write, for reading."""
    try:
        return open_corpus(settings.place, identity=encoder.identity, else_read=True)
    except StoreReadOnly as error:
        _log.warning("%s; questions are answered, articles cannot be added", error)
        return open_corpus(settings.place, identity=encoder.identity, read_only=True)


def _warm_up(corpus: Corpus, encoder: Encoder) -> None:
    """Do what a question does: the first time loads weights and index files."""
    corpus.search(encoder.encode_query(_TEXT), _TEXT, k=1, where=Where())


def _rehearse(assembly: Assembly) -> None:
    """Answer a question from an article of our own, and check a sentence of it.

    Readers and cross-encoders read their weights when they are first used. A question that came first would wait for
    that within its own deadline, and the store may be empty still.
    """
    with TemporaryDirectory(prefix="sourceline-") as folder, _unsaid(folder):
        corpus = EmbeddedCorpus.open(Path(folder), identity=assembly.encoder.identity)
        try:
            ingest([_REHEARSED], corpus=corpus, encoder=assembly.encoder)
            question = Question(question=_QUESTION, mode="extractive")
            asyncio.run(fold(assembly.over(corpus).events(question, run=at_once)))
        finally:
            corpus.close()
    if assembly.checker is not None:
        assembly.checker.check(_REHEARSED.text[:40], [_REHEARSED.text])


@contextmanager
def _unsaid(folder: str) -> Iterator[None]:
    """Keep out of the log that the index of this folder is new: whoever reads it has another folder in mind."""
    index_log = logging.getLogger(live.__name__)

    def elsewhere(record: logging.LogRecord) -> bool:
        return folder not in record.getMessage()

    index_log.addFilter(elsewhere)
    try:
        yield
    finally:
        index_log.removeFilter(elsewhere)
