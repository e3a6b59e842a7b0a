"""Decides whether one article is a later version of another, and completes it from the earlier one.

Where nothing but title, date and source, or the line of a file, say that they are one article, likeness alone proves
nothing: notices of one form (obituaries, planning notices, results) differ in a name or a figure, and each is an
article of its own. So the earlier text must stand in the later one, but for what a correction changes:

- whole sentences added, and words in small letters left out, put in or spelt otherwise (a typo);
- one amount for another ("320,000 crowns", "5 %"), not beside a name, in texts that name the same: the number of a
  house, of a case or of somebody's years tells one notice from the next, and an amount hardly ever does;
- names and figures of which a note of correction that is added gives the earlier ones, too.

Whatever else differs leaves it unsure, and unsure means that both are kept.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import chain, pairwise

import msgspec

from embeddings.chunking.sentences import split_sentences
from embeddings.near_duplicates import is_figure, words_of
from embeddings.runtime import compiled_late
from embeddings.store.schema import moment
from embeddings.types import Article

_PART = compiled_late(
    r"[$£€¥₹]?\d{1,3}(?:[.,\s]\d{3})+(?![\d.,]*\w)|[$£€¥₹]?\d+(?:[.,]\d+)*[^\W\d_]*(?:\s?(?:%|per\s?cent\b|[mb]illion\b))?|"
    r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+"
)
"""A figure with what makes an amount of it, a character of Chinese or Japanese, or a word."""
_AMOUNT = re.compile(r"[$£€¥₹].*|.*(?:%|cent|illion)|\d{1,3}(?:[.,\s]\d{3})+")
_FIGURE = re.compile(rf"\d.*|{_AMOUNT.pattern}", re.DOTALL)
_CORRECTS = re.compile(
    r"\b(?:correct(?:ion|s|ed)|earlier version|berichtig\w+|korrigiert\w*|korrektur|korrigering|rättelse|rettelse|"
    r"corrección|rectificati\w+|rettifica)\b",
    re.IGNORECASE,
)
_ALIKE = 0.75
"""How much of two words is the same where one is a misspelling of the other; both begin with the same letter."""

_Words = Sequence[str]


class _Change(msgspec.Struct, frozen=True):
    """Words of the earlier text, and what stands in their place."""

    lost: _Words
    said: _Words
    around: _Words
    """The words before and after those lost, and those said."""


_REVISED = 0.3
"""Share of the shorter text's pairs of words that a correction keeps: most keep over 0.8. Of two news texts on
different matters, one has 0.02 to 0.1 of the other's."""
_CLOSELY = 0.6
"""The same, where nothing but title and date say that it is one article."""
_UNLIKE = 0.15
"""Below, two texts under one address share no more than any two."""
_TITLED_APART = 0.3
"""The same, of two whose titles have no word in common: short texts of one site share what stands below them all."""
_TITLES_SHARE = 0.5
"""Titles that share so many words are of one matter."""
_NEARLY_ALL = 0.9
"""A copy from which a box or a paragraph is missing keeps so much."""
_CONTENT = 4
"""Letters of the shortest words that say what a text is about, more often than not."""
_OTHER_MATTER = 0.2
"""Share of such words that two sentences on one matter have in common at least."""
_WEEK = 7 * 86_400 * 1_000_000
"""In microseconds. A report is rewritten within days; a week later the next of its kind stands at its address."""


def is_revision(new: Article, old: Article, *, closely: bool = False) -> bool:
    """Whether a text is another version of one that only its file's name ties to it; `closely`, of one that only its
    title, date and source do, or a line of a file: then it must be sure."""
    if not dates_agree(new, old) or _shared(new.text, old.text) < (_CLOSELY if closely else _REVISED):
        return False
    return not closely or _corrects(new.text, old.text)


def _corrects(new: str, old: str) -> bool:
    """Whether all that one text says otherwise than another is what a correction changes."""
    later, earlier = _sentences(new), _sentences(old)
    lost, came = _telling(earlier, than=later), _telling(later, than=earlier)
    admitted = _admits(new, old)
    if len(lost) > 1 or (admitted and not lost):
        return not lost
    if lost and len(came) > 1 and not admitted:
        return False
    changes = list(_changes(later, earlier))
    telling = [one for one in changes if any(map(_tells_apart, (*one.lost, *one.said)))]
    if not (admitted or all(_is_typo(one) for one in changes if one not in telling)):
        return False
    if not telling:
        return True
    return len(telling) == 1 and _is_one_figure(telling[0], amount=not admitted) and _name_the_same(later, earlier)


