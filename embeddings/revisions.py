"""Takes two articles that could be versions of one, says what the one is to the other."""

from __future__ import annotations

from itertools import pairwise

import msgspec

from embeddings.duplicates import words_of
from embeddings.store.filters import moment
from embeddings.types import Article

__all__ = ["completed", "dates_agree", "is_another_article", "is_earlier", "is_revision", "with_state"]

_REVISED = 0.3
"""Share of the shorter text's pairs of words that a correction keeps: most keep over 0.8. Of two news texts on
different matters, one has 0.02 to 0.1 of the other's."""
_CLOSELY = 0.6
"""The same, where nothing but title and date say that it is one article."""
_UNLIKE = 0.15
"""Below, two texts under one address share no more than any two."""
_TITLES_SHARE = 0.5


def is_revision(new: Article, old: Article, *, closely: bool = False) -> bool:
    """Whether a text is another version of one that nothing but its file's name, or its title and date, ties to it."""
    return dates_agree(new, old) and _shared(new.text, old.text) >= (_CLOSELY if closely else _REVISED)


def is_another_article(new: Article, old: Article) -> bool:
    """Whether two articles under one address are different ones all the same: neither title nor text have to do with
    each other. A page that names a wrong address for itself is the rule then, an article written anew the exception.
    A feed names the address of the article, not its own: its summary is never another one."""
    if new.summary_only or old.summary_only:
        return False
    if not (new.title and old.title) or _words_shared(new.title, old.title) >= _TITLES_SHARE:
        return False
    return _shared(new.text, old.text) < _UNLIKE


def is_earlier(new: Article, old: Article) -> bool:
    """Whether an article is dated before another, as far as both dates say."""
    if new.published_at is None or old.published_at is None:
        return False
    first, second = new.published_at, old.published_at
    if min(len(first), len(second)) == len("2024-06-04"):
        first, second = first[:10], second[:10]
    return moment(first) < moment(second)


def dates_agree(new: Article, old: Article) -> bool:
    """Whether two articles may be of one day: one has no date, or both the same."""
    return not (new.published_at and old.published_at) or new.published_at[:10] == old.published_at[:10]


def completed(new: Article, old: Article) -> Article:
    """Give a later version what it does not say and the one before it did: a copy without a date wipes none out.

    Of two addresses of one page, the plainer is kept: https, and the shorter one.
    """
    plainer = min((url for url in (new.url, old.url) if url), key=_plainness, default=None)
    return msgspec.structs.replace(
        new,
        title=new.title or old.title,
        url=plainer,
        published_at=new.published_at or old.published_at,
        language=new.language or old.language,
        authors=new.authors or old.authors,
        section=new.section or old.section,
    )


def with_state(new: Article, old: Article, *, says_status: bool) -> Article:
    """Let what was said of when and how an article may be shown hold for a version that says nothing of it."""
    return msgspec.structs.replace(
        new,
        status=new.status if says_status else old.status,
        embargoed_until=new.embargoed_until or old.embargoed_until,
        usage_terms=new.usage_terms or old.usage_terms,
    )


def _plainness(url: str) -> tuple[bool, int]:
    return not url.startswith("https:"), len(url)


def _shared(one: str, two: str) -> float:
    """Share of the shorter text's pairs of neighbouring words that the other has, too."""
    first, second = _pairs(one), _pairs(two)
    return len(first & second) / min(len(first), len(second))


def _pairs(text: str) -> set[tuple[str, ...]]:
    words = words_of(text) or [text]
    return set(pairwise(words)) or {(words[0],)}


def _words_shared(one: str, two: str) -> float:
    first, second = set(words_of(one)) or {one}, set(words_of(two)) or {two}
    return len(first & second) / min(len(first), len(second))
