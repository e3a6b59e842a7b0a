"""Questions over HTTP: answers whose citations hold word for word, searches, abstentions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest

from qa.types import Answer, Filters, SearchAnswer


def ask(client: httpx.Client, question: str, **more: Any) -> Answer:
    response = client.post("/api/ask", json={"question": question, **more})
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=Answer)


def search(client: httpx.Client, question: str, **more: Any) -> SearchAnswer:
    response = client.post("/api/search", json={"question": question, **more})
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=SearchAnswer)


def text_of(client: httpx.Client, article_id: str, version: str) -> str:
    response = client.get(f"/api/articles/{quote(article_id, safe='')}", params={"version": version})
    return str(response.json()["text"])


@pytest.mark.parametrize("mode", ["auto", "extractive", "generated"])
def test_every_citation_is_word_for_word(client: httpx.Client, mode: str) -> None:
    """Which questions are answered is for other tests to say; of these two, sure ones, one is enough here."""
    questions = ["When will the old bridge over the Tamar be repaired?", "When did the harbour of Velda reopen?"]
    answers = [ask(client, question, mode=mode) for question in questions]
    assert "extractive" in {answer.answer_mode for answer in answers}
    for citation in (citation for answer in answers for citation in answer.citations):
        text = text_of(client, citation.article_id, citation.article_version)
        assert text[citation.start_char_index : citation.end_char_index] == citation.cited_text


def test_an_abstention_is_an_answer(client: httpx.Client) -> None:
    answer = ask(client, "Who invented the telescope?")
    assert (answer.answer_mode, answer.citations) == ("abstained", ())
    assert answer.abstain_reason


def test_search_gives_passages_with_their_place(client: httpx.Client) -> None:
    found = search(client, "What does the repair of the bridge cost?", limit=1)
    (result,) = found.search_results
    assert result.article_id == "urn:tamar:bridge@2024"
    assert result.near is True
    assert {one.near for one in search(client, "penguins in Antarctica").search_results} == {False}
    text = text_of(client, result.article_id, result.article_version)
    assert text[result.start_char_index : result.end_char_index] == result.text


def test_an_answer_says_what_it_was_narrowed_to(client: httpx.Client) -> None:
    narrowed = Filters(source=("Tamar Weekly",), published_after="2024-05-01")
    asked = {"question": "What does the repair of the bridge cost?", "store": True}
    answer = ask(client, **asked, filters=msgspec.to_builtins(narrowed))
    assert answer.filters == narrowed
    kept = client.get(f"/api/conversations/{answer.conversation_id}").json()["turns"][0]["answer"]
    assert kept["filters"]["source"] == ["Tamar Weekly"]
    assert ask(client, **asked).filters is None


def test_filters_reach_the_store(client: httpx.Client) -> None:
    found = search(client, "harbour bridge", filters={"source": ["Tamar Weekly"]}).search_results
    assert {result.source for result in found} == {"Tamar Weekly"}
    found = search(client, "harbour bridge", filters={"article_ids": ["harbour"]}).search_results
    assert {result.article_id for result in found} == {"harbour"}
    assert search(client, "harbour bridge", filters={"published_after": "2025-01-01"}).search_results == ()
    assert search(client, "harbour bridge", collection="none such").search_results == ()


@pytest.mark.parametrize(
    "body",
    [
        {"question": " \t "},
        {"question": "?!"},
        {"question": "Where?", "as_of": "soon"},
        {"question": "Where?", "filters": {"published_after": "2024-13-45"}},
        {"question": "Where?", "filters": {"published_before": "x"}},
    ],
)
@pytest.mark.parametrize("route", ["/api/ask", "/api/search"])
def test_unusable_questions(client: httpx.Client, check_problem: Callable[..., Any], route: str, body: Any) -> None:
    check_problem(client.post(route, json=body), "invalid-question")


@pytest.mark.parametrize(
    "question", ["🇱🇾" * 500, "e\u0301" * 900, "مرحبا " * 300, "<script>alert(1)</script>", "' OR 1=1 --", '"*" NEAR(']
)
def test_strange_questions_are_questions(client: httpx.Client, question: str) -> None:
    response = client.post("/api/ask", json={"question": question})
    assert response.status_code in (200, 422), response.text
    assert response.headers["content-type"].startswith("application/")
