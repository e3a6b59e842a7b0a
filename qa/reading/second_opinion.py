"""What a second network makes of what was read: whether the words answer, and what decides a question of yes or no.

A reader tells where an answer would stand, and is as sure of what only looks like one. A network that has learned
whether a text supports a claim errs otherwise: put to it as a claim, the answer is confirmed or doubted. Nor does a
reader find words that answer in "The bid was rejected" when asked whether it was accepted; as a statement, the question
is put to the second network, before the sentences that speak of the matter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec

from qa.language.answer_claims import claims_of, stated
from qa.language.words import matter, stems
from qa.reading import Confirmation, Decision, Reader
from qa.reading.sentence_ranking import DEPTH, Reading, ReadSentence, SentenceAt, is_said, sentences_of, texts_around
from qa.types import Evidence

__all__ = ["confirmed", "decided", "decisions_of", "verdict_on"]

_JUDGED = 6
"""Sentences put to the second network: those that have most of the question's words."""
_LEAST_SHARED = 0.4
"""Of those words, what a sentence must have with its title and the sentence before it."""
_BEFORE = 0.5
"""What a word counts that only these have."""


def confirmed(question: str, reading: Reading, evidence: Sequence[Evidence], *, reader: Reader) -> Reading:
    """The reading, as sure as its answer is in view of the second network's verdict on it."""
    calibration = reader.calibration
    if not calibration.confirmation or not 0 < reading.probability < 1:
        return reading
    verdict = verdict_on(question, reading, evidence, reader=reader)
    if verdict is None:
        return reading
    known = Confirmation(sure=math.log(reading.probability / (1 - reading.probability)), verdict=verdict)
    return msgspec.structs.replace(reading, probability=calibration.confirmed(known))


def verdict_on(question: str, reading: Reading, evidence: Sequence[Evidence], *, reader: Reader) -> float | None:
    """Log-odds that the sentence of the best words says that they answer; None without words or a second network."""
    if not reading.sentences or not reading.sentences[0].short:
        return None
    best = reading.sentences[0]
    odds = reader.confirm(claims_of(question, best.words), texts_around(best.sentence, evidence))
    return odds.supported if odds else None


def decided(question: str, evidence: Sequence[Evidence], *, reader: Reader) -> Reading | None:
    """What decides a question, surest first; None where it is no such question, or the reader cannot tell."""
    calibration = reader.calibration
    if not calibration.decision:
        return None
    found = list(decisions_of(question, evidence, reader=reader))
    sure = [(calibration.decides(decision), sentence) for sentence, decision in found]
    if not sure:
        return None
    sure.sort(key=lambda one: -one[0])
    return Reading(
        sentences=tuple(ReadSentence(sentence=one, logit=odds, short=None) for odds, one in sure),
        probability=calibration.chance(sure[0][0]),
        kind="decision",
        passages=min(len(evidence), DEPTH),
    )


def decisions_of(
    question: str, evidence: Sequence[Evidence], *, reader: Reader
) -> Iterator[tuple[SentenceAt, Decision]]:
    """The sentences that speak of the matter, and what is known of each as the one that decides."""
    claim, asked = stated(question), matter(question)
    if claim is None or not asked:
        return
    places: dict[tuple[str, int], tuple[float, SentenceAt]] = {}
    for number, item in enumerate(evidence[:DEPTH]):
        titled = stems(item.stored.title)
        for sentence in sentences_of(item, evidence=number):
            share = _share(asked, sentence, titled)
            place = (item.stored.passage.article_id, sentence.start)
            if is_said(sentence.text) and share >= _LEAST_SHARED and place not in places:
                places[place] = (share, sentence)
    likeliest = sorted(places.values(), key=lambda one: (-one[0], one[1].evidence, one[1].start))[:_JUDGED]
    for share, sentence in likeliest:
        if odds := reader.confirm((claim,), texts_around(sentence, evidence)):
            yield sentence, Decision(odds=odds, share=share, rank=sentence.evidence)


def _share(asked: frozenset[str], sentence: SentenceAt, titled: frozenset[str]) -> float:
    own = stems(sentence.text)
    around = (titled | stems(sentence.before)) - own
    return (len(asked & own) + _BEFORE * len(asked & around)) / len(asked)
