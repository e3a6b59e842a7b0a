"""Exact search by cosine: takes a question's vector, gives the keys of the nearest passages.

An index is a tuple of immutable FAISS segments (`IDMap2,Flat`): FAISS crashes when it is searched while it
changes, so nothing here ever changes; adding makes a small segment, merging makes one of several. FAISS ids are
the store's integer keys, and no other module knows FAISS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import faiss
import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.errors import EncoderError, IndexDamaged
from embeddings.index.arrays import Buffer
from embeddings.types import Hit, Vector, Vectors

__all__ = [
    "Near",
    "View",
    "build",
    "checked",
    "direction_of",
    "directions",
    "dump",
    "load",
    "merge",
    "search",
    "selector_of",
    "view",
]

UNIT_TOLERANCE = 1e-3
"""How far the length of a vector that an encoder calls normalised may be from 1."""

Keys = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Near(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One segment: unit vectors and their keys."""

    keys: Keys
    """Ascending."""
    faiss_index: faiss.IndexIDMap2
    content: npt.NDArray[np.uint8] | None = None
    """The bytes of the file in which FAISS reads the vectors, if it does."""


class View(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A segment with those of its passages that count."""

    segment: Near
    possible: int
    """How many there are."""
    selector: Any
    """FAISS's form of which they are; None where all are."""


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
    """Make a segment of unit vectors; keys ascending, none twice."""
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
    index.add_with_ids(vectors, keys)
    return Near(keys=keys, faiss_index=index)


def merge(segments: Sequence[Near], alive: Mask) -> Near:
    """Make one segment of several, in order of key, leaving out the vectors whose keys are not alive."""
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(segments[0].faiss_index.d))
    kept = [segment.keys[alive[segment.keys]] for segment in segments]
    for segment, keys in zip(segments, kept, strict=True):
        vectors = _vectors(segment)
        index.add_with_ids(vectors if len(keys) == len(vectors) else vectors[alive[segment.keys]], keys)
    return Near(keys=np.concatenate(kept), faiss_index=index)


def view(segment: Near, mask: Mask, selector: Any) -> View:
    """See a segment as far as a mask by key goes; `selector` is FAISS's form of that mask, see `selector_of`."""
    possible = int(np.count_nonzero(mask[segment.keys]))
    return View(segment=segment, possible=possible, selector=None if possible == len(segment.keys) else selector)


def selector_of(mask: Mask) -> Any:
    """A mask by key as FAISS wants it."""
    return faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))  # type: ignore[call-arg, arg-type]


def search(views: Sequence[View], vector: Vector, *, k: int) -> tuple[Hit, ...]:
    """Rank the passages that count by cosine to a unit vector; exact, equal scores in order of key."""
    # One thread for one search: threads that wait for a busy core made it four times slower (64 ms against 14).
    faiss.omp_set_num_threads(1)
    found: list[Hit] = []
    for each in views:
        if not each.possible:
            continue
        parameters = faiss.SearchParameters(sel=each.selector) if each.selector else None  # type: ignore[call-arg]
        scores, keys = each.segment.faiss_index.search(vector[np.newaxis], min(k, each.possible), params=parameters)
        # FAISS pads with -1 where it finds fewer than asked.
        found += [Hit(int(key), float(score)) for key, score in zip(keys[0], scores[0], strict=True) if key >= 0]
    return tuple(sorted(found, key=lambda hit: (-hit.score, hit.key))[:k])


def dump(segment: Near) -> memoryview:
    """Write a segment as a FAISS file."""
    written: memoryview = faiss.serialize_index(segment.faiss_index).data
    return written


def load(stored: Buffer, *, dimension: int) -> Near:
    """Read what `dump` wrote, in place. Only for bytes whose hash was checked: FAISS believes whatever it reads.

    Raises IndexDamaged when it is not an exact index of this dimension.
    """
    content = np.frombuffer(stored, dtype=np.uint8)
    try:
        index = faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(content), len(content)))  # type: ignore[attr-defined]
    except (RuntimeError, ValueError) as error:
        raise IndexDamaged(f"FAISS cannot read the index file ({error}); it is made again from the store") from error
    if not isinstance(index, faiss.IndexIDMap2) or not isinstance(faiss.downcast_index(index.index), faiss.IndexFlatIP):
        raise IndexDamaged(f"the index file holds a {type(index).__name__}, not an exact index by key")
    if index.d != dimension:
        raise IndexDamaged(f"the index file holds vectors of {index.d} numbers, the encoder makes {dimension}")
    return Near(keys=faiss.vector_to_array(index.id_map), faiss_index=index, content=content)


def _vectors(segment: Near) -> Vectors:
    """A view of a segment's vectors, row by row; valid as long as the segment is."""
    flat: Any = faiss.downcast_index(segment.faiss_index.index)
    numbers: Vectors = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d)
    return numbers.reshape(flat.ntotal, flat.d)
