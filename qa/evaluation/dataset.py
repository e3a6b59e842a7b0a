"""Reads a dataset file (one JSON object per line) as examples, or says which lines to fix and how.

The fields of a line are those of `qa.evaluation.Example`; lines of this project's own labelled questions
(`seeds/questions.jsonl`) are read as they are. A run may ask some of them: filtered, then drawn by a seed.
"""

import gzip
import hashlib
import random
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from qa.answers import ABSTENTION
from qa.errors import InvalidQuestion
from qa.evaluation import Example, GoldSpan, InvalidDataset, RunRefused
from qa.language.dates import moment
from seeds import SeedQuestion

T = TypeVar("T")

_TOLD = 20
"""Problems listed before the rest is only counted."""
_EXAMPLE = msgspec.json.Decoder(Example)
_SEED = msgspec.json.Decoder(SeedQuestion)
_KEYS = ("id", "group", "tag", "question", "answerable")


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """Examples and where they came from."""

    name: str
    sha256: str
    """Of the file as it is on disk."""
    examples: tuple[Example, ...]


def read_dataset(path: Path) -> Dataset:
    """Read and validate every line. Raises InvalidDataset listing what is wrong, line by line."""
    content = _content(path)
    examples: list[Example] = []
    problems: list[str] = []
    lines: dict[str, int] = {}
    for number, line in numbered_lines(content):
        try:
            example = _read(line)
        except InvalidDataset as error:
            problems.append(f"{path.name}:{number}: {error}")
            continue
        if example.id in lines:
            problems.append(f"{path.name}:{number}: the id {example.id!r} is that of line {lines[example.id]} already")
        lines.setdefault(example.id, number)
        examples.append(example)
    if problems:
        more = f"\n… and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
        raise InvalidDataset("\n".join(problems[:_TOLD]) + more)
    if not examples:
        raise InvalidDataset(f"{path}: the file holds no questions; write one JSON object a line")
    return Dataset(name=path.name, sha256=hashlib.sha256(content).hexdigest(), examples=tuple(examples))


def write_lines(path: Path, values: Iterable[msgspec.Struct]) -> int:
    """Write one JSON object a line; return how many."""
    count = 0
    with path.open("wb") as file:
        for value in values:
            file.write(msgspec.json.encode(value) + b"\n")
            count += 1
    return count


