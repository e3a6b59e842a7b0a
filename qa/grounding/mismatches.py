"""What the evidence does not say, or says otherwise, of the facts of a claim: the checks that are hard.

`fact_mismatches` looks for a fact where the rest of the claim stands. `vetoes` are certain: they look for a figure or
a name in the whole evidence, and leave to a network which of two figures of one text is meant.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from qa.grounding import Mismatch
from qa.grounding.claim_evidence import (
    ClaimEvidence,
    best_rows,
    clauses,
    has_name,
    holds_name,
    inside,
    is_in_a_date,
    words_for,
)
from qa.grounding.evidence import (
    AnalysedSentence,
    bears_out,
    comparable,
    counted,
    dated,
    same_parts,
    same_value,
    units_clash,
)
from qa.grounding.wording import denied, turned
from qa.language.dates import Moment
from qa.language.names import NameWord, same_name
from qa.language.quantities import Quantity

__all__ = ["doubts", "fact_mismatches", "vetoes"]


_BOUND = 0.34
"""Share of a clause's other words that the sentence with its number must have, lest the number is another matter's."""
_CLEARLY = 0.3
"""By what share of those words another sentence must do better than the one with the fact, lest it is misplaced."""
_LONGEST_NAME = 3
_AS_GOOD = 0.7
"""A sentence that has this share of what the best one has may stand for it."""


def fact_mismatches(case: ClaimEvidence) -> tuple[Mismatch, ...]:
    """Numbers, units, dates and names of a claim that its evidence does not bear out, in their order."""
    found = [_quantity(case, quantity) for quantity in case.claim.quantities]
    found += [_moment(case, moment) for moment in case.claim.moments if moment.start >= 0]
    found += _names(case)
    found += _bracketed(case)
    return _unique(item for item in found if item is not None)


def _quantity(case: ClaimEvidence, claimed: Quantity) -> Mismatch | None:
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


def _moment(case: ClaimEvidence, claimed: Moment) -> Mismatch | None:
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


def _names(case: ClaimEvidence) -> list[Mismatch | None]:
    found: list[Mismatch | None] = []
    runs: dict[int, list[NameWord]] = {}
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


def _held(case: ClaimEvidence, run: Sequence[NameWord]) -> bool:
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


def _other_partner(case: ClaimEvidence, first: NameWord, last: NameWord) -> str:
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


def _other_subject(case: ClaimEvidence, run: Sequence[NameWord], around: npt.NDArray[np.bool_]) -> bool:
    """Whether the claim opens with a name, and the sentence that says the rest opens with another."""
    if not _opens(case.claim, run[0]):
        return False
    rows = [row for row in best_rows(case.coverage, case.chosen, around) if case.sentences[row].names]
    if not rows or case.coverage.share(rows[:1], within=around) < _AS_GOOD:
        return False
    said = case.sentences[rows[0]]
    first = [name for name in said.names if name.run == said.names[0].run]
    return _opens(said, first[0]) and not any(_among(name, case.claim.names) for name in first)


def _other_in_place(case: ClaimEvidence, run: Sequence[NameWord]) -> bool:
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


def _opens(sentence: AnalysedSentence, name: NameWord) -> bool:
    """Whether a name is the first thing a sentence speaks of: at most an article or a title stands before it."""
    return sum(1 for word in sentence.words if word.end <= name.start) <= 1


def _name_mismatch(case: ClaimEvidence, name: NameWord, rows: Sequence[int], *, start: int | None = None) -> Mismatch:
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


def _rows(case: ClaimEvidence, holds: Callable[[AnalysedSentence], bool]) -> list[int]:
    return [row for row, sentence in enumerate(case.sentences) if holds(sentence)]


def _misplaced(
    case: ClaimEvidence,
    holders: Sequence[int],
    near: npt.NDArray[np.bool_],
    rivalled: Callable[[AnalysedSentence], bool],
) -> bool:
    """Whether another sentence says what the claim says of a fact, but of another fact, and none with it does."""
    share = max(case.coverage.share([row], within=near) for row in holders)
    return any(
        case.coverage.share([row], within=near) >= share + _CLEARLY and rivalled(case.sentences[row])
        for row in case.chosen
        if row not in holders
    )


def _other_day(claimed: Moment, said: AnalysedSentence) -> bool:
    return any(same_parts(claimed, moment) for moment in said.moments)


def _swapped(case: ClaimEvidence, claimed: Quantity, said: AnalysedSentence) -> str:
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


def _among(name: NameWord, others: Sequence[NameWord]) -> bool:
    return any(same_name(name.text, other.text) for other in others)


def _other_quantity(case: ClaimEvidence, claimed: Quantity, around: npt.NDArray[np.bool_]) -> str:
    """The number that stands in the claimed one's place in the sentence that says the clause, if one does."""
    for row in best_rows(case.coverage, case.chosen, around)[:1]:
        sentence = case.sentences[row]
        alike = _rivals(case, claimed, sentence)
        if alike:
            return words_for(sentence, min(alike, key=lambda q: abs(q.value - claimed.value)))
    return ""


