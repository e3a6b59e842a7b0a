"""How heavy and how calm the chat is: size, time to interactive, layout shift, long tasks; printed after the run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
import pytest
from playwright.sync_api import Browser, ViewportSize

from embeddings.types import Article
from qa.types import SearchResult

Read = Callable[..., Any]
SENTENCES = [f"Sentence {number} of the answer says what the report found in part {number}." for number in range(200)]
SLOW_MACHINE = 150
"""Milliseconds: what piles up with the sentences takes more anywhere. That none takes 50, `make bench` says."""
LONG_TASK = 50
"""Milliseconds, from which on a browser calls a task long."""
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
    assert len(loaded) == 3, "page, script and the words of one language"
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


@pytest.mark.parametrize(("width", "height"), [(1200, 800), (375, 667)])
def test_nothing_moves_while_a_model_writes(
    read: Read, scripted: Any, answering: Any, width: int, height: int, measured: Callable[[str], None]
) -> None:
    """A model that reads for six seconds: first its sources, then eight sentences, more than a phone has room for."""
    compose, unfold = answering
    article = Article(id="a0", version="v", title="Report", text=" ".join(SENTENCES), source="Desk")
    results = tuple(found(number) for number in range(4))
    answer = compose(SENTENCES[:8], article, search_results=results)
    claims = tuple(msgspec.structs.replace(claim, origin="model") for claim in answer.claims)

    def script(_: dict[str, Any]) -> Iterator[Any]:
        for number, event in enumerate(unfold(msgspec.structs.replace(answer, claims=claims))):
            time.sleep(6 if number == 1 else 0.2)
            yield event

    scripted.script = script
    reader = read(scripted.url, viewport=ViewportSize(width=width, height=height))
    reader.before_pages(OBSERVE)
    reader.visit()
    reader.page.wait_for_function("ready !== null")
    reader.page.evaluate("shift = 0")
    reader.send("Tell me all")
    reader.last.locator(".being-read li").nth(3).wait_for()
    assert reader.last.locator(".being-read").evaluate("one => one.getBoundingClientRect().top") > 100
    reader.last.locator(".actions").wait_for()
    reader.page.wait_for_timeout(200)
    shift = reader.page.evaluate("shift")
    assert reader.last.locator(".sentence").count() == 8
    measured(f"a model writes, {width} pixels: layout shift {shift:.4f}")
    assert shift == 0


def found(number: int) -> SearchResult:
    """A passage of an article of its own."""
    place: Any = {"passage_id": f"p{number}", "text": "…", "start_char_index": 0, "end_char_index": 1, "score": 1.0}
    about: Any = {"article_id": f"a{number}", "article_version": "v", "title": f"Report {number}", "url": None}
    return SearchResult(source="Desk", published_at="2026-11-20", **about, **place)


def test_the_first_sentence_follows_the_models_own(
    read: Read, begin_service: Any, bridge: Any, faulty_model: Any, measured: Callable[[str], None]
) -> None:
    """The real service and its checker, before a model that writes 250 characters a second."""
    said: list[tuple[float, str]] = []
    faulty_model.compose = lambda _: (
        "The Osprey Bridge will be closed to all motor traffic for 16 months from July 1 [1]. "
        "Inspectors found cracks in 27 of its 96 steel hangers [1]. Two ferries will run [1]."
    )
    faulty_model.pace = 0.02
    draft = faulty_model.draft

    def noted(text: str, **how: Any) -> Any:
        made = draft(text, **how)
        event = made.event

        def tell(piece: str = "", **more: Any) -> bytes:
            said.append((time.monotonic(), piece))
            told: bytes = event(piece, **more)
            return told

        made.event = tell
        return made

    faulty_model.draft = noted
    service = begin_service(QA_LLM_BASE_URL=faulty_model.address("good"), QA_LLM_MODEL="good")
    service.add(bridge)
    reader = read(service.url)
    reader.before_pages(OBSERVE)
    reader.visit()
    for time_of in ("first", "second"):
        said.clear()
        reader.page.evaluate("shift = 0")
        before = reader.chat.locator(".turn").count()
        asked = time.monotonic()
        reader.send("How long will the Osprey Bridge be closed?")
        reader.chat.locator(".turn").nth(before).locator(".sentence").first.wait_for()
        shown = time.monotonic()
        reader.last.locator(".actions").wait_for()
        written = next(at for at, text in so_far(said) if "[1]. " in text)
        measured(
            f"{time_of} question to a model: it begins to write after {said[0][0] - asked:.2f} s, its first sentence is"
            f" written after {written - asked:.2f} s, shown after {shown - asked:.2f} s"
        )
        assert reader.last.locator(".sentence[data-origin=model]").count()
        assert reader.page.evaluate("shift") == 0
    assert shown - written < 3, "what is between the two is the check"


def so_far(said: list[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """What had been written when each piece came."""
    text = ""
    for at, piece in said:
        text += piece
        yield at, text


def test_fifty_turns_are_no_burden(read: Read, browser: Browser, service: Any, measured: Callable[[str], None]) -> None:
    """They come back, one may write and scroll at once, and the next question is as quick as the first."""
    reader = read().visit()
    reader.ask("How long will the Osprey Bridge be closed?")
    conversation = reader.page.evaluate("Object.values(localStorage)[0]")
    with tasks_of(reader, browser) as alone:
        reader.page.reload()
        reader.chat.locator(".turn .actions").first.wait_for()
    # A slow or busy machine takes longer for the one turn, too; all turns in one task took 6 times as long as one.
    longest = max(LONG_TASK, 4 * max(alone))
    for number in range(48):
        question = "How many steel hangers have cracks?" if number % 2 else "How long will the Osprey Bridge be closed?"
        asked = {"question": question, "conversation_id": conversation}
        httpx.post(f"{service.url}/api/ask", json=asked).raise_for_status()
    back: list[float] = []
    for _ in range(3):
        with tasks_of(reader, browser) as tasks:
            reader.page.reload()
            reader.chat.locator(".turn").nth(48).locator(".actions").wait_for()
            reader.input.press_sequentially("typed")
        assert reader.input.input_value() == "typed"
        back.append(max(tasks))
    restoring = min(back)  # what else the machine does only adds to it
    with tasks_of(reader, browser) as asking:
        reader.ask("How many steel hangers have cracks?")
        reader.chat.locator(".scroller").evaluate("one => one.scrollTo(0, 0)")
        reader.page.wait_for_timeout(300)
    assert reader.chat.locator(".turn").count() == 50
    measured(
        f"50 turns: longest task on coming back {restoring:.0f} ms (to one turn {max(alone):.0f}), "
        f"on the last question {max(asking):.0f} ms"
    )
    assert restoring <= longest
    assert max(asking) <= longest


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
