"""Web pages: main text in paragraphs, metadata, and refusals where there is no article."""

from __future__ import annotations

from pathlib import Path

import pytest

from embeddings.cleaning import clean
from embeddings.readers import html
from embeddings.types import RawArticle, Rejected

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>Dam Fails in the Valley - Valley Post</title>
<meta property="og:site_name" content="Valley Post"><meta name="author" content="Ann Lee; Bo Roe">
<meta property="article:published_time" content="2024-06-04T10:30:00+02:00">
<meta property="article:modified_time" content="2024-06-09T10:30:00+02:00">
<link rel="canonical" href="https://www.valley.example/dam-fails"></head>
<body><nav><a href="/">Home</a> <a href="/news">News</a> <a href="/sport">Sport</a></nav><article>
<h1>Dam Fails in the Valley</h1>
<p>The dam above the <b>valley</b> failed on Tuesday
night, officials said, after three days of <a href="/rain">heavy rain</a> that had filled the lake to the brim.</p>
<h2>What happened</h2>
<p>Some 1,200 people left their homes &amp; went to the school. “We had no time,” said Ann Lee.</p>
<ul><li>The <i>first</i> point of the list</li><li>The second point of the list</li></ul>
<table><tr><th>Town</th><th>People</th></tr><tr><td>Aville</td><td>200</td></tr></table>
<p>The governor is to visit on Friday, and engineers will look at the other two dams of the valley next week.</p>
</article><footer>© 2024 Valley Post. All rights reserved.</footer><script>alert("x")</script></body></html>"""


def read(path: Path, page: str | bytes) -> RawArticle | Rejected:
    file = path / "a.html"
    file.write_bytes(page if isinstance(page, bytes) else page.encode())
    (found,) = html.read(file)
    return found


def test_an_article_is_read_with_what_the_page_says_of_it(tmp_path: Path) -> None:
    found = read(tmp_path, PAGE)
    assert isinstance(found, RawArticle)
    article = clean(found)
    assert article.title == "Dam Fails in the Valley"
    assert (article.published_at, article.language) == ("2024-06-04T08:30:00Z", "en")
    assert (article.url, article.source) == ("https://www.valley.example/dam-fails", "valley.example")
    assert article.authors == ("Ann Lee", "Bo Roe")
    dam, *others = article.text.split("\n\n")
    assert dam == (
        "The dam above the valley failed on Tuesday night, officials said, after three days of heavy rain that had "
        "filled the lake to the brim."
    )
    assert others == [
        "What happened",
        "Some 1,200 people left their homes & went to the school. “We had no time,” said Ann Lee.",
        "- The first point of the list\n- The second point of the list",
        "Town | People\nAville | 200",
        "The governor is to visit on Friday, and engineers will look at the other two dams of the valley next week.",
    ]


@pytest.mark.parametrize(
    ("written", "date"), [("2024-06-04", "2024-06-04"), ("2024-06-04T10:30:00", "2024-06-04"), ("soon", None)]
)
def test_a_time_is_given_only_where_the_page_gives_one(written: str, date: str | None, tmp_path: Path) -> None:
    page = "\n".join(line for line in PAGE.split("\n") if "modified_time" not in line)
    found = read(tmp_path, page.replace("2024-06-04T10:30:00+02:00", written).replace("© 2024", "©"))
    assert isinstance(found, RawArticle)
    assert clean(found).published_at == date


def test_the_declared_encoding_is_used(tmp_path: Path) -> None:
    found = read(tmp_path, PAGE.replace("utf-8", "windows-1251").replace("What happened", "Что?").encode("cp1251"))
    assert isinstance(found, RawArticle)
    assert "Что?" in found.text


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<html></html>",
        "plain words, no page",
        "http://example.com/",
        "<html><body><nav><a href='/'>Home</a></nav></body></html>",
        "<div>" * 100_000 + "x",
        "<" * 100_000,
        "<html><body>" + "<table>" * 5_000,
        b"<html><body>\x00</body></html>",
        "<html><body><article>" + "<p>Some words, again.</p>" * 40_000 + "</article></body></html>",
    ],
    ids=["empty", "bare", "no page", "address", "menu", "deep", "brackets", "tables", "NUL", "elements"],
)
def test_a_page_without_an_article_is_refused(page: str | bytes, tmp_path: Path) -> None:
    found = read(tmp_path, page)
    assert isinstance(found, Rejected)
    assert found.origin == f"{tmp_path / 'a.html'}:1"
    assert found.reason
