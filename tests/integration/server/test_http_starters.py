"""Questions to begin with, over HTTP: every one is answered; they follow the articles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx

from embeddings.types import Article, CorpusCounts, Overview
from qa.server.starters import StarterQuestions
from qa.settings import Settings

BRIDGE = {
    "id": "bridge",
    "title": "Osprey Bridge to shut",
    "text": "The Osprey Bridge in Kelmar will be closed to all motor traffic for 16 months from July 1.",
    "published_at": "2024-06-14",
}


def begin(client: httpx.Client) -> dict[str, Any]:
    """The beginning, once nothing more is being tried for it."""
    while True:
        response = client.get("/api/starters")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        if found["complete"]:
            return found


def questions(client: httpx.Client) -> list[str]:
    return [one["question"] for one in begin(client)["starters"]]


def test_each_question_is_answered_from_its_article(settings: Settings, serve: Any) -> None:
    with serve(settings) as client:
        assert questions(client) == []
        client.post("/api/articles", json=BRIDGE).raise_for_status()
        offered = questions(client)
        assert offered == ["How long will the Osprey Bridge in Kelmar be closed to all motor traffic?"]
        assert questions(client) == offered
        for question in offered:
            answer = client.post("/api/ask", json={"question": question}).json()
            assert answer["answer_mode"] == "extractive"
            assert answer["citations"][0]["article_id"] == "bridge"
        client.delete("/api/articles/bridge").raise_for_status()
        other = BRIDGE | {"id": "other", "text": str(BRIDGE["text"]).replace("Osprey", "Heron")}
        client.post("/api/articles", json=other).raise_for_status()
        assert questions(client) == [offered[0].replace("Osprey", "Heron")], "as many articles are not the same"
        client.delete("/api/articles/other").raise_for_status()
        assert questions(client) == []


def test_it_is_said_what_articles_there_are(settings: Settings, serve: Any) -> None:
    other = {"id": "rain", "title": "Rain", "text": "It rained.", "source": "Wire", "published_at": "2023-01-02"}
    with serve(settings) as client:
        empty = begin(client)["archive"]
        assert empty == {"articles": 0, "sources": 0, "earliest": None, "latest": None, "newest": []}
        undated = {"id": "undated", "title": "Undated", "text": "Nobody knows when.", "source": "Wire"}
        client.post("/api/articles", json=[undated, other, BRIDGE]).raise_for_status()
        found = begin(client)["archive"]
        newest = [one["article_id"] for one in found.pop("newest")]
        assert newest == ["bridge", "rain", "undated"]
        assert found == {"articles": 3, "sources": 1, "earliest": "2023-01-02", "latest": "2024-06-14"}


def test_few_articles_give_several_questions_many_give_one_each(settings: Settings, serve: Any) -> None:
    texts = [
        f"The {name} Bridge in Velda was built in 19{number}. The {name} Line said it had hired {number}7 workers."
        for number, name in enumerate(["Osprey", "Heron", "Falcon", "Raven", "Robin", "Swallow"], 11)
    ]
    articles = [{"id": f"a{number}", "text": text} for number, text in enumerate(texts)]
    with serve(settings) as client:
        client.post("/api/articles", json=articles[:2]).raise_for_status()
        assert [one.split()[0] for one in questions(client)] == ["When", "When", "How", "How"]
        client.post("/api/articles", json=articles[2:]).raise_for_status()
        assert [one.split()[0] for one in questions(client)] == ["When"] * 6


def test_what_gives_no_good_question_gives_none(settings: Settings, serve: Any) -> None:
    with serve(settings) as client:
        client.post("/api/articles", json={"text": "It rained. Nobody was surprised by that."}).raise_for_status()
        assert questions(client) == []


def test_whoever_waits_while_articles_change_is_told_to_ask_again(
    leaping: Callable[[Coroutine[Any, Any, None]], None],
) -> None:
    bridge = Article(id="bridge", version="v", title="Osprey Bridge to shut", text=BRIDGE["text"])

    async def read() -> Overview:
        return Overview(articles=1, sources=1, earliest=None, latest=None, newest=(bridge,))

    async def first_reader() -> None:
        tried = asyncio.Event()

        async def ask(*_: Any) -> Any:
            tried.set()
            await asyncio.sleep(3600)

        beginnings = StarterQuestions(ask=ask)
        reader = asyncio.create_task(beginnings.now(CorpusCounts(articles=1, passages=1), read, within=None))
        await tried.wait()
        await beginnings.close()
        found = await reader
        assert (found.questions, found.complete) == ((), False)

    leaping(first_reader())
