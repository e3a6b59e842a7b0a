"""What is taken of an address: right answers of servers, wrong ones, and addresses that are not asked."""

from __future__ import annotations

from typing import Any

import pytest

from qa.access import origins
from qa.sources.fetching import Fetcher, FetchRefused, Limits, target


def test_a_document_comes_with_what_spares_it_the_next_time(web: Any, fetcher: Fetcher) -> None:
    url = web.put("/feed", "<rss/>")
    first = fetcher.fetch(url)
    assert (first.state, first.body, first.media_type) == ("new", b"<rss/>", "application/rss+xml")
    assert fetcher.fetch(url, etag=first.etag).state == "unchanged"
    assert web.asked[0][1]["User-Agent"].startswith("Sourceline/")


def test_a_packed_document_is_unpacked(web: Any, fetcher: Fetcher) -> None:
    body = b"<rss>" + b"news " * 50_000 + b"</rss>"
    assert fetcher.fetch(web.put("/feed", body, Content_Encoding="gzip")).body == body


@pytest.mark.parametrize("packed", [{}, {"Content_Encoding": "gzip"}])
def test_a_document_that_is_too_large_is_refused_also_when_packed_small(
    web: Any, make: Any, packed: dict[str, str]
) -> None:
    url = web.put("/feed", b"0" * 1_000_000, **packed)
    with pytest.raises(FetchRefused, match="larger than 100,000 bytes"):
        make.quick(size=100_000).fetch(url)


