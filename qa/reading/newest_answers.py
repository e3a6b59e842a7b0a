"""For questions in the present tense, prefers the answer of the newest article.

Office holders and counts change, and what a newer article says holds. An older article is wrong about a person who left
office according to a newer one.
"""

import re
from collections.abc import Sequence

import msgspec

from embeddings.cleaning.identity import of_one_publisher
from embeddings.month_names import ENGLISH_MONTHS, ENGLISH_WEEKDAYS
from qa.language.dates import moment
from qa.language.quantities import quantities_of
from qa.language.words import stems, words_of
from qa.reading import Calibration
from qa.reading.office_holders import asks_holder, who_left
from qa.reading.sentence_ranking import Reading, ReadSentence, no_surer, same_answer
from qa.types import Evidence

_CLOSE = 2.0
"""How far, in log-odds, a newer article's sentence may lie behind the best one and still come first."""
_SURE = 2.0
"""The reader's log-odds from which words count as an answer in any case."""
_COUNTS = re.compile(
    r"how (?:many|much)\b(?!.*\b(?:was|were|did|had|in (?:19|20)\d\d)\b)"
    r"|what(?:['’]s| is) the\b.*\b(?:toll|number|count|total)\b|when will\b",
    re.IGNORECASE,
)
_DAY = re.compile(rf"\b(?:{'|'.join((*ENGLISH_WEEKDAYS, *ENGLISH_MONTHS))})\b", re.IGNORECASE)


def asks_of_now(question: str) -> bool:
    """Whether a question asks for an office holder or a count in the present tense, or when something will happen.

    >>> asks_of_now("How many miners are missing in Gorsk?"), asks_of_now("How many miners were missing in Gorsk?")
    (True, False)
    """
    return asks_holder(question) or _COUNTS.match(question) is not None


def newest_within(question: str, evidence: Sequence[Evidence], *, first: int) -> Sequence[Evidence]:
    """The evidence, reordered so that the newest item with all names of the question is among the `first` items."""
    about = [number for number, item in enumerate(evidence) if item.stored.published_at and _names_all(question, item)]
    newest = max(about, key=lambda number: _day(evidence[number]), default=0)
    if newest < first or _day(evidence[newest]) <= max(map(_day, evidence[:first])):
        return evidence
    rest = [item for number, item in enumerate(evidence) if number != newest]
    return [*rest[: first - 1], evidence[newest], *rest[first - 1 :]]


def of_now(question: str, reading: Reading, evidence: Sequence[Evidence], *, calibration: Calibration) -> Reading:
    """The reading with the currently valid answer first; people who left are no short answer, and come last."""
    if not reading.sentences:
        return reading
    gone = _gone(question, evidence) if asks_holder(question) else {}
    kept = [one for one in reading.sentences if not _names_gone(one, gone, evidence)]
    if not any(one.short_logit > 0 for one in kept):
        if len(kept) == len(reading.sentences):
            return reading
        return _told_only_of_leaving(reading, gone, evidence)
    first = _newest(question, kept, evidence)
    ordered = [first, *(one for one in kept if one is not first)]
    struck = len(kept) < len(reading.sentences) and reading.sentences[0] not in kept
    sure = no_surer(reading, ordered, calibration=calibration) if struck else reading.probability
    return msgspec.structs.replace(reading, sentences=tuple(ordered), probability=sure)


def newest_of_series(reading: Reading, evidence: Sequence[Evidence]) -> Reading:
    """The reading without older items of a series, which repeat the same words with other figures: last week's price
    neither is nor contradicts this week's."""
    if not reading.sentences:
        return reading
    best = reading.sentences[0]
    by_its_publisher = [one for one in reading.sentences[1:] if _may_be_of_its_series(one, best, evidence)]
    if not by_its_publisher:
        return reading
    form, figures = _form(best.sentence.text)
    series = [best]
    for one in by_its_publisher:
        other_form, other_figures = _form(one.sentence.text)
        if other_form == form and other_figures != figures:
            series.append(one)
    first = max(series, key=lambda one: _day(evidence[one.sentence.evidence]))
    rest = (one for one in reading.sentences if one not in series)
    return msgspec.structs.replace(reading, sentences=(first, *rest))


