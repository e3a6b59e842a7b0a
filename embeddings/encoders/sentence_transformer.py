"""The real encoder: any sentence-transformers model found on this machine, run on the CPU."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embeddings.encoders.encoder import BUNDLED_MODEL, LIBRARY_NAME, EncoderIdentity, TokenVectors, locate, revision
from embeddings.errors import EncoderError
from embeddings.runtime import native_threads
from embeddings.types import Vector, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

__all__ = ["SentenceTransformerEncoder"]

_BATCH_SIZE = 32
"""Fastest of 16, 32 and 64 for 200-token passages on two cores."""
_SHORT_BATCH_SIZE = 8
"""For a few dozen texts of uneven length, where padding to the longest of a batch costs most: of 4, 8, 16 and 32 as
fast as 16 on sentences of 25 tokens, and two thirds faster than 32 where one text among them is very long."""
_HALFWAY = "halfway_embeddings"


class SentenceTransformerEncoder:
    """Pooling, prompts and normalisation as the model's own configuration says; vectors always unit length."""

    def __init__(self, name: str, *, threads: int = 0) -> None:
        self._folder = locate(name)
        # The name that stores know it by from when it was the default.
        self._name = BUNDLED_MODEL if name == LIBRARY_NAME else name
        self._threads = threads

    @cached_property
    def identity(self) -> EncoderIdentity:
        """Read from the model's files; the weights stay on disk."""
        return EncoderIdentity(
            name=self._name,
            revision=revision(self._folder),
            dimension=_dimension(self._folder),
            max_tokens=_max_tokens(self._folder),
            normalised=True,
        )

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed passages; shape (len(texts), dimension)."""
        if not texts:
            return np.zeros((0, self.identity.dimension), np.float32)
        rows = self._model.encode_document(
            list(texts), batch_size=_BATCH_SIZE, show_progress_bar=False, normalize_embeddings=True
        )
        return np.ascontiguousarray(rows, np.float32)

    def encode_query(self, text: str) -> Vector:
        """Embed one question; the encoder reads at most `identity.max_tokens` of it."""
        row = self._model.encode_query([text], show_progress_bar=False, normalize_embeddings=True)[0]
        return np.ascontiguousarray(row, np.float32)

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embed short texts, keeping the last hidden state of every token, and the one half-way up."""
        if not texts:
            return []
        outputs = self._model.encode(
            list(texts),
            batch_size=_SHORT_BATCH_SIZE,
            show_progress_bar=False,
            output_value=None,
            # A model's default prompt would come before the text and shift every token.
            prompt="",
        )
        return [self._token_vectors(text, output) for text, output in zip(texts, outputs, strict=True)]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length in the model's own tokens, special tokens and any passage prompt included; nothing is cut."""
        prompt = self._passage_prompt
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
    def _passage_prompt(self) -> str:
        prompts = _config(self._folder, "config_sentence_transformers.json").get("prompts") or {}
        return str(prompts.get("document") or prompts.get("passage") or "")

    @cached_property
    def _model(self) -> SentenceTransformer:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        torch.set_num_threads(native_threads(self._threads))
        model = SentenceTransformer(
            str(self._folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
        actual = model.get_embedding_dimension()
        if actual != self.identity.dimension:
            raise EncoderError(
                f"{self._folder} makes vectors of {actual} numbers, its files say {self.identity.dimension}"
            )
        _keep_halfway(model)
        return model

    def _token_vectors(self, text: str, output: dict[str, Any]) -> TokenVectors:
        keep = output["attention_mask"].bool()
        states = output["token_embeddings"][keep].numpy().astype(np.float32)
        encoding = self._tokenizer.encode(text)
        ids = output["input_ids"][keep].tolist()
        if encoding.ids[: len(ids) - 1] != ids[: len(ids) - 1]:
            raise EncoderError(f"{self._folder}: tokenizer.json and the model disagree on how to cut {text[:80]!r}")
        # Where the model cut the text, its closing special token stands in the place of a word.
        places = enumerate(zip(ids, encoding.ids, encoding.special_tokens_mask, strict=False))
        content = [i for i, (own, read, special) in places if own == read and not special]
        return TokenVectors(
            text=text,
            # With whole outputs the library leaves this to us, unless the model has a module for it.
            vector=_unit(output["sentence_embedding"].numpy().astype(np.float32)),
            spans=tuple(encoding.offsets[i] for i in content),
            tokens=_unit(states[content]),
            halfway=output[_HALFWAY][keep].numpy().astype(np.float32)[content] if _HALFWAY in output else None,
        )


def _keep_halfway(model: SentenceTransformer) -> None:
    """Let the model hand out the hidden states after half of its layers; of a model without a list of layers, nothing.

    They come along with the last ones: nothing is computed twice.
    """
    from torch import nn

    first = next(iter(model.children()), None)
    if first is None:
        return
    stacks = [module for module in first.modules() if isinstance(module, nn.ModuleList) and len(module) > 1]
    if not stacks:
        return
    layers = max(stacks, key=len)
    seen: list[Any] = []

    def keep(_layer: object, _given: object, output: Any) -> None:
        seen[:] = [output[0] if isinstance(output, tuple) else output]

    def hand_out(_module: object, _given: object, output: Any) -> Any:
        if seen:
            output[_HALFWAY] = seen.pop()
        return output

    layers[len(layers) // 2 - 1].register_forward_hook(keep)
    first.register_forward_hook(hand_out)


def _unit(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12), np.float32)


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
