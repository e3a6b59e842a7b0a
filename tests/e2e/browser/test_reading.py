"""Passages without an answer, and the way from source to source: by keys, by a stroke of the finger, in any width."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from embeddings.types import Article

Read = Callable[..., Any]


def search(reader: Any, words: str) -> Any:
    reader.chat.get_by_role("button", name="Passages only").click()
    reader.send(words)
    reader.last.locator(".passage").first.wait_for()
    return reader.last


def opened(reader: Any, at: int = 0) -> None:
    """Open a passage in its article."""
    reader.last.locator(".passage .source-title").nth(at).click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()


def test_passages_are_found_without_an_answer_and_can_become_one(read: Read) -> None:
    reader = read().visit()
    with reader.page.expect_request("**/api/search") as sent:
        turn = search(reader, "steel hangers of the bridge")
    assert sent.value.post_data_json == {"question": "steel hangers of the bridge", "limit": 20}
    assert reader.chat.locator(".ask").inner_text() == "Search"
    assert turn.locator(".answer").count() == 0
    assert "found" in turn.locator(".mode").inner_text()
    assert "steel hangers" in turn.locator(".passage blockquote").first.inner_text()
    assert reader.page.evaluate("Object.keys(localStorage)") == [], "nothing of it is kept"
    opened(reader)
    assert reader.highlighted() == ["Inspectors found cracks in 27 of its 96 steel hangers."]
    reader.page.keyboard.press("Escape")
    turn.get_by_role("button", name="Answer this question").click()
    reader.chat.locator(".turn").nth(1).locator(".understood, .answer").first.wait_for(state="attached")
    assert reader.chat.locator(".question").all_inner_texts() == ["steel hangers of the bridge"] * 2
    reader.chat.get_by_role("button", name="Passages only").click()
    assert reader.chat.locator(".ask").inner_text() in {"Ask", "Stop"}
    reader.chat.locator(".turn").nth(1).locator(".actions").wait_for()


def test_a_search_that_fails_can_be_tried_again(read: Read) -> None:
    reader = read().visit()
    reader.page.route("**/api/search", lambda route: route.fulfill(status=503, json={"status": 503}))
    reader.chat.get_by_role("button", name="Passages only").click()
    reader.send("bridge")
    reader.last.locator(".problem[data-kind=busy]").wait_for()
    reader.page.unroute("**/api/search")
    reader.last.get_by_role("button", name="Try again").click()
    reader.last.locator(".passage").first.wait_for()


def test_arrow_keys_and_buttons_lead_from_source_to_source(read: Read) -> None:
    reader = read().visit()
    titles = search(reader, "Osprey Ostara").locator(".passages > ol .source-title").all_inner_texts()
    assert len(titles) > 1
    opened(reader)
    title, bar = reader.chat.locator(".article-title"), reader.chat.locator(".article-bar")
    assert bar.get_by_role("button", name="Previous source").is_disabled()
    bar.get_by_role("button", name="Next source").click()
    reader.chat.get_by_text(f"2 / {len(titles)}").wait_for()
    assert title.inner_text() == titles[1]
    reader.page.keyboard.press("ArrowLeft")
    reader.chat.get_by_text(f"1 / {len(titles)}").wait_for()
    assert title.inner_text() == titles[0]
    reader.page.keyboard.press("ArrowLeft")
    assert title.inner_text() == titles[0], "there is none before the first"


def test_a_stroke_to_the_side_leads_to_the_next_source(read: Read) -> None:
    reader = read(viewport={"width": 390, "height": 760}, has_touch=True).visit()
    titles = search(reader, "Osprey Ostara").locator(".passages > ol .source-title").all_inner_texts()
    opened(reader)
    article = reader.chat.locator(".article")
    assert article.evaluate("one => getComputedStyle(one).touchAction") == "pan-y pinch-zoom", (
        "no way back of the browser's"
    )
    for step in article.locator("[part=step]").all():
        box = step.bounding_box()
        assert min(box["width"], box["height"]) >= 24
    title = reader.chat.locator(".article-title")
    touch(reader, (300, 400), (120, 410))
    reader.chat.get_by_text(f"2 / {len(titles)}").wait_for()
    assert title.inner_text() == titles[1]
    touch(reader, (200, 600), (110, 300))
    touch(reader, (200, 400), (190, 400))
    assert title.inner_text() == titles[1], "scrolling and tapping turn no page"
    touch(reader, (120, 400), (300, 410))
    reader.chat.get_by_text(f"1 / {len(titles)}").wait_for()


def touch(reader: Any, start: tuple[int, int], end: tuple[int, int]) -> None:
    """A finger put down and lifted elsewhere; told to the page itself: a busy browser cancels strokes."""
    reader.chat.locator(".article-scroller").evaluate(
        """(place, [from, to]) => {
          const at = ([x, y]) => new Touch({ identifier: 1, target: place, clientX: x, clientY: y });
          const tell = (kind, touches, changed) => place.dispatchEvent(
            new TouchEvent(kind, { bubbles: true, composed: true, touches, changedTouches: changed }));
          tell("touchstart", [at(from)], [at(from)]);
          tell("touchend", [], [at(to)]);
        }""",
        [start, end],
    )


@pytest.mark.parametrize(
    ("face", "quoted", "direction"), [("ar", "It opens in June.", "ltr"), ("en", "يفتح الجسر في يونيو.", "rtl")]
)
def test_a_quoted_paragraph_runs_as_its_own_words_do(
    read: Read, scripted: Any, face: str, quoted: str, direction: str
) -> None:
    scripted.articles["a"] = Article(id="a", version="v", title=quoted, text=f"{quoted}\n\n{quoted}", source="Desk")
    reader = read(scripted.url, locale=face).visit(f"/#article=a&version=v&words=0-{len(quoted)}")
    paragraphs = reader.chat.locator(".article-body p[dir]")
    paragraphs.first.wait_for()
    assert reader.highlighted() == [quoted]
    assert paragraphs.first.locator(".unseen").count() == 2
    found = paragraphs.evaluate_all("all => all.map(one => getComputedStyle(one).direction)")
    assert found == [direction, direction]


def test_the_headline_stays_in_sight_at_the_words(read: Read, scripted: Any) -> None:
    """Also where a link leads to them."""
    filler = "\n\n".join(f"Sentence {number} says very little about anything at all." for number in range(60))
    text = f"{filler}\n\nIt opens in June.\n\n{filler}"
    start = text.index("It opens")
    title = "A headline that is so long that it takes more than one line of a telephone"
    scripted.articles["a"] = Article(id="a", version="v", title=title, text=text, source="Desk")
    for width, height in ((375, 640), (1280, 800), (640, 320)):
        reader = read(scripted.url, viewport={"width": width, "height": height})
        reader.visit(f"/#article=a&version=v&words={start}-{start + 17}")
        reader.chat.locator(".article-body p[dir]").first.wait_for()
        assert reader.highlighted() == ["It opens in June."]
        frame, head, by, quote = reader.chat.locator(".article").evaluate(
            """article => { const box = (one) => one.getBoundingClientRect();
              const range = [...CSS.highlights.get("sourceline-quote")][0];
              const found = [...[".article-scroller", ".article-title", ".article-head .byline"]
                .map((name) => article.querySelector(name)), range].map(box);
              return found.map(({ top, bottom }) => [top, bottom]); }"""
        )
        assert frame[0] <= head[0] < by[0] < by[1] <= quote[0] < quote[1] < frame[1], (width, height)
        assert by[1] - frame[0] < (frame[1] - frame[0]) / 2, "there is room for the article"


def test_the_line_can_be_gripped_with_a_finger(read: Read) -> None:
    for locale in ("en", "ar"):
        reader = read(locale=locale).visit("/#article=bridge")
        reader.chat.locator(".article-body p[dir]").first.wait_for()
        line = reader.chat.locator(".divider")
        grips = line.evaluate(
            """line => { const { left, top, height } = line.getBoundingClientRect();
              const at = (x) => line.getRootNode().elementFromPoint(x, top + height / 2) === line;
              const found = [];
              for (let x = left - 40; x < left + 40; x += 0.5) if (at(x)) found.push(x - left);
              return [found[0], found.at(-1)]; }"""
        )
        assert grips[1] - grips[0] >= 23, "24 pixels, but for the rounding"
        chat = reader.chat.locator(".scroller").bounding_box()
        edge = chat["x"] + chat["width"] if locale == "en" else chat["x"]
        assert min(abs(line.bounding_box()["x"] + one - edge) for one in grips) <= 3, "no scrollbar lies below it"


def test_the_article_takes_as_much_room_as_the_reader_gives_it(read: Read) -> None:
    reader = read().visit()
    search(reader, "Osprey Bridge")
    opened(reader)
    line, article = reader.chat.get_by_role("separator"), reader.chat.locator(".article")
    width = "one => one.getBoundingClientRect().width"
    assert abs(article.evaluate(width) - 600) < 3
    line.focus()
    for _ in range(2):
        reader.page.keyboard.press("ArrowLeft")
    assert line.get_attribute("aria-valuenow") == "60"
    assert abs(article.evaluate(width) - 720) < 3
    box = line.bounding_box()
    reader.page.mouse.move(box["x"], 300)
    reader.page.mouse.down()
    reader.page.mouse.move(900, 300, steps=4)
    reader.page.mouse.up()
    assert abs(article.evaluate(width) - 300) < 5
    reader.page.reload()
    search(reader, "Osprey Bridge")
    opened(reader)
    assert abs(article.evaluate(width) - 300) < 5, "it stays as it was"
    line.focus()
    line.blur()  # what a browser does to what is hidden, sooner or later
    reader.page.set_viewport_size({"width": 400, "height": 700})
    reader.chat.locator(".article[role=dialog]").wait_for()
    assert line.is_hidden()
    assert article.evaluate(width) == 400, "over the chat it takes all"
    reader.page.keyboard.press("Escape")
    assert article.is_hidden(), "it can be closed from the keyboard, whatever had the focus"
