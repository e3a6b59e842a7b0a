"""Four times what it can do, at a fixed rate whatever comes back: what is too much is refused, the rest served."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from qa.settings import Settings

_WORK_SECONDS = 0.03
_SECONDS = 1.5
_WAITING = 8
_BODY = b'{"question": "Where?"}'
_HEAD = b"POST /api/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"


def test_four_times_the_load(
    serve: Any, tmp_path: Any, saying: Any, record_property: Callable[[str, object], None]
) -> None:
    """What it took is told, and bounded by itself alone: the machine may be busy."""
    settings = Settings(data_dir=tmp_path, encoder="hashing", reader="words", max_queue=_WAITING, deadline_seconds=120)
    with serve(settings, load=saying(lambda: time.sleep(_WORK_SECONDS))) as client:
        start = time.monotonic()
        for _ in range(15):
            client.post("/api/search", content=_BODY, headers={"content-type": "application/json"}).raise_for_status()
        capacity = 15 / (time.monotonic() - start)
        sent = asyncio.run(open_loop(client, rate=4 * capacity))
        assert client.post("/api/search", json={"question": "Where?"}).status_code == 200
    statuses = Counter(status for status, _, _ in sent)
    refused = sorted(seconds for status, seconds, _ in sent if status == 503)
    served = sorted(seconds for status, seconds, _ in sent if status == 200)
    for name, value in (
        ("capacity per second", round(capacity, 1)),
        ("statuses", dict(statuses)),
        ("refused p50", refused[len(refused) // 2]),
        ("refused p99", refused[int(len(refused) * 0.99)]),
        ("served p99", served[int(len(served) * 0.99)]),
    ):
        record_property(name, value)
    assert set(statuses) == {200, 503}, "nothing else, and no connection cut"
    assert all(b"retry-after: 1\r\n" in head.lower() for status, _, head in sent if status == 503)
    assert statuses[200] > _WAITING, "whatever was admitted is served"
    assert refused[len(refused) // 2] < served[len(served) // 2], "who is refused does not wait for the others"


def test_who_would_wait_too_long_is_refused_at_once(
    serve: Any, tmp_path: Path, saying: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number that may wait is not reached by far; half of the deadline is: each is said to take ten seconds."""
    settings = Settings(data_dir=tmp_path, encoder="hashing", reader="words", max_queue=100, deadline_seconds=200)
    monkeypatch.setattr("qa.server.worker.perf_counter", partial(next, count(0.0, 10.0)))
    go = threading.Event()

    async def burst(host: str, port: int) -> list[tuple[int, float, bytes]]:
        answers = []
        for answer in asyncio.as_completed([exchange(host, port) for _ in range(40)]):
            answers.append(await answer)
            if len(answers) == 30:
                go.set()
        return answers

    with serve(settings, load=saying(lambda: go.wait(120) and None)) as client:
        go.set()
        for _ in range(2):
            assert client.post("/api/search", json={"question": "Where?"}).status_code == 200
        go.clear()
        sent = asyncio.run(burst(str(client.base_url.host), client.base_url.port or 80))
        owed = re.search(r"^sourceline_questions_owed_seconds (\S+)$", client.get("/metrics").text, re.MULTILINE)
    assert [status for status, _, _ in sent] == [503] * 30 + [200] * 10
    assert all(re.search(rb"retry-after: [1-9]", head.lower()) for status, _, head in sent if status == 503)
    assert owed is not None
    assert float(owed[1]) == pytest.approx(0, abs=1e-6)


async def open_loop(client: httpx.Client, *, rate: float) -> list[tuple[int, float, bytes]]:
    """Status, seconds and head of every answer; a request is sent when its time has come, not when another is done."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    tasks = []
    for number in range(int(rate * _SECONDS)):
        await asyncio.sleep(max(0.0, start + number / rate - loop.time()))
        tasks.append(asyncio.create_task(exchange(str(client.base_url.host), client.base_url.port or 80)))
    return await asyncio.gather(*tasks)


async def exchange(host: str, port: int) -> tuple[int, float, bytes]:
    start = time.monotonic()
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(_HEAD + b"Content-Length: %d\r\n\r\n" % len(_BODY) + _BODY)
    answer = await asyncio.wait_for(reader.read(), 120)
    writer.close()
    head = answer.partition(b"\r\n\r\n")[0] + b"\r\n"
    return int(head.split(b" ", 2)[1]), time.monotonic() - start, head
