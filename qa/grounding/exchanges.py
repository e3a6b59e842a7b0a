"""Takes a claim held against its evidence, gives facts, speakers and reasons that are there, but in another's place.

What the words alone cannot show: every word of "31 aboard, 214 hurt" stands in a report of 214 aboard and 31 hurt.
Beside them: whose words a claim tells as a fact, and which reason it makes up.
"""

from __future__ import annotations

import re
from typing import Literal

from qa.grounding.case import Case
from qa.grounding.checker import Mismatch
from qa.grounding.syntax.comparing import SAYS, Comparison, Rivalled

__all__ = ["exchanges"]

_NUMBER, _NAME = 0.2, 0.05
"""By how much another figure or name must fit better; chosen on `seeds.drafts` and held against the grounding sets."""
_ON_IT = 0.5
"""Share of the claim that the best sentence must have, lest who said it, and why, stands elsewhere."""
_QUOTED = 0.5
"""Share of a claim's words from which it is taken from inside a quotation."""
_CAUSE = re.compile(
    r"\b(?:because|due to|owing to|thanks to|caus(?:e|es|ed|ing)|blam\w+|leads? to|led to|as a result"
    r"|result(?:s|ed)? (?:in|from)|so that|prompt(?:s|ed)|trigger(?:s|ed))\b",
    re.IGNORECASE,
)
_SAYING = re.compile(rf"\b(?:{SAYS.pattern}|puts? (?:the|it))\b", re.IGNORECASE)
_QUOTATION = re.compile(r'[“"„«][^”"»]*[”"»]?')
_LOOKED_AT = 2
"""Sentences of the evidence, best first, that may name the cause."""


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
    if close and (reason := _is_made_a_cause(case)) is not None:
        found.append(Mismatch(kind="meaning", start=reason[0], end=reason[1]))
    if close and _told_as_fact(case) > _QUOTED:
        found.append(Mismatch(kind="meaning", start=0, end=len(case.claim.text)))
    return tuple(sorted(found, key=lambda item: item.start))


def _told(kind: Literal["number", "name"], item: Rivalled) -> Mismatch:
    return Mismatch(kind=kind, start=item.start, end=item.end, found=item.rival)


def _is_made_a_cause(case: Case) -> tuple[int, int] | None:
    """Where the claim gives a reason, if the sentences it rests on speak of none."""
    best = [case.sentences[row] for row in case.chosen[:_LOOKED_AT]]
    found = _CAUSE.search(case.claim.text)
    return found.span() if found and not any(_CAUSE.search(sentence.text) for sentence in best) else None


def _told_as_fact(case: Case) -> float:
    """Share of the claim's words that the best sentence has inside quotation marks, where the claim has no speaker."""
    if _SAYING.search(case.claim.text):
        return 0.0
    best = case.sentences[case.chosen[0]]
    quotes = [match.span() for match in _QUOTATION.finditer(best.text)]
    stems = {word.stem for word in case.claim.words if not word.stop}
    shared = [word for word in best.words if word.stem in stems]
    inside = [word for word in shared if any(start <= word.start < end for start, end in quotes)]
    return len(inside) / len(shared) if shared else 0.0
