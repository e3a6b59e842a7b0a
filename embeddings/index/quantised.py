"""Large segments at a byte and a quarter a dimension: takes unit vectors, gives the rows that may be the nearest.

Two indexes of FAISS lie in one file: `PQ…x4fs`, looked through whole, a dozen times as fast as vectors are, which only
sifts; and `SQ8`, looked at where that, or a filter, leaves little. What is found are candidates: their exact cosines
come from the store's own vectors. Nothing depends on how vectors cluster. An index is made on one thread from fixed
seeds, so that equal vectors always give the same one.
"""

from __future__ import annotations

from typing import Any

import faiss
import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.errors import IndexDamaged
from embeddings.types import Vector, Vectors

__all__ = ["Sifted", "filled", "nearest", "parts", "without"]

_SAMPLE, _ROUNDS = 16_384, 10
"""Vectors that the sifting index learns from, and how often it looks at them."""
_LEAST_SIFTED = 200
"""So many rows pass the first look, or twice as many as are asked for."""
_FEW = 40
"""Where a filter lets one row of so many through, each is looked at at once."""
_ENOUGH = 0.5
"""So large a share of what should pass the first look has to: where a filter keeps out what is nearest, less does, and
then each row that counts is looked at."""
_BLOCK = 4_096

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Sifted(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The parts of a quantised index, ready for a search."""

    index: Any
    """FAISS's; the rest points into it."""
    sifter: Any
    codes: npt.NDArray[np.uint8]
    """By row, one byte a dimension."""
    least: Vector
    """What byte 0 stands for."""
    step: Vector
    """How much more the next byte stands for."""


def filled(vectors: Vectors) -> Any:
    """Make an index of unit vectors."""
    faiss.omp_set_num_threads(1)
    dimension = vectors.shape[1]
    sifter = faiss.IndexPQFastScan(dimension, dimension // (1 + (dimension % 2 == 0)), 4, faiss.METRIC_INNER_PRODUCT)
    sifter.pq.cp.niter = _ROUNDS
    sifter.pq.cp.min_points_per_centroid = 1  # FAISS would print that there are few
    codes = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    index = faiss.IndexRefine(sifter, codes)
    index.train(np.ascontiguousarray(vectors[:: max(1, len(vectors) // _SAMPLE)]))
    for start in range(0, len(vectors), _BLOCK):
        index.add(vectors[start : start + _BLOCK])
    return index


def without(index: Any, kept: Mask) -> Any:
    """Copy an index with the rows that are kept, their bytes as they are."""
    left = faiss.IDSelectorBitmap(np.packbits(~kept, bitorder="little"))  # type: ignore[call-arg, arg-type]
    sifter, codes = (faiss.clone_index(faiss.downcast_index(part)) for part in (index.base_index, index.refine_index))
    for part in (sifter, codes):
        part.remove_ids(left)
    return faiss.IndexRefine(sifter, codes)


def parts(index: Any) -> Sifted:
    """The parts of an index. Raises IndexDamaged when it is not one that `filled` makes."""
    if isinstance(index, faiss.IndexRefine):
        sifter, codes = faiss.downcast_index(index.base_index), faiss.downcast_index(index.refine_index)
        if isinstance(sifter, faiss.IndexPQFastScan) and isinstance(codes, faiss.IndexScalarQuantizer):
            return _parts(index, sifter, codes)
    raise IndexDamaged(f"the index file holds a {type(index).__name__}, which this program does not make")


def nearest(sifted: Sifted, vector: Vector, *, k: int, counted: Mask, possible: int) -> tuple[Rows, Vector]:
    """The up to k best of the rows that count, with about their cosines; `possible` says how many count."""
    wanted = min(max(_LEAST_SIFTED, 2 * k), possible)
    rows = np.zeros(0, dtype=np.int64)
    if possible * _FEW > len(counted):
        _, passed = sifted.sifter.search(vector[np.newaxis], min(-(-wanted * len(counted) // possible), len(counted)))
        rows = passed[0][passed[0] >= 0]
        rows = np.sort(rows[counted[rows]])
    if len(rows) < wanted * _ENOUGH:
        rows = np.flatnonzero(counted)
    scores = _scores(sifted, vector, rows)
    best = np.argsort(-scores, kind="stable")[:k]
    return rows[best], scores[best]


def _scores(sifted: Sifted, vector: Vector, rows: Rows) -> Vector:
    """About the cosines of some rows, from their bytes."""
    weights = vector * sifted.step
    least = np.float32(vector @ sifted.least)
    found = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), _BLOCK):
        found[start : start + _BLOCK] = sifted.codes[rows[start : start + _BLOCK]].astype(np.float32) @ weights
    return found + least


def _parts(index: Any, sifter: Any, codes: Any) -> Sifted:
    if codes.sq.qtype != faiss.ScalarQuantizer.QT_8bit or index.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise IndexDamaged("the index file holds vectors kept another way than this program keeps them")
    numbers = faiss.rev_swig_ptr(codes.codes.data(), codes.ntotal * codes.d).reshape(codes.ntotal, codes.d)
    least, span = faiss.vector_to_array(codes.sq.trained).reshape(2, codes.d)
    step = (span / 255).astype(np.float32)
    return Sifted(index=index, sifter=sifter, codes=numbers, least=(least + step / 2).astype(np.float32), step=step)
