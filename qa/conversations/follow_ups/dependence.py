"""Whether a question may lean on what was said before, and whether a rewritten one says more than was said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import Stemmer

from qa.language.phrases import names
from qa.language.question_words import FUNCTION_WORDS, PRONOUNS, WH_WORDS, tokens
from qa.types import Turn

__all__ = ["adds_facts", "may_depend"]

_MOST_LOST = 0.5
"""A rewritten question keeps at least so many of the question's own words."""


def may_depend(question: str) -> bool:
    """Whether a question holds a pronoun or no name at all.

    >>> may_depend("Who is his lawyer?"), may_depend("How many people live in Derna?")
    (True, False)
    """
    return any(token.low in PRONOUNS for token in tokens(question)) or not names(question)


def adds_facts(rewritten: str, question: str, turns: Sequence[Turn]) -> bool:
    """Whether a rewritten question holds a name, a number or much else that nobody said, or drops the question.

    A model must not smuggle anything into what is looked up.
    """
    said = " ".join([question, *(f"{turn.question} {turn.resolved_query} {turn.answer}" for turn in turns)])
    known = _stems(token.low for token in tokens(said))
    new = [t for t in tokens(rewritten) if t.low not in FUNCTION_WORDS and not _stems([t.low]) <= known]
    if any(t.text[:1].isupper() or any(c.isdigit() for c in t.text) for t in new) or len(new) > 1:
        return True
    if {token.low for token in tokens(question)} & WH_WORDS - {token.low for token in tokens(rewritten)}:
        return True
    own = _stems(token.low for token in tokens(question) if token.low not in FUNCTION_WORDS)
    kept = own & _stems(token.low for token in tokens(rewritten))
    return len(kept) < _MOST_LOST * len(own)


def _stems(words: Iterable[str]) -> set[str]:
    return set(Stemmer.Stemmer("english").stemWords(list(words)))
