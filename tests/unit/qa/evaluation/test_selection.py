"""Which examples a run asks."""

from __future__ import annotations

import pytest

from qa.evaluation.errors import RunRefused
from qa.evaluation.selection import select
from qa.evaluation.types import Example

EXAMPLES = tuple(
    Example(
        id=f"q{number}",
        question=f"Who is number {number}?",
        group=f"week-{number % 3}",
        answerable=number % 2 == 0,
        tags=("even",) if number % 2 == 0 else ("odd", "single"),
    )
    for number in range(40)
)


def ids(**choice: object) -> list[str]:
    return [example.id for example in select(EXAMPLES, **choice)]  # type: ignore[arg-type]


def test_all_in_order() -> None:
    assert select(EXAMPLES) == EXAMPLES


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (["id=q1"], 1),
        (["id=q1*"], 11),
        (["tag=odd"], 20),
        (["tag=sin*", "group=week-1"], 7),
        (["answerable=true"], 20),
        (["question=*number 7?"], 1),
    ],
)
def test_filters_narrow(filters: list[str], count: int) -> None:
    assert len(ids(filters=filters)) == count


def test_a_draw_is_the_same_for_a_seed_and_another_for_another() -> None:
    drawn = ids(limit=10, seed=1)
    assert drawn == ids(limit=10, seed=1)
    assert drawn != ids(limit=10, seed=2)
    assert len(set(drawn)) == 10
    assert drawn == sorted(drawn, key=lambda name: int(name[1:]))


def test_a_limit_beyond_what_is_there_is_all() -> None:
    assert ids(limit=400) == [example.id for example in EXAMPLES]


@pytest.mark.parametrize(("filters", "words"), [(["colour=red"], "KEY=PATTERN"), (["odd"], "KEY=PATTERN")])
def test_a_filter_that_cannot_be_read(filters: list[str], words: str) -> None:
    with pytest.raises(RunRefused, match=words):
        select(EXAMPLES, filters=filters)


def test_nothing_to_ask_is_no_success() -> None:
    with pytest.raises(RunRefused, match="nothing would be evaluated"):
        select(EXAMPLES, filters=["id=x*"])
