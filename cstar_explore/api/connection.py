"""The connection: sends a request over httpx, and turns all that can go wrong on the way into our own errors.

httpx is imported here, in `traffic`, and where the sandbox posts deliveries, and nowhere else.
"""

import logging
import os
import ssl
import uuid
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Generic, TypeVar

import httpx

from .._version import VERSION
from ..errors import (
    ConnectionLostError,
    CStarError,
    InvalidResponseError,
    NotFoundError,
    ResponseTimeoutError,
    TransportError,
    UnreachableError,
)
from ..secret import Secret
from ..serving.loopback import is_loopback_url
from ..text import printable, redacted
from .deadline import reading, watch_new_connections
from .requests import Request, read
from .responses import Response, date_of, refuse_redirect

T = TypeVar("T")

# More than any list of webhooks, less than what hurts: 10,000 webhooks are about 3 MB.
MAX_RESPONSE = 64 * 2**20


@dataclass(frozen=True)
class RateLimit:
    """What the last answer said of the rate limit (`X-RateLimit-*`; cStar's article on rate limits).

    Attributes:
        limit, remaining: Requests in this window; None where not said.
        reset_at: When the window ends, UTC.
        window: Its length in seconds.
    """

    limit: int | None
    remaining: int | None
    reset_at: datetime | None
    window: int | None


class Link:
    """The connection that a client and its twins share, and the last budget seen on it."""

    def __init__(self, base_url: str, timeout: float) -> None:
        _mask_credentials_in_logs()
        self.timeout = timeout
        self.rate_limit: RateLimit | None = None
        self.server_time: datetime | None = None
        # Proxies and SSL_CERT_FILE come from the environment, except to loopback, which no proxy can reach.
        self.http = httpx.Client(
            timeout=timeout,
            verify=_verification(base_url),
            follow_redirects=False,
            # Before httpx itself looks at `Location`: it reads that header even where it does not follow it, and one
            # that it cannot read would look like a lost answer, which is repeated.
            event_hooks={"response": [_refuse_before_reading]},
            trust_env=not is_loopback_url(base_url),
            # A connection serves many keys: what one answer sets must not go out with another's request.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": f"cstar-explore/{VERSION}", "Accept": "application/json"},
        )

    def twin(self) -> "Link":
        """The same connections for another key, with a budget of its own."""
        twin = object.__new__(Link)
        twin.__dict__.update(self.__dict__ | {"rate_limit": None, "server_time": None})
        return twin

    def exchange(self, request: Request[Any], headers: Mapping[str, str]) -> Response:
        """Sends once and reads the whole answer.

        Raises:
            TransportError: There was none, or not in time, or more than `MAX_RESPONSE` bytes of it.
        """
        try:
            answer = self._exchange(request, headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failure = _failure(error, self.timeout)
        else:
            self.rate_limit = _rate_limit_in(answer.headers) or self.rate_limit
            self.server_time = date_of(answer) or self.server_time
            return answer
        # Raised here, outside the handler: the frames below hold the key in clear, and a chained traceback may print them.
        raise failure

    def _exchange(self, request: Request[Any], headers: Mapping[str, str]) -> Response:
        content = bytearray()
        with (
            reading(self.timeout) as traffic,
            self.http.stream(
                request.method,
                request.url,
                content=request.content,
                headers=headers,
                auth=_Bearer(request.key),
                extensions={"trace": watch_new_connections},
            ) as response,
        ):
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MAX_RESPONSE:
                    raise InvalidResponseError(
                        f"The answer is larger than {MAX_RESPONSE // 2**20} MB.", status=response.status_code
                    )
            if not traffic.arrived:
                traffic.drop()
                raise InvalidResponseError(
                    "An answer was there before the request was sent.", status=response.status_code
                )
            if not traffic.ended_with(response.status_code, response.headers):
                traffic.drop()  # whatever came behind the answer must not be taken for the next one
            return Response(response.status_code, dict(response.headers), bytes(content))


def _refuse_before_reading(response: httpx.Response) -> None:
    """Refuses what must not be followed, and what could unpack to any size."""
    refuse_redirect(response.status_code, redacted(response.headers.get("location", "nowhere")))
    if "," in response.headers.get("content-encoding", ""):
        raise InvalidResponseError("The answer is packed more than once.", status=response.status_code)


def _verification(base_url: str) -> ssl.SSLContext | bool:
    if base_url.startswith("http:"):
        # A request over http needs no certificates, and loading them takes 20 ms; this context trusts none.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    certificates = os.environ.get("SSL_CERT_FILE")
    # httpx reads the variable by itself, except where it is told to leave the environment alone.
    own = is_loopback_url(base_url) and certificates is not None and os.path.isfile(certificates)  # noqa: PTH113 - a name from the environment
    return ssl.create_default_context(cafile=certificates) if own else True


@cache
def _mask_credentials_in_logs() -> None:
    """httpcore logs response headers at level DEBUG, and a server may repeat the key in one."""
    for name in ("httpx", "httpcore.http11", "httpcore.connection", "httpcore.proxy"):
        logging.getLogger(name).addFilter(_masked)


def _masked(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    if redacted(message) != message:
        record.msg, record.args = redacted(message), ()
    return True


class Operation(Generic[T]):
    """One call through all its attempts: one Idempotency-Key, and the memory of an attempt that may have had its effect."""

    def __init__(self, request: Request[T], link: Link) -> None:
        self._request = request
        self._link = link
        self._may_have_acted = False
        self._headers = {} if request.body is None else {"Content-Type": "application/json"}
        if request.repeat == "with_key":
            self._headers["Idempotency-Key"] = str(uuid.uuid4())

    def attempt(self) -> T:
        """Sends the request once more. An error knows whether this attempt or an earlier one may have had its effect."""
        try:
            return read(self._request, self._link.exchange(self._request, self._headers))
        except NotFoundError as error:
            if self._request.method == "DELETE" and self._may_have_acted:
                return None  # type: ignore[return-value] # it is gone, by the attempt whose answer was lost
            raise self._remembering(error) from None
        except CStarError as error:
            raise self._remembering(error) from None

    def _remembering(self, error: CStarError) -> CStarError:
        if not self._request.writes:
            if error.may_have_acted and not isinstance(error, InvalidResponseError):
                error.advice = "It changes nothing, so it can be called again."
            error.may_have_acted = False
        self._may_have_acted = self._may_have_acted or error.may_have_acted
        error.may_have_acted = self._may_have_acted
        return error


class _Bearer(httpx.Auth):
    """Puts the key into the request at the last moment, so that no name in our own frames holds it in clear."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        yield request


def _failure(error: Exception, timeout: float) -> TransportError:
    """What an error of httpx means for the caller: whether anything can have arrived."""
    said = printable(redacted(str(error)), 200) or type(error).__name__
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return UnreachableError(f"No connection within {timeout:g} s.")
        case httpx.ConnectError() if _is_about_certificates(error):
            return UnreachableError(f"The connection is not trusted: {said}", advice=_CERTIFICATES)
        case httpx.ConnectError() | httpx.ProxyError() | httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return UnreachableError(f"No connection: {said}")
        case httpx.TimeoutException():
            return ResponseTimeoutError(f"No whole answer within {timeout:g} s.")
        case httpx.DecodingError():
            return InvalidResponseError(f"The answer could not be decoded: {said}")
        case _:
            return ConnectionLostError(f"The connection broke: {said}")


_CERTIFICATES = (
    "Nothing was sent. Check the address; behind a company's proxy, point SSL_CERT_FILE at its certificates."
)


def _is_about_certificates(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
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
