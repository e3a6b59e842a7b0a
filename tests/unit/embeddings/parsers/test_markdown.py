"""Markdown files: front matter that describes, front matter that is wrong, and words without their marks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from embeddings.parsers import markdown
from embeddings.types import RawArticle, Rejected


def read(path: Path, text: str) -> RawArticle | Rejected:
    file = path / "a.md"
    file.write_text(text, encoding="utf-8", newline="")
    (found,) = markdown.read(file)
    return found


def test_front_matter_describes_the_article(tmp_path: Path) -> None:
    text = (
        "---\r\ntitle: 'Rain: it stops'\r\ndate: 2024-06-04 10:30:00+02:00\r\nauthors: [Ann Lee, Bo Roe]\r\n"
        "url: https://e.com/a\r\nsource: E\r\nid: 007\r\nlang: en\r\ncollection: c\r\ntags: {a: [1]}\r\n---\r\n\r\n"
        "It *stopped*.\r\n"
    )
    assert read(tmp_path, text) == RawArticle(
        title="Rain: it stops",
        text="It stopped.",
        published_at="2024-06-04 10:30:00+02:00",
        authors=("Ann Lee", "Bo Roe"),
        url="https://e.com/a",
        source="E",
        id="007",
        language="en",
        collection="c",
        origin=f"{tmp_path / 'a.md'}:12",
        notes=("fields that are not read: tags",),
    )


def test_front_matter_says_what_may_be_shown(tmp_path: Path) -> None:
    text = (
        "---\nstatus: Cancelled\nembargoed_until: 2026-02-16T12:00:00+01:00\n"
        "usage_terms: No archive.\nsection: City\n---\nIt stopped."
    )
    found = read(tmp_path, text)
    assert isinstance(found, RawArticle)
    assert (found.status, found.embargoed_until) == ("canceled", "2026-02-16T12:00:00+01:00")
    assert (found.usage_terms, found.section, found.notes) == ("No archive.", "City", ())


def test_a_state_that_nobody_knows_refuses_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, "---\nstatus: spiked\n---\nIt stopped.")
    assert isinstance(found, Rejected)
    assert "the status 'spiked' is none of usable, withheld and canceled" in found.reason


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Rain *stops* #\n\nIt stopped.", "Rain stops"),
        ("Rain stops\n==========\n\nIt stopped.", "Rain stops"),
        ("---\nauthor: Ann Lee\ntitle: ~\n---\n# Rain stops\nIt stopped.", "Rain stops"),
        ("---\n---\nIt stopped.", ""),
        ("---\n\nIt stopped.", ""),
        ("It stopped.", ""),
        ("---\ntitle: No\n---\nIt stopped.", "No"),
    ],
)
def test_the_title_is_given_or_the_first_heading(text: str, title: str, tmp_path: Path) -> None:
    found = read(tmp_path, text)
    assert isinstance(found, RawArticle)
    assert (found.title, found.text) == (title, "It stopped.")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\ntitle: a: b\n---\nx", "line 2, column 9: mapping values are not allowed here"),
        ("---\ntitle: [a\n---\nx", "no valid YAML"),
        ("---\ntitle: {a: 1}\n---\nx", "`title` in the front matter must be one text, not a mapping"),
        ("---\nauthor: [[a]]\n---\nx", "`author` in the front matter must be a name or a list of names"),
        ("---\ndate: [2024]\n---\nx", "`date`"),
        ("---\n- a\n---\nx", "no list of `name: value` lines"),
        ("---\ntitle: a\nx", "not closed"),
        ("---\ntitle: !!python/object/apply:os.system [ls]\n---\nx", "`title`"),
        ("---\na: " + "[" * 60_000 + "\n---\nx", "front matter"),
        ("---\ntitle: \x07\n---\nx", "no valid YAML"),
        ("---\ntitle: a\n---\n\n", "no text"),
        ("", "no text"),
    ],
)
def test_wrong_front_matter_is_refused_with_what_is_wrong(text: str, reason: str, tmp_path: Path) -> None:
    found = read(tmp_path, text)
    assert isinstance(found, Rejected)
    assert reason in found.reason
    assert found.origin.startswith(f"{tmp_path / 'a.md'}:")


def test_aliases_that_multiply_cost_nothing(tmp_path: Path) -> None:
    lines = ["a0: &a0 {x: 1}", *(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12))]
    begun = time.process_time()
    assert isinstance(read(tmp_path, "---\n" + "\n".join(lines) + "\n---\nIt stopped."), RawArticle)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("one\ntwo  \nthree\\\nfour", "one two\nthree\nfour"),
        ("## A *b*\ntext\n\nSub\n---\ntext", "A b\n\ntext\n\nSub\n\ntext"),
        ("* a\n  more\n+ b\n\n1. c\n2) d", "- a more\n- b\n\n1. c\n2) d"),
        ("> quoted\n> > twice\n\nsaid", "quoted twice\n\nsaid"),
        ("```py\na = [b](c)\n\n# x\n```\nafter", "a = [b](c)\n\n# x\n\nafter"),
        ("| A | B |\n|---|:-:|\n| 1 | 2 |\n", "A | B\n1 | 2"),
        ("a <!-- b\n\nc --> d\n\n<script>x<y</script>e <b>f</b>", "a  d\n\ne f"),
        ("**a** *b* ***c*** __d__ _e_ ~~f~~ `g*h*`", "a b c d e f g*h*"),
        ("**bold and *both* here**", "bold and both here"),
        ("snake_case_name 5 * 3 * 2 and 2*3*4 $5_000", "snake_case_name 5 * 3 * 2 and 234 $5_000"),
        ('[a](http://b.c/d_(e) "t") ![alt](i.png) [ref][1] <https://x.y>\n\n[1]: http://z', "a alt ref https://x.y"),
        ("[![alt](i.png)](http://b)", "alt"),
        ("[2024] and [sic] stay, x < y > z", "[2024] and [sic] stay, x < y > z"),
        ("note[^1]\n\n[^1]: The note.", "note\n\nThe note."),
        (r"\*not\* AT&amp;T &quot;x&quot;", '*not* AT&T "x"'),
        ("“Quotes” — and 'dashes' -- stay…", "“Quotes” — and 'dashes' -- stay…"),
        ("a\n\n***\n\nb\n\n- - -", "a\n\nb"),
    ],
)
def test_marks_go_and_words_stay(written: str, text: str) -> None:
    assert markdown.plain(written) == text


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "![",
        "*a ",
        "**a ",
        "`a",
        "<",
        "<a ",
        "[a](",
        '[a](b "',
        "_a__b",
        "> ",
        "# \n",
        "| - ",
        "<!--",
        "~~a",
        "\\*",
        "[^a",
    ],
)
def test_hostile_markdown_takes_no_longer_than_long_markdown(unit: str) -> None:
    begun = time.process_time()
    markdown.plain(unit * (300_000 // len(unit)))
    assert time.process_time() - begun < 3


@pytest.mark.parametrize("mark", ["- a", "1. a", "| x |", "* [a](b)", "> - a"])
@pytest.mark.parametrize("step", ["  ", "\t"])
def test_nested_lists_take_time_in_their_length(mark: str, step: str) -> None:
    deep = "\n".join(step * level + mark for level in range(1_500))
    began = time.process_time()
    assert markdown.plain(deep)
    assert time.process_time() - began < 5


def test_front_matter_in_toml_describes_the_article(tmp_path: Path) -> None:
    text = (
        '+++\ntitle = "Rain: it stops"\ndate = 2024-06-04T10:30:00+02:00\nauthors = ["Ann Lee"]\n+++\n\nIt *stopped*.\n'
    )
    found = read(tmp_path, text)
    assert isinstance(found, RawArticle)
    assert (found.title, found.published_at, found.authors) == (
        "Rain: it stops",
        "2024-06-04 10:30:00+02:00",
        ("Ann Lee",),
    )
    assert found.text == "It stopped."
    wrong = read(tmp_path, "+++\ntitle = No\n+++\n\nIt stopped.\n")
    assert isinstance(wrong, Rejected)
    assert "no valid TOML" in wrong.reason
