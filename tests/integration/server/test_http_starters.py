"""Questions to begin with, over HTTP: every one is answered; they follow the articles."""

from __future__ import annotations

from typing import Any

import httpx

from qa.settings import Settings

BRIDGE = {
    "id": "bridge",
    "title": "Osprey Bridge to shut",
    "text": "The Osprey Bridge in Kelmar will be closed to all motor traffic for 16 months from July 1.",
    "published_at": "2024-06-14",
}


def questions(client: httpx.Client) -> list[str]:
    response = client.get("/api/starters")
    assert response.status_code == 200, response.text
    return [one["question"] for one in response.json()["starters"]]


def test_each_question_is_answered_from_its_article(settings: Settings, serve: Any) -> None:
    with serve(settings) as client:
        assert questions(client) == []
        client.post("/api/articles", json=BRIDGE).raise_for_status()
        (question,) = questions(client)
        assert question == "How long will the Osprey Bridge in Kelmar be closed to all motor traffic?"
        assert questions(client) == [question]
        answer = client.post("/api/ask", json={"question": question}).json()
        assert answer["answer_mode"] == "extractive"
        assert answer["citations"][0]["article_id"] == "bridge"
        client.delete("/api/articles/bridge").raise_for_status()
        assert questions(client) == []


def test_what_gives_no_good_question_gives_none(settings: Settings, serve: Any) -> None:
    with serve(settings) as client:
        client.post("/api/articles", json={"text": "It rained. Nobody was surprised by that."}).raise_for_status()
        assert questions(client) == []
