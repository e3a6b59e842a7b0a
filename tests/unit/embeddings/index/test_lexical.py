"""BM25 as the textbook has it, whatever segments the passages lie in."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.errors import IndexDamaged
from embeddings.index import lexical
from embeddings.index.terms import Terms
from embeddings.types import Hit

TERMS = Terms()
WORDS = st.lists(st.sampled_from("river dam vote storm harbour court".split()), min_size=0, max_size=6).map(" ".join)
PASSAGES = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=12)


def textbook(passages: dict[int, tuple[str, str]], question: list[str]) -> dict[int, float]:
    """Score every passage, straight from the formula."""
    counts = {
        key: Counter(TERMS.of_text(text) + TERMS.of_text(title) * lexical.TITLE_WEIGHT)
        for key, (title, text) in passages.items()
    }
    mean = sum(sum(count.values()) for count in counts.values()) / len(counts)
    scores = dict.fromkeys(passages, 0.0)
    for term in question:
        holding = sum(term in count for count in counts.values())
        idf = math.log(1 + (len(counts) - holding + 0.5) / (holding + 0.5))
        for key, count in counts.items():
            norm = lexical.K1 * (1 - lexical.B + lexical.B * sum(count.values()) / (mean or 1))
            scores[key] += idf * count[term] * (lexical.K1 + 1) / (count[term] + norm) if count[term] else 0
    return {key: score for key, score in scores.items() if score}


def posted(passages: dict[int, tuple[str, str]], vocabulary: lexical.Vocabulary) -> lexical.Segment:
    return lexical.post(((key, *both) for key, both in sorted(passages.items())), vocabulary, TERMS)


@given(passages=PASSAGES, question=WORDS, cuts=st.integers(1, 4), seed=st.integers())
def test_scores_are_those_of_the_textbook_in_any_segments(
    passages: list[tuple[str, str]], question: str, cuts: int, seed: int
) -> None:
    draw = random.Random(seed)
    keyed = {3 * number + 1: passage for number, passage in enumerate(passages)}
    dead = {key for key in keyed if draw.random() < 0.3}
    keys = list(keyed)
    bounds = sorted(draw.randint(0, len(keys)) for _ in range(cuts))
    vocabulary = lexical.Vocabulary()
    segments = [
        posted({key: keyed[key] for key in keys[start:end]}, vocabulary)
        for start, end in zip([0, *bounds], [*bounds, len(keys)], strict=True)
        if start < end
    ]
    alive = np.zeros(keys[-1] + 1, dtype=np.bool_)
    alive[[key for key in keys if key not in dead]] = True
    allowed = alive & (np.arange(len(alive)) % 2 == 1)
    asked = TERMS.of_question(question)
    living = {key: passage for key, passage in keyed.items() if key not in dead}
    expected = {key: score for key, score in textbook(living, asked).items() if allowed[key]} if living else {}
    apart = lexical.search(segments, asked, vocabulary, k=100, alive=alive, allowed=allowed)
    assert {hit.key: hit.score for hit in apart} == pytest.approx(expected, rel=1e-5)
    assert list(apart) == sorted(apart, key=lambda hit: (-hit.score, hit.key))
    merged = lexical.merge(segments, alive)
    assert set(merged.keys.tolist()) == set(living)
    assert lexical.search([merged], asked, vocabulary, k=100, alive=alive, allowed=allowed) == apart
    assert lexical.search(segments, asked, vocabulary, k=2, alive=alive, allowed=allowed) == apart[:2]


def test_a_file_holds_the_segment_and_its_vocabulary() -> None:
    vocabulary = lexical.Vocabulary()
    segment = posted({1: ("Storm", "über den Hafen 東京"), 5: ("", "the storm")}, vocabulary)
    again, words = lexical.load(lexical.dump(segment, vocabulary))
    assert words == vocabulary
    alive = np.ones(6, dtype=np.bool_)
    found = [
        lexical.search([each], TERMS.of_question("storm 東京"), known, k=5, alive=alive, allowed=alive)
        for each, known in ((segment, vocabulary), (again, words))
    ]
    assert found[0] == found[1] != ()


@pytest.mark.parametrize("stored", [b"", b"PK\x03\x04", b"no archive"])
def test_a_file_that_is_none_is_refused(stored: bytes) -> None:
    with pytest.raises(IndexDamaged):
        lexical.load(stored)


def test_a_segment_of_nothing_can_be_kept_merged_and_searched() -> None:
    vocabulary = lexical.Vocabulary()
    segment = posted({4: ("", "?!"), 9: ("", "")}, vocabulary)
    alive = np.ones(10, dtype=np.bool_)
    assert lexical.load(lexical.dump(segment, vocabulary))[1] == {}
    for each in (segment, lexical.merge([segment, segment], alive), lexical.merge([segment], ~alive)):
        assert lexical.search([each], ["storm"], vocabulary, k=3, alive=alive, allowed=alive) == ()


def test_a_very_long_question_is_asked_by_its_rarest_words() -> None:
    vocabulary = lexical.Vocabulary()
    common = " ".join(f"common{number}" for number in range(lexical.MOST_TERMS))
    segment = posted({1: ("", common), 2: ("", common), 3: ("", "rare")}, vocabulary)
    alive = np.ones(4, dtype=np.bool_)
    question = TERMS.of_question(f"{common} rare")
    assert len(question) == lexical.MOST_TERMS + 1
    found = lexical.search([segment], question, vocabulary, k=3, alive=alive, allowed=alive)
    assert {hit.key for hit in found} == {1, 2, 3}
    assert isinstance(found[0], Hit)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The Mesmaris' “houses”", ["the", "mesmari", "hous"]),
        ("Café CAFÉ cafe\u0301", ["cafe"] * 3),
        ("1,000 U.S. troops", ["1", "000", "u", "s", "troop"]),
        ("東京都 x", ["東", "京", "都", "東京", "京都", "x"]),
        ("ＡＢＣ １２", ["abc", "12"]),
        ("a\0b\ud800c", ["a", "b", "c"]),
        ("", []),
    ],
)
def test_the_terms_of_a_text(text: str, terms: list[str]) -> None:
    assert TERMS.of_text(text) == terms


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("How many people live in Derna?", ["mani", "peopl", "live", "derna"]),
        ("who is it", ["who", "is", "it"]),
        ("東京都", ["東京", "京都"]),
        ("東", ["東"]),
        ("storms storm STORM", ["storm"]),
        ("Jane Doe does", ["jane", "doe"]),
    ],
)
def test_the_terms_of_a_question(question: str, terms: list[str]) -> None:
    assert TERMS.of_question(question) == terms


@given(st.text(max_size=40))
def test_any_text_has_terms_and_a_text_is_found_by_itself(text: str) -> None:
    assert set(TERMS.of_question(text)) <= set(TERMS.of_text(text))
