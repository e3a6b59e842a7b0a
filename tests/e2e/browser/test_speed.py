"""How heavy and how calm the chat is: size, time to interactive, layout shift, long tasks; printed after the run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from playwright.sync_api import Browser

from embeddings.types import Article

Read = Callable[..., Any]
SENTENCES = [f"Sentence {number} of the answer says what the report found in part {number}." for number in range(200)]
SLOW_MACHINE = 150
"""Milliseconds: what piles up with the sentences takes more anywhere. That none takes 50, `make bench` says."""
OBSERVE = """
window.shift = 0; window.ready = null;
new PerformanceObserver(list => { for (const one of list.getEntries()) if (!one.hadRecentInput) shift += one.value; })
  .observe({ type: "layout-shift", buffered: true });
customElements.whenDefined("sourceline-chat").then(() => requestAnimationFrame(() => { ready = performance.now(); }));
"""


@contextmanager
def tasks_of(reader: Any, browser: Browser) -> Iterator[list[float]]:
    """The tasks of the page's main thread meanwhile, in milliseconds of processor time: others use the cores too."""
    found: list[float] = []
    browser.start_tracing(page=reader.page, categories=["disabled-by-default-devtools.timeline", "toplevel"])
    try:
        yield found
    finally:
        events = json.loads(browser.stop_tracing())["traceEvents"]
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    found += [
        one["tdur"] / 1000
        for one in events
        if one["name"].endswith("RunTask") and (one["pid"], one["tid"]) in mains and "tdur" in one
    ]


def travelled(url: str) -> int:
    """Bytes that the service sends of it to a browser."""
    with httpx.stream("GET", url, headers={"accept-encoding": "gzip, deflate, br"}) as response:
        return sum(map(len, response.iter_raw()))


def test_it_is_light_and_soon_there(read: Read, measured: Callable[[str], None]) -> None:
    reader = read(locale="hi-IN")  # the language with the most bytes
    reader.before_pages(OBSERVE)
    reader.visit()
    reader.input.wait_for()
    ready, shift = reader.page.evaluate("[performance.now(), shift]")
    assert reader.chat.locator(".root").get_attribute("lang") == "hi-IN"
    loaded = [url for url in dict.fromkeys(reader.requests) if "/api/" not in url]
    assert len(loaded) == 4, "page, style, script and the words of one language"
    sizes = {url: travelled(url) for url in loaded}
    measured(f"page: {sum(sizes.values())} bytes as sent in {len(sizes)} files, {len(reader.requests)} requests")
    measured(f"page: usable after {ready:.0f} ms, layout shift {shift:.3f}")
    assert sum(sizes.values()) <= 30_000
    assert shift < 0.02


def test_a_long_answer_streams_without_a_jolt(
    read: Read, browser: Browser, scripted: Any, answering: Any, measured: Callable[[str], None]
) -> None:
    """200 sentences as fast as they can be read; the reader sees no jump and may type meanwhile."""
    compose, unfold = answering
    article = Article(id="a", version="v", title="Report", text=" ".join(SENTENCES), source="Desk")
    scripted.articles["a"] = article
    answer = compose(SENTENCES, article)

    def script(_: dict[str, Any]) -> Iterator[Any]:
        for event in unfold(answer):
            time.sleep(0.004)
            yield event

    scripted.script = script
    reader = read(scripted.url)
    reader.before_pages(OBSERVE)
    reader.visit()
    reader.page.wait_for_function("ready !== null")
    reader.page.evaluate("shift = 0")
    with tasks_of(reader, browser) as tasks:
        reader.send("Tell me all")
        reader.last.locator(".sentence").first.wait_for()
        reader.input.press_sequentially("typed meanwhile")
        reader.last.locator(".actions").wait_for(timeout=60_000)
    shift = reader.page.evaluate("shift")
    assert reader.last.locator(".sentence").count() == len(SENTENCES)
    assert reader.input.input_value() == "typed meanwhile"
    measured(f"200 sentences: layout shift {shift:.3f}, longest of {len(tasks)} tasks {max(tasks):.0f} ms")
    assert shift < 0.05
    assert max(tasks) < SLOW_MACHINE


def test_a_long_article_opens_at_its_words(
    read: Read, browser: Browser, service: Any, measured: Callable[[str], None]
) -> None:
    """3,000 words, the quotation near their end, in the real service."""
    line = "In district {} the census of {} counted {} barns and {} mills."
    paragraphs = [
        " ".join(line.format(number, 1900 + place, place * 37, place) for place in range(11)) for number in range(24)
    ]
    paragraphs[20] += " The lighthouse of Orvik was painted green by Marit Sundholm in 1974."
    text = "\n\n".join(paragraphs)
    assert len(text.split()) >= 3000
    service.add({"id": "census", "title": "The long census", "text": text, "source": "Archive"})
    try:
        reader = read().visit()
        reader.ask("Who painted the lighthouse of Orvik green?")
        with tasks_of(reader, browser) as tasks:
            reader.chips.first.click()
            reader.chat.locator(".article-body p[dir]").first.wait_for()
            reader.page.wait_for_timeout(150)
        (quote,) = reader.highlighted()
        assert "Marit Sundholm" in quote
        place = reader.page.evaluate(
            """() => { const at = [...CSS.highlights.get("sourceline-quote")][0].getBoundingClientRect();
            const frame = document.querySelector("sourceline-chat").shadowRoot.querySelector(".article-scroller")
              .getBoundingClientRect(); return (at.top - frame.top) / frame.height; }"""
        )
        measured(f"{len(text.split())}-word article: longest task on opening {max(tasks):.0f} ms")
        assert max(tasks) < SLOW_MACHINE
        assert 0.2 < place < 0.5, "the words stand a third down the article"
        assert reader.chat.locator(".article-scroller").evaluate("one => one.scrollTop") > 1000
    finally:
        httpx.delete(f"{service.url}/api/articles/census").raise_for_status()
