"""OpenAI's own Python client, unmodified, against the real service: text, citations, usage, errors, streams."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import openai
import pytest

from qa.server.errors import DeadlineExceeded
from qa.settings import Settings
from qa.types import Answer, AnswerEvent, Citation, Claim, ClaimEvent, SearchResultsEvent, Usage

SURE = "When will the old bridge over the Tamar be repaired?"
UNSURE = "Who invented the telescope?"
ASK = [{"role": "user", "content": SURE}]


@pytest.fixture(scope="module")
def sdk(client: httpx.Client) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{client.base_url}/v1", api_key="any", max_retries=0, timeout=120) as found:
        yield found


@pytest.fixture(scope="module")
def native(client: httpx.Client) -> Any:
    """The same question over our own route."""
    return client.post("/api/ask", json={"question": SURE}).json()


def links(annotations: Any) -> list[Any]:
    """Annotations of either form, flat."""
    flat = [one.model_dump() if hasattr(one, "model_dump") else one for one in annotations]
    return [one.get("url_citation") or one for one in flat]


def check_links(client: httpx.Client, text: str, found: list[Any], native: Any) -> None:
    """Every link stands at its words of the answer, and opens its article at the words that are cited."""
    assert len(found) == len(native["citations"]) > 0
    for link, citation in zip(found, native["citations"], strict=True):
        assert text[link["start_index"] : link["end_index"]] == native["answer"][citation["start"] : citation["end"]]
        assert link["title"] == citation["title"]
        address, fragment = link["url"].split("#:~:text=")
        if citation["url"]:
            assert address == citation["url"]
        else:
            opened = client.get(address)
            assert opened.headers["content-type"] == "text/html; charset=utf-8"
            assert f"<mark>{html.escape(citation['cited_text'])}</mark>" in opened.text
            begin, _, end = fragment.partition(",")
            assert unquote(begin) in citation["cited_text"]
            assert unquote(end) in citation["cited_text"]


def test_models(sdk: openai.OpenAI) -> None:
    names = [model.id for model in sdk.models.list()]
    assert names == ["sourceline", "sourceline-links", "sourceline-extractive", "sourceline-extractive-links"]
    assert sdk.models.retrieve("sourceline-links").id == "sourceline-links"
    with pytest.raises(openai.NotFoundError, match="sourceline-links"):
        sdk.models.retrieve("gpt-9")


def test_chat(client: httpx.Client, sdk: openai.OpenAI, native: Any) -> None:
    reply: Any = sdk.chat.completions.create(model="sourceline", messages=ASK)
    (choice,) = reply.choices
    assert choice.finish_reason == "stop"
    assert choice.message.role == "assistant"
    assert choice.message.content == native["answer"]
    check_links(client, choice.message.content, links(choice.message.annotations), native)
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert reply.sourceline["answer_mode"] == native["answer_mode"]
    feedback = client.post(f"/api/answers/{reply.sourceline['id']}/feedback", json={"verdict": "up"})
    assert feedback.status_code == 200


def test_chat_stream(client: httpx.Client, sdk: openai.OpenAI, native: Any) -> None:
    stream = sdk.chat.completions.create(
        model="sourceline", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks: list[Any] = list(stream)
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    deltas = [chunk.choices[0].delta for chunk in chunks[:-1]]
    text = "".join(delta.content or "" for delta in deltas)
    assert text == native["answer"]
    found = [link for delta in deltas for link in links(getattr(delta, "annotations", None) or [])]
    check_links(client, text, found, native)
    assert [chunk.choices[0].finish_reason for chunk in chunks[-3:-1]] == [None, "stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens >= 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_chat_stream_helper(client: httpx.Client, sdk: openai.OpenAI, native: Any) -> None:
    """The SDK's own folding of a stream comes to the same."""
    with sdk.chat.completions.stream(model="sourceline", messages=ASK) as stream:
        message: Any = stream.get_final_completion().choices[0].message
    assert message.content == native["answer"]
    check_links(client, message.content, links(message.annotations), native)


def test_the_stream_as_it_goes_over_the_wire(client: httpx.Client) -> None:
    response = client.post("/v1/chat/completions", json={"model": "sourceline", "messages": ASK, "stream": True})
    assert response.headers["content-type"] == "text/event-stream"
    blocks = response.text.split("\n\n")
    assert blocks[-2:] == ["data: [DONE]", ""]
    assert all(block.startswith("data: {") for block in blocks[:-2])
    assert all("usage" not in json.loads(block[6:]) for block in blocks[:-2])


