"""The command `qa`: ingest, ask, serve, articles, index.

One file per command. Each imports what it works with when it runs, so that `qa --help` answers at once.
"""

from __future__ import annotations

from qa.cli.program import main

__all__ = ["main"]
