"""The invented articles of news that were written for training, and the questions on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from embeddings.chunking.sentences import split_sentences
from qa.training.reader_data import Row, Span

WRITTEN = Path(__file__).parent / "news"
"""Invented articles of news with questions, written for this."""
WRITTEN_FOLDS = 5
PAIRS = "pairs"
"""Folder beside them: two articles each on one affair. What one leaves open the other may answer, so that nobody can
say that nothing does: none is held out."""
_NOT_HELD_OUT = 1
MOST_DECIDING = 25
"""Words; a reader takes 40 tokens at most."""


class WrittenQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question on an article that was written with it."""

    question: str
    sentence: str
    """How the sentence begins that holds the answer or what tempts."""
    answer: str | None
    tempting: str = ""
    """Words that only seem to answer, where nothing does."""
    why: str = ""


class WrittenArticle(msgspec.Struct, frozen=True, kw_only=True):
    """An invented article of news."""

    title: str
    published: str
    text: str
    questions: tuple[WrittenQuestion, ...]


class WrittenFurther(msgspec.Struct, frozen=True, kw_only=True):
    """More questions on one article, by its title: what somebody said, why, and what takes something false for true."""

    title: str
    questions: tuple[WrittenQuestion, ...]


class WrittenDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A question that yes or no answers, or nothing in the article."""

    question: str
    answer: Literal["yes", "no"] | None
    sentence: str
    """How the sentence begins that decides, or only seems to."""


class WrittenDecisions(msgspec.Struct, frozen=True, kw_only=True):
    """Those of one article, by its title."""

    title: str
    questions: tuple[WrittenDecision, ...]


_Made = TypeVar("_Made", WrittenFurther, WrittenDecisions)


def written_articles(path: Path) -> Iterator[tuple[int, WrittenArticle]]:
    """The invented articles of one file, each with its fold; one in five is of fold 0, the one held out."""
    decoder = msgspec.json.Decoder(WrittenArticle)
    for number, line in enumerate(path.read_bytes().splitlines()):
        yield number % WRITTEN_FOLDS, decoder.decode(line)


def written_rows(folder: Path = WRITTEN) -> Iterator[Row]:
    """The questions on invented news: of `*.jsonl` and of `pairs/*.jsonl`, the further ones of `further/*.jsonl`, and
    those that yes or no answers.

    Raises ValueError where an answer does not stand behind the beginning of its sentence, or an article is missing.
    """
    articles = _folds(folder)
    asked = [(fold, article, one, "written_news") for fold, article in articles for one in article.questions]
    by_title = {article.title: (fold, article) for fold, article in articles}
    for made in _beside(folder / "further", WrittenFurther):
        fold, article = by_title.get(made.title, (0, None))
        if article is None:
            raise ValueError(f"no article is called {made.title!r}")
        asked += [(fold, article, one, "written_news_further") for one in made.questions]
    for fold, article, question, source in asked:
        words = question.tempting if question.answer is None else question.answer
        at = article.text.find(words, article.text.find(question.sentence))
        if question.sentence not in article.text or at < 0:
            raise ValueError(f"{article.title!r}: {words!r} does not stand where {question.question!r} says")
        answered = question.answer is not None
        yield _row(article, question.question, Span(words, at), answered=answered, fold=fold, source=source)
    for article, decided in written_decisions(folder):
        span, (fold, _) = deciding(article.text, decided.sentence), by_title[article.title]
        answered = decided.answer is not None
        yield _row(article, decided.question, span, answered=answered, fold=fold, source="written_news_further")


def _folds(folder: Path) -> list[tuple[int, WrittenArticle]]:
    single, paired = (sorted(place.glob("*.jsonl")) for place in (folder, folder / PAIRS))
    articles = [each for path in single for each in written_articles(path)]
    return articles + [(_NOT_HELD_OUT, article) for path in paired for _, article in written_articles(path)]


def _beside(folder: Path, kind: type[_Made]) -> Iterator[_Made]:
    decoder = msgspec.json.Decoder(kind)
    for path in sorted(folder.glob("*.jsonl")):
        yield from map(decoder.decode, path.read_bytes().splitlines())


def _row(article: WrittenArticle, question: str, span: Span, *, answered: bool, fold: int, source: str) -> Row:
    return Row(
        question=question,
        context=article.text,
        answers=(span,) if answered else (),
        plausible_answers=() if answered else (span,),
        is_impossible=not answered,
        source=source,
        group=f"written:{article.title}",
        fold=fold,
    )


def deciding(text: str, sentence: str) -> Span:
    """The sentence that begins so, which decides yes or no; of a long one its last words, as many as a reader takes."""
    at = text.index(sentence)
    start, end = next((start, end) for start, end in split_sentences(text) if at < end)
    words = [(start + one.start(), start + one.end()) for one in re.finditer(r"\S+", text[start:end])]
    start = words[max(0, len(words) - MOST_DECIDING)][0]
    return Span(text[start:end], start)


def written_decisions(folder: Path = WRITTEN) -> Iterator[tuple[WrittenArticle, WrittenDecision]]:
    """The questions of `decisions/*.jsonl` on invented news, each with its article.

    Raises ValueError where no article has the title, or a sentence does not stand in it.
    """
    articles = {article.title: article for _, article in _folds(folder)}
    for made in _beside(folder / "decisions", WrittenDecisions):
        article = articles.get(made.title)
        for one in made.questions:
            if article is None or one.sentence not in article.text:
                raise ValueError(f"{made.title!r} does not hold {one.sentence!r}")
            yield article, one
