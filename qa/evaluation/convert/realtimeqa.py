"""RealTimeQA: takes its weekly `*_qa.jsonl` files with the `*_gcs.jsonl` beside them, gives questions and articles.

Also takes rows in which the answers are written out (`id`, `question`, `asked_at`, `answers`, `gold_urls`).
Source: Kasai et al., "RealTime QA: What's the Answer Right Now?" (2023).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from embeddings.cleaning.urls import host_of, normalised_url
from qa.evaluation.convert.converted import ArticleRow, Converted, read_rows
from qa.evaluation.errors import InvalidDataset
from qa.evaluation.types import Example

__all__ = ["convert"]

_LINK = re.compile(r"href=[\"']([^\"']+)[\"']", re.IGNORECASE)
_MARKUP = re.compile(r"<[^>]+>")


class _Published(msgspec.Struct, frozen=True):
    """A row of a `*_qa.jsonl` file."""

    question_id: str
    question_date: str
    question_sentence: str
    choices: list[str]
    answer: list[str]
    """Places in `choices`, as text."""
    evidence: str = ""


class _WrittenOut(msgspec.Struct, frozen=True, kw_only=True):
    """A row in which the answers are written out."""

    id: str
    question: str
    asked_at: str
    answers: tuple[str, ...]
    choices: tuple[str, ...] = ()
    gold_urls: tuple[str, ...] = ()


class _Found(msgspec.Struct, frozen=True):
    """An article that a search engine found; `text` is missing where it could not be fetched."""

    url: str
    title: str | None = ""
    text: str | None = ""
    authors: list[str] | None = None
    publish_date: str | None = None


class _Search(msgspec.Struct, frozen=True):
    """A row of a `*_gcs.jsonl` file."""

    question_id: str
    search_result: list[_Found]


def convert(paths: Sequence[Path]) -> Converted:
    """The week is the group. Whether the articles answer a question is not known. Raises InvalidDataset."""
    examples: list[Example] = []
    articles: dict[str, ArticleRow] = {}
    for place, row in read_rows(paths, dict[str, object]):
        try:
            if "search_result" in row:
                for found in msgspec.convert(row, _Search).search_result:
                    _collect(found, articles)
            elif "question_sentence" in row:
                examples.append(_published(msgspec.convert(row, _Published)))
            else:
                examples.append(_written_out(msgspec.convert(row, _WrittenOut)))
        except (msgspec.ValidationError, ValueError) as error:
            raise InvalidDataset(f"{place}: not a row of RealTimeQA ({error})") from None
    return Converted(examples=tuple(examples), articles=tuple(articles.values()))


def _published(row: _Published) -> Example:
    return Example(
        id=row.question_id,
        question=_MARKUP.sub("", row.question_sentence).strip(),
        asked_at=row.question_date.replace("/", "-"),
        answers=_answers([_choice(row.choices, place) for place in row.answer]),
        gold_urls=_links(_LINK.findall(row.evidence)),
        group=row.question_id.split("_")[0],
        tags=("multiple_choice",) if row.choices else (),
    )


def _choice(choices: Sequence[str], place: str) -> str:
    """The choice at a place, from 0. Raises ValueError where there is none."""
    if not place.isdecimal() or int(place) >= len(choices):
        raise ValueError(f"answer {place!r} is none of its {len(choices)} choices, counted from 0")
    return choices[int(place)]


def _written_out(row: _WrittenOut) -> Example:
    return Example(
        id=row.id,
        question=row.question,
        asked_at=row.asked_at,
        answers=_answers(row.answers),
        gold_urls=_links(row.gold_urls),
        group=row.id.split("_")[0],
        tags=("multiple_choice",) if row.choices else (),
    )


def _answers(written: Sequence[str]) -> tuple[str, ...]:
    """As written, and without the quotation marks around a title: who answers need not write them."""
    bare = (answer.strip().strip("“”\"‘’'").strip() for answer in written)
    return tuple(dict.fromkeys([*written, *(answer for answer in bare if answer)]))


def _links(written: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(url for url in map(normalised_url, written) if url is not None))


def _collect(found: _Found, articles: dict[str, ArticleRow]) -> None:
    url = normalised_url(found.url)
    if url is None or not (found.text or "").strip():
        return
    kept = articles.get(url)
    if kept is None or len(found.text or "") > len(kept.text):
        articles[url] = ArticleRow(
            url=url,
            title=found.title or "",
            text=found.text or "",
            source=host_of(url),
            published_at=found.publish_date.replace("/", "-") if found.publish_date else None,
            authors=tuple(found.authors or ()),
        )
