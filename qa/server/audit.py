"""One line of the log for each act of whoever runs the service: who did what to what, as JSON, without a word of it."""

from __future__ import annotations

import logging
from typing import Literal

import msgspec

__all__ = ["Act", "note"]

_log = logging.getLogger(__name__)


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was done. Ids and numbers only: neither texts nor questions, neither keys nor tokens."""

    act: Literal[
        "keys_loaded",
        "token_made",
        "articles_added",
        "rights_changed",
        "article_deleted",
        "review_saved",
        "reviews_exported",
    ]
    by: str
    """Name of the key; `open` where the service has none, `origin` for a page that got a token for itself."""
    job_id: str = ""
    article_id: str = ""
    answer_id: str = ""
    origin: str = ""
    keys: tuple[str, ...] = ()
    """Names."""
    outcomes: dict[str, int] = {}
    status: str = ""
    embargoed_until: str = ""
    rows: int = 0


def note(act: Act) -> None:
    """Write the line."""
    _log.info("audit %s", msgspec.json.encode(act).decode())
