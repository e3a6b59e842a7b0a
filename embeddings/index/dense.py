"""Search by cosine: from a question's vector to the keys of the nearest passages.

An index is a tuple of immutable FAISS segments: FAISS crashes when it is searched while it changes, so nothing here
ever changes; adding makes a small segment, merging makes one of several. Segments are exact (`IDMap2,Flat`); large ones
of large stores are  FAISS ids are the store's integer keys.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import faiss
import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.errors import EncoderError, IndexDamaged
from embeddings.index import Buffer, pack, unpack
from embeddings.types import Hit, Vector, Vectors

# --- Large segments at a byte and a quarter a dimension: takes unit vectors, gives the rows that may be the nearest
# Two indexes of FAISS lie in one file: `PQ…x4fs`, looked through whole, a dozen times as fast as vectors are, which
# only sifts; and `SQ8`, looked at where that, or a filter, leaves little. What is found are candidates: their exact
# cosines come from the store's own vectors. Nothing depends on how vectors cluster. An index is made on one thread
# from fixed seeds, so that equal vectors always give the same one.
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


UNIT_TOLERANCE = 1e-3
"""How far the length of a vector that an encoder calls normalised may be from 1."""

Keys = npt.NDArray[np.int64]


class Near(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One segment: unit vectors and their keys."""

    keys: Keys
    """Ascending."""
    faiss_index: Any
    sifted: Sifted | None = None
    """The parts of a quantised segment; None in an exact one."""
    content: npt.NDArray[np.uint8] | None = None
    """The bytes of the file in which FAISS reads the vectors, if it does."""


class View(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A segment with those of its passages that count."""

    segment: Near
    counted: Mask
    """By row."""
    possible: int
    """How many there are."""
    selector: Any
    """FAISS's form of which they are; None where all are."""


Exact = Callable[[Sequence[int]], Mapping[int, Vector]]
"""Gives the unit vectors of passages as they were encoded; one that cannot be had is left out."""


def checked(vectors: Vectors, *, dimension: int, unit: bool, of: str) -> Vectors:
    """Give the vectors as contiguous float32 after proving that they can be ranked.

    Raises EncoderError naming `of` for a wrong dimension, NaN, infinity, no direction, or a length that is not 1.
    """
    if vectors.ndim != 2 or vectors.shape[1] != dimension:
        raise EncoderError(f"{of}: vectors of shape {vectors.shape}, but this encoder makes {dimension} numbers each")
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if not np.isfinite(vectors).all():
        raise EncoderError(f"{of}: the encoder returned NaN or infinity; such a vector would be near to nothing")
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    if not (lengths > 0).all():
        raise EncoderError(f"{of}: the encoder returned a zero vector, which has no direction")
    furthest = lengths[np.abs(lengths - 1).argmax()] if len(lengths) else 1
    if unit and abs(furthest - 1) > UNIT_TOLERANCE:
        raise EncoderError(f"{of}: the encoder says it normalises, but returned a vector of length {furthest:.4f}")
    return vectors


def directions(vectors: Vectors) -> Vectors:
    """Scale every row to length 1, so that the inner product is the cosine."""
    scaled: Vectors = (vectors / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)).astype(np.float32)
    return scaled


def direction_of(vector: Vector, *, dimension: int) -> Vector:
    """A question's vector at length 1. Raises EncoderError where it is no row of numbers that can be ranked."""
    if np.ndim(vector) != 1:
        raise EncoderError(f"a question's vector has shape {np.shape(vector)}; it must be one row of numbers")
    found: Vector = directions(checked(vector[np.newaxis], dimension=dimension, unit=False, of="question"))[0]
    return found


def build(keys: Keys, vectors: Vectors) -> Near:
    """Make an exact segment of unit vectors; keys ascending, none twice."""
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
    index.add_with_ids(vectors, keys)
    return Near(keys=keys, faiss_index=index)


def merge(segments: Sequence[Near], alive: Mask, *, quantise: bool) -> Near:
    """Make one segment of several, in order of key, leaving out the vectors whose keys are not alive.

    Of a quantised segment only another one can be made, and only of it alone.
    """
    if segments[0].sifted is not None:
        (segment,) = segments
        living = alive[segment.keys]
        return _quantised(segment.keys[living], without(segment.faiss_index, living))
    kept = [segment.keys[alive[segment.keys]] for segment in segments]
    keys = np.concatenate(kept)
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(segments[0].faiss_index.d))
    for segment, some in zip(segments, kept, strict=True):
        vectors = _vectors(segment.faiss_index)
        index.add_with_ids(vectors if len(some) == len(vectors) else vectors[alive[segment.keys]], some)
    return _quantised(keys, filled(_vectors(index))) if quantise else Near(keys=keys, faiss_index=index)


