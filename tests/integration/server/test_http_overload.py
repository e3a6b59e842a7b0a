"""Four times what it can do, at a fixed rate whatever comes back: what is too much is refused fast, the rest served."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

from qa.settings import Settings

_WORK_SECONDS = 0.03
_SECONDS = 3.0
_WAITING = 8
_BODY = b'{"question": "Where?"}'
_HEAD = b"POST /api/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"


def test_four_times_the_load(
    serve: Any, tmp_path: Any, saying: Any, record_property: Callable[[str, object], None]
) -> None:
    """The bounds leave room for a machine that others use as well; at rest a refusal takes a few milliseconds."""
    settings = Settings(data_dir=tmp_path, encoder="hashing", max_queue=_WAITING)
    with serve(settings, load=saying(lambda: time.sleep(_WORK_SECONDS))) as client:
        start = time.monotonic()
        for _ in range(15):
            client.post("/api/search", content=_BODY, headers={"content-type": "application/json"}).raise_for_status()
        capacity = 15 / (time.monotonic() - start)
        sent = asyncio.run(open_loop(client, rate=4 * capacity))
        recovered = time.monotonic()
        assert client.post("/api/search", json={"question": "Where?"}).status_code == 200
        recovered = time.monotonic() - recovered
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
    assert statuses[200] >= 0.7 * capacity * _SECONDS
    assert refused[len(refused) // 2] < 0.1
    assert refused[int(len(refused) * 0.95)] < 0.5
    assert served[int(len(served) * 0.95)] < 3 * (_WAITING + 1) * _WORK_SECONDS + 0.5
    assert recovered < 2


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
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    head = answer.partition(b"\r\n\r\n")[0] + b"\r\n"
    return int(head.split(b" ", 2)[1]), time.monotonic() - start, head