def _admits(new: str, old: str) -> bool:
    """Whether a text says that something was corrected, and the other does not."""
    return bool(_CORRECTS.search(new) and not _CORRECTS.search(old))


def _changes(later: Sequence[_Words], earlier: Sequence[_Words]) -> Iterator[_Change]:
    """What is different, apart from whole sentences that came to it: sentence by sentence, then word by word."""
    for kind, start, end, first, last in _compared(earlier, later):
        if kind in {"equal", "insert"}:
            continue
        left, pairs = list(later[first:last]), []
        for one in earlier[start:end]:  # each beside the one that is most like it; those left over are new
            best = max(left, key=lambda other: len({*one} & {*other}), default=())
            pairs.append((one, best))
            left = [other for other in left if other is not best]
        for one, other in pairs:
            for what, i, j, k, m in _compared(one, other):
                if what != "equal":
                    around = (*one[max(i - 1, 0) : i], *one[j : j + 1], *other[max(k - 1, 0) : k], *other[m : m + 1])
                    yield _Change(one[i:j], other[k:m], around)


def _compared(
    one: Sequence[_Words] | _Words, other: Sequence[_Words] | _Words
) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, one, other, autojunk=False).get_opcodes()


def _sentences(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_PART.findall(text[start:end])) for start, end in split_sentences(text))


def _tells_apart(word: str) -> bool:
    """Whether a word may say who or what a text is about: a figure, or not in small letters. Where letters are neither
    small nor capital, any may."""
    return not word.islower() or is_figure(word.casefold())


def _telling(one: Sequence[_Words], *, than: Sequence[_Words]) -> set[str]:
    """Words that may say what a text is about and stand nowhere in another."""
    said = {word.casefold() for word in chain(*than)}
    return {word.casefold() for word in chain(*one) if _tells_apart(word)} - said


def _is_typo(change: _Change) -> bool:
    lost, said = " ".join(change.lost), " ".join(change.said)
    return not (lost and said) or (lost[0] == said[0] and SequenceMatcher(None, lost, said).ratio() >= _ALIKE)


def _is_one_figure(change: _Change, *, amount: bool) -> bool:
    """Whether one figure, or one amount, stands for another, and no name beside it."""
    both, pattern = (*change.lost, *change.said), _AMOUNT if amount else _FIGURE
    alone = len(change.lost) == len(change.said) == 1 and not any(map(_tells_apart, change.around))
    return alone and all(pattern.fullmatch(word.casefold()) for word in both)


def _name_the_same(later: Sequence[_Words], earlier: Sequence[_Words]) -> bool:
    """Whether two texts have a name in common, the first words of sentences apart."""
    one, other = (
        {word for sentence in each for word in sentence[1:] if word[0].isupper()} for each in (later, earlier)
    )
    return bool(one & other)


def is_another_article(new: Article, old: Article, *, strictly: bool = False) -> bool:
    """Whether two articles under one address are different ones all the same: a page may name a wrong one for itself.

    They are where titles or texts have nothing to do with each other, where other names stand in the same words and
    it is not said under the same title that these are corrected, where titles tell one number or month of a series from
    another, or a week lies between them; `strictly`, wherever it is not sure that one corrects the other. A feed names
    the address of the article, not its own: its summary is never another one.
    """
    if new.summary_only or old.summary_only:
        return False
    titles = _words_shared(new.title, old.title) if new.title and old.title else None
    shared = _shared(new.text, old.text)
    if titles is not None and shared < (_UNLIKE if titles else _TITLED_APART):
        return True
    if is_correction(new, old):
        return False
    if strictly or _of_a_series(new, old):
        return True
    if says_it_corrects(new, old):
        return False
    later, earlier = _sentences(new.text), _sentences(old.text)
    other_matter = titles is not None and _begin_otherwise(later, earlier)
    return other_matter or _name_others(later, earlier, alike=shared >= _CLOSELY)


