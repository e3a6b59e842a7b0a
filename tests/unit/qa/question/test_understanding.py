"""What a question is understood as, alone and in its conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from qa.conversations.follow_ups import Resolved, resolved
from qa.errors import InvalidQuestion
from qa.executor import Run, at_once
from qa.question.understanding import Understood, checked, understand
from qa.question.wordings import Correction, Spelled
from qa.types import Question, Turn

NOW = datetime(2025, 9, 17, 12, tzinfo=UTC)


async def by_rules(question: str, /, *, history: Sequence[Turn], by_model: bool, run: Run) -> Resolved:
    del by_model, run
    return resolved(question, history)


def read(question: str, *, asked: str = "", answered: str = "It was built in 1961.") -> Understood:
    before = Turn(
        question=asked,
        resolved_query=asked,
        answer=answered,
        answer_mode="extractive",
        as_of="2025-09-16T00:00:00Z",
        article_ids=("a7",),
    )
    history = [before] if asked else []
    return asyncio.run(understand(Question(question=question), now=NOW, history=history, resolve=by_rules, run=at_once))


def test_a_question_with_a_time_can_be_read_without_it() -> None:
    found = read("What did the mayor open in March?")
    assert (found.resolved_query, found.to_read) == ("What did the mayor open in March?",) * 2
    assert found.undated == "What did the mayor open?"
    assert found.period is not None
    assert (found.period.words, found.period.start.month) == ("in March", 3)
    assert read("Who is the mayor?").undated == "Who is the mayor?"


def test_the_latest_on_a_topic_is_looked_up_by_the_topic() -> None:
    found = read("What is the latest on the Lunde dam?")
    assert (found.intent.kind, found.lookup) == ("latest", "the Lunde dam")
    assert found.resolved_query == "What is the latest on the Lunde dam?"


def test_wide_letters_are_the_plain_ones() -> None:
    found = checked(Question(question="Who lives in　Ｖｅｌｄａ？"), now=NOW)
    assert found.resolved_query == found.lookup == "Who lives in Velda?"
    assert checked(Question(question="½ of what™ burned？"), now=NOW).resolved_query == "½ of what™ burned?"


def test_a_follow_up_stays_with_the_articles_of_the_last_answer() -> None:
    found = read("What about the roof?", asked="Who built the Osprey Bridge?")
    assert found.resolved_query == "What about the roof?"
    assert found.stays_with == ("a7",)
    assert "Osprey Bridge" in found.lookup
    assert read("How many people live in Derna?", asked="Who built the Osprey Bridge?").stays_with == ()


def test_a_follow_up_carries_the_time_of_the_last_question() -> None:
    found = read("And how many were hurt?", asked="How many people fled Velda last May?")
    assert found.period is not None
    assert (found.period.start.isoformat()[:7], found.period.words) == ("2025-05", "last May")
    named = read("And in June?", asked="How many people fled Velda last May?")
    assert named.period is not None
    assert named.period.start.month == 6
    now = read("Who is its mayor now?", asked="How many people fled Velda last May?")
    assert now.period is None
    alone = read("How many people live in Derna?", asked="How many people fled Velda last May?")
    assert alone.period is None


def test_what_is_misspelled_is_corrected_and_shown() -> None:
    correction = Correction("Veldda", "Velda")

    def spell(question: str) -> Spelled:
        changed = question.replace(correction.written, correction.read)
        return Spelled(query=changed, corrections=(correction,) if changed != question else ())

    asked = Question(question="Who was the mayor of Veldda in May?")
    found = asyncio.run(understand(asked, now=NOW, history=(), resolve=by_rules, run=at_once, spell=spell))
    assert found.resolved_query == found.to_read == found.lookup == "Who was the mayor of Velda in May?"
    assert found.undated == "Who was the mayor of Velda?"
    assert found.corrections == (correction,)
    plain = Question(question=asked.question, as_written=True)
    taken = asyncio.run(understand(plain, now=NOW, history=(), resolve=by_rules, run=at_once, spell=spell))
    assert taken.resolved_query == asked.question


@pytest.mark.parametrize("question", ["?", " … ", "？！"])
def test_a_question_needs_words(question: str) -> None:
    with pytest.raises(InvalidQuestion):
        read(question)
