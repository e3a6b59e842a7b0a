"""Gives texts and pairs of texts from the sample articles, in tokens: on them an export measures what is wide."""

from __future__ import annotations

import shutil
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import seeds
from embeddings import readers
from embeddings.encoders.weights import BUNDLED_MODEL, locate
from embeddings.types import RawArticle
from qa.training.export import End, Tokens, export_int8, weights_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["export_pair_network", "sample_pairs", "sample_texts"]

_CHARACTERS = 900
"""Of a sample, some 200 tokens."""


def sample_texts(tokenizer: Path, *, most: int) -> list[Tokens]:
    """Parts of articles and questions, of at most so many tokens."""
    cut = _cutter(tokenizer, most)
    return [_tokens(cut, text) for text in [*_parts(), *_questions()]]


def sample_pairs(tokenizer: Path, *, most: int) -> list[Tokens]:
    """Each part of an article behind a question."""
    cut = _cutter(tokenizer, most)
    return [_tokens(cut, question, part) for question, part in zip(cycle(_questions()), _parts(), strict=False)]


def export_pair_network(model: Any, path: Path, *, end: End, most: int) -> str:
    """Write the int8 network of a model that reads two texts, of `most` tokens together, and its tokenizer beside it.

    Gives the network's SHA-256. The model is one of the transformers library.
    """
    tokenizer = path.parent / "tokenizer.json"
    shutil.copyfile(locate(BUNDLED_MODEL) / "tokenizer.json", tokenizer)
    heads, samples = model.config.num_attention_heads, sample_pairs(tokenizer, most=most)
    return export_int8(weights_of(model), path, heads=heads, end=end, samples=samples)


def _parts() -> list[str]:
    articles = [item for path in sorted(seeds.articles_dir().iterdir()) for item in readers.read(path)]
    texts = [article.text for article in articles if isinstance(article, RawArticle)]
    return [text[start : start + _CHARACTERS] for text in texts for start in range(0, len(text), _CHARACTERS)]


def _questions() -> list[str]:
    return [question.question for question in seeds.questions()[::4]]


def _cutter(tokenizer: Path, most: int) -> Tokenizer:
    from tokenizers import Tokenizer

    cut = Tokenizer.from_file(str(tokenizer))
    cut.no_padding()
    cut.enable_truncation(most)
    return cut


def _tokens(cut: Tokenizer, text: str, second: str | None = None) -> Tokens:
    encoding = cut.encode(text, second)
    return np.array([encoding.ids], np.int64), np.array([encoding.type_ids], np.int64)
