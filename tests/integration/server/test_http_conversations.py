"""Conversations and feedback over HTTP: kept where asked for, equal to what was served, withdrawn with articles."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from qa.server.http.problems import Problem
from qa.settings import Settings

ARTICLE = {
    "id": "velda",
    "title": "Harbour reopens after storm",
    "text": "The harbour of Velda reopened on Monday. About 4,200 people work there.",
    "source": "Velda Post",
    "published_at": "2024-06-04",
}
SURE = "When did the harbour of Velda reopen?"
"""The hashing encoder's cosine is word overlap: this one is answered."""


def ask(client: httpx.Client, question: str = SURE, **more: Any) -> Any:
    response = client.post("/api/ask", json={"question": question, **more})
    assert response.status_code == 200, response.text
    return response.json()


def conversation(client: httpx.Client, name: str, **query: Any) -> Any:
    response = client.get(f"/api/conversations/{name}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def test_nothing_is_kept_unless_asked_for(client: httpx.Client) -> None:
    before = client.get("/api/conversations").json()
    assert ask(client)["conversation_id"] is None
    assert client.get("/api/conversations").json() == before


def test_the_history_equals_what_was_served(client: httpx.Client) -> None:
    first = ask(client, store=True)
    name = first["conversation_id"]
    assert len(name) >= 30
    second = ask(client, "Who invented the telescope?", conversation_id=name)
    third = ask(client, conversation_id=name, store=True)
    assert first["answer_mode"] == "extractive"
    found = conversation(client, name)
    assert [turn["answer"] for turn in found["turns"]] == [first, second, third]
    assert [turn["withheld"] for turn in found["turns"]] == [0, 0, 0]
    assert found["conversation"]["title"] == SURE
    assert found["conversation"]["turns"] == 3
    paged = conversation(client, name, limit=2)
    assert [turn["answer"] for turn in paged["turns"]] == [first, second]
    rest = conversation(client, name, limit=2, after=paged["next"])
    assert ([turn["answer"] for turn in rest["turns"]], rest["next"]) == ([third], None)
    newest = client.get("/api/conversations", params={"limit": 1}).json()["conversations"]
    assert newest == [found["conversation"]]


def test_a_streamed_answer_is_kept_before_it_is_told(client: httpx.Client) -> None:
    with client.stream("POST", "/api/ask", json={"question": SURE, "store": True, "stream": True}) as response:
        data = [json.loads(line[5:]) for line in response.iter_lines() if line.startswith("data:")]
    told = data[-1]["answer"] if "answer" in data[-1] and isinstance(data[-1]["answer"], dict) else data[-1]
    assert data[0]["conversation_id"] == told["conversation_id"]
    (turn,) = conversation(client, told["conversation_id"])["turns"]
    assert turn["answer"] == told


def test_a_follow_up_is_resolved_and_says_so(client: httpx.Client) -> None:
    first = ask(client, store=True)
    found = ask(client, "How many people work there?", conversation_id=first["conversation_id"])
    assert found["question"] == "How many people work there?"
    assert found["resolved_query"] == "How many people work in Velda?"
    alone = ask(client, "How many people work there?")
    assert alone["resolved_query"] == "How many people work there?"


def test_a_search_resolves_follow_ups_as_an_answer_does_and_keeps_nothing(client: httpx.Client) -> None:
    name = ask(client, store=True)["conversation_id"]
    before = conversation(client, name)
    asked = {"question": "How many people work there?", "conversation_id": name}
    found = client.post("/api/search", json=asked).raise_for_status().json()
    assert found["question"] == "How many people work there?"
    assert found["resolved_query"] == "How many people work in Velda?"
    assert conversation(client, name) == before
    answered = ask(client, asked["question"], conversation_id=name)
    assert answered["resolved_query"] == found["resolved_query"]
    assert answered["search_results"][0]["passage_id"] == found["search_results"][0]["passage_id"]
    alone = client.post("/api/search", json={"question": asked["question"]}).raise_for_status().json()
    assert alone["resolved_query"] == asked["question"]


def test_what_is_asked_in_the_place_of_an_answer_does_not_heed_it(client: httpx.Client, check_problem: Any) -> None:
    first = ask(client, "Who invented the telescope?", store=True)
    named = {"conversation_id": first["conversation_id"]}
    second = ask(client, **named)
    third = ask(client, "And how many people work there?", **named)
    assert "Velda" in third["resolved_query"]
    instead = ask(client, "Who invented the radio?", **named, replaces=second["id"])
    assert instead["replaces"] == second["id"]
    alone = ask(client, "And how many people work there?", **named)
    assert "Velda" not in alone["resolved_query"], "what was replaced is not heeded"
    beginning = ask(client, "And how many people work there?", **named, replaces=first["id"])
    assert beginning["resolved_query"] == "And how many people work there?"
    last = ask(client, **named, replaces=beginning["id"])
    told = [first, second, third, instead, alone, beginning, last]
    assert [turn["answer"] for turn in conversation(client, first["conversation_id"])["turns"]] == told
    for body in ({**named, "replaces": "ans_other"}, {"replaces": second["id"]}):
        check_problem(client.post("/api/ask", json={"question": SURE, **body}), "not-found")


def test_another_conversation_begins_apart(client: httpx.Client) -> None:
    one, other = (ask(client, store=True)["conversation_id"] for _ in range(2))
    assert one != other
    assert client.get("/api/conversations", params={"limit": 2}).json()["conversations"][0]["id"] == other


def test_a_conversation_is_erased(client: httpx.Client, check_problem: Callable[..., Problem]) -> None:
    name = ask(client, store=True)["conversation_id"]
    assert client.delete(f"/api/conversations/{name}").status_code == 204
    for response in (
        client.get(f"/api/conversations/{name}"),
        client.delete(f"/api/conversations/{name}"),
        client.post("/api/ask", json={"question": SURE, "conversation_id": name}),
        client.post("/api/search", json={"question": SURE, "conversation_id": name}),
    ):
        assert "store: true" in check_problem(response, "not-found").detail


def test_an_article_that_goes_takes_its_quotations_along(settings: Settings, serve: Any) -> None:
    with serve(settings) as client:
        client.post("/api/articles", json=ARTICLE).raise_for_status()
        answered = ask(client, store=True)
        assert answered["citations"]
        name = answered["conversation_id"]
        client.post("/api/articles", json={**ARTICLE, "text": "Another text altogether."}).raise_for_status()
        (turn,) = conversation(client, name)["turns"]
        assert turn["answer"] == answered, "the version that it pins can still be read"
        client.delete("/api/articles/velda").raise_for_status()
        (turn,) = conversation(client, name)["turns"]
    assert turn["answer"]["abstain_reason"] == "source_withdrawn"
    assert (turn["answer"]["citations"], turn["answer"]["search_results"]) == ([], [])
    assert turn["withheld"] >= 2
    assert "4,200" not in msgspec.json.encode(turn).decode()


def test_conversations_survive_a_restart(settings: Settings, serve: Any) -> None:
    with serve(settings) as client:
        client.post("/api/articles", json=ARTICLE).raise_for_status()
        answered = ask(client, store=True)
        client.post(f"/api/answers/{answered['id']}/feedback", json={"verdict": "up"}).raise_for_status()
    with serve(settings) as client:
        (turn,) = conversation(client, answered["conversation_id"])["turns"]
        assert turn["answer"] == answered
        assert client.get("/api/feedback").json()["feedback"][0]["answer_id"] == answered["id"]
        again = client.post(f"/api/answers/{answered['id']}/feedback", json={"verdict": "down"})
        assert again.status_code == 200, "a kept answer is known for as long as it is kept"


def test_a_kept_answer_is_read_alone_as_it_may_be_shown_now(
    settings: Settings, serve: Any, check_problem: Callable[..., Problem]
) -> None:
    with serve(settings) as client:
        client.post("/api/articles", json=ARTICLE).raise_for_status()
        answered = ask(client, store=True)
        route = f"/api/answers/{answered['id']}"
        found = client.get(route).raise_for_status().json()
        assert found["answer"] == {**answered, "conversation_id": None}
        assert found["withheld"] == 0
        check_problem(client.get("/api/answers/ans_0"), "not-found")
        unkept = ask(client)
        check_problem(client.get(f"/api/answers/{unkept['id']}"), "not-found")
        client.delete("/api/articles/velda").raise_for_status()
        assert client.get(route).json()["answer"]["abstain_reason"] == "source_withdrawn"
        client.delete(f"/api/conversations/{answered['conversation_id']}").raise_for_status()
        check_problem(client.get(route), "not-found")


def test_settings_bound_what_is_kept(tmp_path: Path, serve: Any) -> None:
    with serve(
        Settings(data_dir=tmp_path, encoder="hashing", reader="words", history_turns=2, history_conversations=2)
    ) as client:
        client.post("/api/articles", json=ARTICLE).raise_for_status()
        name = ask(client, store=True)["conversation_id"]
        last = [ask(client, conversation_id=name)["id"] for _ in range(3)]
        assert [turn["answer"]["id"] for turn in conversation(client, name)["turns"]] == last[1:]
        names = [ask(client, store=True)["conversation_id"] for _ in range(2)]
        assert [one["id"] for one in client.get("/api/conversations").json()["conversations"]] == names[::-1]


def test_feedback_on_an_answer(client: httpx.Client) -> None:
    answered = ask(client)
    route = f"/api/answers/{answered['id']}/feedback"
    assert client.post(route, json={"verdict": "up"}).status_code == 200
    reasons = ["wrong", "outdated", "wrong"]
    given = client.post(route, json={"verdict": "down", "reasons": reasons, "comment": "<b>Tuesday</b>"})
    entries = client.get("/api/feedback").json()["feedback"]
    assert entries[0] == given.json()
    assert [entry["answer_id"] for entry in entries].count(answered["id"]) == 1
    expected = {"verdict": "down", "comment": "<b>Tuesday</b>", "question": SURE, "article_ids": ["harbour"]}
    assert expected.items() <= entries[0].items()
    assert entries[0]["reasons"] == ["wrong", "outdated"]


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({"verdict": "sideways"}, "invalid-request"),
        ({"verdict": "up", "reasons": ["ugly"]}, "invalid-request"),
        ({"verdict": "up", "comment": "x" * 2001}, "invalid-request"),
        ({"verdict": "up", "more": 1}, "invalid-request"),
        ({"verdict": "up"}, "not-found"),
    ],
)
def test_feedback_that_cannot_be_taken(client: httpx.Client, check_problem: Any, body: Any, slug: str) -> None:
    check_problem(client.post("/api/answers/ans_0/feedback", json=body), slug)
