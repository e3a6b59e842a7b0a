"""Files that programs write: what becomes of title, date, authors and text of each kind, and what is refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embeddings.cleaning.article import clean
from embeddings.parsers import find, read
from embeddings.types import Article, RawArticle, Rejected

FERRY = (
    "The ferry Almeric left the harbour at noon on Friday. It carried 214 people to Skerra, the harbour master said."
)
BRIDGE = "The bridge over the Osprey closes in July. Work on it will take sixteen months, says the town."

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def articles(path: Path) -> list[Article]:
    found = list(read(path))
    assert not [one for one in found if isinstance(one, Rejected)], found
    return [clean(one) for one in found if isinstance(one, RawArticle)]


def reasons(path: Path) -> list[str]:
    return [one.reason for one in read(path) if isinstance(one, Rejected)]


def said(article: Article) -> tuple[str, str | None, tuple[str, ...]]:
    return article.title, article.published_at, article.authors


MAIL = (
    "From: =?utf-8?q?B=C3=BCro_der_Stadt?= <press@city.example>\nSubject: Fwd: Bridge closes\n"
    "Date: Tue, 04 Jun 2024 10:30:00 +0200\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n"
    "Content-Type: multipart/alternative; boundary=y\n\n--y\nContent-Type: text/plain; charset=iso-8859-1\n"
    f"Content-Transfer-Encoding: 8bit\n\n{BRIDGE} Caf\xe9.\n\n-- \nPress office\n--y\nContent-Type: text/html\n\n"
    f"<p>{BRIDGE} Caf&eacute;.</p>\n--y--\n--x\nContent-Type: application/pdf\n"
    "Content-Disposition: attachment; filename=plan.pdf\n\nx\n--x--\n"
)


def test_a_message_gives_its_text_and_names_what_is_attached(write: Write) -> None:
    (found,) = read(write("a.eml", MAIL.encode("latin-1")))
    assert isinstance(found, RawArticle)
    assert said(clean(found)) == ("Bridge closes", "2024-06-04T08:30:00Z", ("Büro der Stadt",))
    assert (clean(found).text, found.source) == (f"{BRIDGE} Café.", "city.example")
    assert found.notes == ("attachments that are not read: plan.pdf",)


def test_a_message_of_html_alone_is_read_and_one_without_words_refused(write: Write) -> None:
    head = "From: a@b.example\nSubject: S\nContent-Type: text/html\n\n"
    (found,) = articles(
        write("a.eml", f"{head}<style>p{{}}</style><p>{FERRY}</p><p hidden>Not this.</p><p>{BRIDGE}</p>")
    )
    assert found.text == f"{FERRY}\n\n{BRIDGE}"
    assert reasons(write("b.eml", f"{head}<img src=x>")) == ["the message has no text, or hardly any"]
    assert "no message" in reasons(write("c.eml", FERRY))[0]


RSS = f"""<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>The Harbour</title><language>en-gb</language>
<item><title>Ferry &amp;amp; crew leave</title><link>https://daily.example/ferry</link><dc:creator>Ann Lee</dc:creator>
<pubDate>Tue, 04 Jun 2024 10:30:00 GMT</pubDate><description>Short.</description>
<content:encoded><![CDATA[<p>{FERRY}</p><ul><li>One</li><li>Two</li></ul><script>no()</script>]]></content:encoded></item>
<item><title>Bridge</title><description>{BRIDGE}</description></item>
<item><title>Nothing</title><link>https://daily.example/nothing</link></item></channel></rss>"""


def test_a_feed_gives_an_article_an_entry(write: Write) -> None:
    first, second, third = read(write("a.rss", RSS))
    assert isinstance(first, RawArticle)
    assert said(clean(first)) == ("Ferry & crew leave", "2024-06-04T10:30:00Z", ("Ann Lee",))
    assert clean(first).text == f"{FERRY}\n\n- One\n- Two"
    assert (first.url, first.language, first.notes) == ("https://daily.example/ferry", "en-gb", ())
    assert isinstance(second, RawArticle)
    assert (second.text, second.source) == (BRIDGE, "The Harbour")
    assert "only a summary" in second.notes[0]
    assert isinstance(third, Rejected)
    assert third.reason == "the entry 'Nothing' has no text; save the page https://daily.example/nothing as .html"


