"""Two tenants of one service, each with keys and pages for its own collection: neither learns anything of the other.

Random acts of both, in random order or at the same time, against the whole application. Each tenant's replies must be
those it gets where there is no other, and hold no word of the other's. `make tenants` runs 2,000 interleavings.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from qa.question.understanding import Speller
from qa.server.app import create_app
from qa.server.run import load
from qa.server.service import Service
from qa.settings import Settings

INTERLEAVINGS = {kind: int(os.environ.get("TENANTS", few)) for kind, few in (("folder", "4"), ("server", "1"))}
"""By the kind of store."""
FIRST = int(os.environ.get("TENANTS_FIRST", "0"))
"""A long run can be done in pieces: each interleaving follows from its number alone."""
SEED = 20261129
ACTS = 8
"""Of each tenant, in one interleaving."""
MARKS = {"north": "quorn", "south": "zelph"}
"""In every word that a tenant alone writes; nobody else ever sends it."""
NAMES = ["An", "Bor", "Cal", "Dor", "Em", "Far"]
FACTS = [
    ("Mayor elected", "The mayor of Velda is {name}.", "Who is the mayor of Velda?"),
    ("Harbour sold", "The harbour of Velda was bought by {name}.", "Who bought the harbour of Velda?"),
    ("Bridge built", "The bridge of Velda was built by {name} in 19{year}.", "When was the bridge of Velda built?"),
    ("Resident", "{name} lives in the old harbour of Velda.", "Who lives in the harbour of Velda?"),
    ("Ferries", "The ferry {name} carried {year} people to Velda.", "How many people did the ferry carry to Velda?"),
]
CHANCE = re.compile(r"(?:conv|ans)_[\w-]+|[0-9a-f]{32}|st1\.[\w.-]+")
"""Ids that are drawn at random."""
DRAWN = frozenset(
    {
        "timings_ms",
        "seconds",
        "job_id",
        "sig",
        "expires_at",
        "asked_at",
        "begun_at",
        "updated_at",
        "given_at",
        "as_of",
        "created",
    }
    | {"number", "next"}
)
"""Times and chance; and numbers that order what all have said (docs/access.md)."""


class Reply:
    """What the application answered."""

    def __init__(self) -> None:
        self.status_code = 0
        self.headers: dict[str, str] = {}
        self.content = b""

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


class Client:
    """Calls the application as its server does: of a request's time, httpx takes a third, and there are many."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def request(
        self, method: str, path: str, *, headers: dict[str, str], params: dict[str, str] | None = None, json: Any = None
    ) -> Reply:
        place, _, query = path.partition("?")
        body = b"" if json is None else msgspec.json.encode(json)
        said = {"host": "service.example", "content-type": "application/json", "content-length": str(len(body))}
        asked = urlencode(params) if params else query
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": place, "raw_path": place.encode(), "query_string": asked.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in {**said, **headers}.items()],
            "client": ("127.0.0.1", 4711), "server": ("service.example", 80), "root_path": "", "state": {},
        }  # fmt: skip
        reply, ended, left = Reply(), asyncio.Event(), [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if left:
                return left.pop()
            await ended.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                reply.status_code = message["status"]
                reply.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
                return
            reply.content += message.get("body", b"")
            if not message.get("more_body"):
                ended.set()

        await self._app(scope, receive, send)
        return reply


class Tenant:
    """One tenant: its desk, which has a key, a reader of its page, and the ids of what they made."""

    def __init__(self, name: str, client: Client, *, other: Tenant | None = None) -> None:
        self.name = name
        self.client = client
        self.key = {"authorization": f"Bearer {secret(name)}"}
        self.answers: list[tuple[bool, str]] = []
        """With each, whether the reader asked."""
        self.conversations: list[tuple[bool, str]] = []
        self.links: list[str] = []
        self._token: dict[str, str] | None = None
        self.other = other
        """Whose ids it tries, where there is anybody."""

    async def send(self, method: str, path: str, *, reader: bool = False, **more: Any) -> Any:
        """What a reply tells, without what is drawn by lot; it must hold nothing of anybody else."""
        response = await self.client.request(method, path, headers=await self.credential(reader=reader), **more)
        for name, mark in MARKS.items():
            assert name == self.name or mark not in response.text.casefold(), (path, response.text)
        assert response.status_code < 500, (path, response.text)
        plain = response.headers.get("content-type", "").startswith("text/html")
        read = response.text if plain else response.json() if response.content else None
        if isinstance(read, dict) and "claims" in read:
            self.answers.append((reader, read["id"]))
            if (reader, read["conversation_id"]) not in self.conversations:
                self.conversations.append((reader, read["conversation_id"]))
        if isinstance(read, dict) and "sig" in read:
            self.links.append(f"/api/answers/{read['answer_id']}?sig={read['sig']}")
        return [response.status_code, told(read)]

    async def credential(self, *, reader: bool) -> dict[str, str]:
        """The key, or a token that the page's back end gets for its reader."""
        if not reader:
            return self.key
        if self._token is None:
            wanted = {"origin": f"https://{self.name}.example", "subject": "reader"}
            found = (await self.client.request("POST", "/api/tokens", json=wanted, headers=self.key)).json()
            assert found["collection"] == self.name
            self._token = {"origin": found["origin"], "authorization": f"Bearer {found['token']}"}
        return self._token

    async def clear(self) -> None:
        """Leave nothing behind, so that the next time begins as the first."""
        await self._delete_all("articles", "?kept_back=true", by=self.key)
        for reader in (False, True):
            await self._delete_all("conversations", "?limit=200", by=await self.credential(reader=reader))

    async def _delete_all(self, what: str, query: str, *, by: dict[str, str]) -> None:
        for one in (await self.client.request("GET", f"/api/{what}{query}", headers=by)).json()[what]:
            gone = await self.client.request("DELETE", f"/api/{what}/{one['id']}", headers=by)
            assert gone.status_code == 204, gone.text


def secret(name: str) -> str:
    return f"key-of-{name}-0123456789"


def told(read: Any) -> Any:
    if isinstance(read, dict):
        return {name: told(value) for name, value in read.items() if name not in DRAWN}
    if isinstance(read, list):
        return [told(value) for value in read]
    return CHANCE.sub("#", read) if isinstance(read, str) else read


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """One act, with everything drawn that it needs: done again by the same tenant, it is the same."""

    kind: str
    fact: tuple[str, str]
    """Title and text of an article."""
    question: str
    number: int
    reader: bool
    """Whether the reader of the page acts."""
    foreign: bool
    """Whether it tries what is the other's."""
    back: int
    """Which of the last ids it means."""


KINDS = {
    "add": 8, "delete": 2, "ask": 6, "follow": 2, "search": 2, "check": 1, "chat": 2, "read": 3, "list": 3,
    "history": 3, "feedback": 4, "answer": 3, "widget": 2, "refused": 1,
}  # fmt: skip


def drawn(draw: random.Random, name: str) -> Drawn:
    who, (title, text, question) = draw.choice(NAMES) + MARKS[name], draw.choice(FACTS)
    if draw.random() < 0.3:  # misspelt, and nearest to a name of one of them
        question = f"Where does {draw.choice(NAMES)}{draw.choice(list(MARKS.values()))[:-1]} live?"
    return Drawn(
        kind=draw.choices(list(KINDS), weights=list(KINDS.values()))[0],
        fact=(f"{title}: {who}", text.format(name=who, year=draw.randrange(10, 99))),
        question=question,
        number=draw.randrange(4),
        reader=draw.random() < 0.5,
        foreign=draw.random() < 0.4,
        back=draw.randrange(1, 4),
    )


async def done(act: Drawn, tenant: Tenant) -> Any:
    """Do it; all that the tenant is told."""
    return await ACTING[act.kind](act, tenant)


def an_id(act: Drawn, tenant: Tenant, made: str) -> tuple[bool, str]:
    """Who may see it and what it is called: one of the last things of the tenant or the other; else made up."""
    whose = tenant.other if act.foreign else tenant
    found = [] if whose is None else getattr(whose, made)
    reader, name = found[-act.back] if len(found) >= act.back else (act.reader, "ans_none")
    return (act.reader if act.foreign else reader), name


def an_article(act: Drawn, tenant: Tenant) -> str:
    """An id that both give; the other's in full, or one's own, or as it was given."""
    whose = next(name for name in MARKS if name != tenant.name) if act.foreign else tenant.name
    return f"/api/articles/a{act.number}" if act.back == 1 else f"/api/articles/{whose}!a{act.number}"


async def add(act: Drawn, tenant: Tenant) -> Any:
    (title, text), who = act.fact, act.fact[0].partition(": ")[2]
    article = {"id": f"a{act.number}", "title": title, "text": text, "source": f"The {who} Post"}
    if act.number == 3:  # at the address where the other's stands, too, of the same day
        article = {"url": "https://wire.example/velda", "title": title, "text": text, "published_at": "2024-06-04"}
    return await tenant.send("POST", "/api/articles", json=article)


async def ask(act: Drawn, tenant: Tenant) -> Any:
    return await tenant.send("POST", "/api/ask", reader=act.reader, json={"question": act.question, "store": True})


async def follow(act: Drawn, tenant: Tenant) -> Any:
    reader, named = an_id(act, tenant, "conversations")
    asked = {"question": "When was it?" if act.number % 2 else act.question, "conversation_id": named}
    return await tenant.send("POST", "/api/ask", reader=reader, json=asked)


async def search(act: Drawn, tenant: Tenant) -> Any:
    asked: dict[str, Any] = {"question": act.question}
    if act.back == 1:
        asked["filters"] = {"article_ids": [an_article(act, tenant).rpartition("/")[2]]}
    return await tenant.send("POST", "/api/search", reader=act.reader, json=asked)


async def check(act: Drawn, tenant: Tenant) -> Any:
    return await tenant.send("POST", "/api/check", json={"text": act.fact[1]})


async def chat(act: Drawn, tenant: Tenant) -> Any:
    asked = {"model": "sourceline-links", "messages": [{"role": "user", "content": act.question}]}
    return await tenant.send("POST", "/v1/chat/completions", json=asked)


async def read(act: Drawn, tenant: Tenant) -> Any:
    place = an_article(act, tenant)
    found = await tenant.send("GET", place, reader=act.reader, params={"kept_back": "true"})
    return [found, await tenant.send("GET", place.removeprefix("/api"))]


async def delete(act: Drawn, tenant: Tenant) -> Any:
    return await tenant.send("DELETE", an_article(act, tenant))


async def listed(act: Drawn, tenant: Tenant) -> Any:
    found = await tenant.send("GET", "/api/articles", params={"kept_back": "true", "limit": str(act.number + 1)})
    known = await tenant.send("GET", "/health/ready")
    return [found, known, await tenant.send("GET", "/api/feedback", params={"limit": "200"})]


async def history(act: Drawn, tenant: Tenant) -> Any:
    reader, named = an_id(act, tenant, "conversations")
    listed = await tenant.send("GET", "/api/conversations", reader=reader)
    return [listed, await tenant.send("GET", f"/api/conversations/{named}", reader=reader)]


async def feedback(act: Drawn, tenant: Tenant) -> Any:
    reader, named = an_id(act, tenant, "answers")
    said = {"verdict": "up" if act.number % 2 else "down", "comment": act.fact[0]}
    given = await tenant.send("POST", f"/api/answers/{named}/feedback", reader=reader, json=said)
    return [given, await tenant.send("GET", "/api/feedback", params={"limit": "200"})]


async def answer(act: Drawn, tenant: Tenant) -> Any:
    reader, named = an_id(act, tenant, "answers")
    place = f"/api/answers/{named}"
    found = [
        await tenant.send("GET", place, reader=reader),
        await tenant.send("GET", f"{place}/changes", reader=reader),
    ]
    found.append(await tenant.send("POST", f"{place}/link", reader=reader))
    whose = tenant.other if act.foreign else tenant
    link = whose.links[-1] if whose is not None and whose.links else "/api/answers/ans_none?sig=x"
    return [*found, await tenant.send("GET", link, reader=act.reader)]


async def widget(act: Drawn, tenant: Tenant) -> Any:
    while not (found := await tenant.send("GET", "/api/starters", reader=act.reader))[1]["complete"]:
        await asyncio.sleep(0)
    return found


async def refused(act: Drawn, tenant: Tenant) -> Any:
    foreign = next(name for name in MARKS if name != tenant.name)
    asked = {"question": act.question, "collection": foreign}
    article = {"id": "x", "text": act.fact[1], "collection": foreign}
    found = [await tenant.send("POST", "/api/ask", reader=act.reader, json=asked)]
    found.append(await tenant.send("POST", "/api/articles", json=article))
    found.append(await tenant.send("GET", "/metrics"))
    assert [status for status, _ in found] == [403, 403, 403]
    return found


ACTING: dict[str, Callable[[Drawn, Tenant], Awaitable[Any]]] = {
    "add": add, "delete": delete, "ask": ask, "follow": follow, "search": search, "check": check, "chat": chat,
    "read": read, "list": listed, "history": history, "feedback": feedback, "answer": answer, "widget": widget,
    "refused": refused,
}  # fmt: skip


def world(folder: Path, *, store: str = "") -> Settings:
    hashes = {name: hashlib.sha256(secret(name).encode()).hexdigest() for name in MARKS}
    return Settings(
        data_dir=folder,
        store=store,
        store_schema="tenants",
        encoder="hashing",
        reader="words",
        visitor_rate=0,
        api_keys=",".join(f"{name}:sha256:{digest}:ask+ingest+admin:{name}" for name, digest in hashes.items()),
        allowed_origins=",".join(f"https://{name}.example" for name in MARKS),
    )


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Client]:
    app = create_app(Service(settings, load=load))
    async with app.lifespan():
        yield Client(app)


