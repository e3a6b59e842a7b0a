"""An OpenAI-compatible server that fails on purpose: the model's name says how, raw sockets make broken bytes possible.

`stall@3` asks for the kind `stall` with seed 3: where it cuts, and into which pieces, follows from the seed. Tests get
it through the fixture `faulty_model`.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

GOOD = "The harbour of Velda reopened on Monday. About 4,200 people work there. It was shut for days – no ferry ran."
STATUSES = {
    "unauthorised": 401,
    "forbidden": 403,
    "no-model": 404,
    "request-timeout": 408,
    "rate-limited": 429,
    "rate-limited-bare": 429,
    "bad-request": 400,
    "server-error": 500,
    "overloaded": 503,
    "gateway": 502,
}
PICKY = {"max_tokens": ", use 'max_completion_tokens'", "stream_options": "", "temperature": ""}
"""What some models refuse, and what they say to it."""
ELSEWHERE = ("refused", "dns", "tls", "tls-silence")
"""Kinds that never get as far as a request; `address` makes them."""


class FaultyModel:
    """The server, on a thread and an event loop of its own; `with` starts and stops it."""

    provider = "openai"
    """As the setting QA_LLM_PROVIDER calls it."""
    statuses = STATUSES
    picky = frozenset(PICKY)

    def __init__(self) -> None:
        self.compose: Callable[[list[dict[str, str]]], str] = lambda _: GOOD
        """What a model would write to these messages, before anything goes wrong."""
        self.asked: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        """The same as it was sent."""
        self.keys: list[str] = []
        self.heads: list[tuple[str, dict[str, str]]] = []
        """Path and headers of each request."""
        self.accepted = 0
        self.open = 0
        self.pace = 0.0
        """Seconds between two pieces of the draft."""
        self.port = self.mute_port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="faulty-model", daemon=True)
        self._listening = threading.Event()

    def __enter__(self) -> FaultyModel:
        self._thread.start()
        assert self._listening.wait(120)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(120)
        assert not self._thread.is_alive()

    def address(self, kind: str = "good") -> str:
        """The base URL under which a kind is found."""
        if kind.startswith("refused"):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                return f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        if kind.startswith("dns"):
            return "http://no-such-host.invalid:8080/v1"
        if kind.startswith("tls-silence"):
            return f"https://127.0.0.1:{self.mute_port}/v1"
        scheme = "https" if kind.startswith("tls") else "http"
        return f"{scheme}://127.0.0.1:{self.port}/v1"

    @property
    def scenarios(self) -> dict[str, Scenario]:
        """What happens by kind."""
        return SCENARIOS

    def refusal(self, status: int) -> dict[str, Any]:
        """The document of an error."""
        return {"error": {"message": f"no: {GOOD}", "type": "some_error", "code": f"code_{status}"}}

    def draft(self, text: str, **how: Any) -> Draft:
        """A draft in the events of this API."""
        return Draft(text, **how)

    def wait_closed(self) -> bool:
        """Whether every connection is closed before long; one that is kept is kept for an hour."""
        return self._becomes(lambda: not self.open)

    def wait_accepted(self, number: int) -> bool:
        """Whether that many connections have been made before long."""
        return self._becomes(lambda: self.accepted >= number)

    def _becomes(self, holds: Callable[[], bool]) -> bool:
        """As long as a busy machine may need, and far from what the kinds of faults take."""
        until = time.monotonic() + 120
        while not holds() and time.monotonic() < until:
            time.sleep(0.005)
        return holds()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        mute = await asyncio.start_server(self._mute, "127.0.0.1", 0)
        self.port, self.mute_port = (one.sockets[0].getsockname()[1] for one in (server, mute))
        self._listening.set()
        await self._stop.wait()
        server.close()
        mute.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self.open += 1
        try:
            if (first := await reader.readexactly(1)) == b"\x16":  # TLS
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
            path, headers, body = await read_request(first, reader)
            self.keys.append(headers.get("authorization", ""))
            self.heads.append((path, headers))
            answering = asyncio.ensure_future(self._answer(path, body, Wire(writer)))
            leaving = asyncio.ensure_future(reader.read())  # nothing more comes: it ends when the client leaves
            await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass  # not HTTP, or gone already
        finally:
            self.open -= 1
            writer.close()

    async def _mute(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        with suppress(OSError):
            await reader.read()
        self.open -= 1
        writer.close()

    async def _answer(self, path: str, body: bytes, wire: Wire) -> None:
        if path.endswith("/models"):
            await wire.json({"object": "list", "data": [{"id": "good", "object": "model"}]})
            return
        request = json.loads(body)
        self.asked.append(request)
        self.bodies.append(body)
        kind, _, seed = request["model"].partition("@")
        chance = random.Random(f"{kind} {seed}")
        text = self.compose(request["messages"])
        if kind in self.statuses:
            more = {"retry_after": "3600"} if kind == "rate-limited" else {}
            await wire.json(self.refusal(self.statuses[kind]), self.statuses[kind], **more)
        elif kind == "picky" and (refused := sorted(set(self.picky) & request.keys())):
            error = {"message": f"{refused[0]!r} is not known{PICKY.get(refused[0], '')}.", "code": "unsupported"}
            await wire.json({"error": error}, 400)
        else:
            await self.scenarios[kind](self.draft(text, wire=wire, chance=chance, pace=self.pace))


async def read_request(first: bytes, reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = (line.split(": ", 1) for line in head[1:] if line)
    headers = {name.lower(): value for name, value in fields}
    return head[0].split(" ")[1], headers, await reader.readexactly(int(headers.get("content-length", "0")))


class Wire:
    """Bytes to one client."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: int = 200, kind: str = "text/event-stream", **more: str) -> None:
        fields = {"content-type": kind, "connection": "close"} | {k.replace("_", "-"): v for k, v in more.items()}
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in fields.items())]
        await self.raw("\r\n".join([*lines, "", ""]).encode())

    async def json(self, value: Any, status: int = 200, **more: str) -> None:
        body = json.dumps(value).encode()
        await self.head(status, "application/json", content_length=str(len(body)), **more)
        await self.raw(body)

    def reset(self) -> None:
        """Leave with RST instead of FIN."""
        linger = b"\x01\0\0\0\0\0\0\0"
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


