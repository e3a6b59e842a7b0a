"""Takes the pictures of README and docs/chat.md: the real service, the bundled model, the sample articles, Chromium.

    make screenshots

Not collected with the tests; look at what it made before committing it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from playwright.sync_api import ViewportSize

from embeddings.types import Article
from seeds import articles_dir

MAX_BYTES = 150_000
WIDE: ViewportSize = {"width": 1200, "height": 760}
NARROW: ViewportSize = {"width": 390, "height": 760}
FERRY = "Which company does the Saint Orlane belong to?"
WATER = "How full are Kelmar's reservoirs?"
FIRE = "How large is the area burned in the Corrin Hills?"
LIST = "Which villages were emptied in the Corrin Hills?"
BRIDGE = "How long will the Osprey Bridge be closed?"
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

    def take(reader: Any, name: str) -> None:
        path = repo / "docs" / "screenshots" / f"{name}.png"
        reader.input.evaluate("input => input.blur()")
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


def test_dark(read: Any, samples: Any, take: Any) -> None:
    reader = started(read(samples.url, viewport=WIDE, color_scheme="dark").visit())
    reader.ask("Who won the chess championship in Lima?")
    take(reader, "dark")


def test_narrow(read: Any, samples: Any, take: Any) -> None:
    reader = read(samples.url, viewport=NARROW).visit()
    reader.ask(BRIDGE)
    take(reader, "narrow")


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
    article = Article(id="a", version="v", title="Osprey Bridge to Shut for 16 Months From July", text="…")
    answer = compose(WRITTEN.split("\n"), article, question=BRIDGE)
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
