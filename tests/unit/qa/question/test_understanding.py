"""What a question is understood as, alone and in its conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import pytest

from embeddings.runtime import Run, at_once
from qa.conversations.follow_ups import Resolved, resolved
from qa.errors import InvalidQuestion
from qa.question.understanding import (
    Correction,
    Spelled,
    Understood,
    asked_well,
    checked,
    corrected,
    in_their_words,
    understand,
    with_numbers,
)
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


KNOWN = frozenset("which horse was sold where water runs burned harbour minister after storm people".split())
NEAR = {
    "Kelmer": ("Kelmar",),
    "Vace": ("vacate", "Vance"),
    "Crod": ("crowd",),
    "infaltion": ("Inflation", "inflation"),
    "velda": (),
    "INFALTION": ("inflation",),
    "Strommen": ("Stroman",),
    "hausse": ("house",),
    "welche": ("welch",),
    "brannte": ("branty",),
    "gestern": ("western",),
}


@pytest.mark.parametrize(
    ("question", "text", "met"),
    [
        ("Did 12 towns vote?", "Twelve towns voted.", "Did Twelve towns vote?"),
        ("Did twelve towns vote?", "Some 12 towns voted.", "Did 12 towns vote?"),
        ("Who spent 2.5 million crowns?", "It spent 2,500,000 crowns.", "Who spent 2,500,000 crowns?"),
        ("Did 12 towns vote?", "12 towns voted, twelve mayors said.", "Did 12 towns vote?"),
        ("Did 12 towns vote?", "The twelfth town voted.", "Did 12 towns vote?"),
        ("Did 12 towns vote?", "Two towns voted, or 312.", "Did 12 towns vote?"),
        ("Who came fifth?", "The 5th was a girl.", "Who came 5th?"),
    ],
)
def test_numbers_meet(question: str, text: str, met: str) -> None:
    assert in_their_words(question, [text]) == met


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Which 3 towns?", "Which 3 towns? three"),
        ("Which seventy-five towns?", "Which seventy-five towns? 75"),
        ("Which 2,500 towns?", "Which 2,500 towns?"),
        ("How much is 3.5 percent?", "How much is 3.5 percent?"),
        ("Who came third?", "Who came third?"),
        pytest.param(f"Was {400 * '9'} sold?", f"Was {400 * '9'} sold?", id="beyond all numbers"),
    ],
)
def test_numbers_are_looked_up_both_ways(question: str, text: str) -> None:
    assert with_numbers(question) == text


def near(words: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    return {word: NEAR[word] for word in words if word in NEAR}


def is_word(word: str) -> bool:
    return word.casefold() in KNOWN


@pytest.mark.parametrize(
    ("question", "query"),
    [
        ("Who runs Kelmer Water?", "Who runs Kelmar Water?"),
        ("How high is infaltion?", "How high is inflation?"),
        ("What did Vace say?", "What did Vance say?"),
        ("What did vace say?", "What did vace say?"),
        ("Who is Crod?", "Who is Crod?"),
        ("Infaltion?", "Infaltion?"),
        ("HOW HIGH IS INFALTION?", "HOW HIGH IS INFLATION?"),
        ("Which horse was sold?", "Which horse was sold?"),
        ("What is Kelmer's water?", "What is Kelmar's water?"),
        ("Where is velda?", "Where is velda?"),
        ("welche hausse brannte gestern?", "welche hausse brannte gestern?"),
    ],
)
def test_corrections(question: str, query: str) -> None:
    assert corrected(question, spellings=near, is_word=is_word).query == query


def test_where_the_first_words_are_misspelled_many_unknown_words_are_corrected() -> None:
    question = "When did Kelmer deny infaltion near Velda?"
    unknown = {**NEAR, "deny": (), "Velda": ()}
    assert corrected(question, spellings=lambda _: unknown, is_word=is_word).query == question
    read = corrected(question, spellings=lambda _: unknown, is_word=is_word, hasty=True)
    assert read.query == "When did Kelmar deny inflation near Velda?"


def test_what_was_corrected_is_told() -> None:
    found = corrected("Is Kelmer hit by infaltion?", spellings=near, is_word=is_word)
    assert found.corrections == (Correction("Kelmer", "Kelmar"), Correction("infaltion", "inflation"))
    assert corrected("Who won?", spellings=near, is_word=is_word).corrections == ()


def test_a_corpus_is_not_asked_about_words_that_are_known() -> None:
    def unwanted(words: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        raise AssertionError(words)

    assert corrected("Which horse was sold on Wednesday?", spellings=unwanted, is_word=is_word).corrections == ()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("wen did the Osprey sink", "when did the Osprey sink"),
        ("Were is the Osprey now?", "Where is the Osprey now?"),
        ("wat time does it sail", "what time does it sail"),
        ("Hwo many men were on it?", "How many men were on it?"),
        ("hwo steered it", "who steered it"),
        ("hwy was it late", "why was it late"),
        ("Wich harbour was it in?", "Which harbour was it in?"),
        ("When dose the Osprey sail?", "When does the Osprey sail?"),
        ("Were the sailors paid?", "Were the sailors paid?"),
        ("Wen Li steered it?", "Wen Li steered it?"),
        ("Wat is de hoofdstad van Orrin?", "Wat is de hoofdstad van Orrin?"),
        ("Does dose matter?", "Does dose matter?"),
        ("The Osprey sank where?", "The Osprey sank where?"),
    ],
)
def test_misspelled_words_of_asking(written: str, read: str) -> None:
    found = asked_well(written)
    assert found.query == read
    assert bool(found.corrections) == (written != read)
    shown = asyncio.run(
        understand(Question(question=written), now=NOW, history=[], resolve=by_rules, run=at_once, spell=asked_well)
    )
    assert (shown.resolved_query, shown.corrections) == (read, found.corrections)
