"""Which words of a text are negated, hedged or counted how widely, and which words oppose."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from qa.language.words import Word, words_of

__all__ = ["Extent", "denials", "extents", "hedged", "negated", "opposites"]

Extent = Literal["all", "most", "some", "none", "only"]

_CUES = frozenset(
    "not no never none nobody nothing neither nor without cannot fail failed fails failing refuse refused refuses "
    "unable "
    "lack lacks lacked hardly barely scarcely deny denied denies denying avoid avoided refusing nowhere stopped "
    "prevent prevented absent".split()
)
_AFRESH = frozenset("nobody nothing none neither nor never no".split())
"""Where one denial begins anew, rather than turning round the one before it."""
_CONTRACTED = re.compile(r"n['’]t$", re.IGNORECASE)
_NOT_A_CUE = re.compile(
    r"(?:not only|no less|no fewer|no more|no doubt|not just|no longer than|no\.? ?\d)", re.IGNORECASE
)
_RULED_OUT = re.compile(r"(?:rul(?:e|es|ed|ing) out|turned? down|instead of|rather than|far from)\b", re.IGNORECASE)
_PASSIVE = frozenset({"been", "was", "were", "is", "are", "be", "being"})
# Not the clauses of `question_words`: the weights of the checker were fitted to what a negation reaches by these.
_BREAK = re.compile(r"[;:.!?—–]|,|\b(?:but|although|though|while|because|which|who|after|before|when)\b", re.IGNORECASE)
_REACH = 6
"""How many words after it a negation reaches within its clause."""
_HEDGES = frozenset(
    "may might could can would should possibly perhaps likely probably reportedly allegedly alleged allege alleges "
    "expected expects expect plan plans planned planning hope hopes hoped intend intends intended propose proposed "
    "suggest suggests suggested believe believed believes if unless seek seeks sought want wants wanted consider "
    "considering considered suspected potential potentially threaten threatens threatened try tried trying".split()
)
_EXTENTS: Mapping[str, Extent] = {
    **dict.fromkeys(
        "all every each everyone everybody everything entire entirely whole wholly both always".split(), "all"
    ),
    **dict.fromkeys("most majority mostly largely mainly usually".split(), "most"),
    **dict.fromkeys("some several few many sometimes partly partially numerous certain various often".split(), "some"),
    **dict.fromkeys("no none nobody neither never".split(), "none"),
    **dict.fromkeys("only solely exclusively".split(), "only"),
}


def negated(text: str, words: Sequence[Word]) -> tuple[bool, ...]:
    """For each word, whether an odd number of negations reaches it.

    >>> text = "The captain was not drunk, and said so."
    >>> [word.text for word, no in zip(words_of(text), negated(text, words_of(text)), strict=True) if no]
    ['drunk']
    """
    parity = [False] * len(words)
    for at, word in enumerate(words):
        if not _is_cue(text, word):
            continue
        if at and _RULED_OUT.match(text, word.start) and words[at - 1].text.casefold() in _PASSIVE:
            for other in _before(text, words, at):
                parity[other] = not parity[other]
            continue
        for other in range(at + 1, min(at + 1 + _REACH, len(words))):
            if _BREAK.search(text[word.end : words[other].end]) or words[other].text.casefold() in _AFRESH:
                break
            parity[other] = not parity[other]
    return tuple(parity)


def _before(text: str, words: Sequence[Word], at: int) -> list[int]:
    """Places of the words of a clause before a place: what is ruled out there."""
    return [
        other for other in range(max(0, at - _REACH), at) if not _BREAK.search(text[words[other].end : words[at].start])
    ]


def denials(text: str, words: Sequence[Word]) -> int:
    """How many negations a text has."""
    return sum(_is_cue(text, word) for word in words)


def hedged(words: Sequence[Word]) -> bool:
    """Whether a text speaks of what may be rather than of what is."""
    return any(word.text.casefold() in _HEDGES for word in words)


def extents(words: Sequence[Word]) -> tuple[tuple[int, Extent], ...]:
    """Places of the words that say how much of a group is meant."""
    return tuple((at, _EXTENTS[lower]) for at, word in enumerate(words) if (lower := word.text.casefold()) in _EXTENTS)


@lru_cache(maxsize=1)
def opposites() -> Mapping[str, frozenset[str]]:
    """Stem to the stems that say the opposite.

    >>> "fall" in opposites()["increas"]
    True
    """
    found: dict[str, frozenset[str]] = {}
    lines = files("qa.language").joinpath("opposites.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if "|" not in line:
            continue
        left, right = ({word.stem for word in words_of(side)} for side in line.split("|"))
        for one, other in ((left, right), (right, left)):
            for stem in one:
                found[stem] = found.get(stem, frozenset()) | (other - one)
    return found


def _is_cue(text: str, word: Word) -> bool:
    lower = word.text.casefold()
    if _RULED_OUT.match(text, word.start):
        return True
    if _NOT_A_CUE.match(text, word.start):
        return False
    return lower in _CUES or bool(_CONTRACTED.search(lower))
