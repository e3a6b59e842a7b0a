"""Dates and links as pages write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.cleaning.dates import iso_date
from embeddings.cleaning.identity import article_id, host_of, is_site_root, normalised_url, page_keys


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("2024-06-04", "2024-06-04"),
        ("2024-06-04T10:30:00Z", "2024-06-04T10:30:00Z"),
        ("2024-06-04 10:30:00.123+02:00", "2024-06-04T08:30:00Z"),
        ("2024-06-04T23:30:00-0400", "2024-06-04T23:30:00-04:00"),
        ("2024-06-04T10:30", "2024-06-04"),
        ("2024/6/4", "2024-06-04"),
        ("20240604", "2024-06-04"),
        ("Tue, 04 Jun 2024 10:30:00 GMT", "2024-06-04T10:30:00Z"),
        ("Tue, 4 Jun 2024 10:30:00 -0700", "2024-06-04T17:30:00Z"),
        ("June 4, 2024", "2024-06-04"),
        ("Published: Tuesday, Jun. 4th, 2024", "2024-06-04"),
        ("4th of June 2024", "2024-06-04"),
        ("04-Jun-2024", "2024-06-04"),
        ("Updated 9:04 AM EST, Tue January 4, 2022", "2022-01-04T14:04:00Z"),
        ("12:30 a.m. UTC, 4 June 2024", "2024-06-04T00:30:00Z"),
        ("10:30 PM BST, 4 June 2024", "2024-06-04"),
        ("25/12/2024", "2024-12-25"),
        ("12/25/2024", "2024-12-25"),
        ("2024-06-04T00:30:00+02:00", "2024-06-04T00:30:00+02:00"),
        ("2024-06-04 10:30:00 +0000 UTC", "2024-06-04T10:30:00Z"),
        ("2024-06-04T10:30:00.000+0200[Europe/Oslo]", "2024-06-04T08:30:00Z"),
        ("2024-06-04 10:30 EST", "2024-06-04T15:30:00Z"),
        ("2024-06-04 10:30 XYZ", "2024-06-04"),
        ("2024.06.04", "2024-06-04"),
        ("2024. 6. 4.", "2024-06-04"),
        ("20240604T103000Z", "2024-06-04T10:30:00Z"),
        ("20240604T103000", "2024-06-04"),
        ("20240604103000", "2024-06-04"),
        ("1717497000", "2024-06-04T10:30:00Z"),
        ("1717497000123", "2024-06-04T10:30:00Z"),
        ("171749700", None),
        ("Tue Jun  4 10:30:00 2024", "2024-06-04"),
        ("Tue Jun 4 10:30:00 CEST 2024", "2024-06-04"),
        ("Tue, 04 Jun 2024 10:30:00 +0000 (UTC)", "2024-06-04T10:30:00Z"),
        ("4.6.2024", "2024-06-04"),
        ("am 04.06.2024 - 10:30 Uhr", "2024-06-04"),
        ("Published: 25/12/2024", "2024-12-25"),
        ("Stand 2024-06-04T10:30:00Z", "2024-06-04T10:30:00Z"),
        ("1.2.2024.5", None),
        ("04.06.2024, 10:30 Uhr", "2024-06-04"),
        ("4. Juni 2024", "2024-06-04"),
        ("le 1er juin 2024 à 10h30", "2024-06-01"),
        ("4 de junio de 2024", "2024-06-04"),
        ("4 giugno 2024", "2024-06-04"),
        ("4 czerwca 2024 r.", "2024-06-04"),
        ("4 июня 2024 г.", "2024-06-04"),
        ("4 червня 2024 року", "2024-06-04"),
        ("2024. június 4.", "2024-06-04"),
        ("4 يونيو 2024", "2024-06-04"),
        ("2024年6月4日 10:30", "2024-06-04"),
        ("令和6年6月4日", "2024-06-04"),
        ("令和元年6月4日", "2019-06-04"),
        ("民國113年6月4日", "2024-06-04"),
        ("4 जून 2024", "2024-06-04"),
        ("4 दिसंबर 2024", "2024-12-04"),
        ("4 ביוני 2024", "2024-06-04"),
        ("4 มิถุนายน 2567", "2024-06-04"),
        ("4 tháng 6 năm 2024", "2024-06-04"),
        ("Ngày 4 tháng 6, 2024", "2024-06-04"),
        ("1º de junho de 2024", "2024-06-01"),
        ("4 juill. 2024", "2024-07-04"),
        ("04/junho/2024", "2024-06-04"),
        ("/Date(1717497000000)/", "2024-06-04T10:30:00Z"),
        ("２０２４年６月４日", "2024-06-04"),
        ("2024년 6월 4일", "2024-06-04"),
        ("25/12/2024 01:57", "2024-12-25"),
        ("25-12-2024", "2024-12-25"),
        ("06/04/2024 01:57", None),
        ("31.06.2024", None),
        ("2024-W23-2", "2024-06-04"),
        ("2024-156", "2024-06-04"),
        ("2023-366", None),
        ("1717497000000000", "2024-06-04T10:30:00Z"),
        ("2024-06-04T10:30:00−05:00", "2024-06-04T15:30:00Z"),
        ("2024-Jun-4", "2024-06-04"),
        ("04JUN2024", "2024-06-04"),
        ("4 thg 6, 2024", "2024-06-04"),
        ("1 January 1970", None),
        ("1970-01-01T00:00:00Z", None),
        ("4 Junibar 2024", None),
        ("06/04/2024", None),
        ("June 31, 2024", None),
        ("2024-06-04T25:00:00Z", None),
        ("0001-01-01", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("2024", None),
        ("last Tuesday", None),
        ("Smarch 4, 2024", None),
        ("", None),
    ],
)
def test_dates_are_read_as_far_as_they_are_certain(written: str, date: str | None) -> None:
    assert iso_date(written) == date


@given(
    st.one_of(
        st.text(),
        st.datetimes().map(str),
        st.from_regex(
            r"[0-9]{1,4}[-/. ](June|jan|[0-9]{2})[-/., ]+[0-9]{1,4}( [0-9]{2}:[0-9]{2} (pm|EST|Z|\+0[0-9]:?00))?"
        ),
    )
)
def test_a_date_read_once_reads_the_same_again(written: str) -> None:
    date = iso_date(written)
    assert date is None or iso_date(date) == date


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("HTTPS://WWW.Example.COM:443/A/b?x=1&utm_source=y&fbclid=z#top", "https://www.example.com/A/b?x=1"),
        ("http://example.com", "http://example.com/"),
        ("http://example.com:8080/?utm_medium=a", "http://example.com:8080/"),
        ("http://[::1]:80/x", "http://[::1]/x"),
        ("https://exämple.com/ü?q=ä", "https://exämple.com/ü?q=ä"),
        ("https://example.com/a?b=%20&&c", "https://example.com/a?b=%20&&c"),
        *(
            (bad, None)
            for bad in ("javascript:alert(1)", "data:text/html,x", "ftp://e.com/", "//e.com", "/a", "", "http://")
        ),
        *(
            (bad, None)
            for bad in ("https://u:p@e.com/", "https://e.com\\@f.com/", "http://e .com/", "http://e.com/<b>")
        ),
        *((bad, None) for bad in ("http://e.com:99999/", "http://e.com/\u202e", "http://e.com/\n", "http://[e.com]/")),
        ("http://e.com/" + "a" * 2000, None),
    ],
)
def test_links_are_normal_web_links_or_nothing(written: str, url: str | None) -> None:
    assert normalised_url(written) == (url if written != "http://e.com/\n" else "http://e.com/")
    assert normalised_url(url) == url


@given(st.one_of(st.text(), st.text(alphabet="htps:/@[]?#&=.a%1utm_ \\é").map("http://{}".format)))
def test_a_normal_link_stays_as_it_is(written: str) -> None:
    url = normalised_url(written)
    assert normalised_url(url) == url
    assert url is None or url.startswith(("http://", "https://"))
    assert bool(host_of(url)) == bool(url)


SITE = "https://valley.example"
SESSION = "0a1b2c3d4e5f6a7b8c9d"
STORY = f"{SITE}/news/rain-returns-to-the-valley"


def _open_one_page(one: str, other: str) -> bool:
    return not set(page_keys(normalised_url(one))).isdisjoint(page_keys(normalised_url(other)))


@pytest.mark.parametrize(
    "other",
    [
        f"{STORY}?shared_by=facebook",
        f"{STORY}?mod=rss",
        f"{STORY}?cid=social",
        f"{STORY}?at_platform=twitter&channel=push",
        f"{STORY}?emc=newsletter",
        f"{STORY}?traffic_source=x7",
        f"{STORY}?mibextid=Zif",
        f"{STORY}?page=all&gaa_at=eafs",
        f"{STORY}?sh=3f9f2b7e1d2c",
        f"{STORY};jsessionid={SESSION}",
        f"{STORY}?session_id={SESSION}",
        f"{STORY}?PHPSESSID={SESSION}",
        f"{STORY}/print/",
        f"{STORY}?view=print",
        f"{SITE}/news/old/../rain-returns-to-the-valley",
        STORY.replace("//", "//touch."),
        f"https://web.archive.org/web/20240604000000/{STORY}",
        f"http://web.archive.org/web/2024/{STORY}/print?mod=rss",
    ],
)
def test_another_address_of_a_page_opens_the_same_one(other: str) -> None:
    assert _open_one_page(STORY, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/news/rain?mod=7", "/news/rain"),
        ("/news/print/rain", "/news/rain"),
        ("/read?slug=shares_fall", "/read?slug=social_care"),
        ("/read?story=shares_fall", "/read?story=shares_rise"),
        ("/read?topic=facebook", "/read?topic=twitter"),
        ("/search?q=whatsapp", "/search?q=telegram"),
        ("/help?id=rss", "/help?id=push"),
        ("/list?mod=politics", "/list?mod=sport"),
        ("/list?cid=abc", "/list?cid=def"),
        ("/list?cid=abc", "/list"),
        ("/list?page=2", "/list?page=3"),
        ("/list?sh=12", "/list?sh=13"),
        ("/forum.php?mod=newsletter", "/forum.php?mod=push"),
        ("/topics/print", "/topics"),
        ("/2024/print", "/2024"),
        ("/arts-and-culture/print", "/arts-and-culture"),
        ("/talks?session_id=12", "/talks?session_id=13"),
        ("/talks?sessionid=12", "/talks?sessionid=13"),
        ("/talks?session_id=1234567890123456789", "/talks?session_id=1234567890123456780"),
        ("/talks;sid=12", "/talks;sid=13"),
        ("/parcel?tracking=12", "/parcel?tracking=13"),
        ("/list?emc=12", "/list?emc=13"),
        ("/?p=share_price", "/?p=social_care"),
        ("/index.php?title=mail", "/index.php?title=push"),
    ],
)
def test_two_pages_never_share_an_address(one: str, other: str) -> None:
    assert not _open_one_page(SITE + one, SITE + other)


@pytest.mark.parametrize("path", ["/?p=share_price", "/index.php?title=mail", "/?id=rss", "/?mod=rss"])
def test_a_page_that_a_parameter_names_is_no_site_root(path: str) -> None:
    assert not is_site_root(normalised_url(SITE + path))
    assert page_keys(SITE + path)


@pytest.mark.parametrize(
    "link",
    [
        f"{STORY}?session_id=12",
        f"{STORY}?sessionid={SESSION}",
        f"{STORY}?tracking=12",
        f"{STORY}?emc=rss",
        f"{STORY}?mod=rss",
        f"{STORY}?clickid=7",
        f"{STORY};jsessionid={SESSION}",
        f"{STORY}/print",
        f"https://web.archive.org/web/20240604000000/{STORY}",
    ],
)
def test_links_and_ids_keep_what_only_comparisons_leave_out(link: str) -> None:
    """Else an existing store would no longer find the article at its own address."""
    assert normalised_url(link) == link
    ids = {article_id(collection="news", url=url, title="", origin="", version="") for url in (link, STORY)}
    assert len(ids) == 2


def test_the_first_key_of_a_page_is_the_one_that_existing_stores_hold() -> None:
    first, *more = page_keys(f"{STORY}?mod=rss")
    assert first == "77900e4ce051ff11b8761c703260290d"
    assert more == list(page_keys(STORY))


def test_a_site_is_named_without_www() -> None:
    assert host_of("https://www.example.com:81/a") == "example.com"
    assert host_of(None) == ""
