"""Tables: which columns are read as what, what a row without a text is, and which tables are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from embeddings.cleaning.article import clean
from embeddings.parsers import read
from embeddings.types import Article, RawArticle, Rejected

FERRY = "The ferry Almeric left the harbour at noon on Friday. It carried 214 people to Skerra."
BRIDGE = "The bridge over the Osprey closes in July. Work on it will take sixteen months."

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, content: str) -> Path:
        path = tmp_path / name
        path.write_text(content, "utf-8", newline="")
        return path

    return write


def said(article: Article) -> tuple[str, str | None, tuple[str, ...]]:
    return article.title, article.published_at, article.authors


def reasons(path: Path) -> list[str]:
    return [one.reason for one in read(path) if isinstance(one, Rejected)]


@pytest.mark.parametrize("mark", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_a_table_gives_an_article_a_row(write: Write, mark: str) -> None:
    rows = [
        ["Headline", "Content", "Publication Date", "Author", "Sentiment"],
        ["Ferry leaves", f'"{FERRY}\n\nNobody was hurt{mark} he said."', "2024-06-04", "Ann Lee", "0.3"],
        ["Empty", "", "", "", ""],
        ["Bridge", f'"{BRIDGE}"', "5 June 2024", "", ""],
    ]
    path = write("a.csv", "\ufeff" + "\r\n".join(mark.join(row) for row in rows))
    first, second, third = read(path)
    assert isinstance(first, RawArticle)
    assert said(clean(first)) == ("Ferry leaves", "2024-06-04", ("Ann Lee",))
    assert first.text.endswith(f"Nobody was hurt{mark} he said.")
    assert first.notes == ("columns that are not read: Sentiment",)
    assert second == Rejected(origin=f"{path}:5", reason="the row has no text")
    assert isinstance(third, RawArticle)
    assert (third.origin, clean(third).published_at) == (f"{path}:6", "2024-06-05")


def test_a_table_calls_its_columns_as_its_language_does_and_the_most_trusted_one_counts(write: Write) -> None:
    path = write("a.csv", f"Timestamp;Título;Contenido;Fecha\n2024-06-09;Puente;{BRIDGE};2024-06-04\n")
    (found,) = read(path)
    assert isinstance(found, RawArticle)
    assert (said(clean(found)), found.text) == (("Puente", "2024-06-04", ()), BRIDGE)
    (found,) = read(write("c.csv", f"Titre,Contenu,Date de publication\nPont,{BRIDGE},4 juin 2024\n"))
    assert isinstance(found, RawArticle)
    assert (said(clean(found)), found.notes) == (("Pont", "2024-06-04", ()), ())
    (found,) = read(write("b.csv", f"Article Text,articleTitle,Publish_Date\n{BRIDGE},Ferry,2024-06-05\n"))
    assert isinstance(found, RawArticle)
    assert (said(clean(found)), found.notes) == (("Ferry", "2024-06-05", ()), ())


def test_a_table_of_summaries_gives_them_as_such_and_one_of_goods_is_refused(write: Write) -> None:
    path = write("a.csv", f"Title,Link,Date,Summary\nFerry,https://a.example/f,2024-06-04,<p>{BRIDGE}</p>\nB,,,\n")
    found, refused = read(path)
    assert isinstance(found, RawArticle)
    assert (found.text, found.summary_only, found.url) == (BRIDGE, True, "https://a.example/f")
    assert found.notes == ("the table gives only a summary of it; the page it links to holds the article",)
    assert refused == Rejected(origin=f"{path}:3", reason="the row has no text")
    assert "no column of it holds the text" in reasons(write("b.csv", "name,description\nHammer,Hits nails\n"))[0]


def test_a_text_that_its_service_has_cut_off_is_a_summary(write: Write) -> None:
    cut = f"{FERRY} The\\u2026 [+2453 chars]"
    (found,) = read(write("a.json", f'{{"articles": [{{"title": "Ferry", "content": "{cut}"}}]}}'))
    assert isinstance(found, RawArticle)
    assert found.summary_only
    assert found.notes == ("its text is cut off; it counts as a summary until the page it links to is read",)


def test_a_table_without_a_column_of_text_is_refused_with_what_it_has(write: Write) -> None:
    assert reasons(write("a.csv", "name,town\nAnn,Skerra\n")) == [
        "no column of it holds the text: name, town; call it `text` in the first row"
    ]
    assert reasons(write("b.csv", ""))[0].startswith("no column")
    assert reasons(write("d.csv", "text,title\n,\n\n")) == ["there is no filled row below its header"]
    assert "3 cells, the header 1" in reasons(write("c.csv", "text\nOne, two, three\n"))[0]
