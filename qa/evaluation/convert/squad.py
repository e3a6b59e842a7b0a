"""SQuAD 1.1 and 2.0 files: takes the published JSON, gives a question a row and every paragraph as an article."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from embeddings.cleaning.article import clean
from embeddings.types import Article, RawArticle
from qa.evaluation.convert.converted import ArticleRow, Converted
from qa.evaluation.errors import InvalidDataset
from qa.evaluation.metrics.squad import SquadQuestion, read_squad
from qa.evaluation.types import Example, GoldSpan

__all__ = ["convert"]

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def convert(paths: Sequence[Path]) -> Converted:
    """Gold offsets are those in the text as it will be stored: cleaning moves a few. Raises InvalidDataset."""
    examples: list[Example] = []
    articles: list[ArticleRow] = []
    for path in paths:
        try:
            paragraphs, questions = read_squad(path)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidDataset(f"{path.name}: not a SQuAD file ({error})") from None
        rows = {paragraph.id: _row(paragraph) for paragraph in paragraphs}
        stored = {name: clean(RawArticle(text=row.text, title=row.title, id=row.id)) for name, row in rows.items()}
        articles += rows.values()
        examples += [_example(question, stored[question.article_id]) for question in questions]
    return Converted(examples=tuple(examples), articles=tuple(articles))


def _row(paragraph: Article) -> ArticleRow:
    return ArticleRow(
        id=_UNSAFE.sub("_", paragraph.id)[-200:].lstrip("._-"), title=paragraph.title, text=paragraph.text
    )


def _example(question: SquadQuestion, stored: Article) -> Example:
    return Example(
        id=question.id,
        question=question.question.strip(),
        answerable=bool(question.answers),
        answers=tuple(dict.fromkeys(text for text, _ in question.answers)),
        gold=tuple(dict.fromkeys(_span(text, at, stored) for text, at in question.answers)),
        gold_article_ids=(stored.id,) if question.answers else (),
        group=question.group,
    )


def _span(text: str, at: int, stored: Article) -> GoldSpan:
    """The occurrence of the answer nearest to where it stood before cleaning; without offsets where it is gone."""
    places = [match.start() for match in re.finditer(re.escape(text), stored.text)]
    if not places:
        return GoldSpan(article_id=stored.id, text=text)
    start = min(places, key=lambda place: abs(place - at))
    return GoldSpan(article_id=stored.id, text=text, start=start, end=start + len(text))
