"""Takes a claim and its evidence, gives what the evidence does not say or says otherwise: the checks that are hard."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from qa.grounding.case import Case, best_rows, clauses, has_name, holds_name, is_in_a_date, words_for
from qa.grounding.checker import Mismatch
from qa.grounding.evidence import Sentence, bears_out, comparable, counted, dated, same_parts, same_value, units_clash
from qa.language.dates import Moment
from qa.language.names import Name, same_name
from qa.language.quantities import Quantity

__all__ = ["fact_mismatches"]

_BRACKETED = re.compile(r"\[[^\[\]]*\d[^\[\]]*\]")
_BOUND = 0.34
"""Share of a clause's other words that the sentence with its number must have, lest the number is another matter's."""
_CLEARLY = 0.3
"""By what share of those words another sentence must do better than the one with the fact, lest it is misplaced."""
_LONGEST_NAME = 3
_AS_GOOD = 0.7
"""A sentence that has this share of what the best one has may stand for it."""


def fact_mismatches(case: Case) -> tuple[Mismatch, ...]:
    """Numbers, units, dates and names of a claim that its evidence does not bear out, in their order."""
    found = [_quantity(case, quantity) for quantity in case.claim.quantities]
    found += [_moment(case, moment) for moment in case.claim.moments if moment.start >= 0]
    found += _names(case)
    found += _bracketed(case)
    unique = {(item.start, item.end): item for item in found if item is not None}
    return tuple(unique[key] for key in sorted(unique))


def _bracketed(case: Case) -> list[Mismatch | None]:
    """What stands in square brackets, a made-up reference as a rule, where no text has the same."""
    return [
        Mismatch(kind="number", start=match.start(), end=match.end())
        for match in _BRACKETED.finditer(case.claim.text)
        if not any(match.group() in sentence.text for sentence in case.sentences)
    ]


def _quantity(case: Case, claimed: Quantity) -> Mismatch | None:
    around, near = case.around(claimed.start, claimed.unit_end), case.near(claimed.start, claimed.unit_end)
    holders = _rows(case, lambda sentence: counted(claimed, sentence.quantities))
    if not holders:
        holders = _rows(case, lambda sentence: is_in_a_date(claimed, sentence))
    if holders and not _misplaced(case, holders, near, lambda sentence: bool(_rivals(case, claimed, sentence))):
        other = next((text for row in holders if (text := _swapped(case, claimed, case.sentences[row]))), "")
        return Mismatch(kind="number", start=claimed.start, end=claimed.unit_end, found=other) if other else None
    span = {"start": claimed.start, "end": claimed.unit_end}
    if holders:
        return Mismatch(kind="number", **span, found=_other_quantity(case, claimed, near))
    for row in best_rows(case.coverage, case.chosen, around):
        for said in case.sentences[row].quantities:
            if claimed.value == said.value and units_clash(claimed, said):
                return Mismatch(kind="unit", **span, found=words_for(case.sentences[row], said))
            if same_value(claimed, said) and not units_clash(claimed, said) and claimed.ordinal == said.ordinal:
                return Mismatch(kind="quantifier", **span, found=words_for(case.sentences[row], said))
    return Mismatch(kind="number", **span, found=_other_quantity(case, claimed, around))


def _moment(case: Case, claimed: Moment) -> Mismatch | None:
    around = case.around(claimed.start, claimed.end)
    holders = _rows(case, lambda sentence: dated(claimed, sentence.moments))
    if not holders and claimed.year is not None and claimed.month is None:
        holders = _rows(case, lambda sentence: any(q.value == claimed.year for q in sentence.quantities))
    near = case.near(claimed.start, claimed.end)
    if holders and not _misplaced(case, holders, near, lambda sentence: _other_day(claimed, sentence)):
        return None
    for row in best_rows(case.coverage, case.chosen, around)[:1]:
        for said in case.sentences[row].moments:
            if same_parts(claimed, said):
                text = case.sentences[row].text[said.start : said.end]
                return Mismatch(kind="date", start=claimed.start, end=claimed.end, found=text)
    return Mismatch(kind="date", start=claimed.start, end=claimed.end)


def _names(case: Case) -> list[Mismatch | None]:
    found: list[Mismatch | None] = []
    runs: dict[int, list[Name]] = {}
    for name in case.claim.names:
        runs.setdefault(name.run, []).append(name)
    for run in runs.values():
        around = case.around(run[0].start, run[-1].end)
        rows = best_rows(case.coverage, case.chosen, around)
        strange = [name for name in run if not has_name(case, name)]
        if strange:
            found += [_name_mismatch(case, name, rows) for name in strange]
        elif other := next((o for pair in itertools.pairwise(run) if (o := _other_partner(case, *pair))), ""):
            found.append(Mismatch(kind="name", start=run[0].start, end=run[-1].end, found=other))
        elif rows and (not _held(case, run) or _other_subject(case, run, around) or _other_in_place(case, run)):
            found.append(_name_mismatch(case, run[-1], rows, start=run[0].start))
    return found


def _held(case: Case, run: Sequence[Name]) -> bool:
    """Whether a sentence that says what the claim says of a name speaks of it, or speaks of nobody else."""
    near, around = case.near(run[0].start, run[-1].end), case.around(run[0].start, run[-1].end)
    for within in (near, around):
        rows = best_rows(case.coverage, case.chosen, within)
        best = case.coverage.share(rows[:1], within=within)
        if best <= _BOUND:
            return True
        good = [row for row in rows if case.coverage.share([row], within=within) >= _AS_GOOD * best]
        if any(holds_name(case.sentences[row], name, case.known) for row in good for name in run):
            return True
    return False


def _other_partner(case: Case, first: Name, last: Name) -> str:
    """The full name that the evidence has in place of two words of one, where it never joins these two."""
    partners: list[str] = []
    for sentence in case.sentences:
        for one, other in itertools.pairwise(sentence.names):
            if one.run != other.run:
                continue
            begins, ends = same_name(one.text, first.text), same_name(other.text, last.text)
            if begins and ends:
                return ""
            if begins or ends:
                partners.append(sentence.text[one.start : other.end])
    if {first.text.casefold(), last.text.casefold()} <= case.known:
        return ""
    return partners[0] if partners else ""


def _other_subject(case: Case, run: Sequence[Name], around: npt.NDArray[np.bool_]) -> bool:
    """Whether the claim opens with a name, and the sentence that says the rest opens with another."""
    if not _opens(case.claim, run[0]):
        return False
    rows = [row for row in best_rows(case.coverage, case.chosen, around) if case.sentences[row].names]
    if not rows or case.coverage.share(rows[:1], within=around) < _AS_GOOD:
        return False
    said = case.sentences[rows[0]]
    first = [name for name in said.names if name.run == said.names[0].run]
    return _opens(said, first[0]) and not any(_among(name, case.claim.names) for name in first)


def _other_in_place(case: Case, run: Sequence[Name]) -> bool:
    """Whether the sentence that says the rest has another name between the very words that enclose this one."""
    words, around = case.claim.words, case.around(run[0].start, run[-1].end)
    before = [word.stem for word in words if word.end <= run[0].start][-1:]
    after = [word.stem for word in words if word.start >= run[-1].end][:1]
    rows = best_rows(case.coverage, case.chosen, around)[:1]
    if not before or not after or case.coverage.share(rows, within=around) < _AS_GOOD:
        return False
    for row in rows:
        said = case.sentences[row]
        for at, left in enumerate(said.words):
            for right in said.words[at + 2 : at + 2 + _LONGEST_NAME]:
                if [left.stem] == before and [right.stem] == after:
                    others = [name for name in said.names if left.end <= name.start and name.end <= right.start]
                    return bool(others) and not any(_among(name, case.claim.names) for name in others)
    return False


def _opens(sentence: Sentence, name: Name) -> bool:
    """Whether a name is the first thing a sentence speaks of: at most an article or a title stands before it."""
    return sum(1 for word in sentence.words if word.end <= name.start) <= 1


def _name_mismatch(case: Case, name: Name, rows: Sequence[int], *, start: int | None = None) -> Mismatch:
    """The mismatch, with the name that stands in its place in the best sentence, if one does."""
    claimed = [other.text for other in case.claim.names]
    others = [
        other.text
        for row in rows[:1]
        for other in case.sentences[row].names
        if not any(same_name(other.text, text) for text in claimed)
    ]
    begins = name.start if start is None else start
    return Mismatch(kind="name", start=begins, end=name.end, found=others[0] if others else "")


def _rows(case: Case, holds: Callable[[Sentence], bool]) -> list[int]:
    return [row for row, sentence in enumerate(case.sentences) if holds(sentence)]


def _misplaced(
    case: Case, holders: Sequence[int], near: npt.NDArray[np.bool_], rivalled: Callable[[Sentence], bool]
) -> bool:
    """Whether another sentence says what the claim says of a fact, but of another fact, and none with it does."""
    share = max(case.coverage.share([row], within=near) for row in holders)
    return any(
        case.coverage.share([row], within=near) >= share + _CLEARLY and rivalled(case.sentences[row])
        for row in case.chosen
        if row not in holders
    )


def _rivals(case: Case, claimed: Quantity, said: Sentence) -> list[Quantity]:
    """Quantities of a sentence that could stand in a claimed one's place, and that the claim does not have."""
    return [
        q
        for q in said.quantities
        if comparable(claimed, q) and not any(bears_out(own, q) for own in case.claim.quantities)
    ]


