"""Posts deliveries to receivers, with a timeout for the whole response, as cStar documents.

A delivery succeeds with a 2xx only. cStar does not document redirects; they are not followed.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import httpx

from ..hosts import is_loopback_url
from ..text import printable, redacted

TIMEOUT = 10.0  # seconds; cStar's cheat sheet on webhooks (an older page says 30)
KEPT_BODY = 1024  # bytes of a response's body; enough for a reason


@dataclass(frozen=True)
class AttemptResult:
    """The outcome of an attempt.

    Attributes:
        status: The receiver's status, or None without a response.
        error: None if the attempt succeeded, which is with a 2xx status (cStar's guide).
        headers: The response's headers, with lower-case names; empty without a response.
        body: The first bytes of the response's body, as received. What looks like a secret is masked here and in `headers`.
        seconds: How long the attempt took.
    """

    status: int | None
    error: str | None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    seconds: float = 0.0


class DeliveryClient:
    """Posts deliveries over connections that it keeps open. To loopback it never uses a proxy.

    Args:
        timeout: Seconds for each attempt.
    """

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._clients: dict[tuple[bool, bool], httpx.AsyncClient] = {}

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> AttemptResult:
        """Makes one attempt. Neither the receiver nor this machine's settings make it raise an exception."""
        started = time.monotonic()
        try:
            result = await self._post(url, body, headers)
        except (TimeoutError, httpx.TimeoutException):
            result = AttemptResult(None, f"timeout: no response within {self._timeout:g} s")
        except httpx.ConnectError:
            result = AttemptResult(None, "connection refused")
        except Exception as error:  # noqa: BLE001 - whatever happens to an attempt is its outcome
            reason = printable(redacted(str(error)), 120) or type(error).__name__
            result = AttemptResult(None, f"connection failed: {reason}")
        return replace(result, seconds=time.monotonic() - started)

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> AttemptResult:
        try:
            client = self._client(url)
        except Exception as error:  # noqa: BLE001 - httpx raises many types; their messages may contain a proxy's password
            problem = f"the proxy or certificate settings of this process cannot be used ({type(error).__name__})"
            return AttemptResult(None, f"not sent: {problem}")
        client.headers.pop("User-Agent", None)  # httpx's own; deliveries without one exist
        headers = {"Accept-Encoding": "identity", **headers}
        # httpx closes the connection at its own timeouts, also during a TLS handshake. This one is for receivers that send
        # their response byte by byte.
        async with (
            asyncio.timeout(self._timeout + 0.2),
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            return await _result(response)

    async def aclose(self) -> None:
        """Closes the connections."""
        for client in self._clients.values():
            await client.aclose()

    def _client(self, url: str) -> httpx.AsyncClient:
        to_loopback = is_loopback_url(url)
        # Loading the trusted certificates takes 20 ms, and plain http to loopback needs none.
        needs_certificates = url.startswith("https:") or not to_loopback
        if (to_loopback, needs_certificates) not in self._clients:
            self._clients[to_loopback, needs_certificates] = httpx.AsyncClient(
                trust_env=not to_loopback,
                timeout=self._timeout,
                verify=needs_certificates or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                # httpx parses the Location of a redirect that it does not follow, and fails on an invalid one.
                event_hooks={"response": [_hide_location]},
            )
        return self._clients[to_loopback, needs_certificates]


async def _result(response: httpx.Response) -> AttemptResult:
    """Reads the body to its end, so that an incomplete one fails, and keeps its first bytes."""
    kept = b""
    # Raw: a small compressed body may decompress to gigabytes.
    async for chunk in response.aiter_raw():
        kept += chunk[: KEPT_BODY - len(kept)]
    body = redacted(kept.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    error = None if response.is_success else f"answered {response.status_code} {response.reason_phrase}".rstrip()
    received = response.extensions.get("received_headers", response.headers.raw)
    headers = [(name.lower().decode("latin-1"), redacted(value.decode("latin-1"))) for name, value in received]
    return AttemptResult(response.status_code, error, tuple(headers), body)


async def _hide_location(response: httpx.Response) -> None:
    if "location" in response.headers:
        response.extensions["received_headers"] = response.headers.raw
        del response.headers["location"]
