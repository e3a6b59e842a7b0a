"""PDF: reading order, words parted at a line's end, running lines, and the page of every character."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from embeddings.cleaning.article import clean, page_at
from embeddings.parsers import read
from embeddings.types import Article, RawArticle, Rejected

LEFT = [
    "The ferry Almeric left the harbour at noon with 214 peo-",
    "ple. It was the first well-known crossing of the",
    "year.",
]
RIGHT = ["Nobody knew why, said the harbour master, who", "has seen many ships. The company said that"]
NEXT = ["it will sail again, a well-", "known ship on an Anglo-", "Saxon sea. The last word."]


def page(number: int, *lines: Any) -> list[Any]:
    return [(50, 775, 9, "The Daily Example"), *lines, (300, 20, 9, f"Page {number} of 3")]


@pytest.fixture
def issue(made_documents: Any, tmp_path: Path) -> Path:
    """Two columns and a headline, drawn from the foot upwards; the text goes on over the page."""
    made = made_documents
    head = [(50, 720, 24, "Ferry leaves harbour at noon"), (50, 690, 10, "Skerra, 4 June 2024")]
    path = tmp_path / "issue.pdf"
    path.write_bytes(
        made.pdf(
            [
                page(1, *made.column(320, 640, RIGHT), *made.column(50, 640, LEFT), *head),
                page(2, *made.column(50, 700, NEXT)),
                page(3, *made.column(50, 700, ["On the third page there is this."])),
            ],
            info="/Title (Ferry leaves harbour at noon) /Author (Ann Lee) /CreationDate (D:20260101000000Z)",
        )
    )
    return path


def only(path: Path) -> RawArticle | Rejected:
    (found,) = read(path)
    return found


def article(path: Path) -> Article:
    found = only(path)
    assert isinstance(found, RawArticle), found
    return clean(found)


def test_it_reads_column_by_column_and_joins_words_and_pages(issue: Path) -> None:
    assert article(issue).text == (
        "Skerra, 4 June 2024\n\n"
        "The ferry Almeric left the harbour at noon with 214 people. It was the first well-known crossing of the "
        "year.\n\n"
        "Nobody knew why, said the harbour master, who has seen many ships. The company said that it will sail again, "
        "a well-known ship on an Anglo-Saxon sea. The last word.\n\n"
        "On the third page there is this."
    )


def across(left: list[str], right: list[str]) -> list[Any]:
    """Two columns drawn row by row."""
    columns = [(60, left), (320, right)]
    return [(x, 690 - 14 * row, 11, column[row]) for row in range(5) for x, column in columns if row < len(column)]


def test_columns_drawn_row_by_row_are_no_table(made_documents: Any, tmp_path: Path) -> None:
    left = [
        "The council of Velda voted on",
        "Tuesday to dredge the east chan-",
        "nel of the harbour. Work will be",
        "done in April by Orrin Marine.",
        "It costs 31 million crowns.",
    ]
    right = ["Fishermen said that they had not", "been asked about the dredging at", "all. They want 4,500 crowns."]
    path = tmp_path / "rows.pdf"
    path.write_bytes(made_documents.pdf([[(50, 720, 24, "Council to dredge"), *across(left, right)]]))
    text = " ".join(article(path).text.split())
    assert "dredge the east channel of the harbour. Work will be done in April by Orrin Marine. It costs" in text
    assert "they had not been asked about the dredging at all. They want 4,500 crowns." in text
    assert "|" not in text


def test_a_table_of_words_stays_one(made_documents: Any, tmp_path: Path) -> None:
    left = [
        "apples and plum trees",
        "pears and figs",
        "nuts and more nuts",
        "berries of the wood",
        "grapes for red wine",
    ]
    right = ["three in a day", "four in a week", "none in a year", "some in a week", "many in a month"]
    path = tmp_path / "table.pdf"
    path.write_bytes(made_documents.pdf([[(50, 720, 24, "What is eaten"), *across(left, right)]]))
    assert "apples and plum trees | three in a day" in article(path).text


def test_the_page_is_known_of_every_character(issue: Path) -> None:
    found = article(issue)
    for words, number in (("The ferry", 1), ("said that", 1), ("it will sail", 2), ("last word", 2), ("third page", 3)):
        assert page_at(found.pages, found.text.index(words)) == number


def test_what_the_file_says_of_itself_counts_where_its_first_page_says_it_too(issue: Path) -> None:
    found = article(issue)
    assert (found.title, found.published_at, found.authors) == ("Ferry leaves harbour at noon", "2024-06-04", ())


def test_without_a_title_in_the_properties_the_largest_letters_are_one(made_documents: Any, tmp_path: Path) -> None:
    lines = made_documents.column(50, 600, [*LEFT, "A line below it that is long enough to be a line."])
    path = tmp_path / "a.pdf"
    path.write_bytes(
        made_documents.pdf(
            [[(50, 740, 30, "NEWS"), (50, 700, 20, "Bridge closes until"), (50, 678, 20, "late July"), *lines]],
            info="/Title (Microsoft Word - draft3.doc)",
        )
    )
    assert article(path).title == "Bridge closes until late July"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda made: made.pdf([[]]), "pictures or empty"),
        (lambda _: b"%PDF-1.4\nnothing", "no PDF, or damaged"),
        (lambda _: b"", "no PDF, or damaged"),
    ],
    ids=["no text", "damaged", "empty"],
)
def test_what_cannot_be_read_is_refused(made_documents: Any, tmp_path: Path, content: Any, reason: str) -> None:
    (tmp_path / "a.pdf").write_bytes(content(made_documents))
    found = only(tmp_path / "a.pdf")
    assert isinstance(found, Rejected)
    assert reason in found.reason
    assert found.origin == f"{tmp_path / 'a.pdf'}:1"


def test_heads_are_no_running_heads_in_a_document_of_one_page(made_documents: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(made_documents.pdf([[(50, 775, 10, "A statement at the very top of it."), (300, 20, 9, "- 1 -")]]))
    assert article(path).text == "A statement at the very top of it."


def test_a_row_of_a_table_is_a_line_with_its_cells_apart(made_documents: Any, tmp_path: Path) -> None:
    """And a wide gap that stands alone in a paragraph is none."""
    rows = [("Harbour", "Ferries", "People"), ("Skerra", "4", "1,214"), ("Velda", "11", "9,870")]
    table = [
        (x, 600 - 14 * number, 10, cell)
        for number, row in enumerate(rows)
        for x, cell in zip((50, 110, 160), row, strict=True)
    ]
    prose = [(50, 700, 10, "The harbour master counted"), (195, 700, 10, "those that came in June and"), *[
        (50, 688, 10, "wrote them down in a table that stands below, as he does every year.")
    ]]  # fmt: skip
    path = tmp_path / "table.pdf"
    path.write_bytes(made_documents.pdf([[*prose, *table]]))
    (found,) = read(path)
    assert isinstance(found, RawArticle)
    assert found.text == (
        "The harbour master counted those that came in June and wrote them down in a table that stands below, as he "
        "does every year.\n\nHarbour | Ferries | People\nSkerra | 4 | 1,214\nVelda | 11 | 9,870"
    )


def lines_of(made: Any, path: Path, *lines: tuple[float, float, float, str]) -> list[str]:
    path.write_bytes(made.pdf([[(50, 740, 24, "Ferry runs aground"), *lines]]))
    (found,) = read(path)
    assert isinstance(found, RawArticle), found
    return found.text.split("\n\n")[1:]


ONE_LINE = [
    "By Kit Sandoval",
    "26 November 2026",
    "The Aurelia ran aground.",
    "Captain Ola Brandt has left",
    "Nobody was hurt.",
]


def test_paragraphs_of_one_line_stay_apart(made_documents: Any, tmp_path: Path) -> None:
    """The gap between them is the only pitch of their block."""
    lines = [(50, 700 - 19 * number, 10, line) for number, line in enumerate(ONE_LINE)]
    assert lines_of(made_documents, tmp_path / "a.pdf", *lines) == ONE_LINE


@pytest.mark.parametrize("pitch", [11, 12, 15, 18])
def test_a_paragraph_runs_on_at_whatever_pitch_its_lines_are_set(
    made_documents: Any, tmp_path: Path, pitch: int
) -> None:
    text = [
        "The council of Velda voted on Tuesday to dredge the",
        "east channel, which no ship of the",
        "Orrin line can use.",
    ]
    lines = [(50, 700 - pitch * number, 10, line) for number, line in enumerate(text)]
    assert lines_of(made_documents, tmp_path / "a.pdf", *lines) == [" ".join(text)]


def test_a_byline_or_heading_set_close_is_not_joined_to_the_sentence_below(made_documents: Any, tmp_path: Path) -> None:
    text = [
        "By Ann Lee",
        "The council of Velda voted on Tuesday to dredge the",
        "east channel of the harbour in spring.",
    ]
    lines = made_documents.column(50, 700, text)
    assert lines_of(made_documents, tmp_path / "a.pdf", *lines) == ["By Ann Lee", " ".join(text[1:])]


def test_rows_with_narrow_gaps_are_lines_of_their_own(made_documents: Any, tmp_path: Path) -> None:
    rows = ["Ship Built Seats", "Aurelia 1994 220", "Belinda 2003 180"]
    prose = ["The company has two ships that cross the bay each day,", "and it will use the older one until May."]
    lines = [*made_documents.column(50, 700, prose), *made_documents.column(54, 640, rows)]
    assert lines_of(made_documents, tmp_path / "a.pdf", *lines) == [" ".join(prose), *rows]


def test_a_korean_word_ends_with_its_line_where_a_space_says_so(made_documents: Any, tmp_path: Path) -> None:
    lines = ["ABC DE ABC DE ABC DE ABC ", "DE ABC DE ABC DE ABC DE AB", "C DE ABC DE ABC DE ABC DE."]
    path = tmp_path / "korean.pdf"
    path.write_bytes(made_documents.pdf([made_documents.column(50, 700, lines)], letters="보험금지급"))
    assert article(path).text == " ".join(["보험금 지급"] * 11) + "."