def test_atom_is_read_and_other_xml_named(write: Write) -> None:
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><entry><title>Ferry</title><link href="https://a.example/f"/>'
        f"<updated>2024-06-04T10:00:00Z</updated><author><name>Bo</name></author><content>{FERRY}</content></entry></feed>"
    )
    (found,) = articles(write("a.xml", atom))
    assert (*said(found), found.text) == ("Ferry", "2024-06-04T10:00:00Z", ("Bo",), FERRY)
    opml = '<opml><body><outline xmlUrl="https://a.example/feed"/><outline text="x" xmlUrl="b"/></body></opml>'
    (reason,) = reasons(write("a.opml", opml))
    assert reason.startswith(
        "OPML lists sources and holds no articles: this names 2 feeds, the first https://a.example"
    )
    assert "ninjs" in reasons(write("b.xml", "<!-- x --><nitf><body/></nitf>"))[0]
    assert "<recipe>" in reasons(write("c.xml", "<recipe/>"))[0]
    assert "no XML" in reasons(write("d.xml", "words"))[0]


@pytest.mark.parametrize(
    "role", ["<title>Chief Editor</title>", "<title></title>", "<title/>", "<title><![CDATA[Desk]]></title>"]
)
def test_what_an_author_is_called_is_no_title_of_the_article(write: Write, role: str) -> None:
    author = f"<author><name>A B</name>{role}</author>"
    entry = (
        f"<title>Ferry leaves</title><description>{FERRY}</description><image>https://a.example/f.png</image>{author}"
    )
    (found,) = read(write("a.rss", f"<rss version='2.0'><channel><item>{entry}</item></channel></rss>"))
    assert isinstance(found, RawArticle)
    assert (found.title, found.authors) == ("Ferry leaves", ("A B",))


def test_a_json_feed_is_known_by_its_version(write: Write) -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "The Harbour",
        "authors": [{"name": "Ann Lee"}],
        "items": [
            {
                "id": "1",
                "url": "https://d.example/f",
                "content_html": f"<p>{FERRY}</p>",
                "date_published": "2024-06-04",
            },
            {"id": "2", "content_text": BRIDGE, "title": "Bridge"},
        ],
    }
    first, second = articles(write("a.json", json.dumps(feed)))
    assert (*said(first), first.text) == ("", "2024-06-04", ("Ann Lee",), FERRY)
    assert (second.title, second.text, second.source) == ("Bridge", BRIDGE, "The Harbour")


ITEM = {
    "uri": "urn:newsml:agency.example:20240604:ferry",
    "versioncreated": "2024-06-05T10:00:00Z",
    "firstcreated": "2024-06-04T10:00:00Z",
    "byline": "By Ann Lee",
    "headline": "Ferry leaves",
    "body_html": f"<p>{FERRY}</p><p>{BRIDGE}</p>",
    "infosource": [{"name": "The Agency"}],
}
LATER = {
    "standard": {"name": "ninjs", "version": "3.0"},
    "uri": "https://agency.example/ferry",
    "headlines": [{"role": "short", "value": "Ferry"}, {"role": "main", "value": "Ferry leaves"}],
    "bodies": [
        {"contentType": "application/nitf+xml", "value": "<x>" + "m" * 500},
        {"contentType": "text/plain", "value": FERRY},
    ],
    "firstCreated": "2024-06-04T10:00:00Z",
}


def test_ninjs_of_all_versions(write: Write) -> None:
    first, second = articles(write("a.json", json.dumps([ITEM, LATER])))
    assert said(first) == ("Ferry leaves", "2024-06-04T10:00:00Z", ("Ann Lee",))
    assert (first.id, first.source, first.text) == (ITEM["uri"], "The Agency", f"{FERRY}\n\n{BRIDGE}")
    assert (second.title, second.text, second.url) == ("Ferry leaves", FERRY, "https://agency.example/ferry")


