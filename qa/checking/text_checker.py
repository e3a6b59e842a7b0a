"""The flow of a check: cut the text, find sources for each sentence, judge it, say what differs.

The judging is that of generated answers (`qa.generation.claim_check`): there is one opinion of what a source
supports. Judged sentences are served in their places in the text that was sent.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from embeddings.cleaning.article import page_at
from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.runtime import Run, Stopwatch, at_once
from qa.checking import (
    CLAIMS_NOTHING,
    LONGEST_SOURCE,
    CheckedSentence,
    CheckReport,
    CheckSummary,
    Difference,
    NotJudged,
    SourceWords,
    TextToCheck,
)
from qa.checking.claim_sources import ClaimSources, Grounds, Sent, Sentence, sentences_of
from qa.citations import choose_label
from qa.errors import InvalidQuestion, InvalidText
from qa.generation.claim_check import CheckedClaim, Quoted, check_claim, is_fragment
from qa.generation.prompt import PromptSource
from qa.grounding import SupportChecker
from qa.language.dates import moment
from qa.question.understanding import checked
from qa.settings import Settings
from qa.tracing import Evaluation, current
from qa.types import Filters, SearchQuestion

MOST_SENTENCES = 500
_AT_ONCE = 4
"""Claims judged in one job: whoever else waits for the encoder gets it in between."""
_NEAREST = 2
_STOP = "."
_TAKEN_OUT = 8
"""Marks of emphasis and the like that may stand between two letters."""


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
        clock = Stopwatch(current().stage)
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
        for one in judged.values():
            if one.verdict is not None:
                current().evaluated(Evaluation(score=one.support_score or 0.0, label=one.verdict, claim=one.text))
        done = [
            judged.get(number) or _unjudged_sentence(asked.text, sentence, sentence.not_judged or "out_of_time")
            for number, sentence in enumerate(sentences)
        ]
        return _report(done, checker=self._checker.identity, timings_ms=clock.read())

    def _grounds(self, asked: TextToCheck) -> Grounds:
        if not asked.against:
            if self._corpus is None:
                raise InvalidText("there are no articles here; send texts to check against")
            bounds = SearchQuestion(
                question="all", collection=asked.collection, filters=asked.filters, as_of=asked.as_of
            )
            within = checked(bounds, now=datetime.now(UTC))
            return ClaimSources(
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
        self, sentence: Sentence, asked: TextToCheck, sources: Sequence[PromptSource], grounds: Grounds
    ) -> CheckedSentence:
        judged = check_claim(
            sentence.masked,
            # Nobody has told the writer a label, so nothing in the text may be one.
            label=choose_label([sentence.said]),
            sources=sources,
            checker=self._checker,
            question=asked.question,
            article=grounds.article,
        )
        if not judged.text:
            return _unjudged_sentence(asked.text, sentence, "fragment" if is_fragment(sentence.said) else "markup")
        return _judged_sentence(asked.text, sentence, judged, sent=bool(asked.against))


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


def _unjudged_sentence(text: str, sentence: Sentence, reason: NotJudged) -> CheckedSentence:
    """A sentence without a verdict."""
    return CheckedSentence(
        text=text[sentence.start : sentence.end],
        start=sentence.start,
        end=sentence.end,
        verdict=None,
        not_judged=reason,
        support_score=None,
        citations=(),
        nearest=(),
        differences=(),
    )


def _judged_sentence(text: str, sentence: Sentence, judged: CheckedClaim, *, sent: bool) -> CheckedSentence:
    """A sentence with its verdict; `sent`: it was held against texts sent along, not against articles."""
    nearest = () if judged.verdict == "supported" else judged.nearest[:_NEAREST]
    return CheckedSentence(
        text=text[sentence.start : sentence.end],
        start=sentence.start,
        end=sentence.end,
        verdict=judged.verdict,
        not_judged=None,
        support_score=round(judged.score, 4),
        citations=tuple(_words(quote, sent=sent) for quote in judged.quotes),
        nearest=tuple(_words(quote, sent=sent) for quote in nearest),
        differences=_differences(text, sentence, judged),
    )


def _report(sentences: Sequence[CheckedSentence], *, checker: str, timings_ms: dict[str, float]) -> CheckReport:
    """All sentences of a text, and what they come to."""
    verdicts = Counter(sentence.verdict or "not_judged" for sentence in sentences)
    scores = [sentence.support_score for sentence in sentences if sentence.support_score is not None]
    return CheckReport(
        sentences=tuple(sentences),
        summary=CheckSummary(
            sentences=len(sentences),
            supported=verdicts["supported"],
            partly_supported=verdicts["partly_supported"],
            unsupported=verdicts["unsupported"],
            contradicted=verdicts["contradicted"],
            not_judged=verdicts["not_judged"],
        ),
        support_score=min(scores, default=None),
        complete=all(s.not_judged is None or s.not_judged in CLAIMS_NOTHING for s in sentences),
        checker=checker,
        timings_ms=timings_ms,
    )


def _words(quote: Quoted, *, sent: bool) -> SourceWords:
    passage = quote.stored.passage
    return SourceWords(
        cited_text=quote.text,
        start_char_index=quote.start,
        end_char_index=quote.end,
        against_index=int(passage.article_id) if sent else None,
        article_id=None if sent else passage.article_id,
        article_version=None if sent else passage.article_version,
        title=quote.stored.title,
        source=quote.stored.source,
        url=quote.stored.url,
        published_at=quote.stored.published_at,
        page=page_at(quote.stored.pages, quote.start),
    )


def _differences(text: str, sentence: Sentence, judged: CheckedClaim) -> tuple[Difference, ...]:
    if judged.verdict == "supported":
        return ()
    places = _places(judged.text, sentence.masked)
    found = []
    for mismatch in judged.mismatches:
        start = sentence.start + places[mismatch.start]
        end = max(start, sentence.start + places[mismatch.end - 1]) + 1
        claimed = text[start:end]
        said = f"the source says {mismatch.found}" if mismatch.found else "no source says so"
        found.append(
            Difference(
                kind=mismatch.kind,
                start=start,
                end=end,
                claimed=claimed,
                found=mismatch.found or None,
                note=f"claimed {' '.join(claimed.split())}, {said}",
            )
        )
    return tuple(found)


def _places(judged: str, masked: str) -> list[int]:
    """For each character of what was judged, its place in the sentence as it was sent.

    What was taken out stood mostly before it (a bullet, "The answer is"), and else is emphasis and white space: so both
    are read from their ends. A character that was changed or added has the place of the one behind it.
    """
    solid = [place for place, character in enumerate(masked) if not character.isspace()]
    letters = "".join(masked[place] for place in solid)
    places = [0] * len(judged)
    here = at = len(solid) - 1
    ended = len(judged if letters.endswith(_STOP) else judged.rstrip(_STOP))
    for number in range(len(judged) - 1, -1, -1):
        if number < ended and not judged[number].isspace():
            nearby = letters.rfind(judged[number], max(0, at - _TAKEN_OUT), at + 1)
            if nearby >= 0:
                here, at = nearby, nearby - 1
        places[number] = solid[here]
    return places
