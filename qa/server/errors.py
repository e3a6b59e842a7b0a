"""Every error that the HTTP layer itself raises; `problems` maps each to a reply.

ServerError(QAError)
├── RequestError           the request is at fault
│   ├── MalformedBody      not JSON, not UTF-8, nested too deep, cut short
│   ├── InvalidRequest     well formed, but a field is missing, unknown, of the wrong type or out of bounds
│   ├── Unsupported            a field asks for something that is not done here
│   ├── NothingUsable      none of the articles sent could be taken
│   ├── UnsupportedMedia   a content type, charset or encoding that is not read here
│   ├── BodyTooLarge       more bytes than the limit
│   ├── SlowBody           the body did not arrive in time
│   ├── Unauthenticated    a key or token is missing or is not one of this service
│   ├── TokenExpired       the token was good and its time is over
│   ├── NotAllowed         known, and not allowed to do this
│   │   └── OutOfReach     names a collection that the caller may not read or write
│   ├── ForeignOrigin      sent by a page of an origin that may not
│   ├── UnknownHost        sent to a name that is not this service's
│   └── RateLimited        the caller's budget is spent for now
├── NotInstalled           needs a package that the service was installed without
├── NotReady               the store or the encoder is still being loaded
├── Overloaded             too much work is waiting already
├── DeadlineExceeded       the question's time is up
└── ShuttingDown           the service is stopping
"""

import msgspec

from qa.errors import QAError


class FieldError(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong with a request."""

    detail: str
    field: str | None = None
    """Path of the field, such as `filters.source[0]`."""
    item: int | None = None
    """Which article of the body, counted from 1; in NDJSON the line number."""
    name: str | None = None
    """What that article calls itself: its title, link, id or file, whichever it has first."""


class ServerError(QAError):
    """Root of the tree."""


class RequestError(ServerError):
    """The request is at fault."""

    def __init__(self, detail: str, *, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.errors = errors


class MalformedBody(RequestError):
    """The body cannot be parsed."""


class InvalidRequest(RequestError):
    """The request parses, but a field of it cannot be used."""


class Unsupported(RequestError):
    """A field asks for something that is not done here, and leaving it unsaid would mislead the caller."""


class NothingUsable(RequestError):
    """None of the articles sent could be taken."""


class UnsupportedMedia(RequestError):
    """The body's content type, charset or content encoding is not read here."""


class BodyTooLarge(RequestError):
    """The body has more bytes than the limit."""


class SlowBody(RequestError):
    """The body did not arrive in time."""


class Unauthenticated(RequestError):
    """A key or token is missing, or is not one of this service."""


class TokenExpired(RequestError):
    """The token was good, and its time is over."""


class NotAllowed(RequestError):
    """The caller is known and not allowed to do this."""


class OutOfReach(NotAllowed):
    """The request names a collection that the caller may not read or write."""


class ForeignOrigin(RequestError):
    """The request comes from a page of an origin that may not send it."""


class UnknownHost(RequestError):
    """The request was sent to a name that is not this service's."""


class RateLimited(RequestError):
    """The caller's budget is spent for now."""

    def __init__(self, detail: str, *, retry_after: int = 1) -> None:
        """`retry_after`: seconds until there is enough in it again."""
        super().__init__(detail)
        self.retry_after = retry_after


class NotInstalled(ServerError):
    """The route needs a package that the service was installed without."""


class NotReady(ServerError):
    """The store or the encoder is still being loaded."""


class Overloaded(ServerError):
    """Too much work is waiting already."""

    def __init__(self, detail: str, *, retry_after: int = 1) -> None:
        """`retry_after`: seconds until some of it is expected to be done."""
        super().__init__(detail)
        self.retry_after = retry_after


class DeadlineExceeded(ServerError):
    """The question's time is up."""


class ShuttingDown(ServerError):
    """The service is stopping."""


def require_reach(within: tuple[str, ...] | None, collection: str | None) -> None:
    """Refuse a request that names a collection which is not among those it may use. Raises OutOfReach.

    Whether there is such a collection makes no difference.
    """
    if within is not None and collection is not None and collection not in within:
        raise OutOfReach(
            f"what was shown opens {_these(within)} and not {collection[:100]!r}: name one of these or none, "
            "or show a key whose scope holds that one"
        )


def _these(names: tuple[str, ...]) -> str:
    return f"the collection{'s' * (len(names) != 1)} {', '.join(names)}"