class Draft:
    """One draft on its way to a client."""

    def __init__(self, text: str, *, wire: Wire, chance: random.Random, pace: float) -> None:
        self.text, self.wire, self.chance, self.pace = text, wire, chance, pace

    def pieces(self, text: str | None = None) -> list[str]:
        left, found = self.text if text is None else text, []
        while left:
            size = self.chance.randint(1, 9)
            found.append(left[:size])
            left = left[size:]
        return found

    def event(self, text: str = "", *, finish: str | None = None, **delta: Any) -> bytes:
        choice = {"index": 0, "delta": ({"content": text} if text else {}) | delta, "finish_reason": finish}
        chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"

    async def write(self, text: str | None = None) -> None:
        for piece in self.pieces(text):
            await self.wire.raw(self.event(piece))
            await asyncio.sleep(self.pace)

    async def end(self, finish: str = "stop") -> None:
        usage = {"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100}
        last = {"id": "x", "object": "chat.completion.chunk", "choices": [], "usage": usage}
        await self.wire.raw(self.event(finish=finish) + b"data: " + json.dumps(last).encode() + b"\n\ndata: [DONE]\n\n")

    async def part(self) -> None:
        """Some of the draft, cut in the middle of a sentence."""
        cut = self.chance.randint(len(self.text) // 4, 3 * len(self.text) // 4)
        await self.write(self.text[:cut])


Scenario = Callable[[Draft], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__.replace("_", "-")] = function
    return function


async def forever() -> None:
    await asyncio.sleep(3600)


@scenario
async def good(draft: Draft) -> None:
    await draft.wire.head()
    await draft.write()
    await draft.end()


@scenario
async def whole(draft: Draft) -> None:
    """A server that does not stream."""
    message = {"role": "assistant", "content": draft.text}
    usage = {"prompt_tokens": 70, "completion_tokens": 30}
    await draft.wire.json({"id": "x", "choices": [{"message": message, "finish_reason": "stop"}], "usage": usage})


@scenario
async def picky(draft: Draft) -> None:
    await good(draft)


@scenario
async def bytewise(draft: Draft) -> None:
    """A good answer in the smallest pieces, with what servers leave out or put in: comments, CRLF, no usage."""
    await draft.wire.head()
    pieces = [b": hello\r\n\r\n", *(draft.event(piece) for piece in draft.pieces()), draft.event(finish="stop")]
    for byte in b"".join(pieces).replace(b"\n\n", b"\r\n\r\n"):
        await draft.wire.raw(bytes([byte]))


@scenario
async def hang_up(draft: Draft) -> None:
    """Closes without a word."""


@scenario
async def empty_body(draft: Draft) -> None:
    await draft.wire.head(content_length="0")


@scenario
async def empty_content(draft: Draft) -> None:
    await draft.wire.head()
    await draft.end()


@scenario
async def html(draft: Draft) -> None:
    await draft.wire.head(kind="text/html")
    await draft.wire.raw(b"<!doctype html><title>Welcome</title><p>Please sign in to the network.")


@scenario
async def binary(draft: Draft) -> None:
    await draft.wire.head()
    await draft.wire.raw(draft.chance.randbytes(5000))


@scenario
async def truncated_json(draft: Draft) -> None:
    await draft.wire.head()
    await draft.part()
    event = draft.event("and so on")
    await draft.wire.raw(event[: draft.chance.randint(10, len(event) - 6)] + b"\n\n")
    await draft.end()


@scenario
async def truncated_whole(draft: Draft) -> None:
    await draft.wire.head(kind="application/json")
    await draft.wire.raw(b'{"choices": [{"message": {"content": "The harb')


@scenario
async def wrong_schema(draft: Draft) -> None:
    await draft.wire.head()
    wrong: list[Any] = [
        {"choices": "none"},
        {"choices": [{"delta": {"content": 7}}]},
        {"choices": [[]]},
        {"output": "x"},
        [],
        "text",
        None,
        {"choices": [{"delta": "x"}]},
    ]
    await draft.wire.raw(b"data: " + json.dumps(draft.chance.choice(wrong)).encode() + b"\n\n")
    await draft.end()


@scenario
async def silence(_: Draft) -> None:
    await forever()


@scenario
async def slow_headers(draft: Draft) -> None:
    for byte in b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n" + b"x-filler: y\r\n" * 500:
        await draft.wire.raw(bytes([byte]))
        await asyncio.sleep(0.05)


@scenario
async def headers_then_silence(draft: Draft) -> None:
    await draft.wire.head()
    await forever()


@scenario
async def comments_only(draft: Draft) -> None:
    """A proxy that keeps the line open for a model that is gone."""
    await draft.wire.head()
    while True:
        await draft.wire.raw(b": keep-alive\n\n")
        await asyncio.sleep(0.05)


@scenario
async def slow_drip(draft: Draft) -> None:
    await draft.wire.head()
    for byte in b"".join(draft.event(piece) for piece in draft.pieces()):
        await draft.wire.raw(bytes([byte]))
        await asyncio.sleep(0.05)


@scenario
async def stall(draft: Draft) -> None:
    await draft.wire.head()
    await draft.part()
    await forever()


@scenario
async def cut_utf8(draft: Draft) -> None:
    await draft.wire.head()
    await draft.part()
    event = draft.event("– Ωμέγα")
    await draft.wire.raw(event[: event.index("Ω".encode()) + 1])


@scenario
async def invalid_utf8(draft: Draft) -> None:
    await draft.wire.head()
    await draft.part()
    await draft.wire.raw(draft.event("harbour").replace(b"harbour", b"harb\xff\xfeour"))
    await draft.end()


@scenario
async def reset(draft: Draft) -> None:
    await draft.wire.head()
    await draft.part()
    await asyncio.sleep(0.02)
    draft.wire.reset()


@scenario
async def no_final_event(draft: Draft) -> None:
    await draft.wire.head()
    await draft.write()


@scenario
async def broken_chunks(draft: Draft) -> None:
    await draft.wire.head(transfer_encoding="chunked")
    event = draft.event("The harbour")
    await draft.wire.raw(b"%x\r\n%b\r\nzz\r\n" % (len(event), event))


@scenario
async def duplicate_events(draft: Draft) -> None:
    await draft.wire.head()
    for event in [*(draft.event(piece) for piece in draft.pieces()), draft.event(finish="stop")]:
        await draft.wire.raw(event * 2)
    await draft.wire.raw(b"data: [DONE]\n\n")


@scenario
async def endless(draft: Draft) -> None:
    await draft.wire.head()
    while True:
        words = " ".join("".join(draft.chance.choices("abcdefghij", k=6)) for _ in range(20))
        await draft.wire.raw(draft.event(f"The {words}. "))


@scenario
async def endless_line(draft: Draft) -> None:
    await draft.wire.head()
    await draft.wire.raw(b"data: ")
    while True:
        await draft.wire.raw(b"x" * 65536)


@scenario
async def endless_error(draft: Draft) -> None:
    await draft.wire.head(500, "text/plain")
    while True:
        await draft.wire.raw(b"x" * 65536)


@scenario
async def loop(draft: Draft) -> None:
    await draft.wire.head()
    await draft.write()
    while True:
        await draft.wire.raw(draft.event(" It was shut for days."))


@scenario
async def refusal(draft: Draft) -> None:
    await draft.wire.head()
    await draft.write("I'm sorry, but I can't help with that request.")
    await draft.end()


@scenario
async def refusal_field(draft: Draft) -> None:
    await draft.wire.head()
    await draft.wire.raw(draft.event(refusal="I'm sorry, but I can't help with that."))
    await draft.end()


@scenario
async def content_filter(draft: Draft) -> None:
    await draft.wire.head()
    await draft.part()
    await draft.end("content_filter")


@scenario
async def too_long(draft: Draft) -> None:
    await draft.wire.head()
    await draft.part()
    await draft.end("length")


@scenario
async def markers_out_of_range(draft: Draft) -> None:
    await draft.wire.head()
    for sentence in draft.text.split(". "):
        number = draft.chance.choice([0, -1, 77, 10**30])
        await draft.write(f"{sentence} [{number}] ⟦{number}⟧ 【{number}】. ")
    await draft.end()


@scenario
async def foreign_citations(draft: Draft) -> None:
    await draft.wire.head()
    await draft.write("Velda has nine harbours (Smith et al., 2019) [doi:10.1/x] <a href='https://evil.example'>1</a> ")
    await draft.write("![x](https://evil.example/p.png) [the source](javascript:alert(1)).")
    await draft.end()


@scenario
async def tool_calls(draft: Draft) -> None:
    await draft.wire.head()
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "search", "arguments": '{"q": "x"}'}}
    await draft.wire.raw(draft.event(tool_calls=[call]))
    await draft.end("tool_calls")


@scenario
async def wrong_language(draft: Draft) -> None:
    await draft.wire.head()
    await draft.write("Гавань Вельды снова открылась во вторник. 港口于周二重新开放。 أعيد فتح الميناء يوم الثلاثاء.")
    await draft.end()


@scenario
async def error_event(draft: Draft) -> None:
    await draft.wire.head()
    await draft.part()
    error = {"error": {"message": f"out of memory near {draft.text}", "type": "server_error", "code": 500}}
    await draft.wire.raw(b"data: " + json.dumps(error).encode() + b"\n\n")


@scenario
async def redirect(draft: Draft) -> None:
    await draft.wire.head(302, location="http://127.0.0.1:9/v1/chat/completions", content_length="0")


KINDS = (*ELSEWHERE, *STATUSES, *SCENARIOS)
"""Every kind there is; `good`, `whole`, `bytewise` and `picky` are the ones in which nothing is wrong."""
