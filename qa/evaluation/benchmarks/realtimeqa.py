"""RealTimeQA as a corpus of news: which articles hold which answers.

Source: Kasai et al., "RealTime QA: What's the Answer Right Now?" (2023).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from embeddings.cleaning.identity import normalised_url
from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder
from embeddings.ingest import ingest
from embeddings.parsers import read
from embeddings.types import Where
from qa.evaluation.convert import convert_realtimeqa
from qa.evaluation.metrics.answers import normalise
from qa.evaluation.types import Example
from qa.language.dates import is_after, moment

__all__ = [
    "Holders",
    "Pool",
    "draw",
    "gold_ids",
    "news_corpus",
    "news_questions",
    "pool_of",
    "split",
]

_PAGE = 500
_WITHHELD_SHARE = 0.3


class _Text(msgspec.Struct, frozen=True):
    id: str
    url: str
    published_at: str | None
    words: str
    """Title and text as SQuAD normalises answers, with a space at both ends."""


class Pool(msgspec.Struct, frozen=True):
    """Every article, ready to be searched for whole words."""

    texts: tuple[_Text, ...]


class Holders(msgspec.Struct, frozen=True, kw_only=True):
    """Articles that answer a question, or hold the words of an answer to it."""

    all: tuple[str, ...]
    in_time: tuple[str, ...]
    """Those among them that were out when the question was asked."""


@contextmanager
def news_corpus(articles: Path, *, encoder: Encoder, cache: Path) -> Iterator[Corpus]:
    """The articles of a file, read and cleaned as any others; what is stored already is not encoded again."""
    name = hashlib.sha256(articles.read_bytes() + encoder.identity.key.encode()).hexdigest()[:24]
    corpus = EmbeddedCorpus.open(cache / f"news-{name}", identity=encoder.identity)
    try:
        ingest(read(articles), corpus=corpus, encoder=encoder)
        yield corpus
    finally:
        corpus.close()


def news_questions(path: Path) -> tuple[Example, ...]:
    """Questions that have an answer."""
    return tuple(example for example in convert_realtimeqa([path]).examples if example.answers)


def pool_of(corpus: Corpus) -> Pool:
    """Read every article once."""
    texts: list[_Text] = []
    after: str | None = None
    while page := corpus.scan(where=Where(), after=after, limit=_PAGE):
        for one in page:
            words = f" {normalise(f'{one.title} {one.text}')} "
            texts.append(_Text(one.id, normalised_url(one.url) or "", one.published_at, words))
        after = page[-1].id
    return Pool(tuple(texts))


def gold_ids(example: Example, pool: Pool) -> tuple[str, ...]:
    """Articles of the pool that are known to answer."""
    return tuple(text.id for text in pool.texts if text.url and text.url in example.gold_urls)


def _withheld(example: Example, pool: Pool) -> Holders:
    """Articles that contain an answer as whole words, or are gold."""
    runs = [f" {words} " for answer in example.answers if (words := normalise(answer))]
    asked_at = moment(example.asked_at, field="asked_at") if example.asked_at else None
    found, in_time = [], []
    for text in pool.texts:
        if text.url in example.gold_urls or any(run in text.words for run in runs):
            found.append(text.id)
            if asked_at is None or not is_after(text.published_at, asked_at):
                in_time.append(text.id)
    return Holders(all=tuple(found), in_time=tuple(in_time))


def draw(examples: Sequence[Example], *, limit: int | None, seed: int = 0) -> tuple[Example, ...]:
    """So many questions, always the same ones."""
    if limit is None or limit >= len(examples):
        return tuple(examples)
    places = sorted(random.Random(seed).sample(range(len(examples)), limit))  # noqa: S311 - a sample, not a secret
    return tuple(examples[place] for place in places)


def split(examples: Sequence[Example], pool: Pool) -> tuple[Mapping[str, Holders], tuple[Example, ...]]:
    """Holders of every example, and the fixed 30 % of the examples from which these are withheld.

    Which ones is decided by a hash of the id alone, so that it is the same whatever else is asked.
    """
    holders = {example.id: _withheld(example, pool) for example in examples}
    ordered = sorted(examples, key=lambda example: hashlib.sha256(f"withheld {example.id}".encode()).digest())
    chosen = {example.id for example in ordered[: round(_WITHHELD_SHARE * len(ordered))]}
    hidden = tuple(
        msgspec.structs.replace(
            example,
            answerable=False,
            answers=(),
            gold_urls=(),
            withheld_article_ids=holders[example.id].all,
        )
        for example in examples
        if example.id in chosen
    )
    return holders, hidden
