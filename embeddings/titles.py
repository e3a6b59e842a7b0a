"""What an article is called: takes a page's title, gives the headline on one line without the site's name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from embeddings.characters import canonical_line

__all__ = ["MAX_TITLE", "clean_title"]

MAX_TITLE: Final = 1000
"""Longest title kept, in characters; a longer one is cut between words."""

_SUFFIX = re.compile(r" ?(?:[|·»]|(?<= )(?:-|–|—|::)(?= )) ?(?=[^|·»]{1,40}$)")
# What a site puts behind its own name: "CNN Business", "BBC News", "The Week UK".
_SECTIONS = frozenset(
    """business politics news sport sports health travel style tv video uk us usa world opinion entertainment tech
    technology science online com live international english money climate culture style weather""".split()
)
_SECOND_LEVEL = frozenset({"co", "com", "org", "net", "gov", "ac", "edu"})
_NO_NAMES: frozenset[str] = frozenset()


def clean_title(written: str, *, sites: Sequence[str]) -> str:
    """Fold white space, drop a suffix that is the site's own name (one of its sections included), cut to `MAX_TITLE`.

    `sites` names the article's source: hosts, names, or empty. A suffix that matches none stays: it may be wording.

    >>> clean_title("Rain stops  | CNN Business", sites=["edition.cnn.com"])
    'Rain stops'
    >>> clean_title("Rain stops - CNN chief explains", sites=["cnn.com"])
    'Rain stops - CNN chief explains'
    """
    title = _cut(canonical_line(written))
    names = _NO_NAMES.union(*map(_names, sites))
    while names and (suffix := _last_suffix(title)) and _is_site(title[suffix.end() :], names):
        if not (shorter := title[: suffix.start()].rstrip()):
            break
        title = shorter
    return title


def _last_suffix(title: str) -> re.Match[str] | None:
    tail = max(0, len(title) - 60)
    found = None
    for found in _SUFFIX.finditer(title, tail):  # noqa: B007  the last one is wanted
        pass
    return found


def _cut(title: str) -> str:
    if len(title) <= MAX_TITLE:
        return title
    head = title[: MAX_TITLE + 1].rsplit(" ", 1)[0] if " " in title[:MAX_TITLE] else title[:MAX_TITLE]
    # A cut may leave a joiner with nothing to join.
    return canonical_line(head)


def _names(site: str) -> frozenset[str]:
    """The site's name as a title may spell it, squeezed to letters and digits."""
    labels = [label for label in site.casefold().split(".") if label]
    if "." in site and " " not in site and len(labels) > 1:
        labels.pop()
        if len(labels) > 1 and labels[-1] in _SECOND_LEVEL:
            labels.pop()
        site = labels[-1]
    name = _squeeze(site)
    return frozenset({name, name.removeprefix("the")} - {""})


def _is_site(suffix: str, names: frozenset[str]) -> bool:
    squeezed = _squeeze(suffix)
    return any(
        spelt.startswith(name) and (spelt == name or spelt.removeprefix(name) in _SECTIONS)
        for spelt in (squeezed, squeezed.removeprefix("the"))
        for name in names
    )


def _squeeze(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
