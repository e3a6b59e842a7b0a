"""Finds a sentence that contradicts the best answer, if a source has one.

Only figures are compared: the same unit, the same matter by its names and words, another story, about the same time.
A correction is found by what it says of itself. Precision comes first: a conflict that is none does more harm than one
that is missed.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Literal

import msgspec

from embeddings.chunking.sentences import split_sentences
from embeddings.near_duplicates import same_story
from embeddings.types import StoredPassage
from qa.language.dates import moment
from qa.language.quantities import Quantity, hedged_span, quantities_of
from qa.language.words import matter, stems, words_of
from qa.reading import SentenceAt
from qa.reading.sentence_ranking import Reading, ReadSentence
from qa.types import Citation, Conflict, Evidence

_SAYS_OTHERWISE = re.compile(
    r"\b(?:correct (?:figure|number|total|amount|length|date|name)|now says?|should have (?:been|said|read)|in fact)\b",
    re.IGNORECASE,
)
_CORRECTS = re.compile(r"\bcorrect(?:ion|ions|ed|ing|s)\b", re.IGNORECASE)
_REPLACES = re.compile(
    r"\b(?:correct|revis|lower|rais|reduc|adjust|amend).*\bfrom (?:[a-z]+ )?[$£€]?$", re.IGNORECASE | re.DOTALL
)
_INTO = re.compile(r"(?: [a-z]+)? to (?:[a-z]+ )?[$£€]?")
"""Between two figures, of which a sentence that replaces one says that the second is right."""
_ASKS_AMOUNT = re.compile(
    r"\bhow (?:many|much)\b|\b(?:what|which) (?:percentage|per ?cent|share|proportion|number|price)\b", re.IGNORECASE
)
_REVISES = re.compile(
    r"\b(?:lower|rais|revis|reduc|adjust|updat)\w*\b[^.;]{0,30}\b(?:number|toll|figure|count|total|estimate|tally)\b"
    r"|\b(?:number|toll|figure|count|total|estimate|tally)\b[^.;]{0,40}\b(?:lowered|raised|revised|reduced|adjusted)\b",
    re.IGNORECASE,
)
_SURELY_READ = 4.0
"""Log-odds, of the reader, from which words are an answer whatever else was read."""
_CLOSE = 1.5
"""How far apart, in log-odds, two sentences may lie that answer a question equally well."""
_FARTHEST = 5.0
"""Figures further apart than so many times are of two things."""
_SURE = 0.0
"""Log-odds from which the figure of a sentence is taken for what was asked."""
_LIKELY = -2.0
"""The same for a sentence that contradicts the best one: it often says it less directly ("has destroyed" for "burned"),
and must share unit, time and matter with it anyway."""
_BEHIND = 4.0
"""How far behind the best sentence, in log-odds, one that contradicts it may lie."""
_APART = timedelta(days=7)
"""Figures from longer apart are taken for a development, not for a dispute."""
_SAME = 0.02
"""Figures within this share of each other are one figure, rounded."""
_ROUNDED, _BOUNDED = 0.1, 0.25
"""How much of a figure "about" may have rounded off, and how far from its bound "more than" or "up to" may stand."""
_SHARED = 2
"""Words of substance that both sentences must share, a name among them."""


class Disputed(msgspec.Struct, frozen=True, kw_only=True):
    """Two sentences that give different figures for what was asked, in the order in which they are shown."""

    kind: Literal["disagreement", "correction"]
    sentences: tuple[ReadSentence, ReadSentence]
    """Of a correction, the corrected statement first."""


def disputed(reading: Reading, evidence: Sequence[Evidence], *, question: str = "") -> Disputed | None:
    """Whether some source gives another figure than the best sentence.

    Where both surely answer a `question` for an amount, the later one is shown first: what is counted changes.
    """
    best = reading.sentences[0] if reading.sentences else None
    if best is None or best.short_logit <= _SURE:
        return None
    corrected = next(_corrections(best, evidence), None)
    if corrected is not None:
        return Disputed(kind="correction", sentences=(corrected, best))
    for other in reading.sentences[1:]:
        if other.logit < best.logit - _BEHIND:
            break
        if _both_answer(question, other, best, evidence):
            return _later_first(best, other, evidence)
        if _contradicts(other, best, evidence):
            return Disputed(kind="disagreement", sentences=(best, other))
    return None


def described(found: Disputed, citations: Sequence[Citation]) -> Conflict:
    """What readers are told: both figures as they are written, their sources and dates, which is later."""
    values = tuple(_words(item) for item in found.sentences)
    told = [f"{value} ({_origin(one)})" for value, one in zip(values, citations, strict=True)]
    note = f"Corrected to {told[0]}; before: {told[1]}." if found.kind == "correction" else f"{told[0]}; {told[1]}."
    dates = [moment(one.published_at, field="published_at") for one in citations if one.published_at]
    later = citations[dates.index(max(dates))].id if len(set(dates)) == len(citations) else None
    return Conflict(
        citation_ids=tuple(one.id for one in citations), note=note, kind=found.kind, values=values, later=later
    )


def _contradicts(other: ReadSentence, best: ReadSentence, evidence: Sequence[Evidence]) -> bool:
    if other.short_logit <= _LIKELY or not _differ(_short_figure(other), _short_figure(best)):
        return False
    one, two = _stored(other, evidence), _stored(best, evidence)
    if _unit(other) != _unit(best) or not _unit(best):
        return False
    return not _one_story(one, two) and _about_one_time(one, two) and _one_matter(other, best)


def _both_answer(question: str, other: ReadSentence, best: ReadSentence, evidence: Sequence[Evidence]) -> bool:
    """Whether both are sure answers to a question for an amount, told of all names in it, and differ."""
    names = {word.stem for word in words_of(question)[1:] if word.capital and not word.stop and not word.number}
    sure = min(other.short_logit, best.short_logit) >= _SURELY_READ and other.logit >= best.logit - _CLOSE
    if not names or not sure or not _ASKS_AMOUNT.search(question):
        return False
    one, two = _amount(other, question), _amount(best, question)
    if one is None or two is None or not _differ(one[0], two[0]) or (one[1] != two[1] and one[1] and two[1]):
        return False
    values = one[0].value, two[0].value
    if max(values) > _FARTHEST * min(values):
        return False
    stored = [_stored(each, evidence) for each in (other, best)]
    told = (stems(f"{each.title} {each.passage.text}") for each in stored)
    return all(names <= words for words in told) and not _one_story(*stored) and _about_one_time(*stored)


def _amount(item: ReadSentence, question: str) -> tuple[Quantity, str] | None:
    """The first number among the words that answer, with its unit or what it counts, where the question names that."""
    start, end = item.short or (0, 0)
    found = [one for one in quantities_of(item.sentence.text) if start <= one.start < end and not one.ordinal]
    if not found:
        return None
    if found[0].unit:
        return found[0], found[0].unit.kind
    counted = words_of(item.sentence.text[found[0].end :][:40])[:1]
    asked = stems(question)
    return found[0], counted[0].stem if counted and counted[0].stem in asked else ""


def _later_first(best: ReadSentence, other: ReadSentence, evidence: Sequence[Evidence]) -> Disputed:
    when = [_stored(each, evidence).published_at or "" for each in (best, other)]
    later, earlier = (other, best) if when[1][:10] > when[0][:10] else (best, other)
    revised = when[0][:10] != when[1][:10] and _REVISES.search(later.sentence.text)
    return Disputed(kind="correction" if revised else "disagreement", sentences=(later, earlier))


def _corrections(best: ReadSentence, evidence: Sequence[Evidence]) -> Iterator[ReadSentence]:
    """Sentences that put the figure right: they follow one that repeats it, in an article that says it corrects."""
    for index, item in enumerate(evidence):
        passage = item.stored.passage
        if not _CORRECTS.search(f"{item.stored.title} {passage.text}"):
            continue
        spans = split_sentences(passage.text)
        for (a, b), (c, d) in pairwise([(0, 0), *spans]):
            repeated, put_right = passage.text[a:b], passage.text[c:d]
            figure = _right_figure(repeated, put_right, best) or _in_its_place(put_right, best)
            if figure is None or not _apart(figure.value, _figure(best)):
                continue
            end = figure.end + _unit_length(put_right[figure.end :], _unit(best))
            sentence = SentenceAt(
                text=put_right,
                start=passage.start + c,
                end=passage.start + d,
                evidence=index,
                before=repeated,
                before_start=passage.start + a,
            )
            span = (figure.start, end)
            yield ReadSentence(sentence=sentence, logit=best.logit, short=span, short_logit=best.short_logit)


def _right_figure(repeated: str, put_right: str, best: ReadSentence) -> Quantity | None:
    """The figure of a sentence that puts right the one that the sentence before it repeats."""
    cue = _SAYS_OTHERWISE.search(put_right)
    known = [one.value for one in quantities_of(repeated)] if cue else []
    return _first_figure(put_right, cue.end()) if cue and _figure(best) in known else None


def _in_its_place(text: str, best: ReadSentence) -> Quantity | None:
    """The figure that a sentence about the same matter puts in the place of the best one's: "from 31 to 23"."""
    if best.sentence.text == text or len(matter(text) & matter(best.sentence.text)) < _SHARED:
        return None
    for older, newer in pairwise(one for one in quantities_of(text) if not one.ordinal):
        between = text[older.end : newer.start]
        if older.value == _figure(best) and _REPLACES.search(text[: older.start]) and _INTO.fullmatch(between):
            return newer
    return None


