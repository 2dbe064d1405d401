"""Sends requests over its own connections: in packets, in chunks, several over one connection, many at the same moment.

It uses no proxy and follows no redirect.
"""

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from ..text import plural

TIMEOUT = 10.0  # seconds for each response, as cStar's
_PAUSE = 0.04  # seconds between packets, so that the receiver reads them separately
_ACCEPTING = 0.004  # seconds between connections, so that the receiver can accept each
_GATHERING = 0.15  # seconds to open the connections for requests that are sent at the same moment
_READ = 2**16
_KEPT_BODY = 4096  # bytes of a response's body; enough to recognize a framework's error page

NO_RESPONSE = f"no response within {TIMEOUT:g} s"
NO_CONNECTION = "no connection"
NO_TLS = "no TLS connection"
CLOSED = "the connection was closed without a response"


@dataclass(frozen=True, repr=False)
class Request:
    """A request. With `split`, the body is sent in two packets, the first with that many bytes. With `chunked`, it has no length."""

    body: bytes
    headers: tuple[tuple[str, bytes], ...]
    method: str = "POST"
    split: int = 0
    chunked: bool = False


@dataclass(frozen=True, repr=False)
class Exchange:
    """What a check sends: one request after another over one connection, or all at the same moment.

    `ids` has the ID of each event once.
    """

    requests: Sequence[Request]
    ids: tuple[str, ...] = ()
    at_once: bool = False


@dataclass(frozen=True)
class Response:
    """A response. `error` says why there is none (`status` is None), or why a handler failed."""

    status: int | None
    error: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def accepted(self) -> bool:
        """Whether the status is 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def rejected(self) -> bool:
        """Whether the status is 4xx."""
        return self.status is not None and 400 <= self.status < 500

    @property
    def failed(self) -> bool:
        """Whether the status is 5xx, or there is no response."""
        return self.status is None or self.status >= 500

    @property
    def text(self) -> str:
        """The headers and the body in lower case, to recognize frameworks and their error pages."""
        lines = [f"{name}: {value}" for name, value in self.headers]
        return "\n".join([*lines, "", self.body.decode("latin-1")]).lower()

    def __str__(self) -> str:
        return self.error if self.status is None else f"{self.status} {self.error}".rstrip()


class Sender:
    """Sends requests to one URL, which has been validated."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self.tls = ssl.create_default_context() if parts.scheme == "https" else None
        self.port = parts.port or (443 if self.tls else 80)
        self.authority = parts.netloc
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    async def send(self, exchange: Exchange) -> list[Response]:
        """The response to each request."""
        send = self._at_once if exchange.at_once else self._one_by_one
        try:
            return await send(exchange.requests)
        finally:
            await asyncio.sleep(0)  # lets the connections close

    async def _one_by_one(self, requests: Sequence[Request]) -> list[Response]:
        responses: list[Response] = []
        with contextlib.closing(_Connection(self)) as connection:
            for request in requests:
                is_reused = connection.is_ready()
                response = await connection.exchange(request)
                if is_reused and response.error == CLOSED:  # the receiver does not keep connections
                    response = await connection.exchange(request)
                responses.append(response)
        return responses

    async def _at_once(self, requests: Sequence[Request]) -> list[Response]:
        """Sends all but the last byte of each, and then the last bytes."""
        together, opening = asyncio.Event(), asyncio.Lock()
        responses = [asyncio.ensure_future(self._held(request, together, opening)) for request in requests]
        # A receiver that serves one connection at a time accepts no other before it has a whole request.
        await asyncio.wait(responses, timeout=_GATHERING)
        together.set()
        return await asyncio.gather(*responses)

    async def _held(self, request: Request, together: asyncio.Event, opening: asyncio.Lock) -> Response:
        with contextlib.closing(_Connection(self)) as connection:
            async with opening:  # the system resets connections that come faster than the receiver accepts them
                await connection.open()
                await asyncio.sleep(_ACCEPTING)
            return await connection.exchange(request, together)


