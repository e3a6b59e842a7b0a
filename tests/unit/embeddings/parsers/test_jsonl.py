"""JSON Lines and request bodies: each record on its own, and nothing that is wrong with one stops the next."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from embeddings.parsers import jsonl
from embeddings.parsers.jsonl import MAX_LINE, parse_record
from embeddings.types import RawArticle, Rejected

GOOD = b'{"text": "It rained."}'
BAD = {
    "no text": (b'{"title": "a"}', "missing required field `text`"),
    "wrong type": (b'{"text": ["a"]}', "Expected `str`, got `array` - at `$.text`"),
    "wrong author": (b'{"text": "a", "authors": [1]}', "at `$.authors"),
    "number as id": (b'{"text": "a", "id": 7}', "at `$.id`"),
    "list": (b"[1]", "Expected `object`"),
    "cut": (b'{"text": "a', "not valid JSON"),
    "trailing": (b'{"text": "a"} x', "not valid JSON"),
    "invalid UTF-8": (b'{"text": "a\xffb"}', "not valid UTF-8"),
    "encoded surrogate": (b'{"text": "\xed\xa0\x80"}', "not valid UTF-8"),
    "escaped surrogate": (b'{"text": "a\\ud800"}', "half of a surrogate pair"),
    "escaped NUL": (b'{"text": "a\\u0000b"}', "NUL"),
    "NUL in author": (b'{"text": "a", "authors": "b\\u0000"}', "NUL"),
    "raw NUL": (b'{"text": "a\x00b"}', "UTF-16 or binary"),
    "deep": (b'{"text": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    "deep text": (b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "at `$.text`"),
}


def reasons(found: list[RawArticle | Rejected]) -> list[str | None]:
    return [item.reason if isinstance(item, Rejected) else None for item in found]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_every_bad_line_is_refused_with_its_place_and_the_others_go_on(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    lines = b"\n".join(line for bad, _ in BAD.values() for line in (bad, b"", GOOD))
    path.write_bytes(gzip.compress(lines) if name.endswith("gz") else lines)
    found = list(jsonl.read(path))
    assert len(found) == 2 * len(BAD)
    for number, (item, after, (_, reason)) in enumerate(zip(found[::2], found[1::2], BAD.values(), strict=True)):
        assert isinstance(item, Rejected)
        assert reason in item.reason
        assert item.origin == f"{path}:{3 * number + 1}"
        assert after == RawArticle(text="It rained.", origin=f"{path}:{3 * number + 3}")


def test_all_fields_are_read_and_others_ignored() -> None:
    record = {
        "text": "It rained.", "title": "Rain", "url": "https://e.com", "source": "E", "published_at": "2024-06-04",
        "authors": ["Ann Lee", "Bo Roe"], "id": "1", "language": "en", "collection": "c", "score": 0.5,
        "more": {"a": [1]},
    }  # fmt: skip
    assert parse_record(json.dumps(record).encode(), origin="x:1") == RawArticle(
        text="It rained.",
        title="Rain",
        url="https://e.com",
        source="E",
        published_at="2024-06-04",
        authors=("Ann Lee", "Bo Roe"),
        id="1",
        language="en",
        collection="c",
        origin="x:1",
    )
    nulls = json.dumps(dict.fromkeys(record) | {"text": "a", "authors": "Ann Lee"}).encode()
    assert parse_record(nulls, origin="x:1") == RawArticle(text="a", authors=("Ann Lee",), origin="x:1")


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD + b"\r\n\r\n" + GOOD)
    assert [item.origin for item in jsonl.read(path) if isinstance(item, RawArticle)] == [f"{path}:1", f"{path}:3"]
    path.write_bytes("\ufeff".encode("utf-16-le") + GOOD.decode().encode("utf-16-le"))
    assert "UTF-16" in (reasons(list(jsonl.read(path)))[0] or "")


def test_a_huge_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.write(b'{"text": "' + b"x" * (MAX_LINE + 10) + b'"}\n' + GOOD + b"\n" + b"y" * (MAX_LINE + 1))
    assert reasons(list(jsonl.read(path))) == [
        f"the line is longer than {MAX_LINE:,} bytes; split the article up",
        None,
        f"the line is longer than {MAX_LINE:,} bytes; split the article up",
    ]
    assert isinstance(parse_record(b'{"text": "' + b"x" * MAX_LINE + b'"}', origin="x"), Rejected)


def test_a_damaged_archive_gives_what_can_be_read_and_then_says_where_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    lines = b"".join(b'{"text": "It rained %d times %d."}\n' % (n, n * n) for n in range(5000))
    packed = gzip.compress(lines)
    for damaged in (packed[: len(packed) // 2], packed[:-4], packed[:-8] + b"\0" * 8):
        path.write_bytes(damaged)
        found = list(jsonl.read(path))
        assert all(isinstance(item, RawArticle) for item in found[:-1])
        assert len(found) > 1000
        assert isinstance(found[-1], Rejected)
        assert "archive is damaged" in found[-1].reason
    path.write_bytes(b"this is no archive")
    assert "archive is damaged" in (reasons(list(jsonl.read(path)))[0] or "")


def test_an_archive_that_inflates_without_end_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(GOOD + b"\n" + b" " * 30_000_000 + b"\n" + GOOD))
    assert "inflates to more than" in (reasons(list(jsonl.read(path, inflated_free=1_000_000)))[-1] or "")
    assert reasons(list(jsonl.read(path)))[::2] == [None, None]


def test_what_other_programs_call_a_field_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"headline": "Weir", "articleBody": "The weir broke.", "link": "https://orrin.example/weir", '
        '"publisher": {"name": "Orrin Post"}, '
        '"datePublished": 1717497000, "author": [{"name": "Ida Vaal"}], "lang": "en"}'
    )
    (found,) = jsonl.read(path)
    assert found == RawArticle(
        title="Weir",
        text="The weir broke.",
        url="https://orrin.example/weir",
        source="Orrin Post",
        published_at="1717497000",
        authors=("Ida Vaal",),
        language="en",
        origin=f"{path}:1",
    )


def test_an_address_is_no_name_of_a_source() -> None:
    """As trafilatura writes a page's address."""
    found = jsonl.parse_record(b'{"text": "It rained.", "source": "https://orrin.example/rain"}', origin="a")
    assert isinstance(found, RawArticle)
    assert (found.url, found.source) == ("https://orrin.example/rain", None)
    both = b'{"text": "It rained.", "permalink": "https://orrin.example/rain", "source": "https://orrin.example"}'
    kept = jsonl.parse_record(both, origin="a")
    assert isinstance(kept, RawArticle)
    assert (kept.url, kept.source) == ("https://orrin.example/rain", "https://orrin.example")


