"""Every way in which a model fails × stream and not × seeds, through the whole service; and readers who leave.

Whatever happens: an answer in which every sentence and every citation is right, or a typed error, in time, and nothing
left open. `make faults` runs it with 20 seeds and 200 readers who leave; here it is one seed, and 20.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, aclosing, contextmanager
from datetime import date, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from qa.generators import Delta, Finish, Message, load_generator
from qa.server.http.problems import Problem
from qa.settings import Settings
from qa.types import Answer, Citation, ClaimEvent

pytestmark = pytest.mark.slow

SEEDS = int(os.environ.get("FAULT_SEEDS", "1"))
LEAVING = int(os.environ.get("FAULT_READERS", "20"))
SECONDS = 3.0
AT_ONCE = 8
QUESTION = "When will the old bridge over the Tamar be repaired, and what does the work cost?"
TRUE = ["The old bridge over the Tamar will be repaired this autumn.", "The work costs 3 million crowns."]
ALSO_TRUE = ["It was shut for days."]
"""What the looping model says is in an article too."""
FALSE = ["The work costs 9 million crowns.", "The mayor of Tamar resigned over the old bridge on Monday."]
GOOD = ("good", "whole", "bytewise", "picky")
"""Kinds in which nothing is wrong."""
USABLE = (*GOOD, "endless", "loop", "too-long", "content-filter")
"""Kinds of which at least the beginning can be used."""
TIME_IS_UP = "/problems/deadline-exceeded"
"""A typed error is allowed, where the machine has no time even for extraction; it must stay rare."""
_DAY_ONE, _LATER_FROM = date(2031, 1, 1), date(2041, 1, 1)
LATER = "#later"
"""Marks a kind in which the model is well when it is asked first, but says nothing true; it fails when asked again."""


def compose(messages: Sequence[dict[str, str]]) -> str:
    """What a model writes that tells the truth, with its source, and lies in between; or only lies."""
    prompt = messages[-1]["content"]
    sources = re.findall(r"source \[([A-Z]+\d+)\](?=[^\[]*old bridge)", prompt)
    if sources and asked_on(prompt) >= _LATER_FROM:
        return " ".join(FALSE)
    mark = f" [{sources[0]}]" if sources else ""
    return " ".join(f"{said[:-1]}{mark}." for said in (TRUE[0], FALSE[0], TRUE[1], FALSE[1]))


def asked_on(prompt: str) -> date:
    """The question's date, which stands for the kind of failure."""
    return date.fromisoformat(re.findall(r"Today is (\d{4}-\d\d-\d\d)\.", prompt)[-1])


class Switch:
    """A generator per kind of failure, all behind the real guard; the question's date says which one is asked."""

    model = "switch"
    context_tokens = 4096
    reads_documents = False

    def __init__(self, server: Any, kinds: Sequence[str]) -> None:
        self._server = server
        self.kinds = kinds
        self.made: dict[str, Any] = {}
        self.loop: asyncio.AbstractEventLoop | None = None

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AsyncGenerator[Delta | Finish, None]:
        self.loop = asyncio.get_running_loop()
        prompt = messages[-1].content
        day = asked_on(prompt)
        kind = self.kinds[(day - (_DAY_ONE if day < _LATER_FROM else _LATER_FROM)).days]
        if day >= _LATER_FROM and "] ==" in prompt:
            kind = "good@0"
        if kind not in self.made:  # the SDK is imported by then, so this takes milliseconds
            settings = Settings(llm_base_url=self._server.address(kind), llm_model=kind, llm_concurrency=50)
            self.made[kind] = load_generator(settings)
        stream = self.made[kind].stream(messages, max_tokens=max_tokens, deadline=deadline)
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        for one in self.made.values():
            await one.close()

    def as_of(self, kind: str) -> str:
        bare = kind.removesuffix(LATER)
        return ((_DAY_ONE if bare == kind else _LATER_FROM) + timedelta(days=self.kinds.index(bare))).isoformat()

    def busy(self) -> int:
        return sum(one.busy for one in self.made.values())

    def tasks(self) -> int:
        """Tasks on the service's event loop."""
        assert self.loop is not None
        counted = asyncio.run_coroutine_threadsafe(count_tasks(), self.loop)
        return counted.result(10)


async def count_tasks() -> int:
    return sum(task is not asyncio.current_task() for task in asyncio.all_tasks())


@pytest.fixture(scope="module")
def model(faults: Any) -> Iterator[Any]:
    """The faulty server, shared by this module."""
    with faults.FaultyModel() as server:
        server.compose = compose
        load_generator(Settings(llm_base_url=server.address()))  # imports the SDK
        yield server


