"""Sends a request and reads its response. Every failure is raised as one of this package's errors."""

import copy
import logging
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Self

import httpcore
import httpx

from .._version import VERSION
from ..errors import (
    ConfigurationError,
    ConnectionLostError,
    CStarError,
    InvalidResponseError,
    ResponseTimeoutError,
    TlsError,
    TransportError,
    UnreachableError,
)
from ..text import printable, redacted
from .certificates import tls_context
from .deadline import PLACEHOLDER, Attempt
from .proxies import proxy_for
from .requests import Request
from .responses import Response, date_of, refuse_redirect
from .transport import Transport

MAX_RESPONSE = 64 * 2**20  # bytes, unpacked: 10,000 webhooks are about 3 MB


@dataclass(frozen=True)
class RateLimit:
    """The rate limit as of the last response (`X-RateLimit-*`; cStar's article on rate limits).

    Attributes:
        limit, remaining: Requests in this window; None if the response does not say.
        reset_at: When the window ends, UTC.
        window: Its length in seconds.
    """

    limit: int | None
    remaining: int | None
    reset_at: datetime | None
    window: int | None


class Connection:
    """The connections to one address that a client and its copies share.

    Attributes:
        rate_limit, server_time: As of the last response.

    Raises:
        ConfigurationError: A variable of the environment (proxy, certificates) cannot be used.
    """

    def __init__(self, base_url: str, timeout: float) -> None:
        _mask_credentials_in_logs()
        self.timeout = timeout
        self.rate_limit: RateLimit | None = None
        self.server_time: datetime | None = None
        self._http = httpx.Client(
            transport=Transport(tls_context(base_url), proxy_for(base_url)),
            follow_redirects=False,
            # Before httpx reads `Location`, which it does even if it does not follow it.
            event_hooks={"response": [_refuse_redirect]},
            trust_env=False,
            # A connection serves several keys: a cookie of one response must not be sent with another key's request.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={
                "User-Agent": f"cstar-explore/{VERSION}",
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "Authorization": f"Bearer {PLACEHOLDER.decode()}",
            },
        )

    def for_another_key(self) -> Self:
        """The same connections, with a rate limit of their own."""
        other = copy.copy(self)
        other.rate_limit = other.server_time = None
        return other

    def close(self) -> None:
        """Closes the connections. A second call does nothing."""
        self._http.close()

    def exchange(self, request: Request[Any], headers: Mapping[str, str]) -> Response:
        """Sends a request once and reads the complete response.

        Raises:
            ConfigurationError: The connection was closed.
            TransportError: There is no complete response in time, or one of more than `MAX_RESPONSE` bytes.
        """
        if self._http.is_closed:
            raise ConfigurationError("This client is closed.", advice="Create a new one.")
        attempt = Attempt(self.timeout, request.key)
        try:
            response = self._exchange(request, headers, attempt)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failure = _failure(error, attempt)
        else:
            self.rate_limit = _rate_limit_in(response.headers) or self.rate_limit
            self.server_time = date_of(response) or self.server_time
            return response
        # Raised outside the handler and without the frames below: they may hold the body, and with it a signing secret.
        raise failure

    def _exchange(self, request: Request[Any], headers: Mapping[str, str], attempt: Attempt) -> Response:
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), attempt)
        with self._http.stream(
            request.method, request.url, content=request.content, headers=headers, extensions={"timeout": timeouts}
        ) as response:
            return Response(response.status_code, dict(response.headers), _body(response))


def _refuse_redirect(response: httpx.Response) -> None:
    refuse_redirect(response.status_code, redacted(response.headers.get("location", "nowhere")))


def _body(response: httpx.Response) -> bytes:
    """The body, unpacked if it is packed with gzip, the one encoding that was asked for. The limit holds while unpacking."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise InvalidResponseError(
            f"The response has the encoding '{printable(encoding, 80)}', and only gzip was requested.",
            status=response.status_code,
        )
    gzip = zlib.decompressobj(16 + zlib.MAX_WBITS) if "gzip" in encoding else None
    content, received = bytearray(), 0
    for chunk in response.iter_raw():
        received += len(chunk)
        content += chunk if gzip is None else gzip.decompress(chunk, MAX_RESPONSE + 1 - len(content))
        if max(received, len(content)) > MAX_RESPONSE:
            raise InvalidResponseError(
                f"The response is larger than {MAX_RESPONSE // 2**20} MB.", status=response.status_code
            )
    if gzip is not None and received and not gzip.eof:
        raise InvalidResponseError("The gzip encoding of the response is incomplete.", status=response.status_code)
    return bytes(content)


@cache
def _mask_credentials_in_logs() -> None:
    """httpcore logs response headers at level DEBUG, and a server may repeat the key in one."""
    for name in ("httpx", "httpcore.http11", "httpcore.connection", "httpcore.proxy", "httpcore.socks"):
        logging.getLogger(name).addFilter(_masked)


def _masked(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    if redacted(message) != message:
        record.msg, record.args = redacted(message), ()
    return True


def without_frames(error: BaseException) -> BaseException:
    """The error without its traceback and causes, whose frames hold what must not be shown."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


def _failure(error: BaseException, attempt: Attempt) -> BaseException:
    """The error that the caller gets. An interrupt stays one, without its frames."""
    if isinstance(error, CStarError) or not isinstance(error, Exception):
        return without_frames(error)
    message = printable(redacted(str(error)), 200) or type(error).__name__
    if isinstance(error, zlib.error):
        return InvalidResponseError(f"The gzip encoding of the response is broken: {message}")
    if not attempt.sent:
        return _unreachable(error, message, attempt)
    if isinstance(error, httpcore.TimeoutException):
        return ResponseTimeoutError(f"No complete response within {attempt:g} s")
    if isinstance(error, httpcore.NetworkError | httpcore.ProtocolError | httpcore.ProxyError | OSError):
        return ConnectionLostError(f"The connection broke: {message}")
    return TransportError(f"The response could not be read ({type(error).__name__}): {message}")


def _unreachable(error: Exception, message: str, attempt: Attempt) -> UnreachableError:
    if isinstance(error, httpcore.TimeoutException):
        return UnreachableError(f"No connection within {attempt:g} s")
    if _is_about_tls(error):
        return TlsError(f"The connection is not trusted: {message}")
    return UnreachableError(f"No connection: {message}")


def _is_about_tls(error: BaseException) -> bool:
    """Whether TLS failed for a reason that stays: a certificate or a protocol, and not a connection that was cut."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        cause = cause.__cause__ or cause.__context__
    return False


def _rate_limit_in(headers: Mapping[str, str]) -> RateLimit | None:
    limit, remaining, reset, window = (
        _whole(headers.get(f"x-ratelimit-{name}")) for name in ("limit", "remaining", "reset", "window")
    )
    if limit is None and remaining is None:
        return None
    # 253402300799 is the last second of the year 9999, the last that a datetime can hold.
    ends = datetime.fromtimestamp(reset, UTC) if reset is not None and reset <= 253402300799 else None
    return RateLimit(limit, remaining, ends, window)


def _whole(value: str | None) -> int | None:
    return int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 16 else None