@pytest.mark.parametrize("put", [SURE, ASK, [{"role": "user", "content": [{"type": "input_text", "text": SURE}]}]])
def test_responses(client: httpx.Client, sdk: openai.OpenAI, native: Any, put: Any) -> None:
    reply: Any = sdk.responses.create(model="sourceline", input=put, instructions="Be brief.")
    assert reply.status == "completed"
    assert reply.output_text == native["answer"]
    (item,) = reply.output
    check_links(client, reply.output_text, links(item.content[0].annotations), native)
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens


def test_responses_stream(client: httpx.Client, sdk: openai.OpenAI, native: Any) -> None:
    with sdk.responses.stream(model="sourceline", input=SURE) as stream:
        events: list[Any] = list(stream)
        final: Any = stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == final.output_text == native["answer"]
    added = [event.annotation for event in events if event.type == "response.output_text.annotation.added"]
    check_links(client, text, links(added), native)
    check_links(client, text, links(final.output[0].content[0].annotations), native)
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]


def test_links_in_the_text(client: httpx.Client, sdk: openai.OpenAI, native: Any) -> None:
    message: Any = sdk.chat.completions.create(model="sourceline-links", messages=ASK).choices[0].message
    written = re.findall(r" \[(\d+)\]\((\S+)\)", message.content)
    assert written == [(str(n), link["url"]) for n, link in enumerate(links(message.annotations), start=1)]
    assert re.sub(r" \[\d+\]\(\S+\)", "", message.content) == native["answer"]
    check_links(client, message.content, links(message.annotations), native)


def test_an_abstention_is_a_message_that_says_so(client: httpx.Client, sdk: openai.OpenAI) -> None:
    said = client.post("/api/ask", json={"question": UNSURE}).json()
    assert said["answer_mode"] == "abstained"
    message = [{"role": "user", "content": UNSURE}]
    reply: Any = sdk.chat.completions.create(model="sourceline", messages=message)
    assert reply.choices[0].message.content == said["answer"]
    assert reply.choices[0].message.annotations == []
    assert reply.sourceline["abstain_reason"] == said["abstain_reason"]
    streamed: Any = list(sdk.chat.completions.create(model="sourceline", messages=message, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == said["answer"]
    assert sdk.responses.create(model="sourceline", input=UNSURE).output_text == said["answer"]


def test_what_means_nothing_here_is_let_pass(sdk: openai.OpenAI, native: Any) -> None:
    reply = sdk.chat.completions.create(
        model="sourceline",
        messages=[{"role": "system", "content": "You are a pirate."}, *ASK],
        temperature=0.7,
        max_tokens=5,
        tools=[{"type": "function", "function": {"name": "search", "parameters": {}}}],
        tool_choice="none",
        n=1,
        response_format={"type": "text"},
        user="someone",
        seed=7,
        extra_body={"chat_id": "x", "num_ctx": 4096},
    )
    assert reply.choices[0].message.content == native["answer"]
    assert reply.choices[0].message.tool_calls is None


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"n": 2}, "n"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"tools": [{"type": "function", "function": {"name": "search"}}], "tool_choice": "required"}, "tools"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_had_is_refused(sdk: openai.OpenAI, options: Any, field: str, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError, match=f"{field}: ") as caught:
        sdk.chat.completions.create(model="sourceline", messages=ASK, stream=stream, **options)
    assert (caught.value.param, caught.value.code) == (field, "unsupported_parameter")
    with pytest.raises(openai.BadRequestError, match=r"text\.format: "):
        sdk.responses.create(model="sourceline", input=SURE, text={"format": {"type": "json_object"}}, stream=stream)


def test_another_makers_model(sdk: openai.OpenAI, native: Any) -> None:
    reply: Any = sdk.chat.completions.create(model="gpt-4o", messages=ASK)
    assert reply.choices[0].message.content == native["answer"]
    assert "'gpt-4o'" in reply.sourceline["note"]
    assert "'gpt-4o'" in sdk.responses.create(model="gpt-4o", input=SURE).sourceline["note"]  # type: ignore[attr-defined]
    chunks: list[Any] = list(sdk.chat.completions.create(model="gpt-4o", messages=ASK, stream=True))
    assert "'gpt-4o'" in chunks[-1].sourceline["note"]
    ours: Any = sdk.chat.completions.create(model="sourceline", messages=ASK)
    assert ours.sourceline["note"] is None


