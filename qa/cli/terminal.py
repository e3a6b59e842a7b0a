"""Text for a terminal: words of articles and of errors, which may hold anything, made safe to show."""

from __future__ import annotations

import re
import sys
import unicodedata
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console", "plain", "shortened", "waiting"]

_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # window title, links, strings
    r"|\x1b[ -/]*[0-~]?"
)
_TURNS_TEXT_ROUND = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """Take out escape sequences, control characters and direction overrides: what is left can only be read.

    >>> plain("\\x1b[31mred\\x1b[0m \\x07bell")
    'red bell'
    """
    text = _ESCAPE_SEQUENCE.sub("", text)
    return "".join(
        character
        for character in text
        if character in "\n\t" or not (unicodedata.category(character) == "Cc" or character in _TURNS_TEXT_ROUND)
    )


def shortened(text: str, length: int) -> str:
    """One line of at most `length` characters, cut between words.

    >>> shortened("one two  three", 9)
    'one two …'
    """
    words = plain(text).split()
    line = " ".join(words)
    return line if len(line) <= length else line[: length - 1].rpartition(" ")[0] + " …"


def console(*, stderr: bool = False) -> Console:
    """Where to print rich text; into a file or a pipe it goes without colours and without line breaks of ours."""
    from rich.console import Console

    interactive = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, emoji=False, markup=False, soft_wrap=not interactive)


def waiting(what: str) -> AbstractContextManager[object]:
    """Show on a terminal that something takes its time; loading a model takes seconds."""
    return console(stderr=True).status(what) if sys.stderr.isatty() else nullcontext()
