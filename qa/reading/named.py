"""Takes a reading and names, gives the reading without sentences that tell of none of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

import msgspec

from qa.reading.read import Reading, ReadSentence, features_of
from qa.reading.reader import Calibration
from qa.types import Evidence

__all__ = ["from_articles_with", "naming"]

_WORD = re.compile(r"[\w-]{2,}")


def naming(
    known_as: Sequence[str], reading: Reading, evidence: Sequence[Evidence], *, calibration: Calibration
) -> Reading:
    """The reading without sentences that say none of these names, nor does the one before, nor the title.

    What shops in Velda have to do is no answer to "What about Kelmar?".
    """

    def told(one: ReadSentence) -> str:
        return f"{evidence[one.sentence.evidence].stored.title} {one.sentence.before} {one.sentence.text}"

    return _kept(known_as, reading, told, calibration)


def from_articles_with(
    known_as: Sequence[str], reading: Reading, evidence: Sequence[Evidence], *, calibration: Calibration
) -> Reading:
    """The reading without articles of which nothing found says any of these names."""
    texts: dict[str, str] = {}
    for item in evidence:
        passage = item.stored.passage
        texts[passage.article_id] = f"{texts.get(passage.article_id, item.stored.title)}\n{passage.text}"

    def told(one: ReadSentence) -> str:
        return texts[evidence[one.sentence.evidence].stored.passage.article_id]

    return _kept(known_as, reading, told, calibration)


def _kept(
    known_as: Sequence[str], reading: Reading, told: Callable[[ReadSentence], str], calibration: Calibration
) -> Reading:
    parts = {word.casefold() for name in known_as for word in _WORD.findall(name) if word[0].isupper()}
    kept = [one for one in reading.sentences if _says(parts, told(one))]
    if len(kept) == len(reading.sentences):
        return reading
    features = features_of(kept)
    sure = min(calibration.probability(features), reading.probability) if features else 0.0
    return msgspec.structs.replace(reading, sentences=tuple(kept), probability=sure)


def _says(parts: Collection[str], text: str) -> bool:
    return not parts or any(word.casefold() in parts for word in _WORD.findall(text))
