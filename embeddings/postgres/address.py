"""Where the server is: takes a connection URL, gives it completed, and in a form that shows no password."""

from __future__ import annotations

from ipaddress import ip_address

import msgspec
from psycopg import Error
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from embeddings.errors import StoreError

__all__ = ["Address", "parse"]


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A server and a database on it."""

    conninfo: str
    """For the driver; may hold a password."""
    shown: str
    """For messages."""
    password: str
    """To be struck out of whatever others say."""


def parse(url: str) -> Address:
    """Read a URL as libpq does; a connection to another machine is encrypted unless the URL says otherwise.

    Raises StoreError, which repeats nothing of the URL.

    >>> parse("postgresql://reader:secret@db.example/news").shown
    'postgresql://reader@db.example/news'
    """
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except Error:
        raise StoreError(
            "QA_STORE cannot be read as an address; write postgresql://USER:PASSWORD@HOST:5432/DATABASE, with "
            "special characters of the password as %XX (docs/postgresql.md)"
        ) from None
    defaults = {"application_name": "sourceline", "connect_timeout": "10"}
    if not all(map(_is_near, given.get("host", "").split(","))):
        defaults["sslmode"] = "require"
    return Address(
        conninfo=make_conninfo("", **(defaults | given)), shown=_shown(given), password=given.get("password", "")
    )


def _shown(given: dict[str, str]) -> str:
    user = f"{given['user']}@" if "user" in given else ""
    port = f":{given['port']}" if "port" in given else ""
    return f"postgresql://{user}{given.get('host', '')}{port}/{given.get('dbname', '')}"


def _is_near(host: str) -> bool:
    """Whether a host is this machine: a socket's folder, or a loopback address."""
    if host in {"", "localhost"} or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
