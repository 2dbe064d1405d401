"""Posts a delivery to a receiver, as cStar's pages have it: one attempt, a timeout of seconds for the whole answer.

Of redirects no page speaks; only a 2xx is a success, so none is followed.

Besides `link` this is the one place that imports httpx.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from ..text import printable
from .loopback import is_loopback_url

TIMEOUT = 10.0  # seconds; cStar's cheat sheet on webhooks (an older page says 30)


@dataclass(frozen=True)
class Outcome:
    """What a receiver made of a delivery: its status, or why there was none."""

    status: int | None
    error: str | None

    @property
    def success(self) -> bool:
        """Any 2xx (cStar's guide)."""
        return self.status is not None and 200 <= self.status < 300


class Post:
    """Posts deliveries over connections that it keeps. To loopback never through a proxy."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._seconds = timeout
        # httpx hangs up by itself where one of its own timeouts ends, also in the middle of TLS; the one around all is for
        # receivers that answer in drops.
        self._timeout = httpx.Timeout(timeout)
        self._near: httpx.AsyncClient | None = None
        self._far: httpx.AsyncClient | None = None

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Posts once; never raises for what the receiver does."""
        try:
            async with asyncio.timeout(self._seconds + 0.2):
                response = await self._client(url).post(url, content=body, headers=dict(headers))
        except (TimeoutError, httpx.TimeoutException):
            return Outcome(None, f"timeout: no answer within {self._seconds:g} s")
        except httpx.ConnectError:
            return Outcome(None, "connection refused")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return Outcome(None, f"connection failed: {printable(error, 120) or type(error).__name__}")
        if response.is_success:
            return Outcome(response.status_code, None)
        return Outcome(response.status_code, f"answered {response.status_code} {response.reason_phrase}".rstrip())

    async def close(self) -> None:
        """Closes the connections."""
        for client in (self._near, self._far):
            if client is not None:
                await client.aclose()

    def _client(self, url: str) -> httpx.AsyncClient:
        # httpx reads even a redirect that it does not follow, and fails on one it cannot read; without it, it is a status.
        hooks = {"response": [_forget_location]}
        if is_loopback_url(url):
            # Certificates are loaded for https alone; loading them takes 20 ms.
            trusted = url.startswith("https:") or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._near = self._near or httpx.AsyncClient(
                trust_env=False, timeout=self._timeout, verify=trusted, event_hooks=hooks
            )
            return self._near
        self._far = self._far or httpx.AsyncClient(timeout=self._timeout, event_hooks=hooks)
        return self._far


async def _forget_location(response: httpx.Response) -> None:
    response.headers.pop("location", None)
