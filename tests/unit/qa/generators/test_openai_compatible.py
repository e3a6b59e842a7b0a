"""The reader of chat completions: what it makes of any bytes, however they are cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import GeneratorFailed
from qa.generators import Delta, Finish
from qa.generators.openai_compatible import ChatReader


def event(text: str | None = None, **more: Any) -> bytes:
    choice = {"delta": {"content": text}, "finish_reason": None} | more
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
STOP = event(finish_reason="stop")


def read_or_fail(*parts: bytes) -> tuple[str, str]:
    """The text and no reason, or a reason and no text."""
    try:
        return read(*parts)[0], ""
    except GeneratorFailed as error:
        return "", error.reason


def read(*parts: bytes) -> tuple[str, Finish]:
    reader = ChatReader(max_bytes=100_000)
    pieces: list[Delta] = []
    for part in parts:
        pieces += reader.feed(part)
    rest, finish = reader.finish()
    return "".join(piece.text for piece in [*pieces, *rest]), finish


@given(st.data())
def test_pieces_part_anywhere(data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=5, unique=True))
    body = b"".join(map(event, texts)) + STOP + DONE
    if data.draw(st.booleans()):
        body = body.replace(b"\n", b"\r\n")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    parts = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    if not "".join(texts).strip():
        with pytest.raises(GeneratorFailed, match="wrote nothing"):
            read(*parts)
    else:
        assert read(*parts) == ("".join(texts), Finish(reason="stop"))


@given(st.binary(max_size=300), st.sampled_from([b"", event("The harbour"), b'{"choices":[{"message":{"content":"']))
def test_no_bytes_raise_anything_but_generator_failed(noise: bytes, before: bytes) -> None:
    text, reason = read_or_fail(before, noise)
    assert reason == ("" if text else "model_failed")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["choices", "delta", "content"]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_no_json_does_either(value: Any) -> None:
    body = b"data: " + json.dumps(value).encode() + b"\n\n"
    text, reason = read_or_fail(body, DONE)
    assert reason == ("" if text.strip() else "model_failed")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (event("Yes.") + DONE, "stop"),
        (event("Yes.") + STOP, "stop"),
        (event("Yes.", finish_reason="stop"), "stop"),
        (event("Yes.") + event(finish_reason="eos"), "stop"),
        (event("Yes.") + event(finish_reason="tool_calls"), "stop"),
        (event("Yes.") + event(finish_reason="length"), "length"),
        (event(finish_reason="content_filter"), "content_filter"),
        (event("Yes.", delta={"content": "Yes.", "refusal": "No."}) + DONE, "content_filter"),
        (event("Yes.", delta={"content": [{"type": "text", "text": "Yes."}]}) + DONE, "stop"),
        (b"\xef\xbb\xbf: hello\n\nevent: message\nid: 1\nretry: 5\n" + event("Yes.") + DONE, "stop"),
        (b'data: {"choices": []}\n\n' + event("Yes.") + DONE, "stop"),
        (b'data: {"choices": null, "usage": {"prompt_tokens": 1}}\n\n' + event("Yes.") + DONE, "stop"),
        (event("Yes.") + STOP + event("Ignored.") + DONE + b"<html>", "stop"),
        (b'{"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}', "stop"),
        (b'\n {"choices": [{"message": {"content": "Yes."}}], "error": null}', "stop"),
        (b"data: " + event("Yes.")[6:].rstrip().replace(b', "', b',\ndata: "') + b"\n\n" + DONE, "stop"),
    ],
)
def test_what_servers_leave_out_or_put_in(body: bytes, reason: str) -> None:
    text, finish = read(body)
    assert finish.reason == reason
    assert text == ("" if b"Yes" not in body else "Yes.")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "the answer is empty"),
        (b"\r\n \n", "the answer is empty"),
        (b"<html>\n", "no event stream"),
        (event("Yes."), "cut before its end"),
        (event("Yes.") + b"data: {", "not the JSON"),
        (event("Yes.") + b"data: [1]\n\n" + DONE, "not the JSON"),
        (event("Yes.") + b"data: {}\n\n" + DONE, "neither choices nor usage"),
        (DONE, "wrote nothing"),
        (event(" \n") + DONE, "wrote nothing"),
        (event(delta={"tool_calls": [{"id": "x"}]}, finish_reason="tool_calls") + DONE, "called a tool"),
        (b'data: {"error": {"message": "secret", "code": "oom"}}\n\n', r"reports an error \(oom\)"),
        (b'error: {"message": "secret", "code": 500}\n\n', r"reports an error \(500\)"),
        (b'{"error": "secret"}', "reports an error$"),
        (event("Yes.") + event(finish_reason="error"), "gave up"),
        (b'{"choices": [{"message": {"content": "Yes', "not the JSON"),
        (event("\ud800") + DONE, "not the JSON"),
        (event("a") * 2 + event("b") * 2 + event("c") * 2 + event("d") * 2, "twice"),
        (event("Yes.") * 2 + STOP * 2 + DONE, "twice"),
        (event("x" * 200_000), "far more"),
        (b"data: " + b"[" * 50_000, "not the JSON"),
    ],
)
def test_what_is_no_draft(body: bytes, complaint: str) -> None:
    with pytest.raises(GeneratorFailed, match=complaint) as caught:
        read(body)
    assert "secret" not in str(caught.value)


def test_words_that_come_twice_are_not_events_that_do() -> None:
    parts = [event(text) for text in ("the ", "harbour", " no", " no", " no", " no", ".", ".", ".")]
    assert read(*parts, STOP, DONE)[0] == "the harbour no no no no..."
    assert read(event(" no"), event(" no"), event(" no"), event(" no"), DONE)[0] == " no no no no"


def test_the_count_of_tokens() -> None:
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": -3}}\n\n'
    finish = read(event("Yes."), STOP, usage, DONE)[1]
    assert (finish.prompt_tokens, finish.completion_tokens) == (12, 0)