def test_ninjs_1_may_call_its_texts_what_it_likes(write: Write) -> None:
    texts = {"headline_main": "Bridge closes", "body_main": BRIDGE, "body_richtext": f"<p>{BRIDGE}</p>"}
    (found,) = articles(write("a.json", json.dumps({"uri": "urn:x:1", **texts})))
    assert (found.title, found.text) == ("Bridge closes", BRIDGE)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"pubstatus": "draft"}, "the status 'draft' is none of usable, withheld and canceled"),
        ({"body_html": "", "type": "picture"}, "the picture 'Ferry leaves' has no text"),
    ],
)
def test_an_item_whose_state_is_not_known_or_that_has_no_text_is_refused(
    write: Write, change: dict[str, str], reason: str
) -> None:
    (found,) = reasons(write("a.json", json.dumps(ITEM | change)))
    assert reason in found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ("usable", None, "", "")),
        ({"pubstatus": "canceled"}, ("canceled", None, "", "")),
        ({"pubStatus": "withheld", "body_html": ""}, ("withheld", None, "", "")),
        ({"embargoed": "2999-01-01T00:00:00Z"}, ("usable", "2999-01-01T00:00:00Z", "", "")),
        ({"subject": [{"code": "1"}, {"name": "Shipping"}]}, ("usable", None, "Shipping", "")),
        ({"usageterms": "Not in Norway."}, ("usable", None, "", "Not in Norway.")),
        ({"rightsinfo": {"usageterms": "Online only."}}, ("usable", None, "", "Online only.")),
    ],
)
def test_what_an_agency_keeps_back_comes_with_its_state(
    write: Write, change: dict[str, Any], expected: tuple[str | None, ...]
) -> None:
    (found,) = articles(write("a.json", json.dumps(ITEM | change)))
    assert (found.status, found.embargoed_until, found.section, found.usage_terms) == expected


def test_linked_data_and_records_are_read_and_anything_else_named(write: Write) -> None:
    node = {
        "@context": "https://schema.org",
        "@graph": [
            {"@type": "Organization", "name": "x"},
            {
                "@type": ["NewsArticle"],
                "headline": "Ferry &amp; crew",
                "articleBody": f"<p>{FERRY}</p>",
                "author": [{"name": "Ann Lee"}, "Bo"],
                "datePublished": "2024-06-04",
                "mainEntityOfPage": {"@id": "https://d.example/f"},
            },
        ],
    }
    (found,) = articles(write("a.jsonld", json.dumps(node)))
    assert (*said(found), found.text, found.url) == (
        "Ferry & crew",
        "2024-06-04",
        ("Ann Lee", "Bo"),
        FERRY,
        "https://d.example/f",
    )
    assert [one.text for one in articles(write("b.json", json.dumps({"articles": [{"content": FERRY}]})))] == [FERRY]
    assert "no JSON Feed" in reasons(write("c.json", '{"name": "sourceline", "version": "1.0"}'))[0]
    assert "no valid JSON" in reasons(write("d.json", "{"))[0]
    assert "an object, or a list" in reasons(write("e.json", "[1, 2]"))[0]
    assert "nested too deep" in reasons(write("f.json", "[" * 100_000))[0]


def test_linked_data_fill_in_what_a_page_does_not_show(write: Write) -> None:
    body = f"{FERRY}\\n\\n{BRIDGE}"
    said_of_it = '"headline": "Ferry leaves", "author": "Ann Lee", "datePublished": "2024-06-04"'
    data = f'{{"@type": "NewsArticle", {said_of_it}, "articleBody": "{body}"}}'
    script = f'<script type="application/ld+json">{data}</script>'
    (empty,) = articles(write("a.html", f"<html><head>{script}</head><body><div id=app></div></body></html>"))
    assert (*said(empty), empty.text) == ("Ferry leaves", "2024-06-04", ("Ann Lee",), f"{FERRY}\n\n{BRIDGE}")
    teaser = f"<h1>Ferry leaves</h1><article><p>{FERRY}</p><p>Sign in to read on.</p></article>"
    (poorer,) = read(write("b.html", f"<html><head>{script}</head><body>{teaser}</body></html>"))
    assert isinstance(poorer, RawArticle)
    assert poorer.text == f"{FERRY}\n\n{BRIDGE}" or "articleBody" in "".join(poorer.notes)
    more = "More of it is said here. " * 20
    longer = f"<article><h1>Ferry leaves</h1><p>{FERRY}</p><p>{BRIDGE}</p><p>{more}</p></article>"
    (fuller,) = articles(write("c.html", f"<html><head>{script}</head><body>{longer}</body></html>"))
    assert "More of it is said here." in fuller.text


