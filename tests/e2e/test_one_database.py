"""Several services on one database: what one stores, the other answers from at its next question."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

pytestmark = pytest.mark.slow


PAGE = "https://news.example"
KILN = {"id": "kiln", "text": "The kiln at Osk employs 35 people.", "title": "The kiln"}


@pytest.fixture(scope="module")
def two(begin_service: Callable[..., Any], postgres_server: Any) -> tuple[Any, Any]:
    """Two processes on one store, begun at once; pages may use them, whose visitors may ask little."""
    shared = {"QA_STORE": postgres_server.url(), "QA_STORE_SCHEMA": f"test_{uuid4().hex}"}
    access = {"QA_ALLOWED_ORIGINS": PAGE, "QA_VISITOR_RATE": "10"}
    with ThreadPoolExecutor(2) as pool:
        one, other = (pool.submit(begin_service, **shared, **access) for _ in range(2))
    return one.result(), other.result()


def asked(service: Any, question: str) -> dict[str, Any]:
    reply = httpx.post(f"{service.url}/api/ask", json={"question": question})
    return reply.raise_for_status().json()  # type: ignore[no-any-return]


def test_what_one_stores_the_other_answers_from(two: tuple[Any, Any]) -> None:
    one, other = two
    one.add(KILN)
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


def test_a_conversation_begun_on_one_goes_on_on_the_other(two: tuple[Any, Any]) -> None:
    one, other = (httpx.Client(base_url=service.url, timeout=120) for service in two)
    with one, other:
        one.post("/api/articles", json=KILN).raise_for_status()
        question = {"question": "How many people does the kiln at Osk employ?", "store": True}
        first = one.post("/api/ask", json=question).raise_for_status().json()
        named = first["conversation_id"]
        second = {"question": "And how many people does it employ?", "conversation_id": named}
        answer = other.post("/api/ask", json=second).raise_for_status().json()
        assert "kiln" in answer["resolved_query"], "what was said on the first is known to the second"
        said = [client.get(f"/api/conversations/{named}").raise_for_status().json() for client in (one, other)]
        assert said[0] == said[1]
        assert [turn["answer"]["id"] for turn in said[0]["turns"]] == [first["id"], answer["id"]]
        other.post(f"/api/answers/{first['id']}/feedback", json={"verdict": "up"}).raise_for_status()
        assert [entry["answer_id"] for entry in one.get("/api/feedback").json()["feedback"]] == [first["id"]]
        link = one.post(f"/api/answers/{first['id']}/link").raise_for_status().json()
        token = httpx.post(f"{two[0].url}/api/tokens", json={}, headers={"Origin": PAGE}).raise_for_status().json()
        reader = {"Origin": PAGE, "Authorization": f"Bearer {token['token']}"}
        shown = httpx.get(f"{two[1].url}/api/answers/{first['id']}", params={"sig": link["sig"]}, headers=reader)
        assert shown.raise_for_status().json()["answer"]["id"] == first["id"], "opened by whoever has the link"
        other.delete(f"/api/conversations/{named}").raise_for_status()
        assert one.get(f"/api/conversations/{named}").status_code == 404
        assert one.get("/api/feedback").json()["feedback"] == []


def test_a_token_of_one_is_good_on_the_other_and_its_budget_is_spent_on_both(two: tuple[Any, Any]) -> None:
    one, other = (httpx.Client(base_url=service.url, headers={"Origin": PAGE}, timeout=120) for service in two)
    with one, other:
        while True:
            token = one.post("/api/tokens", json={}).raise_for_status().json()["token"]
            began, visitor = time.monotonic(), {"Authorization": f"Bearer {token}"}
            question = {"question": "How many people does the kiln employ?"}
            assert one.post("/api/ask", json=question, headers=visitor).is_success, "an answer costs the whole budget"
            refused = other.post("/api/ask", json=question, headers=visitor)
            if time.monotonic() - began < 50:  # after a minute there is as much again
                break
        assert (refused.status_code, refused.json()["type"]) == (429, "/problems/rate-limited")


def test_what_is_left_to_a_worker_is_answered_when_it_is_stored(two: tuple[Any, Any], repo: Path) -> None:
    one, other = two
    other.restart(QA_WORKERS="true")
    article = {"id": "gate", "text": "The gate at Osk has 12 bars.", "title": "The gate"}
    sent = partial(httpx.post, f"{other.url}/api/articles", json=article, timeout=300)
    with ThreadPoolExecutor(1) as pool, psycopg.connect(other.environment["QA_STORE"]) as db:
        reply = pool.submit(sent)
        waiting = f"SELECT count(*) FROM {other.environment['QA_STORE_SCHEMA']}.jobs WHERE state = 'waiting'"
        while not others_wait(db, waiting):
            assert not reply.done(), reply.result().text
            time.sleep(0.05)
        assert not reply.done()
        (at_work,) = httpx.get(f"{one.url}/api/jobs", params={"state": "running"}).raise_for_status().json()["jobs"]
        assert httpx.get(f"{one.url}/api/articles/gate").status_code == 404
        worker = [sys.executable, "-m", "qa", "work", "--once"]
        done = subprocess.run(worker, cwd=repo, env=other.environment, capture_output=True, text=True, check=True)
        assert "1 articles done" in done.stdout
        report = reply.result().raise_for_status().json()
    (added,) = report["articles"]
    assert (added["id"], added["outcome"]) == ("gate", "added")
    assert httpx.get(f"{one.url}/api/articles/gate").is_success
    assert at_work["id"] == report["job_id"]
    job = httpx.get(f"{one.url}/api/jobs/{report['job_id']}").raise_for_status().json()
    assert (job["state"], job["items"], [result["article_id"] for result in job["results"]]) == ("done", 1, ["gate"])


def others_wait(db: psycopg.Connection[Any], statement: str) -> bool:
    """Whether there is a job; before the first one there is no table."""
    try:
        return db.execute(statement).fetchone() == (1,)  # type: ignore[arg-type]
    except psycopg.errors.UndefinedTable:
        return False
    finally:
        db.rollback()
