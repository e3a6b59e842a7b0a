"""Exact search over segments gives what a matrix product gives, and refuses what cannot be ranked."""

from __future__ import annotations

from itertools import pairwise

import faiss
import numpy as np
import pytest

from embeddings.errors import EncoderError, IndexDamaged
from embeddings.index import dense
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


def found(segments: list[dense.Near], query: np.ndarray, *, k: int, allowed: np.ndarray) -> tuple[Hit, ...]:
    selector = dense.selector_of(allowed)
    return dense.search([dense.view(segment, allowed, selector) for segment in segments], query, k=k)


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
    merged = dense.merge(segments_of(keys, vectors, 100, 101, 300), alive)
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