Serving = Callable[[float], AbstractContextManager[tuple[httpx.Client, Switch]]]


@pytest.fixture(scope="module")
def serving(serve: Any, model: Any, faults: Any, articles: Any, tmp_path_factory: pytest.TempPathFactory) -> Serving:
    """The service with that model, its articles, and so many seconds for a question."""

    @contextmanager
    def begin(seconds: float) -> Iterator[tuple[httpx.Client, Switch]]:
        switch = Switch(model, [f"{kind}@{seed}" for kind in faults.KINDS for seed in range(max(SEEDS, 1))])
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("faults"),
            encoder="hashing",
            reader="words",
            deadline_seconds=seconds,
            max_queue=31,
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("qa.assembly.load_generator", lambda _: switch)
            with serve(settings) as client:
                client.post("/api/articles", json=articles).raise_for_status()
                # The first question loads what the others use, which may take longer than its time.
                warm = (read(client, as_of=switch.as_of("good@0"), stream=True)[0] for _ in range(20))
                assert any(isinstance(answer, Answer) for answer in warm)
                yield client, switch

    return begin


@pytest.fixture(scope="module")
def patient(serving: Serving) -> Iterator[tuple[httpx.Client, Switch]]:
    """A service in which no question runs out of time, however busy the machine."""
    with serving(300.0) as found:
        yield found


def read(client: httpx.Client, *, as_of: str, stream: bool) -> tuple[Answer | Problem, float]:
    """The answer, its parts held against each other, or the typed error in its place; and how long it took."""
    body = {"question": QUESTION, "as_of": as_of, "stream": stream}
    begun = time.monotonic()
    response = client.post("/api/ask", json=body)
    seconds = time.monotonic() - begun
    if response.status_code != 200:
        return msgspec.json.decode(response.content, type=Problem), seconds
    if not stream:
        return msgspec.json.decode(response.content, type=Answer), seconds
    blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in response.text.strip().split("\n\n")]
    if blocks[-1]["event"] == "error":
        return msgspec.json.decode(blocks[-1]["data"], type=Problem), seconds
    answer = msgspec.json.decode(blocks[-1]["data"], type=Answer)
    claims = [msgspec.json.decode(block["data"], type=ClaimEvent) for block in blocks[1:-1] if "event" in block]
    assert tuple(event.claim for event in claims) == answer.claims
    assert tuple(one for event in claims for one in event.citations) == answer.citations
    return answer, seconds


class Heartbeat(threading.Thread):
    """Notes for how long this process was not given a processor: on a shared machine that time is nobody's fault."""

    def __init__(self) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._beats: list[tuple[float, float]] = []
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.is_set():
            begun = time.monotonic()
            time.sleep(0.02)
            self._beats.append((begun, time.monotonic() - begun - 0.02))

    def lost(self, since: float) -> float:
        return sum(late for begun, late in self._beats if begun >= since - 0.05)

    def __enter__(self) -> Heartbeat:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self.join()


def check(client: httpx.Client, answer: Answer | Problem) -> Answer:
    """Only what the articles say, each sentence with the exact words that say so."""
    assert isinstance(answer, Answer), answer
    assert answer.answer_mode in {"generated", "extractive"}
    assert answer.answer == " ".join(claim.text for claim in answer.claims)
    cited = {citation.id: citation for citation in answer.citations}
    for claim in answer.claims:
        assert claim.text in TRUE + ALSO_TRUE, "a sentence that was not verified"
        assert claim.verdict == "supported"
        assert claim.citation_ids
        assert claim.text in {cited[one].cited_text for one in claim.citation_ids}
    for citation in answer.citations:
        assert_exact(client, citation)
    return answer


def assert_exact(client: httpx.Client, citation: Citation) -> None:
    address = f"/api/articles/{citation.article_id}?version={citation.article_version}"
    text = client.get(address).json()["text"]
    assert text[citation.start_char_index : citation.end_char_index] == citation.cited_text


def at_rest(switch: Switch, *, tasks: int) -> bool:
    """Whether the service is back where it was before long."""
    until = time.monotonic() + 120
    while (switch.busy() or switch.tasks() > tasks) and time.monotonic() < until:
        time.sleep(0.01)
    return not switch.busy() and switch.tasks() <= tasks


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("kind", GOOD)
def test_where_nothing_is_wrong_the_truth_is_shown_and_nothing_else(
    patient: tuple[httpx.Client, Switch], kind: str, stream: bool
) -> None:
    client, switch = patient
    answer = check(client, read(client, as_of=switch.as_of(f"{kind}@0"), stream=stream)[0])
    assert (answer.answer_mode, answer.fallback_reason) == ("generated", None)
    assert [claim.text for claim in answer.claims] == TRUE
    assert answer.usage.sentences_dropped == len(FALSE)