def _unit_length(rest: str, unit: str) -> int:
    """How much of what follows a figure is its unit."""
    match = re.match(r"\s+\w+", rest)
    return match.end() if match and unit and words_of(match.group())[0].stem == unit else 0


def _words(item: ReadSentence) -> str:
    """The words that answer, and those beside them that say how exact they are."""
    start, end = hedged_span(item.sentence.text, *item.short) if item.short else (0, 0)
    return item.sentence.text[start:end]


def _figure(item: ReadSentence) -> float | None:
    found = _short_figure(item)
    return found.value if found else None


def _short_figure(item: ReadSentence) -> Quantity | None:
    """The number that the short answer begins or holds, with what it leaves to the sentence: "1.2" of "1.2 million"."""
    start, end = item.short or (0, 0)
    found = _first_figure(item.sentence.text, start)
    return found if found and found.start < end else None


def _first_figure(text: str, start: int) -> Quantity | None:
    """The first number from a place on."""
    return next((one for one in quantities_of(text) if one.start >= start), None)


def _apart(one: float, other: float | None) -> bool:
    return other is not None and abs(one - other) > _SAME * max(abs(one), abs(other))


def _differ(one: Quantity | None, other: Quantity | None) -> bool:
    """Whether there is no figure that both can mean, as they are hedged."""
    if one is None or other is None:
        return False
    (low, high), (lower, higher) = _meant(one), _meant(other)
    least, most = max(low, lower), min(high, higher)
    return least > most and _apart(least, most)