async def alone(name: str, acts: Sequence[Drawn], client: Client) -> list[Any]:
    """What a tenant is told where there is no other."""
    tenant = Tenant(name, client)
    found = [await done(act, tenant) for act in acts]
    await tenant.clear()
    return found


async def beside_each_other(acts: dict[str, list[Drawn]], client: Client, draw: random.Random) -> dict[str, list[Any]]:
    """What both are told, one after the other's act in random order, or each as fast as it can."""
    tenants = {name: Tenant(name, client) for name in acts}
    for name, tenant in tenants.items():
        tenant.other = next(one for other, one in tenants.items() if other != name)
    found: dict[str, list[Any]] = {name: [] for name in acts}

    async def go_on(name: str) -> None:
        found[name].append(await done(acts[name][len(found[name])], tenants[name]))

    async def all_of(name: str) -> None:
        for _ in acts[name]:
            await go_on(name)

    if draw.random() < 0.25:
        await asyncio.gather(*map(all_of, acts))
    else:
        turns = [name for name, of_one in acts.items() for _ in of_one]
        draw.shuffle(turns)
        for name in turns:
            await go_on(name)
    for tenant in tenants.values():
        await tenant.clear()
    return found


@pytest.mark.parametrize("kind", ["folder", "server"])
def test_neither_tenant_learns_anything_of_the_other(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = request.getfixturevalue("postgres_server").url() if kind == "server" else ""
    monkeypatch.setattr(Speller, "_is_word", lambda *_: False)  # the encoder of tests knows every word
    seen: set[tuple[str, int]] = set()

    async def go() -> None:
        async with running(world(tmp_path, store=store)) as client:
            for number in range(FIRST, FIRST + INTERLEAVINGS[kind]):
                draw = random.Random(f"{SEED} {number}")
                acts = {name: [drawn(draw, name) for _ in range(ACTS)] for name in MARKS}
                expected = {name: await alone(name, acts[name], client) for name in MARKS}
                found = await beside_each_other(acts, client, draw)
                for name in MARKS:
                    for act, told_alone, told_beside in zip(acts[name], expected[name], found[name], strict=True):
                        assert told_beside == told_alone, (number, name, act)
                        seen.add((act.kind, told_beside[0] if isinstance(told_beside[0], int) else told_beside[0][0]))

    asyncio.run(go())
    assert {("add", 200), ("ask", 200)} <= seen