def numbered_lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Filled lines with their numbers, from 1."""
    for number, line in enumerate(content.removeprefix(BOM_UTF8).split(b"\n"), start=1):
        if line.strip():
            yield number, line


def line_problem(error: msgspec.DecodeError | UnicodeDecodeError | RecursionError) -> str:
    """What to do about a line that is not the object it should be."""
    if isinstance(error, UnicodeDecodeError):
        return f"not valid UTF-8 ({error.reason}); convert the file"
    if isinstance(error, RecursionError):
        return "nested too deeply; write one flat object"
    if isinstance(error, msgspec.ValidationError):
        return f"{error}; the fields are described in qa/evaluation/__init__.py (Example), or use `qa evaluate convert`"
    return f"not a JSON object ({error}); write one object on each line"


def example_of_seed(question: SeedQuestion) -> Example:
    """A labelled question about the sample articles as a row of a dataset; its first gold article is its group."""
    return Example(
        id=question.id,
        question=question.question,
        asked_at=question.as_of,
        answerable=question.answerable,
        answers=question.answers,
        gold=tuple(GoldSpan(title=quote.article, text=quote.quote, part=quote.part) for quote in question.gold),
        group=question.gold[0].article if question.gold else "",
        tags=question.kinds,
    )


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (gzip.BadGzipFile, EOFError) as error:
        raise InvalidDataset(f"{path}: the gzip archive is damaged ({error}); copy or pack it again") from None


def _read(line: bytes) -> Example:
    """One line as an example. Raises InvalidDataset saying what to change."""
    try:
        example = _EXAMPLE.decode(line)
    except msgspec.ValidationError as error:
        seed = _seed(line)
        if seed is None:
            raise InvalidDataset(line_problem(error)) from None
        example = example_of_seed(seed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidDataset(line_problem(error)) from None
    if wrong := _contradictions(example):
        raise InvalidDataset("; ".join(wrong))
    return example


def _seed(line: bytes) -> SeedQuestion | None:
    try:
        return _SEED.decode(line)
    except msgspec.DecodeError:
        return None


def _contradictions(example: Example) -> list[str]:
    """What is well formed and cannot be meant."""
    wrong = []
    if not any(character.isalnum() for character in example.question):
        wrong.append("the question has no words")
    if example.asked_at is not None:
        try:
            moment(example.asked_at, field="asked_at")
        except InvalidQuestion as error:
            wrong.append(str(error))
    if example.answerable is False and (example.answers or example.gold):
        wrong.append("answerable is false, yet answers or gold spans are given; drop the one or the other")
    return wrong + _gold_problems(example.gold)


def _gold_problems(gold: Sequence[GoldSpan]) -> list[str]:
    wrong = []
    for place, span in enumerate(gold):
        if not (span.article_id or span.url or span.title or span.text):
            wrong.append(f"gold[{place}] says nothing; give article_id, url or title, and text")
        if (span.start is None) != (span.end is None):
            wrong.append(f"gold[{place}] has only one of start and end; give both or neither")
        elif span.start is not None and span.end is not None:
            if not 0 <= span.start < span.end:
                wrong.append(f"gold[{place}] is empty or backwards: start {span.start}, end {span.end}")
            elif span.text and len(span.text) != span.end - span.start:
                wrong.append(
                    f"gold[{place}] spans {span.end - span.start} characters and its text has {len(span.text)}; "
                    "offsets count Unicode code points, the end is the first one after the text"
                )
    return wrong


def select(
    examples: Sequence[Example], *, filters: Sequence[str] = (), limit: int | None = None, seed: int = 0
) -> tuple[Example, ...]:
    """Keep the examples that match every `key=pattern`; of more than `limit`, draw so many, in the dataset's order.

    A pattern may hold `*` and `?`. Raises RunRefused for a filter that cannot be read, and where nothing is left.

    >>> [e.id for e in select([Example(id="a", question="Who?"), Example(id="b", question="When?")], filters=["id=b*"])]
    ['b']
    """
    wanted = [_parsed(text) for text in filters]
    kept = [example for example in examples if all(_matches(example, key, pattern) for key, pattern in wanted)]
    if not kept:
        raise RunRefused(f"no example of {len(examples)} matches {' and '.join(filters)}; nothing would be evaluated")
    return tuple(draw(kept, limit=limit, seed=seed))


def draw(items: Sequence[T], *, limit: int | None, seed: int = 0) -> list[T]:
    """So many of the items, in their order; always the same ones for a seed."""
    if limit is None or limit >= len(items):
        return list(items)
    places = sorted(random.Random(seed).sample(range(len(items)), limit))  # noqa: S311 - a sample, not a secret
    return [items[place] for place in places]


def _parsed(text: str) -> tuple[str, str]:
    key, separator, pattern = text.partition("=")
    if not separator or key not in _KEYS:
        raise RunRefused(f"--filter {text!r} cannot be read; write KEY=PATTERN, KEY being one of {', '.join(_KEYS)}")
    return key, pattern


def _matches(example: Example, key: str, pattern: str) -> bool:
    if key == "tag":
        return any(fnmatchcase(tag, pattern) for tag in example.tags)
    if key == "answerable":
        return fnmatchcase(str(example.answerable).lower(), pattern.lower())
    return fnmatchcase({"id": example.id, "group": example.group, "question": example.question}[key], pattern)


# --- A dataset for other tools: takes examples, gives the file that promptfoo or Inspect reads, and what is lost
# promptfoo   one configuration: a provider that asks this service over HTTP, a test with assertions for each example
# inspect     a `Sample` of inspect_ai a line, for `json_dataset`; its scorers `includes` and `match` read the targets
# Both judge an answer by the words in it. That its citations are exact and support it, only `qa evaluate score` says.
class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A file for another tool."""

    content: bytes
    questions: int
    notes: tuple[str, ...] = ()
    """What the tool cannot know of the dataset."""


