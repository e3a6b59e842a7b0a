"""The Model Context Protocol by its official SDK, over standard input and output or HTTP; the only module with the SDK.

While standard input and output are served, the SDK turns whatever else is written to standard output over to standard
error. Over HTTP each request stands on its own, so that any of several services can answer the next one.
"""

import asyncio
import logging
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec
from mcp import MCPError, types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from embeddings.errors import EmbeddingsError
from qa.errors import QAError
from qa.mcp.tools import TOOLS, Archive, Opened, Tool, call
from qa.settings import Settings
from qa.tracing import part

Explain = Callable[[Exception], str]
"""What the client is told of an error of a tool; may log what it is not told."""

_INSTRUCTIONS = (
    "News articles, and answers from them in which every sentence cites the exact words of its source. Quote "
    "`cited_text` as it is, with the article's title, source and date."
)

logger = logging.getLogger(__name__)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What one HTTP request is answered with."""

    status: int
    media_type: str
    body: bytes


async def serve(settings: Settings, *, within: tuple[str, ...] | None = None) -> None:
    """Serve one client until it closes standard input, from these collections alone (None: all)."""
    opened = Opened(settings, within=within)
    server = _server(opened, explain=_explained)
    try:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())
    finally:
        await opened.close()


async def exchange(body: bytes, *, headers: Iterable[tuple[bytes, bytes]], archive: Archive, explain: Explain) -> Reply:
    """Answer one POST, whose size and sender were found good. Cancelled, it ends the call of the tool, too."""
    said: list[dict[str, Any]] = []
    # Its `Content-Length` counts a byte-order mark, too, which is no part of the message.
    waiting = [{"type": "http.request", "body": body.removeprefix(BOM_UTF8), "more_body": False}]

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop()
        await asyncio.Event().wait()  # whether the client leaves is for our caller to see
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/mcp", "query_string": b"", "headers": list(headers)}
    manager = StreamableHTTPSessionManager(
        _server(archive, explain=explain), json_response=True, stateless=True, max_request_body_size=len(body) + 1
    )
    async with manager.run():
        await manager.handle_request(scope, receive, send)
    return _reply(said)


def _reply(said: Sequence[dict[str, Any]]) -> Reply:
    start, *rest = said
    kinds = [value.decode() for name, value in start["headers"] if name == b"content-type"]
    body = b"".join(message.get("body", b"") for message in rest)
    return Reply(status=start["status"], media_type=kinds[0] if kinds else "application/json", body=body)


def _server(archive: Archive, *, explain: Explain) -> Server[dict[str, Any]]:
    async def on_list_tools(
        _: ServerRequestContext[dict[str, Any]], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return _listed()

    async def on_call_tool(
        _: ServerRequestContext[dict[str, Any]], asked: types.CallToolRequestParams
    ) -> types.CallToolResult:
        return await _called(asked, archive, explain=explain)

    return Server(
        "sourceline",
        title="Sourceline",
        version=_version(),
        instructions=_INSTRUCTIONS,
        on_list_tools=on_list_tools,
        on_call_tool=on_call_tool,
    )


@cache
def _version() -> str:
    return version("sourceline")


@cache
def _listed() -> types.ListToolsResult:
    return types.ListToolsResult(tools=[_described(tool) for tool in TOOLS.values()])


def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.input_schema(),
        output_schema=tool.output_schema(),
        annotations=types.ToolAnnotations(read_only_hint=True, open_world_hint=False),
    )


async def _called(asked: types.CallToolRequestParams, archive: Archive, *, explain: Explain) -> types.CallToolResult:
    """The result of a call, or the error of the tool; a tool that does not exist is an error of the protocol."""
    tool = TOOLS.get(asked.name)
    if tool is None:
        raise MCPError(types.INVALID_PARAMS, f"no tool {asked.name!r}; there are {', '.join(TOOLS)}")
    named = {"mcp.method.name": "tools/call", "gen_ai.tool.name": tool.name, "gen_ai.operation.name": "execute_tool"}
    try:
        with part(f"tools/call {tool.name}", kind="server", attributes=named):
            given = await call(tool, asked.arguments or {}, archive=archive)
    except Exception as error:  # noqa: BLE001 - explained, and logged where it is a defect
        return types.CallToolResult(content=[types.TextContent(type="text", text=explain(error))], is_error=True)
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=given.decode())], structured_content=msgspec.json.decode(given)
    )


def _explained(error: Exception) -> str:
    """For whoever started the command: our own errors say what to do."""
    if isinstance(error, QAError | EmbeddingsError | OSError):
        return str(error)
    logger.error("a tool failed", exc_info=error)
    return "the tool failed by a defect; the standard error of `qa mcp` says more"
