"""Hands cleaned articles to the corpus: cuts them into passages, encodes in batches, writes each as a whole.

Passages of many articles share a batch, since an encoder is fastest with many texts at once; an article is written
as soon as all its vectors are there, so a crash costs the work of one batch. What the encoder would read word for word
as before keeps the vector that the corpus has of it: to say something else of a text encodes nothing.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np

from embeddings.chunking.passages import RECIPE, encoder_input, encoder_title, split
from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.errors import InputError, InvalidArticle
from embeddings.near_duplicates import signature
from embeddings.runtime import Stopwatch
from embeddings.store import database
from embeddings.types import Article, EncodedPassage, IndexedArticle, Passage, Rejected, Vector, Vectors

Write = Callable[[Sequence[IndexedArticle]], None]
BATCH_PASSAGES = 256
_STEP_PASSAGES = 64
"""So many are encoded at a time, of like length; after each step it is told how far it is."""


class _Waiting(msgspec.Struct, frozen=True):
    """An article cut into passages, not yet encoded."""

    article: Article
    passages: tuple[Passage, ...]
    inputs: tuple[str, ...]
    """What the encoder reads, passage by passage."""
    known_by: tuple[str, ...]


class Indexer:
    """Collects articles into batches. `add` and `finish` say what became durable, or could not be stored."""

    def __init__(
        self,
        *,
        corpus: Corpus,
        encoder: Encoder,
        batch_passages: int = BATCH_PASSAGES,
        should_stop: Callable[[], bool] = lambda: False,
        on_encoded: Callable[[int, int], None] = lambda _, __: None,
        clock: Stopwatch | None = None,
        write: Write | None = None,
    ) -> None:
        """`should_stop` is asked between batches; `on_encoded` hears of every step how many passages it had
        and how many are still to do; `clock` is told of the steps of a batch; `write` stands for `corpus.replace`."""
        self._put = write or corpus.replace
        self._corpus = corpus
        self._clock = clock or Stopwatch()
        self._encoder = encoder
        self._batch = batch_passages
        self._should_stop = should_stop
        self._on_encoded = on_encoded
        self._waiting: list[_Waiting] = []
        self.waiting = 0
        """Passages cut and not yet encoded."""

    def add(self, article: Article, *, known_by: tuple[str, ...] = ()) -> list[Article | Rejected]:
        """Take one article, and what it is known by beside its id; where that fills a batch, encode and write it.

        An article whose id is waiting already is written after the one before it, and so takes its place.
        """
        written = self.finish() if any(one.article.id == article.id for one in self._waiting) else []
        self._waiting.append(self._cut(article, known_by))
        self.waiting += len(self._waiting[-1].inputs)
        if sum(len(one.inputs) for one in self._waiting) < self._batch:
            return written
        return written + self.finish()

    def finish(self) -> list[Article | Rejected]:
        """Encode and write what waits. After a stop, only articles that are encoded whole are written."""
        waiting, self._waiting = self._waiting, []
        self._clock.lap("cut")
        known = self._known(waiting)
        new = [text for one in waiting for text in one.inputs if text not in known]
        self.waiting = len(new)
        made = iter(self._encode(new))
        self._clock.lap("encode")
        ready = []
        for one in waiting:
            rows = [known[text] if text in known else next(made, None) for text in one.inputs]
            encoded = [row for row in rows if row is not None]
            if len(encoded) == len(rows):
                ready.append(_indexed(one, encoded))
        written = self._write(ready)
        self._clock.lap("write")
        return written

    def _cut(self, article: Article, known_by: tuple[str, ...]) -> _Waiting:
        count, max_tokens = self._encoder.count_tokens, self._encoder.identity.max_tokens
        passages = split(article, max_tokens=max_tokens, count=count)
        return _Waiting(article, passages, self._inputs(article, passages), known_by)

    def _inputs(self, article: Article, passages: Iterable[Passage]) -> tuple[str, ...]:
        count, max_tokens = self._encoder.count_tokens, self._encoder.identity.max_tokens
        title = encoder_title(article.title, max_tokens=max_tokens, count=count)
        return tuple(encoder_input(title, passage.text) for passage in passages)

    def _known(self, waiting: Sequence[_Waiting]) -> dict[str, Vector]:
        """What the corpus holds of these articles, undamaged: vectors by what the encoder read for each."""
        held = self._corpus.encoded([one.article.id for one in waiting]).values()
        return {
            text: encoded.vector
            for one in held
            for text, encoded in zip(
                self._inputs(one.article, [each.passage for each in one.passages]), one.passages, strict=True
            )
        }

    def _encode(self, texts: Sequence[str]) -> Vectors:
        """Encode batch by batch, up to a stop: then there are fewer vectors than texts."""
        vectors = [np.zeros((0, self._encoder.identity.dimension), np.float32)]
        for start in range(0, len(texts), self._batch):
            if self._should_stop():
                break
            vectors.append(self._encode_batch(texts[start : start + self._batch]))
        self.waiting = 0
        return np.concatenate(vectors)

    def _encode_batch(self, texts: Sequence[str]) -> Vectors:
        """Encode step by step, short texts first: each is padded to the longest of its step."""
        vectors = np.empty((len(texts), self._encoder.identity.dimension), np.float32)
        by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(texts), _STEP_PASSAGES):
            rows = by_length[start : start + _STEP_PASSAGES]
            vectors[rows] = self._encoder.encode_passages([texts[row] for row in rows])
            self.waiting -= len(rows)
            self._on_encoded(len(rows), self.waiting)
        return vectors

    def _write(self, ready: Sequence[IndexedArticle]) -> list[Article | Rejected]:
        """Write a batch; where the corpus refuses it for one article, write the others without that one."""
        if not ready:
            return []
        try:
            self._put(ready)
        except InputError as error:
            if len(ready) == 1:
                return [Rejected(origin=ready[0].article.id, reason=str(error))]
            return [outcome for one in ready for outcome in self._write([one])]
        return [one.article for one in ready]


def fingerprint(article: Article) -> str:
    """Name what an article says and how it is cut: where the corpus has it under this name, nothing is to do.

    The encoder is not in it: the corpus keeps apart what each encoder made.
    """
    return database.with_recipe(database.fingerprint(article), RECIPE)


def index_articles(
    articles: Iterable[Article], *, corpus: Corpus, encoder: Encoder, write: Write | None = None
) -> None:
    """Put cleaned articles into a corpus as they are, whatever it holds of them; `write` stands for `corpus.replace`.

    Raises InvalidArticle for the first that cannot be stored.
    """
    indexer = Indexer(corpus=corpus, encoder=encoder, write=write)
    for article in articles:
        _require_written(indexer.add(article))
    _require_written(indexer.finish())


def _require_written(outcomes: Sequence[Article | Rejected]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, Rejected):
            raise InvalidArticle(f"article {outcome.origin!r} was not stored: {outcome.reason}")


def _indexed(one: _Waiting, rows: Sequence[Vector]) -> IndexedArticle:
    encoded = (EncodedPassage(passage=passage, vector=row) for passage, row in zip(one.passages, rows, strict=True))
    return IndexedArticle(
        article=one.article,
        passages=tuple(encoded),
        signature=signature(one.article.text),
        recipe=RECIPE,
        known_by=one.known_by,
    )
