"""The bundled encoder: all-MiniLM-L6-v2 as an int8 network, run by ONNX Runtime; no torch.

Activations are quantised by the range that they have in one run of the network, and texts of a batch would share one.
So each text has a run to itself: its vector, to the last bit, depends on no other text, on no padding and on no number
of threads. Between kinds of processors, whose instructions round differently, it may differ a little.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from embeddings.encoders import BUNDLED_MODEL, EncoderIdentity
from embeddings.runtime import native_threads, open_session, open_tokenizer
from embeddings.types import Vector, Vectors

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

INPUT, OUTPUT = "input_ids", "vector"
_MARKS = r".,;:!?\"'()\-“”‘’–—…"
"""Each is one token, whatever stands beside it. No square brackets: "[SEP]" is one, too."""
_WORD_OR_MARK = re.compile(rf"[^ \n{_MARKS}]+|[{_MARKS}]")
_MOST_WORDS = 50_000
"""Words remembered, some 5 MB."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the files of the network are; `qa.training.ship` writes it."""

    revision: str
    """Of the model it was made from, see `EncoderIdentity`."""
    dimension: int
    max_tokens: int
    network: str
    """SHA-256 (hex) of `encoder.onnx`."""
    tokenizer: str
    """SHA-256 (hex) of `tokenizer.json`."""


class BundledEncoder:
    """One long-lived session over the files in `bundled_network`, used by as many threads as there are to be."""

    def __init__(self, *, threads: int = 0) -> None:
        """Nothing is loaded before the first text. `threads` of 0 means one per processor this process may use."""
        self._threads = threads
        self._lengths: dict[str, int] = {}
        """Of words, in tokens."""
        with as_file(files("embeddings.encoders").joinpath("bundled_network")) as folder:
            self._folder = Path(folder)

    @cached_property
    def identity(self) -> EncoderIdentity:
        """The model's revision, and the network that its vectors are from."""
        return EncoderIdentity(
            name=BUNDLED_MODEL,
            revision=self._facts.revision,
            dimension=self._facts.dimension,
            max_tokens=self._facts.max_tokens,
            normalised=True,
            runtime=f"onnxruntime int8 {self._facts.network[:12]}",
        )

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed passages; shape (len(texts), dimension)."""
        if not texts:
            return np.zeros((0, self.identity.dimension), np.float32)
        cut = [encoding.ids for encoding in self._cutter.encode_batch_fast(list(texts))]
        threads = min(native_threads(self._threads), len(cut))
        self._session  # noqa: B018 - opened here, or each thread would open its own
        return np.stack(list(self._pool.map(self._vector, cut)) if threads > 1 else [self._vector(ids) for ids in cut])

    def encode_query(self, text: str) -> Vector:
        """Embed one question; the encoder reads at most `identity.max_tokens` of it."""
        return self._vector(self._cutter.encode(text).ids)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length in the model's own tokens, special tokens included; nothing is cut.

        No token of this model reaches over a space, a line or one of `_MARKS`; so a text is as long as its words and
        marks. They are counted once and remembered: cutting an article counts all of it twice.
        """
        known = self._lengths
        if len(known) > _MOST_WORDS:  # whoever counts beside us keeps the one that it began with
            known = self._lengths = {}
        apart = [_WORD_OR_MARK.findall(text) for text in texts]
        new = list(set().union(*apart).difference(known))
        nothing, *read = self._tokenizer.encode_batch_fast(["", *new])
        special = len(nothing)
        known.update({word: len(found) - special for word, found in zip(new, read, strict=True)})
        return [special + sum(map(known.__getitem__, words)) for words in apart]

    def _vector(self, ids: Sequence[int]) -> Vector:
        (rows,) = self._session.run([OUTPUT], {INPUT: np.array([ids], np.int64)})
        return np.asarray(rows[0], np.float32)

    @cached_property
    def _facts(self) -> Facts:
        return msgspec.json.decode((self._folder / "encoder.json").read_bytes(), type=Facts)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return open_tokenizer(self._folder / "tokenizer.json", sha256=self._facts.tokenizer)

    @cached_property
    def _cutter(self) -> Tokenizer:
        tokenizer = open_tokenizer(self._folder / "tokenizer.json", sha256=self._facts.tokenizer)
        tokenizer.enable_truncation(self._facts.max_tokens)
        return tokenizer

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        # One thread a run: runs beside each other use the processors better than one run does that is split up.
        return open_session(self._folder / "encoder.onnx", sha256=self._facts.network, threads=1)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(native_threads(self._threads), thread_name_prefix="encoder")
