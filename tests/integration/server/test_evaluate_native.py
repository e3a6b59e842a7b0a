"""A run over HTTP, against a real server."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from qa.evaluation import Example, TargetFailed
from qa.evaluation.run import predict
from qa.evaluation.targets import Asking
from qa.evaluation.targets.over_http import Native, OpenAICompatible

EXAMPLE = Example(id="1", question="How many people work in the harbour of Velda?", asked_at="2024-06-05")


@pytest.fixture
def native(client: httpx.Client) -> Native:
    return Native(str(client.base_url).rstrip("/"), asking=Asking(ranked=2), timeout=120)


def test_answer_ranking_and_the_cited_text_come_back(native: Native) -> None:
    prediction, articles = asyncio.run(predict(EXAMPLE, respondent=native, ranked=2))
    assert prediction.failure is None
    assert prediction.answer is not None
    assert prediction.answer.as_of == "2024-06-05T00:00:00Z"
    assert prediction.ranked is not None
    assert prediction.ranked[0].article_id == "harbour"
    assert prediction.latency_ms > 0
    cited = {(citation.article_id, citation.article_version): citation for citation in prediction.answer.citations}
    assert {(article.id, article.version) for article in articles} == cited.keys()
    for article in articles:
        citation = cited[article.id, article.version]
        assert article.text[citation.start_char_index : citation.end_char_index] == citation.cited_text


def test_the_corpus_is_named_by_its_articles(native: Native, client: httpx.Client) -> None:
    facts = asyncio.run(native.facts())
    assert facts.corpus["articles"] == "2"
    assert facts.target.url == str(client.base_url).rstrip("/")
    assert asyncio.run(native.facts()).corpus == facts.corpus


def test_a_question_the_service_refuses_fails_alone(native: Native) -> None:
    prediction, _ = asyncio.run(predict(Example(id="1", question="?!"), respondent=native))
    assert prediction.failure is not None
    assert prediction.failure.kind == "refused"


def test_an_article_that_is_gone_is_none(native: Native) -> None:
    assert asyncio.run(native.article("no-such", version="1")) is None


def test_a_follow_up_is_asked_in_its_conversation(native: Native) -> None:
    example = Example(id="1", question="How many people work there?", conversation=("When did the harbour reopen?",))
    reply = asyncio.run(native.ask(example))
    assert reply.answer is not None
    assert reply.answer.conversation_id


def test_the_openai_routes_are_asked_like_any_other_server(client: httpx.Client) -> None:
    base = f"{str(client.base_url).rstrip('/')}/v1"
    model = client.get("/v1/models").json()["data"][0]["id"]
    target = OpenAICompatible(base, model=model, seed=0, timeout=120)
    assert asyncio.run(target.facts()).target.url == base
    reply = asyncio.run(target.ask(EXAMPLE))
    assert reply.foreign is not None
    assert reply.foreign.text
    for citation in reply.foreign.citations:
        assert citation.url
        assert citation.start is not None
        assert citation.end is not None
        assert 0 <= citation.start < citation.end <= len(reply.foreign.text)


def test_something_else_that_answers_is_no_service(client: httpx.Client) -> None:
    elsewhere = Native(f"{str(client.base_url).rstrip('/')}/docs", asking=Asking(), timeout=120)
    with pytest.raises(TargetFailed):
        asyncio.run(elsewhere.facts())