def second_requests(model: Any) -> list[Any]:
    return [asked for asked in model.asked if "sentences\n1. " in asked["messages"][-1]["content"]]


@pytest.fixture
def hurried(serving: Serving) -> Iterator[tuple[httpx.Client, Switch]]:
    """A service in which a model that hangs is not waited for long."""
    with serving(SECONDS) as found:
        yield found


def test_every_fault(hurried: tuple[httpx.Client, Switch], model: Any, faults: Any) -> None:
    faulty, switch = hurried
    read(faulty, as_of=switch.as_of("good@0"), stream=True)
    tasks = switch.tasks()
    cases = [(kind, stream) for kind in switch.kinds for stream in (False, True)]
    cases += [(f"{kind}{LATER}", bool(number % 2)) for number, kind in enumerate(switch.kinds)]
    random.Random(7).shuffle(cases)
    asked_again = len(second_requests(model))
    wrong: list[str] = []
    too_late: list[str] = []

    def one(case: tuple[str, bool]) -> None:
        kind, stream = case
        try:
            answer, seconds = read(faulty, as_of=switch.as_of(kind), stream=stream)
            while isinstance(answer, Problem) and answer.type == "/problems/overloaded":
                time.sleep(0.1)  # turned away at once, for those before it take long: as a reader would, it comes again
                answer, seconds = read(faulty, as_of=switch.as_of(kind), stream=stream)
            assert seconds < 10 * SECONDS, f"took {seconds:.2f} s"
            if isinstance(answer, Problem) and answer.type == TIME_IS_UP:
                too_late.append(f"{kind}, {'stream' if stream else 'whole'}")
                return
            answer = check(faulty, answer)
            if kind.partition("@")[0] not in USABLE:
                assert answer.fallback_reason is not None
        except AssertionError as error:
            wrong.append(f"{kind}, {'stream' if stream else 'whole'}: {error}")

    all_begun = time.monotonic()
    with Heartbeat() as beat, ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, cases))
    assert not wrong, "\n".join(wrong)
    idle_machine = beat.lost(all_begun) < (time.monotonic() - all_begun) / 5
    assert not (idle_machine and len(too_late) > len(cases) / 20), f"no answer in time: {too_late}"
    assert len({kind.partition("@")[0] for kind, _ in cases}) >= 24
    unreached = sum(kind.startswith(faults.ELSEWHERE) for kind in switch.kinds)
    again = len(second_requests(model)) - asked_again
    assert again >= (len(switch.kinds) - unreached) / 2 or not idle_machine, "a busy one has no time for a second draft"
    assert at_rest(switch, tasks=tasks)
    assert model.wait_closed()


@pytest.mark.parametrize("stream", [True, False])
def test_readers_who_leave(patient: tuple[httpx.Client, Switch], model: Any, hanging_up: Any, stream: bool) -> None:
    """Each in the middle of a draft; the model's connection is closed, every permit is back."""
    client, switch = patient
    read(client, as_of=switch.as_of("good@0"), stream=True)
    tasks = switch.tasks()
    body = {"question": QUESTION, "as_of": switch.as_of("stall@0"), "stream": stream}
    for _ in range(LEAVING // 2):
        with hanging_up(client, body):
            assert model.wait_accepted(model.accepted + 1)
        assert model.wait_closed()
    assert at_rest(switch, tasks=tasks)
    # More readers than permits left; if they had kept theirs, nobody would be answered now.
    check(client, read(client, as_of=switch.as_of("good@0"), stream=stream)[0])


def test_readers_who_leave_during_a_second_draft(
    patient: tuple[httpx.Client, Switch], model: Any, hanging_up: Any
) -> None:
    client, switch = patient
    read(client, as_of=switch.as_of("good@0"), stream=True)
    tasks = switch.tasks()
    body = {"question": QUESTION, "as_of": switch.as_of(f"stall@0{LATER}"), "stream": True}
    for _ in range(LEAVING // 4):
        with hanging_up(client, body):
            assert model.wait_accepted(model.accepted + 2)
        assert model.wait_closed()
    assert at_rest(switch, tasks=tasks)
    check(client, read(client, as_of=switch.as_of("good@0"), stream=True)[0])
