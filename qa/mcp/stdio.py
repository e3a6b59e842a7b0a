"""The protocol over standard input and output, by the official SDK; the only module that knows the SDK.

While it is served, the SDK turns whatever else is written to standard output over to standard error.
"""

from __future__ import annotations

import logging
from importlib.metadata import version
from typing import Any

import msgspec
from mcp import MCPError, types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from embeddings.errors import EmbeddingsError
from qa.errors import QAError
from qa.mcp.opened import Opened
from qa.mcp.tools import TOOLS, Tool, call
from qa.settings import Settings

__all__ = ["serve"]

_INSTRUCTIONS = (
    "News articles, and answers from them in which every sentence cites the exact words of its source. Quote "
    "`cited_text` as it is, with the article's title, source and date."
)

logger = logging.getLogger(__name__)


async def serve(settings: Settings, *, within: tuple[str, ...] | None = None) -> None:
    """Serve one client until it closes standard input, from these collections alone (None: all)."""
    opened = Opened(settings, within=within)
    server = _server(opened)
    try:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())
    finally:
        await opened.close()


def _server(opened: Opened) -> Server[dict[str, Any]]:
    listed = types.ListToolsResult(tools=[_listed(tool) for tool in TOOLS.values()])

    async def on_list_tools(
        _: ServerRequestContext[dict[str, Any]], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return listed

    async def on_call_tool(
        _: ServerRequestContext[dict[str, Any]], asked: types.CallToolRequestParams
    ) -> types.CallToolResult:
        return await _called(asked, opened)

    return Server(
        "sourceline",
        title="Sourceline",
        version=version("sourceline"),
        instructions=_INSTRUCTIONS,
        on_list_tools=on_list_tools,
        on_call_tool=on_call_tool,
    )


def _listed(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.input_schema(),
        output_schema=tool.output_schema(),
        annotations=types.ToolAnnotations(read_only_hint=True, open_world_hint=False),
    )


async def _called(asked: types.CallToolRequestParams, opened: Opened) -> types.CallToolResult:
    """The result of a call, or the error of the tool; a tool that does not exist is an error of the protocol."""
    tool = TOOLS.get(asked.name)
    if tool is None:
        raise MCPError(types.INVALID_PARAMS, f"no tool {asked.name!r}; there are {', '.join(TOOLS)}")
    try:
        given = await call(tool, asked.arguments or {}, opened=opened)
    except (QAError, EmbeddingsError, OSError) as error:
        return _failed(str(error))
    except Exception:
        logger.exception("%s failed", tool.name)
        return _failed(f"{tool.name} failed by a defect; the standard error of `qa mcp` says more")
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=given.decode())], structured_content=msgspec.json.decode(given)
    )


def _failed(why: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=why)], is_error=True)
