"""Real input, read and cleaned: the scraped page the design shows, and 1,500 real articles."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from embeddings.cleaning.article import Cleaned, clean, clean_with_notes
from embeddings.parsers import find, read
from embeddings.types import Article, RawArticle


@pytest.fixture(scope="module")
def page(shared: Path) -> list[Article]:
    found = [raw for path in find([shared / "seeds"]) for raw in read(path)]
    assert all(isinstance(raw, RawArticle) for raw in found), found
    return [clean(raw) for raw in found if isinstance(raw, RawArticle)]


def test_the_scraped_page_is_two_articles_with_their_titles(page: list[Article]) -> None:
    assert [article.title for article in page] == [
        "Libyan National Army: Battle for Derna Nearing End",
        "Syria Arrests Officer Linked to Notorious ‘Death Checkpoint’ Near Damascus",
    ]
    assert len({article.id for article in page}) == 2


def test_its_text_holds_no_crumbs_and_no_line_twice(page: list[Article]) -> None:
    for article in page:
        lines = [line for line in article.text.split("\n") if line]
        assert not {"TT", "20", article.title} & set(lines)
        assert [line for line, count in Counter(lines).items() if count > 1] == []
        assert all(line == line.strip() for line in lines)


def test_everything_else_of_it_is_there_word_for_word(page: list[Article], shared: Path) -> None:
    (path,) = (shared / "seeds").glob("*.txt")
    lines = {line.strip() for line in path.read_text(encoding="utf-8").split("\n")}
    kept = {line for article in page for line in article.text.split("\n")} | {article.title for article in page}
    assert lines - kept == {"TT", "20"}
    assert kept - lines == set()
    starts = [article.text.split("\n\n")[1][:20] for article in page]
    assert starts == ["The Libyan National ", "Syrian authorities s"]


@pytest.fixture(scope="module")
def real(shared: Path) -> list[tuple[RawArticle, Cleaned]]:
    found = [raw for path in find([shared / "data/realtimeqa/articles-small.jsonl.gz"]) for raw in read(path)]
    assert len(found) == 1500
    return [(raw, clean_with_notes(raw)) for raw in found if isinstance(raw, RawArticle)]


def test_real_articles_are_all_read_and_keep_their_words(real: list[tuple[RawArticle, Cleaned]]) -> None:
    assert len(real) == 1500
    assert len({cleaned.article.id for _, cleaned in real}) == 1500
    written = sum(len(raw.text) for raw, _ in real)
    kept = sum(len(cleaned.article.text) for _, cleaned in real)
    assert 0.99 < kept / written < 1
    assert all(cleaned.article.published_at for _, cleaned in real)
    assert not any(cleaned.notes for _, cleaned in real)


def test_rules_take_crumbs_from_real_articles_and_no_prose(real: list[tuple[RawArticle, Cleaned]]) -> None:
    dropped = Counter(line.rule for _, cleaned in real for line in cleaned.dropped)
    # What was counted, and read line by line, when the rules were made; a change here needs reading again.
    assert dropped == {
        "sign-up": 320,
        "divider": 199,
        "dateline": 146,
        "more-link": 130,
        "follow": 87,
        "consent": 72,
        "caption": 70,
        "player": 321,
        "rights": 5,
        "advertisement": 1,
    }, json.dumps(dropped)


def test_titles_of_real_articles_lose_only_their_sites_name(real: list[tuple[RawArticle, Cleaned]]) -> None:
    cut = Counter(raw.title.removeprefix(cleaned.article.title) for raw, cleaned in real)
    del cut[""]
    assert set(cut) == {
        *(" | CNN", " - CNN", " | CNN Business", " | CNN Politics", " - CNNPolitics"),
        *(" | The Week UK", " | The Week"),
    }
    assert cut.total() == 190
