"""Under load: the loop answers while the CPU is busy, what is too much is refused at once, deadlines hold.

Nothing here is measured by the clock: on a machine that others use as well it says nothing.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import httpx
import pytest

import seeds
from qa.server.parts import questions_at_once
from qa.settings import Settings


def many_articles(total_bytes: int) -> list[dict[str, str]]:
    text = "\n\n".join(
        " ".join(f"Sentence {n} of paragraph {p} tells of harbours and bridges." for n in range(8)) for p in range(5)
    )
    return [{"id": f"big{n}", "text": f"Number {n}. {text}"} for n in range(total_bytes // (len(text) + 40))]


def test_the_loop_answers_while_ten_megabytes_come_in(serve: Any, settings: Settings, until: Any) -> None:
    """The ingest takes seconds of CPU, and `/health/live` and a search are answered often before it is done.

    A loop that parses, cleans or encodes itself is stuck for as long as the ingest takes.
    """
    articles = many_articles(9_500_000)
    body = json.dumps(articles).encode()
    with ThreadPoolExecutor(1) as pool, serve(settings) as client:
        client.post("/api/articles", json=articles[0]).raise_for_status()
        headers = {"content-type": "application/json"}
        sent = pool.submit(httpx.post, f"{client.base_url}/api/articles", content=body, headers=headers)
        until(lambda: "sourceline_writes_admitted 1" in client.get("/metrics").text)
        for _ in range(5):
            client.post("/api/search", json={"question": "harbours"}).raise_for_status()
            for _ in range(20):
                client.get("/health/live").raise_for_status()
        assert not sent.done(), "the loop answered a hundred times, the index five times, before it was through"


def test_too_many_questions_are_refused_at_once(
    serve: Any, tmp_path: Any, saying: Any, check_problem: Callable[..., Any]
) -> None:
    """One runs, three wait, the rest hear so while those still wait."""
    settings = Settings(data_dir=tmp_path, encoder="hashing", reader="words", max_queue=3, deadline_seconds=120)
    go = threading.Event()
    with serve(settings, load=saying(lambda: go.wait(120) and None)) as client, ThreadPoolExecutor(24) as pool:
        sent = {pool.submit(ask, client) for _ in range(24)}
        refused = {future for _, future in zip(range(20), as_completed(sent, timeout=100), strict=False)}
        for future in refused:
            check_problem(future.result(), "overloaded")
            assert future.result().headers["retry-after"] == "1"
        assert client.get("/health/live").status_code == 200
        go.set()
        assert [future.result(120).status_code for future in sent - refused] == [200] * 4
        assert ask(client).status_code == 200, "the permits are back"


def test_a_question_past_its_deadline(
    serve: Any, tmp_path: Any, saying: Any, check_problem: Callable[..., Any], until: Any
) -> None:
    settings = Settings(data_dir=tmp_path, encoder="hashing", reader="words", deadline_seconds=0.3)
    begun, go = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        go.wait(120)

    with serve(settings, load=saying(hold)) as client, ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, client)
        while not begun.wait(0.5):  # on a busy machine its time may be up before its turn comes
            first = pool.submit(ask, client)
        check_problem(ask(client), "overloaded")
        check_problem(first.result(120), "deadline-exceeded")
        go.set()
        until(lambda: ask(client).status_code == 200)  # the thread is free again


def test_writes_take_turns(serve: Any, settings: Settings, until: Any) -> None:
    """A small write does not wait for the end of a large one."""
    large = many_articles(600_000)
    with serve(settings) as client, ThreadPoolExecutor(1) as pool:
        sent = pool.submit(lambda: httpx.post(f"{client.base_url}/api/articles", json=large, timeout=120))
        until(lambda: client.get("/health/ready").json()["articles"] > 0)
        small = client.post("/api/articles", json={"id": "small", "text": "A small one."})
        assert small.status_code == 200
        assert client.delete("/api/articles/small").status_code == 204
        assert not sent.done(), "the large one must be under way for this to show anything"
        assert sent.result(120).status_code == 200


@pytest.mark.parametrize(
    ("settings", "threads"),
    [
        (Settings(threads=1), 1),
        (Settings(threads=2), 1),
        (Settings(threads=3), 1),
        (Settings(threads=8), 4),
        (Settings(threads=64), 4),
        (Settings(threads=8, encoder="hashing"), 1),
        (Settings(threads=8, reader="some-model"), 1),
        (Settings(threads=8, reranker="some-model"), 1),
        (Settings(threads=8, support_checker="some-model"), 1),
        (Settings(threads=8, support_checker="trained"), 4),
    ],
)
def test_questions_are_worked_on_at_once_where_every_part_allows_it(settings: Settings, threads: int) -> None:
    assert questions_at_once(settings) == threads


def test_what_is_answered_at_once_is_answered_as_one_after_the_other(
    serve: Any, sample_store: Path, tmp_path: Path
) -> None:
    asked = [one.question for one in seeds.questions()[:12]]
    told: list[list[tuple[object, ...]]] = []
    for threads in (8, 1):
        data = shutil.copytree(sample_store, tmp_path / str(threads))
        with serve(Settings(data_dir=data, threads=threads, deadline_seconds=600)) as client:
            names = {thread.name for thread in threading.enumerate()}
            assert {"encoding 2", "encoding 3", "encoding 4"} <= names or threads == 1
            with ThreadPoolExecutor(threads) as pool:
                replies = pool.map(lambda text: _answered(client, text), asked)
                told.append(list(replies))
    assert told[0] == told[1]
    assert any(answer for answer, *_ in told[0])


def _answered(client: httpx.Client, question: str) -> tuple[object, ...]:
    sent = {"question": question, "as_of": "2024-07-01", "mode": "extractive"}
    reply = httpx.post(f"{client.base_url}/api/ask", json=sent, timeout=600).raise_for_status().json()
    passages = [(found["article_id"], found["text"], found["score"]) for found in reply["search_results"]]
    return reply["answer"], reply["support_score"], [one["cited_text"] for one in reply["citations"]], passages


def ask(client: httpx.Client) -> httpx.Response:
    return httpx.post(f"{client.base_url}/api/ask", json={"question": "Where?"}, timeout=120)
