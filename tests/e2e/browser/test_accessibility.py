"""For everybody: axe-core in every state, the keyboard alone, and what a screen reader is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from embeddings.types import Article
from qa.types import AlsoReported, Conflict, SearchResult

Read = Callable[..., Any]
QUESTION = "How long will the Osprey Bridge be closed?"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ARTICLE = Article(id="a", version="v", title="Bridge", text="It closes in July. It opens in June.", source="Desk")


def violations(reader: Any, axe: str) -> list[str]:
    """What axe-core finds in the page as it stands."""
    reader.page.evaluate(f"window.axe || (() => {{ {axe} }})()")
    found: list[str] = reader.page.evaluate(
        """async rules => (await axe.run(document, { runOnly: rules })).violations
          .flatMap(one => one.nodes.map(node => `${one.id}: ${node.target} ${node.failureSummary}`))""",
        RULES,
    )
    return found


@pytest.fixture
def everything(scripted: Any, answering: Any) -> Any:
    """Answers with all that an answer can have, by question."""
    compose, unfold = answering
    scripted.articles["a"] = ARTICLE
    scripted.starters = ["When does it close?", "When does it open?"]
    about = {"article_id": "b", "article_version": "v", "source": "Wire", "url": None, "published_at": "2024-06-01"}
    passage = {
        "start_char_index": 0,
        "end_char_index": 18,
        "score": 1.0,
        "passage_id": "p",
        "text": "It closes in July.",
    }
    also = (AlsoReported(title="Bridge closes", **about),)
    place = {**about, "article_id": "a", "title": "Bridge", "also_reported_by": also}
    results = (SearchResult(**place, **passage),)
    answers = {
        "generated": {
            "conflicts": (
                Conflict(citation_ids=("c1", "c2"), note="July here, June there.", values=("July", "June"), later="c2"),
            )
        },
        "fallback": {"answer_mode": "extractive", "fallback_reason": "model_timed_out"},
        "abstained": {"answer_mode": "abstained", "abstain_reason": "weak_match", "claims": (), "citations": ()},
    }

    def script(request: dict[str, Any]) -> Any:
        kind = request["question"]
        if kind not in answers:
            return iter([int(kind)])
        answer = compose(["It closes in July.", "It opens in June."], ARTICLE, question=kind, search_results=results)
        return unfold(type(answer)(**{**{n: getattr(answer, n) for n in answer.__struct_fields__}, **answers[kind]}))

    scripted.script = script
    return scripted


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(read: Read, everything: Any, axe: str, scheme: str) -> None:
    reader = read(everything.url, color_scheme=scheme, reduced_motion="reduce").visit()
    reader.chat.locator(".starter").first.wait_for()
    states: dict[str, list[str]] = {"empty": violations(reader, axe)}
    for question in ("generated", "fallback", "abstained"):
        reader.ask(question)
        states[question] = violations(reader, axe)
    reader.chat.locator(".chip").first.focus()
    states["card"] = violations(reader, axe)
    reader.chat.locator(".chip").first.press("Enter")
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    states["article beside"] = violations(reader, axe)
    reader.page.set_viewport_size({"width": 400, "height": 700})
    reader.page.wait_for_timeout(50)
    states["article over"] = violations(reader, axe)
    reader.page.keyboard.press("Escape")
    reader.last.get_by_role("button", name="Not helpful").click()
    reader.chat.get_by_role("button", name="Filters", exact=True).click()
    states["feedback and filters"] = violations(reader, axe)
    everything.problem_headers = {"retry-after": "60"}
    reader.send("429")
    reader.last.locator(".problem").wait_for()
    states["problem"] = violations(reader, axe)
    assert {state: found for state, found in states.items() if found} == {}


def test_axe_finds_nothing_in_arabic(read: Read, axe: str) -> None:
    reader = read(locale="ar").visit()
    assert reader.page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    reader.ask("كم يبلغ عدد سكان مدينة عين سرحة؟")
    assert violations(reader, axe) == []
    assert reader.chat.locator(".root").get_attribute("dir") == "rtl"
    assert reader.chat.locator(".mode").inner_text() == "اقتباس حرفي من المقالات"
    chat = reader.chat.locator(".chat").bounding_box()
    reader.chips.first.click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    assert reader.chat.locator(".article").bounding_box()["x"] < chat["x"] + chat["width"] / 2, "the article is left"


def test_axe_finds_nothing_in_the_launcher(read: Read, axe: str) -> None:
    reader = read()
    page = (
        '<!doctype html><html lang="en"><title>Host</title><main><h1>Host</h1></main><script src="/widget.js"></script>'
    )
    reader.page.route("**/host", lambda route: route.fulfill(content_type="text/html", body=page))
    reader.visit("/host")
    states = [violations(reader, axe)]
    reader.chat.get_by_role("button", name="Ask a question").click()
    reader.ask(QUESTION)
    states.append(violations(reader, axe))
    assert states == [[], []]


def test_the_keyboard_alone_is_enough(read: Read) -> None:
    reader = read().visit()
    keys = reader.page.keyboard

    def focus() -> str:
        found: str = reader.page.evaluate(
            """() => { const one = document.querySelector("sourceline-chat").shadowRoot.activeElement;
            return one ? one.className || one.localName : document.activeElement.localName; }"""
        )
        return found

    def tab_to(wanted: str, key: str = "Tab") -> None:
        for _ in range(20):
            keys.press(key)
            if focus() == wanted:
                return
        raise AssertionError(f"{wanted} is not reached")

    keys.press("/")
    assert focus() == "textarea"
    keys.type(QUESTION)
    keys.press("Enter")
    reader.last.locator(".actions").wait_for()
    tab_to("chip", "Shift+Tab")
    assert reader.chat.locator(".card").is_visible()
    keys.press("ArrowRight")  # there is no other chip
    assert focus() == "chip"
    keys.press("Tab")  # into the card
    assert focus() == "plain"
    keys.press("Enter")
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    assert focus() == "article-title"
    assert reader.highlighted()
    keys.press("Escape")
    assert focus() == "chip"
    assert not reader.chat.locator(".card").count()
    keys.press("Shift+Tab")
    keys.press("Tab")
    assert reader.chat.locator(".card").is_visible()
    keys.press("Escape")
    assert focus() == "chip"
    assert not reader.chat.locator(".card").count()


def test_a_finished_answer_is_announced_once(read: Read, everything: Any) -> None:
    reader = read(everything.url).visit()
    reader.page.evaluate(
        """() => { window.heard = [];
        const root = document.querySelector("sourceline-chat").shadowRoot;
        window.live = [...root.querySelectorAll("[role=status], [role=alert], [role=log], [aria-live]")].length;
        new MutationObserver(() => heard.push(root.querySelector("[role=status]").textContent))
          .observe(root.querySelector("[role=status]"), { childList: true, characterData: true, subtree: true }); }"""
    )
    reader.ask("generated")
    assert reader.page.evaluate("live") == 1, "the streaming text is no live region"
    assert reader.page.evaluate("heard") == ["Searching the articles", "Answer: It closes in July. It opens in June."]
    reader.ask("abstained")
    assert reader.page.evaluate("heard.slice(2)") == [
        "Searching the articles",
        "No answer in these articles. Some passages come near, but none of them answers the question.",
    ]


def test_motion_and_colours_follow_the_reader(read: Read) -> None:
    reader = read(reduced_motion="reduce", forced_colors="active").visit()
    reader.ask(QUESTION)
    moving = "one => getComputedStyle(one).animationName + getComputedStyle(one).transitionDuration"
    assert reader.chips.first.evaluate(moving) == "none0s"
    reader.chips.first.focus()
    assert reader.chat.locator(".card").evaluate("card => getComputedStyle(card).animationName") == "none"
    assert reader.chips.first.evaluate("chip => getComputedStyle(chip).borderStyle") == "solid"
