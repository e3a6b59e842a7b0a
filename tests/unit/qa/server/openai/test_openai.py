"""The translation into OpenAI's format: text that stays text, offsets that stay right, links that open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import NotFound
from qa.generation.prompt import count_tokens
from qa.server.errors import InvalidRequest, Unsupported
from qa.server.openai import CitedText, Piece, Tokens, address_of, fold, inert, pieces, text_fragment, tokens_of
from qa.server.openai.requests import (
    ChatRequest,
    InputItem,
    ResponsesRequest,
    answer_task,
    asked_in_chat,
    asked_in_responses,
)
from qa.types import Answer, AnswerEvent, Citation, Claim, ClaimEvent, Usage


def citation(number: int, start: int, end: int, **more: Any) -> Citation:
    values: dict[str, Any] = {
        "article_id": "a b/1",
        "article_version": "v1",
        "title": "Title",
        "source": "Wire",
        "url": None,
        "published_at": None,
        "cited_text": "cited words",
        "start_char_index": 0,
        "end_char_index": 11,
    } | more
    return Citation(id=f"c{number}", start=start, end=end, **values)


def made(sentences: list[str], *, gap: str = " ", cites: dict[int, tuple[str, ...]] | None = None) -> list[Any]:
    """The events of an answer, each sentence with a citation of its own unless said."""
    events: list[Any] = []
    claims, citations, at = [], [], 0
    for number, text in enumerate(sentences, start=1):
        ids = (cites or {}).get(number, (f"c{number}",))
        new = [citation(number, at, at + len(text))] if f"c{number}" in ids else []
        claim = Claim(text=text, start=at, end=at + len(text), verdict="supported", support_score=1, citation_ids=ids)
        events.append(ClaimEvent(claim=claim, citations=tuple(new)))
        claims.append(claim)
        citations += new
        at += len(text) + len(gap)
    answer = Answer(
        id="a",
        conversation_id=None,
        question="",
        resolved_query="",
        as_of="",
        answer=gap.join(sentences),
        answer_mode="generated",
        fallback_reason=None,
        abstain_reason=None,
        short_answer=None,
        claims=tuple(claims),
        citations=tuple(citations),
        conflicts=(),
        search_results=(),
        support_score=1,
        usage=Usage(),
        timings_ms={},
    )
    return [*events, AnswerEvent(answer=answer)]


async def sent(events: list[Any]) -> AsyncGenerator[Any, None]:
    for event in events:
        yield event


def written(events: list[Any], *, in_text: bool = False) -> Any:
    text = CitedText(address=lambda one: f"https://e.org/({one.id})", in_text=in_text)
    return asyncio.run(fold(pieces(sent(events), text)))


SENTENCES = st.lists(
    st.text(st.sampled_from("ab 港😀[](<!x>):/\\"), min_size=1, max_size=20).map(lambda text: f"x{text}x"), min_size=1
)


@given(SENTENCES, st.sampled_from([" ", "\n\n"]), st.booleans())
def test_links_stand_at_their_sentences_whatever_these_are(sentences: list[str], gap: str, in_text: bool) -> None:
    piece = written(made(sentences, gap=gap), in_text=in_text)
    assert [piece.text[link.start : link.end] for link in piece.links] == [inert(text)[0] for text in sentences]
    plain = piece.text
    for number in range(len(sentences), 0, -1):
        plain = plain.replace(f" [{number}](https://e.org/%28c{number}%29)", "") if in_text else plain
    assert plain == gap.join(inert(text)[0] for text in sentences)


@given(st.text(st.sampled_from("ab 港[](<!x>):/\\\n"), max_size=60))
def test_nothing_of_an_article_becomes_markup(text: str) -> None:
    plain, moved = inert(text)
    assert not any(pair in plain for pair in ("](", "][", "]:", "<x", "<a", "<!", "</"))
    assert plain.replace(" ", "") == text.replace(" ", "")
    for place, letter in enumerate(text):
        assert plain[moved(place + 1) - 1] == letter


def test_a_source_cited_again_keeps_its_number() -> None:
    piece = written(made(["One.", "Two.", "Three."], cites={3: ("c1", "c2")}), in_text=True)
    one, two = " [1](https://e.org/%28c1%29)", " [2](https://e.org/%28c2%29)"
    assert piece.text == f"One.{one} Two.{two} Three.{one}{two}"
    assert len(piece.links) == 2


@pytest.mark.parametrize("in_text", [False, True])
def test_a_sentence_that_is_not_supported_says_so(in_text: bool) -> None:
    """Clients of OpenAI see no verdicts, and QA_LENIENT promises that such sentences are marked."""
    import msgspec

    events = made(["One 😀.", "Two.", "Three."], cites={2: ()})
    doubted = msgspec.structs.replace(events[1].claim, verdict="unsupported")
    events[1] = ClaimEvent(claim=doubted, citations=())
    piece = written(events, in_text=in_text)
    assert "Two. (not supported by the sources)" in piece.text
    assert piece.text.count("(not supported by the sources)") == 1
    assert [piece.text[link.start : link.end] for link in piece.links] == ["One 😀.", "Three."]


def test_an_answer_without_claims_is_its_text() -> None:
    (last,) = made([])
    import msgspec

    answer = msgspec.structs.replace(last.answer, answer="Nothing <b>here</b>.")
    assert written([AnswerEvent(answer=answer)]).text == "Nothing < b>here< /b>."


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://e.org/a", "https://e.org/a#:~:text=cited%20words"),
        ("https://e.org/a#top", "https://e.org/a#top:~:text=cited%20words"),
        (None, "http://here:8000/articles/a%20b/1?version=v1&start=0&end=11#:~:text=cited%20words"),
        ("javascript:alert(1)", "http://here:8000/articles/a%20b/1?version=v1&start=0&end=11#:~:text=cited%20words"),
        ("data:text/html,x", "http://here:8000/articles/a%20b/1?version=v1&start=0&end=11#:~:text=cited%20words"),
    ],
)
def test_where_a_citation_leads(url: str | None, expected: str) -> None:
    assert address_of(citation(1, 0, 1, url=url), base_url="http://here:8000/") == expected


@given(st.text(min_size=1))
def test_a_fragment_holds_nothing_that_means_something_in_it(words: str) -> None:
    fragment = text_fragment(words).removeprefix(":~:text=")
    assert fragment.count(",") <= 1
    assert not set(fragment) & set("-&#()<> \n\"'")


def chat(*messages: tuple[str, Any], model: str = "sourceline") -> ChatRequest:
    return ChatRequest(model=model, messages=[InputItem(role=role, content=content) for role, content in messages])


def test_the_last_question_and_what_went_before() -> None:
    asked = asked_in_chat(
        chat(
            ("user", "One?"), ("user", "Two?"), ("assistant", "Two."), ("tool", "x"), ("user", "3?"), ("assistant", "T")
        )
    )
    assert asked.question.question == "3?"
    assert [(turn.question, turn.answer) for turn in asked.turns] == [("One?", ""), ("Two?", "Two.")]


def test_only_the_last_turns_are_heeded_and_long_ones_cut() -> None:
    said = [(role, f"{role} {n} " + "x" * 3000) for n in range(20) for role in ("user", "assistant")]
    asked = asked_in_chat(chat(*said, ("user", "And now?")))
    assert [turn.question[:8] for turn in asked.turns] == [f"user {n} "[:8] for n in range(14, 20)]
    assert all(len(turn.question) == 2000 for turn in asked.turns)


@pytest.mark.parametrize(
    "messages", [(("system", "x"),), (("user", ""),), (("user", None),), (("user", []),), (("user", "x" * 2001),)]
)
def test_without_a_usable_question(messages: Any) -> None:
    with pytest.raises(InvalidRequest):
        asked_in_chat(chat(*messages))


@pytest.mark.parametrize(
    ("model", "mode", "links"),
    [("sourceline", "auto", False), ("sourceline-links", "auto", True), ("sourceline-extractive", "extractive", False)],
)
def test_the_name_of_the_model_says_how_to_answer(model: str, mode: str, links: bool) -> None:
    asked = asked_in_chat(chat(("user", "Who?"), model=model))
    assert (asked.question.mode, asked.way.links) == (mode, links)


@pytest.mark.parametrize("model", ["", "gpt-4o", "x" * 5000])
def test_another_makers_model_is_answered_for_with_a_note(model: str) -> None:
    asked = asked_in_chat(chat(("user", "Who?"), model=model))
    assert (asked.question.mode, asked.way.links) == ("auto", False)
    assert asked.way.note is not None
    assert repr(model[:100]) in asked.way.note
    assert len(asked.way.note) < 300
    assert asked_in_chat(chat(("user", "Who?"), model="sourceline")).way.note is None


@pytest.mark.parametrize("model", ["sourceline ", "sourceline-link", "sourceline" + "x" * 5000])
def test_no_other_model_of_ours(model: str) -> None:
    with pytest.raises(NotFound) as caught:
        asked_in_chat(chat(("user", "Who?"), model=model))
    assert len(str(caught.value)) < 300


def test_a_title_is_short_and_never_empty() -> None:
    history = "<chat_history>\nUSER: " + "word " * 50 + "\nASSISTANT: USER: no\n</chat_history>"
    title = '### Task: {"title": "x"}'
    assert answer_task(title + history) == '{"title":"' + "word " * 10 + "word…" + '"}'
    assert answer_task(title) == '{"title":"News"}'
    assert answer_task("### Task: anything") == "{}"


TOOL = {"type": "function", "function": {"name": "search", "parameters": {}}}
CHAT = {"model": "sourceline", "messages": [{"role": "user", "content": "Who?"}]}
INPUT = {"model": "sourceline", "input": "Who?"}


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"n": 2}, ["n"]),
        ({"n": 0}, ["n"]),
        ({"response_format": {"type": "json_object"}}, ["response_format"]),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}}, ["response_format"]),
        ({"tools": [TOOL]}, ["tools"]),
        ({"tools": [TOOL], "tool_choice": "auto"}, ["tools"]),
        ({"tools": [TOOL], "tool_choice": "required"}, ["tools", "tool_choice"]),
        ({"tool_choice": {"type": "function", "function": {"name": "search"}}}, ["tool_choice"]),
        ({"functions": [{"name": "search"}], "function_call": {"name": "search"}}, ["functions", "function_call"]),
        ({"logprobs": True}, ["logprobs"]),
        ({"logprobs": True, "top_logprobs": 3}, ["logprobs", "top_logprobs"]),
        ({"modalities": ["text", "audio"], "n": 3}, ["n", "modalities"]),
    ],
)
def test_what_a_chat_cannot_have_is_named(options: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(Unsupported) as caught:
        asked_in_chat(msgspec.convert(CHAT | options, ChatRequest))
    assert [one.field for one in caught.value.errors] == fields
    assert all(f"{field}: " in str(caught.value) for field in fields)


@pytest.mark.parametrize(
    "options",
    [
        {"n": 1, "response_format": {"type": "text"}, "tools": [], "logprobs": False, "modalities": ["text"]},
        {"n": None, "response_format": None, "tools": None, "tool_choice": None},
        {"tools": [TOOL], "tool_choice": "none"},
        {"tool_choice": "auto"},
    ],
)
def test_what_asks_for_nothing_special_passes(options: dict[str, Any]) -> None:
    assert asked_in_chat(msgspec.convert(CHAT | options, ChatRequest)).question.question == "Who?"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"text": {"format": {"type": "json_schema", "name": "a", "schema": {}}}}, "text.format"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice"),
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"top_logprobs": 2}, "top_logprobs"),
    ],
)
def test_what_a_response_cannot_have_is_named(options: dict[str, Any], field: str) -> None:
    with pytest.raises(Unsupported) as caught:
        asked_in_responses(msgspec.convert(INPUT | options, ResponsesRequest))
    assert [one.field for one in caught.value.errors] == [field]


def test_tokens_are_the_models_own_or_counted() -> None:
    (*_, end) = made(["The bridge will be repaired this autumn."])
    counted = tokens_of(Piece(text=end.answer.answer, answer=end.answer), put="When will it be repaired?")
    assert counted == Tokens(read=count_tokens("When will it be repaired?"), written=count_tokens(end.answer.answer))
    assert counted.written > counted.read > 3
    model = msgspec.structs.replace(end.answer, usage=Usage(prompt_tokens=900, completion_tokens=70))
    assert tokens_of(Piece(text=model.answer, answer=model), put="When?") == Tokens(read=900, written=70)
    assert tokens_of(Piece(text=""), put="") == Tokens(read=0, written=0)