def test_our_own_names_win_and_what_has_the_wrong_shape_is_passed_over() -> None:
    line = b'{"text": "It rained.", "content": "Other.", "headline": 7, "date": ["x"], "published": "2024-06-04"}'
    found = jsonl.parse_record(line, origin="a")
    assert isinstance(found, RawArticle)
    assert (found.text, found.title, found.published_at) == ("It rained.", "", "2024-06-04")


def test_fields_that_are_not_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"text": "It rained.", "mood": 1, "section": "Weather", "season": 2, "date": "2024-06-04"}\n{"text": "Sun."}'
    )
    first, second = jsonl.read(path)
    assert isinstance(first, RawArticle)
    assert isinstance(second, RawArticle)
    assert first.notes == ("fields that are not read: mood, season",)
    assert first.section == "Weather"
    assert second.notes == ()


@pytest.mark.parametrize(
    ("pages", "kept"),
    [("[0, 3, 3, 8]", (0, 3, 3, 8)), ("[]", ()), ("null", ())],
)
def test_pages_of_a_record_are_kept(pages: str, kept: tuple[int, ...]) -> None:
    found = parse_record(f'{{"text": "It rains.", "pages": {pages}}}'.encode(), origin="a")
    assert found == RawArticle(text="It rains.", origin="a", pages=kept)


@pytest.mark.parametrize("pages", ["12", '"12-14"', "[3, 1]", "[10]", "[-1]", "[true]", "[0.5]", '[{"n": 1}]'])
def test_what_else_is_called_pages_is_noted_and_no_reason_to_refuse(pages: str) -> None:
    found = parse_record(f'{{"text": "It rains.", "pages": {pages}}}'.encode(), origin="a")
    assert isinstance(found, RawArticle)
    assert (found.pages, len(found.notes)) == ((), 1)


def test_files_joined_by_cat_keep_every_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join([GOOD, b"\xef\xbb\xbf" + GOOD, GOOD]))
    assert [one.text for one in jsonl.read(path) if isinstance(one, RawArticle)] == ["It rained."] * 3


def test_a_source_and_authors_may_be_objects_with_a_name() -> None:
    found = parse_record(
        b'{"text": "It rained.", "source": {"id": null, "name": "Wire"}, "authors": ["Bo Roe", {"name": "Ann Lee"}]}',
        origin="",
    )
    assert isinstance(found, RawArticle)
    assert (found.source, found.authors, found.notes) == ("Wire", ("Bo Roe", "Ann Lee"), ())


def test_what_another_name_holds_and_cannot_be_taken_is_noted() -> None:
    found = parse_record(b'{"text": "It rained.", "date": ["2024-06-04"], "link": {}, "headline": null}', origin="")
    assert isinstance(found, RawArticle)
    assert found.published_at is None
    assert found.notes == ("its 'date' is no text and was left out",)


def test_fields_are_read_in_any_case() -> None:
    given = (
        b'{"Headline": "Rain", "Body": "It rained.", "Date": "2024-06-04", "Embargoed_Until": "2024-06-05", "ID": "7"}'
    )
    found = parse_record(given, origin="x:1")
    assert found == RawArticle(
        text="It rained.", title="Rain", published_at="2024-06-04", embargoed_until="2024-06-05", id="7", origin="x:1"
    )
    both = parse_record(b'{"TEXT": "b", "text": "a", "Title": "t", "headline": "h"}', origin="x:1")
    assert both == RawArticle(text="a", title="t", origin="x:1")


def test_of_fields_in_any_case_nothing_is_noted_as_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"Body": "It rained.", "DatePublished": "2024-06-04", "Mood": "grey"}')
    (found,) = jsonl.read(path)
    assert isinstance(found, RawArticle)
    assert found.notes == ("fields that are not read: Mood",)


def test_without_a_text_the_fields_that_are_there_are_named() -> None:
    found = parse_record(b'{"headline": "x", "fulltext": "some text"}', origin="x:1")
    assert isinstance(found, Rejected)
    assert found.reason == (
        "Object missing required field `text` (or `content`, `body`, `articleBody`, `maintext`); "
        "it has `headline`, `fulltext`"
    )
    embargo = parse_record(b'{"title": "x", "Embargoed": "2024-06-05"}', origin="x:1")
    assert isinstance(embargo, Rejected)
    assert "a past time lifts an embargo" in embargo.reason