def test_usage_counts_tokens_without_a_model(sdk: openai.OpenAI, native: Any) -> None:
    said = [{"role": "system", "content": "You are a pirate."}, *ASK]
    usage = sdk.chat.completions.create(model="sourceline", messages=said).usage
    assert usage.prompt_tokens > len(SURE.split())
    assert len(native["answer"].split()) < usage.completion_tokens < 2 * len(native["answer"].split())
    options = {"include_usage": True}
    *_, last = sdk.chat.completions.create(model="sourceline", messages=said, stream=True, stream_options=options)
    assert last.usage == usage
    assert sdk.responses.create(model="sourceline", input=SURE).usage.output_tokens == usage.completion_tokens


def test_what_is_not_served_says_what_to_use(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="POST /v1/chat/completions"):
        sdk.completions.create(model="sourceline", prompt=SURE)
    with pytest.raises(openai.NotFoundError, match="POST /api/search"):
        sdk.embeddings.create(model="sourceline", input=SURE)


def test_a_byte_order_mark_is_no_part_of_a_question(client: httpx.Client) -> None:
    headers = {"content-type": "application/json"}
    for path, body in (
        ("/api/ask", {"question": SURE}),
        ("/api/search", {"question": SURE}),
        ("/v1/chat/completions", {"model": "sourceline", "messages": ASK}),
        ("/v1/responses", {"model": "sourceline", "input": SURE}),
    ):
        marked = client.post(path, content=b"\xef\xbb\xbf" + json.dumps(body).encode(), headers=headers)
        assert marked.status_code == 200, (path, marked.text)
    twice = client.post(
        "/api/ask", content=b"\xef\xbb\xbf" * 2 + json.dumps({"question": SURE}).encode(), headers=headers
    )
    assert twice.status_code == 400


class Citing:
    """An answerer with three sentences, two citations each."""

    async def events(self, question: Any, *, run: Any, history: Any = ()) -> Any:
        del question, run, history
        sentences = ("The harbour reopened on Monday.", "It was shut for days.", "About 4,200 people work there.")
        claims, citations, at = [], [], 0
        for number, text in enumerate(sentences):
            ids = (f"c{2 * number}", f"c{2 * number + 1}")
            new = tuple(cited(name, at, at + len(text)) for name in ids)
            claim = Claim(
                text=text, start=at, end=at + len(text), verdict="supported", support_score=1.0, citation_ids=ids
            )
            claims.append(claim)
            citations += new
            at += len(text) + 1
            yield ClaimEvent(claim=claim, citations=new)
        yield AnswerEvent(answer=answer_of(" ".join(sentences), tuple(claims), tuple(citations)))

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def cited(name: str, start: int, end: int) -> Citation:
    return Citation(
        id=name,
        start=start,
        end=end,
        article_id="harbour",
        article_version="v",
        title=f"Title of {name}",
        source="Wire",
        url=f"https://example.org/{name}",
        published_at=None,
        cited_text="cited words",
        start_char_index=0,
        end_char_index=11,
    )


def answer_of(text: str, claims: tuple[Claim, ...], citations: tuple[Citation, ...]) -> Answer:
    return Answer(
        id="a",
        conversation_id=None,
        question="",
        resolved_query="",
        as_of="",
        answer=text,
        answer_mode="extractive",
        fallback_reason=None,
        abstain_reason=None,
        short_answer=None,
        claims=claims,
        citations=citations,
        conflicts=(),
        search_results=(),
        support_score=1.0,
        usage=Usage(),
        timings_ms={},
    )


def test_both_streaming_helpers_put_many_citations_together(serve: Any, tmp_path: Path) -> None:
    """The client adds the chunks' lists up by `index`; without it, it fails at the second sentence."""
    from embeddings.encoders import load
    from qa.server.parts import Parts

    parts: Any = Citing()
    settings = Settings(data_dir=tmp_path, encoder="hashing", reader="words")
    with (
        serve(settings, load=lambda _: Parts(corpus=parts, encoder=load("hashing"), answering=parts)) as client,
        openai.OpenAI(base_url=f"{client.base_url}/v1", api_key="x", max_retries=0) as sdk,
    ):
        whole: Any = sdk.chat.completions.create(model="sourceline", messages=ASK).choices[0].message
        wanted = links(whole.annotations)
        assert [link["title"] for link in wanted] == [f"Title of c{number}" for number in range(6)]
        with sdk.chat.completions.stream(model="sourceline", messages=ASK) as stream:
            events: list[Any] = list(stream)
            message: Any = stream.get_final_completion().choices[0].message
        assert message.content == whole.content
        assert links(message.annotations) == wanted
        assert events[-1].type == "content.done"
        with sdk.responses.stream(model="sourceline", input=SURE) as streamed:
            final: Any = streamed.get_final_response()
        assert [(one.title, one.url) for one in final.output[0].content[0].annotations] == [
            (link["title"], link["url"]) for link in wanted
        ]


