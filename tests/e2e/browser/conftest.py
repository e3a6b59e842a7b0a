"""What the browser tests share: a real Chromium, and a reader in front of the chat."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

NO_BROWSER = "needs Chromium, which is not here: scripts/install_browser.sh says what to do"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none"]


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

    def __init__(self, page: Page, base: str, friends: list[str]) -> None:
        self.page, self.base = page, base
        self._places = {urlsplit(one).netloc for one in (base, *friends)}
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
        turn.locator(".actions").wait_for()
        return turn

    def highlighted(self, name: str = "sourceline-quote") -> list[str]:
        """The texts that are painted as a highlight."""
        script = "name => [...(CSS.highlights.get(name) ?? [])].map(range => range.toString())"
        found: list[str] = self.page.evaluate(script, name)
        return found

    def foreign(self) -> list[str]:
        """Requests that went anywhere but to the page's own place and the service."""
        return [url for url in self.requests if urlsplit(url).netloc not in self._places]


@pytest.fixture
def read(browser: Browser, service: Any) -> Iterator[Callable[..., Reader]]:
    """Open a window; at the end nothing may have gone elsewhere, and the page may have nothing to complain about."""
    opened: list[Reader] = []

    def open_window(base: str | None = None, *, friends: list[str] | None = None, **choices: Any) -> Reader:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 800}, "locale": "en-GB", **choices})
        context.set_default_timeout(120_000)
        opened.append(Reader(context.new_page(), base or service.url, friends or []))
        return opened[-1]

    yield open_window
    for reader in opened:
        reader.page.context.close()
    assert [url for reader in opened for url in reader.foreign()] == []
    assert [complaint for reader in opened for complaint in reader.complaints] == []


@pytest.fixture(scope="session")
def node_packages(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages that the widget is developed with; fetched where they are not there yet."""
    folder = repo / "qa" / "widget" / "node_modules"
    if not (folder / ".installed").is_file():
        out = tmp_path_factory.mktemp("dist")
        done = subprocess.run([repo / "scripts" / "build_widget.sh", out], capture_output=True, text=True, check=False)
        if done.returncode and os.environ.get("CI"):
            pytest.fail(done.stderr)
        if done.returncode:
            pytest.skip(done.stderr)
    return folder


@pytest.fixture(scope="session")
def preact(node_packages: Path) -> Path:
    return node_packages / "preact" / "dist" / "preact.umd.js"


@pytest.fixture(scope="session")
def axe(node_packages: Path) -> str:
    """The source of axe-core."""
    return (node_packages / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def long_form() -> bool:
    """Whether the tests may take their time: `make browser`."""
    return bool(os.environ.get("LONG"))


MEASURED = pytest.StashKey[list[str]]()


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note a measurement, which is printed at the end of the run."""
    return request.config.stash.setdefault(MEASURED, []).append


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what was measured; say loudly that the browser tests did not run, where there is no browser."""
    if lines := config.stash.get(MEASURED, []):
        terminalreporter.section("the chat, measured")
        for line in lines:
            terminalreporter.line(line)
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum(1 for report in skipped if NO_BROWSER in str(report.longrepr))
    if count:
        terminalreporter.section(f"NOT TESTED: {count} tests in a browser", sep="!", red=True, bold=True)
        terminalreporter.line(NO_BROWSER)
