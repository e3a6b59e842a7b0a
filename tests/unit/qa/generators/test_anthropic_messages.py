"""The reader of Anthropic's messages: what it makes of any bytes, and where the markers of native citations come."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import GeneratorFailed
from qa.generators import Delta, Finish
from qa.generators.anthropic_messages import MessagesReader


def event(name: str, **fields: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name} | fields)}\n\n".encode()


def text(words: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": words})


def cite(index: Any) -> bytes:
    citation = {"type": "char_location", "cited_text": "x", "document_index": index}
    return event("content_block_delta", index=0, delta={"type": "citations_delta", "citation": citation})


def begin(**block: Any) -> bytes:
    return event("content_block_start", index=0, content_block={"type": "text", "text": ""} | block)


def ends(reason: str) -> bytes:
    return event("message_delta", delta={"stop_reason": reason}, usage={"output_tokens": 9})


PING = event("ping")
START = event("message_start", message={"usage": {"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 1}})
END_BLOCK = event("content_block_stop", index=0)
END = ends("end_turn") + event("message_stop")


def block(words: str, *cited: Any) -> bytes:
    return begin() + text(words) + b"".join(map(cite, cited)) + END_BLOCK


def read(*parts: bytes, label: str = "S") -> tuple[str, Finish]:
    reader = MessagesReader(label=label, max_bytes=100_000)
    pieces: list[Delta] = []
    for part in parts:
        pieces += reader.feed(part)
    rest, finish = reader.finish()
    return "".join(piece.text for piece in [*pieces, *rest]), finish


@pytest.mark.parametrize(
    ("body", "draft"),
    [
        (block("It sank.", 0) + block(" Nobody drowned.", 1), "It sank. [S1] Nobody drowned. [S2]"),
        (block("It sank", 2) + block(". Nobody drowned."), "It sank [S3]. Nobody drowned."),
        (block("It sank. ", 0) + block("Nobody drowned.\n\n", 1), "It sank. [S1] Nobody drowned. [S2]\n\n"),
        (begin() + cite(0) + text("It ") + text("sank.") + END_BLOCK, "It sank. [S1]"),
        (begin() + text("It ") + cite(1) + text("sank.") + cite(0) + cite(1) + END_BLOCK, "It sank. [S2] [S1]"),
        (begin(text="It sank.", citations=[{"document_index": 4}]) + END_BLOCK, "It sank. [S5]"),
        (block("It sank.", 77), "It sank. [S78]"),
        (block("It sank.", -1, None, 10**9), "It sank."),
        (block(" \n", 0) + block("It sank.", 1), " \nIt sank. [S2]"),
        (begin() + text("It sank.") + cite(0) + begin() + text(" All lived."), "It sank. [S1] All lived."),
    ],
)
def test_a_citation_is_a_marker_behind_its_block(body: bytes, draft: str) -> None:
    assert read(START + PING + body + END)[0] == draft


def test_without_documents_nothing_is_cited() -> None:
    assert read(START + block("It sank.", 0) + END, label="")[0] == "It sank."


def test_what_the_model_thinks_is_no_draft() -> None:
    thought = event("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""})
    thought += event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "Perhaps it floats."})
    assert read(START + thought + END_BLOCK + block("It sank.") + END)[0] == "It sank."


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("pause_turn", "stop"),
    ],
)
def test_how_it_ends(reason: str, told: str) -> None:
    _, finish = read(START + block("It sank.") + ends(reason))
    assert (finish.reason, finish.prompt_tokens, finish.completion_tokens) == (told, 10, 9)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("overloaded_error", "model_overloaded"),
        ("rate_limit_error", "model_rate_limited"),
        ("authentication_error", "model_unauthorised"),
        ("api_error", "model_failed"),
        ("", "model_failed"),
    ],
)
def test_an_error_in_the_stream_has_a_reason(kind: str, reason: str) -> None:
    with pytest.raises(GeneratorFailed) as caught:
        read(START + block("It sank.") + event("error", error={"type": kind, "message": "secret"}))
    assert caught.value.reason == reason
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "empty"),
        (START + block("It sank."), "cut"),
        (START + END, "wrote nothing"),
        (START + block("  \n", 0) + END, "wrote nothing"),
        (START + begin(type="tool_use") + END_BLOCK + ends("tool_use"), "tool"),
        (b'{"type": "message", "content": []}', "event stream"),
        (b"data: [DONE]\n\n", "JSON"),
        (START * 9 + text("x" * 100_000), "more than"),
    ],
)
def test_what_is_no_draft_says_why(body: bytes, message: str) -> None:
    with pytest.raises(GeneratorFailed, match=message):
        read(body)


def test_pings_are_no_progress() -> None:
    reader = MessagesReader(label="S", max_bytes=1000)
    reader.feed(START)
    begun = reader.events
    reader.feed(PING * 5)
    assert reader.events == begun
    reader.feed(begin())
    assert reader.events > begun


BODY = START + PING + block("Ωμέγα 港 😀.", 0) + block(" It sank – in 2024.\n", 1, 0) + END + text("too late")


@given(st.lists(st.integers(0, len(BODY)), max_size=8), st.booleans())
def test_pieces_part_anywhere(cuts: list[int], windows: bool) -> None:
    body = BODY.replace(b"\n", b"\r\n") if windows else BODY
    places = [0, *sorted(cuts), len(body)]
    parts = [body[start:end] for start, end in pairwise(places)]
    assert read(*parts)[0] == "Ωμέγα 港 😀. [S1] It sank – in 2024. [S2] [S1]\n"


@given(st.binary(max_size=300), st.sampled_from([b"", START, START + begin() + text("It"), b"data: {"]))
def test_no_bytes_raise_anything_but_generator_failed(noise: bytes, before: bytes) -> None:
    try:
        read(before, noise)
    except GeneratorFailed as error:
        assert error.reason == "model_failed"  # noqa: PT017 - whether it is raised is open
