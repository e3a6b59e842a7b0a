"""`qa serve`: answer over HTTP."""

from __future__ import annotations

import rich_click as click

from qa.cli.opening import read_settings

__all__ = ["serve"]


@click.command()
@click.option("--host", help="Address to listen on.  [default: QA_HOST or 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 picks a free one.  [default: QA_PORT or 8000]")
@click.pass_context
def serve(context: click.Context, host: str | None, port: int | None) -> None:
    """Start the service. It ingests nothing by itself; stop it with Ctrl-C."""
    import msgspec

    from qa.server.run import serve as run
    from qa.server.startup import load

    settings = read_settings()
    settings = msgspec.structs.replace(
        settings, host=host or settings.host, port=settings.port if port is None else port
    )
    context.exit(run(settings, load=load))
