"""What the browser tests share: a real service in its own process, a real Chromium, and a reader who uses the chat."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

NO_BROWSER = "needs Chromium, which is not here: scripts/install_browser.sh says what to do"
READY = re.compile(r"^Sourceline is ready at (http://\S+)$")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none"]

BRIDGE = "The Osprey Bridge will be closed to all motor traffic for 16 months from July 1, the roads department said."
ARTICLES = [
    {
        "id": "bridge",
        "title": "Osprey Bridge to shut",
        "text": f"{BRIDGE}\n\nInspectors found cracks in 27 of its 96 steel hangers.\n\nTwo ferries will run.",
        "source": "Kelmar Dispatch",
        "url": "https://example.org/bridge",
        "published_at": "2024-06-14",
    },
    {
        "id": "kites",
        "title": "Kite festival 🪁 in Ostara",
        "text": "Organisers 😀 of the 🪁🎏 fair sold 9,000 tickets 👨‍👩‍👧 early.\n\n"
        "The kite festival of Ostara 🪁 drew 12,000 visitors 🎏 on Sunday.",
        "source": "Ostara Daily",
        "published_at": "2024-04-07",
    },
    {
        "id": "miyah",
        "title": "عودة ضخ المياه إلى عين سرحة",
        "text": "أعلنت مؤسسة المياه عودة الضخ إلى المدينة يوم الأربعاء.\n\n"
        "ويبلغ عدد سكان مدينة عين سرحة نحو 47 ألف نسمة، وقد اعتمد معظمهم على صهاريج.",
        "source": "وكالة الساحل",
        "published_at": "2024-06-12",
        "language": "ar",
    },
]


class Service:
    """`qa serve` in a process of its own, on a port that stays the same over restarts."""

    def __init__(self, folder: Path, repo: Path, **variables: str) -> None:
        self._folder, self._repo, self._variables = folder, repo, variables
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        settings = {"QA_DATA_DIR": str(self._folder), "QA_ENCODER": "hashing", **self._variables}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "qa", "serve", "--port", str(self.port)],
            cwd=self._repo,
            env={**os.environ, **settings, "PYTHONPATH": str(self._repo), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        assert READY.match(self._process.stdout.readline())

    def kill(self) -> None:
        with self._process:
            self._process.kill()

    def add(self, *articles: dict[str, Any]) -> None:
        httpx.post(f"{self.url}/api/articles", json=list(articles), timeout=60).raise_for_status()


@pytest.fixture(scope="session")
def begin_service(tmp_path_factory: pytest.TempPathFactory, repo: Path) -> Iterator[Callable[..., Service]]:
    """Start a service on a folder of its own; variables are settings."""
    begun: list[Service] = []

    def begin(**variables: str) -> Service:
        begun.append(Service(tmp_path_factory.mktemp("data"), repo, **variables))
        return begun[-1]

    yield begin
    for service in begun:
        service.kill()


@pytest.fixture(scope="session")
def service(begin_service: Callable[..., Service]) -> Service:
    """A service that holds ARTICLES, which no test changes."""
    found = begin_service()
    found.add(*ARTICLES)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield found
        found.close()


class Reader:
    """Somebody in front of the chat; notes whatever the page loads and complains about."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._note(message.type, message.text))

    def _note(self, kind: str, text: str) -> None:
        # Chromium reports every response that is not a success; which ones are right is for each test to say.
        if kind in {"error", "warning"} and not text.startswith("Failed to load resource"):
            self.complaints.append(text)

    def visit(self, path: str = "/") -> Reader:
        self.page.goto(self.base + path)
        self.chat.wait_for(state="attached")
        return self

    @property
    def chat(self) -> Locator:
        return self.page.locator("sourceline-chat")

    @property
    def input(self) -> Locator:
        return self.chat.locator(".composer textarea")

    @property
    def last(self) -> Locator:
        """The last turn."""
        return self.chat.locator(".turn").last

    @property
    def chips(self) -> Locator:
        return self.last.locator(".answer .chip")

    def send(self, question: str) -> None:
        self.input.fill(question)
        self.input.press("Enter")

    def ask(self, question: str) -> Locator:
        """Ask, and wait for the whole answer; gives its turn."""
        before = self.chat.locator(".turn").count()
        self.send(question)
        turn = self.chat.locator(".turn").nth(before)
        turn.locator(".actions").wait_for(timeout=30_000)
        return turn

    def highlighted(self, name: str = "sourceline-quote") -> list[str]:
        """The texts that are painted as a highlight."""
        script = "name => [...(CSS.highlights.get(name) ?? [])].map(range => range.toString())"
        found: list[str] = self.page.evaluate(script, name)
        return found

    def foreign(self) -> list[str]:
        """Requests that went anywhere but to the service."""
        return [url for url in self.requests if urlsplit(url).netloc != urlsplit(self.base).netloc]


@pytest.fixture
def read(browser: Browser, service: Service) -> Iterator[Callable[..., Reader]]:
    """Open a window; at the end nothing may have gone elsewhere, and the page may have nothing to complain about."""
    opened: list[Reader] = []

    def open_window(base: str | None = None, **choices: Any) -> Reader:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 800}, "locale": "en-GB", **choices})
        opened.append(Reader(context.new_page(), base or service.url))
        return opened[-1]

    yield open_window
    for reader in opened:
        reader.page.context.close()
    assert [url for reader in opened for url in reader.foreign()] == []
    assert [complaint for reader in opened for complaint in reader.complaints] == []


def wait_until(condition: Callable[[], Any], *, seconds: float = 10) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)
    return found


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly that the browser tests did not run, where there is no browser."""
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum(1 for report in skipped if NO_BROWSER in str(report.longrepr))
    if count:
        terminalreporter.section(f"NOT TESTED: {count} tests in a browser", sep="!", red=True, bold=True)
        terminalreporter.line(NO_BROWSER)


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
