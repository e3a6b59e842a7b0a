"""Follow-ups become questions that stand alone, by rules or by a model."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

import seeds
from embeddings.runtime import at_once
from qa.conversations.follow_ups import FollowUps, adds_facts, may_depend, resolve, resolved
from qa.generators import Fail, Message, Say, ScriptedGenerator, Step, Wait
from qa.language.question_words import names, topics
from qa.types import Turn

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[3] / "integration" / "follow_ups.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
TurnOf = Callable[..., Turn]
TURN = Turn(
    question="Who is the master of the Saint Orlane?",
    resolved_query="Who is the master of the Saint Orlane?",
    answer="The ship's master, Tobias Renn, 58, was tested.",
    answer_mode="extractive",
    as_of="2024-06-21T00:00:00Z",
)
BY_RULES = "How old is Tobias Renn?"


@pytest.fixture(scope="session")
def turn() -> TurnOf:
    def build(asked: str, answered: str = "", *, resolved: str = "", short: str | None = None) -> Turn:
        return Turn(
            question=asked,
            resolved_query=resolved or asked,
            answer=answered or "The articles do not answer this question.",
            answer_mode="extractive" if answered else "abstained",
            as_of="2024-06-21T00:00:00Z",
            short_answer=short,
        )

    return build


@pytest.mark.parametrize(
    ("asked", "answered", "question", "resolved"),
    [
        ("How many people live in Derna?", "", "What about Tobruk?", "How many people live in Tobruk?"),
        ("How many people live in Derna?", "", "And Tobruk?", "How many people live in Tobruk?"),
        ("Who is the mayor of Orrin?", "", "And of Velda?", "Who is the mayor of Velda?"),
        ("How full was Lake Torsby in May?", "", "And in June?", "How full was Lake Torsby in June?"),
        ("Who won the Veldany Cup?", "", "What about 1988?", "Who won the Veldany Cup in 1988?"),
        ("How long will the Osprey Bridge be closed?", "", "Why?", "Why will the Osprey Bridge be closed?"),
        ("Was the Osprey Bridge closed?", "", "When?", "When was the Osprey Bridge closed?"),
        ("When was the Osprey Bridge built?", "", "Who built it?", "Who built the Osprey Bridge?"),
        ("When was the Osprey Bridge built?", "", "What is its length?", "What is the Osprey Bridge's length?"),
        ("How far is Ain Sarha from Rahba?", "", "How many people live there?", None),
        ("What was found in Ain Sarha?", "", "Who lives there?", "Who lives in Ain Sarha?"),
        ("Who leads Skerra Line?", "Leopold Faye, 51, leads it.", "How old is he?", "How old is Leopold Faye?"),
        ("Who leads Skerra Line?", "Leopold Faye, 51, leads it.", "Who is his wife?", "Who is Leopold Faye's wife?"),
        ("What did Oda Lindqvist say?", "", "When did she say that?", "When did Oda Lindqvist say that?"),
        ("Did the mayor resign?", "", "When did he resign?", "When did the mayor resign?"),
        ("How big is the fire in the Corrin Hills?", "", "And how many died?", None),
        ("When was the Osprey Bridge built?", "", "And who paid?", "the Osprey Bridge: who paid?"),
        ("Where was the Veldany Cup 57 played?", "", "Who won it?", "Who won the Veldany Cup 57?"),
        ("What is Skerra Line's profit?", "", "And Kelmar's?", "What is Kelmar's profit?"),
    ],
)
def test_what_a_follow_up_becomes(turn: TurnOf, asked: str, answered: str, question: str, resolved: str | None) -> None:
    found = resolve(question, [turn(asked, answered)])
    if resolved is None:
        assert found != question
        assert any(name.text in found for name in names(asked))
    else:
        assert found == resolved


@pytest.mark.parametrize(
    ("asked", "answered", "question", "shown"),
    [
        ("Who is the mayor of Velda?", "Oda Lindqvist is.", "What about the deputy mayor?",
         "Who is the deputy mayor of Velda?"),
        ("Who was named finance minister of Kelmar?", "Oda Lindqvist was.", "And the prime minister?",
         "Who was named prime minister of Kelmar?"),
        ("How many homes burned in March?", "340 did.", "And last year?", "How many homes burned last year?"),
        ("How many homes burned in March?", "340 did.", "What about this week?", "How many homes burned this week?"),
        ("How many people were rescued from the ferry?", "340 were.", "When?",
         "When were people rescued from the ferry?"),
        ("How much money did the club raise?", "Five crowns.", "When?", "When did the club raise money?"),
        ("How far is the dam from Velda?", "It is 3 km away.", "Why?", "How far is the dam from Velda – why?"),
        ("What is the capital of Peru?", "Lima is.", "Since when?", "What is the capital of Peru – since when?"),
        ("Who is the first Kelmarian dancer to win?", "Kelmarian dancer Oda Lindqvist won.", "How old is she?",
         "How old is Oda Lindqvist?"),
    ],
)  # fmt: skip
def test_a_sound_rewriting(turn: TurnOf, asked: str, answered: str, question: str, shown: str) -> None:
    found = resolved(question, [turn(asked, answered)])
    assert (found.query, found.lookup, found.follows) == (shown, shown, True)


def test_a_circumstance_is_asked_of_whom_the_answer_named(turn: TurnOf) -> None:
    """Not "Who was fined in Orrin – how much?"."""
    fined = turn("Who was fined in Orrin?", "Oda Lindqvist was, for feeding gulls.", short="Oda Lindqvist")
    assert resolved("How much?", [fined]).query == "How much was Oda Lindqvist fined in Orrin?"
    assert resolved("Since when?", [fined]).query == "Since when was Oda Lindqvist fined in Orrin?"
    several = turn("Who was fined in Orrin?", "Two men were.", short="Two men")
    assert resolved("Why?", [several]).query == "Who was fined in Orrin – why?"


@pytest.mark.parametrize(
    ("asked", "answered", "short", "question", "holds"),
    [
        ("What happened to the ferry?", "A ferry ran aground.", None, "When did it happen?", ["the ferry"]),
        ("Who won the runoff in Kelmar?", "Emil Roszak won.", "Emil Roszak", "What about the vice president?",
         ["vice president", "Kelmar", "Emil Roszak"]),
        ("Who leads Skerra Line?", "Leopold Faye leads it. He took over in May.", "Leopold Faye", "How old is she?",
         ["Skerra Line"]),
        ("What did the fire destroy?", "It destroyed a mill.", "a mill", "How old is she?", ["the fire", "a mill"]),
        ("How big is the roof of the stadium?", "Two hectares.", None, "What about the lawn?", ["stadium"]),
    ],
)  # fmt: skip
def test_where_no_rewriting_is_sound_the_question_is_shown_as_asked(
    turn: TurnOf, asked: str, answered: str, short: str | None, question: str, holds: list[str]
) -> None:
    before = msgspec.structs.replace(turn(asked, answered, short=short), article_ids=("a7",))
    found = resolved(question, [before])
    assert found.query == question
    assert found.article_ids == ("a7",)
    assert found.follows
    assert found.lookup.startswith(question)
    assert all(words in found.lookup for words in holds)


def test_a_question_that_stands_alone_stays_with_no_article(turn: TurnOf) -> None:
    before = msgspec.structs.replace(turn("When was the Osprey Bridge built?", "In 1961."), article_ids=("a7",))
    found = resolved("How many people live in Derna?", [before])
    assert (found.article_ids, found.follows, found.lookup) == ((), False, "How many people live in Derna?")


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Peru?",
        "Is it true that nobody died in the Corrin Hills fire?",
        "How long does it take to get to the island?",
        "What time is it in Peru?",
        "What did Desmond Achterberg say when he was led away?",
        "Which airline announced it would cut its flights?",
        "Is there a bridge across the Lunde?",
        "What happened in Teshkol this week?",
        "Microsoft retired its browser. What year did it debut?",
        "من هو رئيس جمهورية قصران؟",
    ],
)
def test_what_stands_alone_is_left_alone(turn: TurnOf, question: str) -> None:
    assert resolve(question, [turn("When was the Osprey Bridge built?", "It was built in 1961.")]) == question


def test_without_earlier_turns_nothing_changes() -> None:
    assert resolve("Who is he?", []) == "Who is he?"


def test_she_is_who_she_was_in_the_question_before(turn: TurnOf) -> None:
    first = turn("Who won?", "Oda Lindqvist won.", short="Oda Lindqvist")
    asked = "Whom did she beat?"
    beat = turn(asked, "She beat Ida Renn.", resolved="Whom did Oda Lindqvist beat?", short="Ida Renn")
    lost = turn(asked, "Per Renn lost, he says.", resolved="Whom did Oda Lindqvist beat?", short="Per Renn")
    assert resolve("How old is she?", [first, beat]) == "How old is Oda Lindqvist?"
    assert resolve("How old is he?", [first, lost]) == "How old is Per Renn?"


def test_a_topic_carries_over_several_turns(turn: TurnOf) -> None:
    first = turn("When was the Osprey Bridge built?", "It was built in 1961.")
    second = turn("And who paid?", "The state paid.", resolved=resolve("And who paid?", [first]))
    assert resolve("How long is it?", [first, second]) == "How long is the Osprey Bridge?"
    third = turn("Why?", resolved=resolve("Why?", [first, second]))
    assert "Osprey Bridge" in third.resolved_query


def test_questions_about_the_cited_article_get_its_topic(turn: TurnOf) -> None:
    before = [turn("What sentence did Desmond Achterberg receive?", "He was sentenced to seven years in prison.")]
    article = "The trial lasted 47 days. Prices fell."
    assert resolve("How long did the trial last?", before, background=article).startswith("Desmond Achterberg: ")
    assert resolve("How long did the strike last?", before, background=article) == "How long did the strike last?"


def test_the_labelled_follow_ups(turn: TurnOf) -> None:
    """The answers here are the articles' own; `bench_follow_ups.py` asks the real ones, with their articles."""
    asked = [case for case in CASES if case["kind"] != "self_contained"]
    found = [resolve(case["question"], [turn(case["asked"], case["answered"])]) for case in asked]
    right = [
        all(words.casefold() in text.casefold() for words in case["holds"])
        for case, text in zip(asked, found, strict=True)
    ]
    assert len(asked) >= 50
    assert sum(right) >= math.floor(0.7 * len(asked)), [
        text for text, good in zip(found, right, strict=True) if not good
    ]


