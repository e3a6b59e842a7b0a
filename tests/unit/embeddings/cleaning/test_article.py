"""From raw article to article: what must hold for every text, and what the limits do."""

from __future__ import annotations

import re
import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.cleaning.article import MAX_TEXT, carried, clean, clean_with_notes, page_at
from embeddings.cleaning.identity import article_id
from embeddings.errors import InvalidArticle
from embeddings.types import Article, RawArticle, article_version

# Lines that the rules are about, so that generated texts meet them and each other.
LINES = st.sampled_from(
    [
        *("TT", "20", "Share", "Facebook", "Read More", "3 min read", "CNN —", "___", "Headline of the Day", ""),
        *("A man in a long caption at the river. (Reuters)", "A line that is long enough to be a doubled caption"),
        *("“We will not go,” she said.", "It rained all night.", "Headline of the Day | CNN", "  spaced\tout  "),
    ]
)
# Characters that join, hide, combine, reorder or end lines.
HARD = st.text(
    alphabet="aé\u0301\u0316\u200c\u200d\ufe0f\U000e0101\u202e\u200b\u00ad\u2028\u2029\r\n\t\x00\x85 \u00a0"
    "\u0627\u0915\u093c\U0001f469\U0001f467\U0001f3f4\U000e0067\U000e007f\u6f22\ufa0e\u212b\u0958\u1100\u1161\ufeff"
)
ANY = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
TEXTS = st.one_of(ANY, HARD, st.lists(st.one_of(LINES, LINES, ANY, HARD), max_size=30).map("\n".join))


def as_raw(article: Article) -> RawArticle:
    return RawArticle(
        text=article.text,
        title=article.title,
        id=article.id,
        url=article.url,
        source=article.source,
        published_at=article.published_at,
        language=article.language,
        authors=article.authors,
        collection=article.collection,
    )


@given(text=TEXTS, title=st.one_of(TEXTS, st.just("Headline of the Day")), source=st.sampled_from(["", "cnn.com"]))
def test_cleaning_twice_changes_nothing(text: str, title: str, source: str) -> None:
    try:
        once = clean(RawArticle(text=text, title=title, source=source, origin="a.txt:1"))
    except InvalidArticle:
        return
    assert clean(as_raw(once)) == once


@given(text=TEXTS)
def test_canonical_text_has_the_promised_shape(text: str) -> None:
    try:
        article = clean(RawArticle(text=text))
    except InvalidArticle:
        return
    assert unicodedata.is_normalized("NFC", article.text)
    assert article.version == article_version(article.text)
    assert all(line == line.strip() for line in article.text.split("\n"))
    assert "\n\n\n" not in article.text
    assert article.text == article.text.strip()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]", article.text)


@given(paragraphs=st.lists(st.text(alphabet="abc ,’“”\"'.—", min_size=1).map(str.strip).filter(bool), min_size=1))
def test_prose_and_its_quotation_marks_are_never_touched(paragraphs: list[str]) -> None:
    prose = [f"It was {' '.join(paragraph.split())} there." for paragraph in dict.fromkeys(paragraphs)]
    text = "\n\n".join(dict.fromkeys(prose))
    assert clean(RawArticle(text=text, title="A title")).text == text


def test_the_page_that_a_reader_takes_apart_comes_out_clean() -> None:
    head = "A man. (AP) \nA man. (AP) \nTT\n20\n\nRain stops\n\nA man. (AP) \nA man. (AP) \n\n"
    cleaned = clean_with_notes(RawArticle(title="Rain stops", text=head + "It stopped.\r\n\r\n\r\nAll is well."))
    assert cleaned.article.text == "A man. (AP)\n\nIt stopped.\n\nAll is well."
    assert [dropped.rule for dropped in cleaned.dropped] == ["control", "font-size", *["page-head"] * 3, "title"]


