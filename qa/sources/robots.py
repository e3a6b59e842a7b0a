"""What a site's robots.txt lets us ask: takes its text, or that there is none, gives rules (RFC 9309).

Kept for a day and for each site. Without the file, whatever the status between 400 and 499, everything may be asked;
while it cannot be had, nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import msgspec

from qa.sources.errors import FetchRefused

__all__ = ["AGENT", "Robots"]

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
