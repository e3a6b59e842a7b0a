"""Whether two canonical texts are one story (wire copies, re-posts), or one article a version of the other.

Each text gets a MinHash signature over runs of three words; comparing two signatures estimates the share of runs
the texts have in common without the texts. The thresholds were set by eye on all pairs of 6,855 different news
articles and on artificial copies. They find 14 pairs, one of them wrong (two pieces sharing one long photo gallery):

- Jaccard 0.8: a copy with 3 % of its words replaced stays above it. Below 0.79 come live tickers and daily digests
  that repeat yesterday's text.
- 93 % of the shorter text inside the longer one: shortened copies (nine in ten are found), and first reports that a
  later version extends. Articles that share only a photo gallery came to 91 %.

Nearly the same words are not the same story where figures, weekdays or months differ between the same neighbouring
words: "left 12,000 homes" and "left 21,000 homes" contradict each other, "rose to 3.20 crowns" and "rose to 3.35
crowns" are two of a series. A signature therefore ends with the text's figures, each with a hash of its neighbours.

Nor are notices one story that say the same of different names: after the figures stand the names, with theirs. A copy
may spell a few names otherwise; where a third of those between the same words differ, it is no copy.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.cleaning.dates import ENGLISH_MONTHS, ENGLISH_SHORT_MONTHS, ENGLISH_WEEKDAYS
from embeddings.store.schema import moment
from embeddings.types import Article

__all__ = [
    "completed",
    "contradict",
    "dates_agree",
    "is_another_article",
    "is_earlier",
    "is_revision",
    "overlapping",
    "same_story",
    "signature",
    "similarity",
    "with_state",
    "words_of",
]


_VERSION = 1
"""Leads every signature: signatures of different versions are never compared."""

_SEED = 20240604
_SLOTS = 256
_WORDS_PER_RUN = 3
_HEAD = struct.Struct("<BI")
"""Version, number of different runs. Then 16 bits for each slot: one chance collision in 65,536."""

_FIGURE = struct.Struct("<HI")
"""Hash of the words around a figure, hash of the figure."""
_MOST_FIGURES = 200
_MOST_NAMES = 60
_NAMES_FOLLOW = _FIGURE.pack(0xFFFF, 0xFFFFFFFF)
"""Stands between the figures and the names; signatures from before there were names have none."""
_RENAMED = 1 / 3
"""Share of the names between the same words from which texts are of different names. Of 1,500 news articles no pair
of one story comes to a tenth."""

_SAME_WORDS = 0.8
_CONTAINED = 0.93
_LEAST_OVERLAP = 0.25
"""Containment is estimated only where both texts are of comparable length: below, its error passes 10 %."""
_LEAST_RUNS = 30
"""Shorter texts (a caption, a notice) occur inside others by chance."""

_WORDS_END = _HEAD.size + 2 * _SLOTS

_TOKEN = re.compile(r"\d{1,3}(?:[ \u202f]\d{3})+(?![\d.,]*\w)|\d+(?:[.,]\d+)*[^\W\d_]*|\w+")
_THOUSANDS = re.compile(r"[ \u202f]|,(?=\d{3}(?!\d))")
_NUMBERS = "two three four five six seven eight nine ten eleven twelve"
_NAMED = {
    name.lower(): name[:3].lower()
    for name in (*ENGLISH_WEEKDAYS, *ENGLISH_MONTHS, *ENGLISH_SHORT_MONTHS)
    if name != "May"
} | {name: str(number) for number, name in enumerate(_NUMBERS.split(), start=2)}
"""Words that stand for figures, with the spelling under which they are compared; "one" and "may" mostly do not."""

_ENDS = frozenset(".!?:\n")
"""One of them stands before the first word of a sentence."""

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
"""A word; in Chinese and Japanese, written without spaces, a character. Stores hold signatures of what this pattern and
`_TOKEN` cut and of the names found below: they stay as they are, apart from `qa.language`, until `_VERSION` changes."""


def words_of(text: str) -> list[str]:
    """The words that are compared, case folded.

    >>> words_of("It's 1,200 kg. 洪水")
    ['it', 's', '1', '200', 'kg', '洪', '水']
    """
    return " ".join(_WORD.findall(text)).casefold().split()


def signature(text: str) -> bytes:
    """Summarise the words of a canonical text in 517 bytes, and 6 more for each figure and each word of a name.

    Equal texts give equal signatures on every machine.
    """
    from rensa import RMinHash

    words = words_of(text)
    runs = {f"{a} {b} {c}" for a, b, c in zip(words, words[1:], words[2:], strict=False)} or {" ".join(words)}
    minhash = RMinHash(num_perm=_SLOTS, seed=_SEED)
    minhash.update(list(runs))  # the least of each slot, in whatever order
    slots = np.array(minhash.digest(), np.uint32).astype("<u2")
    found = list(_TOKEN.finditer(text))
    folded = [match[0].casefold() for match in found]
    figures = [word in _NAMED or word[0].isdecimal() for word in folded]
    names = _packed_names(text, found, folded, figures)
    return (
        _HEAD.pack(_VERSION, len(runs))
        + slots.tobytes()
        + _packed_figures(folded, figures)
        + (_NAMES_FOLLOW + names if names else b"")
    )


def similarity(a: bytes, b: bytes) -> float:
    """Estimate the share of word runs two texts have in common (Jaccard, 0 to 1; standard error at most 0.03).

    Signatures made by another version of this module resemble nothing: 0.
    """
    if not (_is_readable(a) and _is_readable(b)):
        return 0.0
    return float(np.mean(_slots(a) == _slots(b)))


def overlapping(some: Sequence[bytes], others: Sequence[bytes]) -> npt.NDArray[np.bool_]:
    """For each of `some` with each of `others`, whether they may be one story, in shape (some, others).

    All at once, by the words alone: `same_story` is never true where this is not.
    """
    shared = np.count_nonzero(_table(some)[:, np.newaxis] == _table(others), axis=2)
    readable, others_readable = (np.array([_is_readable(one) for one in each], np.bool_) for each in (some, others))
    return np.asarray((shared >= _LEAST_OVERLAP * _SLOTS) & readable[:, np.newaxis] & others_readable, np.bool_)


def same_story(a: bytes, b: bytes) -> bool:
    """Whether two signatures are of one story: nearly the same words, or one text nearly whole inside the other.

    Not so where a figure of the one stands in the place of another figure of the other, or many names in the places
    of other names. Signatures from before there were figures or names in them are compared without.
    """
    jaccard = similarity(a, b)
    if jaccard < _LEAST_OVERLAP or contradict(a, b) or _name_others(a, b):
        return False
    if jaccard >= _SAME_WORDS:
        return True
    sizes: tuple[int, int] = _HEAD.unpack_from(a)[1], _HEAD.unpack_from(b)[1]
    shared = jaccard * sum(sizes) / (1 + jaccard)
    return min(sizes) >= _LEAST_RUNS and shared >= _CONTAINED * min(sizes)


def contradict(a: bytes, b: bytes) -> bool:
    """Whether two texts give different figures, weekdays or months between the same words, and neither has the other's.

    A place that occurs several times in a text ("up 3 points", "up 5 points") speaks against a copy only where the two
    texts have none of its figures in common.
    """
    first, second = _figures(a), _figures(b)
    return any(first[place].isdisjoint(second[place]) for place in first.keys() & second.keys())


def _name_others(a: bytes, b: bytes) -> bool:
    """Whether two texts name others between the same words; one name may be the shorter form of the other."""
    first, second = _names(a), _names(b)
    places = first.keys() & second.keys()
    others = [place for place in places if first[place] - second[place] and second[place] - first[place]]
    return bool(others) and len(others) >= _RENAMED * len(places)


def _packed_figures(words: Sequence[str], figures: Sequence[bool]) -> bytes:
    """The first figures of a text, each with a hash of the two words around it and its neighbouring figures."""
    packed = bytearray()
    for first, end in _runs(figures, most=_MOST_FIGURES):
        place = _place(words, first, end)
        for word in words[first:end]:
            packed += _FIGURE.pack(place, _hashed(_value(word), 4))
    return bytes(packed[: _MOST_FIGURES * _FIGURE.size])


def _packed_names(text: str, found: Sequence[re.Match[str]], words: Sequence[str], figures: Sequence[bool]) -> bytes:
    """The words of the first names of a text, each with a hash of the two words around its name.

    A name is a run of capitalised words; a single one that begins a sentence is none.
    """
    packed = bytearray()
    names = [match[0][0].isupper() and not figure for match, figure in zip(found, figures, strict=True)]
    for first, end in _runs(names):
        before = text[found[first - 1].end() : found[first].start()] if first else "."
        if end - first > 1 or _ENDS.isdisjoint(before):
            place = _place(words, first, end)
            packed += b"".join(_FIGURE.pack(place, _hashed(word, 4)) for word in words[first:end])
        if len(packed) >= _MOST_NAMES * _FIGURE.size:
            break
    return bytes(packed[: _MOST_NAMES * _FIGURE.size])


def _runs(flags: Sequence[bool], *, most: int | None = None) -> Iterator[tuple[int, int]]:
    """Where those that are true stand together: from the first, to the one after the last; in the first `most`."""
    end = 0
    for first in islice((place for place, flag in enumerate(flags) if flag), most):
        if first >= end:
            end = next((place for place in range(first, len(flags)) if not flags[place]), len(flags))
            yield first, end


def _place(words: Sequence[str], first: int, end: int) -> int:
    """A hash of the words before and after some."""
    before, after = words[first - 1] if first else "", words[end] if end < len(words) else ""
    return _hashed(f"{before} {after}", 2)


def _value(figure: str) -> str:
    """A figure in one spelling: digits without separators of thousands; a weekday or month by its first letters."""
    return _THOUSANDS.sub("", figure) if figure[0].isdecimal() else _NAMED[figure]


def _hashed(text: str, size: int) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size).digest(), "little")


def _figures(packed: bytes) -> dict[int, set[int]]:
    return _by_place(packed[_WORDS_END:].partition(_NAMES_FOLLOW)[0])


def _names(packed: bytes) -> dict[int, set[int]]:
    return _by_place(packed[_WORDS_END:].partition(_NAMES_FOLLOW)[2])


def _by_place(entries: bytes) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for place, value in _FIGURE.iter_unpack(entries[: len(entries) - len(entries) % _FIGURE.size]):
        found.setdefault(place, set()).add(value)
    return found


def _is_readable(packed: bytes) -> bool:
    return len(packed) >= _WORDS_END and packed[0] == _VERSION


def _table(signatures: Sequence[bytes]) -> npt.NDArray[np.uint16]:
    """The slots of each; of one that is not readable, zeros."""
    nothing = np.zeros(_SLOTS, np.uint16)
    return np.array([_slots(one) if _is_readable(one) else nothing for one in signatures]).reshape(-1, _SLOTS)


def _slots(packed: bytes) -> npt.NDArray[np.uint16]:
    return np.frombuffer(packed, "<u2", count=_SLOTS, offset=_HEAD.size)


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
