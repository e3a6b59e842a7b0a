"""OpenAI's own Python client, unmodified, against the real service: text, citations, usage, errors, streams."""

from __future__ import annotations

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
from qa.types import Answer, SearchResultsEvent

SURE = "When will the old bridge over the Tamar be repaired?"
UNSURE = "Who invented the telescope?"
ASK = [{"role": "user", "content": SURE}]


@pytest.fixture(scope="module")
def sdk(client: httpx.Client) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{client.base_url}/v1", api_key="any", max_retries=0, timeout=30) as found:
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
            article = client.get(address).json()
            assert (article["id"], article["version"]) == (citation["article_id"], citation["article_version"])
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
        user="someone",
        seed=7,
        extra_body={"chat_id": "x", "num_ctx": 4096},
    )
    assert reply.choices[0].message.content == native["answer"]
    assert reply.choices[0].message.tool_calls is None


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
    from qa.server.service import Parts

    parts: Any = Failing(late=request.param)
    settings = Settings(data_dir=tmp_path, encoder="hashing")
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
