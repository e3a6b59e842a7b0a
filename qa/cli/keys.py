"""`qa keys`: make API keys."""

from __future__ import annotations

import rich_click as click

__all__ = ["keys"]


@click.group()
def keys() -> None:
    """Make API keys for the service."""


@keys.command()
@click.argument("name")
def new(name: str) -> None:
    """Make a key for the caller NAME.

    Prints the key, which is stored nowhere, and the entry for QA_API_KEYS, which holds only its hash.
    """
    from qa.access.keys import new_key

    secret, entry = new_key(name)
    click.echo(f"key: {secret}")
    click.echo(f"entry: {entry}")
