"""Whether a second network agrees that the words found answer the question.

A reader tells where an answer would stand, and is as sure of what only looks like one. A network that has learned
whether a text supports a claim errs otherwise: put to it as a claim, the answer is confirmed or doubted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from qa.language.answer_claims import claims_of
from qa.reading import Confirmation, Reader
from qa.reading.sentence_ranking import Reading, texts_around
from qa.types import Evidence

__all__ = ["confirmed", "verdict_on"]


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