def are_unrelated(one: Article, other: Article) -> bool:
    """Whether neither titles nor texts of two articles have to do with each other; never of a feed's summary."""
    if one.summary_only or other.summary_only:
        return False
    titles = _words_shared(one.title, other.title) if one.title and other.title else 1.0
    return titles < _TITLES_SHARE and _shared(one.text, other.text) < (_UNLIKE if titles else _TITLED_APART)


def is_correction(new: Article, old: Article) -> bool:
    """Whether a text at the address of another surely is a version of it: all that is told of the one is told of the
    other, or what differs is what a correction changes. Another amount on another day may be the next of a series."""
    if _shared(new.text, old.text) < _CLOSELY:
        return False
    later, earlier = _sentences(new.text), _sentences(old.text)
    lost, came = _telling(earlier, than=later), _telling(later, than=earlier)
    if not (lost and came) and _shared(new.text, old.text) >= _NEARLY_ALL:
        return True
    admitted = bool(_CORRECTS.search(new.text))
    return (dates_agree(new, old) or not lost or admitted) and _corrects(new.text, old.text)


def says_it_corrects(new: Article, old: Article) -> bool:
    """Whether a text under the same title, in much the same words, now says that it was corrected, whatever else
    differs: notes of correction seldom name all of it."""
    titled_alike = new.title.casefold() == old.title.casefold()
    return titled_alike and _admits(new.text, old.text) and _shared(new.text, old.text) >= _CLOSELY


def _of_a_series(new: Article, old: Article) -> bool:
    """Whether titles differ in nothing but a number or a month, or dates by a week."""
    if dates_agree(new, old) or new.published_at is None or old.published_at is None:
        return False
    first, second = (moment(one.published_at[:10]) for one in (new, old) if one.published_at)
    titles = [words_of(one.title) for one in (new, old)]
    forms = [[word for word in title if not is_figure(word)] for title in titles]
    return abs(first - second) >= _WEEK or (titles[0] != titles[1] and forms[0] == forms[1])


def _begin_otherwise(later: Sequence[_Words], earlier: Sequence[_Words]) -> bool:
    """Whether two texts differ from the first or second sentence on, and have hardly a word in common but for whole
    sentences: a greeting, what stands below all texts of a site."""
    both = {*later} & {*earlier}
    first, second = ([(place, one) for place, one in enumerate(each) if one not in both] for each in (later, earlier))
    if not (first and second) or max(first[0][0], second[0][0]) > 1:
        return False
    said, held = (
        {word.casefold() for _, one in each for word in one if len(word) >= _CONTENT} for each in (first, second)
    )
    return bool(said and held) and len(said & held) < _OTHER_MATTER * min(len(said), len(held))


def _name_others(later: Sequence[_Words], earlier: Sequence[_Words], *, alike: bool) -> bool:
    """Whether two texts are of other names: at least half of those of each are gone from the other; or, where the words
    are `alike`, one name stands exactly where the other stood."""
    first, second = _names(later), _names(earlier)
    came, lost = first - second, second - first
    if came and lost and 2 * len(came) >= len(first) and 2 * len(lost) >= len(second):
        return True
    return alike and any(_is_renamed(one, names=(lost, came)) for one in _changes(later, earlier))


def _is_renamed(change: _Change, *, names: tuple[set[str], set[str]]) -> bool:
    """Whether names, and no other words, stand in the place of names, and are not the same ones spelt otherwise."""
    both = zip((change.lost, change.said), names, strict=True)
    return not _is_typo(change) and all(
        words and all(map(_tells_apart, words)) and not those.isdisjoint(word.casefold() for word in words)
        for words, those in both
    )


def _names(sentences: Sequence[_Words]) -> set[str]:
    """Words with a capital letter, but for weekdays, months and those that only begin a sentence, case folded."""
    found = (
        word.casefold() for one in sentences for word in one[int(not _begins_with_name(one)) :] if word[0].isupper()
    )
    return {word for word in found if not is_figure(word)}


def _begins_with_name(sentence: _Words) -> bool:
    return len(sentence) > 1 and sentence[1][0].isupper()


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
