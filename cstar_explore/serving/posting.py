"""Posts deliveries to receivers, with a timeout for the whole response, as cStar documents.

A delivery succeeds with a 2xx only. cStar does not document redirects; they are not followed.
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
class AttemptResult:
    """The receiver's status, or None without a response; and the error, or None if the attempt succeeded."""

    status: int | None
    error: str | None

    @property
    def success(self) -> bool:
        """Whether the status is 2xx (cStar's guide)."""
        return self.status is not None and 200 <= self.status < 300


class DeliveryClient:
    """Posts deliveries over connections that it keeps open. To loopback it never uses a proxy.

    Args:
        timeout: Seconds for each attempt.
    """

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._seconds = timeout
        # httpx closes the connection at its own timeouts, also during a TLS handshake. The one in `post` is for receivers
        # that send their response byte by byte.
        self._timeout = httpx.Timeout(timeout)
        self._loopback_client: httpx.AsyncClient | None = None
        self._remote_client: httpx.AsyncClient | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> AttemptResult:
        """Makes one attempt. No behaviour of the receiver raises an exception."""
        client = self._client(url)
        try:
            async with asyncio.timeout(self._seconds + 0.2):
                response = await client.post(url, content=body, headers=dict(headers))
        except (TimeoutError, httpx.TimeoutException):
            return AttemptResult(None, f"timeout: no response within {self._seconds:g} s")
        except httpx.ConnectError:
            return AttemptResult(None, "connection refused")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return AttemptResult(None, f"connection failed: {printable(error, 120) or type(error).__name__}")
        if response.is_success:
            return AttemptResult(response.status_code, None)
        return AttemptResult(response.status_code, f"answered {response.status_code} {response.reason_phrase}".rstrip())

    async def close(self) -> None:
        """Closes the connections."""
        for client in (self._loopback_client, self._remote_client):
            if client is not None:
                await client.aclose()

    def _client(self, url: str) -> httpx.AsyncClient:
        # httpx parses the Location of a redirect that it does not follow, and fails on an invalid one.
        hooks = {"response": [_remove_location]}
        if is_loopback_url(url):
            # Loading the trusted certificates takes 20 ms and is for https only.
            verify = url.startswith("https:") or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._loopback_client = self._loopback_client or httpx.AsyncClient(
                trust_env=False, timeout=self._timeout, verify=verify, event_hooks=hooks
            )
            return self._loopback_client
        self._remote_client = self._remote_client or httpx.AsyncClient(timeout=self._timeout, event_hooks=hooks)
        return self._remote_client


async def _remove_location(response: httpx.Response) -> None:
    response.headers.pop("location", None)
