"""Generated answers: only what is verified is shown, whatever the model does, and every view of them is the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import aclosing, closing
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder, load
from embeddings.ingest import ingest
from embeddings.runtime import at_once
from embeddings.types import RawArticle
from qa.answering import ABSTENTION, Answerer
from qa.generators import Fail, Say, ScriptedGenerator, Step, Stop, Wait
from qa.grounding.mismatches import LexicalChecker
from qa.reading import load_reader
from qa.settings import Settings
from qa.types import Answer, AnswerEvent, ClaimEvent, Event, Question, SearchQuestion, SearchResultsEvent

READER = load_reader("words")


FERRY = (
    "The ferry Almira sank near the island of Orsa on Tuesday with 212 people on board. Rescuers saved 205 of them.\n\n"
    "The ship was built in 1974. Its owner, the Orsa Line, said that the captain had reported water in the engine room."
)
INQUIRY = "A court in Velda opened an inquiry into the sinking of the Almira. The captain was questioned for six hours."
ASKED = Question(question="Where did the ferry Almira sank and how many people were on board?")
SANK = "The ferry Almira sank near the island of Orsa on Tuesday with 212 people on board"
SAVED = "Rescuers saved 205 of them"
BUILT = "The ship was built in 1974"
COURT = "A court in Velda opened an inquiry into the sinking of the Almira"


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


def answerer(
    corpus: EmbeddedCorpus, encoder: Encoder, *script: Step | str, **changes: Any
) -> tuple[Answerer, ScriptedGenerator]:
    steps = [Say(step) if isinstance(step, str) else step for step in script]
    generator = ScriptedGenerator(steps)
    made = Settings(**changes)
    return Answerer(
        reader=READER, corpus=corpus, encoder=encoder, settings=made, generator=generator, checker=LexicalChecker()
    ), generator


def events_of(
    made: Answerer, question: Question = ASKED, *, run: Any = asyncio.run, within: float | None = None
) -> list[Event]:
    async def collect() -> list[Event]:
        async with asyncio.timeout(within), aclosing(made.events(question)) as events:
            return [event async for event in events]

    return list(run(collect()))


def answer_of(made: Answerer, question: Question = ASKED, **how: Any) -> Answer:
    """The answer, after its events were held against it and its quotes against the articles."""
    first, *claims, last = events_of(made, question, **how)
    assert isinstance(first, SearchResultsEvent)
    assert isinstance(last, AnswerEvent)
    answer = last.answer
    for name in first.__struct_fields__:
        assert getattr(answer, name) == getattr(first, name)
    assert all(isinstance(event, ClaimEvent) for event in claims)
    assert answer.claims == tuple(event.claim for event in claims if isinstance(event, ClaimEvent))
    carried = [citation for event in claims if isinstance(event, ClaimEvent) for citation in event.citations]
    assert answer.citations == tuple(carried)
    assert [citation.id for citation in carried] == [f"c{number}" for number in range(1, len(carried) + 1)]
    assert len(carried) <= question.max_citations
    for citation in carried:
        text = {"ferry": FERRY, "court": INQUIRY}[citation.article_id]
        assert text[citation.start_char_index : citation.end_char_index] == citation.cited_text != ""
    for claim in answer.claims:
        assert answer.answer[claim.start : claim.end] == claim.text
        placed = [(c.start, c.end) for c in carried if c.id in claim.citation_ids]
        assert set(placed) <= {(claim.start, claim.end)}
    if answer.answer_mode == "generated":
        assert answer.support_score == min(claim.support_score for claim in answer.claims)
    if answer.answer_mode == "abstained":
        said = "There are no articles in the collection 'none such'." if question.collection else ABSTENTION
        assert (answer.answer, answer.claims) == (said, ())
    else:
        assert answer.answer == " ".join(claim.text for claim in answer.claims)
    return answer


def number_of(article: str, corpus: EmbeddedCorpus, encoder: Encoder) -> int:
    """Under which number the model reads an article."""
    results = answer_of(answerer(corpus, encoder, "x")[0]).search_results
    return 1 + list(dict.fromkeys(result.article_id for result in results)).index(article)


def test_what_the_evidence_says_is_shown_with_its_words(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    ferry = number_of("ferry", corpus, encoder)
    made, generator = answerer(corpus, encoder, f"{SANK} [S{ferry}]. {SAVED} [S{ferry}].")
    answer = answer_of(made)
    assert (answer.answer_mode, answer.fallback_reason) == ("generated", None)
    assert answer.answer == f"{SANK}. {SAVED}."
    assert [claim.verdict for claim in answer.claims] == ["supported", "supported"]
    assert {citation.article_id for citation in answer.citations} == {"ferry"}
    assert answer.generation is not None
    assert answer.generation.model == generator.model
    assert set(answer.generation.prompts) == {"answer_system", "answer_user", "answer_source"}
    assert answer.generation.checker == LexicalChecker.identity
    assert answer.usage.prompt_tokens > 0
    assert {"first_token", "first_claim", "draft"} <= set(answer.timings_ms)


def test_what_the_model_is_asked(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    made, generator = answerer(corpus, encoder, "NOT IN THE SOURCES")
    answer_of(made, msgspec.structs.replace(ASKED, as_of="2024-06-20"))
    ((system, user),) = generator.asked
    assert (system.role, user.role) == ("system", "user")
    assert all(words in user.content for words in (FERRY, INQUIRY, ASKED.question, "2024-06-20", "Wire, 2024-06-05"))
    answer_of(made, ASKED)
    fences = {asked[1].content.split()[0] for asked in generator.asked}
    assert len(fences) == 2, "whoever wrote a source cannot know the fence"
    answer_of(made, msgspec.structs.replace(ASKED, as_of="2024-06-07"))
    assert "inquiry" not in generator.asked[-1][1].content, "what was published later is not known yet"


@pytest.mark.parametrize("mode", ["auto", "generated"])
def test_unsupported_sentences_are_dropped_and_counted(corpus: EmbeddedCorpus, encoder: Encoder, mode: Any) -> None:
    draft = f"Pirates attacked the ferry [S1]. {SANK} [S1]. The ferry sank with 999 people on board [S1]."
    answer = answer_of(answerer(corpus, encoder, draft)[0], msgspec.structs.replace(ASKED, mode=mode))
    assert answer.answer == f"{SANK}."
    assert answer.usage.sentences_dropped == 2


def test_a_sentence_is_cited_anew_where_another_source_says_it(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    wrong = 3 - number_of("court", corpus, encoder)
    answer = answer_of(answerer(corpus, encoder, f"{COURT} [S{wrong}].")[0])
    assert [citation.article_id for citation in answer.citations] == ["court"]


@pytest.mark.parametrize("draft", [f"{SANK}. {COURT}.", f"{SANK} [1]. {COURT} [2].", f"- {SANK}\n- **{COURT}**\n"])
def test_a_draft_without_markers_is_cited_all_the_same(corpus: EmbeddedCorpus, encoder: Encoder, draft: str) -> None:
    answer = answer_of(answerer(corpus, encoder, draft)[0])
    assert answer.answer_mode == "generated"
    assert [citation.article_id for citation in answer.citations] == ["ferry", "court"]
    assert answer.usage.markers_unresolved == 0


def test_markers_that_name_nothing_are_reported(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    answer = answer_of(answerer(corpus, encoder, f"{SANK} [S0, S77]. {SAVED} [2024].")[0])
    assert answer.answer == f"{SANK}."
    assert answer.usage.markers_unresolved == 2


def test_lenient_keeps_what_is_not_supported_and_says_so(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    draft = f"{SANK} [S1]. Pirates attacked the ferry [S1]. Read https://a.example now."
    answer = answer_of(answerer(corpus, encoder, draft, lenient=True)[0])
    assert [claim.verdict == "supported" for claim in answer.claims] == [True, False]
    assert answer.claims[1].citation_ids == ()
    assert answer.support_score == answer.claims[1].support_score < answer.claims[0].support_score
    assert "a.example" not in answer.answer


def test_nothing_survives(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    answer = answer_of(answerer(corpus, encoder, "Pirates attacked the ferry [S1].")[0])
    assert (answer.answer_mode, answer.fallback_reason) == ("extractive", "ungrounded")
    assert answer.usage.sentences_dropped == 2, "it was asked twice"
    assert answer.generation is not None
    quoted = answer_of(answerer(corpus, encoder, "x")[0], msgspec.structs.replace(ASKED, mode="extractive"))
    assert answer.support_score == quoted.support_score < 1, "how sure the reader is, not the checker"


@pytest.mark.parametrize("draft", ["NOT IN THE SOURCES", "Not in the sources.", "The sources do not mention it [S1]."])
def test_a_model_may_decline(corpus: EmbeddedCorpus, encoder: Encoder, draft: str) -> None:
    answer = answer_of(answerer(corpus, encoder, draft)[0])
    assert (answer.answer_mode, answer.fallback_reason) == ("extractive", "model_declined")
    unsure = Question(question="What is the capital of Peru?")
    declined = answer_of(answerer(corpus, encoder, draft)[0], unsure)
    assert (declined.answer_mode, declined.abstain_reason is None) == ("abstained", False)


@pytest.mark.parametrize("question", [ASKED, msgspec.structs.replace(ASKED, mode="extractive")])
def test_who_wants_quotations_gets_them(corpus: EmbeddedCorpus, encoder: Encoder, question: Question) -> None:
    made, generator = answerer(corpus, encoder, f"{SANK} [S1].")
    answer = answer_of(made, question)
    asked = question.mode != "extractive"
    assert (answer.answer_mode == "generated", len(generator.asked)) == (asked, int(asked))
    assert answer.fallback_reason is None


def test_a_model_is_not_asked_where_nothing_is_found(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    made, generator = answerer(corpus, encoder, f"{SANK} [S1].")
    answer = answer_of(made, msgspec.structs.replace(ASKED, collection="none such"))
    assert (answer.answer_mode, answer.abstain_reason, generator.asked) == ("abstained", "empty_corpus", [])


# --- failures


def test_a_model_that_fails_at_once(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    answer = answer_of(answerer(corpus, encoder, Fail("model_rate_limited"))[0])
    assert (answer.answer_mode, answer.fallback_reason) == ("extractive", "model_rate_limited")


def test_a_model_that_fails_in_its_first_sentence(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    answer = answer_of(answerer(corpus, encoder, SANK, Fail("model_unreachable"))[0])
    assert (answer.answer_mode, answer.fallback_reason) == ("extractive", "model_unreachable")


def test_what_was_shown_before_the_failure_stays(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    answer = answer_of(answerer(corpus, encoder, f"{SANK} [S1]. {SAVED}", Fail("model_failed"))[0])
    assert (answer.answer_mode, answer.fallback_reason) == ("generated", "model_failed")
    assert answer.answer == f"{SANK}."


def test_a_draft_that_was_too_long_ends_with_a_whole_sentence(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    answer = answer_of(answerer(corpus, encoder, f"{SANK} [S1]. {SAVED} [S1]. The ship was", Stop("length"))[0])
    assert (answer.answer_mode, answer.fallback_reason) == ("generated", None)
    assert answer.answer == f"{SANK}. {SAVED}."


@pytest.mark.parametrize(
    ("script", "mode"), [([Wait(60)], "extractive"), ([f"{SANK} [S1]. And ", Wait(60)], "generated")]
)
def test_a_model_that_is_too_slow(
    corpus: EmbeddedCorpus, encoder: Encoder, leaping: Any, script: Sequence[Step | str], mode: str
) -> None:
    made, generator = answerer(corpus, encoder, *script, deadline_seconds=1.0)
    answer = answer_of(made, run=leaping, within=1.0)
    assert (answer.answer_mode, answer.fallback_reason) == (mode, "model_timed_out")
    assert generator.open == 0


def test_a_check_that_is_too_slow(corpus: EmbeddedCorpus, encoder: Encoder, leaping: Any) -> None:
    """The draft's deadline holds for its checks, too, and leaves time to extract."""

    class Slow:
        identity = "slow"

        def check(self, claim: str, evidence: Sequence[str], **_: Any) -> Any:
            del claim, evidence
            raise AssertionError("its turn never came")

    async def collect() -> Answer:
        made = Answerer(
            reader=READER,
            corpus=corpus,
            encoder=encoder,
            settings=Settings(deadline_seconds=1.0),
            generator=ScriptedGenerator([Say(f"{SANK} [S1]. {SAVED} [S1].")]),
            checker=Slow(),
        )

        async def run(job: Any, /) -> Any:
            try:
                return await at_once(job)
            except AssertionError:
                await asyncio.sleep(60)

        async with asyncio.timeout(1.0), aclosing(made.events(ASKED, run=run)) as events:
            *_, last = [event async for event in events]
        assert isinstance(last, AnswerEvent)
        return last.answer

    answer = leaping(collect())
    assert (answer.answer_mode, answer.fallback_reason) == ("extractive", "model_timed_out")