def test_a_word_document(write: Write, made_documents: Any) -> None:
    paragraphs = [("Title", "Ferry leaves"), ("", "Skerra, 4 June 2024"), ("", "By Ann Lee"), ("", FERRY)]
    (found,) = articles(write("a.docx", made_documents.docx(paragraphs, title="Letter template", creator="Ann Lee")))
    assert (*said(found), found.text.split("\n\n")[-1]) == ("Ferry leaves", "2024-06-04", ("Ann Lee",), FERRY)
    plain = made_documents.docx([("", "Bridge closes"), ("", BRIDGE)], title="Normal.dotm", creator="Administrator")
    (found,) = articles(write("b.docx", plain))
    assert (*said(found), found.text) == ("Bridge closes", None, (), BRIDGE)
    assert "no Word document" in reasons(write("c.docx", made_documents.zipped({"x": "y"})))[0]
    assert "no zip archive" in reasons(write("d.docx", b"words"))[0]
    assert "Word's old format" in reasons(write("e.docx", b"\xd0\xcf\x11\xe0" + bytes(600)))[0]
    assert "has no text" in reasons(write("f.docx", made_documents.docx([])))[0]


def test_a_table_of_word_has_its_cells_apart_and_is_no_title(write: Write, made_documents: Any) -> None:
    def table(*cells: str) -> str:
        inner = "".join(f"<w:tc><w:p><w:r><w:t>{cell}</w:t></w:r></w:p></w:tc>" for cell in cells)
        return f"</w:t></w:r></w:p><w:tbl><w:tr>{inner}</w:tr></w:tbl><w:p><w:r><w:t>"

    (found,) = read(write("a.docx", made_documents.docx([("", table("Bridge", "", "16 months")), ("", BRIDGE)])))
    assert isinstance(found, RawArticle)
    assert found.text.split("\n")[0] == "Bridge |  | 16 months"
    assert found.title == ""
    assert "has no text" in reasons(write("b.docx", made_documents.docx([("", table("", ""))])))[0]


def test_words_of_fields_and_under_a_reading_aid_are_read_and_what_is_embedded_is_named(
    write: Write, made_documents: Any
) -> None:
    def around(inside: str) -> bytes:
        run = f"</w:t></w:r>{inside}<w:r><w:t>"
        return bytes(made_documents.docx([("", f"Ferry {run} leaves. {FERRY}")]))

    field = '<w:fldSimple w:instr=" DOCPROPERTY &quot;a>b&quot; "><w:r><w:t>Almeric</w:t></w:r></w:fldSimple>'
    (found,) = articles(write("a.docx", around(field)))
    assert found.text.startswith("Ferry Almeric leaves.")
    base = "<w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase>"
    aid = "<w:rubyPr/><w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt>"
    (found,) = articles(write("b.docx", around(f"<w:r><w:ruby>{aid}{base}</w:ruby></w:r>")))
    assert found.text.startswith("Ferry 東京 leaves.")
    chunk = "</w:t></w:r></w:p><w:altChunk/><w:p><w:r><w:t>"
    (told,) = read(write("c.docx", made_documents.docx([("", f"{FERRY}{chunk}")])))
    assert isinstance(told, RawArticle)
    assert "file of its own" in told.notes[0]
    assert "file of its own" in reasons(write("d.docx", made_documents.docx([("", chunk)])))[0]


