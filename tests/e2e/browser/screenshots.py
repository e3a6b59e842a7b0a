"""Takes the pictures of README and docs/: the real service, the bundled model, the sample articles, Chromium.

    make screenshots

Not collected with the tests; look at what it made before committing it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
from playwright.sync_api import ViewportSize

from embeddings.types import Article
from qa.conversations.database import Database
from qa.conversations.feedback import FeedbackBook, served
from qa.conversations.history import Bounds, History
from qa.sources.ledger import Feed, Ledger
from qa.types import Answer, SearchResult
from seeds import articles_dir

MAX_BYTES = 150_000
WIDE: ViewportSize = {"width": 1200, "height": 760}
NARROW: ViewportSize = {"width": 390, "height": 760}
FERRY = "Which company does the Saint Orlane belong to?"
WATER = "When will most homes in Kelmar have no running water?"
FIRE = "How big is the fire in the Corrin Hills?"
LIST = "Which villages were emptied in the Corrin Hills?"
BRIDGE = "How long will the Osprey Bridge be closed?"
DAILY = "And how many vehicles does it carry a day?"
EARNS = "What does the captain of the Saint Orlane earn?"
UNKNOWN = "Who won the chess championship in Lima?"
PERU = "What is the capital of Peru?"
NOW = datetime.now(UTC)
PEOPLE = "كم عدد سكان المدينة نسمة؟"
WRITTEN = """The Osprey Bridge will be closed to all motor traffic for 16 months from July 1.
Replacing its hangers and deck is to cost 94 million crowns, 60 million of it from the state.
Until it opens again, two ferries are to run."""
SITE = """<!doctype html><html lang="en"><title>The Kelmar Dispatch</title>
<style>body { margin: 0; color: #222; background: #fff; font: 17px/1.6 Georgia, "Noto Serif", serif }
header { padding: 14px 40px; border-bottom: 3px double #222; font-size: 30px }
main { max-width: 640px; margin: 20px 40px } h1 { line-height: 1.2 }
sourceline-chat[mode="inline"] { margin-block: 20px; --sourceline-height: 440px }</style>
<header>The Kelmar Dispatch</header><main><h1>Osprey Bridge to shut for 16 months</h1>
<p>Kelmar's Osprey Bridge will be closed to all motor traffic for 16 months from July 1 after inspectors found cracks
in 27 of its 96 steel hangers.</p>TAG<p>The bridge, 412 meters long, carries 38,000 vehicles a day across the Lunde
river and is the only road link between the hospital district and the port.</p>
<p>Replacing the hangers and the deck is to cost 94 million crowns, 60 million of it from the state.</p></main>"""


@pytest.fixture(scope="module")
def samples(begin_service: Callable[..., Any]) -> Any:
    service = begin_service(QA_ENCODER="all-MiniLM-L6-v2", QA_READER="")
    service.ingest(articles_dir())
    return service


@pytest.fixture
def take(repo: Path) -> Callable[[Any, str], None]:
    """Save what a reader sees; fewer colours where pngquant is there."""

    def take(reader: Any, name: str, *, focused: bool = False) -> None:
        path = repo / "docs" / "screenshots" / f"{name}.png"
        blur = "(document.activeElement?.shadowRoot?.activeElement ?? document.activeElement)?.blur()"
        if not focused:
            reader.page.evaluate(blur)
        reader.page.wait_for_timeout(400)
        reader.page.screenshot(path=path)
        if shutil.which("pngquant"):
            subprocess.run(["pngquant", "--force", "--ext", ".png", "--skip-if-larger", path], check=False)
        assert path.stat().st_size < MAX_BYTES, path

    return take


def opened(reader: Any) -> Any:
    """The article of the first number."""
    reader.chips.first.click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    return reader


def started(reader: Any) -> Any:
    reader.chat.locator(".starters:not(.newest) .starter").nth(5).wait_for()
    return reader


def embedded(reader: Any, attributes: str) -> Any:
    """The chat in somebody's page."""
    page = SITE.replace("TAG", f'<script src="/widget.js" {attributes}></script>')
    reader.page.route("**/host", lambda route: route.fulfill(content_type="text/html", body=page))
    return reader.visit("/host")


def test_pages(read: Any, samples: Any, take: Any) -> None:
    reader = read(samples.url, viewport=WIDE).visit()
    take(started(reader), "start")
    reader.ask(LIST)
    take(reader, "list")
    reader.visit("/#q=" + quote(FERRY))
    reader.last.locator(".actions").wait_for()
    reader.chips.first.hover()
    reader.chat.locator(".card").wait_for()
    take(reader, "light")
    reader.ask(FIRE)
    take(reader, "conflict")
    reader.ask(WATER)
    take(opened(reader), "article")


def test_conversation(read: Any, samples: Any, take: Any) -> None:
    reader = read(samples.url, viewport=WIDE).visit()
    reader.ask(BRIDGE)
    reader.ask(DAILY).locator(".understood .narrowed").wait_for()
    take(reader, "follow-up")
    reader.visit("/?anew")
    reader.ask(EARNS).locator(".offered .starter").last.wait_for()
    take(reader, "declined")


def test_dark(read: Any, samples: Any, take: Any) -> None:
    reader = started(read(samples.url, viewport=WIDE, color_scheme="dark").visit())
    turn = reader.ask(UNKNOWN)
    turn.locator(".offered .starter").first.wait_for()
    take(reader, "dark")


def test_narrow(read: Any, samples: Any, take: Any) -> None:
    reader = read(samples.url, viewport=NARROW, has_touch=True).visit()
    reader.ask(BRIDGE)
    take(reader, "narrow")
    reader.chips.first.tap()
    reader.chat.locator(".card").wait_for()
    take(reader, "narrow-card", focused=True)
    reader.chips.first.tap()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    take(reader, "narrow-article")
    reader.visit("/?anew")
    reader.ask(FIRE)
    take(reader, "narrow-conflict")


def test_arabic(read: Any, samples: Any, take: Any) -> None:
    reader = read(samples.url, viewport=WIDE, locale="ar").visit()
    reader.ask(PEOPLE)
    take(opened(reader), "arabic")


def test_in_other_pages(read: Any, samples: Any, take: Any) -> None:
    reader = embedded(read(samples.url, viewport=WIDE), 'data-mode="inline"')
    reader.ask(BRIDGE)
    take(reader, "inline")
    reader = embedded(read(samples.url, viewport=WIDE), "")
    reader.chat.get_by_role("button", name="Ask a question").click()
    reader.ask(BRIDGE)
    take(reader, "launcher")


def test_tag(read: Any, samples: Any, take: Any) -> None:
    reader = read(samples.url, viewport=WIDE).visit("/widget")
    reader.page.get_by_label("Look").select_option("plain")
    reader.page.get_by_label("Colour").fill("#7a1f3d")
    reader.page.keyboard.press("Tab")
    started(reader)
    take(reader, "tag")


def test_while_a_model_writes(read: Any, scripted: Any, answering: Any, take: Any) -> None:
    """Held where two of its sentences are checked, which no model could be trusted with."""
    compose, unfold = answering
    listed = [
        ("Osprey Bridge to Shut for 16 Months From July", "Kelmar Dispatch", "2026-11-20"),
        ("Two Ferries for the Lunde While the Bridge Is Shut", "Northern Herald", "2026-11-22"),
        ("What the Closure Costs the Port", "Coastwire", "2026-11-25"),
    ]
    results = tuple(found(f"a{number}", *about) for number, about in enumerate(listed))
    article = Article(id="a0", version="v", title=listed[0][0], text="…")
    answer = compose(WRITTEN.split("\n"), article, question=BRIDGE, search_results=results)
    claims = tuple(msgspec.structs.replace(claim, origin="model") for claim in answer.claims)
    taken = Event()

    def script(_: dict[str, Any]) -> Iterator[Any]:
        events = unfold(msgspec.structs.replace(answer, claims=claims))
        yield from islice(events, 3)
        taken.wait(120)

    scripted.script = script
    reader = read(scripted.url, viewport=WIDE).visit()
    reader.send(BRIDGE)
    reader.last.locator(".sentence").nth(1).wait_for()
    take(reader, "writing")
    taken.set()


def found(article_id: str, title: str, source: str, published_at: str) -> SearchResult:
    """What the model reads, of each article one passage."""
    about: Any = {"article_id": article_id, "article_version": "v", "title": title, "source": source, "url": None}
    place: Any = {"passage_id": article_id, "text": "…", "start_char_index": 0, "end_char_index": 1, "score": 1.0}
    return SearchResult(published_at=published_at, **about, **place)


@pytest.fixture(scope="module")
def desk(samples: Any) -> Any:
    """A month of questions, asked of the service and noted on days of their own; two opinions; a feed in trouble."""
    answers = [
        httpx.post(f"{samples.url}/api/ask", json={"question": question}, timeout=600).raise_for_status().json()
        for question in (FERRY, WATER, FIRE, UNKNOWN, PERU)
    ]
    samples.kill()
    with closing(Database.open(samples.folder)) as database:
        history = History(database, bounds=Bounds(turns=1000, conversations=1000, size=10**9))
        asked = [note(history, answers[number % 5], number) for number in range(70) if number % 9 not in {4, 6}]
        book = FeedbackBook(database, limit=1000)
        for place, verdict in ((-1, "down"), (-3, "up"), (-9, "down"), (-24, "down")):
            said: Any = {"owner": "", "verdict": verdict, "comment": "", "at": asked[place][1]}
            book.give(served(asked[place][0]), **said)
    with closing(Ledger.open(samples.folder)) as ledger:
        ledger.add(Feed(url="https://dispatch.example/feed.xml", due=NOW.timestamp() + 900))
        ledger.heard("https://dispatch.example/feed.xml", kind="feed", at=NOW.timestamp(), brought=True)
        ledger.add(Feed(url="https://wire.example/rss", due=NOW.timestamp() + 3600, failures=3, trouble="status 503"))
    samples.start()
    return samples


def note(history: History, answer: dict[str, Any], number: int) -> tuple[Answer, str]:
    """Keep an answer as if it had been given some time ago, a little more of them every week."""
    at = f"{NOW - timedelta(days=(29 * (69 - number) / 69) ** 1.1 / 29**0.1, hours=number % 5):%Y-%m-%dT%H:%M:%SZ}"
    named = {"id": f"ans_{number:03}", "conversation_id": f"conv_{number}"}
    kept = msgspec.convert({**answer, **named}, Answer)
    history.append(kept, at=at, owner="", begin=True)
    return kept, at


def test_admin(read: Any, desk: Any, take: Any) -> None:
    reader = read(desk.url, viewport=WIDE)
    reader.page.goto(f"{desk.url}/admin")
    reader.page.get_by_role("table", name="Questions", exact=True).wait_for()
    take(reader, "admin")


def test_review(read: Any, desk: Any, take: Any) -> None:
    reader = read(desk.url, viewport={"width": 1200, "height": 900}, color_scheme="dark")
    reader.page.goto(f"{desk.url}/admin#/questions?outcome=answered")
    reader.page.get_by_role("link", name=WATER).first.click()
    reader.page.get_by_role("group", name="Accuracy").get_by_label("No issue").check()
    reader.page.get_by_role("group", name="Context").get_by_label("Some").check()
    reader.page.get_by_role("group", name="Words that answer").get_by_role("checkbox").first.check()
    reader.page.locator(".sheet").evaluate("sheet => sheet.scrollTo(0, 0)")
    take(reader, "review")
