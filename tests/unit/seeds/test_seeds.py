"""The sample articles and questions are what their README says they are."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections import Counter
from datetime import date

import pytest

from seeds import SeedQuestion, articles_dir, questions

QUESTIONS = questions()
AT_LEAST = {
    "single": 60,
    "multi": 8,
    "time": 8,
    "unanswerable": 18,
    "conflict": 3,
    "correction": 5,
    "short_number": 20,
    "short_date": 10,
    "short_name": 10,
    "short_place": 5,
}


def folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def raw_sources() -> dict[str, str]:
    """Raw text by file (for `.jsonl` by line), as far undone as reading needs: JSON escapes, tags, entities."""
    sources: dict[str, str] = {}
    for path in sorted(articles_dir().iterdir()):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            records = [json.loads(line) for line in text.splitlines()]
            sources |= {f"{path.name}:{n}": f"{r['title']}\n{r['text']}" for n, r in enumerate(records, 1)}
        elif path.suffix == ".html":
            sources[path.name] = html.unescape(re.sub(r"<[^>]+>", "", text))
        else:
            sources[path.name] = text
    return {name: folded(text) for name, text in sources.items()}


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return raw_sources()


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def by_id(question: SeedQuestion) -> str:
    return question.id


def test_there_are_twenty_articles_in_four_formats() -> None:
    files = Counter(path.suffix for path in articles_dir().iterdir())
    assert files == {".txt": 9, ".md": 2, ".html": 1, ".jsonl": 1}
    titles = {gold.article for question in QUESTIONS for gold in question.gold}
    assert len(titles) == 20, "every article is asked about"


def test_every_title_names_exactly_one_source_or_a_shared_file(sources: dict[str, str]) -> None:
    titles = {gold.article for question in QUESTIONS for gold in question.gold}
    holders = Counter(name for title in titles for name, text in sources.items() if title in text)
    assert holders.pop("ain-sarha-and-maravel-bank.txt") == 2, "one file holds two articles"
    assert set(holders.values()) == {1}
    assert set(holders) | {"ain-sarha-and-maravel-bank.txt"} == set(sources)


def test_the_readme_counts_right() -> None:
    readme = (articles_dir().parent / "README.md").read_text(encoding="utf-8")
    assert readme.count("\n") <= 25
    assert f"{len(QUESTIONS)} questions" in readme


def test_ids_are_unique() -> None:
    assert [name for name, n in Counter(map(by_id, QUESTIONS)).items() if n > 1] == []


def test_there_are_enough_questions_of_every_kind() -> None:
    assert len(QUESTIONS) >= 70
    kinds = Counter[str](kind for question in QUESTIONS for kind in question.kinds)
    assert {kind: kinds[kind] for kind, least in AT_LEAST.items() if kinds[kind] < least} == {}


@pytest.mark.parametrize("question", QUESTIONS, ids=by_id)
def test_every_gold_quote_stands_in_its_article(question: SeedQuestion, sources: dict[str, str]) -> None:
    for gold in question.gold:
        [text] = [text for text in sources.values() if gold.article in text]
        assert folded(gold.quote) in text
        assert gold.quote == folded(gold.quote), "a quote is one line in NFC, as in a cleaned article"


@pytest.mark.parametrize("question", QUESTIONS, ids=by_id)
def test_labels_agree_with_each_other(question: SeedQuestion) -> None:
    kinds = set(question.kinds)
    assert question.kinds
    assert question.answerable == bool(question.gold) == bool(question.answers)
    assert question.answerable == ("unanswerable" not in kinds)
    assert len(kinds & {"single", "multi", "unanswerable"}) == 1
    assert ("time" in kinds) <= (question.as_of is not None)
    if question.as_of is not None:
        date.fromisoformat(question.as_of)
    needed = {gold.part for gold in question.gold}
    assert needed == set(range(1, len(needed) + 1))
    for answer in question.answers:
        assert any(answer in gold.quote for gold in question.gold), f"{answer!r} is in no gold quote"
    for gold in question.gold:
        assert any(answer in gold.quote for answer in question.answers), f"no answer in {gold.quote!r}"


def test_no_single_article_answers_a_multi_article_question() -> None:
    for question in QUESTIONS:
        if "multi" in question.kinds:
            needed = {gold.part for gold in question.gold}
            held: dict[str, set[int]] = {}
            for gold in question.gold:
                held.setdefault(gold.article, set()).add(gold.part)
            assert all(parts < needed for parts in held.values()), question.id


def test_questions_are_not_copies_of_what_the_articles_say() -> None:
    """Five words in a row taken from the quote would test string matching, not search."""
    for question in QUESTIONS:
        asked = " ".join(words(question.question))
        for gold in question.gold:
            said = words(gold.quote)
            copied = [run for i in range(len(said) - 4) if (run := " ".join(said[i : i + 5])) in asked]
            assert copied == [], question.id


def test_the_noise_of_a_scrape_is_there(sources: dict[str, str]) -> None:
    raw = {path.name: path.read_bytes().decode() for path in articles_dir().glob("*.txt")}
    assert all("TT\n" in text.replace("\r\n", "\n") for text in raw.values()), "font-size crumb"
    assert any("\r\n" in text for text in raw.values()), "Windows line ends"
    assert any(re.search(r"\) $", text, re.MULTILINE) for text in raw.values()), "caption with a trailing space"
    assert any("\u00a0" in text for text in raw.values()), "no-break space"
    assert any(unicodedata.normalize("NFC", text) != text for text in raw.values()), "decomposed letters"
    assert any("“" in text and '"' in text for text in raw.values()), "curly and straight quotes mixed"
    assert "partners use cookies" in sources["corrin-hills-satellite.html"]
