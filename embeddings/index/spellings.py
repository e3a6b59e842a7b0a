"""Which words of a corpus somebody may have meant: takes words that it does not hold, gives those that are near.

The index knows stems only; how a word is written is looked up in passages that hold it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import apsw

from embeddings.index import lexical
from embeddings.index.snapshot import Snapshot
from embeddings.index.terms import Terms
from embeddings.store.passages import passages

__all__ = ["nearest"]

_SHORTEST, _TELLING, _LONG = 5, 8, 10
"""Shorter words are too often another word; from the second on a letter may be exchanged (Starmer is no starter), from
the third on there may be two mistakes."""
_TRIED = 6
_PASSAGES = 3
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")


def nearest(
    words: Collection[str], snapshot: Snapshot, db: apsw.Connection, terms: Terms
) -> Mapping[str, tuple[str, ...]]:
    """For each word that no passage holds, the words that passages hold in its place, the nearest first.

    Near is one letter added, left out or swapped with its neighbour, in longer words also exchanged, in long ones two
    such mistakes; the first letter is right, or swapped. Words that the corpus holds are left out of what is given.
    """
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        held = terms.of_question(word)
        if len(held) == 1 and not _frequency(held[0], snapshot):
            found[word] = _surfaces(word, _candidates(held[0], word, snapshot), snapshot, db, terms)
    return found


def _candidates(term: str, word: str, snapshot: Snapshot) -> Sequence[str]:
    """Terms near to one, those with fewest mistakes and most passages first."""
    if len(word) < _SHORTEST:
        return ()
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    near = process.extract(
        term, list(snapshot.vocabulary), scorer=OSA.distance, score_cutoff=_mistakes(word), limit=8 * _TRIED
    )
    ranked = [
        (distance, -_frequency(other, snapshot), other) for other, distance, _ in near if _begins_alike(term, other)
    ]
    return [other for _, frequency, other in sorted(ranked) if frequency][:_TRIED]


def _surfaces(
    word: str, candidates: Sequence[str], snapshot: Snapshot, db: apsw.Connection, terms: Terms
) -> tuple[str, ...]:
    """How the candidates are written where they occur, the nearest to the word first."""
    from rapidfuzz.distance import OSA

    written: dict[str, tuple[int, int]] = {}
    for place, candidate in enumerate(candidates):
        number = snapshot.vocabulary[candidate]
        keys = lexical.keys_of([segment.posted for segment in snapshot.segments], number, alive=snapshot.alive)
        stored, _ = passages(db, keys[:_PASSAGES])
        texts = " ".join(f"{item.title} {item.passage.text}" for item in stored.values())
        forms = Counter(form for form in _WORD.findall(texts) if terms.of_text(form) == [candidate])
        for form, _ in forms.most_common(_TRIED):
            distance = OSA.distance(word.casefold(), form.casefold())
            if distance <= _mistakes(word) and not _is_another(word.casefold(), form.casefold()):
                written[form] = (distance, place)
    # Letters are left out more often than put in.
    return tuple(sorted(written, key=lambda form: (written[form], -len(form), form)))


def _is_another(word: str, form: str) -> bool:
    """Whether a short word only has another letter in one place: that is rather another word."""
    return len(word) < _TELLING and len(word) == len(form) and sorted(word) != sorted(form)


def _mistakes(word: str) -> int:
    return 2 if len(word) >= _LONG else 1


def _begins_alike(one: str, other: str) -> bool:
    return one[:1] == other[:1] or one[:2] == other[1::-1]


def _frequency(term: str, snapshot: Snapshot) -> int:
    number = snapshot.vocabulary.get(term)
    if number is None:
        return 0
    return len(lexical.keys_of([segment.posted for segment in snapshot.segments], number, alive=snapshot.alive))
