"""What changed in the articles that an answer quotes, sentence by sentence, with exact places."""

from __future__ import annotations

import random

import pytest

from qa.conversations.changes import _changes

SENTENCES = [f"Sentence number {n} tells of the harbour." for n in range(40)]


def texts(run: list[str]) -> str:
    return " ".join(run)


@pytest.mark.parametrize("seed", range(30))
def test_the_changes_make_the_new_text_of_the_old_one(seed: int) -> None:
    rng = random.Random(seed)
    old = rng.sample(SENTENCES, rng.randint(0, 12))
    new = [one for one in old if rng.random() < 0.8] + rng.sample(SENTENCES, rng.randint(0, 3))
    then, now = texts(old), texts(new)
    found = list(_changes(then, now, []))
    made, place = "", 0
    for change in found:
        assert then[change.before_start_char_index : change.before_end_char_index] == change.before
        assert now[change.after_start_char_index : change.after_end_char_index] == change.after
        made += then[place : change.before_start_char_index] + f" {change.after} "
        place = change.before_end_char_index
    assert (made + then[place:]).split() == now.split()
    assert bool(found) == (then != now)


def test_a_change_knows_whether_quoted_words_are_in_it() -> None:
    then, now = "It rained. It snowed. It froze.", "It rained. It hailed. It froze."
    (first,) = _changes(then, now, [(0, 10)])
    assert not first.quoted
    (second,) = _changes(then, now, [(12, 15)])
    assert second.quoted


def test_texts_that_differ_throughout_are_one_change() -> None:
    then = " ".join(f"Old line {n} is here." for n in range(3_000))
    now = " ".join(f"New line {n} is here." for n in range(2_500))
    (change,) = _changes(f"Same top. {then} Same end.", f"Same top. {now} Same end.", [])
    assert (change.before, change.after) == (then, now)
