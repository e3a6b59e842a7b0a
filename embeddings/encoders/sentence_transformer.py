"""An encoder for any sentence-transformers model on this machine, run on the CPU."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embeddings.encoders import BUNDLED_MODEL, LIBRARY_NAME, EncoderIdentity, locate, revision
from embeddings.errors import EncoderError
from embeddings.runtime import native_threads
from embeddings.types import Vector, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

_BATCH_SIZE = 32
"""Fastest of 16, 32 and 64 for 200-token passages on two cores."""
SAFELY: Mapping[str, Any] = {
    "device": "cpu",
    "local_files_only": True,
    "trust_remote_code": False,
    "model_kwargs": {"use_safetensors": True},
}
"""How any model is loaded: nothing is downloaded, and no code of it is run."""


def prepare_torch(*, threads: int) -> None:
    """Let torch use so many threads (0: one per processor), and its libraries draw no bars."""
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.set_num_threads(native_threads(threads))


class CrossEncoderModel:
    """A model on this machine that reads two texts together; its weights are read when it is first used."""

    def __init__(self, name: str, *, threads: int = 0) -> None:
        """Raises EncoderError where it is not on this machine."""
        self._folder = locate(name)
        self._name = name
        self._threads = threads

    @cached_property
    def identity(self) -> str:
        """The model's name and a hash of its files."""
        return f"cross-encoder {self._name} {revision(self._folder)[:12]}"


class SentenceTransformerEncoder:
    """Pooling and normalisation as the model's own configuration says, and prompts, unless others are given; vectors
    always unit length."""

    def __init__(self, name: str, *, threads: int = 0, query_prompt: str = "", passage_prompt: str = "") -> None:
        """A space is put behind a given prompt: settings have none at their ends."""
        self._folder = locate(name)
        given = {"query": query_prompt, "document": passage_prompt}
        self._given = {use: f"{prompt} " if prompt else "" for use, prompt in given.items()}
        # The name that stores know it by from when it was the default.
        self._name = BUNDLED_MODEL if name == LIBRARY_NAME else name
        self._threads = threads

    @cached_property
    def identity(self) -> EncoderIdentity:
        """Read from the model's files; the weights stay on disk."""
        return EncoderIdentity(
            name=self._name,
            revision=self._revision(),
            dimension=_dimension(self._folder),
            max_tokens=_max_tokens(self._folder),
            normalised=True,
        )

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed passages; shape (len(texts), dimension)."""
        if not texts:
            return np.zeros((0, self.identity.dimension), np.float32)
        rows = self._model.encode_document(
            list(texts),
            prompt=self._prompts["document"],
            batch_size=_BATCH_SIZE,
            show_progress_bar=False,
            normalize_embeddings=True,
        )
        return np.ascontiguousarray(rows, np.float32)

    def encode_query(self, text: str) -> Vector:
        """Embed one question; the encoder reads at most `identity.max_tokens` of it."""
        row = self._model.encode_query(
            [text], prompt=self._prompts["query"], show_progress_bar=False, normalize_embeddings=True
        )[0]
        return np.ascontiguousarray(row, np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length in the model's own tokens, special tokens and any passage prompt included; nothing is cut."""
        prompt = self._prompts["document"]
        counted = self._tokenizer.encode_batch_fast([prompt + text for text in texts])
        return [len(encoding.ids) for encoding in counted]

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        # The file carries the training set-up (cut and pad to 128): both would falsify every count.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _prompts(self) -> Mapping[str, str]:
        """Those given, else the model's own. The library takes a prompt for passages by the first of these names alone,
        and none by default."""
        own, default = self._own_prompts()
        names = {"query": ("query",), "document": ("document", "passage", "corpus")}
        return {
            use: self._given[use] or next((own[name] for name in known if own.get(name)), default)
            for use, known in names.items()
        }

    def _own_prompts(self) -> tuple[Mapping[str, str], str]:
        config = _config(self._folder, "config_sentence_transformers.json")
        own = {name: prompt or "" for name, prompt in (config.get("prompts") or {}).items()}
        return own, own.get(config.get("default_prompt_name") or "", "")

    def _revision(self) -> str:
        """Of the files; with other prompts than the library takes of them, of these, too: they shape the vectors."""
        files, own = revision(self._folder), self._own_prompts()[0]
        if all(prompt == own.get(use, "") for use, prompt in self._prompts.items()):
            return files
        return hashlib.sha256(f"{files}\0{json.dumps(self._prompts)}".encode()).hexdigest()

    @cached_property
    def _model(self) -> SentenceTransformer:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import SentenceTransformer

        prepare_torch(threads=self._threads)
        model = SentenceTransformer(str(self._folder), **SAFELY)
        actual = model.get_embedding_dimension()
        if actual != self.identity.dimension:
            raise EncoderError(
                f"{self._folder} makes vectors of {actual} numbers, its files say {self.identity.dimension}"
            )
        return model


def _config(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not path.is_file():
        return {}
    loaded = json.loads(path.read_text(encoding="utf-8"))
    return loaded if isinstance(loaded, dict) else {}


def _dimension(folder: Path) -> int:
    """Vector length, from the last module that sets one."""
    for config in sorted(folder.glob("*/config.json"), reverse=True):
        found = _config(folder, str(config.relative_to(folder)))
        for key in ("out_features", "word_embedding_dimension", "embedding_dimension"):
            if key in found:
                return int(found[key])
    found = _config(folder, "config.json")
    if "hidden_size" not in found:
        raise EncoderError(f"{folder} does not look like a sentence-transformers model: no dimension in its files")
    return int(found["hidden_size"])


def _max_tokens(folder: Path) -> int:
    """Longest input the model reads: the least of what its files say, wherever a library version wrote it."""
    said = (
        _config(folder, "sentence_bert_config.json").get("max_seq_length"),
        _config(folder, "tokenizer_config.json").get("model_max_length"),
        _config(folder, "config.json").get("max_position_embeddings"),
    )
    return min((int(limit) for limit in said if limit and limit > 0), default=512)
