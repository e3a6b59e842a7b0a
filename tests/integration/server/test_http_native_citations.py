"""Anthropic's models behind the service: an answer over HTTP, and readers who leave in the middle of one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import pytest

from qa.generators import load_generator
from qa.settings import Settings

QUESTION = "When will the old bridge over the Tamar be repaired, and what does the work cost?"
TRUE = "The old bridge over the Tamar will be repaired this autumn."
FALSE = "A dragon will be paid 90 million ducats for guarding the river."

Service = Callable[[str], AbstractContextManager[httpx.Client]]


@pytest.fixture
def service(serve: Any, settings: Settings, articles: Any, faulty_messages: Any) -> Service:
    """`with service("stall") as client`: the model behaves as it is called; what a first question loads is loaded."""
    faulty_messages.compose = lambda _: f"{TRUE}{{0}} {FALSE}{{0}}"

    @contextmanager
    def asking(model: str) -> Any:
        chosen = Settings(
            llm_provider="anthropic",
            llm_base_url=faulty_messages.address(),
            llm_model=model,
            support_checker="lexical",
            data_dir=settings.data_dir,
            encoder="hashing",
        )
        load_generator(chosen)  # imports the SDK
        with serve(chosen) as client:
            client.post("/api/articles", json=articles).raise_for_status()
            client.post("/api/ask", json={"question": QUESTION, "mode": "extractive"}).raise_for_status()
            yield client

    return asking


def test_what_is_borne_out_is_shown(service: Service) -> None:
    with service("good") as client:
        found = client.post("/api/ask", json={"question": QUESTION}).raise_for_status().json()
    assert (found["answer_mode"], found["answer"]) == ("generated", TRUE)
    assert found["citations"][0]["cited_text"] == TRUE
    assert found["usage"]["sentences_dropped"] == 1
    assert found["generation"]["model"] == "good"


def test_readers_who_leave_close_the_line_to_the_model(service: Service, faulty_messages: Any, hanging_up: Any) -> None:
    with service("stall") as client:
        for number in range(4):
            leave(client, hanging_up, model=faulty_messages, streaming=bool(number % 2))
            assert faulty_messages.accepted == number + 1
            assert faulty_messages.wait_closed()
        assert "sourceline_model_drafts 0.0" in client.get("/metrics").text, "every permit is back"


def leave(client: httpx.Client, hanging_up: Any, *, model: Any, streaming: bool) -> None:
    """Ask, wait until the model was asked, and hang up."""
    body = {"question": QUESTION, "stream": streaming}
    with hanging_up(client, body):
        assert model.wait_accepted(model.accepted + 1)
