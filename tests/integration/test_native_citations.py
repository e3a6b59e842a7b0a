"""Anthropic's models: sources go as documents, what the service cites is a hint, and our own check decides."""

from __future__ import annotations

import asyncio
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from embeddings import encoders
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder
from embeddings.ingest import ingest
from embeddings.runtime import at_once
from embeddings.types import RawArticle
from qa.answers import fold
from qa.assembly import assemble
from qa.errors import SettingsError
from qa.generators import load_generator
from qa.settings import Settings
from qa.types import Answer, Question, Turn

FERRY = "The ferry Almira sank near the island of Orsa on Tuesday with 212 people on board. Rescuers saved 205 of them."
INQUIRY = "A court in Velda opened an inquiry into the sinking of the Almira. The captain was questioned for six hours."
SANK = "The ferry Almira sank near the island of Orsa on Tuesday with 212 people on board."
COURT = "A court in Velda opened an inquiry into the sinking of the Almira."
ASKED = Question(question="Where did the ferry Almira sink and how many people were on board?", as_of="2024-06-10")
KEY = "sk-ant-canary"


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return encoders.load("hashing")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[EmbeddedCorpus]:
    with closing(EmbeddedCorpus.open(tmp_path_factory.mktemp("ferry"), identity=encoder.identity)) as found:
        articles = [
            RawArticle(id="ferry", title="Ferry sinks", text=FERRY, source="Wire", published_at="2024-06-05"),
            RawArticle(id="court", title="Inquiry opened", text=INQUIRY, source="Post", published_at="2024-06-09"),
        ]
        ingest(articles, corpus=found, encoder=encoder)
        yield found


@pytest.fixture
def ask(corpus: EmbeddedCorpus, encoder: Encoder, faulty_messages: Any) -> Any:
    """Ask with a model that writes this draft: `{0}` behind a sentence cites the first document."""

    def asked(draft: str, *, model: str = "good", question: Question = ASKED, **more: Any) -> Answer:
        faulty_messages.compose = lambda _: draft
        settings = settings_for(faulty_messages.address(), model=model)
        assembly = assemble(settings, encoder=encoder)

        async def whole() -> Answer:
            try:
                return await fold(assembly.over(corpus).events(question, run=at_once, **more))
            finally:
                assert assembly.generator is not None
                await assembly.generator.close()

        answer = asyncio.run(whole())
        for citation in answer.citations:
            text = {"ferry": FERRY, "court": INQUIRY}[citation.article_id]
            assert text[citation.start_char_index : citation.end_char_index] == citation.cited_text != ""
        return answer

    return asked


def settings_for(address: str, **changes: Any) -> Settings:
    given = {
        "llm_api_key": KEY,
        "reader": "words",
        "support_checker": "lexical",
        "llm_model": changes.pop("model", "good"),
    }
    return Settings(llm_provider="anthropic", llm_base_url=address, **given | changes)


def test_sources_go_as_documents_with_citations_enabled(ask: Any, faulty_messages: Any) -> None:
    ask(f"{SANK}{{0}}")
    ((path, headers),) = faulty_messages.heads
    assert (path, headers["authorization"]) == ("/v1/messages", f"Bearer {KEY}")
    assert "anthropic-version" in headers
    (sent,) = faulty_messages.asked
    assert (sent["model"], sent["stream"], sent["thinking"]) == ("good", True, {"type": "disabled"})
    (message,) = sent["messages"]
    *documents, words = message["content"]
    by_title = {document["title"]: document for document in documents}
    assert by_title["Ferry sinks"] == {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": FERRY},
        "title": "Ferry sinks",
        "context": "Published: Wire, 2024-06-05",
        "citations": {"enabled": True},
    }
    assert by_title["Inquiry opened"]["source"]["data"] == INQUIRY
    assert words["type"] == "text"
    assert ASKED.question in words["text"]
    assert "2024-06-10" in words["text"]
    asked = sent["system"] + words["text"]
    assert FERRY not in asked
    assert "label" not in asked, "the service numbers the documents itself"


def document_of(title: str, asked: Any) -> int:
    """Which document an article was sent as."""
    contents = asked[-1]["messages"][0]["content"]
    return [part.get("title") for part in contents].index(title)


