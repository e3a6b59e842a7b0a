"""Questions to begin with, over HTTP: every one is answered; they follow the articles."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from embeddings.types import Article, CorpusCounts, Overview
from qa.conversations.database import ConversationDatabase
from qa.conversations.migration import open_source
from qa.server.kept_starters import kept, kept_names
from qa.server.parts import Parts
from qa.server.run import load
from qa.server.starters import Glance, Reach, StarterQuestions
from qa.settings import Settings

BRIDGE = {
    "id": "bridge",
    "title": "Osprey Bridge to shut",
    "text": "The Osprey Bridge in Kelmar will be closed to all motor traffic for 16 months from July 1.",
    "published_at": "2024-06-14",
}


def begin(client: httpx.Client, **narrowed: Any) -> dict[str, Any]:
    """The beginning, once nothing more is being tried for it."""
    while True:
        response = client.get("/api/starters", params=narrowed)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        if found["complete"]:
            return found


def questions(client: httpx.Client, **narrowed: Any) -> list[str]:
    return [one["question"] for one in begin(client, **narrowed)["starters"]]


def test_each_question_is_answered_from_its_article(settings: Settings, serve: Any) -> None:
    with serve(settings) as client:
        assert questions(client) == []
        client.post("/api/articles", json=BRIDGE).raise_for_status()
        offered = questions(client)
        assert offered == ["How long will the Osprey Bridge in Kelmar be closed to all motor traffic?"]
        assert questions(client) == offered
        for question in offered:
            answer = client.post("/api/ask", json={"question": question}).json()
            assert answer["answer_mode"] == "extractive"
            assert answer["citations"][0]["article_id"] == "bridge"
        client.delete("/api/articles/bridge").raise_for_status()
        other = BRIDGE | {"id": "other", "text": str(BRIDGE["text"]).replace("Osprey", "Heron")}
        client.post("/api/articles", json=other).raise_for_status()
        assert questions(client) == [offered[0].replace("Osprey", "Heron")], "as many articles are not the same"
        client.delete("/api/articles/other").raise_for_status()
        assert questions(client) == []


def test_it_is_said_what_articles_there_are(settings: Settings, serve: Any) -> None:
    other = {"id": "rain", "title": "Rain", "text": "It rained.", "source": "Wire", "published_at": "2023-01-02"}
    with serve(settings) as client:
        empty = begin(client)["archive"]
        assert empty == {"articles": 0, "sources": 0, "earliest": None, "latest": None, "newest": [], "late": []}
        undated = {"id": "undated", "title": "Undated", "text": "Nobody knows when.", "source": "Wire"}
        client.post("/api/articles", json=[undated, other, BRIDGE]).raise_for_status()
        found = begin(client)["archive"]
        newest = [one["article_id"] for one in found.pop("newest")]
        assert newest == ["bridge", "rain", "undated"]
        assert found == {"articles": 3, "sources": 1, "earliest": "2023-01-02", "latest": "2024-06-14", "late": []}


def test_a_source_that_is_silent_for_longer_than_usual_is_named(settings: Settings, serve: Any) -> None:
    today = datetime.now(UTC).date()

    def of(source: str, *ago: int) -> list[dict[str, str]]:
        return [
            {
                "id": f"{source}-{days}",
                "text": f"The {source} reports on day {days} that it rained.",
                "source": source,
                "published_at": str(today - timedelta(days=days)),
            }
            for days in ago
        ]

    weekly, daily = of("Weekly", 4, 11, 18, 25, 32), of("Daily", *range(9, 20))
    with serve(settings) as client:
        client.post("/api/articles", json=[*daily, *weekly, *of("Rare", 40, 41)]).raise_for_status()
        late = [{"source": "Daily", "latest": str(today - timedelta(days=9)), "usual_days": 1}]
        assert begin(client)["archive"]["late"] == late
        assert begin(client, source="Weekly")["archive"]["late"] == []
        assert begin(client, published_before=str(today - timedelta(days=5)))["archive"]["late"] == []
        assert begin(client, about=["Daily-9"])["archive"]["late"] == []
        client.post("/api/articles", json=of("Daily", 0)).raise_for_status()
        assert begin(client)["archive"]["late"] == []


def test_few_articles_give_several_questions_many_give_one_each(settings: Settings, serve: Any) -> None:
    texts = [
        f"The {name} Bridge in Velda was built in 19{number}. The {name} Line said it had hired {number}7 workers."
        for number, name in enumerate(["Osprey", "Heron", "Falcon", "Raven", "Robin", "Swallow"], 11)
    ]
    articles = [{"id": f"a{number}", "text": text} for number, text in enumerate(texts)]
    with serve(settings) as client:
        client.post("/api/articles", json=articles[:2]).raise_for_status()
        assert [one.split()[0] for one in questions(client)] == ["When", "When", "How", "How"]
        client.post("/api/articles", json=articles[2:]).raise_for_status()
        assert [one.split()[0] for one in questions(client)] == ["When"] * 6


def test_what_gives_no_good_question_gives_none(settings: Settings, serve: Any) -> None:
    with serve(settings) as client:
        client.post("/api/articles", json={"text": "It rained. Nobody was surprised by that."}).raise_for_status()
        assert questions(client) == []


def test_whoever_waits_while_articles_change_is_told_to_ask_again(
    leaping: Callable[[Coroutine[Any, Any, None]], None],
) -> None:
    bridge = Article(id="bridge", version="v", title="Osprey Bridge to shut", text=BRIDGE["text"])

    async def read() -> Glance:
        return Glance(overview=Overview(articles=1, sources=1, earliest=None, latest=None, newest=(bridge,)))

    async def first_reader() -> None:
        tried = asyncio.Event()

        async def ask(*_: Any) -> Any:
            tried.set()
            await asyncio.sleep(3600)

        beginnings = StarterQuestions(ask=ask)
        reader = asyncio.create_task(
            beginnings.now(CorpusCounts(articles=1, passages=1), read, reach=Reach(within=None))
        )
        await tried.wait()
        await beginnings.close()
        found = await reader
        assert (found.questions, found.complete) == ((), False)

    leaping(first_reader())


def bridge(name: str, **fields: Any) -> dict[str, Any]:
    text = (
        f"The {name} Bridge in Velda was built in 1911. The {name} Line said it had hired 37 workers."
        f' "The {name} Bridge is safe," said chief engineer Priya {name}son.'
    )
    return {"id": name.lower(), "title": f"{name} Bridge", "text": text, **fields}


def test_questions_come_from_what_the_filters_leave_and_are_answered_under_them(settings: Settings, serve: Any) -> None:
    """Each of them leaves the Heron alone."""
    articles = [
        bridge("Osprey", source="Wire", language="en", section="roads", authors=["Ann"], published_at="2024-06-01"),
        bridge("Heron", source="Post", language="fr", section="rail", authors=["Bea"], published_at="2024-07-01"),
    ]
    heron: dict[str, dict[str, Any]] = {
        "source": {"source": ["Post"]},
        "language": {"language": ["fr"]},
        "section": {"section": ["rail"]},
        "article": {"article_ids": ["heron"]},
        "period": {"published_after": "2024-06-15", "published_before": "2024-07-15"},
    }
    with serve(settings) as client:
        client.post("/api/articles", json=articles).raise_for_status()
        assert {"Osprey", "Heron"} <= set(" ".join(questions(client)).split())
        for name, filters in heron.items():
            found = begin(client, **filters)
            offered = [one["question"] for one in found["starters"]]
            assert offered, name
            assert all("Heron" in one for one in offered), name
            assert [one["article_id"] for one in found["archive"]["newest"]] == ["heron"], name
            for one in found["starters"]:
                answer = client.post("/api/ask", json={"question": one["question"], "filters": filters}).json()
                assert answer["citations"][0]["cited_text"] == one["quote"], name
        assert questions(client, collection="elsewhere") == []
        assert client.get("/api/starters", params={"published_after": "June"}).status_code == 422
        assert client.get("/api/starters", params={"article_ids": ["a"] * 21}).status_code == 422


def test_of_two_that_say_the_same_the_one_that_passes_gives_the_questions(settings: Settings, serve: Any) -> None:
    """Asked of all, they would be answered from one of the two: under its filter each answers them itself."""
    copies = [bridge("Heron", source=source) | {"id": source} for source in ("Post", "Wire")]
    with serve(settings) as client:
        client.post("/api/articles", json=copies).raise_for_status()
        for source in ("Post", "Wire"):
            assert questions(client, source=[source]), source


def test_what_follows_on_is_about_the_articles_named(settings: Settings, serve: Any) -> None:
    with serve(settings) as client:
        client.post("/api/articles", json=[bridge("Osprey"), bridge("Heron"), bridge("Raven")]).raise_for_status()
        found = begin(client, about=["raven", "osprey"])["starters"]
        assert [one["article_id"] for one in found] == ["raven"] * 3 + ["osprey"] * 2
        assert found[0]["question"] == "When was the Raven Bridge in Velda built?"
        assert "What did Priya Ravenson say about the Raven Bridge?" in [one["question"] for one in found]
        assert questions(client, about=["raven"], article_ids=["heron"]) == [], "no filter is left out"
        assert len({one["quote"] for one in found}) == 5, "none asks for what another one has told"


def test_what_is_offered_near_a_question_is_about_what_that_names(settings: Settings, serve: Any) -> None:
    ship = {
        "id": "ship",
        "title": "Saint Orlane aground",
        "text": "The Saint Orlane, built in 1997, ran aground near Velda. The mayor, Oda Renn, said that it rained.",
    }
    with serve(settings) as client:
        client.post("/api/articles", json=[ship, bridge("Osprey")]).raise_for_status()
        about = ["ship", "osprey"]
        asked = "What did it cost to build the Saint Orlane?"
        assert "Osprey" in " ".join(questions(client, about=about)), "both of the articles"
        found = begin(client, about=about, like=asked)["starters"]
        assert found[0] == {
            "question": "When was the Saint Orlane built?",
            "article_id": "ship",
            "quote": "The Saint Orlane, built in 1997, ran aground near Velda.",
        }
        assert not any("Osprey" in one["question"] or "Renn" in one["question"] for one in found)
        assert questions(client, about=about, like="Who won the chess championship in Lima?") == []
        assert questions(client, like=asked) == questions(client), "near a question only where articles came near it"
        assert client.get("/api/starters", params={"like": "a" * 2001}).status_code == 422


def test_follow_ons_do_not_crowd_out_what_everybody_begins_with(
    leaping: Callable[[Coroutine[Any, Any, None]], None],
) -> None:
    reads: list[tuple[str, ...]] = []
    counts = CorpusCounts(articles=1, passages=1)

    async def readers() -> None:
        async def ask(*_: Any) -> Any:
            raise AssertionError("there is nothing to ask")

        async def asked(*about: str) -> None:
            async def read() -> Glance:
                reads.append(about)
                return Glance(overview=Overview(articles=0, sources=0, earliest=None, latest=None, newest=()))

            await beginnings.now(counts, read, reach=Reach(within=None, about=about))

        beginnings = StarterQuestions(ask=ask)
        await asked()
        for number in range(70):
            await asked(str(number))
            await asked("0")
        await asked()
        assert reads.count(()) == 1
        assert reads.count(("0",)) == 1, "what was asked for just now stays"
        await asked("1")
        assert reads.count(("1",)) == 2, "only so many are kept"

    leaping(readers())


def unanswering(settings: Settings) -> Parts:
    """The parts of a service, of which what answers must not be asked."""

    class Silent:
        async def events(self, *_: Any, **__: Any) -> Any:
            raise AssertionError("this was tried before")
            yield

    silent: Any = Silent()
    return msgspec.structs.replace(load(settings), answering=silent)


def records_of(settings: Settings) -> ConversationDatabase:
    """What a running service keeps beside its articles."""
    found = open_source(settings.place)
    assert found is not None
    return found


@pytest.fixture(params=["a file", "a server"])
def stored(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings for either store."""
    if request.param == "a file":
        return settings
    server = request.getfixturevalue("postgres_server").url()
    return msgspec.structs.replace(settings, store=server, store_schema=f"test_{uuid4().hex}")


