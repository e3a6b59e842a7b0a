"""Questions to begin with that were tried, kept beside the conversations: of articles no words but those of questions.

Takes an open database; gives back what was made, and of which articles.
"""

from __future__ import annotations

import msgspec

from qa.conversations.database import ConversationDatabase

__all__ = ["MOST", "Made", "Tried", "keep", "kept", "kept_names"]

MOST = 64
"""So many sets of questions; the one made longest ago makes room."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A question that was answered, and the place of the words that answered it."""

    question: str
    article_id: str
    article_version: str
    start: int
    """Code points of the article's text, half open."""
    end: int


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What was made once."""

    of: str
    """Names the state of the articles, and what read them: where it is another one, they are to be made anew."""
    questions: tuple[Tried, ...]


def keep(database: ConversationDatabase, *, name: str, made: Made) -> None:
    """Keep what was made in the place of what was kept under this name. Raises HistoryUnavailable."""
    with database.writing() as db:
        db.execute("DELETE FROM kept_starters WHERE name = ?", (name,))
        db.execute("INSERT INTO kept_starters (name, made) VALUES (?, ?)", (name, msgspec.json.encode(made).decode()))
        db.execute(
            "DELETE FROM kept_starters"
            " WHERE number NOT IN (SELECT number FROM kept_starters ORDER BY number DESC LIMIT ?)",
            (MOST,),
        )


def kept(database: ConversationDatabase, *, name: str) -> Made | None:
    """What is kept under a name; None also where it cannot be read any more. Raises HistoryUnavailable."""
    with database.reading() as db:
        row = db.execute("SELECT made FROM kept_starters WHERE name = ?", (name,)).fetchone()
    try:
        return msgspec.json.decode(row[0], type=Made) if row else None
    except msgspec.DecodeError:
        return None


def kept_names(database: ConversationDatabase) -> list[str]:
    """All names under which something is kept, the latest first. Raises HistoryUnavailable."""
    with database.reading() as db:
        return [name for (name,) in db.execute("SELECT name FROM kept_starters ORDER BY number DESC").fetchall()]