def test_narrowing_the_question(sdk: openai.OpenAI) -> None:
    narrowed = {"sourceline": {"filters": {"source": ["Velda Post"]}, "max_citations": 1}}
    reply: Any = sdk.chat.completions.create(model="sourceline", messages=ASK, extra_body=narrowed)
    urls = [link["url"] for link in links(reply.choices[0].message.annotations)]
    assert all(url.startswith("https://example.org/harbour#") for url in urls)


@pytest.mark.parametrize("wanted", ["title", "tags", "follow_ups", "queries"])
def test_what_clients_ask_for_themselves_is_not_looked_up(sdk: openai.OpenAI, wanted: str) -> None:
    prompt = f"""### Task:
Generate something for this chat.
### Output:
JSON format: {{ "{wanted}": "your answer" }}
### Chat History:
<chat_history>
USER: {SURE}
ASSISTANT: This autumn.
</chat_history>"""
    reply: Any = sdk.chat.completions.create(model="sourceline", messages=[{"role": "user", "content": prompt * 20}])
    said = json.loads(reply.choices[0].message.content)
    assert said == {wanted: "When will the old bridge over the Tamar be repaired?" if wanted == "title" else []}
    assert reply.sourceline is None
    streamed: Any = sdk.chat.completions.create(
        model="sourceline", messages=[{"role": "user", "content": prompt}], stream=True
    )
    assert json.loads("".join(chunk.choices[0].delta.content or "" for chunk in streamed)) == said


class Failing:
    """An answerer that fails, at once or after its first event."""

    def __init__(self, *, late: bool) -> None:
        self.late = late
        self.asked: list[Any] = []

    async def events(self, question: Any, *, run: Any, history: Any = ()) -> Any:
        del run
        self.asked.append((question.question, history))
        if self.late:
            yield SearchResultsEvent(
                id="a", conversation_id=None, question="", resolved_query="", as_of="", search_results=()
            )
        raise DeadlineExceeded("not in time")

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


@pytest.fixture(params=[False, True], ids=["at once", "late"])
def failing(request: pytest.FixtureRequest, serve: Any, tmp_path: Path) -> Iterator[tuple[Any, Failing]]:
    from embeddings.encoders import load
    from qa.server.parts import Parts

    parts: Any = Failing(late=request.param)
    settings = Settings(data_dir=tmp_path, encoder="hashing", reader="words")
    with (
        serve(settings, load=lambda _: Parts(corpus=parts, encoder=load("hashing"), answering=parts)) as client,
        openai.OpenAI(base_url=f"{client.base_url}/v1", api_key="x", max_retries=0) as sdk,
    ):
        yield sdk, parts


def test_errors_reach_the_client_as_its_own(failing: tuple[Any, Failing]) -> None:
    sdk, parts = failing
    with pytest.raises(openai.APIStatusError, match="not in time") as caught:
        sdk.chat.completions.create(model="sourceline", messages=ASK)
    assert (caught.value.status_code, caught.value.code) == (504, "deadline_exceeded")
    kind = openai.APIError if parts.late else openai.APIStatusError
    with pytest.raises(kind, match="not in time"):
        list(sdk.chat.completions.create(model="sourceline", messages=ASK, stream=True))
    if not parts.late:
        with pytest.raises(openai.APIStatusError, match="not in time"):
            sdk.responses.create(model="sourceline", input=SURE, stream=True)
        return
    events: list[Any] = list(sdk.responses.create(model="sourceline", input=SURE, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[-1].type, events[-1].code, events[-1].message) == ("error", "deadline_exceeded", "not in time")


def test_earlier_messages_are_the_conversation(failing: tuple[Any, Failing]) -> None:
    sdk, parts = failing
    said = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Who runs the harbour?"},
        {"role": "assistant", "content": "Ines Marlow. [1](https://example.org/harbour#:~:text=x)"},
        {"role": "user", "content": [{"type": "text", "text": "Since when?"}]},
    ]
    for create in (
        lambda: sdk.chat.completions.create(model="sourceline", messages=said),
        lambda: sdk.responses.create(model="sourceline", input=said),
    ):
        with pytest.raises(openai.APIStatusError):
            create()
        question, history = parts.asked.pop()
        assert question == "Since when?"
        assert [(turn.question, turn.answer) for turn in history] == [("Who runs the harbour?", "Ines Marlow.")]


def test_the_answer_decodes_as_ours(native: Any) -> None:
    """What the tests above compare with is a real answer with a citation."""
    import msgspec

    answer = msgspec.convert(native, Answer)
    assert answer.answer_mode == "extractive"
    assert answer.citations
