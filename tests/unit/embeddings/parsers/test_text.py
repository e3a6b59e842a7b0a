"""Plain text: one article, or several scraped pages in one file."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from embeddings import parsers
from embeddings.cleaning.article import clean
from embeddings.parsers.text import Piece, split, unwrapped
from embeddings.types import RawArticle

NORTH, SOUTH, EAST = "Rain Stops in the North", "‘Snow’ Begins Again in the South", "Who Pays for the Eastern Dam?"
PROSE = (
    "It had rained for nine days in the valley before the clouds parted, the weather service said on Monday.\n\n"
    "“We could see the hills again,” said the mayor, who had spent a week in the school with her neighbours.\n\n"
    "The river fell by two metres in a day."
)


def page(title: str, *, head: str, prose: str = PROSE) -> str:
    return f"{title}\n\n{head}\n\n{title}\n\n{head.splitlines()[0]}\n\n{prose}"


CAPTION = "A man rows past the school of the village. (AP)"


HEADS = {
    "caption and font size": f"{CAPTION} \n{CAPTION} \nTT\n20",
    "font size": "TT\n20",
    "caption": CAPTION,
    "long caption": f"{CAPTION[:-5]} after three weeks of rain that nobody had seen coming in the hills. (AP)",
    "reading time": "3 min read\nShare",
}


def cleaned(text: str) -> list[tuple[str, str]]:
    articles = [clean(RawArticle(title=piece.title, text=piece.text)) for piece in split(text)]
    return [(article.title, article.text) for article in articles]


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_pages_after_wide_gaps_are_parted(head: str) -> None:
    text = "\n\n\n\n".join(page(title, head=head) for title in (NORTH, SOUTH, EAST)) + "\n"
    assert [title for title, _ in cleaned(text)] == [NORTH, SOUTH, EAST]
    for _, article in cleaned(text):
        assert article.endswith(PROSE)
        assert article.removesuffix(PROSE).strip() in {"", head.splitlines()[0].strip()}


@pytest.mark.parametrize("head", ["caption and font size", "font size", "reading time"])
def test_pages_with_controls_are_parted_without_a_wide_gap(head: str) -> None:
    text = "\n\n".join(page(title, head=HEADS[head]) for title in (NORTH, SOUTH))
    assert [title for title, _ in cleaned(text)] == [NORTH, SOUTH]


def test_each_piece_says_where_it_begins_and_holds_all_of_its_lines() -> None:
    first, second = page(NORTH, head="TT\n20"), page(SOUTH, head="TT\n20")
    pieces = split(f"\n{first}\n\n\n\n{second}")
    assert [piece.line for piece in pieces] == [2, 2 + len(first.split("\n")) + 3]
    assert [piece.text for piece in pieces] == [first.split("\n\n", 1)[1], second.split("\n\n", 1)[1]]


def test_a_short_preface_after_a_wide_gap_belongs_to_the_page_below_it() -> None:
    text = f"World\n\n{page(NORTH, head=HEADS['font size'])}\n\n\n\nSport\nJune 4\n\n{page(SOUTH, head=CAPTION)}"
    pieces = split(text)
    assert [piece.title for piece in pieces] == [NORTH, SOUTH]
    assert "World" in pieces[0].text
    assert "Sport\nJune 4" in pieces[1].text
    assert "Sport" not in pieces[0].text


def test_prose_before_the_first_page_is_an_article_of_its_own() -> None:
    assert [piece.title for piece in split(f"A Plain Beginning\n\n{PROSE}\n\n\n\n{page(SOUTH, head=CAPTION)}")] == [
        "A Plain Beginning",
        SOUTH,
    ]


def test_headlines_that_nothing_follows_begin_no_article() -> None:
    text = f"{NORTH}\n\n{PROSE}\n\n\n\n{SOUTH}\n\n{SOUTH}\n\n\n\n{EAST}\n\n{EAST}\n\n\n\n{PROSE}"
    assert [piece.title for piece in split(text)] == [NORTH, SOUTH]


def test_one_page_repeats_its_headline_and_is_one_article() -> None:
    assert [title for title, _ in cleaned(page(NORTH, head=HEADS["caption and font size"]))] == [NORTH]


def article(*blocks: str) -> str:
    return "\n\n".join([NORTH, *blocks])


WIDE = "\n"
"""Put before a block: two empty lines before it instead of one."""


WORDS = ("good", "bad")


NOT_PARTED = {
    "subheadings after wide gaps": article(PROSE, f"{WIDE}What happens next now", PROSE, f"{WIDE}Who pays", PROSE),
    "repeated subheadings": article(*(f"What is {word} here\n\nIt is {number}." for number in "123" for word in WORDS)),
    "repeated subheading close by": article(PROSE, "The first long day", "- rain\n- snow", "The first long day", PROSE),
    "subheading again after prose": article(PROSE, f"{WIDE}The first long day", PROSE, "The first long day", PROSE),
    "quote said twice": article(PROSE, f"{WIDE}“We will not go back”", PROSE, "“We will not go back”", PROSE),
    "pull quote close by": article(PROSE, f"{WIDE}“We will not go back”", "“We will not go back”", PROSE),
    "sentence said twice": article(PROSE, f"{WIDE}We will not go back.", "We will not go back.", PROSE),
    "lists": article(PROSE, "- one thing here\n- one thing here\n- two", "1. a\n2. b", PROSE),
    "numbers": article(PROSE, "20", "30", "20", PROSE),
    "refrain": article(*["The rain, the rain, the rain\nfalls on", "the hills, the hills\nand on"] * 4),
    "wide gaps everywhere": article(PROSE, PROSE.upper()).replace("\n\n", "\n\n\n\n"),
    "table": article("Town\nDead\nHurt", "Al Maghar Town Hall\n0\n0", "Al Maghar Town Hall\n1\n1", PROSE),
}


@pytest.mark.parametrize("text", NOT_PARTED.values(), ids=NOT_PARTED)
def test_one_article_stays_whole(text: str) -> None:
    pieces = split(text)
    assert [piece.title for piece in pieces] == [NORTH]
    lines = [line for line in text.split("\n") if line]
    assert [line for line in pieces[0].text.split("\n") if line] == lines[1:], "no line may be lost or moved"
    if "\n\n\n" not in text:
        # Cleaning takes nothing from it either, but the headline where it comes again.
        assert clean(RawArticle(title=NORTH, text=pieces[0].text)).text == "\n\n".join(text.split("\n\n")[1:])


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("Rain stops\n\nIt stopped.", "Rain stops", "It stopped."),
        ("Who pays?\n\nNobody.", "Who pays?", "Nobody."),
        ("Flood Reaches the U.S.\n\nIt came.", "Flood Reaches the U.S.", "It came."),
        (f"Rain stops\n{PROSE}", "Rain stops", PROSE),
        ("It rained.\n\nIt stopped.", "", "It rained.\n\nIt stopped."),
        ("It rained,\nit stopped\nand so on\n\nEnd.", "", "It rained,\nit stopped\nand so on\n\nEnd."),
        ("Only a line", "", "Only a line"),
        ("x" * 300 + "\n\nEnd.", "", "x" * 300 + "\n\nEnd."),
    ],
)
def test_a_short_first_line_that_ends_no_sentence_is_the_title(text: str, title: str, body: str) -> None:
    assert split(text) == [Piece(1, title, body)]


def test_an_empty_text_has_no_pieces() -> None:
    assert split("") == split(" \n\n\t\n") == []


def test_wrapped_lines_are_joined_and_others_kept() -> None:
    words = PROSE.replace("nine days", "nine long and well-known days")
    wrapped = "\n\n".join(textwrap.fill(paragraph, 60) for paragraph in [*words.split("\n\n"), "- one", "- two"])
    wrapped = wrapped.replace("- one\n\n", "- one\n")
    assert len(wrapped.split("\n")) > 8
    caption = "Villagers row past the old school and wave to us. (AP)"
    assert unwrapped(f"{wrapped}\n\n{caption}\n{caption}") == f"{words}\n\n- one\n- two\n\n{caption}\n{caption}"
    doubled = f"{CAPTION}\n{CAPTION}\nTT\n20\n\n{CAPTION}\n{CAPTION}"
    for kept in (PROSE, "a\nb\nc\nd\ne", doubled, wrapped + "\n\n" + "x " * 60):
        assert unwrapped(kept) == kept


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
@pytest.mark.parametrize(
    ("head", "published_at", "authors"),
    [
        ("By Ana Petri\n28 November 2026", "28 November 2026", ("Ana Petri",)),
        ("By Ana Petri and Bo de Roe | November 28, 2026", "November 28, 2026", ("Ana Petri", "Bo de Roe")),
        ("Published on 2026-11-28", "2026-11-28", ()),
        ("Orsa, Saturday 28 November 2026", "28 November 2026", ()),
        ("Survivors of 28 November 2026 remember", None, ()),
        ("The mill closed on 28 November 2026.", None, ()),
        ("By Night\n\nBy train and boat", None, ()),
    ],
)
def test_date_and_byline_below_the_title(
    tmp_path: Path, name: str, head: str, published_at: str | None, authors: tuple[str, ...]
) -> None:
    path = tmp_path / name
    title = "# Ferry leaves Orsa" if name.endswith("md") else "Ferry leaves Orsa"
    path.write_text(f"{title}\n\n{head}\n\nThe ferry left on 4 June 2024.\n\nBy Kit Sandoval\n", encoding="utf-8")
    (found,) = parsers.read(path)
    assert isinstance(found, RawArticle)
    assert (found.title, found.published_at, found.authors) == ("Ferry leaves Orsa", published_at, authors)


def test_front_matter_is_believed_before_what_stands_below_the_title(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("---\ntitle: Ferry\ndate: 2026-11-27\n---\nBy Ana Petri\n\n28 November 2026\n\nIt left the pier.\n")
    (found,) = parsers.read(path)
    assert isinstance(found, RawArticle)
    assert (found.published_at, found.authors) == ("2026-11-27", ("Ana Petri",))
