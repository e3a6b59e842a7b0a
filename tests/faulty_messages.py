"""A server that speaks Anthropic's Messages API and fails on purpose, in the ways of tests/faulty_model.py and its own.

What a model writes may hold `{0}`: the words before it are a block of text that cites document 0. As in the service's
own streams, citations come before the words, or between them.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from faulty_model import ELSEWHERE, GOOD, SCENARIOS, STATUSES, Draft, FaultyModel, Scenario, forever

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
ENDS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal", "tool_calls": "tool_use"}
CITED = re.compile(r"((?:\{\d+\})+)")


class Written(Draft):
    """A draft as a stream of message events."""

    def __init__(self, text: str, **how: Any) -> None:
        super().__init__(text, **how)
        self.block = -1
        self.open = False

    def named(self, name: str, **fields: Any) -> bytes:
        data = json.dumps({"type": name} | fields, ensure_ascii=False)
        return f"event: {name}\ndata: {data}\n\n".encode()

    def begun(self, kind: str = "text", **fields: Any) -> bytes:
        """A new block, the one before it closed; the message, where it is the first."""
        head = b"" if self.block >= 0 else self.message() + self.named("ping")
        shut, self.open = self.shut(), True
        self.block += 1
        block = {"type": kind, "text": "", **fields} if kind == "text" else {"type": kind, **fields}
        return head + shut + self.named("content_block_start", index=self.block, content_block=block)

    def message(self) -> bytes:
        usage = {"input_tokens": 60, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 10}
        head = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m"}
        return self.named("message_start", message=head | {"usage": usage | {"output_tokens": 1}})

    def shut(self) -> bytes:
        open_, self.open = self.open, False
        return self.named("content_block_stop", index=self.block) if open_ else b""

    def delta(self, kind: str, **fields: Any) -> bytes:
        return self.named("content_block_delta", index=self.block, delta={"type": kind} | fields)

    def cite(self, document: int) -> bytes:
        citation = {"type": "char_location", "cited_text": "None of these words.", "document_index": document}
        more = {"document_title": "None", "start_char_index": 3, "end_char_index": 23}
        return self.delta("citations_delta", citation=citation | more)

    def event(self, text: str = "", *, finish: str | None = None, **_: Any) -> bytes:
        data = b"" if self.open or finish else self.begun()
        if text:
            data += self.delta("text_delta", text=text)
        if finish:
            change = {"stop_reason": ENDS[finish], "stop_sequence": None}
            data += self.shut() + self.named("message_delta", delta=change, usage={"output_tokens": 30})
            data += self.named("message_stop")
        return data

    async def write(self, text: str | None = None) -> None:
        parts = CITED.split(self.text if text is None else text)
        for words, marks in zip(parts[::2], [*parts[1::2], ""], strict=True):
            if not words:
                continue
            pieces = [self.event(piece) for piece in self.pieces(words)]
            cited = [self.cite(int(number)) for number in re.findall(r"\d+", marks)]
            place = self.chance.randint(1, len(pieces))
            for data in [*pieces[:place], *cited, *pieces[place:], self.shut()]:
                await self.wire.raw(data)

    async def end(self, finish: str = "stop") -> None:
        await self.wire.raw((b"" if self.block >= 0 else self.message()) + self.event(finish=finish))

    async def part(self) -> None:
        """Some of the draft, cut in the middle of a sentence, without its citations."""
        text = CITED.sub("", self.text)
        await self.write(text[: self.chance.randint(len(text) // 4, 3 * len(text) // 4)])


class FaultyMessages(FaultyModel):
    """The server, on a thread and an event loop of its own; `with` starts and stops it."""

    provider = "anthropic"
    statuses: Mapping[str, int] = STATUSES | {"overloaded": 529, "unpaid": 402, "too-large": 413}
    picky = frozenset({"thinking"})

    @property
    def scenarios(self) -> dict[str, Scenario]:
        return HERE

    def draft(self, text: str, **how: Any) -> Draft:
        return Written(text, **how)

    def refusal(self, status: int) -> dict[str, Any]:
        return {"type": "error", "error": {"type": TYPES.get(status, "api_error"), "message": f"no: {GOOD}"}}

    def address(self, kind: str = "good") -> str:
        return super().address(kind).removesuffix("/v1")


async def thinking(draft: Any) -> None:
    """A model that thinks before it writes."""
    await draft.wire.head()
    await draft.wire.raw(draft.begun("thinking", thinking=""))
    await draft.wire.raw(draft.delta("thinking_delta", thinking="The harbour is closed, I guess."))
    await draft.wire.raw(draft.delta("signature_delta", signature="x") + draft.shut())
    await draft.write()
    await draft.end()


async def thought_only(draft: Any) -> None:
    await draft.wire.head()
    await draft.wire.raw(draft.begun("thinking", thinking=""))
    await draft.wire.raw(draft.delta("thinking_delta", thinking="The harbour is closed, I guess."))
    await draft.end()


async def pings_only(draft: Any) -> None:
    """A service that keeps the line open and writes nothing."""
    await draft.wire.head()
    await draft.wire.raw(draft.message())
    while True:
        await draft.wire.raw(draft.named("ping"))
        await asyncio.sleep(0.05)


async def overloaded_event(draft: Any) -> None:
    await draft.wire.head()
    await draft.part()
    error = {"type": "overloaded_error", "message": f"Overloaded near {draft.text}"}
    await draft.wire.raw(draft.named("error", error=error))


async def error_event(draft: Any) -> None:
    await draft.wire.head()
    await draft.part()
    await draft.wire.raw(draft.named("error", error={"type": "api_error", "message": draft.text}))


async def tool_calls(draft: Any) -> None:
    await draft.wire.head()
    await draft.wire.raw(draft.begun("tool_use", id="t", name="search", input={}))
    await draft.wire.raw(draft.delta("input_json_delta", partial_json='{"q": "x"}'))
    await draft.end("tool_calls")


async def wrong_schema(draft: Any) -> None:
    await draft.wire.head()
    text = {"type": "content_block_delta", "index": 0}
    wrong: list[Any] = [
        {"type": 7},
        [],
        None,
        "text",
        {"choices": [{"delta": {"content": "x"}}]},
        text | {"delta": {"type": "text_delta", "text": 7}},
        text | {"delta": {"type": "citations_delta", "citation": {"document_index": "first"}}},
        text | {"delta": "x"},
    ]
    await draft.wire.raw(b"data: " + json.dumps(draft.chance.choice(wrong)).encode() + b"\n\n")
    await draft.end()


async def duplicate_events(draft: Any) -> None:
    await draft.wire.head()
    body = b"".join([*(draft.event(piece) for piece in draft.pieces()), draft.event(finish="stop")])
    for event in body.split(b"\n\n")[:-1]:
        await draft.wire.raw((event + b"\n\n") * 2)


async def foreign_documents(draft: Any) -> None:
    """Cites documents that nobody sent."""
    await draft.wire.head()
    await draft.wire.raw(draft.begun() + draft.cite(77) + draft.cite(-1) + draft.cite(10**30))
    await draft.write(CITED.sub("", draft.text))
    await draft.end()


async def cut_at_the_end(draft: Any) -> None:
    """All is said, and why it ends; only the last event is missing."""
    await draft.wire.head()
    await draft.write()
    await draft.wire.raw(draft.event(finish="stop").removesuffix(draft.named("message_stop")))


async def no_goodbye(draft: Any) -> None:
    """As before, with the line left open."""
    await cut_at_the_end(draft)
    await forever()


NOT_HERE = ("whole", "truncated-whole", "refusal-field")
"""Ways in which this API is not spoken."""
OWN = (
    thinking,
    thought_only,
    pings_only,
    overloaded_event,
    error_event,
    tool_calls,
    wrong_schema,
    duplicate_events,
    foreign_documents,
    cut_at_the_end,
    no_goodbye,
)
HERE: dict[str, Scenario] = {kind: play for kind, play in SCENARIOS.items() if kind not in NOT_HERE}
HERE |= {play.__name__.replace("_", "-"): play for play in OWN}
KINDS = (*ELSEWHERE, *FaultyMessages.statuses, *HERE)
"""Every kind there is."""
