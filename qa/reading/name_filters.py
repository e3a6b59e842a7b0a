"""Takes a reading and the names that it has to tell of, gives it without sentences that tell of none of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

import msgspec
from rapidfuzz.fuzz import ratio

from qa.language.question_words import language_of, names
from qa.reading import Calibration
from qa.reading.sentence_ranking import Reading, ReadSentence, no_surer
from qa.types import Evidence

__all__ = ["SHARED_FIRST", "from_articles_with", "is_spelled", "naming", "of_what_is_named"]

_WORD = re.compile(r"[\w-]{2,}")
_ONE_NAME = 70.0
"""From this likeness on, two names may be spellings of one."""
SHARED_FIRST = frozenset(
    "New North South East West Northern Southern Eastern Western Great United San Santa Saint St Los Las Port Fort Lake"
    " Mount Cape Upper Lower Old Big National Royal Supreme Prime White House Third Second First Super World American"
    " British Central".split()
)
"""Names of many places and bodies begin with these."""
_STEM = 4
"""So many letters are alike in a name and what is made of it: Britain, British."""


def naming(
    known_as: Sequence[str], reading: Reading, evidence: Sequence[Evidence], *, calibration: Calibration
) -> Reading:
    """The reading without sentences that say none of these names, nor does the one before, nor the title.

    What shops in Velda have to do is no answer to "What about Kelmar?".
    """

    def told(one: ReadSentence) -> str:
        return f"{evidence[one.sentence.evidence].stored.title} {one.sentence.before} {one.sentence.text}"

    parts = _parts(known_as)
    return _kept(reading, lambda one: _says(parts, told(one)), calibration)


def from_articles_with(
    known_as: Sequence[str], reading: Reading, evidence: Sequence[Evidence], *, calibration: Calibration
) -> Reading:
    """The reading without articles of which nothing found says any of these names."""
    parts = _parts(known_as)
    telling = {article for article, text in _texts(evidence).items() if _says(parts, text)}
    return _kept(reading, lambda one: _article(one, evidence) in telling, calibration)


def of_what_is_named(
    question: str, reading: Reading, evidence: Sequence[Evidence], *, calibration: Calibration
) -> Reading:
    """The reading without articles of which nothing found names whom the question names.

    How many goals Ana Roe scored, an article that has no Ana Roe does not know.
    """
    foreign = {article for article, text in _texts(evidence).items() if _lacks(question, text)}
    return _kept(reading, lambda one: _article(one, evidence) not in foreign, calibration)


def is_spelled(name: str, said: Collection[str]) -> bool:
    """Whether one of these words is the name, or may be a spelling of it."""
    return any(ratio(name, word) >= _ONE_NAME for word in said)


def _kept(reading: Reading, holds: Callable[[ReadSentence], bool], calibration: Calibration) -> Reading:
    kept = [one for one in reading.sentences if holds(one)]
    if len(kept) == len(reading.sentences):
        return reading
    sure = no_surer(reading, kept, calibration=calibration)
    return msgspec.structs.replace(reading, sentences=tuple(kept), probability=sure)


def _texts(evidence: Sequence[Evidence]) -> dict[str, str]:
    """By article, its title and all of its text that was found."""
    texts: dict[str, str] = {}
    for item in evidence:
        passage = item.stored.passage
        texts[passage.article_id] = f"{texts.get(passage.article_id, item.stored.title)}\n{passage.text}"
    return texts


def _article(one: ReadSentence, evidence: Sequence[Evidence]) -> str:
    return evidence[one.sentence.evidence].stored.passage.article_id


def _parts(known_as: Sequence[str]) -> set[str]:
    return {word.casefold() for name in known_as for word in _WORD.findall(name) if word[0].isupper()}


def _says(parts: Collection[str], text: str) -> bool:
    return not parts or any(word.casefold() in parts for word in _WORD.findall(text))


def _lacks(question: str, text: str) -> bool:
    """Whether a text has no word of a longer name in the question, not even its initials."""
    if language_of(question) not in {None, "en"}:
        return False
    folded = text.casefold()
    initials = set(re.findall(r"\b[A-Z]{2,6}\b", text.replace(".", "")))
    for name in names(question):
        words = [word for word in re.findall(r"[\w-]{3,}", name.text) if word[0].isupper()]
        short = "".join(word[0] for word in name.text.split() if word[0].isupper())
        if len(words) < 2 or short in initials:
            continue
        held = any(word.casefold()[:_STEM] in folded for word in words)
        if held and len(words) == 2 and words[0] not in SHARED_FIRST and words[1].casefold()[:_STEM] not in folded:
            behind = set(re.findall(rf"\b{re.escape(words[0])} ([A-Z]\w{{2,}})", text))
            held = not behind or is_spelled(words[1], behind)  # else it is of a namesake
        if not held:
            return True
    return False
