"""`POST /api/check` over HTTP: verdicts, limits, refusals, behind the questions, counted and never logged."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec
import pytest

from qa.checking import CheckReport
from qa.server.parts import Parts
from qa.settings import Settings

HARBOUR = "The harbour of Velda reopened on Monday. About 4,200 people work there.\n\nIt was shut for days."
KEY = "editors-key-0123456789"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, serve: Any, articles: Any) -> Any:
    """The articles of the others' tests, judged by words alone."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), encoder="hashing", support_checker="lexical")
    with serve(settings) as found:
        found.post("/api/articles", json=articles).raise_for_status()
        yield found


def report_of(response: httpx.Response) -> CheckReport:
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=CheckReport)


def test_against_the_articles(client: httpx.Client) -> None:
    text = "Hello!\n\nThe harbour of Velda reopened on Monday. About 5,300 people work there. Who pays?"
    report = report_of(client.post("/api/check", json={"text": text}))
    assert [s.verdict or s.not_judged for s in report.sentences][:2] == ["small_talk", "supported"]
    _, reopened, people, asked = report.sentences
    (words,) = reopened.citations
    stored = client.get(f"/api/articles/{words.article_id}", params={"version": words.article_version}).json()
    assert stored["text"][words.start_char_index : words.end_char_index] == words.cited_text == reopened.text
    assert (words.title, words.url) == ("Harbour reopens after storm", "https://example.org/harbour")
    assert people.verdict in {"unsupported", "contradicted"}
    assert people.nearest[0].cited_text == "About 4,200 people work there."
    assert [(d.claimed, d.found) for d in people.differences] == [("5,300", "4,200")]
    assert text[people.differences[0].start : people.differences[0].end] == "5,300"
    assert asked.not_judged == "question"
    assert report.checker == "lexical 1"
    elsewhere = {"text": text, "filters": {"source": ["Tamar Weekly"]}}
    assert report_of(client.post("/api/check", json=elsewhere)).summary.supported == 0


def test_against_texts_sent_along(client: httpx.Client) -> None:
    body = {"text": "It was shut for days.", "against": [{"text": "Nothing."}, {"text": HARBOUR, "title": "Harbour"}]}
    (sentence,) = report_of(client.post("/api/check", json=body)).sentences
    (words,) = sentence.citations
    assert (words.against_index, words.article_id, words.title) == (1, None, "Harbour")
    assert HARBOUR[words.start_char_index : words.end_char_index] == words.cited_text == "It was shut for days."


def test_offsets_are_code_points(client: httpx.Client) -> None:
    text = "🌊🌊 Ça va? It was shut for days."
    body = {"text": text, "against": [{"text": f"🌊 {HARBOUR}"}]}
    report = report_of(client.post("/api/check", json=body))
    assert [text[s.start : s.end] for s in report.sentences] == [s.text for s in report.sentences]
    (words,) = report.sentences[-1].citations
    assert f"🌊 {HARBOUR}"[words.start_char_index : words.end_char_index] == "It was shut for days."


@pytest.mark.parametrize(
    ("body", "slug", "told"),
    [
        ({"text": ""}, "invalid-request", "length"),
        ({}, "invalid-request", "text"),
        ({"text": 5}, "invalid-request", "str"),
        ({"text": ["a"]}, "invalid-request", "str"),
        ({"text": "It sank.", "against": "It sank."}, "invalid-request", "array"),
        ({"text": "It sank.", "against": [{"text": ""}]}, "invalid-request", "length"),
        ({"text": "It sank.", "against": [{"txt": "a"}]}, "invalid-request", "txt"),
        ({"text": "It sank.", "against": [{"text": "a"}] * 41}, "invalid-request", "40"),
        ({"text": "It sank.", "mode": "fast"}, "invalid-request", "mode"),
        ({"text": "a" * 50_001}, "invalid-request", "50000"),
        ({"text": " \n\t "}, "invalid-text", "no words"),
        ({"text": "🙂" * 50_000}, "invalid-text", "no words"),
        ({"text": "Rain. " * 8_000}, "invalid-text", "8,000 sentences"),
        ({"text": "It sank.", "against": [{"text": "a b " * 12_000}] * 3}, "invalid-text", "100,000"),
        ({"text": "It sank.", "against": [{"text": "a"}], "collection": "x"}, "invalid-question", "leave out"),
        ({"text": "It sank.", "as_of": "soon"}, "invalid-question", "as_of"),
        ({"text": "It sank.", "filters": {"published_after": "x"}}, "invalid-question", "published_after"),
    ],
)
def test_what_cannot_be_checked_is_refused(
    client: httpx.Client, check_problem: Callable[..., Any], body: Any, slug: str, told: str
) -> None:
    problem = check_problem(client.post("/api/check", json=body), slug)
    assert told in json.dumps(msgspec.to_builtins(problem))


