"""A dataset for other tools: takes examples, gives the file that promptfoo or Inspect reads, and what is lost.

    promptfoo   one configuration: a provider that asks this service over HTTP, a test with assertions for each example
    inspect     a `Sample` of inspect_ai a line, for `json_dataset`; its scorers `includes` and `match` read the targets

Both judge an answer by the words in it. That its citations are exact and support it, only `qa evaluate score` says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from qa.answers import ABSTENTION
from qa.evaluation.types import Example

__all__ = ["EXPORTS", "Exported"]


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A file for another tool."""

    content: bytes
    questions: int
    notes: tuple[str, ...] = ()
    """What the tool cannot know of the dataset."""


class _Known(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What goes along with a question though the tool does not judge by it."""

    asked_at: str | None = None
    answerable: bool | None = None
    gold: tuple[str, ...] = ()
    gold_urls: tuple[str, ...] = ()
    group: str = ""
    tags: tuple[str, ...] = ()


class _Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of `POST /api/ask`."""

    question: str
    as_of: str | None = None


class _Variables(msgspec.Struct, frozen=True, kw_only=True):
    question: str
    request: _Asked


class _Assertion(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    value: str | tuple[str, ...]


class _Test(msgspec.Struct, frozen=True, kw_only=True):
    description: str
    vars: _Variables
    asserted: tuple[_Assertion, ...] = msgspec.field(name="assert")
    metadata: _Known


class _Http(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    method: str = "POST"
    headers: Mapping[str, str]
    body: str
    transformResponse: str  # noqa: N815 - promptfoo's name


class _Provider(msgspec.Struct, frozen=True, kw_only=True):
    id: str = "http"
    label: str = "sourceline"
    config: _Http


class _Promptfoo(msgspec.Struct, frozen=True, kw_only=True):
    description: str
    prompts: tuple[str, ...] = ("{{question}}",)
    providers: tuple[_Provider, ...]
    tests: tuple[_Test, ...]


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    content: str
    role: str = "user"


class _Sample(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    input: str | tuple[_Message, ...]
    target: str | tuple[str, ...]
    metadata: _Known


def _promptfoo(examples: Sequence[Example], url: str) -> Exported:
    """Earlier questions of a conversation cannot be asked first there, so such examples are left out."""
    alone = [one for one in examples if not one.conversation]
    http = _Http(
        url=f"{url.rstrip('/')}/api/ask",
        headers={"content-type": "application/json", "authorization": "Bearer {{env.SOURCELINE_KEY or 'none'}}"},
        body="{{ request | dump | safe }}",
        transformResponse="({output: json.answer, metadata: {mode: json.answer_mode, citations: json.citations}})",
    )
    config = _Promptfoo(
        description="Questions for Sourceline, by `qa evaluate convert`",
        providers=(_Provider(config=http),),
        tests=tuple(_test(one) for one in alone),
    )
    return Exported(
        content=msgspec.json.format(msgspec.json.encode(config), indent=1) + b"\n",
        questions=len(alone),
        notes=_notes(
            (len(examples) - len(alone), "left out: earlier questions of a conversation come first there"),
            (sum(not _assertions(one) for one in alone), "without an assertion: what a right answer says is not known"),
        ),
    )


def _test(example: Example) -> _Test:
    return _Test(
        description=example.id,
        vars=_Variables(question=example.question, request=_Asked(question=example.question, as_of=example.asked_at)),
        asserted=_assertions(example),
        metadata=_known(example),
    )


def _assertions(example: Example) -> tuple[_Assertion, ...]:
    found: list[_Assertion] = []
    if example.answerable is False:
        found.append(_Assertion(type="equals", value=ABSTENTION))
    elif example.answerable or example.answers:
        found.append(_Assertion(type="not-equals", value=ABSTENTION))
    if example.answers and example.answerable is not False:
        found.append(_Assertion(type="icontains-any", value=example.answers))
    if example.must_not_say:
        found.append(_Assertion(type="not-icontains-any", value=example.must_not_say))
    return tuple(found)


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
                "hold words that must not be said, which is not judged there",
            ),
        ),
    )


def _sample(example: Example) -> _Sample:
    turns = (*example.conversation, example.question)
    return _Sample(
        id=example.id,
        input=tuple(_Message(content=turn) for turn in turns) if example.conversation else example.question,
        target=_target(example),
        metadata=_known(example),
    )


def _target(example: Example) -> str | tuple[str, ...]:
    return ABSTENTION if example.answerable is False else example.answers


def _known(example: Example) -> _Known:
    return _Known(
        asked_at=example.asked_at,
        answerable=example.answerable,
        gold=tuple(span.text for span in example.gold if span.text),
        gold_urls=example.gold_urls,
        group=example.group,
        tags=example.tags,
    )


def _notes(*counted: tuple[int, str]) -> tuple[str, ...]:
    return tuple(f"{number:,} of the questions are {what}" for number, what in counted if number)


EXPORTS: Final[Mapping[str, Callable[[Sequence[Example], str], Exported]]] = MappingProxyType(
    {"promptfoo": _promptfoo, "inspect": _inspect}
)
"""By the name the command line knows them by; each takes examples and the address of the service."""
