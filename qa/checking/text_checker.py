"""The flow of a check: cut the text, find what each sentence may rest on, judge it, say what differs.

The judging is that of generated answers (`qa.generation.verification`): there is one opinion of what a source supports.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from qa.checking.evidence import Found, Grounds, Sent
from qa.checking.reporting import judged_sentence, report, unjudged_sentence
from qa.checking.sentences import Sentence, sentences_of
from qa.checking.values import LONGEST_SOURCE, CheckedSentence, CheckReport, TextToCheck
from qa.errors import InvalidQuestion, InvalidText
from qa.executor import Run, at_once
from qa.generation.citation_markers import choose_label
from qa.generation.context import Source
from qa.generation.verification import is_fragment, judge
from qa.grounding.checker import SupportChecker
from qa.language.timestamps import moment
from qa.question.understanding import checked
from qa.settings import Settings
from qa.stopwatch import Stopwatch
from qa.types import Filters, SearchQuestion

__all__ = ["MOST_SENTENCES", "TextChecker"]

MOST_SENTENCES = 500
_AT_ONCE = 4
"""Claims judged in one job: whoever else waits for the encoder gets it in between."""


class TextChecker:
    """Checks texts against what is sent along, or against one corpus; blocking work is handed to `run`, job by job."""

    def __init__(self, *, corpus: Corpus | None, encoder: Encoder, checker: SupportChecker, settings: Settings) -> None:
        """Without a `corpus`, only what is sent along is checked against."""
        self._corpus = corpus
        self._encoder = encoder
        self._checker = checker
        self._settings = settings

    async def check(self, asked: TextToCheck, *, run: Run = at_once, seconds: float | None = None) -> CheckReport:
        """Judge every sentence that claims something; those not reached within `seconds` say so.

        Raises InvalidText, InvalidQuestion (a filter, a date), and TimeoutError where none was judged in time.
        """
        clock = Stopwatch()
        sentences: Sequence[Sentence] = ()
        judged: dict[int, CheckedSentence] = {}
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                sentences = await run(partial(_cut, asked.text))
                grounds = await run(partial(self._grounds, asked))
                clock.lap("cut")
                claims = [number for number, sentence in enumerate(sentences) if sentence.not_judged is None]
                for first in range(0, len(claims), _AT_ONCE):
                    some = {number: sentences[number] for number in claims[first : first + _AT_ONCE]}
                    judged |= await run(partial(self._judged, some, asked, grounds))
        except TimeoutError:
            if not (limit.expired() and judged):
                raise
        clock.lap("judge")
        done = [
            judged.get(number) or unjudged_sentence(asked.text, sentence, sentence.not_judged or "out_of_time")
            for number, sentence in enumerate(sentences)
        ]
        return report(done, checker=self._checker.identity, timings_ms=clock.read())

    def _grounds(self, asked: TextToCheck) -> Grounds:
        if not asked.against:
            if self._corpus is None:
                raise InvalidText("there are no articles here; send texts to check against")
            bounds = SearchQuestion(
                question="all", collection=asked.collection, filters=asked.filters, as_of=asked.as_of
            )
            within = checked(bounds, now=datetime.now(UTC))
            return Found(
                self._corpus,
                encoder=self._encoder,
                where=within.where,
                as_of=within.as_of if asked.as_of else None,
                ranked_by=self._settings.retrieval,
            )
        if asked.collection is not None or asked.as_of is not None or asked.filters != Filters():
            raise InvalidQuestion(
                "collection, filters and as_of choose among the stored articles, and against says to use none of them; "
                "leave out one or the other"
            )
        if sum(len(sent.text) for sent in asked.against) > LONGEST_SOURCE:
            raise InvalidText(
                f"the texts to check against have more than {LONGEST_SOURCE:,} characters together; send fewer, or add "
                "them as articles and check against those"
            )
        for number, sent in enumerate(asked.against):
            if sent.published_at is not None:
                moment(sent.published_at, field=f"against[{number}].published_at")
        return Sent(asked.against, encoder=self._encoder)

    def _judged(
        self, some: Mapping[int, Sentence], asked: TextToCheck, grounds: Grounds
    ) -> Mapping[int, CheckedSentence]:
        """Judge some claims that follow each other. Blocking."""
        found = grounds.sources([sentence.said for sentence in some.values()])
        return {
            number: self._one(sentence, asked, sources, grounds)
            for (number, sentence), sources in zip(some.items(), found, strict=True)
        }

    def _one(
        self, sentence: Sentence, asked: TextToCheck, sources: Sequence[Source], grounds: Grounds
    ) -> CheckedSentence:
        judged = judge(
            sentence.masked,
            # Nobody has told the writer a label, so nothing in the text may be one.
            label=choose_label([sentence.said]),
            sources=sources,
            checker=self._checker,
            question=asked.question,
            article=grounds.article,
        )
        if not judged.text:
            return unjudged_sentence(asked.text, sentence, "fragment" if is_fragment(sentence.said) else "markup")
        return judged_sentence(asked.text, sentence, judged, sent=bool(asked.against))


def _cut(text: str) -> Sequence[Sentence]:
    """The sentences of a text. Raises InvalidText where it has none, or too many."""
    sentences = sentences_of(text)
    if not any(character.isalnum() for character in text):
        raise InvalidText("the text has no words; there is nothing to check")
    if len(sentences) > MOST_SENTENCES:
        raise InvalidText(
            f"the text has {len(sentences):,} sentences, more than the {MOST_SENTENCES} that are checked at a time; "
            "send it in parts"
        )
    return sentences
