"""Several services on one database: what one stores, the other answers from at its next question."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two(begin_service: Callable[..., Any], postgres_server: Any) -> tuple[Any, Any]:
    """Two processes on one store, begun at once, each with a folder of its own for what it keeps of conversations."""
    store = {"QA_STORE": postgres_server.url(), "QA_STORE_SCHEMA": f"test_{uuid4().hex}"}
    with ThreadPoolExecutor(2) as pool:
        one, other = (pool.submit(begin_service, **store) for _ in range(2))
    return one.result(), other.result()


def asked(service: Any, question: str) -> dict[str, Any]:
    reply = httpx.post(f"{service.url}/api/ask", json={"question": question})
    return reply.raise_for_status().json()  # type: ignore[no-any-return]


def test_what_one_stores_the_other_answers_from(two: tuple[Any, Any]) -> None:
    one, other = two
    one.add({"id": "kiln", "text": "The kiln at Osk employs 35 people.", "title": "The kiln"})
    answers = [asked(service, "How many people does the kiln employ?") for service in two]
    assert [answer["citations"][0]["cited_text"] for answer in answers] == ["The kiln at Osk employs 35 people."] * 2
    other.add({"id": "kiln", "text": "The kiln at Osk employs 41 people.", "title": "The kiln"})
    assert "41" in asked(one, "How many people does the kiln employ?")["answer"]
    assert httpx.delete(f"{other.url}/api/articles/kiln").is_success
    assert asked(one, "How many people does the kiln employ?")["answer_mode"] == "abstained"
    for service in two:
        health = httpx.get(f"{service.url}/health/ready").raise_for_status().json()
        assert (health["articles"], health["writes"]) == (0, "open"), "and so the next test finds it"


def test_both_store_at_once_and_outlive_each_other(two: tuple[Any, Any]) -> None:
    one, other = two
    with ThreadPoolExecutor(8) as pool:
        for number in range(24):
            article = {"id": f"a{number % 6}", "text": f"Report {number} of the harbour.", "title": "Harbour"}
            pool.submit((one, other)[number % 2].add, article)
    listed = [httpx.get(f"{service.url}/api/articles").json()["articles"] for service in two]
    assert listed[0] == listed[1]
    assert [article["id"] for article in listed[0]] == [f"a{number}" for number in range(6)]
    one.kill()
    other.add({"id": "weir", "text": "The weir at Osk has a gate.", "title": "The weir"})
    one.start()
    assert len(httpx.get(f"{one.url}/api/articles").json()["articles"]) == 7