def test_cells_stand_under_their_columns_and_items_of_a_list_together(write: Write, made_documents: Any) -> None:
    """In a document of Word and in a book alike: they are written out by the same code."""

    def cell(text: str, span: str = "") -> str:
        return f"<w:tc><w:tcPr>{span}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"

    rows = (
        cell("Party") + cell("Seats", '<w:gridSpan w:val="2"/>') + cell("Share"),
        cell("North", '<w:vMerge w:val="restart"/>') + cell("12") + cell("14") + cell("30 %"),
        cell("", "<w:vMerge/>") + cell("9") + cell("11") + cell("21 %"),
    )
    table = "".join(f"<w:tr>{row}</w:tr>" for row in rows)
    (found,) = articles(
        write("a.docx", made_documents.docx([("", f"</w:t></w:r></w:p><w:tbl>{table}</w:tbl><w:p><w:r><w:t>")]))
    )
    assert found.text == "Party | Seats | | Share\nNorth | 12 | 14 | 30 %\n| 9 | 11 | 21 %"
    nested = "<ul><li>Ferries<ol><li>Almeric</li><li>Belinda<p>She is new.</p></li></ol></li><li>Trams</li></ul>"
    boxes = f"<table><tr><td><h2>Box</h2><p>{FERRY}</p></td><td>{nested}</td></tr></table>"
    heads = "<tr><th><h4>Ship</h4></th><th>Stops<br>daily</th></tr>"
    data = f"<table>{heads}<tr><td>Almeric</td><td><ul><li>Kelm<li>Skerra</ul>"
    (found,) = articles(
        write("b.epub", made_documents.epub({"1.xhtml": f"<h1>Ships</h1>{boxes}{data}</td></tr></table>"}))
    )
    assert found.text == (
        f"Ships\n\nBox\n\n{FERRY}\n\n- Ferries\n- Almeric\n- Belinda\nShe is new.\n- Trams\n\n"
        "Ship | Stops daily\nAlmeric | - Kelm - Skerra"
    )


def test_a_book_gives_an_article_a_chapter(write: Write, made_documents: Any) -> None:
    long = "".join(f"<p>In year {year}: {FERRY} {BRIDGE}</p>" for year in (1991, 1992, 1993))
    chapters = {
        "cover.xhtml": "<p>The Quarterly</p>",
        "1.xhtml": f"<h1>Ferry leaves</h1>{long}",
        "2.xhtml": f"<h2>II</h2>{long}",
    }
    first, second = articles(write("a.epub", made_documents.epub(chapters)))
    assert (*said(first), first.source, first.language) == (
        "Ferry leaves",
        "2024-06-04",
        ("Ann Lee",),
        "The Quarterly",
        "en",
    )
    assert second.title == "The Quarterly: II"
    assert first.text.count(FERRY) == 3
    locked = "<encryption><CipherReference URI='OEBPS/text/1.xhtml'/></encryption>"
    assert "DRM" in reasons(write("b.epub", made_documents.epub(chapters, encryption=locked)))[0]
    assert "container.xml is missing" in reasons(write("c.epub", made_documents.zipped({"x": "y"})))[0]
    (short,) = articles(write("d.epub", made_documents.epub({"a.xhtml": f"<p>{FERRY}</p>"})))
    assert short.text == FERRY


@pytest.mark.parametrize("tag", ["script", "iframe", "fieldset", "applet"])
def test_what_a_feed_writes_as_markup_is_no_text(write: Write, tag: str) -> None:
    entry = f"<item><title>T</title><description>{BRIDGE} &lt;{tag} src='x'&gt;&lt;/{tag}&gt;</description></item>"
    (found,) = read(write("a.rss", f"<rss version='2.0'><channel><title>S</title>{entry}</channel></rss>"))
    assert isinstance(found, RawArticle)
    assert found.text == BRIDGE


@pytest.mark.parametrize(("link", "kept"), [("https://d.example/ferry", False), ("https://d.example/other", True)])
def test_the_line_that_wordpress_adds_to_every_entry_is_no_text(write: Write, link: str, kept: bool) -> None:
    said = f'<p>Der Beitrag <a rel="x" href="{link}/?utm=rss">Ferry</a> erschien auf <a href="https://d.example">D</a>.</p>'
    content = f"<content:encoded><![CDATA[<p>{BRIDGE}</p>\n{said}\n]]></content:encoded>"
    space = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    entry = f"<item><title>Ferry</title><link>https://d.example/ferry/</link>{content}</item>"
    (found,) = read(write("a.rss", f"<rss version='2.0' {space}><channel><title>S</title>{entry}</channel></rss>"))
    assert isinstance(found, RawArticle)
    assert found.text == BRIDGE + ("\n\nDer Beitrag Ferry erschien auf D." if kept else "")


PAGE = (
    "<html><head><title>Ferry leaves</title></head><body><article><h1>Ferry leaves</h1>"
    f"<p>{FERRY}</p><p>{BRIDGE}</p></article></body></html>"
)