def _promptfoo(examples: Sequence[Example], url: str) -> Exported:
    """Earlier questions of a conversation cannot be asked first there, so such examples are left out."""
    alone = [one for one in examples if not one.conversation]
    http = {
        "url": f"{url.rstrip('/')}/api/ask",
        "method": "POST",
        "headers": {"content-type": "application/json", "authorization": "Bearer {{env.SOURCELINE_KEY or 'none'}}"},
        "body": "{{ request | dump | safe }}",
        "transformResponse": "({output: json.answer, metadata: {mode: json.answer_mode, citations: json.citations}})",
    }
    config = {
        "description": "Questions for Sourceline, by `qa evaluate convert`",
        "prompts": ["{{question}}"],
        "providers": [{"id": "http", "label": "sourceline", "config": http}],
        "tests": [_test(one) for one in alone],
    }
    return Exported(
        content=msgspec.json.format(msgspec.json.encode(config), indent=1) + b"\n",
        questions=len(alone),
        notes=_notes(
            (len(examples) - len(alone), "left out: earlier questions of a conversation come first there"),
            (sum(not _assertions(one) for one in alone), "without an assertion: what a right answer says is not known"),
        ),
    )


def _test(example: Example) -> Mapping[str, object]:
    """One question; `request` is the body of `POST /api/ask`."""
    asked = {"question": example.question, **({"as_of": example.asked_at} if example.asked_at is not None else {})}
    return {
        "description": example.id,
        "vars": {"question": example.question, "request": asked},
        "assert": _assertions(example),
        "metadata": _known(example),
    }


def _assertions(example: Example) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    if example.answerable is False:
        found.append({"type": "equals", "value": ABSTENTION})
    elif example.answerable or example.answers:
        found.append({"type": "not-equals", "value": ABSTENTION})
    if example.answers and example.answerable is not False:
        found.append({"type": "icontains-any", "value": example.answers})
    if example.must_not_say:
        found.append({"type": "not-icontains-any", "value": example.must_not_say})
    return found


def _inspect(examples: Sequence[Example], _: str) -> Exported:
    """Whom it asks, Inspect is told by its own command, so the address is not in the file."""
    judged = [one for one in examples if _target(one)]
    return Exported(
        content=b"".join(msgspec.json.encode(_sample(one)) + b"\n" for one in judged),
        questions=len(judged),
        notes=_notes(
            (len(examples) - len(judged), "left out: what a right answer says is not known"),
            (sum(one.asked_at is not None for one in judged), "asked as of now there: `asked_at` is metadata only"),
            (
                sum(bool(one.must_not_say) for one in judged),
                "without the words that must not be said: those are not judged there",
            ),
        ),
    )


def _sample(example: Example) -> Mapping[str, object]:
    turns = [{"content": turn, "role": "user"} for turn in (*example.conversation, example.question)]
    return {
        "id": example.id,
        "input": turns if example.conversation else example.question,
        "target": _target(example),
        "metadata": _known(example),
    }


def _target(example: Example) -> str | tuple[str, ...]:
    return ABSTENTION if example.answerable is False else example.answers


def _known(example: Example) -> Mapping[str, object]:
    """What goes along with a question though the tool does not judge by it; what is not known is left out."""
    known: dict[str, object] = {
        "asked_at": example.asked_at,
        "answerable": example.answerable,
        "gold": [span.text for span in example.gold if span.text],
        "gold_urls": example.gold_urls,
        "group": example.group,
        "tags": example.tags,
    }
    return {name: value for name, value in known.items() if value or value is False}


def _notes(*counted: tuple[int, str]) -> tuple[str, ...]:
    return tuple(f"{number:,} of the questions are {what}" for number, what in counted if number)


EXPORTS: Final[Mapping[str, Callable[[Sequence[Example], str], Exported]]] = MappingProxyType(
    {"promptfoo": _promptfoo, "inspect": _inspect}
)
"""By the name the command line knows them by; each takes examples and the address of the service."""
