"""JSON over HTTP to the service under evaluation; blocking calls in threads, failures as `TargetFailed`."""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from qa.evaluation.errors import RunRefused, TargetFailed
from qa.evaluation.types import Failure

__all__ = ["JsonClient", "Response"]

_LARGEST = 50_000_000
_TRIES = 4
_LONGEST_PAUSE = 30.0
_BUSY = frozenset({429, 503})


class Response:
    """A body with the time it took to come."""

    def __init__(self, body: bytes, latency_ms: float) -> None:
        self.body = body
        self.latency_ms = latency_ms


class JsonClient:
    """Speaks to one base URL. A service that is busy is asked again, at its own pace; nothing else is."""

    def __init__(self, base_url: str, *, timeout: float, token: str = "") -> None:
        """Raises RunRefused for what is no http(s) address."""
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise RunRefused(f"{base_url!r} is no address of a service; write one such as http://127.0.0.1:8000")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self._timeout = timeout
        self._headers = {"accept": "application/json", "user-agent": "sourceline-evaluation"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Response:
        """Raises TargetFailed."""
        return await self._send("GET", path + (f"?{urlencode(query)}" if query else ""), None)

    async def post(self, path: str, body: bytes) -> Response:
        """Raises TargetFailed."""
        return await self._send("POST", path, body)

    async def _send(self, method: str, path: str, body: bytes | None) -> Response:
        for attempt in range(_TRIES):
            try:
                # The socket's timeout is per read; a body that trickles must end as well.
                job = asyncio.to_thread(self._once, method, path, body)
                status, content, pause, latency = await asyncio.wait_for(job, timeout=self._timeout + 1.0)
            except TimeoutError as error:
                failure = Failure(kind="timed_out", message=f"no answer within {self._timeout:g} s")
                raise TargetFailed(failure) from error
            except (OSError, http.client.HTTPException) as error:
                failure = Failure(kind="unreachable", message=f"{type(error).__name__}: {error}")
                raise TargetFailed(failure) from error
            if status in _BUSY and attempt + 1 < _TRIES:
                await asyncio.sleep(pause)
                continue
            if status != 200:
                message = f"HTTP {status}: {_start(content)}"
                raise TargetFailed(Failure(kind="refused" if 400 <= status < 500 else "broken", message=message))
            return Response(content, latency)
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes, float, float]:
        """Status, body, seconds to pause where it is busy, milliseconds it took."""
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout)
        headers = {**self._headers, **({"content-type": "application/json"} if body is not None else {})}
        try:
            began = time.perf_counter()
            connection.request(method, self._path + path, body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read(_LARGEST)
            latency = (time.perf_counter() - began) * 1000
            return answer.status, content, _pause(answer.headers.get("retry-after")), latency
        finally:
            connection.close()


def _pause(retry_after: str | None) -> float:
    return min(float(retry_after), _LONGEST_PAUSE) if retry_after and retry_after.isdecimal() else 1.0


def _start(content: bytes) -> str:
    return " ".join(content[:600].decode("utf-8", "replace").split())[:300]
