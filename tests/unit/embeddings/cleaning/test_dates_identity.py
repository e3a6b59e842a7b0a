"""Dates and links as pages write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.cleaning.dates import iso_date
from embeddings.cleaning.identity import host_of, normalised_url, page_key


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


@pytest.mark.parametrize(
    "other",
    [
        "https://valley.example/news/rain?shared_by=facebook",
        "https://valley.example/news/rain?traffic_source=x7",
        "https://valley.example/news/rain;jsessionid=12AB",
        "https://valley.example/news/rain/print/",
        "https://valley.example/news/rain?view=print",
        "https://valley.example/news/old/../rain",
        "https://touch.valley.example/news/rain",
        "https://web.archive.org/web/20240604000000/https://valley.example/news/rain",
    ],
)
def test_another_address_of_a_page_opens_the_same_one(other: str) -> None:
    page = page_key(normalised_url("https://valley.example/news/rain"))
    assert page is not None
    assert page_key(normalised_url(other)) == page


@pytest.mark.parametrize("other", ["https://valley.example/news/rain?mod=7", "https://valley.example/news/print/rain"])
def test_another_page_is_not_taken_for_the_same(other: str) -> None:
    assert page_key(normalised_url(other)) != page_key(normalised_url("https://valley.example/news/rain"))


def test_a_site_is_named_without_www() -> None:
    assert host_of("https://www.example.com:81/a") == "example.com"
    assert host_of(None) == ""
