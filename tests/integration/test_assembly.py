"""The service, the evaluation and the command line answer with the same parts: what settings name, all three have."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from embeddings import encoders
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.ingest import ingest
from embeddings.runtime import at_once
from embeddings.types import RawArticle
from qa.answers import fold
from qa.assembly import Answerer
from qa.cli import program
from qa.conversations.follow_ups import FollowUps
from qa.evaluation import Example
from qa.evaluation.targets import Address, Asking, respondent
from qa.generators import Say, ScriptedGenerator
from qa.generators.guard import GuardedGenerator
from qa.grounding.mismatches import LexicalChecker
from qa.retrieval import WordReranker
from qa.server.run import load
from qa.settings import Settings
from qa.types import Question, Turn

PARAMETERS = inspect.signature(Answerer).parameters
PARTS = set(PARAMETERS)
"""All that an answerer is made of but the clock; a part that is new is wanted here at once."""

Made = list[dict[str, Any]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Every optional part is set up; the store holds an article."""
    found = Settings(
        data_dir=tmp_path,
        encoder="hashing",
        llm_base_url="http://127.0.0.1:9/v1",
        llm_model="m",
        support_checker="lexical",
        reranker="words",
        lenient=True,
        deadline_seconds=7.5,
        retrieval="dense",
    )
    encoder = encoders.load("hashing")
    corpus = EmbeddedCorpus.open(tmp_path, identity=encoder.identity)
    ingest([RawArticle(id="bridge", title="Bridge", text="The bridge closes in July.")], corpus=corpus, encoder=encoder)
    corpus.close()
    return found


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """What every answerer was made of."""
    found: Made = []

    class Noting(Answerer):
        def __init__(self, **parts: Any) -> None:
            found.append(parts)
            super().__init__(**parts)

    monkeypatch.setattr("qa.assembly.Answerer", Noting)
    return found


def serve(settings: Settings) -> None:
    load(settings).corpus.close()


def evaluate(settings: Settings, **asking: Any) -> None:
    """Open what a run asks, and ask it of a corpus that hides an article, too: that is another answerer."""

    async def opened() -> None:
        async with respondent(Address(), asking=Asking(**asking), seed=0, settings=settings) as service:
            await service.search(Example(id="1", question="When?", withheld_article_ids=("bridge",)))

    asyncio.run(opened())


def evaluate_extracts(settings: Settings) -> None:
    evaluate(settings, mode="extractive")


def ask(settings: Settings) -> None:
    named = {
        f"QA_{field.upper()}": str(getattr(settings, field))
        for field in settings.__struct_fields__
        if getattr(settings, field) != getattr(Settings(), field)
    }
    result = CliRunner(env=named).invoke(program, ["ask", "--mode", "extractive", "When does the bridge close?"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(("who", "count"), [(serve, 2), (evaluate, 2), (evaluate_extracts, 2), (ask, 1)])
def test_nobody_lacks_a_part(who: Callable[[Settings], None], count: int, settings: Settings, made: Made) -> None:
    who(settings)
    assert len(made) == count
    for parts in made:
        assert parts.keys() == PARTS
        left_out = [name for name in PARTS if parts[name] is PARAMETERS[name].default]
        assert not left_out
        assert parts["settings"] == settings, "limits and modes are settings"
        assert isinstance(parts["generator"], GuardedGenerator)
        assert isinstance(parts["checker"], LexicalChecker)
        assert isinstance(parts["reranker"], WordReranker)
        assert isinstance(parts["resolve"], FollowUps)
        assert vars(parts["resolve"])["_corpus"] is parts["corpus"], "follow-ups see what the question sees"
        assert vars(parts["resolve"])["_generator"] is parts["generator"]


@pytest.mark.parametrize("mode", ["auto", "extractive"])
def test_who_wants_no_model_gets_no_follow_up_from_one(
    mode: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = ScriptedGenerator([Say("When does the bridge close?")])
    monkeypatch.setattr("qa.assembly.load_generator", lambda _: generator)
    parts = load(settings)
    turn = Turn(
        question="What happens to the bridge?",
        resolved_query="What happens to the bridge?",
        answer="The bridge closes.",
        answer_mode="extractive",
        as_of="2024-06-01",
    )
    try:
        asked = Question(question="When does it close?", mode=mode)
        answer = asyncio.run(fold(parts.answering.events(asked, run=at_once, history=[turn])))
    finally:
        parts.corpus.close()
    assert answer.resolved_query == "When does the bridge close?", "as the rules say, and the model"
    assert bool(generator.asked) == (mode == "auto")