class _Connection:
    """A connection to a receiver. It is opened again if the receiver has closed it."""

    def __init__(self, to: Sender) -> None:
        self._to = to
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._http = h11.Connection(h11.CLIENT)

    def is_ready(self) -> bool:
        """Whether it can take a request. False if the receiver closed it, or is about to."""
        if self._streams is None or self._streams[0].at_eof():
            return False
        if (self._http.our_state, self._http.their_state) == (h11.DONE, h11.DONE):
            self._http.start_next_cycle()
        return self._http.our_state is h11.IDLE

    async def open(self) -> str:
        """Opens it unless it is ready. Returns why that failed, or an empty text."""
        if self.is_ready():
            return ""
        self.close()
        to = self._to
        try:
            async with asyncio.timeout(TIMEOUT):
                self._streams = await asyncio.open_connection(to.host, to.port, ssl=to.tls)
        except ssl.SSLError:
            return NO_TLS
        except (OSError, UnicodeError):  # also the timeout
            return NO_CONNECTION
        self._http = h11.Connection(h11.CLIENT)
        return ""

    async def exchange(self, request: Request, together: asyncio.Event | None = None) -> Response:
        """The response, or why there is none. With `together`, the last byte is sent after that event."""
        if failure := await self.open():
            return Response(None, failure)
        try:
            async with asyncio.timeout(TIMEOUT):
                first, second = self._packets(request, holds_last_byte=together is not None)
                self._write(first)
                if second:
                    await (asyncio.sleep(_PAUSE) if together is None else together.wait())
                    self._write(second)
                return await self._response()
        except TimeoutError:
            return Response(None, NO_RESPONSE)
        except h11.RemoteProtocolError as error:
            return Response(None, CLOSED if "closed" in str(error).lower() else "the response is not HTTP")
        except (OSError, EOFError):
            return Response(None, CLOSED)

    def close(self) -> None:
        if self._streams is not None:
            transport = self._streams[1].transport
            # `close` waits until everything is sent, and with TLS also for the receiver's reply.
            is_idle = not transport.get_write_buffer_size() and transport.get_extra_info("sslcontext") is None
            (transport.close if is_idle else transport.abort)()
            self._streams = None

    def _packets(self, request: Request, *, holds_last_byte: bool) -> tuple[bytes, bytes]:
        """The request, and what is sent of it later."""
        fields = [(b"Host", self._to.authority.encode()), *((name.encode(), value) for name, value in request.headers)]
        if request.chunked:
            fields.append((b"Transfer-Encoding", b"chunked"))
        elif request.method == "POST":
            fields.append((b"Content-Length", b"%d" % len(request.body)))
        start = h11.Request(method=request.method, target=self._to.target, headers=fields)
        pieces = (h11.Data(data=request.body[: request.split]), h11.Data(data=request.body[request.split :]))
        head, first, second, end = (self._http.send(event) or b"" for event in (start, *pieces, h11.EndOfMessage()))
        whole = head + first + second + end
        at = len(head + first) if request.split else len(whole)
        if holds_last_byte:
            at -= 1
        return whole[:at], whole[at:]

    def _write(self, data: bytes) -> None:
        # A receiver may respond and close before it has read everything. Its response counts, not the failed write.
        if self._streams is not None:
            with contextlib.suppress(ConnectionError):
                self._streams[1].write(data)

    async def _response(self) -> Response:
        status, body = 0, b""
        headers: tuple[tuple[str, str], ...] = ()
        while self._streams is not None:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._streams[0].read(_READ))
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers)
            elif isinstance(event, h11.Data):
                body += bytes(event.data)[: _KEPT_BODY - len(body)]
            elif isinstance(event, h11.EndOfMessage):
                return Response(status, "", headers, body)
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                break
        return Response(None, CLOSED)


def shown(responses: Sequence[Response]) -> str:
    """The different outcomes, each with how often it occurred if that is not all."""
    counts = Counter(map(str, responses))
    if len(counts) == 1:
        return str(responses[0])
    return ", ".join(f"{text} ({plural(count, 'time')})" for text, count in counts.items())
