"""The report, opened from disk in a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, sync_playwright

from qa.cli import program
from qa.evaluation import Prediction

NO_BROWSER = "needs Chromium, which is not here: scripts/install_browser.sh says what to do"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def report(
    write_run: Callable[..., Path], honest: tuple[Prediction, ...], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = write_run(tmp_path_factory.mktemp("browser") / "run", honest[:-2])
    out = folder / "report.html"
    for arguments in (["score", folder], ["report", folder, "--format", "html", "--out", out]):
        runner = CliRunner(env={"QA_SUPPORT_CHECKER": "lexical"})
        assert runner.invoke(program, ["evaluate", *map(str, arguments)]).exit_code == 0
    return out


def opened(browser: Browser, report: Path, **context: object) -> tuple[Page, list[str]]:
    """The page, and all that it loaded or complained of."""
    page = browser.new_page(**context)  # type: ignore[arg-type]
    noted: list[str] = []
    page.on("request", lambda request: noted.append(request.url))
    page.on("console", lambda message: noted.append(message.text))
    page.on("pageerror", lambda error: noted.append(str(error)))
    page.goto(report.as_uri())
    return page, noted


def test_it_opens_from_disk_and_asks_for_nothing(browser: Browser, report: Path) -> None:
    page, noted = opened(browser, report)
    assert noted == [report.as_uri()]
    assert page.locator("figure svg").count() == 4
    page.close()


def test_a_question_unfolds_to_its_cited_words(browser: Browser, report: Path) -> None:
    page, _ = opened(browser, report)
    first = page.locator("#right details").first
    assert not first.locator("mark").first.is_visible()
    first.locator("summary").click()
    assert first.locator("mark").first.is_visible()
    assert first.locator(".claim.supported").first.is_visible()
    page.close()


@pytest.mark.parametrize("width", [360, 1100])
def test_it_fits_the_screen(browser: Browser, report: Path, width: int) -> None:
    page, _ = opened(browser, report, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_it_is_dark_where_the_reader_wants_it_dark(browser: Browser, report: Path) -> None:
    def shades(scheme: str) -> tuple[int, int]:
        """How light paper and ink are."""
        page, _ = opened(browser, report, color_scheme=scheme)
        found = page.evaluate(
            "() => ['backgroundColor', 'color'].map(name =>"
            " getComputedStyle(document.body)[name].match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0))"
        )
        page.close()
        return found[0], found[1]

    (paper, ink), (dark_paper, dark_ink) = shades("light"), shades("dark")
    assert paper > 700 > 150 > ink
    assert dark_paper < 150 < 600 < dark_ink


def test_paper_shows_what_failed_without_unfolding(browser: Browser, report: Path) -> None:
    page, _ = opened(browser, report)
    page.emulate_media(media="print")
    assert page.locator("#failed details .fault").first.bounding_box()["height"] > 0  # type: ignore[index]
    assert not page.locator("nav").is_visible()
    page.close()
