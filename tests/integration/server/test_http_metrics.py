"""`/metrics` counts what was really served, and holds no word of it."""

from __future__ import annotations

import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from qa.settings import Settings

KEY = "operator-key-0123456789"


def scrape(client: httpx.Client, **headers: str) -> dict[tuple[str, ...], float]:
    """Samples by name and label values."""
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name.removeprefix("sourceline_"), *(sample.labels[key] for key in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def grown(before: dict[tuple[str, ...], float], after: dict[tuple[str, ...], float], *name: str) -> float:
    return after.get(name, 0.0) - before.get(name, 0.0)


def test_requests_and_answers_are_counted(client: httpx.Client) -> None:
    before = scrape(client)
    answer = client.post("/api/ask", json={"question": "When did the harbour of Velda reopen?"}).json()
    stream = client.post("/api/ask", json={"question": "Who invented the telescope?", "stream": True})
    assert '"abstained"' in stream.text
    client.get("/api/articles/none")
    client.get("/api/articles/harbour")
    client.get("/nothing/canary-4711")
    client.request("BREW", "/api/ask")
    after = scrape(client)
    assert answer["answer_mode"] == "extractive"
    assert grown(before, after, "http_requests_total", "POST", "/api/ask", "200") == 2
    assert grown(before, after, "http_requests_total", "GET", "/api/articles/{article_id}", "404") == 1
    assert grown(before, after, "http_requests_total", "GET", "/api/articles/{article_id}", "200") == 1
    assert grown(before, after, "http_requests_total", "GET", "none", "404") == 1
    assert grown(before, after, "http_requests_total", "other", "none", "405") == 1
    assert grown(before, after, "http_request_seconds_count", "POST", "/api/ask") == 2
    assert grown(before, after, "answers_total", answer["fallback_reason"] or "", "extractive") == 1
    assert (
        sum(grown(before, after, *name) for name in after if (name[0], name[-1]) == ("answers_total", "abstained")) == 1
    )
    assert sum(grown(before, after, *name) for name in after if name[0] == "abstentions_total") == 1
    assert grown(before, after, "claims_total", "supported") == len(answer["claims"])
    assert grown(before, after, "citations_total") == len(answer["citations"]) > 0
    assert (after[("ready",)], after[("articles",)]) == (1, 2)
    looked_up = [grown(before, after, f"remembered_vectors_{which}") for which in ("hits", "misses")]
    assert sum(looked_up) >= 2
    assert after[("remembered_vectors",)] > 0
    assert after[("reads_admitted",)] == after[("questions_admitted",)] == after[("encoding_waiting",)] == 0


def test_it_holds_few_series_and_no_word_of_a_question(client: httpx.Client) -> None:
    sizes = []
    for round_ in range(2):
        for number in range(20):
            client.post("/api/ask", json={"question": f"canary-{round_}-{number}?"})
            client.get(f"/api/articles/canary-{round_}-{number}", params={"version": "canary"})
            client.get(f"/canary-{round_}-{number}")
        sizes.append(len(scrape(client)))
    assert sizes[0] == sizes[1] < 1000
    text = client.get("/metrics").text
    assert "canary" not in text
    assert not re.search(r"Velda|harbour", text)


def test_it_works_while_loading(serve: Any, settings: Settings) -> None:
    with serve(settings, start=False) as client:
        found = scrape(client)
        assert found[("ready",)] == 0
        assert ("articles",) not in found


def test_what_waits_is_seen(serve: Any, tmp_path: Any, saying: Any) -> None:
    go, begun = threading.Event(), threading.Event()

    def hold() -> None:
        if threading.current_thread().name == "encoding":
            begun.set()
            go.wait(120)

    settings = Settings(data_dir=tmp_path, encoder="hashing", reader="words", max_queue=1, deadline_seconds=120)
    with serve(settings, load=saying(hold)) as client, ThreadPoolExecutor(3) as pool:
        address = f"{client.base_url}/api/search"
        sent = [pool.submit(httpx.post, address, json={"question": "Where?"}, timeout=120)]
        assert begun.wait(120)
        sent += [pool.submit(httpx.post, address, json={"question": "Where?"}, timeout=120) for _ in range(2)]
        refused = next(as_completed(sent, timeout=120))
        found = scrape(client)
        go.set()
        assert refused.result().status_code == 503
        assert (found[("questions_admitted",)], found[("encoding_waiting",)]) == (2, 1)
        assert found[("http_requests_total", "POST", "/api/search", "503")] == 1


def test_two_services_count_apart(serve: Any, tmp_path: Any) -> None:
    with (
        serve(Settings(data_dir=tmp_path / "a", encoder="hashing", reader="words")) as one,
        serve(Settings(data_dir=tmp_path / "b", encoder="hashing", reader="words")) as other,
    ):
        one.get("/health/live")
        live = ("http_requests_total", "GET", "/health/live", "200")
        assert (scrape(one)[live], scrape(other).get(live)) == (1, None)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}])
def test_with_keys_it_needs_one(serve: Any, tmp_path: Any, headers: dict[str, str]) -> None:
    with serve(Settings(data_dir=tmp_path, encoder="hashing", reader="words", api_keys=KEY)) as client:
        assert client.get("/metrics", headers=headers).status_code == 401
        assert scrape(client, authorization=f"Bearer {KEY}")[("ready",)] == 1


def test_the_model_is_watched(serve: Any, tmp_path: Any) -> None:
    """Nobody listens at the model's address: after some failures it is left alone."""
    model = f"http://127.0.0.1:{free_port()}/v1"
    with serve(Settings(data_dir=tmp_path, encoder="hashing", reader="words", llm_base_url=model)) as client:
        text = "The harbour of Velda reopened on Monday. About 4,200 people work there."
        client.post("/api/articles", json={"text": text}).raise_for_status()
        assert scrape(client)[("model_resting",)] == 0
        for _ in range(6):
            answer = client.post("/api/ask", json={"question": "When did the harbour of Velda reopen?"}).json()
            assert answer["fallback_reason"] == "model_unreachable"
        found = scrape(client)
        assert (found[("model_resting",)], found[("model_drafts",)]) == (1, 0)
        assert found[("answers_total", "model_unreachable", "extractive")] == 6


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