_BRACKETED = re.compile(r"\[[^\[\]]*\d[^\[\]]*\]")
_SAME_WORDS = 0.9
"""Share of a clause's words that a sentence must have, lest its denial be of another thing (on 1,425 claims kept back
from training, 17 false and 2 true ones are denied so; with fewer words in common, as many true ones as false)."""
_COUNTED = 4
"""Up to this, a number in a word may count what the evidence lists."""
_ALIKE = 20
"""Up to this, another figure may be what such a word was mistaken for."""


def vetoes(case: ClaimEvidence) -> tuple[Mismatch, ...]:
    """Numbers, units, dates and names of a claim that stand nowhere, and plain denials, in their order."""
    return _unique(
        [
            *(item for quantity in case.claim.quantities if (item := _strange_quantity(case, quantity))),
            *(item for moment in case.claim.moments if moment.start >= 0 and (item := _strange_moment(case, moment))),
            *_bracketed(case),
            *_strange_names(case),
            *_negations(case, least=_SAME_WORDS),
        ]
    )


def doubts(case: ClaimEvidence) -> tuple[Mismatch, ...]:
    """All denials: what is likely wrong in a claim that is not borne out.

    No vetoes: "did not expect to win" denies no victory.
    """
    return _unique(_negations(case))


def _unique(found: Iterable[Mismatch]) -> tuple[Mismatch, ...]:
    unique = {(item.start, item.end): item for item in found}
    return tuple(unique[key] for key in sorted(unique))


def _strange_names(case: ClaimEvidence) -> Iterator[Mismatch]:
    for name in case.claim.names:
        if not has_name(case, name):
            rows = best_rows(case.coverage, case.chosen, case.around(name.start, name.end))
            yield _name_mismatch(case, name, rows)


def _bracketed(case: ClaimEvidence) -> Iterator[Mismatch]:
    """What stands in square brackets, a made-up reference as a rule, where no text has the same."""
    for match in _BRACKETED.finditer(case.claim.text):
        if not any(match.group() in sentence.text for sentence in case.sentences):
            yield Mismatch(kind="number", start=match.start(), end=match.end())


def _strange_quantity(case: ClaimEvidence, claimed: Quantity) -> Mismatch | None:
    if _any(case, lambda sentence: counted(claimed, sentence.quantities) or is_in_a_date(claimed, sentence)):
        return None
    span = {"start": claimed.start, "end": claimed.unit_end}
    near = _nearest(case, claimed.start, claimed.unit_end)
    for sentence in near:
        for said in sentence.quantities:
            if claimed.value == said.value and units_clash(claimed, said):
                return Mismatch(kind="unit", **span, found=words_for(sentence, said))
            if same_value(claimed, said) and not units_clash(claimed, said) and claimed.ordinal == said.ordinal:
                return Mismatch(kind="quantifier", **span, found=words_for(sentence, said))
    rivals = [(said, sentence) for sentence in near for said in _rivals(case, claimed, sentence)]
    spelt = claimed.value <= _COUNTED and case.claim.text[claimed.start].isalpha()
    if spelt and not any(1 <= said.value <= _ALIKE for said, _ in rivals):
        return None  # who reads of Ann and Ben may well say "the two"
    # Of figures in the same place, one of about the size is what was meant; else that of the likeliest sentence.
    sized = [(said, sentence) for said, sentence in rivals if _sized(claimed, said)] or rivals[:1]
    return Mismatch(kind="number", **span, found=words_for(sized[0][1], sized[0][0]) if sized else "")


def _rivals(case: ClaimEvidence, claimed: Quantity, sentence: AnalysedSentence) -> list[Quantity]:
    """The figures of a sentence that could stand in the claimed one's place."""
    return [
        q
        for q in sentence.quantities
        if comparable(claimed, q) and not any(bears_out(own, q) for own in case.claim.quantities)
    ]


def _sized(claimed: Quantity, said: Quantity) -> bool:
    return claimed.value / 2 <= said.value <= claimed.value * 2


def _strange_moment(case: ClaimEvidence, claimed: Moment) -> Mismatch | None:
    bare = claimed.year is not None and claimed.month is None
    if _any(
        case,
        lambda s: dated(claimed, s.moments) or (bare and any(q.value == claimed.year for q in s.quantities)),
    ):
        return None
    sentence = _nearest(case, claimed.start, claimed.end)[0]
    found = next((sentence.text[m.start : m.end] for m in sentence.moments if same_parts(claimed, m)), "")
    return Mismatch(kind="date", start=claimed.start, end=claimed.end, found=found)


def _nearest(case: ClaimEvidence, start: int, end: int) -> list[AnalysedSentence]:
    """The likely sentences, the one that says most of what the clause says around a fact first."""
    return [case.sentences[row] for row in best_rows(case.coverage, case.chosen, case.around(start, end))]


def _any(case: ClaimEvidence, holds: Callable[[AnalysedSentence], bool]) -> bool:
    return any(holds(sentence) for sentence in case.sentences)


def _negations(case: ClaimEvidence, *, least: float = 0.0) -> Iterator[Mismatch]:
    """Where the sentence that a clause rests on denies what the clause affirms, or the other way round."""
    for span in clauses(case.claim):
        within = inside(case.coverage, span)
        for row in best_rows(case.coverage, case.chosen, within)[:1]:
            if case.coverage.share([row], within=within) < least:
                continue
            yield from turned(case.claim, case.sentences[row], span) or denied(case.claim, case.sentences[row])
