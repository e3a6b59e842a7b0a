"""What kind of answer a question wants: a few words, a list, a sentence, or the sentence that decides."""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["Kind", "kind_of"]

Kind = Literal["words", "list", "sentence", "decision"]
"""`words`: who, when, how many; `list`: several such; `sentence`: why, how, what was said; `decision`: yes, no."""

_DECISION = re.compile(
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)(?:n['’]t)?\b",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"\bor\b", re.IGNORECASE)
_LIST = re.compile(
    r"(?:name|list)\b(?! of)"
    r"|(?:which|what)(?: \w+)? (?!was\b|is\b|has\b|does\b|this\b)[a-z]{3,}(?<!s)s\b(?! (?:the|a|an)\b)"
    r"|who (?:are|were) the\b|what are the\b|what were the\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"\bwhy\b|\bhow (?:do|does|did|is|are|was|were|can|could|will|would|has|have|had|come|should|to)\b"
    r"|\bwhat (?:happened|happens)\b"
    r"|\bwhat (?:did|does|do|has|have) .{2,60}? (?:say|said|think|claim|warn|argue|respond)\b",
    re.IGNORECASE,
)


def kind_of(question: str) -> Kind:
    """Tell it from the question's own words.

    >>> kind_of("How many people live in Derna?"), kind_of("Why did the dam break?")
    ('words', 'sentence')
    >>> kind_of("Did the senate pass the bill?"), kind_of("Which countries voted against?")
    ('decision', 'list')
    """
    asked = question.strip()
    if _DECISION.match(asked):
        return "words" if _ALTERNATIVE.search(asked) else "decision"
    if _SENTENCE.search(asked):
        return "sentence"
    return "list" if _LIST.match(asked) else "words"
