"""Puts the online half together, once for everybody: takes settings and an encoder, gives answerers over corpora.

The service, the command line and the evaluation all come here, so that none of them lacks a part that another has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder, RememberingEncoder
from embeddings.runtime import Memory
from embeddings.types import Vector
from embeddings.usable_corpus import Clock, UsableCorpus, utc_now
from qa.answering import Answerer
from qa.conversations.follow_ups import FollowUps
from qa.generators import Generator, load_generator
from qa.grounding import SupportChecker
from qa.reading import AnswerSpan, Reader, RememberingReader, load_reader
from qa.retrieval import Reranker, load_reranker
from qa.settings import Settings

if TYPE_CHECKING:
    from qa.checking.text_checker import TextChecker

__all__ = ["Answerer", "Assembly", "assemble"]

_VECTORS, _READINGS = 1_000, 2_000
"""Remembered: of questions, some 1.5 kB each, and of passages read for a question, some 3 kB each."""


class Assembly(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that answer, loaded once; whoever assembled them closes the generator, on its event loop."""

    settings: Settings
    encoder: Encoder
    generator: Generator | None
    """None where no model is set up."""
    reader: Reader
    checker: SupportChecker | None
    """None where nothing is to be judged."""
    reranker: Reranker | None
    memories: Mapping[str, Memory[Any]] = {}
    """What is remembered, by its name: to be counted."""
    now: Clock = utc_now
    """The clock: when a question is asked, and which embargo has ended."""

    def over(self, corpus: Corpus, *, within: tuple[str, ...] | None = None) -> Answerer:
        """All of them, answering from what may be shown of one corpus, or of some collections of it."""
        corpus = UsableCorpus(corpus, now=self.now, within=within)
        return Answerer(
            corpus=corpus,
            encoder=self.encoder,
            reader=self.reader,
            settings=self.settings,
            generator=self.generator,
            checker=self.checker,
            reranker=self.reranker,
            resolve=FollowUps(corpus, generator=self.generator),
            now=self.now,
        )

    def checks_against(self, corpus: Corpus | None, *, within: tuple[str, ...] | None = None) -> TextChecker:
        """What judges the sentences of answers, for any text, against what may be shown of a corpus or what comes
        with the text."""
        from qa.checking.text_checker import TextChecker

        if self.checker is None:
            raise ValueError("this was assembled without checks")
        corpus = None if corpus is None else UsableCorpus(corpus, now=self.now, within=within)
        return TextChecker(corpus=corpus, encoder=self.encoder, checker=self.checker, settings=self.settings)


def assemble(settings: Settings, *, encoder: Encoder, checks: bool = True) -> Assembly:
    """Load every part that the settings name; a model's server is not asked yet. Blocking.

    `checks`: whether texts are to be judged, too. What a model writes always is.
    Raises SettingsError, and EncoderError where a cross-encoder is not on this machine.
    """
    vectors, readings = Memory[Vector](_VECTORS), Memory[tuple[AnswerSpan, ...]](_READINGS)
    reader = load_reader(settings.reader, threads=settings.threads)
    if not settings.reader:  # of others, nobody knows whether a reading depends on what else is read with it
        reader = RememberingReader(reader, readings=readings)
    generator = load_generator(settings)
    checker = None
    if generator or checks:
        from qa.grounding import load_checker

        checker = load_checker(settings.support_checker, threads=settings.threads)
    return Assembly(
        settings=settings,
        encoder=RememberingEncoder(encoder, vectors=vectors),
        generator=generator,
        reader=reader,
        checker=checker,
        reranker=load_reranker(settings.reranker, threads=settings.threads),
        memories={"vectors": vectors, "readings": readings},
    )
