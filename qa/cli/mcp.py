"""`qa mcp`: answer a client of the Model Context Protocol, which starts this command itself."""

from __future__ import annotations

import signal
import sys

import rich_click as click

from qa.cli.opening import read_settings
from qa.errors import QAError
from qa.mcp import SDK

__all__ = ["mcp"]


@click.command()
@click.option(
    "--collection", multiple=True, help="Read only this collection; may be repeated.  [default: all collections]"
)
def mcp(collection: tuple[str, ...]) -> None:
    """Give the stored articles to an MCP client over standard input and output: ask, search, read, check claims.

    The client starts this command itself; docs/mcp.md says how to tell it. The store is only read.
    """
    import asyncio

    settings = read_settings()
    try:
        from qa.mcp.protocol import serve
    except ModuleNotFoundError as error:
        if error.name != "mcp":
            raise
        raise QAError(f"this needs the MCP SDK: {sys.executable} -m pip install '{SDK}'") from None
    if sys.stdin.isatty():
        click.echo("qa mcp: an MCP client starts this and speaks to it; Ctrl-C ends it", err=True)
    # The SDK's thread waits for a line until there is one; nothing is written here that an end could cut off.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    asyncio.run(serve(settings, within=collection or None))
