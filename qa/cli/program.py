"""The commands put together, and what every one of them does when something goes wrong."""

from __future__ import annotations

import sys
from typing import Any

import rich_click as click

from embeddings.errors import EmbeddingsError, UnreadableFile
from qa.cli.deferred import Deferred
from qa.cli.terminal import plain
from qa.errors import InvalidQuestion, InvalidText, QAError, SettingsError
from qa.evaluation.errors import InvalidDataset, InvalidThreshold, RunRefused

__all__ = ["main", "program"]

_FAILED, _WRONG_USE, _INTERRUPTED = 1, 2, 130
_CALLERS_FAULT = (
    SettingsError,
    InvalidQuestion,
    InvalidText,
    UnreadableFile,
    InvalidDataset,
    InvalidThreshold,
    RunRefused,
)


_COMMANDS = {
    "articles": "List, show or delete stored articles.",
    "ask": "Answer a question from the stored articles, with the exact words each statement rests on.",
    "backup": "Copy what QA_DATA_DIR keeps into a new folder, also while the service runs.",
    "check": "Check a text (a file in UTF-8, or - for standard input) against its sources, sentence by sentence.",
    "feeds": "Add, list or remove feeds, or read them in a process of its own.",
    "evaluate": "Measure how good answers are: run a dataset, score the run, compare it, gate a release.",
    "index": "Check, remake or measure the index. It is derived: the store holds the truth.",
    "ingest": "Add the articles of files and folders: text, pages, documents, feeds, mail, web archives, zip files.",
    "keys": "Make API keys for the service.",
    "mcp": "Give the stored articles to an MCP client over standard input and output: ask, search, read, check claims.",
    "restore": "Put what `qa backup` copied into QA_DATA_DIR, which must be empty of it; hashes are checked first.",
    "serve": "Start the service. It ingests nothing by itself; stop it with Ctrl-C.",
    "store": "Move articles from one store to another: a folder, or a database on a PostgreSQL server.",
    "work": "Store what services with QA_WORKERS were sent; stop it with Ctrl-C.",
    "watch": "Add the articles of folders, and what is written there from now on; stop it with Ctrl-C.",
}


class _Program(Deferred):
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


@click.group(cls=_Program, deferred=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show where in the program an error came from.")
@click.version_option(package_name="sourceline", prog_name="qa")
def program(debug: bool) -> None:
    """Ask questions about news articles; every sentence of an answer cites the exact words of its source.

    Settings come from QA_* environment variables, listed in docs/configuration.md.
    """


def main() -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a letter shows "?"
    program(prog_name="qa")
