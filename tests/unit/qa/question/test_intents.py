"""What kind of question it is: small talk is no question, and whoever wants the latest names a topic."""

from __future__ import annotations

import time

import pytest

from qa.question.intents import intent_of, parts_of


@pytest.mark.parametrize(
    "words",
    ["Thanks!", "thank you so much", "Hello", "hi there", "Hey, how are you?", "ok great, thanks for the help", "Bye",
     "Good evening!", "Who are you?", "what can you do?", "What can you help me with?", "How can you help?",
     "merci", "That helps, thank you.", "No", "test"],
)  # fmt: skip
def test_small_talk(words: str) -> None:
    assert intent_of(words).kind == "small_talk"


@pytest.mark.parametrize(
    "words",
    ["Who said hello to the queen?", "Hello Kitty museum", "Good Friday agreement", "test match in Velda",
     "What did the Thanksgiving parade cost?", "Who won?", "Bye-election results", "No confidence vote", "Why?",
     "What is a greeting card?", "Nice bridge opening", "Where is Great Harbour?"],
)  # fmt: skip
def test_what_is_no_small_talk(words: str) -> None:
    assert intent_of(words).kind == "question"


def test_a_greeting_before_a_question_is_left_out() -> None:
    assert intent_of("Hello! Who built the Osprey Bridge?").topic == "Who built the Osprey Bridge?"
    assert intent_of("Thanks, and who paid?").topic == "and who paid?"


@pytest.mark.parametrize(
    ("words", "topic"),
    [
        ("What is the latest on the Lunde dam?", "the Lunde dam"),
        ("What's the latest news about the ferry strike?", "the ferry strike"),
        ("latest on the ferry strike", "the ferry strike"),
        ("Any update on the ferry strike?", "the ferry strike"),
        ("Is there any news from Ain Sarha?", "Ain Sarha"),
        ("What's new with the Osprey Bridge?", "the Osprey Bridge"),
        ("What is happening in Teshkol?", "Teshkol"),
        ("What has happened lately to Kelmar Water?", "Kelmar Water"),
        ("Where do things stand with the truce?", "the truce"),
        ("latest news Teshkol", "Teshkol"),
        ("Osprey Bridge latest", "Osprey Bridge"),
        ("Give me the latest developments in the trial", "the trial"),
    ],
)
def test_the_latest_on_a_topic(words: str, topic: str) -> None:
    found = intent_of(words)
    assert (found.kind, found.topic, found.newest) == ("latest", topic, True)


@pytest.mark.parametrize(
    ("words", "newest"),
    [
        ("Who is the mayor of Velda?", True),
        ("Who was the mayor of Velda?", False),
        ("How high is the water now?", True),
        ("What is the most recent count?", True),
        ("Which minister does the ferry belong to?", True),
        ("When did the ferry sink?", False),
        ("How many people were hurt?", False),
    ],
)
def test_when_the_newest_is_meant(words: str, newest: bool) -> None:
    found = intent_of(words)
    assert (found.kind, found.newest) == ("question", newest)


@pytest.mark.parametrize("words", ["thanks ", "ok, ", "hello for the ", "what is the latest on ", "any news "])
def test_long_words_cost_little(words: str) -> None:
    begun = time.process_time()
    intent_of((words * 2000)[:2000])
    assert time.process_time() - begun < 0.1


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Who built the dam? What did the pool cost?", ["Who built the dam?", "What did the pool cost?"]),
        ("When did the Osprey Bridge open and how much did it cost?",
         ["When did the Osprey Bridge open?", "How much did the Osprey Bridge cost?"]),
        ("Who founded Kelmar Water, and who runs it now?", ["Who founded Kelmar Water?", "Who runs Kelmar Water now?"]),
        ("Who designed the library and how many books does it hold?",
         ["Who designed the library?", "How many books does the library hold?"]),
        ("When and where was the truce signed?", ["When was the truce signed?", "Where was the truce signed?"]),
        ("Was the tunnel closed and when will it reopen?", ["Was the tunnel closed?", "When will the tunnel reopen?"]),
        ("How many people died in the storm and how many were injured?",
         ["How many people died in the storm?", "the storm: how many were injured?"]),
        ("How long is the dam? How high is it? Who built it?",
         ["How long is the dam?", "How high is the dam?", "Who built the dam?"]),
        ("Who won the Veldany Cup and how old is she?", ["Who won the Veldany Cup?", "How old is she?"]),
        ("What is the capital of Peru? Thanks!", ["What is the capital of Peru?"]),
        ("Who chairs the farmers' union and how much will the ring road cost?",
         ["Who chairs the farmers' union?", "How much will the ring road cost?"]),
        ("What will the ring road cost, and who opposes it?",
         ["What will the ring road cost?", "Who opposes the ring road?"]),
    ],
)  # fmt: skip
def test_parts(question: str, parts: list[str]) -> None:
    assert list(parts_of(question)) == parts


@pytest.mark.parametrize(
    "question",
    [
        "How many people live in Derna?",
        "Which towns and villages were flooded?",
        "Did she say who paid and who won?",
        "What did the minister say about when and where the vote would take place?",
        "A ferry sank off Velda. Who was on it?",
        "Who is the president and vice president of Kelmar?",
        'Who asked "why now?" and left?',
        "Is the bridge open or closed?",
        "Who won? Answer in one word.",
        "Who signed and sealed the truce?",
        "What is it and",
        "How old is Greta Olm, who chairs the farmers' union?",
        "What did Greta Olm, who chairs the union, say?",
        "Who chairs the union, which has 300 members?",
        "Who chairs and runs the farmers' union?",
        "ferry strike Velda and Orrin",
    ],
)
def test_one_question_stays_one(question: str) -> None:
    assert parts_of(question) == (question,)


@pytest.mark.parametrize("words", [" and who is ", "who won? ", "and ", "when and where is "])
def test_a_very_long_question_costs_little(words: str) -> None:
    begun = time.process_time()
    assert len(parts_of((words * 2000)[:2000])) <= 4
    assert time.process_time() - begun < 1.0


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "When does the mill open, who built it and how many looms does it hold?",
            ("When does the mill open?", "Who built the mill?", "How many looms does the mill hold?"),
        ),
        ("Which firm won; where is it based?", ("Which firm won?", "Where is it based?")),
        (
            "How many homes in the north lost power, and what did the mill cost?",
            ("How many homes in the north lost power?", "What did the mill cost?"),
        ),
        (
            "Could you tell me who built the mill and what the new looms cost?",
            ("Who built the mill?", "What the new looms cost?"),
        ),
        ("Tell me when the mill opens and what it costs.", ("Tell me when the mill opens and what it costs.",)),
        ("Tell me who built the mill.", ("Tell me who built the mill.",)),
        ("When the mill opened, who was there?", ("When the mill opened, who was there?",)),
        ("What did the mayor say, when asked?", ("What did the mayor say, when asked?",)),
    ],
)
def test_questions_in_a_row_are_parted_at_commas(question: str, parts: tuple[str, ...]) -> None:
    assert parts_of(question) == parts
