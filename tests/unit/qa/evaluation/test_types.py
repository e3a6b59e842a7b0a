"""The values of evaluation as they stand on disk."""

from __future__ import annotations

import msgspec
import pytest

from qa.evaluation.types import Example, Failure, GoldSpan, Prediction


def test_a_row_needs_no_more_than_an_id_and_a_question() -> None:
    row = b'{"id": "1", "question": "Who?"}'
    assert msgspec.json.encode(msgspec.json.decode(row, type=Example)) == b'{"id":"1","question":"Who?"}'


@pytest.mark.parametrize("row", ['{"id": "", "question": "Who?"}', '{"id": "1", "question": "Who?", "anwser": "x"}'])
def test_a_row_that_says_something_unknown_or_nothing_is_refused(row: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(row, type=Example)


def test_values_come_back_as_they_were_written() -> None:
    example = Example(
        id="1", question="Who?", gold=(GoldSpan(url="https://example.com/a", text="Ada", start=0, end=3),)
    )
    failure = Failure(kind="timed_out", message="no answer within 30 s")
    prediction = Prediction(example_id="1", started_at="2024-06-04T00:00:00Z", latency_ms=1.5, failure=failure)
    for value in (example, prediction):
        assert msgspec.json.decode(msgspec.json.encode(value), type=type(value)) == value
