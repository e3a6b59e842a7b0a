"""Takes the pictures of README and docs/chat.md: the real service, the bundled model, the sample articles, Chromium.

    make screenshots

Not collected with the tests; look at what it made before committing it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ViewportSize

from seeds import articles_dir

MAX_BYTES = 150_000
WIDE: ViewportSize = {"width": 1200, "height": 760}
NARROW: ViewportSize = {"width": 390, "height": 760}
FERRY = "Which company does the Saint Orlane belong to?"
WATER = "How full are Kelmar's reservoirs?"
FIRE = "How large is the area burned in the Corrin Hills?"
PEOPLE = "كم عدد سكان المدينة نسمة؟"


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


def test_start(read: Any, samples: Any, take: Any) -> None:
    reader = read(samples.url, viewport=WIDE).visit()
    reader.chat.locator(".starters:not(.newest) .starter").nth(3).wait_for()
    take(reader, "start")


def test_tag(read: Any, samples: Any, take: Any) -> None:
    reader = read(samples.url, viewport=WIDE).visit("/widget")
    reader.page.get_by_label("Look").select_option("plain")
    reader.page.get_by_label("Colour").fill("#7a1f3d")
    reader.page.keyboard.press("Tab")
    reader.chat.locator(".archive").wait_for()
    take(reader, "tag")


def test_light(read: Any, samples: Any, take: Any) -> None:
    reader = read(samples.url, viewport=WIDE).visit()
    reader.ask(FERRY)
    reader.chips.first.hover()
    reader.chat.locator(".card").wait_for()
    take(reader, "light")


def test_article(read: Any, samples: Any, take: Any) -> None:
    reader = read(samples.url, viewport=WIDE).visit()
    reader.ask(WATER)
    reader.chips.first.click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    take(reader, "article")


def test_dark(read: Any, samples: Any, take: Any) -> None:
    reader = read(samples.url, viewport=WIDE, color_scheme="dark").visit()
    reader.ask("Who won the chess championship in Lima?")
    take(reader, "dark")


def test_narrow(read: Any, samples: Any, take: Any) -> None:
    reader = read(samples.url, viewport=NARROW).visit()
    reader.ask(FIRE)
    take(reader, "narrow")


def test_arabic(read: Any, samples: Any, take: Any) -> None:
    reader = read(samples.url, viewport=WIDE, locale="ar").visit()
    reader.ask(PEOPLE)
    reader.chips.first.click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    take(reader, "arabic")
