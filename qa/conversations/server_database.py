"""The database of conversations on the articles' PostgreSQL server, which several services share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from embeddings.errors import StoreError, StoreReadOnly
from embeddings.postgres.database import Connection
from embeddings.postgres.database import Database as Server
from embeddings.postgres.schema import Tables
from embeddings.types import Place
from qa.conversations.database import Rows
from qa.errors import HistoryUnavailable

_CONNECTIONS = 2
"""One thread of a service uses them; the other one is for a second service in the same process."""

_TABLES = Tables(
    kind="conversation",
    migrations=(
        """
CREATE TABLE conversations (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    owner text COLLATE "C" NOT NULL,
    title text NOT NULL,
    begun_at text NOT NULL,
    updated_at text NOT NULL,
    turns integer NOT NULL,
    bytes bigint NOT NULL,
    last_turn bigint NOT NULL
);
CREATE INDEX conversations_by_use ON conversations (last_turn);
CREATE INDEX conversations_by_owner ON conversations (owner, last_turn);
CREATE TABLE turns (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation bigint NOT NULL REFERENCES conversations,
    answer_id text COLLATE "C" NOT NULL UNIQUE,
    asked_at text NOT NULL,
    answer text NOT NULL
);
CREATE INDEX turns_by_conversation ON turns (conversation, number);
CREATE TABLE feedback (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    answer_id text COLLATE "C" NOT NULL UNIQUE,
    owner text COLLATE "C" NOT NULL,
    conversation text COLLATE "C",
    entry text NOT NULL
);
CREATE INDEX feedback_by_conversation ON feedback (conversation) WHERE conversation IS NOT NULL;
CREATE INDEX feedback_by_owner ON feedback (owner, number);
""",
        # Read with patterns, since the server cannot take apart JSON that holds a NUL.
        """
ALTER TABLE turns ADD COLUMN mode text, ALTER COLUMN asked_at TYPE text COLLATE "C";
UPDATE turns SET mode = substring(answer FROM '"answer_mode":"([a-z_]+)"');
CREATE INDEX turns_by_day ON turns (asked_at, mode);
ALTER TABLE feedback ADD COLUMN verdict text COLLATE "C", ADD COLUMN given_at text COLLATE "C";
UPDATE feedback SET verdict = substring(entry FROM '"verdict":"([a-z]+)"'),
    given_at = substring(entry FROM '"given_at":"([^"]+)"');
CREATE TABLE reviews (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    answer_id text COLLATE "C" NOT NULL UNIQUE,
    conversation text COLLATE "C" NOT NULL,
    entry text NOT NULL
);
CREATE INDEX reviews_by_conversation ON reviews (conversation);
CREATE TABLE ingests (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    sender text COLLATE "C" NOT NULL,
    service text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    job text NOT NULL
);
CREATE INDEX ingests_at_work ON ingests (number) WHERE state = 'running';
""",
        """
CREATE TABLE kept_starters (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    made text NOT NULL
);
""",
    ),
)


class ServerDatabase:
    """Tables beside the store's own; any thread may use it. See `database.ConversationDatabase`."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @classmethod
    def open(cls, place: Place) -> ServerDatabase:
        """Connect, making what is missing.

        Raises HistoryUnavailable, and StoreReadOnly where this user may not write.
        """
        with _translated():
            server = Server.open(
                msgspec.structs.replace(place, connections=_CONNECTIONS), read_only=False, tables=_TABLES
            )
        return cls(server)

    @contextmanager
    def reading(self) -> Iterator[_Session]:
        """Give a session that sees one state."""
        with _translated(), self._server.reading() as db:
            yield _Session(db)

    @contextmanager
    def writing(self) -> Iterator[_Session]:
        """Give a session for one transaction; those of all services come one after the other, as numbers tell."""
        with _translated(), self._server.writing(alone=True) as db:
            yield _Session(db)

    def erase(self) -> None:
        """Nothing: the server frees the place when it vacuums, and its own logs and backups keep what they do."""

    def close(self) -> None:
        """Close the connections."""
        self._server.close()


class _Session:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def execute(self, statement: str, values: Sequence[str | int | None] = (), /) -> Rows:
        """Run one statement; what a text of the server cannot hold is replaced in it, and so not found."""
        written = [_storable(value) if isinstance(value, str) else value for value in values]
        found: Any = self._db.execute(statement.replace("?", "%s"), written)
        return found  # type: ignore[no-any-return]


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except StoreReadOnly:
        raise
    except StoreError as error:
        raise HistoryUnavailable(f"the conversations cannot be used: {error}") from error