def _other_day(claimed: Moment, said: Sentence) -> bool:
    return any(same_parts(claimed, moment) for moment in said.moments)


def _swapped(case: Case, claimed: Quantity, said: Sentence) -> str:
    """The number that a sentence gives the claim's own name, where it gives the claimed number to somebody else."""
    names = [name for name in case.claim.names if case.clause_of(name.start) == case.clause_of(claimed.start)]
    parts = clauses(said)
    here = [part for part in parts for q in said.quantities if bears_out(claimed, q) and part[0] <= q.start < part[1]]
    for part in parts:
        theirs = [name for name in said.names if part[0] <= name.start < part[1]]
        others = [q for q in said.quantities if part[0] <= q.start < part[1] and comparable(claimed, q)]
        if not here or part in here or not others or not names or not theirs:
            continue
        elsewhere = [name for name in said.names if not part[0] <= name.start < part[1]]
        if all(_among(name, theirs) and not _among(name, elsewhere) for name in names):
            return (
                ""
                if any(bears_out(q, o) for q in case.claim.quantities for o in others)
                else words_for(said, others[0])
            )
    return ""


def _among(name: Name, others: Sequence[Name]) -> bool:
    return any(same_name(name.text, other.text) for other in others)


def _other_quantity(case: Case, claimed: Quantity, around: npt.NDArray[np.bool_]) -> str:
    """The number that stands in the claimed one's place in the sentence that says the clause, if one does."""
    for row in best_rows(case.coverage, case.chosen, around)[:1]:
        sentence = case.sentences[row]
        alike = _rivals(case, claimed, sentence)
        if alike:
            return words_for(sentence, min(alike, key=lambda q: abs(q.value - claimed.value)))
    return ""
