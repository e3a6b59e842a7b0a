"""`qa keys`: make API keys."""

from __future__ import annotations

import rich_click as click

from qa.access.scopes import PERMISSIONS, Permission

__all__ = ["keys"]


@click.group()
def keys() -> None:
    """Make API keys for the service."""


@keys.command()
@click.argument("name")
@click.option(
    "--may",
    multiple=True,
    type=click.Choice(PERMISSIONS),
    help="What it opens: asking, adding and deleting, running the service; may be repeated.  [default: all]",
)
@click.option(
    "--collection", multiple=True, help="Open only this collection; may be repeated.  [default: all collections]"
)
def new(name: str, may: tuple[Permission, ...], collection: tuple[str, ...]) -> None:
    """Make a key for the caller NAME.

    Prints the key, which is stored nowhere, and the entry for QA_API_KEYS, which holds only its hash and its scope.
    """
    from qa.access.keys import new_key
    from qa.access.scopes import scope_of

    secret, entry = new_key(name, scope=scope_of(may, collection))
    click.echo(f"key: {secret}")
    click.echo(f"entry: {entry}")