def test_a_web_archive_gives_its_pages_with_their_addresses(write: Write, made_documents: Any) -> None:
    answers = [
        (
            "https://daily.example/ferry",
            "text/html; charset=iso-8859-1",
            PAGE.replace("Friday", "Fri\xfcday").encode("latin-1"),
        ),
        ("https://daily.example/x.png", "image/png", b"\x89PNG"),
        ("https://daily.example/note", "text/plain", f"Bridge closes\n\n{BRIDGE}".encode()),
    ]
    path = write("a.warc", made_documents.warc(answers))
    first, second = articles(path)
    assert (first.title, first.url) == ("Ferry leaves", "https://daily.example/ferry")
    assert "Friüday" in first.text
    assert (second.title, second.text, second.url) == ("Bridge closes", BRIDGE, "https://daily.example/note")
    assert [one.origin for one in read(path)] == [f"{path}/1/ferry:1", f"{path}/3/note:1"]
    assert "no page" in reasons(write("b.warc", made_documents.warc(answers, status="404 Not Found")))[0]
    cut = made_documents.warc(answers)[:-400]
    assert any(isinstance(one, RawArticle) for one in read(write("c.warc", cut)))
    assert "empty" in reasons(write("d.warc", b""))[0]


def test_a_web_archive_packed_as_a_whole_is_read_and_so_are_its_word_files(write: Write, made_documents: Any) -> None:
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    answers = [
        ("https://daily.example/ferry", "text/html", PAGE.encode()),
        ("https://daily.example/plan.docx", word, made_documents.docx([("Heading1", "Bridge plan"), ("", BRIDGE)])),
    ]
    first, second = articles(write("a.warc.gz", gzip.compress(made_documents.warc(answers))))
    assert (first.title, first.url) == ("Ferry leaves", "https://daily.example/ferry")
    assert (second.title, second.url) == ("Bridge plan", "https://daily.example/plan.docx")


def test_an_archive_gives_what_is_in_it_and_one_bad_file_stops_nothing(write: Write, made_documents: Any) -> None:
    inner = made_documents.zipped({"deep.txt": f"Bridge closes\n\n{BRIDGE}"})
    content = made_documents.zipped(
        {
            "a/bad.pdf": b"no pdf",
            "a/b/ferry.txt": f"Ferry leaves\n\n{FERRY}",
            "../../climbs.txt": FERRY,
            ".hidden.txt": FERRY,
            "old.doc": b"x",
            "picture.jpg": b"x",
            "more.zip": inner,
        }
    )
    path = write("a.zip", content)
    found = list(read(path))
    assert [one.origin for one in found] == [
        f"{path}/a/bad.pdf:1",
        f"{path}/a/b/ferry.txt:1",
        f"{path}/old.doc:1",
        f"{path}/more.zip/deep.txt:1",
    ]
    assert [isinstance(one, RawArticle) for one in found] == [False, True, False, True]
    assert not list(path.parent.parent.glob("climbs*"))


def test_archives_have_limits(write: Write, made_documents: Any) -> None:
    packed = made_documents.zipped({"a.txt": FERRY})
    for _ in range(3):
        packed = made_documents.zipped({"a.zip": packed})
    assert reasons(write("nested.zip", packed)) == ["it is packed into too many archives; unpack the outer ones"]
    assert "no file that is read" in reasons(write("none.zip", made_documents.zipped({"a.png": "x"})))[0]
    assert "no zip archive" in reasons(write("bad.zip", b"PK"))[0]
    many = made_documents.zipped({f"{number}.txt": "" for number in range(10_001)})
    assert "more than 10,000 files" in reasons(write("many.zip", many))[0]


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("a.doc", ".docx"),
        ("a.odt", ".docx"),
        ("a.mobi", ".epub"),
        ("a.xlsx", ".csv"),
        ("a.msg", ".eml"),
        ("a.tar.gz", ".zip"),
        ("a.PNG", "OCR"),
        ("a.mp3", "transcript"),
        ("a.xyz", ".warc.gz"),
    ],
)
def test_unknown_kinds_are_named_with_what_is_needed(write: Write, name: str, needed: str) -> None:
    (reason,) = reasons(write(name, b"x"))
    assert needed in reason


def test_a_folder_tells_of_documents_that_are_not_read_and_not_of_pictures(write: Write, tmp_path: Path) -> None:
    for name in ("a.doc", "b.png", "c.pdf", "d.css", "e.csv"):
        write(name, b"")
    assert [path.name for path in find([tmp_path])] == ["a.doc", "c.pdf", "e.csv"]