def test_what_is_borne_out_is_shown_with_our_own_words(ask: Any, faulty_messages: Any) -> None:
    ask("NOT IN THE SOURCES")
    ferry, court = (document_of(title, faulty_messages.asked) for title in ("Ferry sinks", "Inquiry opened"))
    answer = ask(f"{SANK}{{{ferry}}} {COURT}{{{court}}}")
    assert (answer.answer_mode, answer.fallback_reason) == ("generated", None)
    assert answer.answer == f"{SANK} {COURT}"
    assert [citation.article_id for citation in answer.citations] == ["ferry", "court"]
    assert answer.citations[0].cited_text in SANK, "and not what the service says that it cited"
    assert answer.generation is not None
    assert set(answer.generation.prompts) == {"answer_documents_system", "answer_documents_user"}
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (70, 30)


def test_a_native_citation_is_not_believed(ask: Any, faulty_messages: Any) -> None:
    ask("NOT IN THE SOURCES")
    ferry, court = (document_of(title, faulty_messages.asked) for title in ("Ferry sinks", "Inquiry opened"))
    answer = ask(f"{SANK}{{{court}}} Pirates had boarded another vessel at dawn.{{{court}}} {COURT}{{{ferry}}}")
    assert answer.answer == f"{SANK} {COURT}"
    assert [citation.article_id for citation in answer.citations] == ["ferry", "court"], "cited anew"
    assert answer.usage.sentences_dropped == 1
    lied = ask(f"Pirates had boarded another vessel at dawn.{{{court}}}")
    assert (lied.answer_mode, lied.fallback_reason) == ("extractive", "ungrounded")


def test_documents_that_were_never_sent_are_reported(ask: Any) -> None:
    answer = ask(SANK, model="foreign-documents")
    assert (answer.answer, answer.answer_mode) == (SANK, "generated")
    assert answer.usage.markers_unresolved == 1


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("unauthorised", "model_unauthorised"),
        ("rate-limited", "model_rate_limited"),
        ("overloaded", "model_overloaded"),
        ("overloaded-event", "model_overloaded"),
        ("error-event", "model_failed"),
        ("reset", "model_failed"),
    ],
)
def test_a_service_that_fails(ask: Any, model: str, reason: str) -> None:
    answer = ask(SANK, model=model)
    assert (answer.answer_mode, answer.fallback_reason) == ("extractive", reason)


def test_a_model_that_must_think_gets_tokens_for_it(ask: Any, faulty_messages: Any) -> None:
    assert ask(f"{SANK}{{0}}", model="picky").answer_mode == "generated"
    refused, accepted = faulty_messages.asked
    assert "thinking" in refused
    assert "thinking" not in accepted
    assert accepted["max_tokens"] == refused["max_tokens"] + 1024


def test_a_follow_up_is_written_out_without_documents(ask: Any, faulty_messages: Any) -> None:
    turn = Turn(
        question="What sank near Orsa?",
        resolved_query="What sank near Orsa?",
        answer="The ferry Almira sank near Orsa.",
        answer_mode="generated",
        as_of="2024-06-09",
    )
    ask(SANK, question=Question(question="How many people were on it?", as_of="2024-06-10"), history=[turn])
    rewriting = faulty_messages.asked[0]["messages"]
    assert [message["role"] for message in rewriting] == ["user"]
    assert "How many people were on it?" in rewriting[0]["content"]


def test_without_the_sdk_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, repo: Path) -> None:
    monkeypatch.setitem(sys.modules, "anthropic", None)
    with pytest.raises(SettingsError, match="QA_LLM_PROVIDER") as caught:
        load_generator(settings_for(""))
    extras = tomllib.loads((repo / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (wanted,) = extras["anthropic"]
    assert f"{sys.executable} -m pip install '{wanted}'" in str(caught.value)


@pytest.mark.parametrize("changes", [{"llm_model": ""}, {"llm_api_key": ""}])
def test_a_service_that_costs_money_is_named_in_full(changes: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="QA_LLM_MODEL, and QA_LLM_API_KEY"):
        load_generator(settings_for("", **changes))


def test_the_address_may_be_left_out() -> None:
    generator: Any = load_generator(settings_for(""))
    assert generator._inner._where == "the model's server at api.anthropic.com"
    assert str(generator._inner._client.base_url) == "https://api.anthropic.com"


def test_nothing_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch, faulty_messages: Any, ask: Any) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-somebody-elses")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    ask(SANK)
    assert faulty_messages.keys == [f"Bearer {KEY}"]
