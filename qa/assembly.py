"""Assembles the online half: from settings and an encoder, it makes answerers over corpora.

The service, the command line and the evaluation all use it, so that all have the same parts.
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
"""Entries in the caches: vectors of questions, about 1.5 kB each, and readings of passages, about 3 kB each."""


class Assembly(msgspec.Struct, frozen=True, kw_only=True):
    """The loaded parts. Whoever assembled them closes the generator, on its event loop."""

    settings: Settings
    encoder: Encoder
    generator: Generator | None
    """None if no model is configured."""
    reader: Reader
    checker: SupportChecker | None
    """None if nothing is to be checked."""
    reranker: Reranker | None
    memories: Mapping[str, Memory[Any]] = {}
    """The caches by name, for metrics."""
    now: Clock = utc_now
    """The clock: says when a question is asked, and which embargoes have ended."""

    def over(self, corpus: Corpus, *, within: tuple[str, ...] | None = None) -> Answerer:
        """An answerer over what may be shown of one corpus, or of some of its collections."""
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
        """The checker of answers for any text, against what may be shown of a corpus, or against texts sent along."""
        from qa.checking.text_checker import TextChecker

        if self.checker is None:
            raise ValueError("this was assembled without checks")
        corpus = None if corpus is None else UsableCorpus(corpus, now=self.now, within=within)
        return TextChecker(corpus=corpus, encoder=self.encoder, checker=self.checker, settings=self.settings)


def assemble(settings: Settings, *, encoder: Encoder, checks: bool = True) -> Assembly:
    """Load every part that the settings name, without asking a model's server yet. Blocking.

    `checks`: whether to load the checker even without a model. What a model writes is always checked.
    Raises SettingsError, and EncoderError if a cross-encoder is not on this machine.
    """
    vectors, readings = Memory[Vector](_VECTORS), Memory[tuple[AnswerSpan, ...]](_READINGS)
    reader = load_reader(settings.reader, threads=settings.threads)
    if not settings.reader:  # other readers may read a passage differently beside others
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
