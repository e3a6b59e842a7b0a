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
from embeddings.index import lexical, pack
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


def posted(passages: dict[int, tuple[str, str]]) -> lexical.Segment:
    return lexical.post(((key, *both) for key, both in sorted(passages.items())), TERMS)


def found(
    segments: list[lexical.Segment], question: list[str], *, k: int, alive: np.ndarray, allowed: np.ndarray
) -> tuple[Hit, ...]:
    counted, among = ([lexical.view(segment, mask[segment.keys]) for segment in segments] for mask in (alive, allowed))
    return lexical.search(counted, question, k=k, allowed=among)


@given(passages=PASSAGES, question=WORDS, cuts=st.integers(1, 4), seed=st.integers())
def test_scores_are_those_of_the_textbook_in_any_segments(
    passages: list[tuple[str, str]], question: str, cuts: int, seed: int
) -> None:
    draw = random.Random(seed)
    keyed = {3 * number + 1: passage for number, passage in enumerate(passages)}
    dead = {key for key in keyed if draw.random() < 0.3}
    keys = list(keyed)
    bounds = sorted(draw.randint(0, len(keys)) for _ in range(cuts))
    segments = [
        posted({key: keyed[key] for key in keys[start:end]})
        for start, end in zip([0, *bounds], [*bounds, len(keys)], strict=True)
        if start < end
    ]
    alive = np.zeros(keys[-1] + 1, dtype=np.bool_)
    alive[[key for key in keys if key not in dead]] = True
    allowed = alive & (np.arange(len(alive)) % 2 == 1)
    asked = TERMS.of_question(question)
    living = {key: passage for key, passage in keyed.items() if key not in dead}
    expected = {key: score for key, score in textbook(living, asked).items() if allowed[key]} if living else {}
    apart = found(segments, asked, k=100, alive=alive, allowed=allowed)
    assert {hit.key: hit.score for hit in apart} == pytest.approx(expected, rel=1e-5)
    assert list(apart) == sorted(apart, key=lambda hit: (-hit.score, hit.key))
    merged = lexical.merge(segments, alive)
    assert set(merged.keys.tolist()) == set(living)
    assert found([merged], asked, k=100, alive=alive, allowed=allowed) == apart
    assert found(segments, asked, k=2, alive=alive, allowed=allowed) == apart[:2]


def test_a_file_holds_the_segment_and_its_words() -> None:
    segment = posted({1: ("Storm", "über den Hafen 東京"), 5: ("", "the storm")})
    again = lexical.load(lexical.dump(segment))
    alive = np.ones(6, dtype=np.bool_)
    lists = [
        found([each], TERMS.of_question("storm 東京"), k=5, alive=alive, allowed=alive) for each in (segment, again)
    ]
    assert lists[0] == lists[1] != ()


@pytest.mark.parametrize(
    "stored", [b"", b"PK\x03\x04", b"no archive", b"arrays 1\xff\xff", pack({"keys": np.arange(3)})]
)
def test_a_file_that_is_none_is_refused(stored: bytes) -> None:
    with pytest.raises(IndexDamaged):
        lexical.load(stored)


def test_a_segment_of_nothing_can_be_kept_merged_and_searched() -> None:
    segment = posted({4: ("", "?!"), 9: ("", "")})
    alive = np.ones(10, dtype=np.bool_)
    merged = (lexical.merge([segment, segment], alive), lexical.merge([segment], ~alive))
    for each in (segment, lexical.load(lexical.dump(segment)), *merged):
        assert found([each], ["storm"], k=3, alive=alive, allowed=alive) == ()


def test_a_word_that_occurs_very_often_is_counted_right() -> None:
    """Counts take as few bytes as they need."""
    alive = np.ones(3, dtype=np.bool_)
    often = {1: ("", "storm " * 300), 2: ("", "storm harbour")}
    apart = [posted({key: passage}) for key, passage in often.items()]
    expected = textbook(often, ["storm"])
    for segments in ([posted(often)], apart, [lexical.merge(apart, alive)]):
        hits = found(segments, ["storm"], k=3, alive=alive, allowed=alive)
        assert {hit.key: hit.score for hit in hits} == pytest.approx(expected, rel=1e-5)


def test_terms_are_found_by_how_they_begin_where_a_passage_that_counts_holds_them() -> None:
    segments = [posted({1: ("", "harbour hard zebra"), 2: ("", "harm")}), posted({3: ("", "harp æther")})]
    alive = np.array([False, True, False, True])
    everything = np.ones_like(alive)
    assert lexical.terms_from([lexical.view(each, everything[each.keys]) for each in segments], "har") == {
        "harbour",
        "hard",
        "harm",
        "harp",
    }
    assert lexical.terms_from([lexical.view(each, alive[each.keys]) for each in segments], "har") == {
        "harbour",
        "hard",
        "harp",
    }
    assert lexical.terms_from([lexical.view(each, alive[each.keys]) for each in segments], "x") == frozenset()


def test_a_very_long_question_is_asked_by_its_rarest_words() -> None:
    common = " ".join(f"common{number}" for number in range(lexical.MOST_TERMS))
    segment = posted({1: ("", common), 2: ("", common), 3: ("", "rare")})
    alive = np.ones(4, dtype=np.bool_)
    question = TERMS.of_question(f"{common} rare")
    assert len(question) == lexical.MOST_TERMS + 1
    hits = found([segment], question, k=3, alive=alive, allowed=alive)
    assert {hit.key for hit in hits} == {1, 2, 3}
    assert isinstance(hits[0], Hit)


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
