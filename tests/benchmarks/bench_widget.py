"""What the chat costs a reader, in Chromium against the real service with the sample articles.

    python tests/benchmarks/bench_widget.py

Prints JSON: bytes gzipped; milliseconds to the first paint, to a box that can be written in, and from a question to its
first sentence that was checked; how far things moved by themselves on the first screen and while an answer came; the
longest task of the page's main thread (processor time) while an answer comes, with one turn and after fifty.
Medians of ROUNDS new visitors; needs Chromium (scripts/install_browser.sh).
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
TURNS = 50
QUESTIONS = [
    "How long will the Osprey Bridge be closed?",
    "How large is the area burned in the Corrin Hills?",
    "Which company does the Saint Orlane belong to?",
    "Who won the chess championship in Lima?",
]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
OBSERVE = """
window.moved = 0; window.usable = null; window.asked = null; window.checked = null;
new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) moved += one.value; })
  .observe({ type: "layout-shift", buffered: true });
customElements.whenDefined("sourceline-chat").then(() => requestAnimationFrame(() => { usable = performance.now(); }));
window.awaitSentence = () => {
  const turns = document.querySelector("sourceline-chat").shadowRoot.querySelector(".turns");
  const before = turns.querySelectorAll(".sentence").length;
  checked = null; asked = performance.now();
  const look = () => {
    if (turns.querySelectorAll(".sentence").length > before) checked = performance.now();
    else requestAnimationFrame(look);
  };
  look();
};
"""


@contextmanager
def serving(data: str) -> Iterator[str]:
    """The service with the sample articles; gives its address."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "QA_DATA_DIR": data}
    command = [sys.executable, "-m", "qa"]
    subprocess.run([*command, "ingest", str(ROOT / "seeds" / "articles")], env=environ, check=True, capture_output=True)
    serve = [*command, "serve", "--port", "0"]
    with subprocess.Popen(serve, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().split()[-1]
            while not httpx.get(f"{address}/api/starters", timeout=60).json()["complete"]:
                pass
            yield address
        finally:
            process.terminate()


@contextmanager
def tasks(browser: Browser, page: Page) -> Iterator[list[float]]:
    """The tasks of the page's main thread meanwhile, in milliseconds of processor time."""
    found: list[float] = []
    browser.start_tracing(page=page, categories=["disabled-by-default-devtools.timeline", "toplevel"])
    yield found
    events = json.loads(browser.stop_tracing())["traceEvents"]
    threads = [one for one in events if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"]
    mains = {(one["pid"], one["tid"]) for one in threads}
    own = [one for one in events if (one["pid"], one["tid"]) in mains and one["name"].endswith("RunTask")]
    found += [one["tdur"] / 1000 for one in own if "tdur" in one]


def ask(page: Page, question: str) -> float:
    """Milliseconds from the question to its first sentence; 0 where it is declined."""
    turns = page.locator("sourceline-chat .turn")
    before = turns.count()
    page.locator("sourceline-chat .composer textarea").fill(question)
    page.evaluate("awaitSentence()")
    page.keyboard.press("Enter")
    turns.nth(before).locator(".actions").wait_for()
    found: float = page.evaluate("checked === null ? 0 : checked - asked")
    return found


def visit(browser: Browser, address: str) -> tuple[Page, dict[str, float], list[str]]:
    """Somebody new on the first screen, once all of it is there; gives also what was loaded."""
    page = browser.new_context(viewport={"width": 1200, "height": 800}, locale="en-GB").new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(OBSERVE)
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto(address)
    page.locator("sourceline-chat .newest .starter").first.wait_for()
    page.wait_for_function("usable !== null")
    paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    names = ["first_paint_ms", "usable_ms", "first_screen_shift"]
    return page, dict(zip(names, page.evaluate(f"[{paint}, usable, moved]"), strict=True)), loaded


def one_visitor(browser: Browser, address: str) -> dict[str, float]:
    """Somebody who asks one question; from the second visitor on the service has read for it before."""
    page, measured, _ = visit(browser, address)
    page.evaluate("moved = 0")
    with tasks(browser, page) as first:
        measured["first_sentence_ms"] = ask(page, QUESTIONS[0])
    measured |= {"answer_shift": page.evaluate("moved"), "longest_task_ms": max(first)}
    page.context.close()
    return measured


def many_turns(browser: Browser, address: str) -> dict[str, float]:
    """The last of TURNS questions of one conversation."""
    page, _, _ = visit(browser, address)
    for number in range(TURNS - 1):
        ask(page, QUESTIONS[number % len(QUESTIONS)])
    page.evaluate("moved = 0")
    with tasks(browser, page) as last:
        ask(page, QUESTIONS[0])
    measured = {"longest_task_ms": max(last), "answer_shift": page.evaluate("moved")}
    page.context.close()
    return measured


def size(browser: Browser, address: str) -> int:
    """Bytes of all that the first screen loads but answers of the service, as they are sent."""
    page, _, loaded = visit(browser, address)
    page.context.close()
    return sum(travelled(url) for url in {*loaded} if "/api/" not in url)


def travelled(url: str) -> int:
    with httpx.stream("GET", url, headers={"accept-encoding": "gzip"}) as response:
        return sum(map(len, response.iter_raw()))


def rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3 if name.endswith("shift") else 0) for name, value in values.items()}


def main() -> None:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        sys.exit("bench_widget: needs Chromium: scripts/install_browser.sh says what to do")
    with (
        tempfile.TemporaryDirectory(prefix="sourceline-bench-") as data,
        serving(data) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        visitors = [one_visitor(browser, address) for _ in range(ROUNDS)]
        report: dict[str, Any] = {"bench": "widget", "rounds": ROUNDS, "bytes_gzipped": size(browser, address)}
        report["visitor"] = rounded({name: statistics.median(one[name] for one in visitors) for name in visitors[0]})
        report[f"after_{TURNS}_turns"] = rounded(many_turns(browser, address))
        browser.close()
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
