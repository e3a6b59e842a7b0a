"""Takes two canonical texts, tells whether they are one story: wire copies and re-posts, in (nearly) the same words.

Each text gets a MinHash signature over runs of three words; comparing two signatures estimates the share of runs
the texts have in common without the texts. The thresholds were set by eye on all pairs of 6,855 different news
articles and on artificial copies. They find 14 pairs, one of them wrong (two pieces sharing one long photo gallery):

- Jaccard 0.8: a copy with 3 % of its words replaced stays above it. Below 0.79 come live tickers and daily digests
  that repeat yesterday's text.
- 93 % of the shorter text inside the longer one: shortened copies (nine in ten are found), and first reports that a
  later version extends. Articles that share only a photo gallery came to 91 %.
"""

from __future__ import annotations

import re
import struct

import numpy as np
import numpy.typing as npt

__all__ = ["same_story", "signature", "similarity"]

_VERSION = 1
"""Leads every signature: signatures of different versions are never compared."""

_SEED = 20240604
_SLOTS = 256
_WORDS_PER_RUN = 3
_HEAD = struct.Struct("<BI")
"""Version, number of different runs. Then 16 bits for each slot: one chance collision in 65,536."""

_SAME_WORDS = 0.8
_CONTAINED = 0.93
_LEAST_OVERLAP = 0.25
"""Containment is estimated only where both texts are of comparable length: below, its error passes 10 %."""
_LEAST_RUNS = 30
"""Shorter texts (a caption, a notice) occur inside others by chance."""

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
"""A word; in Chinese and Japanese, written without spaces, a character."""


def signature(text: str) -> bytes:
    """Summarise the words of a canonical text in 517 bytes; equal texts give equal signatures on every machine."""
    from rensa import RMinHash

    words = [match[0].casefold() for match in _WORD.finditer(text)]
    runs = {" ".join(words[i : i + _WORDS_PER_RUN]) for i in range(max(1, len(words) - _WORDS_PER_RUN + 1))}
    minhash = RMinHash(num_perm=_SLOTS, seed=_SEED)
    minhash.update(sorted(runs))
    slots = np.array(minhash.digest(), np.uint32).astype("<u2")
    return _HEAD.pack(_VERSION, len(runs)) + slots.tobytes()


def similarity(a: bytes, b: bytes) -> float:
    """Estimate the share of word runs two texts have in common (Jaccard, 0 to 1; standard error at most 0.03).

    Signatures made by another version of this module resemble nothing: 0.
    """
    if a[:1] != b[:1] or len(a) != len(b) or len(a) != _HEAD.size + 2 * _SLOTS or a[0] != _VERSION:
        return 0.0
    return float(np.mean(_slots(a) == _slots(b)))


def same_story(a: bytes, b: bytes) -> bool:
    """Whether two signatures are of one story: nearly the same words, or one text nearly whole inside the other."""
    jaccard = similarity(a, b)
    if jaccard >= _SAME_WORDS:
        return True
    if jaccard < _LEAST_OVERLAP:
        return False
    sizes: tuple[int, int] = _HEAD.unpack_from(a)[1], _HEAD.unpack_from(b)[1]
    shared = jaccard * sum(sizes) / (1 + jaccard)
    return min(sizes) >= _LEAST_RUNS and shared >= _CONTAINED * min(sizes)


def _slots(packed: bytes) -> npt.NDArray[np.uint16]:
    return np.frombuffer(packed, "<u2", offset=_HEAD.size)
