"""Puts the online half together, once for everybody: takes settings and an encoder, gives answerers over corpora.

The service, the command line and the evaluation all come here, so that none of them lacks a part that another has.
"""

from __future__ import annotations

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from qa.answering import Answerer
from qa.generators import Generator, load_generator
from qa.grounding.loading import load_checker
from qa.grounding.protocol import SupportChecker
from qa.reranking.loading import load_reranker
from qa.reranking.protocol import Reranker
from qa.rewriting import FollowUps
from qa.settings import Settings

__all__ = ["Answerer", "Assembly", "assemble"]


class Assembly(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that answer, loaded once; whoever assembled them closes the generator, on its event loop."""

    settings: Settings
    encoder: Encoder
    generator: Generator | None
    """None where no model is set up."""
    checker: SupportChecker
    reranker: Reranker | None

    def over(self, corpus: Corpus) -> Answerer:
        """All of them, answering from one corpus."""
        return Answerer(
            corpus=corpus,
            encoder=self.encoder,
            settings=self.settings,
            generator=self.generator,
            checker=self.checker,
            reranker=self.reranker,
            resolve=FollowUps(corpus, generator=self.generator),
        )


def assemble(settings: Settings, *, encoder: Encoder) -> Assembly:
    """Load every part that the settings name; a model's server is not asked yet. Blocking.

    Raises SettingsError, and EncoderError where a cross-encoder is not on this machine.
    """
    return Assembly(
        settings=settings,
        encoder=encoder,
        generator=load_generator(settings),
        checker=load_checker(settings.support_checker, encoder=encoder, threads=settings.threads),
        reranker=load_reranker(settings.reranker, threads=settings.threads),
    )
