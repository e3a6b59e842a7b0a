"""What can be evaluated: servers scripted on a loopback socket, and the corpus that hides articles."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from embeddings.corpus import Corpus
from embeddings.encoders import HashingEncoder
from embeddings.types import Article, Where, article_version
from qa.evaluation import Example, ForeignCitation, RunRefused, TargetFailed
from qa.evaluation.targets import Asking, kept
from qa.evaluation.targets.in_process import WithholdingCorpus, shown_settings
from qa.evaluation.targets.over_http import JsonClient, Native, OpenAICompatible
from qa.settings import Settings

Reply = tuple[int, dict[str, str], bytes]


class Scripted(BaseHTTPRequestHandler):
    """Answers by the script, one reply a request; keeps what was asked."""

    script: ClassVar[list[Reply]]
    over: ClassVar[threading.Event]
    """Set when the test has ended: a reply marked `x-never` waits for it."""
    asked: ClassVar[list[tuple[str, Any, str | None]]]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.asked.append((self.path, json.loads(body) if body else None, self.headers.get("authorization")))
        status, headers, content = self.script.pop(0)
        if headers.pop("x-never", ""):
            self.over.wait()
            return
        self.send_response(status)
        for name, value in {"content-length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quietly."""


@pytest.fixture
def scripted() -> Iterator[tuple[str, type[Scripted]]]:
    """Base URL of a server, and the script to fill."""
    handler = type("Handler", (Scripted,), {"script": [], "asked": [], "over": threading.Event()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        handler.over.set()
        server.shutdown()


def completion(text: str | None, *annotations: object) -> Reply:
    message = {"role": "assistant", "content": text, "annotations": annotations or None}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return 200, {}, json.dumps({"model": "m-1", "choices": [choice]}).encode()


def openai(url: str, **choices: Any) -> OpenAICompatible:
    return OpenAICompatible(f"{url}/v1", model="m", seed=7, timeout=choices.pop("timeout", 60.0), **choices)


class TestOpenAI:
    def test_text_and_annotations_are_taken(self, scripted: tuple[str, type[Scripted]]) -> None:
        url, server = scripted
        link = {"url": "https://example.com/a", "title": "A", "start_index": 0, "end_index": 8}
        server.script.append(
            completion("Ida Renn.", {"type": "url_citation", "url_citation": link}, {"type": "file_citation"})
        )
        reply = asyncio.run(openai(url, token="k").ask(Example(id="1", question="Who?")))
        assert reply.foreign is not None
        assert (reply.foreign.text, reply.foreign.model, reply.foreign.finish_reason) == ("Ida Renn.", "m-1", "stop")
        assert reply.foreign.citations == (ForeignCitation(url="https://example.com/a", title="A", start=0, end=8),)
        assert reply.latency_ms > 0
        ((path, body, authorization),) = server.asked
        assert (path, authorization) == ("/v1/chat/completions", "Bearer k")
        assert (body["model"], body["seed"], body["temperature"]) == ("m", 7, 0.0)
        assert body["messages"] == [{"role": "user", "content": "Who?"}]

    def test_a_conversation_is_asked_turn_by_turn(self, scripted: tuple[str, type[Scripted]]) -> None:
        url, server = scripted
        server.script += [completion("In Kelmar."), completion("Ida Renn.")]
        example = Example(id="1", question="Who is mayor there?", conversation=("Where is the port?",))
        asyncio.run(openai(url).ask(example))
        roles = [(turn["role"], turn["content"]) for turn in server.asked[1][1]["messages"]]
        assert roles == [("user", "Where is the port?"), ("assistant", "In Kelmar."), ("user", "Who is mayor there?")]

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            ((401, {}, b"no"), "refused"),
            ((500, {}, b"oh"), "broken"),
            ((200, {}, b"<html>"), "broken"),
            ((200, {}, b'{"choices": []}'), "broken"),
            ((200, {"x-never": "1"}, b"{}"), "timed_out"),
        ],
    )
    def test_what_goes_wrong_is_the_record_of_one_question(
        self, scripted: tuple[str, type[Scripted]], reply: Reply, kind: str
    ) -> None:
        url, server = scripted
        server.script.append(reply)
        seconds = 0.3 if kind == "timed_out" else 60.0
        with pytest.raises(TargetFailed) as caught:
            asyncio.run(openai(url, timeout=seconds).ask(Example(id="1", question="Who?")))
        assert caught.value.failure.kind == kind

    def test_no_server(self) -> None:
        with pytest.raises(TargetFailed) as caught:
            asyncio.run(openai("http://127.0.0.1:1").facts())
        assert caught.value.failure.kind == "unreachable"

    def test_it_cannot_hide_articles(self) -> None:
        example = Example(id="1", question="Who?", withheld_article_ids=("a",))
        for target in (openai("http://127.0.0.1:1"), Native("http://127.0.0.1:1", asking=Asking(), timeout=1)):
            with pytest.raises(TargetFailed, match="in-process"):
                asyncio.run(target.ask(example))


