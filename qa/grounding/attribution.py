"""Takes a claim before its evidence, gives what it drops or makes up around the facts: whose words, and why."""

from __future__ import annotations

import re

from qa.grounding.mismatches import Case
from qa.grounding.syntax.speakers import SAYS

__all__ = ["is_made_a_cause", "told_as_fact"]

_CAUSE = re.compile(
    r"\b(?:because|due to|owing to|thanks to|caus(?:e|es|ed|ing)|blam\w+|leads? to|led to|as a result"
    r"|result(?:s|ed)? (?:in|from)|so that|prompt(?:s|ed)|trigger(?:s|ed))\b",
    re.IGNORECASE,
)
_SAYING = re.compile(rf"\b(?:{SAYS.pattern}|puts? (?:the|it))\b", re.IGNORECASE)
_QUOTED = re.compile(r'[“"„«][^”"»]*[”"»]?')
_LOOKED_AT = 2
"""Sentences of the evidence, best first, that may name the cause."""


def is_made_a_cause(case: Case) -> tuple[int, int] | None:
    """Where the claim gives a reason, if the sentences it rests on speak of none."""
    best = [case.sentences[row] for row in case.chosen[:_LOOKED_AT]]
    found = _CAUSE.search(case.claim.text)
    return found.span() if found and not any(_CAUSE.search(sentence.text) for sentence in best) else None


def told_as_fact(case: Case) -> float:
    """Share of the claim's words that the best sentence has inside quotation marks, where the claim has no speaker."""
    if _SAYING.search(case.claim.text):
        return 0.0
    best = case.sentences[case.chosen[0]]
    quotes = [match.span() for match in _QUOTED.finditer(best.text)]
    stems = {word.stem for word in case.claim.words if not word.stop}
    shared = [word for word in best.words if word.stem in stems]
    inside = [word for word in shared if any(start <= word.start < end for start, end in quotes)]
    return len(inside) / len(shared) if shared else 0.0
