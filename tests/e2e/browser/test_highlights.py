"""Any span of any text is highlighted to the character."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from embeddings.types import Article
from qa.types import ShortAnswer

Read = Callable[..., Any]
ALPHABET = [*"abc .,éß港ا“—", "e\u0301", "مرحبا", "עברית", *"😀𝔘𐍈", "👨‍👩‍👧", "🇸🇪", "\u00a0", "\u200d", "\n", "\n\n"]


def text(chance: random.Random, length: int) -> str:
    found = "".join(chance.choice(ALPHABET) for _ in range(length))
    while "\n\n\n" in found:
        found = found.replace("\n\n\n", "\n\n")
    return f"W{found.strip()}W"


def test_random_spans_of_random_texts(read: Read, scripted: Any, answering: Any, long_form: bool) -> None:
    compose, unfold = answering
    chance = random.Random("spans")
    wanted: list[list[str]] = []

    def script(request: dict[str, Any]) -> Any:
        article = Article(id=request["question"], version="v", title="T", text=text(chance, 300))
        scripted.articles[article.id] = article
        answer = compose(["One 😀.", "Two 🇸🇪 more.", "Three."], article, question=article.id)
        cited = []
        for citation in answer.citations:
            start = chance.randrange(len(article.text) - 1)
            end = chance.randrange(start + 1, min(len(article.text), start + 120) + 1)
            quote = {"start_char_index": start, "end_char_index": end, "cited_text": article.text[start:end]}
            cited.append(type(citation)(**{**fields(citation), **quote}))
        wanted.append([one.cited_text for one in cited])
        return unfold(type(answer)(**{**fields(answer), "citations": tuple(cited)}))

    scripted.script = script
    reader = read(scripted.url)
    reader.visit()
    for number in range(300 if long_form else 7):
        reader.ask(f"q{number}")
        for chip, quote in enumerate(wanted[-1]):
            reader.chips.nth(chip).click()
            reader.chat.locator(".article-body p[dir]").first.wait_for()
            # Empty lines between paragraphs are in no paragraph.
            assert without_breaks(reader.highlighted()) == without_breaks([quote])
            body = reader.chat.locator(".article-body p").evaluate_all(
                """all => all.map(p => [...p.childNodes].filter(one => one.className !== "unseen")
                  .map(one => one.textContent).join(""))"""
            )
            assert "\n\n".join(body) == scripted.articles[f"q{number}"].text


def without_breaks(parts: list[str]) -> str:
    return "".join(parts).replace("\n", "")


def fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


def test_the_words_that_answer_are_marked_in_the_answer(read: Read, scripted: Any, answering: Any) -> None:
    compose, unfold = answering
    article = Article(
        id="a", version="v", title="T", text="Kites 🪁🪁 flew. The fair 🎏 drew 12,000 visitors 😀 in all."
    )
    sentences = ["Kites 🪁🪁 flew.", "The fair 🎏 drew 12,000 visitors 😀 in all."]
    answer = compose(sentences, article, answer_mode="extractive")
    place = article.text.index("12,000")
    span = {"start_char_index": place, "end_char_index": place + 6}
    key = ShortAnswer(text="12,000", article_id="a", article_version="v", **span)
    answer = type(answer)(**{**fields(answer), "short_answer": key})
    scripted.script = lambda _: unfold(answer)
    reader = read(scripted.url).visit()
    reader.ask("How many?")
    assert reader.highlighted("sourceline-key") == ["12,000"]


def test_an_article_that_is_gone_still_shows_the_quoted_words(read: Read, scripted: Any, answering: Any) -> None:
    compose, unfold = answering
    article = Article(id="gone", version="v", title="T", text="The fair drew 12,000 visitors.")
    scripted.script = lambda _: unfold(compose([article.text], article))
    reader = read(scripted.url).visit()
    reader.ask("How many?")
    reader.chips.first.click()
    reader.chat.get_by_text("no longer available").wait_for()
    assert reader.chat.locator(".article-body blockquote").inner_text() == article.text
