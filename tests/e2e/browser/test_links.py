"""Links that lead into the chat: to a kept answer, to quoted words, to a question; and what is left of it on paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

Read = Callable[..., Any]
BRIDGE = "How long will the Osprey Bridge be closed?"
HANGERS = "How many steel hangers have cracks?"


def copied(reader: Any, place: Any) -> str:
    """The link that a button of this place copies."""
    place.get_by_role("button", name="Copy link").click()
    place.get_by_role("button", name="Copied").wait_for()
    found: str = reader.page.evaluate("navigator.clipboard.readText()")
    return found


def writer(read: Read, *args: Any, **choices: Any) -> Any:
    return read(*args, **choices).may_copy()


def test_an_answer_is_passed_on_without_its_conversation(read: Read) -> None:
    reader = writer(read).visit()
    reader.ask(HANGERS)
    link = copied(reader, reader.ask(BRIDGE))
    assert [one for one in reader.requests if "sig" in urlsplit(one).query] == [], "it goes to no server by itself"
    other = read()
    other.page.goto(link)
    other.last.locator(".actions").wait_for()
    assert other.chat.locator(".question").all_inner_texts() == [BRIDGE], "one answer, not the conversation"
    assert "passed on by a link" in other.last.inner_text()
    assert other.last.locator(".answer").inner_text() == reader.last.locator(".answer").inner_text()
    assert other.last.get_by_role("button", name="Helpful", exact=True).count() == 0
    assert other.page.evaluate("Object.keys(localStorage)") == [], "it is no conversation of this reader"
    other.chips.first.click()
    other.chat.locator(".article-body p[dir]").first.wait_for()
    assert other.highlighted()
    other.page.reload()
    other.last.locator(".actions").wait_for()
    assert other.chat.locator(".question").all_inner_texts() == [BRIDGE], "the address still leads there"
    with other.page.expect_request("**/api/ask") as sent:
        other.ask(HANGERS)
    assert "conversation_id" not in sent.value.post_data_json, "a conversation of one's own begins"
    assert "#" not in other.page.url


def test_a_link_to_an_answer_that_is_gone_still_asks_its_question(read: Read, service: Any) -> None:
    reader = writer(read).visit()
    link = copied(reader, reader.ask(BRIDGE))
    conversation = reader.page.evaluate("Object.values(localStorage)[0]")
    httpx.delete(f"{service.url}/api/conversations/{conversation}").raise_for_status()
    reader.page.evaluate("link => { location.href = link; }", link)
    problem = reader.last.locator(".problem[data-kind=missing]")
    problem.wait_for()
    problem.get_by_role("button", name="Answer this question").click()
    reader.last.locator(".actions").wait_for()
    assert reader.last.locator(".question").inner_text() == BRIDGE


def test_a_citation_is_passed_on_and_opens_the_article_at_the_words(read: Read) -> None:
    reader = writer(read).visit()
    reader.ask("How many visitors did the kite festival of Ostara draw?")
    reader.chips.first.click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    quoted = reader.highlighted()
    link = copied(reader, reader.chat.locator(".article-bar"))
    assert parse_qs(urlsplit(link).fragment)["article"] == ["kites"]
    other = read()
    other.page.goto(link)
    other.chat.locator(".article-body p[dir]").first.wait_for()
    assert other.highlighted() == quoted
    assert other.chat.locator(".article-title").inner_text() == "Kite festival 🪁 in Ostara"
    other.chat.get_by_role("button", name="Ask about this article").click()
    assert other.chat.locator(".composer .narrowed").inner_text().startswith("Only: Kite festival 🪁 in Ostara")
    assert not other.chat.locator(".article").is_visible()
    other.page.goto(link.replace("kites", "nothing"))
    other.chat.get_by_text("This is no longer there.").wait_for()
    assert not other.chat.get_by_role("button", name="Ask about this article").count(), "nothing could answer"


def test_in_another_page_a_link_opens_the_panel(read: Read) -> None:
    page = (
        '<!doctype html><html lang="en"><title>Host</title><button id="own">Ask us</button>'
        '<script src="/widget.js" data-opener="#own" data-article="bridge"></script>'
    )
    reader = writer(read)
    reader.page.context.route("**/host", lambda route: route.fulfill(content_type="text/html", body=page))
    told = "window.told = []; addEventListener('sourceline-event', event => told.push(event.detail.name))"
    reader.before_pages(told)
    reader.visit("/host")
    assert reader.chat.locator(".launcher:not(.root)").count() == 0, "the page has a button of its own"
    reader.page.get_by_role("button", name="Ask us").click()
    reader.chat.locator(".composer .narrowed", has_text="Only: Osprey Bridge to shut").wait_for()
    with reader.page.expect_request("**/api/ask") as sent:
        turn = reader.ask(BRIDGE)
    assert sent.value.post_data_json["filters"] == {"article_ids": ["bridge"]}
    link = copied(reader, turn)
    assert "/host#sourceline-answer=" in link
    reader.chat.get_by_role("button", name="Close", exact=True).click()
    assert reader.page.evaluate("document.activeElement.id") == "own"
    assert reader.page.evaluate("told") == ["open", "submit", "completed", "copy", "close"]
    reader.page.goto("about:blank")
    reader.page.goto(link)
    reader.last.locator(".actions").wait_for()
    assert reader.last.locator(".question").inner_text() == BRIDGE


def test_on_paper_are_the_question_the_answer_and_its_sources(read: Read) -> None:
    reader = read().visit()
    reader.ask(BRIDGE)
    reader.page.emulate_media(media="print")
    shown = reader.chat.locator(".turn").inner_text()
    assert BRIDGE in shown
    assert "Quoted word for word" in shown
    assert "https://example.org/bridge" in reader.chat.locator(".sources .paper").inner_text()
    assert "Copy" not in shown
    assert reader.chat.locator(".scroller").evaluate("one => getComputedStyle(one).overflowY") == "visible"
