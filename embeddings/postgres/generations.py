"""Generations: which encoder's passages are searched, which are in the making, and the switch from one to the other."""

from __future__ import annotations

import msgspec

from embeddings.encoders.encoder import EncoderIdentity
from embeddings.errors import StoreError
from embeddings.postgres.database import Connection
from embeddings.store.reads import Generation

__all__ = ["active", "adopt", "complete", "ensure", "of"]


def active(db: Connection) -> Generation | None:
    """The generation that is searched; None while nothing was ever stored."""
    row = db.execute("SELECT number, identity FROM generations WHERE active").fetchone()
    if row is None:
        return None
    return Generation(number=row[0], identity=msgspec.json.decode(row[1], type=EncoderIdentity))


def of(db: Connection, identity: EncoderIdentity) -> int | None:
    """The number of the generation made by an encoder, active or not."""
    row = db.execute("SELECT number FROM generations WHERE identity = %s", (_written(identity),)).fetchone()
    return None if row is None else row[0]


def ensure(db: Connection, identity: EncoderIdentity) -> int:
    """Give the number of an encoder's generation, opening one where there is none."""
    number = of(db, identity)
    if number is None:
        statement = "INSERT INTO generations (identity, active) VALUES (%s, false) ON CONFLICT (identity) DO NOTHING"
        db.execute(statement, (_written(identity),))
        number = of(db, identity)
    if number is None:
        raise StoreError("the store's generation of this encoder vanished while it was written to; try again")
    return number


def complete(db: Connection, generation: int | None) -> bool:
    """Whether every article has the passages of its current version in this generation."""
    row = db.execute(
        "SELECT NOT EXISTS (SELECT 1 FROM articles LEFT JOIN encodings ON encodings.article = articles.number"
        " AND encodings.generation = %s AND encodings.version = articles.current WHERE encodings.article IS NULL)",
        (generation,),
    ).fetchone()
    return row == (True,)


def adopt(db: Connection, identity: EncoderIdentity) -> bool:
    """Search an encoder's generation from now on and drop all others, unless an article is still missing from it.

    `db` must be writing alone. A store without articles is complete for every encoder.
    """
    if not complete(db, of(db, identity)):
        return False
    number = ensure(db, identity)
    db.execute("UPDATE generations SET active = false WHERE active AND number <> %s", (number,))
    db.execute("UPDATE generations SET active = true WHERE number = %s", (number,))
    for table in ("lexemes", "passages", "encodings"):
        db.execute(f"DELETE FROM {table} WHERE generation <> %s", (number,))  # noqa: S608 - three constants
    db.execute("DELETE FROM generations WHERE number <> %s", (number,))
    return True


def _written(identity: EncoderIdentity) -> str:
    return msgspec.json.encode(identity).decode()
