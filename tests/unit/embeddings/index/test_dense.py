"""Exact search over segments gives what a matrix product gives, and refuses what cannot be ranked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import faiss
import numpy as np
import pytest

from embeddings.errors import EncoderError, IndexDamaged
from embeddings.index import dense, pack
from embeddings.index.dense import nearest
from embeddings.types import Hit

DIMENSION = 24


@pytest.fixture
def vectors() -> np.ndarray:
    return dense.directions(np.random.default_rng(7).normal(size=(500, DIMENSION)).astype(np.float32))


@pytest.fixture
def keys() -> np.ndarray:
    return np.cumsum(np.random.default_rng(8).integers(1, 5, size=500)).astype(np.int64)


def segments_of(keys: np.ndarray, vectors: np.ndarray, *bounds: int) -> list[dense.Near]:
    edges = [0, *bounds, len(keys)]
    return [dense.build(keys[a:b], vectors[a:b]) for a, b in pairwise(edges)]


def never(keys: Sequence[int]) -> dict[int, np.ndarray]:
    raise AssertionError(f"the store was asked for {keys}")


def found(
    segments: list[dense.Near], query: np.ndarray, *, k: int, allowed: np.ndarray, exact: dense.Exact = never
) -> tuple[Hit, ...]:
    selector = dense.selector_of(allowed)
    return dense.search(
        [dense.view(segment, allowed[segment.keys], selector) for segment in segments], query, k=k, exact=exact
    )


@pytest.mark.parametrize("share", [1.0, 0.5, 0.01, 0.0])
@pytest.mark.parametrize("bounds", [(), (1, 2, 250, 499)])
def test_filtered_search_is_exact(keys: np.ndarray, vectors: np.ndarray, share: float, bounds: tuple[int, ...]) -> None:
    segments = segments_of(keys, vectors, *bounds)
    draw = np.random.default_rng(9)
    for query in vectors[::50]:
        allowed = np.zeros(keys[-1] + 1, dtype=np.bool_)
        allowed[keys[draw.random(len(keys)) < share]] = True
        hits = found(segments, query, k=20, allowed=allowed)
        possible = [
            (float(vector @ query), int(key)) for key, vector in zip(keys, vectors, strict=True) if allowed[key]
        ]
        expected = sorted(possible, reverse=True)[:20]
        assert [hit.key for hit in hits] == [key for _, key in expected]
        assert [hit.score for hit in hits] == pytest.approx([score for score, _ in expected], abs=1e-6)


def test_merging_keeps_order_and_drops_the_dead(keys: np.ndarray, vectors: np.ndarray) -> None:
    alive = np.zeros(keys[-1] + 1, dtype=np.bool_)
    alive[keys[::3]] = True
    merged = dense.merge(segments_of(keys, vectors, 100, 101, 300), alive, quantise=False)
    assert merged.keys.tolist() == keys[::3].tolist()
    everything = np.ones_like(alive)
    for row in range(0, 500, 60):
        best = found([merged], vectors[row], k=1, allowed=everything)[0]
        assert (best.key == keys[row]) == (row % 3 == 0)


def test_a_file_is_read_back_and_anything_else_refused(keys: np.ndarray, vectors: np.ndarray) -> None:
    (segment,) = segments_of(keys, vectors)
    allowed = np.ones(keys[-1] + 1, dtype=np.bool_)
    stored = bytes(dense.dump(segment))
    again = dense.load(stored, dimension=DIMENSION)
    assert again.keys.tolist() == keys.tolist()
    assert found([again], vectors[3], k=9, allowed=allowed) == found([segment], vectors[3], k=9, allowed=allowed)
    flat = faiss.IndexFlatIP(DIMENSION)
    other_metric = faiss.IndexIDMap2(faiss.IndexFlatL2(DIMENSION))
    for content in (b"", stored[:-1], faiss.serialize_index(flat).tobytes(), faiss.serialize_index(other_metric)):
        with pytest.raises(IndexDamaged):
            dense.load(content, dimension=DIMENSION)
    with pytest.raises(IndexDamaged, match="numbers"):
        dense.load(stored, dimension=DIMENSION + 1)


@pytest.fixture(scope="module")
def many() -> tuple[np.ndarray, np.ndarray]:
    """Keys and vectors that lie in clusters."""
    draw = np.random.default_rng(11)
    middles = draw.normal(size=(40, DIMENSION))
    vectors = middles[draw.integers(40, size=6000)] + 0.5 * draw.normal(size=(6000, DIMENSION))
    return np.arange(3, 18003, 3), dense.directions(vectors.astype(np.float32))


@pytest.fixture(scope="module")
def quantised(many: tuple[np.ndarray, np.ndarray]) -> dense.Near:
    keys, vectors = many
    everything = np.ones(keys[-1] + 1, dtype=np.bool_)
    return dense.merge(
        [dense.build(keys[:10], vectors[:10]), dense.build(keys[10:], vectors[10:])], everything, quantise=True
    )


def exact_among(many: tuple[np.ndarray, np.ndarray], allowed: np.ndarray, query: np.ndarray, *, k: int) -> list[int]:
    keys, vectors = many
    kept = keys[allowed[keys]]
    scores = vectors[allowed[keys]] @ query
    return kept[np.argsort(-scores, kind="stable")[:k]].tolist()


@pytest.mark.parametrize("allow", ["all", "tenth", "hundredth", "topic", "three", "none"])
def test_a_quantised_segment_finds_nearly_what_an_exact_one_does_with_exact_scores(
    many: tuple[np.ndarray, np.ndarray], quantised: dense.Near, allow: str
) -> None:
    keys, vectors = many
    by_key = dict(zip(keys.tolist(), vectors, strict=True))
    drawn = np.random.default_rng(12).random(len(keys))
    wanted = wrong = 0
    for row in range(0, 6000, 300):
        query = dense.directions(vectors[row : row + 1] + 0.02)[0]
        allowed = np.zeros(keys[-1] + 1, dtype=np.bool_)
        shares = {"all": drawn < 2, "tenth": drawn < 0.1, "hundredth": drawn < 0.01, "none": drawn < 0}
        shares |= {"topic": vectors @ vectors[1] > 0.3, "three": np.arange(len(keys)) % 2000 == 5}
        allowed[keys[shares[allow]]] = True
        hits = found([quantised], query, k=20, allowed=allowed, exact=lambda some: {key: by_key[key] for key in some})
        expected = exact_among(many, allowed, query, k=20)
        assert [hit.score for hit in hits] == pytest.approx([float(by_key[hit.key] @ query) for hit in hits], abs=1e-6)
        assert len(hits) == len(expected)
        assert list(hits) == sorted(hits, key=lambda hit: (-hit.score, hit.key))
        assert all(allowed[hit.key] for hit in hits)
        wanted += len(expected)
        wrong += len({hit.key for hit in hits} - set(expected))
    assert wrong <= 0.02 * wanted


def test_who_asks_a_quantised_segment_for_all_gets_all(
    many: tuple[np.ndarray, np.ndarray], quantised: dense.Near
) -> None:
    keys, vectors = many
    few = np.zeros(keys[-1] + 1, dtype=np.bool_)
    few[keys[::20]] = True
    assert quantised.sifted is not None
    for mask, possible in ((few, 300), (few | True, 6000)):
        view = dense.view(quantised, mask[keys], dense.selector_of(mask))
        rows, scores = nearest(quantised.sifted, vectors[0], k=6000, counted=view.counted, possible=view.possible)
        assert sorted(keys[rows]) == np.flatnonzero(mask[: keys[-1] + 1] & np.isin(np.arange(len(mask)), keys)).tolist()
        assert len(rows) == possible
        assert np.abs(scores - vectors[rows] @ vectors[0]).max() < 0.02


def test_the_same_vectors_give_the_same_file_and_it_is_read_back(
    many: tuple[np.ndarray, np.ndarray], quantised: dense.Near
) -> None:
    keys, vectors = many
    everything = np.ones(keys[-1] + 1, dtype=np.bool_)
    stored = bytes(dense.dump(quantised))
    again = dense.merge([dense.build(keys, vectors)], everything, quantise=True)
    assert bytes(dense.dump(again)) == stored
    loaded = dense.load(stored, dimension=DIMENSION, sifted=True)
    assert loaded.keys.tolist() == keys.tolist()
    assert loaded.sifted is not None
    by_key = dict(zip(keys.tolist(), vectors, strict=True))
    lists = [
        found([each], vectors[5], k=9, allowed=everything, exact=lambda some: {key: by_key[key] for key in some})
        for each in (quantised, loaded)
    ]
    assert lists[0] == lists[1]
    with pytest.raises(IndexDamaged, match="numbers"):
        dense.load(stored, dimension=DIMENSION + 1, sifted=True)
    flat = faiss.serialize_index(faiss.IndexFlatIP(DIMENSION))
    written = faiss.serialize_index(quantised.faiss_index)
    for held in ({"keys": keys[:0], "index": flat}, {"keys": keys[1:], "index": written}, {"keys": keys}):
        with pytest.raises(IndexDamaged):
            dense.load(pack(held), dimension=DIMENSION, sifted=True)
    with pytest.raises(IndexDamaged):
        dense.load(stored, dimension=DIMENSION)


def test_removed_passages_leave_a_quantised_segment_and_the_others_stay_as_they_are(
    many: tuple[np.ndarray, np.ndarray], quantised: dense.Near
) -> None:
    keys, vectors = many
    alive = np.zeros(keys[-1] + 1, dtype=np.bool_)
    alive[keys[::2]] = True
    by_key = dict(zip(keys.tolist(), vectors, strict=True))

    def exact(some: Sequence[int]) -> dict[int, np.ndarray]:
        return {key: by_key[key] for key in some}

    left = dense.merge([quantised], alive, quantise=False)
    assert left.keys.tolist() == keys[::2].tolist()
    for row in (0, 1, 77):
        assert found([left], vectors[row], k=9, allowed=alive, exact=exact) == found(
            [quantised], vectors[row], k=9, allowed=alive, exact=exact
        )
    assert dense.merge([quantised], ~(alive | True), quantise=False).keys.tolist() == []


def test_a_vector_that_the_store_lost_or_altered_is_no_hit(
    many: tuple[np.ndarray, np.ndarray], quantised: dense.Near
) -> None:
    keys, vectors = many
    everything = np.ones(keys[-1] + 1, dtype=np.bool_)
    nan = np.full(DIMENSION, np.nan, dtype=np.float32)
    assert found([quantised], vectors[0], k=3, allowed=everything, exact=lambda some: {some[0]: nan}) == ()


@pytest.mark.parametrize(
    ("vectors", "says"),
    [
        (np.ones((2, 3)), "shape"),
        (np.ones(4), "shape"),
        (np.array([[np.nan, 0, 0, 1]]), "NaN"),
        (np.array([[0, -np.inf, 0, 1]]), "NaN"),
        (np.array([[1e39, 0, 0, 0]]), "NaN"),
        (np.zeros((1, 4)), "zero"),
        (np.array([[1, 0, 0, 0], [1, 1, 0, 0]]), "length 1.41"),
        (np.array([[1, 0, 0, 0], [0.9, 0, 0, 0]]), "length 0.9"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_vectors_that_cannot_be_ranked_are_refused(vectors: np.ndarray, says: str) -> None:
    with pytest.raises(EncoderError, match=f"^here: .*{says}"):
        dense.checked(vectors, dimension=4, unit=True, of="here")


def test_good_vectors_come_back_as_contiguous_float32() -> None:
    got = dense.checked(np.eye(4)[:, ::-1], dimension=4, unit=True, of="here")
    assert got.dtype == np.float32
    assert got.flags.c_contiguous