@pytest.mark.parametrize(
    "text",
    [
        "Prices\n\n20\n\nMore prices\n\n30",
        "“We won,” he said.\n\n“We won,” he said.",
        "No.\n\nNo.\n\nNo.",
        "Pros\n\nGood\n\nCons\n\nBad\n\nPros\n\nCheap",
        "- one\n- two\n- two\n- three",
        'He told them: "We will stay here until the end."\n\nHe told them: "We will stay here until the end."',
        "In 2024 the share of\nshare\nholders grew.",
        "My Facebook page\n\nFacebook\n\nTwitter",
        "He said to read more books.\n\n“Read more”",
        "The isle holds the TT each June.",
        "AT&amp;T is written so in markup.",
        "نمی\u200cخواهم و 👩\u200d👧 و क्\u200dष و 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
)
def test_what_is_wording_stays(text: str) -> None:
    assert clean(RawArticle(text=text, title="Another title")).text == text


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("co\u00adop\u200berate\ufeff", "cooperate"),
        ("evil\u202etxt\u2066", "eviltxt"),
        ("A\U000e0041\U000e0042 b", "A b"),
        ("a\u200db \u200cc", "ab c"),
        ("e\u0301", "é"),
        ("one\u2028two\u2029three\x85four", "one\ntwo\n\nthree\nfour"),
        ("a\x00b\x1bc\x93d", "abcd"),
        ("a\ufe0f\ufe0f\ufe0f", "a\ufe0f"),
        ("a" + "\u0301\u0316" * 100, None),
        # NFC puts the lower mark first, and then the joiner no longer follows what it could join.
        ("x\u0300\u1ab5\u200c", "x\u1ab5\u0300"),
    ],
)
def test_what_cannot_be_seen_goes(written: str, kept: str | None) -> None:
    text = clean(RawArticle(text=written)).text
    assert text == kept if kept is not None else len(text) <= 31


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (RawArticle(text=""), "no text"),
        (RawArticle(text=" \u200b\n\x00"), "no text"),
        (RawArticle(text="TT\n20\nHeadline", title="Headline"), "no text beside its title"),
        (RawArticle(text="half \ud83d of it"), r"lone surrogate \(U\+D83D\) at character 5"),
        (RawArticle(text="a", title="\udc00"), "lone surrogate"),
        (RawArticle(text="a" * (MAX_TEXT + 1)), "5,000,001 characters"),
        (RawArticle(text="\U0001d160" * (MAX_TEXT // 3 + 1)), "5,000,001 characters"),  # NFC takes it apart
        (RawArticle(text="a", id=""), "id"),
        (RawArticle(text="a", id="../etc"), "id"),
        (RawArticle(text="a", id="a/b"), "id"),
        (RawArticle(text="a", id="x" * 201), "id"),
        (RawArticle(text="a", id="naïve"), "id"),
        (RawArticle(text="a", collection="a b"), "collection"),
    ],
)
def test_what_cannot_be_an_article_is_refused_with_a_reason(raw: RawArticle, reason: str) -> None:
    with pytest.raises(InvalidArticle, match=reason):
        clean(raw)


def test_the_longest_text_is_accepted_and_no_title_is_longer_than_its_limit() -> None:
    article = clean(RawArticle(text="a" * MAX_TEXT, title="word " * 500))
    assert len(article.text) == MAX_TEXT
    assert len(article.title) == 999
    assert article.title.endswith("word")
    assert len(clean(RawArticle(text="a", title="x" * 5000)).title) == 1000


@pytest.mark.parametrize(
    ("title", "source", "kept"),
    [
        ("Rain stops | CNN", "cnn.com", "Rain stops"),
        ("Rain stops - CNNPolitics", "edition.cnn.com", "Rain stops"),
        ("Rain stops | The Week UK", "theweek.co.uk", "Rain stops"),
        ("Rain stops – BBC News", "bbc.co.uk", "Rain stops"),
        ("Rain stops | CNN | CNN", "cnn.com", "Rain stops"),
        ("Rain stops | Reuters", "Reuters", "Rain stops"),
        ("Rain stops -- Valley.example", "valley.example", "Rain stops"),
        ("Rain stops in Orrin » Region » News » Valley Post", "valleypost.com", "Rain stops in Orrin"),
        ("Rain stops in Orrin › Weather › Valley Post", "valleypost.com", "Rain stops in Orrin"),
        ("Rain stops | Sport | Valley Post", "valleypost.com", "Rain stops"),
        ("Rain stops - The Orrin Valley Times", "ovtimes.com", "Rain stops"),
        ("Rain stops - Valley News", "valleypost.com", "Rain stops"),
        ("Rain stops ‹ Valley Post", "valleypost.com", "Rain stops"),
        ("Regen hört auf - Regionales - Valley Post", "valleypost.com", "Regen hört auf"),
        ("[Valley Post] Rain stops in Orrin", "valleypost.com", "Rain stops in Orrin"),
        ("[Video] Rain stops in Orrin", "valleypost.com", "[Video] Rain stops in Orrin"),
        ("Valley Post | Rain stops in Orrin", "valleypost.com", "Rain stops in Orrin"),
        ("Valley Post | Orrin's newspaper: Rain stops in Orrin", "valleypost.com", "Rain stops in Orrin"),
        ("雨がやんだ：谷例新聞", "tani.example", "雨がやんだ"),
        ("大雨停止_天气_谷华网", "gu.example", "大雨停止"),
        ("大雨停止-谷例日报", "gu.example", "大雨停止"),
        ("Valley Post: Rain stops in Orrin", "valleypost.com", "Rain stops in Orrin"),
        ("Rain stops in Orrin • Valley Post", "valleypost.com", "Rain stops in Orrin"),
        ("Rain stops in Orrin—Valley Post", "valleypost.com", "Rain stops in Orrin"),
        ("Rain stops in Orrin (Valley Post)", "valleypost.com", "Rain stops in Orrin"),
        ("Rain stops in Orrin - The Valley Post | News", "valleypost.com", "Rain stops in Orrin"),
        ("Rain stops in Orrin – VP – 6/4/2024", "vp.com", "Rain stops in Orrin"),
        ("Rain stops in Orrin - www.valleypost.com", "valleypost.com", "Rain stops in Orrin"),
        ("Rain stops in Orrin | Valley Example", "valley.example", "Rain stops in Orrin"),
        ("Home > News > Rain stops in Orrin", "valleypost.com", "Rain stops in Orrin"),
        ("【谷例日报】大雨停止", "gu.example", "大雨停止"),
        ("【谷例通信】大雨停止", "gu.example", "大雨停止"),
        ("【谷の声】雨がやんだ", "谷の声", "雨がやんだ"),
        ("【訃報】田中太郎さん", "tani.example", "【訃報】田中太郎さん"),
        ("【天気予報】雨がやんだ", "tani.example", "【天気予報】雨がやんだ"),
        ("【速報】雨がやんだ", "tani.example", "【速報】雨がやんだ"),
        ("【3社】雨がやんだ", "tani.example", "【3社】雨がやんだ"),
        ("【新聞】雨がやんだ", "tani.example", "【新聞】雨がやんだ"),
        ("【5G通信】雨で止まる", "tani.example", "【5G通信】雨で止まる"),
        ("【公式情報】", "tani.example", "【公式情報】"),
        ("【谷例日报】", "gu.example", "【谷例日报】"),
        ("비가 그치다 - 계곡일보", "gye.example", "비가 그치다"),
        ("Home / News / Weather / Rain stops in Orrin", "valleypost.com", "Rain stops in Orrin"),
        ("Home > Sport > Football > Orrin wins the cup", "valleypost.com", "Orrin wins the cup"),
        ("Home > News > Rain stops > Valley Drop", "", "Rain stops > Valley Drop"),
        ("Home/News/Rain stops in Orrin", "valleypost.com", "Rain stops in Orrin"),
        ("Главная > Новости > Дождь кончился", "valleypost.com", "Дождь кончился"),
        *(
            (title, "valleypost.com", title)
            for title in (
                "Home / Office rules split Germany's workers",
                "Home / Health / how Orrin cares for its old",
                "Home > Away: how Orrin won the cup",
                "Home > Sweet > Home wins the cup in Orrin",
            )
        ),
        ("The Guardian: a film review | The Guardian", "theguardian.com", "The Guardian: a film review"),
        ("The Sun: how it will die | The Sun", "thesun.co.uk", "The Sun: how it will die"),
        ("Der Spiegel: Ein Film | Der Spiegel", "Der Spiegel", "Der Spiegel: Ein Film"),
        ("El País: una historia | El País", "El País", "El País: una historia"),
        ("El País: una historia | El País", "elpais.com", "El País: una historia"),
        ("Valley Post: a history | Valley Post", "valleypost.com", "Valley Post: a history"),
        ("Valley: rain stops in Orrin", "valley.com", "Valley: rain stops in Orrin"),
        ("Rain stops (again)", "valleypost.com", "Rain stops (again)"),
        ("市長：辞任", "tani.example", "市長：辞任"),
        ("Valley floods: the worst in years", "valleypost.com", "Valley floods: the worst in years"),
        ("Rain stops - Valley people dance", "valleypost.com", "Rain stops - Valley people dance"),
        ("Rain stops » Sun shines", "valleypost.com", "Rain stops » Sun shines"),
        ("Rain stops - The Times", "valleypost.com", "Rain stops - The Times"),
        ("Rain stops - CNN chief says", "cnn.com", "Rain stops - CNN chief says"),
        ("Spider-Man: no way - review", "cnn.com", "Spider-Man: no way - review"),
        ("War | Peace", "cnn.com", "War | Peace"),
        ("CNN", "cnn.com", "CNN"),
        ("Rain stops | CNN", "", "Rain stops | CNN"),
        (" Rain\n\tstops\u00a0now ", "", "Rain stops now"),
    ],
)
def test_titles_lose_the_name_of_their_own_site_only(title: str, source: str, kept: str) -> None:
    assert clean(RawArticle(text="a", title=title, source=source)).title == kept


def test_described_fields_are_normalised_and_unusable_ones_noted() -> None:
    raw = RawArticle(
        text="It rained.",
        title="Rain",
        url="HTTPS://WWW.Example.com/a?utm_source=x#top",
        published_at="June 4, 2024",
        language="en_GB",
        authors=(" Ann\n Lee ", "", "Ann Lee"),
    )
    article = clean(raw, collection="news")
    assert article.url == "https://www.example.com/a"
    assert (article.source, article.published_at, article.language) == ("example.com", "2024-06-04", "en-gb")
    assert (article.authors, article.collection) == (("Ann Lee",), "news")
    bad = clean_with_notes(RawArticle(text="a", url="javascript:alert(1)", published_at="soon", language="?"))
    assert (bad.article.url, bad.article.published_at, bad.article.language) == (None, None, None)
    assert len(bad.notes) == 3


def test_a_given_id_and_collection_are_kept() -> None:
    article = clean(RawArticle(text="a", id="doc-7:x", collection="mine"), collection="news")
    assert (article.id, article.collection) == ("mine!doc-7:x", "mine")
    assert clean(as_raw(article)) == article
    assert clean(RawArticle(text="a", id="doc-7:x")).id == "doc-7:x", "in the default collection, as it was given"
    assert clean(RawArticle(text="a", id="mine!doc-7:x"), collection="news") == article, (
        "an id may say where it belongs"
    )


def test_ids_rest_on_where_an_article_is_from() -> None:
    def name(*, text: str = "It rained.", **fields: str) -> str:
        return clean(RawArticle(text=text, **fields)).id  # type: ignore[arg-type]

    linked = name(url="https://e.com/a?utm_source=x", title="A", origin="x.txt:1")
    assert re.fullmatch("[0-9a-f]{20}", linked)
    assert linked == name(text="edited", url="https://E.com/a", title="B", origin="y.txt:9")
    assert linked != name(url="https://e.com/a", collection="other")
    titled = name(title="A", origin="one/x.txt:1")
    assert titled == name(text="edited", title="A", origin="two/x.txt:30")
    assert titled != name(title="A", origin="one/y.txt:1")
    dated = name(title="A", origin="x.txt:1", published_at="2024-06-04")
    assert dated == name(text="edited", title="A", origin="x.txt:1", published_at="June 4, 2024")
    assert len({titled, dated, name(title="A", origin="x.txt:1", published_at="2024-06-05")}) == 3
    assert name(text="one", origin="x.txt:1") != name(text="two", origin="x.txt:1")
    # Parts are kept apart: a title cannot stand in for a link.
    parts = {"collection": "c", "origin": "", "version": ""}
    assert article_id(url="https://e.com/", title="", **parts) != article_id(url=None, title="https://e.com/", **parts)


@pytest.mark.parametrize(
    "text",
    [
        "word " * 1_000_000,
        "x" * 5_000_000,
        "\n" * 100_000 + "It rained.",
        "TT\n" * 100_000 + "It rained.",
        "TT\n20\n\n" * 50_000 + "It rained.",
        "Share\nFacebook\n" * 20_000 + "It rained.",
        "a" + "\u0301\u0316" * 500_000,
        ("(" * 300 + "\n") * 3_000,
        ("Sign up " * 40 + "\n") * 3_000,
    ],
    ids=["one line", "one word", "blank", "TT", "TT 20", "buttons", "marks", "brackets", "sign up"],
)
def test_hostile_texts_take_no_longer_than_long_ones(text: str) -> None:
    begun = time.process_time()
    clean(RawArticle(text=text, title="Rain"))
    assert time.process_time() - begun < 4, "some rule does not run in linear time"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"published_at": "06/04/2024"}, "may be two days"),
        ({"published_at": "31/02/2026"}, "is no day of the calendar"),
        ({"published_at": "2026-02-31T10:00:00Z"}, "is no day of the calendar"),
        ({"published_at": "some day"}, "could not be read"),
        ({"url": "orrin.example/weir"}, "is no usable http(s) address"),
        ({"language": "English (UK)"}, "is no language tag"),
        ({"text": "The w\ufffdir broke."}, "1 characters of the text were damaged"),
        ({"notes": ("a reader's note",)}, "a reader's note"),
    ],
)
def test_what_is_left_out_is_noted(fields: dict[str, Any], words: str) -> None:
    (note,) = clean_with_notes(RawArticle(**{"text": "The weir broke.", **fields})).notes
    assert words in note
    assert clean_with_notes(RawArticle(text="The weir broke.", published_at="4.6.2024")).notes == ()


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
