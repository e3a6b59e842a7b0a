"""Takes the examples of a dataset, gives those that a run asks: filtered, then drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fnmatch import fnmatchcase

from qa.evaluation.errors import RunRefused
from qa.evaluation.types import Example

__all__ = ["select"]

_KEYS = ("id", "group", "tag", "question", "answerable")


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
    if limit is not None and limit < len(kept):
        drawn = sorted(random.Random(seed).sample(range(len(kept)), limit))  # noqa: S311 - a sample, not a secret
        kept = [kept[place] for place in drawn]
    return tuple(kept)


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
