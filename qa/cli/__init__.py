"""The command `qa`: ingest, ask, serve, articles, index.

One file per command. Each imports what it works with when it runs, so that `qa --help` answers at once.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import rich_click as click

from embeddings.errors import EmbeddingsError, UnreadableFile
from qa.cli.terminal import plain
from qa.errors import InvalidQuestion, InvalidText, QAError, SettingsError

# --- The commands put together, each imported when it is run, and what every one does when something goes wrong
_FAILED, _WRONG_USE, _INTERRUPTED = 1, 2, 130
_COMMANDS = {
    "articles": ("articles", "List, show, withdraw or delete stored articles."),
    "ask": ("ask", "Answer a question from the stored articles, with the exact words each statement rests on."),
    "backup": ("store", "Copy what QA_DATA_DIR keeps into a new folder, also while the service runs."),
    "check": (
        "check",
        "Check a text (a file of any kind `qa ingest` reads, or - for standard input) against its sources.",
    ),
    "feeds": ("serve", "Add, list or remove feeds, or read them in a process of its own."),
    "evaluate": ("evaluate", "Measure how good answers are: run a dataset, score the run, compare it, gate a release."),
    "index": ("store", "Check, remake or measure the index. It is derived: the store holds the truth."),
    "ingest": (
        "ingest",
        "Add the articles of files and folders: text, pages, documents, feeds, mail, web archives, zip files.",
    ),
    "keys": ("serve", "Make API keys for the service."),
    "mcp": (
        "serve",
        "Give the stored articles to an MCP client over standard input and output: ask, search, read, check claims.",
    ),
    "restore": (
        "store",
        "Put what `qa backup` copied into QA_DATA_DIR, which must be empty of it; hashes are checked first.",
    ),
    "serve": ("serve", "Start the service. It ingests nothing by itself; stop it with Ctrl-C."),
    "store": ("store", "Move articles from one store to another: a folder, or a database on a PostgreSQL server."),
    "work": ("serve", "Store what services with QA_WORKERS were sent; stop it with Ctrl-C."),
    "watch": ("serve", "Add the articles of folders, and what is written there from now on; stop it with Ctrl-C."),
}
"""By name: the module in `qa.cli` that holds the command, and the first paragraph of its help."""


class _Deferred(click.RichGroup):
    """Knows of each command, before it is imported, the first paragraph of its help: all that a list of them shows."""

    def __init__(self, *, deferred: Mapping[str, tuple[str, str]], **options: Any) -> None:
        """`deferred`: by name, the module in `qa.cli` that holds the command, and the first paragraph of its help."""
        known: dict[str, click.Command] = {
            name: click.RichCommand(name=name, help=told) for name, (_, told) in deferred.items()
        }
        super().__init__(commands=known, **options)
        self._modules = {name: module for name, (module, _) in deferred.items()}
        self._listing = False

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself; while help is being written, what is known of it."""
        known = super().get_command(ctx, cmd_name)
        if known is None or self._listing:
            return known
        found = getattr(import_module(f"qa.cli.{self._modules[cmd_name]}"), cmd_name)
        assert isinstance(found, click.Command)  # noqa: S101 - for the type checker; a test lists them all
        return found

    def format_help(self, ctx: click.RichContext, formatter: click.RichHelpFormatter) -> None:  # type: ignore[override]
        """Write the help without importing what it lists."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False


class _Program(_Deferred):
    """A group whose commands end with one clear line where an error of ours, or of the disk, ends them."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; `--debug` lets errors through with their traceback."""
        try:
            return super().invoke(ctx)
        except (EmbeddingsError, QAError, OSError) as error:
            if ctx.params.get("debug") or isinstance(error, BrokenPipeError):  # click ends quietly for the latter
                raise
            told, status = _told_of(error)
            click.echo("\n".join(f"qa: {' '.join(plain(line).split())}" for line in told), err=True)
            ctx.exit(status)
        except KeyboardInterrupt:
            click.echo("qa: interrupted", err=True)
            ctx.exit(_INTERRUPTED)


def _told_of(error: Exception) -> tuple[list[str], int]:
    """The lines that say what went wrong, and the exit code."""
    from qa.evaluation import InvalidDataset, InvalidThreshold, RunRefused

    callers_fault = (
        SettingsError,
        InvalidQuestion,
        InvalidText,
        UnreadableFile,
        InvalidDataset,
        InvalidThreshold,
        RunRefused,
    )
    # A dataset is told line by line what is wrong with it; everything else is one line.
    told = str(error).split("\n") if isinstance(error, InvalidDataset) else [str(error)]
    return told, _WRONG_USE if isinstance(error, callers_fault) else _FAILED


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
