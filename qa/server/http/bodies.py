"""From the bytes of a request body to a validated value; every failure is a `RequestError`."""

import asyncio
import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeVar

import msgspec
from litestar import Request
from litestar.exceptions import HTTPException

from qa.server.errors import BodyTooLarge, FieldError, InvalidRequest, MalformedBody, SlowBody, UnsupportedMedia
from qa.types import naming_fields

T = TypeVar("T")

JSON = "application/json"
NDJSON = "application/x-ndjson"

_BODY_SECONDS = 60.0
"""A body that takes longer to arrive is not waited for."""
_LINGER_BYTES = 32_000_000
_LINGER_SECONDS = 2.0
"""So much of a body that is too large is still taken, and thrown away."""
_WHERE = re.compile(r" - at `\$\.?(?P<path>.*)`$")
_NAMED = re.compile(r"Object (?:missing required|contains unknown) field `(?P<name>.*?)`(?:[; ].*)?$", re.DOTALL)
_SHOWN = 200
"""Longest piece of the caller's own words that goes back in an error."""


class StrictRequest(Request[Any, Any, Any]):
    """A request whose JSON body is decoded straight into the type that the handler declares for `data`.

    The framework would decode into plain objects, then convert with loose rules ("3" is 3), and answer 500 to deep
    nesting and to invalid UTF-8.
    """

    async def json(self) -> Any:
        """Read and check the body. Raises RequestError."""
        field = self.route_handler.parsed_data_field
        return decode(await self.body(), Any if field is None else field.annotation)

    async def body(self) -> bytes:
        """Read the whole body, never more than the route's limit. Raises RequestError, also for an empty one."""
        if self.route_handler.parsed_data_field is not None:
            media_type(self, allowed=(JSON,))
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await super().body()
        except TimeoutError:
            raise SlowBody(f"the body did not arrive within {_BODY_SECONDS:g} seconds") from None
        except HTTPException as error:
            if error.status_code == 413:
                limit = self.route_handler.resolve_request_max_body_size()
                await self._passed_over()
                raise BodyTooLarge(f"the body has more than the {limit:,} bytes that this route reads") from None
            raise MalformedBody("the body ended before it was complete") from None
        if not body:
            raise MalformedBody("the body is empty; send one JSON value")
        return body

    async def _passed_over(self) -> None:
        """Read on for a moment: who is hung up on while still sending may never see the refusal."""
        if "expect" in self.headers:  # nothing is sent before we ask for it
            return
        size = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while size < _LINGER_BYTES:
                    message = await self.receive()
                    if message["type"] != "http.request" or not message["more_body"]:
                        return
                    size += len(message["body"])


def media_type(request: Request[Any, Any, Any], *, allowed: tuple[str, ...]) -> str:
    """Which of the allowed content types the body has. Raises UnsupportedMedia."""
    found, options = request.content_type
    found = found.lower()
    if found not in allowed:
        named = f"is {found!r}" if found else "is missing"
        raise UnsupportedMedia(f"Content-Type {named}; send {' or '.join(allowed)}")
    if options.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise UnsupportedMedia("the charset is not UTF-8; JSON is read as UTF-8 only")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("the body has a Content-Encoding; send it as it is")
    return found


def decode(body: bytes, type_: type[T]) -> T:
    """Parse JSON into a type, strictly: right types, no unknown or repeated keys, no NUL.

    Raises MalformedBody where it is not JSON, InvalidRequest where it is but does not fit.
    """
    body = body.removeprefix(BOM_UTF8)
    try:
        value = msgspec.json.decode(body, type=type_)
        plain = plain_json(body)
    except msgspec.ValidationError as error:
        raise InvalidRequest(
            "the body does not fit; see errors", errors=(fault(naming_fields(str(error), of=type_)),)
        ) from None
    except RecursionError:
        raise MalformedBody("the JSON is nested too deep") from None
    except UnicodeDecodeError:
        raise MalformedBody("the body is not UTF-8") from None
    except msgspec.DecodeError as error:
        raise MalformedBody(f"the body is not JSON: {error}") from None
    if b"\\u0000" in body and any("\0" in text for text in _strings(plain)):
        raise InvalidRequest("the body holds a NUL character (\\u0000); leave it out")
    return value


def plain_json(body: bytes) -> Any:
    """Parse JSON into plain objects, numbers left as text. Raises InvalidRequest for a key that comes twice."""
    return json.loads(body, object_pairs_hook=_each_key_once, parse_int=str, parse_float=str)


def fault(message: str, *, item: int | None = None) -> FieldError:
    """Take the message of a msgspec error apart: what is wrong, and where."""
    where = _WHERE.search(message)
    path = where["path"] if where else ""
    detail = message[: where.start()] if where else message
    named = _NAMED.match(detail)
    if named:
        path = f"{path}.{named['name']}" if path else named["name"]
    return FieldError(detail=detail[:_SHOWN], field=path[:_SHOWN] or None, item=item)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidRequest(
                "a field is given twice; see errors",
                errors=(FieldError(detail="given more than once", field=name[:_SHOWN]),),
            )
        found[name] = value
    return found


def _strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, keys included, without recursion."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case dict() as found:
                waiting += [*found.keys(), *found.values()]
            case list() as found:
                waiting += found
