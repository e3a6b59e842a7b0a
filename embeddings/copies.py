"""Finds the copies of an article: other articles with the same text or page.

A publisher takes a story back, not an id. The feed may have brought it by its link and the desk by an id, and another
collection may hold it, too; each is an article of its own. What is said of one holds for the others only if the sender
says so (`copies` of a record); where it does not, the report names those that go on being shown. Articles in
collections that the sender may not write to are neither named nor touched.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from embeddings.cleaning.identity import known_by, page_keys, parted
from embeddings.corpus import Corpus, readable
from embeddings.revisions import are_unrelated
from embeddings.types import Article

_NAMED = 5


def of_text(article: Article, *, corpus: Corpus) -> Sequence[str]:
    """Ids of articles that hold the same text, in any collection."""
    return corpus.holders({article.version}, collection=None).get(article.version, ()) if article.text else ()


def of_page(article: Article, *, corpus: Corpus) -> Sequence[str]:
    """Ids of articles whose links open the same page, in any collection.

    Stores of earlier programs tell the page of an article only within its collection and where it has no id of its own.
    """
    keys = {*page_keys(article.url), *known_by(article, origin="").addresses}
    return tuple(name for names in corpus.known(keys).values() for name in names)


def copies_of(
    article: Article,
    *,
    text: Callable[[Article], Iterable[str]],
    page: Callable[[Article], Iterable[str]],
    get: Callable[[str], Article | None],
    within: tuple[str, ...] | None,
) -> Sequence[Article]:
    """The copies of an article and theirs: the feed's has the desk's address, and the agency's the feed's text.

    `text` and `page` give ids of articles that share the one or the other with an article.
    """
    found: dict[str, Article] = {article.id: article}
    ahead, texts = [article], set[str]()
    while ahead:
        one = ahead.pop()
        alike = () if one.version in texts else text(one)  # asked once, of however many that hold it
        texts.add(one.version)
        names = dict.fromkeys(name for name in (*alike, *page(one)) if name not in found)
        new = [copy for copy in map(get, names) if copy and _is_copy(copy, one, within=within)]
        found |= {copy.id: copy for copy in new}
        ahead += new
    return list(found.values())[1:]


def copies_held(article: Article, *, corpus: Corpus) -> Sequence[Article]:
    """The copies of an article that a corpus holds, in whichever collection."""
    return copies_of(
        article,
        text=partial(of_text, corpus=corpus),
        page=partial(of_page, corpus=corpus),
        get=partial(readable, corpus),
        within=None,
    )


def _is_copy(copy: Article, article: Article, *, within: tuple[str, ...] | None) -> bool:
    """Whether what shares text or page with an article is its copy, and in one of these collections (None: of all).

    Of two under one address one may be another article all the same, since some pages name a wrong address. What only
    may be one, told anew after a week or of other names, is a copy: better named once too often than shown on.
    """
    if copy.id == article.id or not (within is None or copy.collection in within):
        return False
    return not article.text or copy.version == article.version or not are_unrelated(copy, article)


def note_of_copies(article: Article, copies: Sequence[Article]) -> str:
    """What to say of an article that is held back and copies of it that are not; empty where there are none."""
    state = (article.status, article.embargoed_until)
    shown = [copy for copy in copies if (copy.status, copy.embargoed_until) != state]
    if not shown:
        return ""
    what = "text" if all(copy.version == article.version for copy in shown) else "story"
    return (
        f"the same {what} is held as {names_of(shown, article)}, too, where this does not hold: "
        "say it of that as well, or send `copies`"
    )


def names_of(copies: Sequence[Article], article: Article) -> str:
    """The ids of copies, each with its collection where that is another."""
    named = [
        copy.id if copy.collection in {article.collection, parted(copy.id)[0]} else f"{copy.id} (in {copy.collection})"
        for copy in copies[:_NAMED]
    ]
    more = len(copies) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")
