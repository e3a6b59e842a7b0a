"""Web pages: main text in paragraphs, metadata, and refusals where there is no article."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from embeddings.cleaning.article import clean
from embeddings.parsers import html
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


BODY = PAGE[PAGE.index("<body>") :]


def article(path: Path, head: str = "", body: str = BODY) -> RawArticle:
    found = read(path, f'<!doctype html><html lang="en"><head><title>Dam Fails</title>{head}</head>{body}')
    assert isinstance(found, RawArticle), found
    return found


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ('<base href="https://v.example/">', None),
        ('<link rel="canonical" href="https://v.example/">', None),
        ('<link rel="canonical" href="https://v.example/en/">', None),
        (
            '<link rel="canonical" href="https://v.example"><meta property="og:url" content="https://v.example/dam">',
            "dam",
        ),
        (
            '<link rel="canonical" href="https://v.example/dam"><meta property="og:url" content="https://v.example/amp">',
            "dam",
        ),
        ('<base href="https://v.example/news/"><link rel="canonical" href="dam">', "news/dam"),
        ('<img src="x"><link rel="canonical" href="https://v.example/dam">', "dam"),
        ('stray <div></div><meta property="og:url" content="https://v.example/dam">', "dam"),
        (
            '<script type="application/ld+json">{"@graph": [{"@type": "Report", "url": "https://v.example/dam"}]}</script>',
            "dam",
        ),
        ('<script type="application/ld+json">{"@type": "NewsArticle", "url":</script>', None),
        ('<script type="application/ld+json">{"@type": "Report", "url": "https://v.example/dam",}</script>', "dam"),
        (
            '<script type="application/ld+json">{&quot;@type&quot;:"Report", "url":"https://v.example/dam"}</script>',
            "dam",
        ),
        ('<link itemprop="mainEntityOfPage" href="https://v.example/dam">', "dam"),
    ],
)
def test_an_address_is_the_articles_own(head: str, url: str | None, tmp_path: Path) -> None:
    assert article(tmp_path, head).url == (url and f"https://v.example/{url}")


def test_a_home_page_for_an_address_is_noted_and_names_the_site(tmp_path: Path) -> None:
    found = article(tmp_path, '<link rel="canonical" href="https://v.example/">')
    assert clean(found).source == "v.example"
    assert "home page, https://v.example/, as its address" in found.notes[0]


@pytest.mark.parametrize(
    ("head", "line", "day"),
    [
        ("", "<p class='byline'>By Ann Lee, Tuesday 4 June 2024, 8.15am</p>", "2024-06-04"),
        ("", "<div class='post-date'>4. Juni 2024</div>", "2024-06-04"),
        ("", "<time datetime='2024-06-04T10:00'>today</time>", "2024-06-04"),
        ("", "<span itemprop='datePublished'>2024-06-04</span>", "2024-06-04"),
        ("", "<p>4. Juni 2024</p>", "2024-06-04"),
        ("", "<div class='rte'><em>Dienstag, 04.06.2024, 10:15 Uhr</em></div>", "2024-06-04"),
        ("", "<p>04.06.2024 | Press office | Tilda Berg</p>", "2024-06-04"),
        ("", "<p>June 4, 2024</p>", "2024-06-04"),
        ("", "<p>2024年6月4日</p>", "2024-06-04"),
        ("", "<h3 class='date-header'><span>Tuesday, 4 June 2024</span></h3>", "2024-06-04"),
        ("", "<p>The dam was opened on 4 June 2019, and closed.</p>", None),
        ("", "<p>4 June 2019 was the day on which it was opened.</p>", None),
        ("", "<p>06/04/2024</p>", None),
        ("", "<p>Stand: 04.06.2024</p>", None),
        ("", "<div class='related'><p>05.01.2019</p></div>", None),
        ("", "<p class='footer'><time itemprop='datePublished' datetime='2024-06-04'></time></p>", "2024-06-04"),
        (
            "",
            (
                "<p class='footer'><time itemprop='datePublished' datetime='2019-01-05'></time></p>"
                "<p class='footer'><time itemprop='datePublished' datetime='2019-01-06'></time></p>"
            ),
            None,
        ),
        ("", "<p class='date'>06/04/2024</p>", None),
        ("", "<p class='date'>Updated: 4 June 2024</p>", None),
        ("", "<aside><time datetime='2019-01-05'>5 Jan</time></aside>", None),
        ("", "<ul class='related'><li><time datetime='2019-01-05'>5 Jan</time></li></ul>", None),
        ("", "<ul><li><time datetime='2019-01-05'>5 Jan</time> <a href='/d'>Dam of Orrin built</a></li></ul>", None),
        ("", "<ul><li><a href='/ida'>Ida Vaal</a> <time datetime='2024-06-04'></time></li></ul>", "2024-06-04"),
        ("<meta name='article:modified_time' content='2024-06-04'>", "", None),
        ("<link rel='canonical' href='https://v.example/2024/06/04/dam'>", "", "2024-06-04"),
        ("<meta property='article:published_time' content='2024-06-04T00:00:00+02:00'>", "", "2024-06-04"),
        ("<script type='application/ld+json'>{'@type': 'NewsArticle'}</script>", "", None),
        (
            '<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2024-06-04"}</script>',
            "<time datetime='2019-01-05'></time>",
            "2024-06-04",
        ),
    ],
)
def test_only_a_date_of_publication_is_taken(head: str, line: str, day: str | None, tmp_path: Path) -> None:
    body = BODY.replace("</h1>", f"</h1>{line}").replace("© 2024", "©")
    assert clean(article(tmp_path, head, body)).published_at == day


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<![CDATA[", "]]>"),
        ("//<![CDATA[\n", "\n//]]>"),
        ("/*<![CDATA[*/", "/*]]>*/"),
        ("<!--", "-->"),
        ("<![CDATA[", ""),
    ],
)
def test_linked_data_are_read_as_xhtml_wraps_them(opening: str, closing: str, tmp_path: Path) -> None:
    data = '{"@type": "NewsArticle", "headline": "A --> B", "datePublished": "2024-06-04"}'
    found = article(tmp_path, f'<script type="application/ld+json">{opening}{data}{closing}</script>')
    assert found.published_at == "2024-06-04"


def test_a_box_around_the_headline_is_not_elsewhere_whatever_its_name(tmp_path: Path) -> None:
    boxed = BODY.replace("<body>", "<body><div class='teaser-wrap'>").replace("</h1>", "</h1><p>04.06.2024</p>")
    assert clean(article(tmp_path, "", boxed.replace("© 2024", "©"))).published_at == "2024-06-04"


def test_a_date_of_change_is_noted(tmp_path: Path) -> None:
    found = article(tmp_path, "<meta property='article:modified_time' content='2024-06-04'>")
    assert "only when it was changed (2024-06-04)" in found.notes[0]


@pytest.mark.parametrize(
    "unseen",
    [
        "<p hidden>The dam was blue all year, said nobody at all.</p>",
        "<div style='color: red; DISPLAY : none'><p>The dam was blue all year, said nobody at all.</p></div>",
        "<p style='visibility:hidden'>The dam was blue all year, said nobody at all.</p>",
        "<template><p>The dam was blue all year, said nobody at all.</p></template>",
        "<dialog><p>The dam was blue all year, said nobody at all.</p></dialog>",
        "<p style='position:absolute; left:-9999px'>The dam was blue all year, said nobody at all.</p>",
        "<p style='clip: rect(0 0 0 0)'>The dam was blue all year, said nobody at all.</p>",
        "<p class='note visually-hidden'>The dam was blue all year, said nobody at all.</p>",
        "<p style='left:-999px;position : FIXED'>The dam was blue all year, said nobody at all.</p>",
        "<p style='position:absolute;top:-999em'>The dam was blue all year, said nobody at all.</p>",
        "<p>The dam <span class='hidden'>was blue all year, so far as nobody at all said,</span> held.</p>",
        "<p class='d-none'>The dam was blue, no one said.</p>",
        "<p><del>The dam was blue all year, said nobody at all.</del></p>",
    ],
)
def test_what_no_reader_sees_is_not_read(unseen: str, tmp_path: Path) -> None:
    found = article(tmp_path, body=BODY.replace("<h2>", f"{unseen} Tail stays.<h2>"))
    assert "blue" not in found.text
    assert "Some 1,200 people" in found.text


@pytest.mark.parametrize(
    "names", ["hidden md:block", "d-none d-md-block", "hidden-gem", "hidden lg-block", "hidden show-desktop"]
)
def test_what_only_small_screens_hide_is_read(names: str, tmp_path: Path) -> None:
    shown = f"<p class='{names}'>The dam was blue all year, said Ann Lee of the valley.</p><h2>"
    assert "blue" in article(tmp_path, body=BODY.replace("<h2>", shown)).text


@pytest.mark.parametrize("names", ["is-hidden", "hidden", "d-none", "article-more hidden", "mt-4 hidden lg-block"])
def test_what_a_click_on_read_more_shows_is_read(names: str, tmp_path: Path) -> None:
    more = "<p>The dam was blue all year, said Ann Lee of the valley.</p>"
    assert "blue" in article(tmp_path, body=BODY.replace("<h2>", f"<div class='{names}'>{more}</div><h2>")).text
    more = more.replace("<p", f"<p class='{names}'")
    assert "blue" in article(tmp_path, body=BODY.replace("<h2>", f"{more}<h2>")).text


@pytest.mark.parametrize(
    "style",
    [
        "position:relative;left:-100px",
        "position:relative;left:-9999px",
        "position:absolute;left:-998px",
        "left:-9999px",
        "text-indent:-100px",
    ],
)
def test_what_is_only_moved_is_read(style: str, tmp_path: Path) -> None:
    moved = f"<p style='{style}'>The dam was blue all year, said Ann Lee of the valley.</p><h2>"
    assert "blue" in article(tmp_path, body=BODY.replace("<h2>", moved)).text


def test_a_wrapper_that_scripts_will_show_is_read(tmp_path: Path) -> None:
    found = article(tmp_path, body=f"<body><div hidden>{BODY.removeprefix('<body>')}</div>")
    assert "Some 1,200 people" in found.text


@pytest.mark.parametrize(
    "correction",
    [
        "<footer><p>Correction: An earlier version said that 2,100 people left.</p></footer>",
        "<aside class='correction'>The number of people was put right on 5 June.</aside>",
        "<footer><span>This article was amended on 5 June: 1,200 people left, not 2,100.</span></footer>",
        "<div class='share-footer'><p>Berichtigung: Es waren 1.200 Menschen.</p></div>",
        "<footer><p>Editor’s note: the governor’s name was misspelt at first.</p></footer>",
    ],
)
def test_a_correction_is_never_lost(correction: str, tmp_path: Path) -> None:
    found = article(tmp_path, body=BODY.replace("</article>", f"{correction}</article>"))
    last = found.text.split("\n\n")[-1]
    assert last in correction
    assert found.text.count(last) == 1


def test_a_body_in_pieces_is_read_whole(tmp_path: Path) -> None:
    words = "went to the school on the hill, where the council had put up beds for all who had lost a house that night."
    pieces = "".join(
        f"<div class='row'><div class='article-body'><p>Family {number} {words}</p>"
        f"<p>Neighbour {number} {words}</p></div><aside>Advertisement {number}</aside></div>"
        for number in range(4)
    )
    found = article(tmp_path, body=f"<body><article><h1>Dam Fails</h1>{pieces}</article></body>")
    assert [line.split()[:2] for line in found.text.split("\n\n")] == [
        [who, str(number)] for number in range(4) for who in ("Family", "Neighbour")
    ]


def test_a_part_between_two_pieces_is_not_lost(tmp_path: Path) -> None:
    words = "went to the school on the hill, where the council had put up beds for all who had lost a house that night."
    first = "".join(f"<p>Family {number} {words}</p>" for number in range(3))
    between = "".join(
        f"<p>Berth {number} of the harbour, too, needs new fenders and two new cranes.</p>" for number in range(4)
    )
    body = (
        f"<div class='article-text'>{first}</div><div class='rest'><div class='summary'>{between}</div>"
        f"<div class='article-text'><p>Neighbours {words}</p></div></div>"
    )
    found = article(tmp_path, body=f"<body><article><h1>Dam Fails</h1>{body}</article></body>")
    assert [found.text.count(part) for part in ("Family", "Berth", "Neighbours")] == [3, 4, 1]


def test_pieces_of_other_articles_stay_apart(tmp_path: Path) -> None:
    words = "went to the school on the hill, where the council had put up beds for all who had lost a house that night."
    body = "".join(
        f"<article><h1>Story {number}</h1>"
        f"<div class='article-body'>{f'<p>Family {number} {words}</p>' * 3}</div></article>"
        for number in range(2)
    )
    assert "Family 1" not in article(tmp_path, body=f"<body>{body}</body>").text


@pytest.mark.parametrize(
    ("byline", "authors"),
    [
        ("Last updated: 4 June", ()),
        ("By Ann Lee; Tuesday", ("Ann Lee",)),
        ("Ann Lee, 8.15am GMT", ("Ann Lee",)),
        ("November", ()),
        ("By Ann Lee, Staff Writer", ("Ann Lee",)),
        ("Ann Lee, Political Editor; Bo Roe, East Africa Correspondent", ("Ann Lee", "Bo Roe")),
        ("Ann Writer, Reporter", ("Ann Writer",)),
        ("Bo Editor", ("Bo Editor",)),
        ("Ann Lee Follow", ("Ann Lee",)),
        ("Photo Ann Lee; Share this article; Stand", ()),
    ],
)
def test_authors_are_persons(byline: str, authors: tuple[str, ...], tmp_path: Path) -> None:
    assert article(tmp_path, f"<meta name='author' content='{byline}'>").authors == authors


@pytest.mark.parametrize(
    ("title", "headline"),
    [
        ("Dam Fails in the Valley › Region › Post", "Dam Fails in the Valley"),
        ("Post: Dam Fails in the Valley", "Dam Fails in the Valley"),
        ("Dam Fails in the Valley（谷報）", "Dam Fails in the Valley"),
        ("Why the Dam Fails in the Valley Again", "Dam Fails in the Valley"),
        ("Hundreds flee as a dam breaks", "Hundreds flee as a dam breaks"),
        ("Dam Fails", "Dam Fails"),
    ],
)
def test_a_title_is_the_headline_shown(title: str, headline: str, tmp_path: Path) -> None:
    page = f"<!doctype html><html><head><title>{title}</title><meta property='og:title' content='{title}'></head>{BODY}"
    found = read(tmp_path, page)
    assert isinstance(found, RawArticle)
    assert found.title == headline


@pytest.mark.parametrize(
    "headings",
    [
        "<h1>Dam Fails in the Valley</h1><h1>Dam Breaks in the Hills</h1>",
        "<h1>Valley Voice</h1>",
        "<h1>Weather: Why the Dam Fails in the Valley Again</h1>",
        "<h1></h1>",
        "<h1><a href='/'>Why the Dam Fails</a></h1>",
    ],
)
def test_a_headline_among_several_or_with_a_kicker_is_no_title(headings: str, tmp_path: Path) -> None:
    title = "Why the Dam Fails in the Valley Again"
    body = BODY.replace("<h1>Dam Fails in the Valley</h1>", headings)
    page = f"<!doctype html><html><head><title>{title}</title><meta property='og:title' content='{title}'></head>{body}"
    found = read(tmp_path, page)
    assert isinstance(found, RawArticle)
    assert found.title == title


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("Ferry stuck on a sandbank | Boats | Tern Herald", "Ferry stuck on a sandbank | Boats"),
        ("Ferry stuck on a sandbank | World News | Tern Herald", "Ferry stuck on a sandbank"),
        ("Ferry stuck on a sandbank | Sport | Tern Herald", "Ferry stuck on a sandbank"),
        ("Ferry stuck on a sandbank | Local | Tern Herald", "Ferry stuck on a sandbank"),
    ],
)
def test_a_section_before_the_site_is_no_part_of_the_title(title: str, kept: str, tmp_path: Path) -> None:
    body = BODY.replace("<h1>Dam Fails in the Valley</h1>", "")
    found = read(tmp_path, f"<!doctype html><html><head><title>{title}</title></head>{body}")
    assert isinstance(found, RawArticle)
    assert found.title == kept


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("Published 2 March 2025 | Updated 5 March 2025", "2025-03-02"),
        ("Updated: March 5, 2025 · First published: March 2, 2025", "2025-03-02"),
        ("2 March 2025 (updated 5 March 2025)", "2025-03-02"),
        ("Veröffentlicht am 2. März 2025, aktualisiert am 5. März 2025", "2025-03-02"),
        ("Updated 5 March 2025", None),
        ("2 hours ago, updated 5 March 2025", None),
    ],
)
def test_a_dateline_that_also_tells_of_a_change(line: str, day: str | None, tmp_path: Path) -> None:
    body = BODY.replace("<h1>Dam Fails in the Valley</h1>", f"<h1>Dam Fails</h1><p class=dateline>{line}</p>")
    assert clean(article(tmp_path, "", body)).published_at == day


@pytest.mark.parametrize("count", [2_000, 60_000])
def test_endless_attributes_are_refused_at_once(count: int, tmp_path: Path) -> None:
    began = time.process_time()
    for page in (
        "<p " + " ".join(f"a{number}=1" for number in range(count)) + ">x</p>",
        "<p " + " ".join(f"a{number}='<'" for number in range(count)) + ">x</p>",
        "<p " + " ".join(f"a{number}" for number in range(count)),
    ):
        found = read(tmp_path, PAGE.replace("<h2>", page + "<h2>"))
        assert isinstance(found, Rejected)
        assert "attributes" in found.reason
    assert time.process_time() - began < 10


def test_many_words_in_a_script_are_no_attributes(tmp_path: Path) -> None:
    script = f"<script>for (i = 0; i<n; i++) {{ x = '{'word ' * 5000}' }}</script>"
    assert isinstance(read(tmp_path, PAGE.replace("<h2>", script + "<h2>")), RawArticle)


@pytest.mark.parametrize("heading", ["", "<h1>The Guardian: a film review</h1>"])
def test_a_headline_on_the_newspaper_itself_stays_whole(heading: str, tmp_path: Path) -> None:
    head = "<title>The Guardian: a film review | The Guardian</title>"
    head += "<meta property='og:url' content='https://theguardian.com/film/a-review'>"
    body = BODY.replace("<h1>Dam Fails in the Valley</h1>", heading)
    found = read(tmp_path, f"<html><head>{head}</head>{body}</html>")
    assert isinstance(found, RawArticle)
    assert clean(found).title == "The Guardian: a film review"


def test_a_hidden_call_to_subscribe_is_not_read(tmp_path: Path) -> None:
    call = "<div class='box hidden'><p>Get all our blue letters every day, as Ann Lee does.</p><input></div><h2>"
    assert "blue" not in article(tmp_path, body=BODY.replace("<h2>", call)).text
