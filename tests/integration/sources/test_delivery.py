"""What goes to a running service that is behind a proxy, busy, or gone midway; here it answers as each test says."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from embeddings.types import RawArticle
from qa.cli import program
from qa.sources.delivery import BrokenOff, ToService
from qa.sources.fetching import NotDelivered, SourceError

PAGE = b"<html><h1>413 Request Entity Too Large</h1></html>"
Reply = tuple[int, bytes, Mapping[str, str]]


class Scripted:
    """A service on loopback that answers each request as `answer` says, given the articles in it."""

    def __init__(self, port: int) -> None:
        self.netloc = f"127.0.0.1:{port}"
        self.base = f"http://{self.netloc}"
        self.asked: list[list[Any]] = []
        self.answer: Callable[[list[Any]], Reply] = stored

    def in_turn(self, *replies: Reply | Callable[[list[Any]], Reply]) -> None:
        """Give these, one after another, and the last one from then on."""
        left = list(replies)

        def answer(lines: list[Any]) -> Reply:
            one = left.pop(0) if len(left) > 1 else left[0]
            return one(lines) if callable(one) else one

        self.answer = answer


def stored(lines: list[Any]) -> Reply:
    report = {"articles": [{"outcome": "added", "item": n, "id": f"a{n}"} for n in range(1, len(lines) + 1)]}
    return 200, msgspec.json.encode(report), {}


def refused(status: int, detail: str, **headers: str) -> Reply:
    return status, msgspec.json.encode({"detail": detail}), {"Retry-After": headers["after"]} if headers else {}


@pytest.fixture
def service() -> Iterator[Scripted]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.asked.append([msgspec.json.decode(line) for line in body.split(b"\n") if line])
            status, said, headers = found.answer(found.asked[-1])
            self.send_response(status)
            for name, value in {"Content-Length": str(len(said)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    found = Scripted(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join(60)


def articles(count: int) -> list[RawArticle]:
    return [RawArticle(text=f"Report {n}.", origin=f"/desk/{n}.txt:1") for n in range(count)]


def test_a_proxy_that_takes_less_at_once_halves_the_request(service: Scripted) -> None:
    """Its page is no JSON; what is too large alone is rejected, and the others are stored."""
    service.answer = lambda lines: (413, PAGE, {}) if len(lines) > 1 else stored(lines)
    report = ToService(service.base, key="", collection="desk").ingest(articles(4))
    assert [one.origin for one in report.articles] == [f"/desk/{n}.txt:1" for n in range(4)]
    assert [len(lines) for lines in service.asked] == [4, 2, 1, 1, 2, 1, 1]
    service.answer = lambda _: (413, PAGE, {})
    (alone,) = ToService(service.base, key="", collection="desk").ingest(articles(1)).rejected
    assert (alone.origin, alone.reason) == ("/desk/0.txt:1", f"it is larger than {service.netloc} takes (status 413)")


def test_what_was_stored_of_a_batch_that_breaks_off_is_told(service: Scripted) -> None:
    service.in_turn((413, PAGE, {}), stored, (502, b"<html>", {}))
    with pytest.raises(BrokenOff, match="status 502 and no JSON") as broken:
        ToService(service.base, key="", collection="desk").ingest(articles(4))
    assert [one.origin for one in broken.value.report.articles] == ["/desk/0.txt:1", "/desk/1.txt:1"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_service_that_asks_for_quiet_is_given_it(service: Scripted, status: int) -> None:
    """A minute at most each time, and three times at most."""
    waits: list[float] = []
    deliver = ToService(service.base, key="", collection="desk", wait=waits.append)
    service.in_turn(refused(status, "busy", after="7"), refused(status, "busy", after="900"), stored)
    assert deliver(articles(1)).outcomes == {"added": 1}
    assert waits == [7.0, 60.0]
    service.in_turn(refused(status, "busy", after="1"))
    service.asked.clear()
    with pytest.raises(NotDelivered, match=f"{service.netloc} answered with status {status}: busy"):
        deliver(articles(1))
    assert (waits[2:], len(service.asked)) == ([1.0, 1.0, 1.0], 4)
    service.in_turn(refused(status, "not for long"))
    with pytest.raises(NotDelivered, match="not for long"):
        deliver(articles(1))
    assert len(waits) == 5, "it did not say when"


def test_a_stop_ends_the_waiting(service: Scripted) -> None:
    service.in_turn(refused(503, "busy", after="30"))
    with pytest.raises(NotDelivered, match="busy"):
        ToService(service.base, key="", collection="desk", wait=lambda _: True)(articles(1))
    assert len(service.asked) == 1


@pytest.mark.parametrize("key", ["schlüssel-of-some-length", "ключ", "two\nlines", "two\r\nX-Other: lines"])
def test_a_key_that_no_request_can_hold_is_refused(key: str) -> None:
    with pytest.raises(SourceError, match="QA_SERVICE_KEY holds a line break or a letter outside ASCII") as error:
        ToService("http://127.0.0.1:8000", key=key, collection="desk")
    assert key not in str(error.value)


@pytest.mark.parametrize(
    "place",
    ["desk:99999", "desk:http", "desk:0", "[::1", "a..b", f"{'a' * 64}:80", "a desk", "desk/naïve"],
)
@pytest.mark.parametrize("user", ["", "ann:secret@"])
def test_an_address_to_which_nothing_can_be_sent_is_refused(place: str, user: str) -> None:
    with pytest.raises(SourceError, match=r"QA_SERVICE_URL is .*; it is an address such as") as error:
        ToService(f"http://{user}{place}", key="", collection="desk")
    assert place in str(error.value)
    assert "secret" not in str(error.value)


def test_no_error_shows_a_password(service: Scripted) -> None:
    url = f"http://ann:secret@{service.netloc}"
    deliver = ToService(url, key="", collection="desk")
    assert deliver.url == service.base
    for reply in (refused(500, "broken"), (500, b"<html>", {}), refused(422, "bad")):
        service.in_turn(reply)
        with pytest.raises(NotDelivered, match=f"^{service.netloc} answered") as error:
            deliver(articles(1))
        assert "secret" not in str(error.value)
    with pytest.raises(NotDelivered, match=r"^the service at 127\.0\.0\.1:1 does not answer"):
        ToService("http://ann:secret@127.0.0.1:1", key="", collection="desk")(articles(1))
    with pytest.raises(SourceError) as refusal:
        ToService(f"ftp://ann:secret@{service.netloc}", key="", collection="desk")
    assert "secret" not in str(refusal.value)


def ingested(*arguments: str | Path) -> Result:
    return CliRunner().invoke(program, ["ingest", *map(str, arguments)], prog_name="qa")


def test_an_ingest_that_breaks_off_tells_what_became_of_the_articles_before(
    service: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of whole batches, and of the requests of the last one that were answered; the error comes after it."""
    wire = tmp_path / "wire.jsonl"
    wire.write_text('{"text": 3}\n' + "".join(f'{{"id": "w{n}", "text": "Report {n}."}}\n' for n in range(99)))
    monkeypatch.setenv("QA_SERVICE_URL", service.base)

    def noted(lines: list[Any]) -> Reply:
        report = {
            "articles": [{"outcome": "added", "item": n, "notes": ["no table"]} for n in range(2, len(lines) + 1)],
            "rejected": [{"item": 1, "detail": "no good"}],
        }
        return 200, msgspec.json.encode(report), {}

    def script() -> None:  # 63 and 36 articles; the second request is halved, and its second half fails
        service.in_turn(noted, (413, PAGE, {}), stored, refused(503, "busy"))

    script()
    told = ingested(wire)
    assert told.exit_code == 1
    assert [line.split() for line in told.stdout.splitlines()[:2]] == [["added", "80"], ["rejected", "2"]]
    assert f"{wire}:2: no good" in told.stderr
    assert "(and 61 more): note: no table" in told.stderr
    last = told.stderr.splitlines()[-1]
    assert last == (
        f"qa: {service.netloc} answered with status 503: busy. Stored before: 80; the same command does the rest"
    )
    script()
    told = ingested(wire, "--json")
    report = msgspec.json.decode(told.stdout)
    assert (told.exit_code, report["stopped"]) == (1, True)
    assert (len(report["articles"]), [one["origin"] for one in report["rejected"]]) == (80, [f"{wire}:1", f"{wire}:2"])
    service.in_turn(refused(503, "busy"))
    wire.write_text('{"id": "w", "text": "Report."}\n')
    assert ingested(wire, "--json").stdout == "", "nothing became of anything"


def test_ctrl_c_ends_the_waiting_of_an_ingest(
    service: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its report is that of an interruption."""
    (tmp_path / "a.txt").write_text("Report.")
    monkeypatch.setenv("QA_SERVICE_URL", service.base)

    def interrupting(_: list[Any]) -> Reply:
        os.kill(os.getpid(), signal.SIGINT)
        return refused(503, "busy", after="30")

    service.in_turn(interrupting)
    told = ingested(tmp_path / "a.txt")
    assert (told.exit_code, "Interrupted." in told.stderr, len(service.asked)) == (130, True, 1), told.stderr