def view(segment: Near, counted: Mask, selector: Any) -> View:
    """See a segment with those of its rows that count; `selector` says the same by key, see `selector_of`."""
    possible = int(np.count_nonzero(counted))
    seen_by_faiss = None if possible == len(counted) else selector
    return View(segment=segment, counted=counted, possible=possible, selector=seen_by_faiss)


def selector_of(mask: Mask) -> Any:
    """A mask by key as FAISS wants it."""
    return faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))  # type: ignore[call-arg, arg-type]


def search(views: Sequence[View], vector: Vector, *, k: int, exact: Exact) -> tuple[Hit, ...]:
    """Rank the passages that count by cosine to a unit vector, equal scores in order of key.

    Every score is exact. Of quantised segments only candidates are ranked, somewhat more than are asked for.
    """
    # One thread for one search: threads that wait for a busy core made it four times slower (64 ms against 14).
    faiss.omp_set_num_threads(1)
    found: list[Hit] = []
    candidates: list[Hit] = []
    for each in views:
        if each.possible and each.segment.sifted is None:
            found += _exact_hits(each, vector, k)
        elif each.possible:
            candidates += _candidates(each, vector, _more(k))
    if candidates:
        vectors = exact([hit.key for hit in sorted(candidates, key=_order)[: _more(k)]])
        cosines = np.stack(list(vectors.values())) @ vector if vectors else ()
        found += [Hit(key, float(score)) for key, score in zip(vectors, cosines, strict=True) if np.isfinite(score)]
    return tuple(sorted(found, key=_order)[:k])


def _exact_hits(each: View, vector: Vector, k: int) -> list[Hit]:
    parameters = faiss.SearchParameters(sel=each.selector) if each.selector else None  # type: ignore[call-arg]
    scores, keys = each.segment.faiss_index.search(vector[np.newaxis], min(k, each.possible), params=parameters)
    # FAISS pads with -1 where it finds fewer than asked.
    return [hit for hit in map(Hit, keys[0].tolist(), scores[0].tolist()) if hit.key >= 0]


def _candidates(each: View, vector: Vector, k: int) -> list[Hit]:
    if each.segment.sifted is None:
        return []
    rows, scores = nearest(each.segment.sifted, vector, k=k, counted=each.counted, possible=each.possible)
    return list(map(Hit, each.segment.keys[rows].tolist(), scores.tolist()))


def _more(k: int) -> int:
    """So many candidates are ranked exactly for k hits."""
    return k + max(10, k // 2)


def _order(hit: Hit) -> tuple[float, int]:
    return (-hit.score, hit.key)


def dump(segment: Near) -> bytes | memoryview:
    """Write a segment as a file: that of FAISS, with the keys beside it where FAISS does not keep them."""
    written = faiss.serialize_index(segment.faiss_index)
    return written.data if segment.sifted is None else pack({"keys": segment.keys, "index": written})


def load(stored: Buffer, *, dimension: int, sifted: bool = False) -> Near:
    """Read what `dump` wrote, in place. Only for bytes whose hash was checked: FAISS believes whatever it reads.

    Raises IndexDamaged when it is not an index of this dimension, exact or quantised as is said.
    """
    held: Mapping[str, npt.NDArray[Any]] = unpack(stored) if sifted else {"index": np.frombuffer(stored, np.uint8)}
    try:
        content = held["index"]
        index = faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(content), len(content)))  # type: ignore[attr-defined]
    except (RuntimeError, ValueError, KeyError) as error:
        raise IndexDamaged(f"FAISS cannot read the index file ({error}); it is made again from the store") from error
    if index.d != dimension:
        raise IndexDamaged(f"the index file holds vectors of {index.d} numbers, the encoder makes {dimension}")
    if sifted:
        return _quantised(held.get("keys", np.zeros(0, dtype=np.int64)), index, content=content)
    if not isinstance(index, faiss.IndexIDMap2) or not isinstance(faiss.downcast_index(index.index), faiss.IndexFlatIP):
        raise IndexDamaged(f"the index file holds a {type(index).__name__}, not an exact index by key")
    return Near(keys=faiss.vector_to_array(index.id_map), faiss_index=index, content=content)


def _quantised(keys: Keys, index: Any, *, content: npt.NDArray[np.uint8] | None = None) -> Near:
    sifted = parts(index)
    if len(keys) != index.ntotal:
        raise IndexDamaged(f"the index file holds {index.ntotal} vectors with {len(keys)} keys")
    return Near(keys=keys, faiss_index=index, sifted=sifted, content=content)


def _vectors(index: Any) -> Vectors:
    """A view of an exact index's vectors, row by row; valid as long as the index is."""
    flat: Any = faiss.downcast_index(index.index)
    numbers: Vectors = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d)
    return numbers.reshape(flat.ntotal, flat.d)
