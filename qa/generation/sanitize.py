"""Takes a drafted sentence, gives it as plain text, or nothing where it holds what an answer must not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from embeddings.cleaning.unicode import canonical_line

__all__ = ["LONGEST", "plain", "plain_line"]

LONGEST = 600
"""Characters of a sentence at most; what is longer is no sentence that could be checked."""
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]?"
)
_SPACE_BEFORE_STOP = re.compile(r"(?<=\w)\s+(?=[.,;!?…](?:\s|$))")
_SURROGATE = re.compile("[\ud800-\udfff]")
_JOINERS = re.compile("[\u200c\u200d\u180e\ufe00-\ufe0f\U000e0000-\U000e01ef]")
_BULLET = re.compile(r"^(?:#{1,6}\s+|>+\s*|[-*+•▪►‣–—]\s+|\d{1,2}[.)]\s+(?=\S))+")
_PREFACE = re.compile(
    r"^(?:\**(?:short |final )?(?:answer|response)\**\s*:\**\s*|(?:yes|no)\b\s*(?:,|:|[–—]| - )\s*(?=\w)"
    r"|the answer (?:to (?:this|the|your) question )?is\b:?\s*(?:that\b)?\s*(?=\w))",
    re.IGNORECASE,
)
"""What leads up to a statement and says nothing that could be checked: whether it is a yes shows in the statement."""
_FROM_THE_SOURCES = re.compile(
    r"^(?:according to|based on|as stated in|as per|per|from) (?:the |these |this )"
    r"(?:(?:provided|given|above|news) )?(?:sources?|articles?|texts?|contexts?|information|passages?|sentences?)"
    r"(?: (?:provided|given|above))?\s*,\s*(?=\w)",
    re.IGNORECASE,
)
_EMPHASIS = re.compile(r"(?<!\w)(\*\*\*|\*\*|\*|___|__|_|~~|`{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)")
_MARKUP = re.compile(
    r"</?[a-z!?][^>]*>?|&(?:#\w+|[a-z]{2,8});|!\[|\[[^\]]*\]\s*[(\[:]|\]\(|```|\{\{|\}\}|\$\$|\*\*|__|~~|`"
    r"|^\s*\|.*\||<\||\|>|\[/?inst\]|^#{1,6}\s|\\[\[(a-z]",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,15}://|\bhxxps?\b|//[\w-]+\.\w|\bwww\.\w|\b(?:javascript|vbscript|data|mailto|tel|file|blob)"
    r":\S|[\w.+-]+@[\w-]+\.\w|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,18}/|\b\d{1,3}(?:\.\d{1,3}){3}\b|\bxn--",
    re.IGNORECASE,
)
_HOST = re.compile(
    r"\b[\w-]+(?:\.[\w-]+)*\.(?:[a-z]{2}|com|org|net|info|biz|dev|app|io|gov|edu|site|xyz|online|top)\b", re.IGNORECASE
)


def plain_line(text: str) -> str:
    r"""One line without anything that a reader cannot see or that could control a terminal.

    >>> plain_line("\x1b[31mRed\x1b[0m\u202e \u200bline\n")
    'Red line'
    """
    return _JOINERS.sub("", canonical_line(_SURROGATE.sub("\ufffd", _ANSI.sub("", text))))


def plain(sentence: str, *, sources: Sequence[str]) -> str | None:
    """The sentence as text, without list marks and emphasis; None for one that is empty or too long, or holds markup.

    No address of any kind passes, also none that stands in the sources: an answer has its sources beside it. A bare
    name such as `Example.com` passes where a source has it.

    >>> plain("- **Kelmar** has *two* bridges.", sources=[])
    'Kelmar has two bridges.'
    >>> plain("See ![x](https://a.example/?q=1) for more.", sources=[])
    """
    text = _without_preface(_BULLET.sub("", plain_line(sentence)), sources)
    while (bare := _EMPHASIS.sub(r"\2", text)) != text:
        text = bare
    text = _ended(_SPACE_BEFORE_STOP.sub("", _without_preface(text, sources).strip()))
    if not any(character.isalnum() for character in text) or len(text) > LONGEST:
        return None
    if _MARKUP.search(text) or _ADDRESS.search(text):
        return None
    hosts = (host[0] for host in _HOST.finditer(text))
    return text if all(any(host in source for source in sources) for host in hosts) else None


def _without_preface(text: str, sources: Sequence[str]) -> str:
    bare = _PREFACE.sub("", text)
    named = _FROM_THE_SOURCES.match(bare)
    # A newspaper has sources of its own, and whom it names belongs to what it says.
    if named and not any(named[0].casefold().rstrip(", ") in source.casefold() for source in sources):
        bare = bare[named.end() :]
    return text if bare == text else bare[:1].upper() + bare[1:]


def _ended(text: str) -> str:
    """The sentence with a stop at its end, so that the next one can follow it."""
    bare = text.rstrip(",;:–—- ")
    return f"{bare}." if bare and (bare != text or bare[-1].isalnum() or bare[-1] in "%)€$£") else text
