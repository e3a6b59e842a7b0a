"""The terms of a text, folded and stemmed; and for a word that no text has, the words near it.

SQLite's own tokenizers do the work (a hundred-word passage in 10 µs): `unicode61` folds case and diacritics,
`porter` stems English and leaves other languages alone. Scripts written without spaces are cut into single
characters and pairs, so that any two adjacent characters of a question find their text. An index knows stems only; how
a word near another one is written is looked up in passages that hold it.
"""

import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import apsw

from embeddings.runtime import compiled_late

ANALYSIS = "compatible-unaccented unicode61 porter pairs 1"
"""Name of this way to find terms; an index made another way is made again."""

_CATEGORIES = ["unicode61", "remove_diacritics", "2", "categories", "L* N* Co Mn Mc"]
"""Marks belong to words: without `Mn Mc` the vowel signs of Devanagari or Thai would cut every word apart."""

UNSPACED = compiled_late(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese; Korean too, whose words carry their particles."""

_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1-\u05c7\u0610-\u061a\u064b-\u065f\u0670]+")
"""Of Latin, Greek and Cyrillic letters, and the vowel points of Hebrew and Arabic; `unicode61` knows Latin only."""

_STOPWORDS = frozenset(
    "a about an and are as at be been being but by can could did do does doing for from had has have having he her "
    "hers him his how i if in into is it its itself just me my no nor not of on or our ours s she should so such t "
    "than that the their theirs them then there these they this those to too us very was we were what when where "
    "which while who whom whose why will with would you your yours".split()
)


class Terms:
    """Finds the terms of texts. Safe to use from several threads, one at a time."""

    def __init__(self) -> None:
        # The tokenizers live as long as a connection they belong to.
        self._db = apsw.Connection(":memory:")
        self._words = self._db.fts5_tokenizer(_CATEGORIES[0], _CATEGORIES[1:])
        self._stems = self._db.fts5_tokenizer("porter", _CATEGORIES)
        self._one_at_a_time = threading.Lock()

    def of_text(self, text: str) -> list[str]:
        """Every term of a passage or title, in order, repeated as often as it occurs.

        >>> Terms().of_text("Floods in Derna’s old town")
        ['flood', 'in', 'derna', 's', 'old', 'town']
        """
        return self._read(self._stems, _prepared(text, _singles_and_pairs))

    def of_question(self, text: str) -> list[str]:
        """Each term to look for, once. Common words count only where there is nothing else.

        >>> Terms().of_question('"Who" runs NEAR(the, airport*) OR airport?')
        ['run', 'near', 'airport']
        >>> Terms().of_question("To be or not to be")
        ['to', 'be', 'or', 'not']
        """
        words = self._read(self._words, _prepared(text, _pairs_or_single))
        telling = [word for word in words if word not in _STOPWORDS]
        return list(dict.fromkeys(self._read(self._stems, " ".join(telling or words))))

    def _read(self, tokenizer: apsw.FTS5Tokenizer, text: str) -> list[str]:
        with self._one_at_a_time:
            return tokenizer(  # type: ignore[return-value]
                text.encode("utf-8", "replace"),
                apsw.FTS5_TOKENIZE_DOCUMENT,
                None,
                include_offsets=False,
                include_colocated=False,
            )


def _prepared(text: str, cut: Callable[[str], list[str]]) -> str:
    """Unify the ways to write a character and put spaces where a script has none."""
    if text.isascii():
        return text
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return UNSPACED.sub(lambda run: f" {' '.join(cut(run[0]))} ", unicodedata.normalize("NFC", bare))


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _singles_and_pairs(run: str) -> list[str]:
    return [*run, *_pairs(run)]


def _pairs_or_single(run: str) -> list[str]:
    return _pairs(run) or [run]


# --- Words near one that is not held
_SHORTEST, _TELLING, _LONG = 4, 8, 10
"""Shorter words are too often another word; from the second on a letter may be exchanged (Starmer is no starter), from
the third on there may be two mistakes."""
_TRIED = 6
_PASSAGES = 3
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")


class Lexicon(Protocol):
    """The terms of a corpus in one state."""

    def like(self, term: str, *, mistakes: int) -> Sequence[str]:
        """Terms among which are all that begin like this one and have so many mistakes more or less, some of them
        perhaps no longer held."""

    def frequency(self, term: str) -> int:
        """How many passages hold a term."""

    def words(self, term: str, *, passages: int) -> str:
        """Title and text of some passages that hold a term."""


def nearest(words: Collection[str], lexicon: Lexicon, terms: Terms) -> Mapping[str, tuple[str, ...]]:
    """For each word that no passage holds, the words that passages hold in its place, the nearest first.

    Near is one letter added, left out or swapped with its neighbour, in longer words also exchanged, in long ones two
    such mistakes; the first letter is right, or swapped. Words that the corpus holds are left out of what is given.
    """
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        held = terms.of_question(word)
        if len(held) == 1 and not lexicon.frequency(held[0]):
            found[word] = _surfaces(word, held[0], _candidates(held[0], word, lexicon), lexicon, terms)
    return found


def _candidates(term: str, word: str, lexicon: Lexicon) -> Sequence[str]:
    """Terms near to one, those with fewest mistakes and most passages first."""
    if len(word) < _SHORTEST:
        return ()
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    near = process.extract(
        term,
        lexicon.like(term, mistakes=_mistakes(word)),
        scorer=OSA.distance,
        score_cutoff=_mistakes(word),
        limit=8 * _TRIED,
    )
    ranked = [(distance, -lexicon.frequency(other), other) for other, distance, _ in near if _begins_alike(term, other)]
    return [other for _, frequency, other in sorted(ranked) if frequency][:_TRIED]


def _surfaces(word: str, term: str, candidates: Sequence[str], lexicon: Lexicon, terms: Terms) -> tuple[str, ...]:
    """How the candidates are written where they occur, the nearest to the word first.

    Where no form is near, one whose stem is that of the word but for a letter: "errupt" is met by "erupted".
    """
    from rapidfuzz.distance import OSA

    written: dict[str, tuple[int, int]] = {}
    for place, candidate in enumerate(candidates):
        texts = lexicon.words(candidate, passages=_PASSAGES)
        forms = Counter(form for form in _WORD.findall(texts) if terms.of_text(form) == [candidate])
        for form, _ in forms.most_common(_TRIED):
            low = form.casefold()
            distance = OSA.distance(word.casefold(), low)
            stems_apart = OSA.distance(term, candidate)
            if len(low) < _SHORTEST:
                continue
            if distance <= _mistakes(word) and not _is_another(word.casefold(), low):
                written[form] = (distance, place)
            elif (
                len(word) > _SHORTEST and stems_apart == 1 and len(term) != len(candidate) and low.startswith(candidate)
            ):
                written[form] = (_mistakes(word) + 1, place)
    # Letters are left out more often than put in.
    return tuple(sorted(written, key=lambda form: (written[form], -len(form), form)))


def _is_another(word: str, form: str) -> bool:
    """Whether a short word only has another letter in one place: that is rather another word."""
    return len(word) < _TELLING and len(word) == len(form) and sorted(word) != sorted(form)


def _mistakes(word: str) -> int:
    return 2 if len(word) >= _LONG else 1


def _begins_alike(one: str, other: str) -> bool:
    return one[:1] == other[:1] or one[:2] == other[1::-1]
