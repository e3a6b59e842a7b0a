"""Takes judged sentences, gives them as they are served: placed in the text that was sent, differences in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from embeddings.cleaning.pages import page_at
from qa.checking.sentences import Sentence
from qa.checking.values import (
    CLAIMS_NOTHING,
    CheckedSentence,
    CheckReport,
    CheckSummary,
    Difference,
    NotJudged,
    SourceWords,
)
from qa.generation.verification import Judged, Quoted

__all__ = ["judged_sentence", "report", "unjudged_sentence"]

_NEAREST = 2
_STOP = "."
_TAKEN_OUT = 8
"""Marks of emphasis and the like that may stand between two letters."""


def unjudged_sentence(text: str, sentence: Sentence, reason: NotJudged) -> CheckedSentence:
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


def judged_sentence(text: str, sentence: Sentence, judged: Judged, *, sent: bool) -> CheckedSentence:
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


def report(sentences: Sequence[CheckedSentence], *, checker: str, timings_ms: dict[str, float]) -> CheckReport:
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


def _differences(text: str, sentence: Sentence, judged: Judged) -> tuple[Difference, ...]:
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
