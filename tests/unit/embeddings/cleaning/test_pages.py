"""On which page a word stands, before and after cleaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.cleaning.article import clean
from embeddings.cleaning.pages import carried, page_at
from embeddings.types import RawArticle


@pytest.mark.parametrize(
    ("offset", "page"),
    [(0, 1), (9, 1), (10, 3), (24, 3), (25, 4), (10_000, 4)],
    ids="first last empty in begins far".split(),
)
def test_the_page_of_an_offset(offset: int, page: int) -> None:
    assert page_at((0, 10, 10, 25), offset) == page


def test_a_text_without_pages_has_none() -> None:
    assert page_at((), 3) is None
    assert carried((), written="a", text="a") == ()


WORDS = [
    "It rained.",
    "The  river\trose",
    "Zoe\u0308 left",
    "TT",
    "Advertisement",
    "3 min read",
    "and\u00adso on",
    "Share",
]


@given(st.lists(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3), max_size=4), min_size=1, max_size=5))
def test_each_character_keeps_its_page_when_lines_are_dropped(pages: list[list[list[str]]]) -> None:
    """Every word is marked with its page, so that the page of each can be told from the cleaned text itself."""
    text, starts = "The first line stays.", []
    for number, paragraphs in enumerate(pages):
        starts.append(len(text))
        for place, lines in enumerate(paragraphs):
            text += ("\n\n" if place or number % 2 else " ") + "\n".join(
                line if line in {"TT", "Share", "Advertisement", "3 min read"} else f"{line} p{number + 1}"
                for line in lines
            )
    article = clean(RawArticle(text=text, title="", pages=(0, *starts)))
    assert len(article.pages) == len(pages) + 1
    assert list(article.pages) == sorted(article.pages)
    for number in range(len(pages)):
        at = article.text.find(f" p{number + 1}")
        while at >= 0:
            assert page_at(article.pages, at + 2) == number + 2  # what stands before the pages is one, too
            at = article.text.find(f" p{number + 1}", at + 1)


def test_thousands_of_pages_in_one_line_take_no_time_worth_naming() -> None:
    """Were each page looked for from the beginning of its line, this would take minutes."""
    written = "word " * 1_000_000
    pages = tuple(range(0, len(written), 250))
    assert carried(pages, written=written, text=written.strip()) == pages
