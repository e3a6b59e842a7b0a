"""Recognises a model that says the sources do not answer: an answer too, but no statement of fact."""

from __future__ import annotations

import re

__all__ = ["NOTHING", "declines"]

NOTHING = "NOT IN THE SOURCES"
"""What the prompt asks a model to write where the sources do not answer."""

_TOKEN = re.compile(r"\W*(?:answer\W+)?(?:it is |this is |that is )?not in the sources\b", re.IGNORECASE)
_SOURCES = r"(?:sources?|articles?|text|texts|passages?|context|documents?|information|evidence|excerpts?|material)"
_SAYS_NOTHING = re.compile(
    rf"\b{_SOURCES}\b[^.]{{0,40}}\b(?:do(?:es)? not|don[’']t|doesn[’']t|did not|never|no\b|not)\s*[^.]{{0,20}}\b"
    r"(?:say|state|mention|specif|provid|contain|includ|give|answer|indicat|tell|report|disclos|reveal|address)"
    rf"|\b(?:no|not enough|insufficient) (?:information|mention|details?)\b"
    rf"|\bnot (?:mentioned|stated|specified|given|provided|found|included|answered|available|explicitly) "
    rf"(?:\w+ ){{0,3}}{_SOURCES}\b"
    r"|^(?:sorry|i (?:cannot|can[’']t|do not|don[’']t|am unable|am not able))\b",
    re.IGNORECASE,
)


def declines(sentence: str) -> bool:
    """Whether a sentence speaks of what the sources do not say, or refuses.

    >>> declines("NOT IN THE SOURCES."), declines("The provided sources do not mention his age.")
    (True, True)
    >>> declines("The ministry did not say who was to blame.")
    False
    """
    return _TOKEN.match(sentence) is not None or _SAYS_NOTHING.search(sentence) is not None