def test_the_labelled_questions_that_stand_alone(turn: TurnOf) -> None:
    before = [turn("When was the Osprey Bridge built?", "It was built in 1961.")]
    alone = [case["question"] for case in CASES if case["kind"] == "self_contained"]
    alone += [question.question for question in seeds.questions()]
    touched = [question for question in alone if resolve(question, before) != question]
    assert len(alone) > 150
    assert len(touched) <= 2, touched


@pytest.mark.parametrize(
    ("rewritten", "bad"),
    [
        ("How old is Tobias Renn?", False),
        ("How old is the master of the ferry?", False),
        ("How old is Captain Ahab?", True),
        ("How old is Tobias Renn, 61?", True),
        ("Who paid?", True),
        ("Tobias Renn is 58 years old.", True),
    ],
)
def test_a_rewritten_question_may_only_say_what_was_said(turn: TurnOf, rewritten: str, bad: bool) -> None:
    before = [turn("Who is the master of the ferry?", "The ship's master, Tobias Renn, 58, was tested.")]
    assert adds_facts(rewritten, "How old is he?", before) is bad


def test_which_questions_are_shown_to_a_model() -> None:
    assert may_depend("Who is his lawyer?")
    assert may_depend("Why?")
    assert not may_depend("How many people live in Derna?")


