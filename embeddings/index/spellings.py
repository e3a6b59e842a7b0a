"""Which words of a corpus somebody may have meant: for words that it does not hold, those that are near.

An index knows stems only; how a word is written is looked up in passages that hold it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import apsw

from embeddings.index import lexical
from embeddings.index.snapshot import Chosen
from embeddings.index.terms import Terms
from embeddings.store import passages as store_passages

__all__ = ["Lexicon", "SnapshotLexicon", "nearest"]


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


class SnapshotLexicon(Lexicon):
    """What is held among the passages of a snapshot that count; `db` must see the same state."""

    def __init__(self, db: apsw.Connection, *, among: Chosen) -> None:
        self._db = db
        self._among = among

    def like(self, term: str, *, mistakes: int) -> Sequence[str]:  # noqa: ARG002 - comparing all is fast enough
        """All with the same first letter, or that begin with the second: the two may be swapped."""
        beginnings = (term[:1], term[1::-1]) if len(term) > 1 else (term,)
        return sorted({word for beginning in beginnings for word in lexical.terms_from(self._among.posted, beginning)})

    def frequency(self, term: str) -> int:
        """How many passages hold a term."""
        return len(self._keys(term))

    def words(self, term: str, *, passages: int) -> str:
        """Title and text of the first passages that hold a term."""
        stored, _ = store_passages.passages(self._db, self._keys(term)[:passages])
        return " ".join(f"{item.title} {item.passage.text}" for item in stored.values())

    def _keys(self, term: str) -> list[int]:
        return lexical.keys_of(self._among.posted, term)
