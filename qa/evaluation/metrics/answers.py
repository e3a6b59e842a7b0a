"""How well an answer's words agree with the accepted ones; reads SQuAD 1.1 and 2.0 files.

Sources: the official script of Rajpurkar et al., "Know What You Don't Know: Unanswerable Questions for SQuAD" (2018);
Mallen et al., "When Not to Trust Language Models" (2023), who count an answer as right that contains an accepted one;
here after SQuAD's normalisation and on whole words, so that "7" is not found in "2017".
"""

from __future__ import annotations

import gzip
import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from embeddings.types import Article, article_version

__all__ = ["SquadQuestion", "contains", "exact_match", "f1", "normalise", "read_questions", "read_squad", "said"]


class SquadQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """One question on one paragraph."""

    id: str
    question: str
    article_id: str
    """The paragraph it was asked on, as an article of its own."""
    group: str
    """Title of the whole article: questions of one group are not independent."""
    answers: tuple[tuple[str, int], ...]
    """Accepted answers with their offsets in the paragraph; empty for an unanswerable question."""


class _Answer(msgspec.Struct):
    text: str
    answer_start: int


class _Question(msgspec.Struct):
    id: str
    question: str
    answers: list[_Answer]


class _Paragraph(msgspec.Struct):
    context: str
    qas: list[_Question]


class _Entry(msgspec.Struct):
    title: str
    paragraphs: list[_Paragraph]


class _File(msgspec.Struct):
    data: list[_Entry]


def read_squad(path: Path) -> tuple[list[Article], list[SquadQuestion]]:
    """Read a file: every paragraph becomes an article whose text is untouched, so that offsets hold."""
    articles, questions = [], []
    for entry in msgspec.json.decode(path.read_bytes(), type=_File).data:
        title = entry.title.replace("_", " ")
        for number, paragraph in enumerate(entry.paragraphs):
            article_id = f"{path.stem}-{entry.title}-{number}"
            version = article_version(paragraph.context)
            articles.append(Article(id=article_id, version=version, title=title, text=paragraph.context))
            questions += [
                SquadQuestion(
                    id=item.id,
                    question=item.question,
                    article_id=article_id,
                    group=entry.title,
                    answers=tuple((answer.text, answer.answer_start) for answer in item.answers),
                )
                for item in paragraph.qas
            ]
    return articles, questions


class _Row(msgspec.Struct):
    id: str
    question: str
    context: str
    answers: list[_Answer]
    group: str = ""


def read_questions(path: Path) -> tuple[list[Article], list[SquadQuestion]]:
    """Read a SQuAD file, or (`.jsonl.gz`) lines of questions, each with its paragraph."""
    if path.suffix != ".gz":
        return read_squad(path)
    articles: dict[str, Article] = {}
    questions = []
    with gzip.open(path, "rb") as lines:
        for row in (msgspec.json.decode(line, type=_Row) for line in lines):
            version = article_version(row.context)
            articles[version] = Article(id=version[:20], version=version, title="", text=row.context)
            answers = tuple((answer.text, answer.answer_start) for answer in row.answers)
            questions.append(
                SquadQuestion(
                    id=row.id, question=row.question, article_id=version[:20], group=row.group, answers=answers
                )
            )
    return list(articles.values()), questions


def normalise(text: str) -> str:
    """Lower case, without punctuation, articles and extra space.

    >>> normalise("The  Bab-Tobruk, district")
    'babtobruk district'
    """
    bare = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def exact_match(prediction: str, answers: Iterable[str]) -> float:
    """1 where the prediction equals an accepted answer; no accepted answer means that none must be given."""
    return float(any(normalise(prediction) == normalise(answer) for answer in list(answers) or [""]))


def f1(prediction: str, answers: Sequence[str]) -> float:
    """Best token F1 against the accepted answers.

    >>> round(f1("about 125,000 residents", ["125,000"]), 2)
    0.5
    """
    return max((_f1(prediction, answer) for answer in answers or [""]), default=0.0)


def _f1(prediction: str, answer: str) -> float:
    said, accepted = normalise(prediction).split(), normalise(answer).split()
    if not said or not accepted:
        return float(said == accepted)
    common = sum((Counter(said) & Counter(accepted)).values())
    return 2 * common / (len(said) + len(accepted)) if common else 0.0


def contains(text: str, answers: Iterable[str]) -> float:
    """1 where an accepted answer stands in the text as a run of whole words.

    >>> contains("It was closed in 2017.", ["2017"]), contains("It was closed in 2017.", ["7"])
    (1.0, 0.0)
    """
    words = normalise(text).split()
    return float(any(_holds(words, normalise(answer).split()) for answer in answers))


def said(text: str, phrases: Sequence[str]) -> tuple[str, ...]:
    """Those of the phrases that the text contains."""
    return tuple(phrase for phrase in phrases if contains(text, [phrase]))


def _holds(words: Sequence[str], run: Sequence[str]) -> bool:
    return bool(run) and any(list(words[at : at + len(run)]) == list(run) for at in range(len(words) - len(run) + 1))
