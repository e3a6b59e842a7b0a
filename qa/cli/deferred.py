"""A group of commands each of which is imported when it is run: what is not run costs nothing at the start."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import rich_click as click

__all__ = ["Deferred"]


class Deferred(click.RichGroup):
    """Knows of each command, before it is imported, the first paragraph of its help: all that a list of them shows."""

    def __init__(self, *, deferred: Mapping[str, str], **options: Any) -> None:
        """`deferred`: first paragraph of the help by name; the command of that name is in the module `qa.cli.NAME`."""
        known: dict[str, click.Command] = {
            name: click.RichCommand(name=name, help=told) for name, told in deferred.items()
        }
        super().__init__(commands=known, **options)
        self._listing = False

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself; while help is being written, what is known of it."""
        known = super().get_command(ctx, cmd_name)
        if known is None or self._listing:
            return known
        found = getattr(import_module(f"qa.cli.{cmd_name}"), cmd_name)
        assert isinstance(found, click.Command)  # noqa: S101 - for the type checker; a test lists them all
        return found

    def format_help(self, ctx: click.RichContext, formatter: click.RichHelpFormatter) -> None:  # type: ignore[override]
        """Write the help without importing what it lists."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False
