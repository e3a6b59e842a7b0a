"""A model whose first draft held up nowhere is asked once more, for less: what it says then is checked as strictly."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, closing
from typing import Any

import msgspec
import pytest

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder, load
from embeddings.ingest import ingest
from embeddings.types import RawArticle
from qa.answering import Answerer
from qa.generators import Fail, Message, Say, ScriptedGenerator, Step, Stop, Wait
from qa.generators.guard import GuardedGenerator
from qa.grounding.mismatches import LexicalChecker
from qa.reading import load_reader
from qa.settings import Settings
from qa.types import Answer, AnswerEvent, ClaimEvent, Event, Question, SearchResultsEvent

READER = load_reader("words")


FERRY = (
    "The ferry Almira sank near the island of Orsa on Tuesday with 212 people on board. Rescuers saved 205 of them.\n\n"
    "The ship was built in 1974. Its owner, the Orsa Line, said that the captain had reported water in the engine room."
)
INQUIRY = "A court in Velda opened an inquiry into the sinking of the Almira. The captain was questioned for six hours."
ASKED = Question(question="Where did the ferry Almira sank and how many people were on board?")
SANK = "The ferry Almira sank near the island of Orsa on Tuesday with 212 people on board."
TALK = (
    "Great question! Maritime accidents like this one are always complicated, and many factors come together.\n"
    "The ferry Almira sank near the island of Orsa after a court in Velda questioned its captain for 74 hours.\n"
    "Let me know whether I can be of further help."
)
"""What a small model makes of whole passages: talk, and facts run together."""
FIRST = {"answer_system", "answer_user", "answer_source"}
BOTH = FIRST | {"restate_system", "restate_user"}
Script = Sequence[Step | str]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load("hashing")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[EmbeddedCorpus]:
    with closing(EmbeddedCorpus.open(tmp_path_factory.mktemp("ferry"), identity=encoder.identity)) as found:
        articles = [
            RawArticle(id="ferry", title="Ferry sinks", text=FERRY, source="Wire", published_at="2024-06-05"),
            RawArticle(id="court", title="Inquiry opened", text=INQUIRY, source="Post", published_at="2024-06-09"),
        ]
        assert ingest(articles, corpus=found, encoder=encoder).rejected == ()
        yield found


def is_second(messages: Sequence[Message]) -> bool:
    return re.search(r"== sentences\n1\. ", messages[-1].content) is not None


@pytest.fixture
def asks(corpus: EmbeddedCorpus, encoder: Encoder) -> Callable[..., tuple[Answerer, ScriptedGenerator]]:
    """An answerer whose model writes one thing when it is asked first, another when it is asked again."""

    def make(first: Script, second: Script, *, guarded: bool = False, checker: Any = None, **changes: Any) -> Any:
        def script(messages: Sequence[Message]) -> Sequence[Step]:
            steps = second if is_second(messages) else first
            return [Say(step) if isinstance(step, str) else step for step in steps]

        generator = ScriptedGenerator(script)
        made = Answerer(
            reader=READER,
            corpus=corpus,
            encoder=encoder,
            settings=Settings(**changes),
            generator=GuardedGenerator(generator, concurrency=1) if guarded else generator,
            checker=checker or LexicalChecker(),
        )
        return made, generator

    return make


async def collect(made: Answerer, question: Question = ASKED, *, within: float | None = None) -> list[Event]:
    async with asyncio.timeout(within), aclosing(made.events(question)) as events:
        return [event async for event in events]


def answer_of(
    made: Answerer, question: Question = ASKED, *, run: Any = asyncio.run, within: float | None = None
) -> Answer:
    """The answer, its parts held against the events before it, and its quotes against the articles."""
    *before, last = run(collect(made, question, within=within))
    assert isinstance(last, AnswerEvent)
    claims = [event for event in before if isinstance(event, ClaimEvent)]
    assert last.answer.claims == tuple(event.claim for event in claims)
    assert last.answer.citations == tuple(citation for event in claims for citation in event.citations)
    for citation in last.answer.citations:
        text = {"ferry": FERRY, "court": INQUIRY}[citation.article_id]
        assert text[citation.start_char_index : citation.end_char_index] == citation.cited_text != ""
    return last.answer


def prompts_of(answer: Answer) -> set[str]:
    assert answer.generation is not None
    return set(answer.generation.prompts)


def test_what_could_not_be_found_can_be_said_again(asks: Any) -> None:
    made, generator = asks([TALK], [SANK])
    answer = answer_of(made)
    assert (answer.answer_mode, answer.fallback_reason, answer.answer) == ("generated", None, SANK)
    assert [citation.cited_text for citation in answer.citations] == [SANK]
    assert answer.usage.sentences_dropped == 4, "those of the first draft"
    assert prompts_of(answer) == BOTH
    assert {"draft", "second_draft", "first_claim"} <= set(answer.timings_ms)
    read = [sum(len(message.content) for message in asked) // 4 for asked in generator.asked]
    assert answer.usage.prompt_tokens == sum(read)
    assert answer.usage.completion_tokens == len(TALK) // 4 + len(SANK) // 4
    assert generator.open == 0


def test_what_is_asked_the_second_time(asks: Any) -> None:
    made, generator = asks([TALK], [SANK])
    answer_of(made, msgspec.structs.replace(ASKED, as_of="2024-06-20"))
    first, second = generator.asked
    assert [message.role for message in second] == ["system", "user"]
    asked = second[-1].content
    lines = re.findall(r"^(\d)\. \(published (\S+)\) (.*)$", asked, re.MULTILINE)
    assert [number for number, *_ in lines] == [str(number) for number in range(1, len(lines) + 1)]
    assert 2 <= len(lines) <= 6
    assert lines[0] == ("1", "2024-06-05", SANK)
    assert all(text in FERRY or text in INQUIRY for *_, text in lines)
    assert ASKED.question in asked
    assert "2024-06-20" in asked
    assert asked.count("NOT IN THE SOURCES") == 1, "declining is allowed"
    fence = asked.split()[0]
    assert asked.count(fence) == 2
    assert fence not in first[-1].content
    assert sum(len(one.content) for one in second) < sum(len(one.content) for one in first)


@pytest.mark.parametrize(
    "said",
    [
        f"1. {SANK}",
        f"1. (published 2024-06-05) {SANK}",
        f"(published 2024-06-05) {SANK}",
        f"Sentence 1 says that the{SANK.removeprefix('The')}",
        f"According to the sentences, the{SANK.removeprefix('The')}",
        f"{SANK[:-1]} [1].",
        f"{SANK[:-1]} (2).",
        f"{SANK[:-1]} [S1].",
        f"{SANK} (Sentence 1)",
        f"Answer: {SANK}\n\nI hope this helps!",
    ],
)
def test_the_form_of_the_list_is_no_part_of_what_is_said(asks: Any, said: str) -> None:
    answer = answer_of(asks([TALK], [said])[0])
    assert (answer.answer_mode, answer.answer) == ("generated", SANK)
    assert [citation.cited_text for citation in answer.citations] == [SANK]


@pytest.mark.parametrize("second", [TALK, "The ferry Almira sank with 999 people on board.", "Pirates attacked it."])
def test_nothing_false_is_shown_the_second_time_either(asks: Any, second: str) -> None:
    made, generator = asks([TALK], [second])
    answer = answer_of(made)
    assert (answer.answer_mode, answer.fallback_reason) == ("extractive", "ungrounded")
    assert all(claim.text in FERRY or claim.text in INQUIRY for claim in answer.claims)
    assert len(generator.asked) == 2, "not a third time"
    assert prompts_of(answer) == BOTH
    assert answer.usage.sentences_dropped > 4


def test_the_second_time_no_word_of_the_question_bears_a_sentence_out(asks: Any) -> None:
    """Small models repeat what a question asserts."""
    told: list[str] = []

    class Watching(LexicalChecker):
        def check(self, claim: str, evidence: Sequence[str], *, question: str = "", **more: Any) -> Any:
            told.append(question)
            return super().check(claim, evidence, question=question, **more)

    answer_of(asks([TALK], [SANK], checker=Watching())[0])
    assert set(told[:-1]) == {ASKED.question}
    assert told[-1] == ""


def test_of_a_second_draft_what_is_true_is_shown(asks: Any) -> None:
    answer = answer_of(asks([TALK], [f"Pirates attacked it. {SANK} It had 999 people on board."])[0])
    assert (answer.answer_mode, answer.answer) == ("generated", SANK)


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ([f"{SANK[:-1]} [S1]."], None),
        (["NOT IN THE SOURCES"], "model_declined"),
        ([f"{TALK} The sources do not mention it."], "model_declined"),
        ([TALK, Fail("model_failed")], "model_failed"),
        ([Fail("model_rate_limited")], "model_rate_limited"),
        ([TALK, Stop("content_filter")], "ungrounded"),
    ],
)
def test_only_a_draft_in_vain_is_followed_by_another(asks: Any, first: Script, reason: str | None) -> None:
    made, generator = asks(first, [SANK])
    answer = answer_of(made)
    assert answer.fallback_reason == reason
    assert len(generator.asked) == 1
    assert prompts_of(answer) == FIRST
    assert "second_draft" not in answer.timings_ms


@pytest.mark.parametrize("first", [[TALK, Stop("length")], ["Pirates attacked it again and again.\n"] * 500])
def test_a_model_that_finds_no_end_is_asked_again_too(asks: Any, first: Script) -> None:
    answer = answer_of(asks(first, [SANK])[0])
    assert (answer.answer_mode, answer.answer) == ("generated", SANK)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (["NOT IN THE SOURCES"], "model_declined"),
        ([Fail("model_overloaded")], "model_overloaded"),
        (["The ferry Almira", Fail("model_failed")], "model_failed"),
        ([Wait(60)], "model_timed_out"),
    ],
)
def test_the_last_attempt_says_why_there_is_nothing(asks: Any, leaping: Any, second: Script, reason: str) -> None:
    made, generator = asks([TALK], second, deadline_seconds=2.0)
    answer = answer_of(made, run=leaping, within=2.0)
    assert (answer.answer_mode, answer.fallback_reason) == ("extractive", reason)
    assert generator.open == 0


def test_what_the_second_attempt_has_shown_stays(asks: Any) -> None:
    answer = answer_of(asks([TALK], [f"{SANK} And ", Fail("model_failed")])[0])
    assert (answer.answer_mode, answer.fallback_reason, answer.answer) == ("generated", "model_failed", SANK)


def test_without_time_for_a_second_draft_none_is_begun(asks: Any, leaping: Any) -> None:
    """The first takes 1.2 of the 2.1 seconds that a draft has here; the second is reckoned at about as much."""
    made, generator = asks([Wait(1.2), TALK], [SANK], deadline_seconds=3.0)
    answer = answer_of(made, run=leaping)
    assert (answer.answer_mode, answer.fallback_reason) == ("extractive", "ungrounded")
    assert len(generator.asked) == 1
    assert prompts_of(answer) == FIRST


def test_where_extraction_would_abstain_nothing_is_said_again(asks: Any) -> None:
    made, generator = asks([TALK], [SANK])
    answer = answer_of(made, Question(question="What is the capital of Peru?"))
    assert (answer.answer_mode, answer.fallback_reason) == ("abstained", "ungrounded")
    assert len(generator.asked) == 1


def test_lenient_keeps_the_first_draft(asks: Any) -> None:
    made, generator = asks([TALK], [SANK], lenient=True)
    assert len(answer_of(made).claims) == 3
    assert len(generator.asked) == 1


def test_the_permit_is_given_back_between_the_two(asks: Any) -> None:
    answer = answer_of(asks([TALK], [SANK], guarded=True)[0])
    assert (answer.answer_mode, answer.answer) == ("generated", SANK)


@pytest.mark.parametrize("begun", [[], [SANK, " And "]])
def test_whoever_leaves_during_the_second_closes_the_model(asks: Any, begun: Script) -> None:
    made, generator = asks([TALK], [*begun, Wait(60)], deadline_seconds=300.0)

    async def leave() -> None:
        task = asyncio.create_task(collect(made))
        while len(generator.asked) < 2 and not task.done():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert generator.open == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert generator.open == 0
        if begun:
            async with aclosing(made.events(ASKED)) as events:
                async for event in events:
                    if not isinstance(event, SearchResultsEvent):
                        break
            assert len(generator.asked) == 4
            assert generator.open == 0
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(leave())