def _meant(figure: Quantity) -> tuple[float, float]:
    """The least and the most that was meant: "almost 500,000" was rounded to its one digit that is no zero."""
    value, size = figure.value, abs(figure.value)
    digits, _, power = f"{size:.9e}".partition("e")
    step = 10.0 ** (int(power) + 1 - len(digits.replace(".", "").rstrip("0")))
    off = {"exact": 0.0, "about": min(step / 2, size * _ROUNDED)}.get(figure.bound, min(step, size * _BOUNDED))
    return (value if figure.bound == "least" else value - off, value if figure.bound == "most" else value + off)


def _unit(item: ReadSentence) -> str:
    """Stem of the word that follows the figure, inside the short answer or after it."""
    figure = _short_figure(item)
    end = hedged_span(item.sentence.text, figure.start, figure.end)[1] if figure else 0
    after = words_of(item.sentence.text[end:][:40]) if figure else ()
    return after[0].stem if after else ""


def _one_matter(one: ReadSentence, other: ReadSentence) -> bool:
    """Whether two sentences speak of the same thing: a name and another word of substance in common, no other year."""
    first, second = words_of(one.sentence.text), words_of(other.sentence.text)
    shared = {word.stem for word in first if not word.stop} & {word.stem for word in second if not word.stop}
    names = {word.stem for word in (*first, *second) if word.capital and not word.number}
    units = {_unit(one), _unit(other)}
    return len(shared - units) >= _SHARED and bool(shared & names)


def _one_story(one: StoredPassage, other: StoredPassage) -> bool:
    return one.passage.article_id == other.passage.article_id or same_story(one.signature, other.signature)


def _about_one_time(one: StoredPassage, other: StoredPassage) -> bool:
    """Whether two articles are of about one time; of one without a date nobody knows."""
    if one.published_at is None or other.published_at is None:
        return False
    first, second = (moment(each.published_at or "", field="published_at") for each in (one, other))
    return abs(first - second) <= _APART


def _stored(item: ReadSentence, evidence: Sequence[Evidence]) -> StoredPassage:
    return evidence[item.sentence.evidence].stored


def _origin(citation: Citation) -> str:
    day = (citation.published_at or "")[:10]
    return ", ".join(part for part in (citation.source or citation.title, day) if part)
