"""What a page's article is called: takes its tree and the title found, gives the headline.

Where a page's one headline (`<h1>`, og:title) stands inside its title, set off by a mark, the rest of the title is the
site's name or its sections, whatever they are called.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml import etree  # type: ignore[import-untyped]  # lxml-stubs ends at lxml 4

from embeddings.cleaning.titles import clean_title

__all__ = ["headline"]

_APART = re.compile(r"^\s*(?:[|·»«›‹:：/•—–_-]|--|::|\()|(?:[|·»«›‹:：/•—–_-]|--|::)\s*$")
_SHORTEST = 10


def headline(tree: etree._Element, *, found: str, described: dict[str, str], sites: Sequence[str]) -> str:
    """Give the headline without the site's name."""
    title = clean_title(found, sites=sites)
    shown = [" ".join("".join(one.itertext()).split()) for one in tree.iter("h1")]
    said = [described[name] for name in ("og:title", "twitter:title") if name in described]
    for part in (*shown[:3], *(clean_title(one, sites=sites) for one in said)):
        if _SHORTEST <= len(part) < len(title) and _is_part(part, title):
            return part
    return title


def _is_part(part: str, title: str) -> bool:
    """Whether a title is this part and something set off from it."""
    folded, whole = part.casefold(), title.casefold()
    if whole.startswith(folded):
        return _APART.match(title[len(part) :]) is not None
    return whole.endswith(folded) and _APART.search(title[: -len(part)]) is not None
