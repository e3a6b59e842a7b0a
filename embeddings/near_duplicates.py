"""Whether two canonical texts are one story though not the same text (wire copies, re-posts). For articles of exactly
one text, or of one page, see `copies`.

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

import hashlib
import re
import struct
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import takewhile

import numpy as np
import numpy.typing as npt

from embeddings.month_names import ENGLISH_MONTHS, ENGLISH_SHORT_MONTHS, ENGLISH_WEEKDAYS
from embeddings.runtime import compiled_late

_VERSION = 1
"""Leads every signature: signatures of different versions are never compared."""

_SEED = 20240604
_SLOTS = 256
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
_NAMED = {
    name.lower(): name[:3].lower()
    for name in (*ENGLISH_WEEKDAYS, *ENGLISH_MONTHS, *ENGLISH_SHORT_MONTHS)
    if name != "May"
}
"""Weekdays and months, with the spelling under which they are compared; "may" mostly is none."""
_UNITS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBERS = {word: number for number, word in enumerate(_UNITS.split(), start=2)} | {
    word: 10 * number for number, word in enumerate(_TENS.split(), start=2)
}
_SCALES = {"hundred": 100, "thousand": 1000}
"""Words of numbers; "one" mostly counts nothing, except in "twenty-one" and "one hundred"."""
_FIGURES = frozenset((*_NAMED, *_NUMBERS, *_SCALES))

_ENDS = frozenset(".!?:\n")
"""One of them stands before the first word of a sentence."""

_WORD = compiled_late(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
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
    runs = set(map(" ".join, zip(words, words[1:], words[2:], strict=False))) or {" ".join(words)}
    minhash = RMinHash(num_perm=_SLOTS, seed=_SEED)
    minhash.update(list(runs))  # the least of each slot, in whatever order
    slots = np.array(minhash.digest(), np.uint32).astype("<u2")
    folded = "\n".join(_TOKEN.findall(text)).casefold().split("\n")
    likely = [place for place, word in enumerate(folded) if word in _FIGURES or word[:1].isdecimal() or word == "one"]
    figures = [place for place in likely if _counts(folded, place)]
    names = _packed_names(text, folded, frozenset(figures))
    return (
        _HEAD.pack(_VERSION, len(runs))
        + slots.tobytes()
        + _packed_figures(folded, figures)
        + (_NAMES_FOLLOW + names if names else b"")
    )


def is_figure(word: str) -> bool:
    """Whether a word, case folded, is a figure, a number in words, a weekday or a month.

    >>> is_figure("12,000"), is_figure("sixty"), is_figure("march"), is_figure("one")
    (True, True, True, False)
    """
    return word in _FIGURES or word[0].isdecimal()


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


def _packed_figures(words: Sequence[str], figures: Sequence[int]) -> bytes:
    """The first figures of a text, each with a hash of the two words around it and its neighbouring figures."""
    packed = bytearray()
    limit = [*figures, len(words)][min(_MOST_FIGURES, len(figures))]
    for first, end in takewhile(lambda run: run[0] < limit, _runs(figures)):
        place = _place(words, first, end)
        for value in _values(words[first:end]):
            packed += _FIGURE.pack(place, _hashed(value, 4))
    return bytes(packed[: _MOST_FIGURES * _FIGURE.size])


def _packed_names(text: str, words: Sequence[str], figures: Set[int]) -> bytes:
    """The words of the first names of a text, each with a hash of the two words around its name.

    A name is a run of capitalised words; a single one that begins a sentence is none.
    """
    packed = bytearray()
    for first, end, before in _names_in(text, figures):
        if end - first > 1 or _ENDS.isdisjoint(before):
            place = _place(words, first, end)
            packed += b"".join(_FIGURE.pack(place, _hashed(word, 4)) for word in words[first:end])
        if len(packed) >= _MOST_NAMES * _FIGURE.size:
            break
    return bytes(packed[: _MOST_NAMES * _FIGURE.size])


def _names_in(text: str, figures: Set[int]) -> Iterator[tuple[int, int, str]]:
    """Where capitalised words that are no figures stand together, as `_runs` says it, and what is before them."""
    first = end = last = 0
    before = "."
    for place, match in enumerate(_TOKEN.finditer(text)):
        if match[0][0].isupper() and place not in figures:
            if place != end:
                if end > first:
                    yield first, end, before
                first, before = place, text[last : match.start()]
            end = place + 1
        last = match.end()
    if end > first:
        yield first, end, before


def _runs(places: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Which of these ascending places stand together: from the first, to the one after the last."""
    first = end = 0
    for place in places:
        if place != end:
            if end > first:
                yield first, end
            first = place
        end = place + 1
    if end > first:
        yield first, end


def _place(words: Sequence[str], first: int, end: int) -> int:
    """A hash of the words before and after some."""
    before, after = words[first - 1] if first else "", words[end] if end < len(words) else ""
    return _hashed(f"{before} {after}", 2)


def _counts(words: Sequence[str], place: int) -> bool:
    """Whether a word is a figure where it stands: the "one" of "twenty-one" and of "one hundred" is, and the
    "thousand" of "1.2 thousand" its unit."""
    word, before = words[place], words[place - 1] if place else ""
    if word == "one":
        return _NUMBERS.get(before, 0) >= 20 or words[place + 1 : place + 2] in (["hundred"], ["thousand"])
    return is_figure(word) and not (word in _SCALES and before[:1].isdecimal())


def _values(run: Sequence[str]) -> Iterator[str]:
    """Figures that stand together, each in one spelling: words of one number as its digits, digits without separators
    of thousands, a weekday or month by its first letters."""
    thousands = below = last = 0  # of the number that is being read; `last`: its last part, 0 for none
    for word in (*run, ""):
        part = _SCALES.get(word) or _NUMBERS.get(word) or int(word == "one")
        goes_on = part > last if part >= 100 else 0 < part < (100 if last >= 100 else 10 if last >= 20 else 0)
        if last and not goes_on:
            yield str(thousands + below)
            thousands = below = last = 0
        if part == 1000:
            thousands, below = max(below, 1) * part, 0
        elif part == 100:
            below = max(below, 1) * part
        elif part:
            below += part
        elif word:
            yield _THOUSANDS.sub("", word) if word[0].isdecimal() else _NAMED[word]
        last = part


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
