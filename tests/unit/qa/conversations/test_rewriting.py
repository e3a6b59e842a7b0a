"""Follow-ups written out by a model: taken where it keeps to what was said, by rules in every other case."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from qa.conversations.rewriting import FollowUps
from qa.executor import at_once
from qa.generators.generator import Message
from qa.generators.scripted import Fail, Say, ScriptedGenerator, Step, Wait
from qa.types import Turn

TURN = Turn(
    question="Who is the master of the Saint Orlane?",
    resolved_query="Who is the master of the Saint Orlane?",
    answer="The ship's master, Tobias Renn, 58, was tested.",
    answer_mode="extractive",
    as_of="2024-06-21T00:00:00Z",
)
BY_RULES = "How old is Tobias Renn?"


class NoArticles:
    def get(self, article_id: str) -> None:
        raise AssertionError(article_id)


def resolved(
    generator: ScriptedGenerator | None,
    question: str = "How old is he?",
    *,
    seconds: float = 120.0,
    by_model: bool = True,
) -> str:
    corpus: Any = NoArticles()
    follow_ups = FollowUps(corpus, generator=generator, seconds=seconds)
    return asyncio.run(follow_ups(question, history=[TURN], by_model=by_model, run=at_once)).query


def test_the_models_words_are_taken_where_they_add_nothing() -> None:
    shown: list[Sequence[Message]] = []

    def script(messages: Sequence[Message]) -> Sequence[Step]:
        shown.append(messages)
        return [Say("How old is the master of the Saint Orlane, Tobias Renn?\n", size=3)]

    assert resolved(ScriptedGenerator(script)) == "How old is the master of the Saint Orlane, Tobias Renn?"
    (messages,) = shown
    assert "Tobias Renn, 58" in messages[-1].content
    assert "How old is he?" in messages[-1].content


@pytest.mark.parametrize(
    "script",
    [
        [Say("How old is Captain Ahab?")],
        [Say("How old was Tobias Renn in 1997?")],
        [Say("Tobias Renn is 58.")],
        [Say("Sure! Here it is:\nHow old is Tobias Renn?")],
        [Say("")],
        [Say("How old is he? " * 200)],
        [Fail("model_unreachable")],
        [Say("How old"), Fail("model_failed")],
    ],
    ids=["name", "number", "answer", "chatter", "nothing", "endless", "down", "cut"],
)
def test_rules_answer_where_the_model_does_not(script: Sequence[Step]) -> None:
    assert resolved(ScriptedGenerator(script)) == BY_RULES


def test_a_slow_model_is_not_waited_for() -> None:
    began = time.monotonic()
    assert resolved(ScriptedGenerator([Wait(3600.0), Say("How old is Tobias Renn?")]), seconds=0.1) == BY_RULES
    assert time.monotonic() - began < 120.0


def unwanted(_: Sequence[Message]) -> Sequence[Step]:
    raise AssertionError("nobody asked for this")


def test_a_model_is_not_asked_where_that_is_not_wanted() -> None:
    assert resolved(ScriptedGenerator(unwanted), by_model=False) == BY_RULES


def test_what_stands_alone_is_not_shown_to_the_model() -> None:
    question = "How many people live in Derna?"
    assert resolved(ScriptedGenerator(unwanted), question) == question


def test_without_a_model_rules_do_it() -> None:
    assert resolved(None) == BY_RULES
