"""The commands put together, and what every one of them does when something goes wrong."""

from __future__ import annotations

import sys
from typing import Any

import rich_click as click

from embeddings.errors import EmbeddingsError, UnreadableFile
from qa.cli.articles import articles
from qa.cli.ask import ask
from qa.cli.evaluate import evaluate
from qa.cli.index import index
from qa.cli.ingest import ingest
from qa.cli.keys import keys
from qa.cli.serve import serve
from qa.cli.terminal import plain
from qa.errors import InvalidQuestion, QAError, SettingsError
from qa.evaluation.errors import InvalidDataset, InvalidThreshold, RunRefused

__all__ = ["main", "program"]

_FAILED, _WRONG_USE, _INTERRUPTED = 1, 2, 130
_CALLERS_FAULT = (SettingsError, InvalidQuestion, UnreadableFile, InvalidDataset, InvalidThreshold, RunRefused)


class _Program(click.RichGroup):
    """A group whose commands end with one clear line where an error of ours, or of the disk, ends them."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; `--debug` lets errors through with their traceback."""
        try:
            return super().invoke(ctx)
        except (EmbeddingsError, QAError, OSError) as error:
            if ctx.params.get("debug") or isinstance(error, BrokenPipeError):  # click ends quietly for the latter
                raise
            # A dataset is told line by line what is wrong with it; everything else is one line.
            told = str(error).split("\n") if isinstance(error, InvalidDataset) else [str(error)]
            click.echo("\n".join(f"qa: {' '.join(plain(line).split())}" for line in told), err=True)
            ctx.exit(_WRONG_USE if isinstance(error, _CALLERS_FAULT) else _FAILED)
        except KeyboardInterrupt:
            click.echo("qa: interrupted", err=True)
            ctx.exit(_INTERRUPTED)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show where in the program an error came from.")
@click.version_option(package_name="sourceline", prog_name="qa")
def program(debug: bool) -> None:
    """Ask questions about news articles; every sentence of an answer cites the exact words of its source.

    Settings come from QA_* environment variables, listed in the README.
    """


for command in (ingest, ask, serve, articles, index, keys, evaluate):
    program.add_command(command)


def main() -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a letter shows "?"
    program(prog_name="qa")
