"""Fetches one document from the web, within limits of size, time and redirects.

A request that is repeated says what it knows already (`ETag`, `Last-Modified`), so that nothing comes twice.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Timer
from typing import Final, Literal
from urllib.parse import SplitResult, urldefrag, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import msgspec

from qa.access.origins import Network
from qa.errors import QAError
from qa.tracing import Value, part


class SourceError(QAError):
    """A feed, a page or a delivery failed; the others go on."""


class FetchRefused(SourceError):
    """Nothing was taken from an address."""

    def __init__(self, detail: str, *, lasting: bool = True, retry_after: float | None = None) -> None:
        """`lasting`: whether asking again is useless; `retry_after`: seconds for which the server asks for quiet."""
        super().__init__(detail)
        self.lasting = lasting
        self.retry_after = retry_after


class NotDelivered(SourceError):
    """Store or service did not take articles; the same again later loses and doubles nothing."""


# --- What a site's robots.txt lets us ask: takes its text, or that there is none, gives rules (RFC 9309)
# Kept for a day and for each site. Without it (status 400 to 499) everything may be asked; while it fails, nothing.
AGENT: Final = "Sourceline"
"""The name that a site may speak to."""
_KEPT_SECONDS = 86_400.0
_LARGEST = 500_000
"""So much of it must be read, says the standard; more is not."""
_LONGEST_PAUSE = 60.0
_MOST_SITES = 1_000


class _Rules(msgspec.Struct, frozen=True):
    parser: RobotFileParser
    until: float


class Robots:
    """The rules of the sites that were asked lately."""

    def __init__(self, read: Callable[[str], bytes], *, now: Callable[[], float] = time.monotonic) -> None:
        """`read` gives the body at an address; it raises FetchRefused, lasting where there is no such file."""
        self._read = read
        self._now = now
        self._rules: dict[str, _Rules] = {}

    def require(self, url: str) -> float:
        """Give the seconds that the site wants between two requests. Raises FetchRefused where it may not be asked."""
        parts = urlsplit(url)
        parser = self._of(f"{parts.scheme}://{parts.netloc}")
        if not parser.can_fetch(AGENT, url):
            raise FetchRefused(f"{url} is not asked: robots.txt of {parts.hostname} forbids it")
        return min(float(parser.crawl_delay(AGENT) or 0.0), _LONGEST_PAUSE)

    def _of(self, site: str) -> RobotFileParser:
        known = self._rules.get(site)
        if known is None or known.until <= self._now():
            if len(self._rules) >= _MOST_SITES:
                self._rules.clear()
            known = self._rules[site] = _Rules(self._asked(site), self._now() + _KEPT_SECONDS)
        return known.parser

    def _asked(self, site: str) -> RobotFileParser:
        """Raises FetchRefused for now where the file can not be had; that is not kept."""
        parser = RobotFileParser()
        try:
            body = self._read(f"{site}/robots.txt")
        except FetchRefused as error:
            if not error.lasting:
                why = f"{site} is not asked: its robots.txt cannot be read ({error})"
                raise FetchRefused(why, lasting=False, retry_after=error.retry_after) from None
            body = b""
        parser.parse(body[:_LARGEST].decode("utf-8", "replace").splitlines())
        return parser


# --- Which machine an address of the web leads to: takes a URL, gives the address to connect to, or refuses
# The name is looked up once and the connection goes to what was found, so that no second answer of a name server can
# lead elsewhere. Every redirect comes here again.
Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as text."""
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""What stands for an IPv4 address in networks without IPv4."""
_PORTS = {"http": 80, "https": 443}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes."""

    url: SplitResult
    host: str
    port: int
    address: str

    @property
    def path(self) -> str:
        """What stands in the request's first line."""
        return f"{self.url.path or '/'}{'?' + self.url.query if self.url.query else ''}"