def test_names_and_topics() -> None:
    found = names("Judge Amara Fielding met Dr Okoye of the US Navy on Monday.")
    assert [name.text for name in found] == ["Judge Amara Fielding", "Dr Okoye", "US Navy"]
    assert topics("When will the newly found comet be nearest to us?") == ["the newly found comet"]
    assert topics("When did the Saint Orlane run aground?") == ["the Saint Orlane"]


@pytest.mark.parametrize("words", ["in May ", "the of ", "their which what ", "it that ", "John Smith ", "A", ". "])
def test_a_very_long_question_costs_little(turn: TurnOf, words: str) -> None:
    """Nobody can keep the service busy with one question: a bound on the work, not on the wording."""
    question = (words * 2000)[:2000]
    turns = [turn("How many does the mill of Velda employ?", "The mill of Velda employs 35 people.")]
    begun = time.process_time()
    assert resolve(question, turns) == question
    assert time.process_time() - begun < 0.1
    begun = time.process_time()
    resolve(question[:400], turns)
    assert time.process_time() - begun < 1.0


class NoArticles:
    def get(self, article_id: str) -> None:
        raise AssertionError(article_id)


def rewritten(
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

    assert rewritten(ScriptedGenerator(script)) == "How old is the master of the Saint Orlane, Tobias Renn?"
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
    assert rewritten(ScriptedGenerator(script)) == BY_RULES


def test_a_slow_model_is_not_waited_for() -> None:
    began = time.monotonic()
    assert rewritten(ScriptedGenerator([Wait(3600.0), Say("How old is Tobias Renn?")]), seconds=0.1) == BY_RULES
    assert time.monotonic() - began < 120.0


def unwanted(_: Sequence[Message]) -> Sequence[Step]:
    raise AssertionError("nobody asked for this")


def test_a_model_is_not_asked_where_that_is_not_wanted() -> None:
    assert rewritten(ScriptedGenerator(unwanted), by_model=False) == BY_RULES


def test_what_stands_alone_is_not_shown_to_the_model() -> None:
    question = "How many people live in Derna?"
    assert rewritten(ScriptedGenerator(unwanted), question) == question


def test_without_a_model_rules_do_it() -> None:
    assert rewritten(None) == BY_RULES
