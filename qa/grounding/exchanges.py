"""Takes a claim held against its evidence, gives facts, speakers and reasons that are there, but in another's place.

What the words alone cannot show: every word of "31 aboard, 214 hurt" stands in a report of 214 aboard and 31 hurt.
"""

from __future__ import annotations

from typing import Literal

from qa.grounding.attribution import is_made_a_cause, told_as_fact
from qa.grounding.checker import Mismatch
from qa.grounding.mismatches import Case
from qa.grounding.syntax.comparing import Comparison, Rivalled

__all__ = ["exchanges"]

_NUMBER, _NAME = 0.2, 0.05
"""By how much another figure or name must fit better; chosen on `seeds.drafts` and held against the grounding sets."""
_ON_IT = 0.5
"""Share of the claim that the best sentence must have, lest who said it, and why, stands elsewhere."""
_QUOTED = 0.5
"""Share of a claim's words from which it is taken from inside a quotation."""


def exchanges(case: Case, comparison: Comparison | None) -> tuple[Mismatch, ...]:
    """What a claim gets wrong though all of it stands in the evidence, in the order of the claim."""
    found: list[Mismatch] = []
    close = case.coverage.share(case.chosen[:1]) >= _ON_IT
    if comparison is not None:
        found += [_told("number", item) for item in comparison.numbers if item.lead > _NUMBER]
        found += [_told("name", item) for item in comparison.names if item.lead > _NAME]
        if close and (word := comparison.other_speaker) is not None:
            speaker = case.claim.words[word]
            found.append(Mismatch(kind="name", start=speaker.start, end=speaker.end))
    if close and (reason := is_made_a_cause(case)) is not None:
        found.append(Mismatch(kind="meaning", start=reason[0], end=reason[1]))
    if close and told_as_fact(case) > _QUOTED:
        found.append(Mismatch(kind="meaning", start=0, end=len(case.claim.text)))
    return tuple(sorted(found, key=lambda item: item.start))


def _told(kind: Literal["number", "name"], item: Rivalled) -> Mismatch:
    return Mismatch(kind=kind, start=item.start, end=item.end, found=item.rival)