def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the name servers. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def address_of(url: str) -> tuple[SplitResult, str, int]:
    """The parts, the host and the port of an address that can be asked. Raises FetchRefused for others."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    except (ValueError, UnicodeError) as error:
        raise FetchRefused(f"{url[:200]!r} is no address of the web: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise FetchRefused(f"an address with a user's name in it is not asked: {host}")
    if parts.scheme not in _PORTS or not host or any(ord(sign) <= 32 for sign in url):
        raise FetchRefused(f"{url[:200]!r} is no http or https address")
    return parts, host, port


def target(url: str, *, allowed: Sequence[Network], resolve: Resolve = look_up) -> Target:
    """Find where a URL leads. Raises FetchRefused unless that is http(s) at a public address, or one `allowed`."""
    parts, host, port = address_of(url)
    try:
        found = resolve(host, port)
    except OSError as error:
        raise FetchRefused(f"the name {host} cannot be looked up: {error}", lasting=False) from None
    for address in found:
        if not _is_public(address) and not any(ip_address(address.partition("%")[0]) in network for network in allowed):
            raise FetchRefused(
                f"{host} is at the private address {address}, which is not asked; name its network in QA_FEED_NETWORKS "
                "if that is meant"
            )
    if not found:
        raise FetchRefused(f"the name {host} has no address", lasting=False)
    return Target(url=parts, host=host, port=port, address=found[0])


def _is_public(written: str) -> bool:
    """Whether an address, or the one that it carries, belongs to the internet."""
    if "%" in written:
        return False
    address = ip_address(written)
    if isinstance(address, IPv6Address):
        translated = IPv4Address(int(address) & 0xFFFF_FFFF) if address in _TRANSLATED else None
        address = translated or address.ipv4_mapped or address.sixtofour or address
    return address.is_global and not address.is_multicast


_MOVED_FOR_GOOD = frozenset({301, 308})
_MOVED = frozenset({301, 302, 303, 307, 308})
_TRY_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_BLOCK = 65_536
_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, text/html, application/xml;q=0.9, */*;q=0.5"
)
_UNKNOWN_ISSUERS = frozenset({18, 19, 20, 21})
"""What OpenSSL says of certificates that nobody known here vouches for."""
_OF_ITS_OWN = "; if it is your own, SSL_CERT_FILE names a file with what vouches for it"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is taken of one address."""

    size: int = 10_000_000
    """Bytes, as sent and as inflated."""
    seconds: float = 30.0
    """For one request, from the connection to the last byte."""
    redirects: int = 5
    pause: float = 1.0
    """Seconds between two requests to one host."""


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What an address gave."""

    state: Literal["new", "unchanged", "gone"]
    url: str
    """Where it was found, after redirects."""
    moved_to: str | None = None
    """Where it is for good from now on, if its server said so."""
    body: bytes = b""
    media_type: str = ""
    etag: str = ""
    last_modified: str = ""


class Fetcher:
    """Asks addresses one after another, never one host too often."""

    def __init__(
        self,
        *,
        allowed: Sequence[Network] = (),
        limits: Limits | None = None,
        resolve: Resolve = look_up,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """`allowed`: private networks that may be asked all the same.

        Certificates are checked against those of this machine, or of the file that SSL_CERT_FILE names.
        """
        self._allowed = allowed
        self._limits = limits or Limits()
        self._resolve = resolve
        self._sleep = sleep
        self._asked: dict[str, float] = {}
        self._context = ssl.create_default_context()
        self._agent = f"{AGENT}/{version('sourceline')} (feed reader)"
        self._robots = Robots(lambda address: self._fetch(address, known={}, heed=False).body)

    def fetch(self, url: str, *, etag: str = "", last_modified: str = "") -> Fetched:
        """Get a document, or learn that it is the one known by `etag` or `last_modified`.

        Raises FetchRefused, also for what the robots.txt of a site forbids, at each address that the first leads to.
        """
        known = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        return self._fetch(url, known={name: value for name, value in known.items() if value}, heed=True)

    def _fetch(self, url: str, *, known: Mapping[str, str], heed: bool) -> Fetched:
        """`heed`: of all but robots.txt, which is read wherever it leads: not to read it would be to disregard it."""
        place, moved_to, for_good = url, None, True
        for _ in range(self._limits.redirects + 1):
            there = target(place, allowed=self._allowed, resolve=self._resolve)
            self._wait_for(there.host, pause=self._robots.require(place) if heed else 0.0)
            answer = self._ask(there, known)
            if answer.status not in _MOVED:
                return self._read(answer, place, moved_to)
            place, before = urldefrag(urljoin(place, answer.location)).url, place
            if heed and urlsplit(before).scheme == "https" and urlsplit(place).scheme == "http":
                raise FetchRefused(
                    f"{before} leads on to {place} without TLS, where anybody on the way could alter what comes; "
                    "it is not asked. Add that address itself if it is meant"
                )
            for_good = for_good and answer.status in _MOVED_FOR_GOOD
            moved_to = place if for_good else moved_to
        raise FetchRefused(f"{url} leads on more than {self._limits.redirects} times, perhaps in a circle")

    def _wait_for(self, host: str, *, pause: float) -> None:
        left = self._asked.get(host, float("-inf")) + max(self._limits.pause, pause) - time.monotonic()
        if left > 0:
            self._sleep(left)
        self._asked[host] = time.monotonic()

    def _ask(self, there: Target, headers: Mapping[str, str]) -> _Answer:
        connection = _Connection(there, context=self._context, seconds=self._limits.seconds)
        # A server that sends a byte now and then keeps every single wait short.
        watch = Timer(self._limits.seconds, connection.break_off)
        watch.daemon = True
        watch.start()
        sent = {"User-Agent": self._agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip", "Connection": "close"}
        told: dict[str, Value] = {"http.request.method": "GET", "server.address": there.host, "server.port": there.port}
        try:
            with part("GET", kind="client", attributes=told) as span, closing(connection):
                connection.request("GET", there.path, headers={**sent, **headers})
                with closing(connection.getresponse()) as response:  # one given up holds the socket still
                    answer = self._answer(response, there)
                span.tell({"http.response.status_code": answer.status})
                if connection.broken_off:  # an answer without a length ends like one that was broken off
                    raise TimeoutError
                return answer
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, ssl.SSLError) and not connection.broken_off:
                raise FetchRefused(f"{there.url.geturl()} is not asked: {_untrusted(error)}", lasting=False) from None
            late = connection.broken_off or isinstance(error, TimeoutError)
            why = f"within {self._limits.seconds:g} seconds" if late else f"({error or type(error).__name__})"
            raise FetchRefused(f"{there.url.geturl()} did not answer {why}", lasting=False) from None
        finally:
            watch.cancel()

    def _answer(self, response: http.client.HTTPResponse, there: Target) -> _Answer:
        return _Answer(
            status=response.status,
            body=self._body(response, there) if response.status == 200 else b"",
            location=response.getheader("location", ""),
            media_type=response.headers.get_content_type(),
            etag=response.getheader("etag", ""),
            last_modified=response.getheader("last-modified", ""),
            retry_after=response.getheader("retry-after", ""),
        )

    def _body(self, response: http.client.HTTPResponse, there: Target) -> bytes:
        """Read and inflate, and stop where it becomes too much."""
        packed = response.getheader("content-encoding", "").strip().lower()
        if packed not in {"", "identity", "gzip", "x-gzip"}:
            raise FetchRefused(f"{there.url.geturl()} came packed as {packed[:40]!r}, which was not asked for")
        inflate = zlib.decompressobj(wbits=31) if packed in {"gzip", "x-gzip"} else None
        read, size = bytearray(), 0
        while block := response.read1(_BLOCK):
            size += len(block)
            try:
                read += block if inflate is None else inflate.decompress(block, self._limits.size + 1 - len(read))
            except zlib.error as error:
                raise FetchRefused(f"{there.url.geturl()} is damaged ({error})", lasting=False) from None
            if max(size, len(read)) > self._limits.size:
                raise FetchRefused(f"{there.url.geturl()} is larger than {self._limits.size:,} bytes")
        promised = "" if response.chunked else response.getheader("content-length", "")
        if (promised.isdecimal() and size < int(promised)) or (inflate is not None and not inflate.eof):
            raise http.client.IncompleteRead(bytes(read))
        return bytes(read)

    def _read(self, answer: _Answer, place: str, moved_to: str | None) -> Fetched:
        if answer.status in {304, 410}:
            return Fetched(state="unchanged" if answer.status == 304 else "gone", url=place, moved_to=moved_to)
        if answer.status != 200:
            later = answer.status in _TRY_LATER
            wait = seconds_of_quiet(answer.retry_after) if later else None
            raise FetchRefused(f"{place} answered with status {answer.status}", lasting=not later, retry_after=wait)
        return Fetched(
            state="new",
            url=place,
            moved_to=moved_to,
            body=answer.body,
            media_type=answer.media_type,
            etag=answer.etag,
            last_modified=answer.last_modified,
        )


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back of one request."""

    status: int
    body: bytes
    location: str
    media_type: str
    etag: str
    last_modified: str
    retry_after: str


