"""Converts datasets of other projects into examples and, if they have any, articles.

SQuAD 1.1 and 2.0: the published JSON, a question a row and every paragraph an article. CSV and TSV: columns named
like the fields of an example; those that hold several values (`answers`, `gold_urls`, `gold_article_ids`,
`must_not_say`, `conversation`, `tags`) part them by ` | `, or write a JSON list; `answerable` is true, false or
empty; empty cells mean: not known. ragas and deepeval: the reference is the accepted answer; what a system once
answered (`response`, `actual_output`) and retrieved is no part of a dataset. RealTimeQA (Kasai et al., 2023): weekly
`*_qa.jsonl` files with the `*_gcs.jsonl` beside them, or rows in which the answers are written out (`id`, `question`,
`asked_at`, `answers`, `gold_urls`).
"""

import csv
import hashlib
import io
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from embeddings.cleaning.article import clean
from embeddings.cleaning.identity import host_of, normalised_url
from embeddings.types import Article, RawArticle
from qa.evaluation import Example, GoldSpan, InvalidDataset
from qa.evaluation.dataset import line_problem, numbered_lines, read_dataset
from qa.evaluation.metrics.answers import SquadQuestion, read_squad

Row = TypeVar("Row")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_SINGLE = ("id", "question", "asked_at", "group")
_SEVERAL = ("answers", "gold_urls", "gold_article_ids", "must_not_say", "conversation", "withheld_article_ids", "tags")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_LINK = re.compile(r"href=[\"']([^\"']+)[\"']", re.IGNORECASE)
_MARKUP = re.compile(r"<[^>]+>")


class ArticleRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line for `qa ingest`."""

    text: str
    id: str | None = None
    title: str = ""
    url: str | None = None
    source: str | None = None
    published_at: str | None = None
    authors: tuple[str, ...] = ()


class Converted(msgspec.Struct, frozen=True, kw_only=True):
    """Examples, and the articles that came with them."""

    examples: tuple[Example, ...]
    articles: tuple[ArticleRow, ...] = ()
    notes: tuple[str, ...] = ()
    """What the format held that could not be carried over."""


def _read_rows(paths: Sequence[Path], row: type[Row]) -> Iterator[tuple[str, Row]]:
    """The rows of JSON Lines files, or of files that hold one JSON list, each with its place for messages.

    Raises InvalidDataset at the first that is no such row.
    """
    decoder = msgspec.json.Decoder(row)
    for path in paths:
        content = path.read_bytes()
        if content.lstrip(BOM_UTF8 + b" \t\r\n").startswith(b"["):
            yield from ((f"{path.name} item {number}", item) for number, item in enumerate(_list(path, row), start=1))
            continue
        for number, line in numbered_lines(content):
            try:
                yield f"{path.name}:{number}", decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise InvalidDataset(f"{path.name}:{number}: {_problem(error)}") from None


def _list(path: Path, row: type[Row]) -> list[Row]:
    try:
        return msgspec.json.decode(path.read_bytes().removeprefix(BOM_UTF8), type=list[row])  # type: ignore[valid-type]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidDataset(f"{path.name}: {_problem(error)}") from None


def _problem(error: msgspec.DecodeError | UnicodeDecodeError | RecursionError) -> str:
    if isinstance(error, msgspec.ValidationError):
        return f"{error}; is this the format that --from names?"
    return line_problem(error)


def _own(paths: Sequence[Path]) -> Converted:
    return Converted(examples=tuple(example for path in paths for example in read_dataset(path).examples))


def _convert_squad(paths: Sequence[Path]) -> Converted:
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
        examples += [_squad_example(question, stored[question.article_id]) for question in questions]
    return Converted(examples=tuple(examples), articles=tuple(articles))


def _row(paragraph: Article) -> ArticleRow:
    return ArticleRow(
        id=_UNSAFE.sub("_", paragraph.id)[-200:].lstrip("._-"), title=paragraph.title, text=paragraph.text
    )


def _squad_example(question: SquadQuestion, stored: Article) -> Example:
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


def _convert_table(paths: Sequence[Path]) -> Converted:
    """A row without `id` is named by its line. Raises InvalidDataset naming file, line and column."""
    examples = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidDataset(f"{path.name}: not valid UTF-8 ({error.reason}); save the table as UTF-8") from None
        table = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if path.suffix == ".tsv" else ",")
        columns = [name.strip() for name in table.fieldnames or ()]
        table.fieldnames = columns
        _check_columns(path, columns)
        examples += [_table_example(row, f"{path.name}:{table.line_num}") for row in table]
    return Converted(examples=tuple(examples))


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    known = {*_SINGLE, *_SEVERAL, "answerable"}
    if "question" not in columns:
        raise InvalidDataset(f"{path.name}:1: no column is named question; the first line must name the columns")
    if unknown := [name for name in columns if name not in known]:
        raise InvalidDataset(
            f"{path.name}:1: unknown columns {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        )


def _table_example(row: Mapping[str | None, object], place: str) -> Example:
    if None in row:
        raise InvalidDataset(f'{place}: more cells than columns; put cells with commas in "quotes"')
    cells = {str(name): value.strip() for name, value in row.items() if isinstance(value, str) and value.strip()}
    given: dict[str, object] = {name: cells[name] for name in _SINGLE if name in cells}
    given.setdefault("id", place)
    given |= {name: _several(cells[name], f"{place}, column {name}") for name in _SEVERAL if name in cells}
    if "answerable" in cells:
        if cells["answerable"].lower() not in _TRUTH:
            raise InvalidDataset(f"{place}: answerable is {cells['answerable']!r}; write true, false or nothing")
        given["answerable"] = _TRUTH[cells["answerable"].lower()]
    try:
        return msgspec.convert(given, Example)
    except msgspec.ValidationError as error:
        raise InvalidDataset(f"{place}: {error}") from None


def _several(cell: str, place: str) -> list[str]:
    if not cell.startswith("["):
        return [part.strip() for part in cell.split(" | ") if part.strip()]
    try:
        return msgspec.json.decode(cell, type=list[str])
    except msgspec.DecodeError as error:
        raise InvalidDataset(f"{place}: begins like a JSON list and is none ({error})") from None


class _Ragas(msgspec.Struct, frozen=True):
    """Names of today, and those before ragas 0.2."""

    user_input: str | None = None
    question: str | None = None
    reference: str | None = None
    ground_truth: str | None = None
    ground_truths: list[str] | None = None
    reference_contexts: list[str] | None = None
    response: str | None = None
    retrieved_contexts: list[str] | None = None


class _DeepEval(msgspec.Struct, frozen=True):
    """A golden or a test case."""

    input: str
    expected_output: str | None = None
    context: list[str] | None = None
    actual_output: str | None = None
    retrieval_context: list[str] | None = None
    name: str | None = None


def _convert_ragas(paths: Sequence[Path]) -> Converted:
    """Reference contexts become gold words without an article. Raises InvalidDataset."""
    examples, notes = [], []
    for place, row in _read_rows(paths, _Ragas):
        asked = row.user_input or row.question
        if not asked or not asked.strip():
            notes.append(f"{place}: left out, it has neither user_input nor question")
            continue
        answers = (row.reference or row.ground_truth, *(row.ground_truths or ()))
        examples.append(_framework_example("", asked, answers, row.reference_contexts or ()))
    return _converted(examples, notes)


def _convert_deepeval(paths: Sequence[Path]) -> Converted:
    """`context` becomes gold words without an article. Raises InvalidDataset."""
    examples, notes = [], []
    for place, row in _read_rows(paths, _DeepEval):
        if not row.input.strip():
            notes.append(f"{place}: left out, its input is empty")
            continue
        examples.append(_framework_example(row.name or "", row.input, (row.expected_output,), row.context or ()))
    return _converted(examples, notes)


def _framework_example(name: str, question: str, answers: Iterable[str | None], contexts: Iterable[str]) -> Example:
    return Example(
        id=name or hashlib.sha256(question.encode()).hexdigest()[:16],
        question=question.strip(),
        answers=tuple(dict.fromkeys(answer.strip() for answer in answers if answer and answer.strip())),
        gold=tuple(GoldSpan(text=text) for text in contexts if text.strip()),
    )


def _converted(examples: Sequence[Example], notes: list[str]) -> Converted:
    """The formats have no ids: of questions that repeat, the first is kept and the rest is noted."""
    kept: dict[str, Example] = {}
    for example in examples:
        if example.id in kept:
            notes.append(f"left out, it repeats: {example.question[:80]}")
        kept.setdefault(example.id, example)
    return Converted(examples=tuple(kept.values()), notes=tuple(notes))


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


def convert_realtimeqa(paths: Sequence[Path]) -> Converted:
    """The week is the group. Whether the articles answer a question is not known. Raises InvalidDataset."""
    examples: list[Example] = []
    articles: dict[str, ArticleRow] = {}
    for place, row in _read_rows(paths, dict[str, object]):
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


FORMATS: Final[Mapping[str, Callable[[Sequence[Path]], Converted]]] = MappingProxyType(
    {
        "squad": _convert_squad,
        "realtimeqa": convert_realtimeqa,
        "ragas": _convert_ragas,
        "deepeval": _convert_deepeval,
        "csv": _convert_table,
        "dataset": _own,
        "seeds": _own,
    }
)