class TestClient:
    def test_a_busy_service_is_asked_again_at_its_pace_and_not_for_ever(
        self, scripted: tuple[str, type[Scripted]]
    ) -> None:
        url, server = scripted
        server.script += [(503, {"retry-after": "0"}, b""), (429, {"retry-after": "0"}, b""), (200, {}, b"{}")]
        assert asyncio.run(JsonClient(url, timeout=60).post("/x", b"{}")).body == b"{}"
        server.script += [(503, {"retry-after": "0"}, b"full")] * 9
        with pytest.raises(TargetFailed, match="HTTP 503: full"):
            asyncio.run(JsonClient(url, timeout=60).get("/x"))
        assert len(server.asked) == 3 + 4

    @pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://127.0.0.1", "http://"])
    def test_what_is_no_address_is_refused_before_anything_is_asked(self, url: str) -> None:
        with pytest.raises(RunRefused, match="no address"):
            JsonClient(url, timeout=1)


def test_a_manifest_tells_no_secret_and_no_place() -> None:
    settings = Settings(llm_api_key="sk-secret", llm_base_url="http://me:pw@127.0.0.1:9/v1?key=2", llm_model="m")
    shown = shown_settings(settings)
    assert shown["llm_base_url"] == "http://127.0.0.1:9/v1"
    assert shown["llm_model"] == "m"
    assert not {"data_dir", "llm_api_key", "host"} & shown.keys()
    assert not any(secret in " ".join(shown.values()) for secret in ("sk-secret", "pw", "key=2"))


def test_a_key_that_may_not_list_articles_may_still_ask(scripted: tuple[str, type[Scripted]]) -> None:
    url, server = scripted
    server.script += [(200, {}, b'{"articles": 7, "passages": 20}'), (403, {}, b"{}")]
    facts = asyncio.run(Native(url, asking=Asking(), timeout=60, token="t").facts())
    assert facts.corpus == {"articles": "7", "passages": "20"}


@pytest.mark.parametrize("hidden", [(), ("a1",), ("a0", "a3", "a4"), ("no-such",)])
def test_a_withheld_article_might_as_well_not_be_there(tmp_path: Path, hidden: tuple[str, ...]) -> None:
    """The dense list of the corpus that hides articles, against that of a corpus that never held them."""
    texts = [f"The harbour number {number} of Velda reopened in month {number}." for number in range(6)]
    articles = [
        Article(id=f"a{number}", version=article_version(text), title="", text=text)
        for number, text in enumerate(texts)
    ]
    encoder, asked = HashingEncoder(), "When did harbour number 3 reopen?"
    vector = encoder.encode_query(asked)

    def dense(corpus: Corpus) -> list[str]:
        hits = corpus.search(vector, asked, k=3, where=Where())
        stored = corpus.passages([hit.key for hit in (*hits.dense, *hits.lexical)])
        assert not {stored[hit.key].passage.article_id for hit in hits.lexical} & set(hidden)
        return [stored[hit.key].passage.id for hit in hits.dense]

    rest = [article for article in articles if article.id not in hidden]
    with kept(articles, encoder, tmp_path / "all") as whole, kept(rest, encoder, tmp_path / "rest") as smaller:
        hiding = WithholdingCorpus(whole, hidden)
        assert dense(hiding) == dense(smaller)
        assert [article.id for article in hiding.scan(where=Where(), after=None, limit=9)] == [a.id for a in rest]
        assert all(hiding.get(name) is None for name in hidden)
