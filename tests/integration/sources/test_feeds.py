"""A feed's turns: what comes is stored once, what fails is tried again, and an end at any moment loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from embeddings.types import RawArticle
from qa.sources.delivery import Delivered, ToStore
from qa.sources.fetching import NotDelivered, SourceError
from qa.sources.ledger import FILE, Feed, Ledger, known_sources
from qa.sources.visits import Feeds


def texts(newsroom: Any) -> set[str]:
    return {article.text for article in newsroom.articles}


def test_a_feed_brings_its_articles_once_and_what_changes(newsroom: Any, web: Any, make: Any) -> None:
    url = web.put("/feed", make.rss(*(make.whole(n, web.base) for n in range(3))))
    newsroom.add(url)
    assert newsroom.turn() == {"added": 3}
    brought = newsroom.ledger.sources()[0].brought
    assert newsroom.turn() == {}
    assert web.asked[-1][1]["If-None-Match"] == newsroom.feed.etag
    corrected = make.whole(1, web.base) | {"content:encoded": "Report number 1: ferry 1 left with 90 people after all."}
    web.put("/feed", make.rss(make.whole(0, web.base), corrected))
    assert newsroom.turn() == {"updated": 1}
    assert len(newsroom.articles) == 3
    (source,) = known_sources(newsroom.folder).heard
    assert (source.name, source.kind) == (url, "feed")
    assert brought is not None
    assert source.brought == source.asked > brought
    newsroom.turn()
    (after,) = newsroom.ledger.sources()
    assert after.brought == source.brought < after.asked


def test_a_summary_is_fetched_as_its_page(newsroom: Any, web: Any, make: Any) -> None:
    newsroom.add(web.put("/feed", make.rss(make.teaser(1, web.base)), Content_Encoding="gzip"))
    web.put("/news/1", make.page(1), kind="text/html; charset=utf-8")
    assert newsroom.turn() == {"added": 1}
    (article,) = newsroom.articles
    assert "nine cars" in article.text
    assert "Home" not in article.text
    assert (article.summary_only, article.url, article.published_at) == (
        False,
        f"{web.base}/news/1",
        "2024-06-04T10:00:00Z",
    )
    newsroom.turn()
    assert web.paths.count("/news/1") == 1


def test_an_entry_without_a_text_is_fetched_too(newsroom: Any, web: Any, make: Any) -> None:
    newsroom.add(web.put("/feed", make.rss({"title": "Ferry", "link": f"{web.base}/news/1"})))
    web.put("/news/1", make.page(1), kind="text/html")
    assert newsroom.turn() == {"added": 1}


@pytest.mark.parametrize("before", [0, 19])
def test_a_page_that_fails_leaves_the_summary_and_comes_later(newsroom: Any, web: Any, make: Any, before: int) -> None:
    """Also where it is the last of a batch."""
    others = [make.whole(n + 10, web.base) for n in range(before)]
    newsroom.add(web.put("/feed", make.rss(*others, make.teaser(1, web.base))))
    web.say("/news/1", 503)
    assert newsroom.turn() == {"added": before + 1}
    assert sum(article.summary_only for article in newsroom.articles) == 1
    web.put("/news/1", make.page(1), kind="text/html")
    assert newsroom.turn() == {"updated": 1}
    assert not any(article.summary_only for article in newsroom.articles)
    newsroom.turn()
    assert web.paths.count("/news/1") == 2


@pytest.mark.parametrize(("status", "times"), [(404, 1), (410, 1), (500, 5)])
def test_a_page_that_goes_on_failing_is_let_be(newsroom: Any, web: Any, make: Any, status: int, times: int) -> None:
    newsroom.add(web.put("/feed", make.rss(make.teaser(1, web.base))))
    web.say("/news/1", status)
    for _ in range(6):
        newsroom.turn()
    assert web.paths.count("/news/1") == times
    assert [article.summary_only for article in newsroom.articles] == [True]


def test_what_is_wrong_with_many_pages_is_said_once(
    newsroom: Any, web: Any, make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    newsroom.add(web.put("/feed", make.rss(*(make.teaser(n, "http://nowhere.invalid") for n in (1, 2, 3)))))
    newsroom.turn()
    (told,) = (one.getMessage() for one in caplog.records if "nowhere.invalid" in one.getMessage())
    assert told.endswith(" (3 entries)")


def test_a_page_cannot_take_the_place_of_another_sites_article(newsroom: Any, web: Any, make: Any) -> None:
    claimed = make.page(1).replace("<head>", '<head><link rel="canonical" href="https://bbc.example/news/1">')
    newsroom.add(web.put("/feed", make.rss(make.teaser(1, web.base))))
    web.put("/news/1", claimed, kind="text/html")
    newsroom.turn()
    assert [article.url for article in newsroom.articles] == [f"{web.base}/news/1"]


def test_a_notice_in_the_place_of_the_page_does_not_replace_the_summary(newsroom: Any, web: Any, make: Any) -> None:
    entry = make.teaser(1, web.base) | {
        "content:encoded": f"{'The ferry left with many people on board. ' * 9}Read more"
    }
    newsroom.add(web.put("/feed", make.rss(entry)))
    notice = (
        "<html><body><article><p>Please accept our cookies to read on, or log in to your account here.</p></article>"
    )
    web.put("/news/1", f"{notice}</body></html>", kind="text/html")
    newsroom.turn()
    (article,) = newsroom.articles
    assert article.summary_only
    assert "cookies" not in article.text


def test_a_feed_that_moved_is_asked_at_its_new_address(newsroom: Any, web: Any, make: Any) -> None:
    new = web.put("/new", make.rss(make.whole(1, web.base)))
    newsroom.add(web.say("/old", 301, Location="/new"))
    assert newsroom.turn() == {"added": 1}
    assert newsroom.feed.url == new
    assert newsroom.turn() == {}
    assert web.paths == ["/old", "/new", "/new"]
    assert [source.name for source in newsroom.ledger.sources()] == [new]


def test_a_redirect_to_what_is_no_feed_moves_nothing(newsroom: Any, web: Any) -> None:
    web.put("/login", "<html><body>Log in</body></html>", kind="text/html")
    url = web.say("/old", 301, Location="/login")
    newsroom.add(url)
    newsroom.turn()
    assert (newsroom.feed.url, newsroom.feed.failures) == (url, 1)


def test_a_feed_that_is_gone_is_not_asked_again(newsroom: Any, web: Any) -> None:
    newsroom.add(web.say("/feed", 410))
    for _ in range(3):
        newsroom.turn()
    assert (newsroom.feed.state, len(web.asked)) == ("gone", 1)
    assert "410" in newsroom.feed.trouble


def test_a_broken_feed_waits_longer_each_time_and_recovers(newsroom: Any, web: Any, make: Any) -> None:
    url = web.put("/feed", "<rss><channel><item><title>Unclosed")
    newsroom.add(url, every_seconds=600.0)
    waits = []
    for _ in range(4):
        began = newsroom.now
        newsroom.turn()
        waits.append(newsroom.feed.due - began)
    assert waits == [600.0, 1200.0, 2400.0, 4800.0]
    assert "holds no feed" in newsroom.feed.trouble
    assert newsroom.ledger.sources() == []
    web.put("/feed", make.rss(make.whole(1, web.base)))
    assert newsroom.turn() == {"added": 1}
    assert (newsroom.feed.failures, newsroom.feed.trouble) == (0, "")


def test_a_server_is_left_alone_for_as_long_as_it_asks(newsroom: Any, web: Any) -> None:
    newsroom.add(web.say("/feed", 429, Retry_After="7200"), every_seconds=600.0)
    began = newsroom.now
    newsroom.turn()
    assert newsroom.feed.due == began + 7200.0


def test_a_clock_that_was_set_back_lets_no_feed_wait_for_years(newsroom: Any, web: Any, make: Any) -> None:
    newsroom.add(web.put("/feed", make.rss(make.whole(1, web.base))), every_seconds=600.0)
    newsroom.now += 200_000_000
    newsroom.turn()
    newsroom.now -= 200_000_000
    web.put("/feed", make.rss(make.whole(1, web.base), make.whole(2, web.base)))
    assert newsroom.turn() == {"added": 1}


def test_one_bad_feed_does_not_stop_the_others(newsroom: Any, web: Any, make: Any) -> None:
    for path in ("/a", "/b", "/c"):
        newsroom.add(web.base + path)
    web.put("/a", b"\x00\xff not xml")
    web.say("/b", 302, Location="http://127.0.0.2/secret")
    web.put("/c", make.rss(make.whole(1, web.base)))
    assert newsroom.turn() == {"added": 1}


def test_entries_of_two_feeds_without_links_are_different_articles(newsroom: Any, web: Any, make: Any) -> None:
    for place in ("one", "two"):
        entry = make.whole(1, web.base) | {
            "title": f"From {place}",
            "content:encoded": f"The {place} report says it all.",
        }
        del entry["link"]
        newsroom.add(web.put(f"/{place}/feed.xml", make.rss(entry)))
    assert newsroom.turn() == {"added": 2}


def test_what_cannot_be_stored_is_not_noted(newsroom: Any, web: Any, make: Any) -> None:
    newsroom.add(web.put("/feed", make.rss(make.whole(1, web.base))))

    def refuse(_: object) -> Delivered:
        raise NotDelivered("the disk is full")

    down = Feeds(newsroom.ledger, fetcher=make.quick(), deliver=lambda _: refuse, now=lambda: newsroom.now)
    assert "disk is full" in down.turn(newsroom.feed).feed.trouble
    assert newsroom.feed.etag == ""
    newsroom.now += 100_000
    assert newsroom.turn() == {"added": 1}


def test_what_was_stored_before_a_turn_broke_off_is_told(newsroom: Any, web: Any, make: Any) -> None:
    newsroom.add(web.put("/feed", make.rss(*(make.whole(n, web.base) for n in range(30)))))
    deliver = ToStore(newsroom.settings, collection="default")

    def once(articles: Sequence[RawArticle]) -> Delivered:
        if newsroom.articles:
            raise NotDelivered("the service stops")
        return deliver(articles)

    down = Feeds(newsroom.ledger, fetcher=make.quick(), deliver=lambda _: once, now=lambda: newsroom.now)
    visit = down.turn(newsroom.feed)
    assert (visit.delivered.outcomes, visit.feed.trouble) == ({"added": 20}, "the service stops")
    assert [one.brought for one in newsroom.ledger.sources()] == [newsroom.now]


def test_an_end_between_storing_and_noting_doubles_nothing(
    newsroom: Any, web: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsroom.add(web.put("/feed", make.rss(*(make.whole(n, web.base) for n in range(30)))))

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "note", ended)
        with pytest.raises(KeyboardInterrupt):
            newsroom.turn()
    assert len(newsroom.articles) == 20
    assert newsroom.turn() == {"unchanged": 20, "added": 10}
    assert len(newsroom.articles) == 30


def test_a_stop_leaves_the_rest_for_the_next_turn(newsroom: Any, web: Any, make: Any) -> None:
    newsroom.add(web.put("/feed", make.rss(*(make.whole(n, web.base) for n in range(5)))))
    counted: list[RawArticle] = []

    def deliver(articles: Any) -> Delivered:
        counted.extend(articles)
        return Delivered()

    asked = iter([False, False, True])
    stopping = Feeds(
        newsroom.ledger,
        fetcher=make.quick(),
        deliver=lambda _: deliver,
        should_stop=lambda: next(asked),
        now=lambda: newsroom.now,
    )
    assert stopping.turn(newsroom.feed).feed.etag == ""
    assert len(counted) == 2
    newsroom.now += 100_000
    assert newsroom.turn() == {"added": 3}


def test_a_feed_removed_during_its_turn_stays_removed(newsroom: Any, web: Any, make: Any) -> None:
    feed = newsroom.add(web.put("/feed", make.rss(make.whole(1, web.base))))
    newsroom.ledger.remove(feed.url)
    newsroom.feeds.turn(feed)
    assert newsroom.ledger.feeds() == []
    assert newsroom.ledger.tries(feed.url) == {}
    assert newsroom.ledger.sources() == []


def environment(folder: Path) -> dict[str, str]:
    ours = {"QA_DATA_DIR": str(folder), "QA_ENCODER": "hashing", "QA_FEED_NETWORKS": "127.0.0.1"}
    return {name: value for name, value in os.environ.items() if not name.startswith("QA_")} | ours


def test_the_process_killed_at_work_loses_and_doubles_nothing(newsroom: Any, web: Any, make: Any) -> None:
    entries = [make.whole(n, web.base) for n in range(25)]
    feed = newsroom.add(web.put("/feed", make.rss(*entries, make.teaser(99, web.base))))
    web.hang("/news/99")
    command = [sys.executable, "-m", "qa", "feeds", "run", "--once"]
    process = subprocess.Popen(command, env=environment(newsroom.folder), stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 300
        while "/news/99" not in web.paths:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        with pytest.raises(SourceError, match="another process asks the feeds"), newsroom.ledger.running():
            pass
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    assert len(newsroom.articles) == 20
    web.released.set()
    web.put("/news/99", make.page(99), kind="text/html")
    done = subprocess.run(command, env=environment(newsroom.folder), capture_output=True, text=True, check=True)
    assert done.stdout == f"{feed.url}: 6 added\n"
    assert done.stderr == "", "nothing but what concerns the feeds"
    assert len({article.url for article in newsroom.articles}) == len(newsroom.articles) == 26
    again = subprocess.run(command, env=environment(newsroom.folder), capture_output=True, text=True, check=True)
    assert (again.stdout, again.stderr) == ("", "no feed is due; `qa feeds list` says when each is\n")


def test_the_commands_add_list_and_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from qa.cli import program

    monkeypatch.setenv("QA_DATA_DIR", str(tmp_path))

    def qa(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(program, ["feeds", *words], prog_name="qa")
        return result.exit_code, result.output

    url = "https://news.example/feed"
    assert qa("add", url, "--collection", "wire", "--every", "5") == (0, f"added: {url}\n")
    assert qa("add", url) == (0, f"there already: {url}\n")
    assert qa("list") == (0, f"{url}\tbrought never\tdue now\n")
    (feed,) = json.loads(qa("list", "--json")[1])
    assert (feed["url"], feed["collection"], feed["every_seconds"], feed["brought"]) == (url, "wire", 300.0, None)
    assert qa("remove", url) == (0, "")
    code, told = qa("remove", url)
    assert (code, "no feed" in told) == (1, True)
    code, told = qa("add", "news.example/feed")
    assert (code, "no http or https address" in told) == (1, True)
    (tmp_path / "feed.xml").write_text("<rss><channel/></rss>")
    code, told = qa("add", str(tmp_path / "feed.xml"))
    assert (code, "qa ingest" in told) == (2, True)


def test_a_list_of_feeds_is_taken_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from qa.cli import program

    monkeypatch.setenv("QA_DATA_DIR", str(tmp_path))
    listed, bare = tmp_path / "mine.opml", tmp_path / "bare.opml"
    listed.write_text(
        "<?xml version='1.0'?><opml><body><outline text='Daily > weekly'>"
        '<outline text="a > b" xmlUrl="https://one.example/feed?a=1&amp;b=2"/>'
        "<outline xmlUrl='https://two.example/feed'/><outline xmlUrl='https://two.example/feed'/>"
        "<!-- <outline xmlUrl='https://old.example/feed'/> --><outline xmlUrl='ftp://three.example/feed'/>"
        "<outline xmlUrl='https://me:hidden@four.example/feed'/></outline></body></opml>"
    )
    bare.write_text("<opml><body><outline text='nothing'/></body></opml>")

    def qa(*words: str) -> Any:
        return CliRunner().invoke(program, ["feeds", *words], prog_name="qa")

    done = qa("add", "https://two.example/feed", str(listed), "--collection", "wire")
    assert done.exit_code == 0
    assert done.stdout == "added: https://two.example/feed\nadded: https://one.example/feed?a=1&b=2\n"
    first, second = done.stderr.splitlines()
    assert first == f"not added: {listed}: 'ftp://three.example/feed' is no http or https address"
    assert "four.example" in second
    assert "hidden" not in done.output
    assert [feed["collection"] for feed in json.loads(qa("list", "--json").stdout)] == ["wire", "wire"]
    assert "lists no feed" in qa("add", str(bare)).output


def test_a_name_and_a_password_are_not_taken_into_the_list(newsroom: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from qa.cli import program

    monkeypatch.setenv("QA_DATA_DIR", str(newsroom.folder))
    done = CliRunner().invoke(program, ["feeds", "add", "https://me:hidden@news.example/feed"], prog_name="qa")
    assert (done.exit_code, "user's name" in done.output, "hidden" in done.output) == (1, True, False)
    assert newsroom.ledger.feeds() == []


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (
            "<link href='/news.xml' title=x type='application/rss+xml' rel='alternate'>",
            "a web page, which names the feed {base}/news.xml; add that",
        ),
        ("<link rel='stylesheet' href='/a.css'><link rel='alternate' hreflang='de' href='/de'>", "it is a web page"),
    ],
)
def test_of_a_page_in_the_place_of_a_feed_it_is_said_which_feed_it_names(
    newsroom: Any, web: Any, head: str, told: str
) -> None:
    newsroom.add(web.put("/home", f"<html><head>{head}</head><body><p>Welcome.</p></body></html>", kind="text/html"))
    newsroom.turn()
    assert newsroom.feed.trouble.endswith(told.format(base=web.base))


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all, but long enough to look at" * 100)
    with pytest.raises(SourceError, match=FILE):
        Ledger.open(tmp_path)


def test_a_feed_is_taken_in_once(newsroom: Any) -> None:
    assert [newsroom.ledger.add(Feed(url="https://news.example/feed")) for _ in range(2)] == [True, False]
    assert [newsroom.ledger.remove("https://news.example/feed") for _ in range(2)] == [True, False]