class _Connection(http.client.HTTPConnection):
    """A connection to the address that was found for a host, whatever its name means meanwhile."""

    def __init__(self, there: Target, *, context: ssl.SSLContext, seconds: float) -> None:
        super().__init__(there.host, there.port, timeout=seconds)
        self._address = (there.address, there.port)
        self._secure = context if there.url.scheme == "https" else None
        self.default_port = 443 if self._secure else 80
        self.broken_off = False
        self._open: socket.socket | None = None

    def connect(self) -> None:
        """Open it."""
        self.sock = socket.create_connection(self._address, self.timeout)
        if self._secure is not None:
            self.sock = self._secure.wrap_socket(self.sock, server_hostname=self.host)
        self._open = self.sock  # an answer that ends the connection takes `sock` away

    def break_off(self) -> None:
        """End it from another thread."""
        self.broken_off = True
        if self._open is not None:
            with suppress(OSError):
                # Not the method of a secure socket, which would pull its state from under the thread that reads.
                socket.socket.shutdown(self._open, socket.SHUT_RDWR)


def _untrusted(error: ssl.SSLError) -> str:
    """Why no connection with TLS came about, for whoever runs the feeds."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return f"it does not speak TLS as it should ({error.reason or error})"
    said = error.verify_message.rstrip(".")
    unknown = error.verify_code in _UNKNOWN_ISSUERS
    return f"its certificate cannot be trusted: {said}{_OF_ITS_OWN if unknown else ''}"


def seconds_of_quiet(written: str) -> float | None:
    """How long `Retry-After` asks for: seconds, or until a date."""
    with suppress(ValueError):
        return max(0.0, float(written))
    with suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(written).timestamp() - time.time())
    return None
