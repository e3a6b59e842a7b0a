"""From a question to the highlighted words of its source, in a real browser against the real service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

Read = Callable[..., Any]


def test_ask_stream_cite_open_and_highlight(read: Read, service: Any) -> None:
    reader = read().visit()
    turn = reader.ask("How long will the Osprey Bridge be closed?")
    assert turn.locator(".answer").inner_text().startswith("The Osprey Bridge will be closed")
    assert turn.locator(".mode").inner_text() == "Quoted word for word from the articles"
    assert turn.locator(".answer blockquote").count() == 1
    article = httpx.get(f"{service.url}/api/articles/bridge").json()

    chip = reader.chips.first
    chip.hover()
    card = reader.chat.locator(".card")
    card.wait_for()
    quote = card.locator("mark").inner_text()
    assert quote in article["text"]
    around = " ".join(article["text"].split())
    assert card.locator(".card-words").inner_text().removesuffix(" …") in around, "with the words behind it"
    assert card.locator(".card-source").inner_text().startswith("Kelmar Dispatch\u00a0· 14 June 2024\u00a0· ")
    assert card.locator("a").get_attribute("href") == "https://example.org/bridge"
    assert card.locator("a").get_attribute("rel") == "noopener noreferrer nofollow"

    chip.click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    assert reader.highlighted() == [quote]
    assert reader.chat.locator(".article-title").evaluate("e => e.getRootNode().activeElement === e")
    reader.page.keyboard.press("Escape")
    assert reader.chat.locator(".article").is_hidden()
    assert chip.evaluate("e => e.getRootNode().activeElement === e")


def test_words_after_emoji_and_arabic_words_are_hit_exactly(read: Read, service: Any) -> None:
    reader = read().visit()
    questions = {
        "kites": "How many visitors did the kite festival of Ostara draw?",
        "miyah": "كم يبلغ عدد سكان مدينة عين سرحة؟",
    }
    for article_id, question in questions.items():
        answer = httpx.post(f"{service.url}/api/ask", json={"question": question}).json()
        cited = [one for one in answer["citations"] if one["article_id"] == article_id]
        assert cited, answer["answer_mode"]
        reader.ask(question)
        for number, citation in enumerate(answer["citations"]):
            reader.chips.nth(number).click()
            reader.chat.locator(".article-body p[dir]").first.wait_for()
            assert "\n\n".join(reader.highlighted()) == citation["cited_text"]
            box = reader.page.evaluate(
                """() => {
                  const root = document.querySelector("sourceline-chat").shadowRoot;
                  const place = [...CSS.highlights.get("sourceline-quote")][0];
                  const frame = root.querySelector(".article-scroller").getBoundingClientRect();
                  const at = place.getBoundingClientRect();
                  return at.top >= frame.top && at.bottom <= frame.bottom;
                }"""
            )
            assert box, "the words are out of sight"
