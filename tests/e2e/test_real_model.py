"""A real instruct model behind the service (`make test-llm`): whatever it writes, what is shown is exact."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

import seeds
from qa.types import Answer, Citation
from seeds import SeedQuestion

pytestmark = [pytest.mark.llm, pytest.mark.timeout(3600)]

FOLDER = os.environ.get("LLM_FOLDER", "")
SECONDS = 600
"""A busy machine may need minutes for what takes an idle one twenty seconds."""
ANSWERABLE, UNANSWERABLE = 4, 1


@contextmanager
def running(command: list[str], *, says: str, **variables: str) -> Iterator[str]:
    """A process, once it has printed a line that begins with `says`; gives the rest of the line."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = next((line for line in process.stdout if line.startswith(says)), "")
        assert line, f"{command} ended with {process.wait(10)}"
        yield line.removeprefix(says).strip()
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def service(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The service with the sample articles, and the model behind it, each in a process of its own."""
    assert FOLDER, "LLM_FOLDER is not set: run this with `make test-llm`"
    data = {
        "QA_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "QA_DEADLINE_SECONDS": str(SECONDS),
        # Reading the prompt is what takes its time.
        "QA_LLM_CONTEXT_TOKENS": os.environ.get("LLM_CONTEXT_TOKENS", "2048"),
    }
    ingest = [sys.executable, "-m", "qa", "ingest", str(repo / "seeds" / "articles")]
    subprocess.run(ingest, env={**os.environ, **data}, check=True, capture_output=True)
    threads = os.environ.get("LLM_THREADS", "2")  # fewer than there are idle cores, or each waits for the others
    model = [sys.executable, str(repo / "scripts" / "serve_llm.py"), FOLDER, threads]
    serve = [sys.executable, "-m", "qa", "serve", "--port", "0"]
    with (
        running(model, says="serving at ") as address,
        running(serve, says="Sourceline is ready at ", QA_LLM_BASE_URL=address, **data) as ours,
        httpx.Client(base_url=ours, timeout=SECONDS + 10) as client,
    ):
        yield client


def questions() -> list[SeedQuestion]:
    """Sample questions, spread over all of them."""
    answerable = [one for one in seeds.questions() if one.answerable]
    others = [one for one in seeds.questions() if not one.answerable]
    return answerable[:: len(answerable) // ANSWERABLE][:ANSWERABLE] + others[:UNANSWERABLE]


def check(client: httpx.Client, answer: Answer) -> None:
    cited = {citation.id for citation in answer.citations}
    for claim in answer.claims:
        assert answer.answer[claim.start : claim.end] == claim.text
        assert claim.verdict == "supported"
        assert claim.citation_ids
        assert set(claim.citation_ids) <= cited
    for citation in answer.citations:
        assert_exact(client, citation)
    assert answer.answer_mode == "abstained" or answer.claims


def assert_exact(client: httpx.Client, citation: Citation) -> None:
    address = f"/api/articles/{citation.article_id}?version={citation.article_version}"
    text = client.get(address).json()["text"]
    assert text[citation.start_char_index : citation.end_char_index] == citation.cited_text


def test_sample_questions(service: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    """Every citation exact, every sentence supported; and some of it the model did write."""
    answers: list[Answer] = []
    for question in questions():
        body = {"question": question.question, "mode": "generated", "as_of": question.as_of}
        answer = msgspec.json.decode(service.post("/api/ask", json=body).raise_for_status().content, type=Answer)
        check(service, answer)
        answers.append(answer)
        with capsys.disabled():
            told = {name: answer.timings_ms.get(name) for name in ("first_token", "first_claim", "total")}
            said = f"\n{question.question}\n  {answer.answer_mode} {answer.fallback_reason} {told}\n  {answer.answer}\n"
            sys.stdout.write(said)
            sys.stdout.flush()
    assert "generated" in [answer.answer_mode for answer in answers[:ANSWERABLE]]
    assert all(answer.generation is not None and answer.generation.model for answer in answers)


def test_a_streamed_answer(service: httpx.Client) -> None:
    """A sentence is on its way before the whole answer is, and the whole is what was sent."""
    body = {"question": questions()[0].question, "stream": True}
    names, claims, answer = [], [], None
    with service.stream("POST", "/api/ask", json=body) as response:
        for line in response.iter_lines():
            if line.startswith("event: "):
                names.append(line[7:])
            elif line.startswith("data: ") and names[-1] == "claim":
                claims.append(json.loads(line[6:])["claim"])
            elif line.startswith("data: ") and names[-1] == "answer":
                answer = msgspec.json.decode(line[6:], type=Answer)
    assert answer is not None
    assert names == ["search_results", *["claim"] * len(claims), "answer"]
    assert json.loads(msgspec.json.encode(answer.claims)) == claims
    check(service, answer)


def test_openai_clients_get_the_same(service: httpx.Client) -> None:
    import openai

    with openai.OpenAI(base_url=f"{service.base_url}/v1", api_key="any", max_retries=0, timeout=SECONDS + 10) as sdk:
        chat: Any = sdk.chat.completions.create(
            model="sourceline", messages=[{"role": "user", "content": questions()[0].question}]
        )
    message = chat.choices[0].message
    assert message.content
    assert all("#:~:text=" in one.url_citation.url for one in message.annotations)
    if chat.sourceline["answer_mode"] == "generated":
        assert chat.usage.prompt_tokens > 100
        assert chat.usage.completion_tokens > 0


def test_leaving_frees_the_model(service: httpx.Client) -> None:
    """A reader who leaves in mid-draft does not keep the model from the next one."""
    body = {"question": questions()[1].question}
    for _ in range(3):
        with pytest.raises(httpx.ReadTimeout):
            service.post("/api/ask", json=body, timeout=1.5)
    begun = time.monotonic()
    answer = msgspec.json.decode(service.post("/api/ask", json=body).content, type=Answer)
    check(service, answer)
    assert answer.fallback_reason != "model_overloaded"
    assert time.monotonic() - begun < SECONDS
