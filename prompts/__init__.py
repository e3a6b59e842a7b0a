"""Every word sent to a model, one file per message, rendered strictly: takes a name and values, gives the message.

A file begins with the line `variables: a, b` and a line `---`; `{{a}}` stands for the value of `a`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

__all__ = ["Prompt", "PromptError", "load", "parse"]

_PLACE = re.compile(r"\{\{(\w+)\}\}")
_HEADER = re.compile(r"variables:(?P<names>[^\n]*)\n---\n(?P<text>.*)", re.DOTALL)


class PromptError(Exception):
    """A prompt file and what it declares, or the values it was given, do not fit: a mistake in the program."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One message to a model, with places for values."""

    name: str
    text: str
    variables: frozenset[str]
    fingerprint: str
    """Names the file's exact content, so that an answer says which prompt made it."""

    def render(self, **values: str) -> str:
        """Put each value in its places. Values are never read as templates. Raises PromptError.

        >>> prompt = Prompt(name="p", text="Ask {{who}}.", variables=frozenset({"who"}), fingerprint="")
        >>> prompt.render(who="{{nobody}}")
        'Ask {{nobody}}.'
        """
        if values.keys() != self.variables:
            missing, unknown = self.variables - values.keys(), values.keys() - self.variables
            raise PromptError(f"prompt {self.name!r}: missing {sorted(missing)}, unknown {sorted(unknown)}")
        return _PLACE.sub(lambda place: values[place[1]], self.text)


def load(name: str) -> Prompt:
    """Read `NAME.md` of this package. Raises PromptError where it uses other variables than it declares."""
    file = files(__name__) / f"{name}.md"
    if not file.is_file():
        raise PromptError(f"there is no prompt {name!r}")
    return parse(name, file.read_text(encoding="utf-8"))


def parse(name: str, content: str) -> Prompt:
    """Read the content of a prompt file. Raises PromptError as `load` does."""
    read = _HEADER.fullmatch(content)
    if read is None:
        raise PromptError(f"prompt {name!r}: begin with 'variables: …' and a line '---'")
    declared = frozenset(part.strip() for part in read["names"].split(",") if part.strip())
    used = frozenset(_PLACE.findall(read["text"]))
    if declared != used:
        raise PromptError(f"prompt {name!r}: declares {sorted(declared)}, uses {sorted(used)}")
    fingerprint = hashlib.sha256(content.encode()).hexdigest()[:12]
    return Prompt(name=name, text=read["text"].strip("\n"), variables=declared, fingerprint=fingerprint)