def _may_be_of_its_series(one: ReadSentence, best: ReadSentence, evidence: Sequence[Evidence]) -> bool:
    """Whether another sentence answers, and the same publisher published it on another day."""
    item, other = evidence[one.sentence.evidence], evidence[best.sentence.evidence]
    days = {_day(item), _day(other)}
    if len(days) == 1 or "" in days or one.short_logit <= 0:
        return False
    return of_one_publisher((item.stored.source, item.stored.url), (other.stored.source, other.stored.url))


def _form(text: str) -> tuple[Sequence[str], Sequence[float]]:
    """The words of a sentence without figures, and its figures."""
    found = quantities_of(text)
    figures = {at for one in found for at in range(one.start, one.end)}
    without = "".join(" " if at in figures else letter for at, letter in enumerate(text))
    return [word.stem for word in words_of(_DAY.sub(" ", without))], [one.value for one in found]


def _newest(question: str, kept: Sequence[ReadSentence], evidence: Sequence[Evidence]) -> ReadSentence:
    """The best sentence, or an equally good one with another answer from a newer article."""
    best = kept[0]
    rivals = [one for one in kept if _rivals(question, one, best, evidence)]
    return max([best, *rivals], key=lambda one: _day(evidence[one.sentence.evidence]))


def _rivals(question: str, one: ReadSentence, best: ReadSentence, evidence: Sequence[Evidence]) -> bool:
    item = evidence[one.sentence.evidence]
    if one.logit < best.logit - _CLOSE or one.short_logit < _SURE or same_answer(one, best):
        return False
    dated = item.stored.published_at and evidence[best.sentence.evidence].stored.published_at
    if not dated or not _names_all(question, item):
        return False
    return asks_holder(question) or (_has_figure(one) and _has_figure(best))


def _told_only_of_leaving(reading: Reading, gone: dict[str, str], evidence: Sequence[Evidence]) -> Reading:
    """If no current holder is named: the newest sentence that says who left, without short words."""
    told = [one for one in reading.sentences if who_left(one.sentence.text) & gone.keys()] or [reading.sentences[0]]
    first = max(told, key=lambda one: _day(evidence[one.sentence.evidence]))
    others = [one for one in reading.sentences if one is not first]
    ordered = [msgspec.structs.replace(one, short=None) for one in (first, *others)]
    return msgspec.structs.replace(reading, sentences=tuple(ordered))


def _gone(question: str, evidence: Sequence[Evidence]) -> dict[str, str]:
    """When each person, by last name, was last reported to have left; without names of the question."""
    asked, gone = stems(question), dict[str, str]()
    for item in evidence:
        for name in who_left(item.stored.passage.text) - asked:
            gone[name] = max(gone.get(name, ""), _day(item))
    return gone


def _names_gone(one: ReadSentence, gone: dict[str, str], evidence: Sequence[Evidence]) -> bool:
    """Whether its words name a person who was reported to have left on that day or later."""
    day = _day(evidence[one.sentence.evidence])
    return any(day <= gone[stem] for stem in stems(one.words) & gone.keys())


def _has_figure(one: ReadSentence) -> bool:
    return any(not found.ordinal for found in quantities_of(one.words))


def _names_all(question: str, item: Evidence) -> bool:
    names = {word.stem for word in words_of(question)[1:] if word.capital and not word.stop and not word.number}
    return bool(names) and names <= stems(f"{item.stored.title} {item.stored.passage.text}")


def _day(item: Evidence) -> str:
    """The day of publication in UTC; empty if unknown."""
    published = item.stored.published_at
    return moment(published, field="published_at").date().isoformat() if published else ""