def test_an_endless_document_is_refused(web: Any, make: Any) -> None:
    def endless(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
        try:
            while True:
                handler.wfile.write(b"0" * 65_536)
        except OSError:
            return

    web.pages["/feed"] = endless
    with pytest.raises(FetchRefused, match="larger than"):
        make.quick(size=100_000).fetch(f"{web.base}/feed")


@pytest.mark.parametrize("first", [b"", b"<rss>"])
def test_an_answer_that_does_not_end_is_given_up(web: Any, make: Any, first: bytes) -> None:
    with pytest.raises(FetchRefused, match=r"did not answer within 0\.5 seconds") as refused:
        make.quick(seconds=0.5).fetch(web.hang("/feed", first=first))
    assert not refused.value.lasting


def test_a_drop_now_and_then_does_not_keep_an_answer_alive(web: Any, make: Any) -> None:
    def dripping(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
        try:
            while not web.released.wait(0.05):
                handler.wfile.write(b" ")
                handler.wfile.flush()
        except OSError:
            return

    web.pages["/feed"] = dripping
    with pytest.raises(FetchRefused, match="did not answer within"):
        make.quick(seconds=0.5).fetch(f"{web.base}/feed")


def test_a_document_cut_short_is_refused(web: Any, fetcher: Fetcher) -> None:
    web.pages["/feed"] = lambda handler: handler.give(200, b"<rss>", Content_Length="500")
    with pytest.raises(FetchRefused, match="did not answer") as refused:
        fetcher.fetch(f"{web.base}/feed")
    assert not refused.value.lasting


def test_redirects_are_followed_and_only_lasting_ones_remembered(web: Any, fetcher: Fetcher) -> None:
    end = web.put("/end", "<rss/>")
    web.say("/for-now", 302, Location="/end")
    web.say("/for-good", 301, Location="/also-for-good")
    web.say("/also-for-good", 308, Location="/end#top")
    web.say("/mixed", 301, Location="/for-now")
    assert fetcher.fetch(f"{web.base}/for-now").moved_to is None
    assert fetcher.fetch(f"{web.base}/for-good").moved_to == end
    assert fetcher.fetch(f"{web.base}/mixed").moved_to == f"{web.base}/for-now"
    assert fetcher.fetch(f"{web.base}/mixed").url == end


def test_a_circle_of_redirects_ends(web: Any, fetcher: Fetcher) -> None:
    web.say("/a", 301, Location="/b")
    web.say("/b", 301, Location="/a")
    with pytest.raises(FetchRefused, match="in a circle"):
        fetcher.fetch(f"{web.base}/a")
    assert len(web.asked) == 6


@pytest.mark.parametrize(
    ("status", "lasting", "wait"), [(404, True, None), (403, True, None), (429, False, 90.0), (503, False, 90.0)]
)
def test_a_status_says_whether_to_ask_again(
    web: Any, fetcher: Fetcher, status: int, lasting: bool, wait: float | None
) -> None:
    with pytest.raises(FetchRefused, match=f"answered with status {status}") as refused:
        fetcher.fetch(web.say("/feed", status, Retry_After="90"))
    assert (refused.value.lasting, refused.value.retry_after) == (lasting, wait)


def test_gone_is_gone(web: Any, fetcher: Fetcher) -> None:
    assert fetcher.fetch(web.say("/feed", 410)).state == "gone"


PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.3.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "ff02::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused_whatever_their_name(address: str) -> None:
    with pytest.raises(FetchRefused, match="private address"):
        target("https://news.example/feed", allowed=(), resolve=lambda *_: [address])
    with pytest.raises(FetchRefused, match="private address"):
        target("https://news.example/feed", allowed=(), resolve=lambda *_: ["93.184.216.34", address])


def test_a_public_address_is_asked_at_the_address_that_was_checked() -> None:
    found = target("https://News.Example:8443/a?b=c#d", allowed=(), resolve=lambda *_: ["93.184.216.34"])
    assert (found.address, found.port, found.host, found.path) == ("93.184.216.34", 8443, "news.example", "/a?b=c")
    assert target("http://[2606:4700::1]/", allowed=(), resolve=lambda *_: ["2606:4700::1"]).port == 80


def test_a_name_is_looked_up_once_and_the_connection_goes_there(web: Any) -> None:
    """A name server that gives a good address first and a bad one then leads nowhere else."""
    port = int(web.base.rpartition(":")[2])
    answers = [["127.0.0.1"], ["127.0.0.1"], ["10.0.0.1"]]  # of the page, its robots.txt, the next page
    allowed = origins.parse_networks("127.0.0.1", setting="x")
    fetcher = Fetcher(allowed=allowed, limits=Limits(pause=0.0), resolve=lambda *_: answers.pop(0))
    web.put("/feed", "<rss/>")
    assert fetcher.fetch(f"http://news.example:{port}/feed").body == b"<rss/>"
    assert web.asked[0][1]["Host"] == f"news.example:{port}"
    with pytest.raises(FetchRefused, match=r"private address 10\.0\.0\.1"):
        fetcher.fetch(f"http://news.example:{port}/feed")


@pytest.mark.parametrize("place", ["http://127.0.0.2/secret", "http://[::1]/", "file:///etc/passwd", "//127.0.0.2/x"])
def test_a_redirect_to_a_private_address_is_refused(web: Any, fetcher: Fetcher, place: str) -> None:
    with pytest.raises(FetchRefused, match=r"private address|no http or https"):
        fetcher.fetch(web.say("/feed", 302, Location=place))


def test_without_the_setting_this_machine_is_not_asked(web: Any) -> None:
    with pytest.raises(FetchRefused, match="QA_FEED_NETWORKS"):
        Fetcher().fetch(web.put("/feed", "<rss/>"))
    assert web.asked == []


@pytest.mark.parametrize(
    "url",
    ["ftp://news.example/", "news.example/feed", "http://", "http://u:p@news.example/", "http://a b/", "http://x:y/"],
)
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(FetchRefused):
        target(url, allowed=(), resolve=lambda *_: ["93.184.216.34"])


def test_a_host_is_left_alone_between_two_requests(web: Any) -> None:
    waited: list[float] = []
    allowed = origins.parse_networks("127.0.0.1", setting="x")
    fetcher = Fetcher(allowed=allowed, limits=Limits(pause=60.0), sleep=waited.append)
    url = web.put("/feed", "<rss/>")
    for _ in range(2):
        fetcher.fetch(url)
    assert len(waited) == 2, "after robots.txt, too"
    assert all(0 < seconds <= 60.0 for seconds in waited)
