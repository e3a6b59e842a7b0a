from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.store.schema import moment as stored_moment
from qa.errors import InvalidQuestion
from qa.language.dates import is_after, moment, stamp


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-06-04", "2024-06-04T00:00:00Z"),
        (" 2024-06-04\n", "2024-06-04T00:00:00Z"),
        ("2024-06-04T10:30:00", "2024-06-04T10:30:00Z"),
        ("2024-06-04T10:30:00Z", "2024-06-04T10:30:00Z"),
        ("2024-06-04T10:30:00+03:00", "2024-06-04T07:30:00Z"),
        ("2024-06-04T00:30:00+03:00", "2024-06-03T21:30:00Z"),
        ("2024-06-04T10:30:00.999Z", "2024-06-04T10:30:00Z"),
        ("0999-01-01", "0999-01-01T00:00:00Z"),
    ],
)
def test_moments_are_read_and_written_in_utc(text: str, expected: str) -> None:
    assert stamp(moment(text, field="as_of")) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "04.06.2024", "２０２４-06-04", "\ud800"),
        *("2024-13-01", "2024-06-31", "2024-06-04T25:00:00"),
        *("0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"),
    ],
)
def test_what_is_no_moment_names_its_field(text: str) -> None:
    with pytest.raises(InvalidQuestion, match=r"filters\.published_after is .*2024-06-04"):
        moment(text, field="filters.published_after")


@given(
    when=st.datetimes(
        datetime(1, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
        datetime(9999, 12, 30),  # noqa: DTZ001
        timezones=st.integers(-1400, 1400).map(lambda minutes: timezone(timedelta(minutes=minutes // 2))),
    )
)
def test_a_stamp_is_read_back_to_the_second_by_both_halves(when: datetime) -> None:
    whole = when.astimezone(UTC).replace(microsecond=0)
    assert moment(stamp(when), field="as_of") == whole
    assert stored_moment(stamp(when)) == stored_moment(whole.isoformat())
    assert len(stamp(when)) == len("2024-06-04T10:30:00Z")


@pytest.mark.parametrize(
    ("published_at", "as_of", "expected"),
    [
        (None, "2024-06-04", False),
        ("2024-06-03", "2024-06-04", False),
        ("2024-06-04", "2024-06-04", False),
        ("2024-06-05", "2024-06-04", False),  # written where it was already the 5th
        ("2024-06-06", "2024-06-04", True),
        ("2024-06-05T00:00:01Z", "2024-06-04T00:00:00Z", True),
        ("2024-06-05T09:00:00Z", "2024-06-04T10:00:00Z", False),
        ("2024-06-04", "9999-12-31T23:59:59Z", False),
        ("9999-12-31", "0001-01-01", True),
    ],
)
def test_the_future_begins_a_day_later(published_at: str | None, as_of: str, expected: bool) -> None:
    assert is_after(published_at, moment(as_of, field="as_of")) is expected