def test_they_are_made_before_anybody_asks_and_outlast_a_restart(
    stored: Settings, serve: Any, until: Callable[[Callable[[], Any]], Any]
) -> None:
    with serve(stored) as client:
        client.post("/api/articles", json=[bridge("Osprey"), bridge("Heron")]).raise_for_status()
        with closing(records_of(stored)) as database:
            (name,) = until(lambda: kept_names(database))
            made = until(lambda: (found := kept(database, name=name)) and found.questions and found)
        first = begin(client)
        assert [one["question"] for one in first["starters"]] == [one.question for one in made.questions]
    with serve(stored, load=unanswering) as client:
        assert client.get("/api/starters").json() == first, "at once, and none of them is tried again"
        assert questions(client, collection="elsewhere") == []


def test_while_others_are_tried_those_stay_whose_words_still_stand(settings: Settings, serve: Any) -> None:
    with serve(settings) as client:
        client.post("/api/articles", json=[bridge("Osprey"), bridge("Heron")]).raise_for_status()
        assert {"Osprey", "Heron"} <= set(" ".join(questions(client)).split())
    asked = threading.Event()

    def waiting(settings: Settings) -> Parts:
        class Slow:
            async def events(self, *_: Any, **__: Any) -> Any:
                asked.set()
                await asyncio.sleep(3600)
                yield

        slow: Any = Slow()
        return msgspec.structs.replace(load(settings), answering=slow)

    with serve(settings, load=waiting) as client:
        changed = bridge("Osprey") | {"text": "The Osprey Bridge in Velda was built in 1912."}
        client.post("/api/articles", json=changed).raise_for_status()
        found = client.get("/api/starters").json()
        assert asked.wait(60)
        offered = [one["question"] for one in found["starters"]]
        assert offered, "a reader does not wait"
        assert all("Heron" in one for one in offered), "what was changed is not offered"
        assert not found["complete"]


def test_what_another_reader_made_is_made_anew(settings: Settings, serve: Any) -> None:
    with serve(settings) as client:
        client.post("/api/articles", json=[bridge("Osprey")]).raise_for_status()
        assert questions(client)
    asked: list[str] = []

    def other(settings: Settings) -> Parts:
        parts = load(settings)

        class Noting:
            async def events(self, question: Any, **more: Any) -> Any:
                asked.append(question.question)
                async for event in parts.answering.events(question, **more):
                    yield event

        noting: Any = Noting()
        return msgspec.structs.replace(parts, answering=noting, made_by="another reader")

    with serve(settings, load=other) as client:
        assert questions(client)
    assert asked
