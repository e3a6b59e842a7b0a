"""What the browser tests share: a real Chromium, and a reader in front of the chat."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, Request, sync_playwright

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
        self.places = {urlsplit(one).netloc for one in (base, *friends)}
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.is_spoilt = False
        """Whether nobody else may have this page."""
        page.on("request", self._request)
        page.on("pageerror", self._error)
        page.on("console", self._message)

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _error(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _message(self, message: ConsoleMessage) -> None:
        # Chromium reports every response that is not a success; which ones are right is for each test to say.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    def before_pages(self, script: str) -> Reader:
        """Let a script run before those of each page."""
        self.is_spoilt = True
        self.page.add_init_script(script)
        return self

    def may_copy(self) -> Reader:
        """Let the page write to the clipboard, and the test read it."""
        self.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        return self

    def with_clock(self) -> Reader:
        """Let the test turn the clock of the page."""
        self.is_spoilt = True
        self.page.clock.install()
        return self

    def leave(self) -> bool:
        """Whether the page is now as it was at first."""
        for event, listener in (("request", self._request), ("pageerror", self._error), ("console", self._message)):
            self.page.remove_listener(event, listener)
        if self.is_spoilt:
            return False
        context = self.page.context
        if self.page.url.startswith("http"):
            self.page.evaluate("sessionStorage.clear()")
        self.page.goto("about:blank")
        self.page.mouse.move(0, 0)
        session = context.new_cdp_session(self.page)
        for place in self.places:
            forget = {"origin": f"http://{place}", "storageTypes": "local_storage,cookies"}
            session.send("Storage.clearDataForOrigin", forget)
        session.detach()
        for one in (context, self.page):
            one.unroute_all()
        context.clear_permissions()
        context.set_offline(False)
        return True

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

    def sticking_out(self) -> list[str]:
        """What sticks out of the window to the side."""
        found: list[str] = self.page.evaluate(
            """() => [...document.querySelector("sourceline-chat").shadowRoot.querySelectorAll("*")]
              .filter(one => one.checkVisibility() && !one.closest(".unseen"))
              .map(one => [one.className || one.localName, one.getBoundingClientRect()])
              .filter(([, { left, right }]) => right > innerWidth + 1 || left < -1).map(([name]) => name)"""
        )
        return found

    def foreign(self) -> list[str]:
        """Requests that went anywhere but to the page's own place and the service."""
        return [url for url in self.requests if urlsplit(url).netloc not in self.places]


class Windows:
    """Windows of one browser, for one reader after the other: a new one begins a process, which takes seconds."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._idle: dict[str, list[Page]] = {}

    @contextmanager
    def opened(self, base: str, friends: list[str], choices: dict[str, Any]) -> Iterator[Reader]:
        """Somebody in front of a window that nobody has used, or that is as if nobody had."""
        seen = {"color_scheme": "light", "reduced_motion": "no-preference", "forced_colors": "none"}
        seen |= {name: choices.pop(name) for name in seen if name in choices}
        viewport = choices.pop("viewport", {"width": 1200, "height": 800})
        choices = {"locale": "en-GB", **choices}
        idle = self._idle.setdefault(repr(sorted(choices.items())), [])
        page = idle.pop() if idle else self._new(choices)
        page.set_viewport_size(viewport)
        page.emulate_media(media="screen", **seen)
        reader = Reader(page, base, friends)
        yield reader
        if reader.leave():
            idle.append(page)
        else:
            page.context.close()

    def _new(self, choices: dict[str, Any]) -> Page:
        context = self._browser.new_context(**choices)
        context.set_default_timeout(120_000)
        return context.new_page()


@pytest.fixture(scope="module")
def windows(browser: Browser) -> Windows:
    return Windows(browser)


@pytest.fixture
def read(windows: Windows, service: Any) -> Iterator[Callable[..., Reader]]:
    """Open a window; at the end nothing may have gone elsewhere, and the page may have nothing to complain about."""
    with ExitStack() as stack:
        opened: list[Reader] = []

        def open_window(base: str | None = None, *, friends: list[str] | None = None, **choices: Any) -> Reader:
            opened.append(stack.enter_context(windows.opened(base or service.url, friends or [], choices)))
            return opened[-1]

        yield open_window
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
    if any("needs Firefox" in str(report.longrepr) for report in skipped):
        terminalreporter.section("NOT TESTED: the chat in Firefox", sep="!", red=True, bold=True)