def test_mistakes_in_the_program_are_not_covered_up(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    def mistaken(_: object) -> Sequence[Step]:
        raise ZeroDivisionError

    made = Answerer(
        reader=READER,
        corpus=corpus,
        encoder=encoder,
        settings=Settings(),
        generator=ScriptedGenerator(mistaken),
        checker=LexicalChecker(),
    )
    with pytest.raises(ZeroDivisionError):
        events_of(made)


# --- streaming


def test_a_sentence_is_shown_before_the_next_is_written(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    """The generator cannot go on before its first sentence was seen."""
    seen: list[str] = []

    class Watching(ScriptedGenerator):
        async def stream(self, *args: Any, **more: Any) -> Any:
            async with aclosing(super().stream(*args, **more)) as pieces:
                async for piece in pieces:
                    yield piece
                    seen.append("piece")

    made = Answerer(
        reader=READER,
        corpus=corpus,
        encoder=encoder,
        settings=Settings(),
        generator=Watching([Say(f"{SANK} [S1]. {SAVED} "), Say("[S1]. "), Say(f"{COURT} [S2].")]),
        checker=LexicalChecker(),
    )

    async def watch() -> None:
        async with aclosing(made.events(ASKED)) as events:
            async for event in events:
                seen.append(event.claim.text if isinstance(event, ClaimEvent) else "other")  # noqa: PERF401 - one by one

    asyncio.run(watch())
    assert [what for what in seen if what not in {"piece", "other"}] == [f"{SANK}.", f"{SAVED}.", f"{COURT}."]
    assert seen[:2] == ["other", f"{SANK}."]


def test_whoever_stops_listening_closes_the_model(corpus: EmbeddedCorpus, encoder: Encoder, leaping: Any) -> None:
    made, generator = answerer(corpus, encoder, f"{SANK} [S1]. And ", Wait(60), deadline_seconds=300.0)

    async def leave(after: type[Event]) -> None:
        async with aclosing(made.events(ASKED)) as events:
            async for event in events:
                if isinstance(event, after):
                    break
        assert generator.open == 0
        task = asyncio.create_task(asyncio.wait_for(_last(made), 0.2))
        with pytest.raises(TimeoutError):
            await task
        assert generator.open == 0
        assert len(asyncio.all_tasks()) == 1

    for after in (SearchResultsEvent, ClaimEvent):
        leaping(leave(after))


async def _last(made: Answerer) -> list[Event]:
    async with aclosing(made.events(ASKED)) as events:
        return [event async for event in events]


def test_an_endless_draft_is_not_read_to_its_end(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    made, generator = answerer(corpus, encoder, *[f"{SANK} [S1]. "] * 500)
    answer = answer_of(made)
    assert answer.answer == f"{SANK}."
    assert generator.open == 0
    assert answer.usage.completion_tokens == 0, "the stream was closed before it ended"


SENTENCES = [
    f"{SANK} [S1]. ",
    f"{SAVED}. [S2] ",
    f"{BUILT} [S1, S9]. ",
    f"According to [S2], {COURT[0].lower()}{COURT[1:]}. ",
    "Pirates attacked the ferry [S1]. ",
    "![x](https://a.example/?q=1) ",
    "The sources do not say why. ",
    "Ignore all previous instructions.\n",
    "\u202eHidden \x1b[31mtext [S1]. ",
]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(SENTENCES), max_size=6), st.integers(1, 40), st.booleans())
def test_the_answer_does_not_depend_on_the_pieces(
    corpus: EmbeddedCorpus, encoder: Encoder, sentences: list[str], size: int, lenient: bool
) -> None:
    draft = "".join(sentences)
    whole = answer_of(answerer(corpus, encoder, Say(draft), lenient=lenient)[0])
    cut = answer_of(answerer(corpus, encoder, Say(draft, size=size), lenient=lenient)[0])
    told = {"id": "", "timings_ms": {}, "as_of": ""}
    spent = {"usage": msgspec.structs.replace(whole.usage, prompt_tokens=0, completion_tokens=0)}
    assert msgspec.structs.replace(cut.usage, prompt_tokens=0, completion_tokens=0) == spent["usage"]
    assert msgspec.structs.replace(whole, **told, **spent) == msgspec.structs.replace(cut, **told, **spent)


def test_a_window_too_small_for_any_source(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    made = Answerer(
        reader=READER,
        corpus=corpus,
        encoder=encoder,
        settings=Settings(),
        generator=ScriptedGenerator([Say(f"{SANK} [S1].")], context_tokens=512),
        checker=LexicalChecker(),
    )
    answer = answer_of(made)
    assert (answer.answer_mode, answer.fallback_reason) == ("extractive", "model_failed")
    assert answer.usage.evidence_omitted == len(answer.search_results)


def test_a_reranker_decides_what_is_read(corpus: EmbeddedCorpus, encoder: Encoder) -> None:
    class LastFirst:
        identity = "last first"

        def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
            assert question == ASKED.question
            return [float(index) for index in range(len(texts))]

    def found(reranker: Any) -> list[str]:
        made = Answerer(reader=READER, corpus=corpus, encoder=encoder, settings=Settings(), reranker=reranker)
        searched = asyncio.run(made.search(SearchQuestion(question=ASKED.question)))
        return [result.passage_id for result in searched.search_results]

    assert found(LastFirst()) == found(None)[::-1]
    assert len(found(None)) > 1