@pytest.mark.parametrize(
    "text",
    [
        "a" * 50_000,
        "(" * 50_000 + "a",
        "[](" * 16_000 + "a",
        "# " * 25_000 + "a",
        "1." * 25_000,
        "It is The " * 450,
        "السفينة غرقت. " * 400,
        "渡轮沉没了。" * 400,
        "a\u0301" * 25_000,
        "**" * 25_000 + "a",
        "\u202e\u2066" * 1_000 + "It sank twice.",
    ],
    ids=lambda text: text[:12].encode("unicode_escape").decode(),
)  # fmt: skip
def test_hostile_texts_are_checked_or_refused(client: httpx.Client, text: str) -> None:
    """No 500, and every character in its sentence."""
    response = client.post("/api/check", json={"text": text, "against": [{"text": HARBOUR}]})
    assert response.status_code in {200, 422}, response.text
    if response.status_code == 200:
        rest = list(text)
        for sentence in report_of(response).sentences:
            rest[sentence.start : sentence.end] = " " * (sentence.end - sentence.start)
        assert not "".join(rest).strip()


def test_a_body_beyond_the_limit_is_not_read(client: httpx.Client, check_problem: Callable[..., Any]) -> None:
    body = {"text": "It sank.", "question": "a" * 2_000_001}
    check_problem(client.post("/api/check", json=body), "body-too-large")


def test_it_needs_a_key_where_there_are_keys(serve: Any, settings: Settings, check_problem: Callable[..., Any]) -> None:
    guarded = msgspec.structs.replace(settings, api_keys=f"desk:{KEY}", support_checker="lexical", key_rate=25)
    body = {"text": "It was shut for days.", "against": [{"text": HARBOUR}]}
    with serve(guarded) as client:
        check_problem(client.post("/api/check", json=body), "unauthenticated")
        headers = {"authorization": f"Bearer {KEY}"}
        assert report_of(client.post("/api/check", json=body, headers=headers)).summary.supported == 1
        assert client.post("/api/check", json=body, headers=headers).headers["ratelimit-remaining"] == "5"
        check_problem(client.post("/api/check", json=body, headers=headers), "rate-limited")


def test_it_is_counted_and_no_word_of_it_is_logged(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        text = "Canary birds number 4711-4711-4711 at the harbour. Who counts canaries?"
        report_of(client.post("/api/check", json={"text": text}))
    told = client.get("/metrics").text
    assert 'sourceline_http_requests_total{method="POST",route="/api/check",status="200"}' in told
    assert 'sourceline_checked_sentences_total{outcome="question"}' in told
    assert 'sourceline_http_request_seconds_count{method="POST",route="/api/check"}' in told
    assert "sourceline_checks_admitted 0.0" in told
    assert "4711-4711" not in told
    assert "anar" not in caplog.text


class Holding:
    """A checker of texts whose one job waits until it is let go; then no sentence was judged in time."""

    def __init__(self) -> None:
        self.begun, self.at_work, self.let_go = threading.Semaphore(0), threading.Event(), threading.Event()
        self.order: list[str] = []

    async def check(self, asked: Any, *, run: Any, seconds: float | None) -> CheckReport:
        assert (asked.text, seconds) == ("It sank.", 30.0)
        self.begun.release()
        await run(self.hold)
        raise TimeoutError

    def hold(self) -> None:
        began = time.monotonic()
        self.order.append("check")
        self.at_work.set()
        self.let_go.wait(60)
        while len(self.order) == 1 and time.monotonic() - began < 0.1:
            time.sleep(0.01)  # what takes less owes too little to give way to a question

    def question(self) -> None:
        if threading.current_thread().name == "encoding":
            self.order.append("question")


def test_a_few_are_let_in_and_questions_go_before_them(
    serve: Any, settings: Settings, saying: Any, check_problem: Callable[..., Any]
) -> None:
    holding: Any = Holding()

    def load(made: Settings) -> Parts:
        return msgspec.structs.replace(saying(holding.question)(made), checking=holding)

    with serve(settings, load=load) as client, ThreadPoolExecutor(9) as others:

        def send(route: str, body: Any) -> Any:
            return others.submit(httpx.post, f"{client.base_url}{route}", json=body, timeout=90)

        late = [send("/api/check", {"text": "It sank."}) for _ in range(8)]
        for _ in late:
            assert holding.begun.acquire(timeout=60)
        assert holding.at_work.wait(60)  # else the first one counts among those that wait
        check_problem(client.post("/api/check", json={"text": "It sank."}), "overloaded")
        asked = send("/api/search", {"question": "What sank?"})
        while "sourceline_encoding_waiting 8.0" not in client.get("/metrics").text:
            time.sleep(0.01)
        holding.let_go.set()
        assert asked.result().status_code == 200
        for one in late:
            check_problem(one.result(), "deadline-exceeded")
        assert "sourceline_checks_admitted 0.0" in client.get("/metrics").text
    assert holding.order == ["check", "question", *["check"] * 7]


def test_a_service_that_checks_nothing_says_so(
    serve: Any, settings: Settings, saying: Any, check_problem: Callable[..., Any]
) -> None:
    with serve(settings, load=saying(lambda: None)) as client:
        check_problem(client.post("/api/check", json={"text": "It sank."}), "unsupported-parameter")
