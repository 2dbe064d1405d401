"""Sends requests over its own connections: in packets, in chunks, several over one connection, many at the same moment.

It uses no proxy and follows no redirect.
"""

import asyncio
import contextlib
import ssl
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

    def __str__(self) -> str:
        return self.error if self.status is None else f"{self.status} {self.error}".rstrip()


class Sender:
    """Sends requests to one URL, which has been validated."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._authority = parts.netloc.encode("ascii" if parts.netloc.isascii() else "idna")
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    async def send(self, exchange: Exchange) -> list[Response]:
        """The response to each request."""
        try:
            if exchange.at_once:
                return await self._at_once(exchange.requests)
            return await self._one_by_one(exchange.requests)
        finally:
            await asyncio.sleep(0)  # lets the connections close

    async def _one_by_one(self, requests: Sequence[Request]) -> list[Response]:
        responses: list[Response] = []
        connection: _Connection | None = None
        try:
            for request in requests:
                is_reused = connection is not None and connection.reusable()
                if connection is None or not is_reused:
                    connection = await self._replaced(connection)
                response = await self._exchange(connection, request)
                if is_reused and response.error == CLOSED:  # the receiver does not keep connections
                    connection = await self._replaced(connection)
                    response = await self._exchange(connection, request)
                responses.append(response)
        finally:
            if connection is not None:
                connection.close()
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
        async with opening:  # the system resets connections that come faster than the receiver accepts them
            connection = await self._replaced(None)
            await asyncio.sleep(_ACCEPTING)
        try:
            connection.hold(request, self._authority, self._target)
            await together.wait()
            connection.release()
            return await self._exchange(connection, None)
        finally:
            connection.close()

    async def _replaced(self, connection: "_Connection | None") -> "_Connection":
        """A new connection, which may have failed."""
        if connection is not None:
            connection.close()
        name = self._host if self._tls else None
        try:
            async with asyncio.timeout(TIMEOUT):
                opened = await asyncio.open_connection(self._host, self._port, ssl=self._tls, server_hostname=name)
        except ssl.SSLError:
            return _Connection(None, NO_TLS)
        except (OSError, UnicodeError):  # also the timeout
            return _Connection(None, NO_CONNECTION)
        return _Connection(opened)

    async def _exchange(self, connection: "_Connection", request: Request | None) -> Response:
        """The response to the request, or to the one that was sent before."""
        if connection.error:
            return Response(None, connection.error)
        try:
            async with asyncio.timeout(TIMEOUT):
                if request is not None:
                    await connection.write(request, self._authority, self._target)
                return await connection.response()
        except TimeoutError:
            return Response(None, NO_RESPONSE)
        except h11.RemoteProtocolError as error:
            return Response(None, CLOSED if "closed" in str(error).lower() else "the response is not HTTP")
        except (OSError, EOFError):
            return Response(None, CLOSED)


class _Connection:
    def __init__(self, opened: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None, error: str = "") -> None:
        self._opened, self.error = opened, error
        self._http = h11.Connection(h11.CLIENT)
        self._held = b""

    def reusable(self) -> bool:
        """Prepares the next request. False if the receiver closed the connection, or is about to."""
        states = {self._http.our_state, self._http.their_state}
        if self._opened is None or states != {h11.DONE} or self._opened[0].at_eof():
            return False
        self._http.start_next_cycle()
        return True

    def close(self) -> None:
        if self._opened is not None:
            transport = self._opened[1].transport
            # `close` waits until everything is sent, and with TLS also for the receiver's reply.
            is_idle = not transport.get_write_buffer_size() and transport.get_extra_info("sslcontext") is None
            (transport.close if is_idle else transport.abort)()

    async def write(self, request: Request, authority: bytes, target: str) -> None:
        for number, packet in enumerate(self._packets(request, authority, target)):
            if number:
                await asyncio.sleep(_PAUSE)
            self._send(packet)

    def hold(self, request: Request, authority: bytes, target: str) -> None:
        whole = b"".join(self._packets(request, authority, target))
        self._send(whole[:-1])
        self._held = whole[-1:]

    def release(self) -> None:
        self._send(self._held)

    def _send(self, data: bytes) -> None:
        # A receiver may respond and close before it has read everything. Its response counts, not the failed write.
        if self._opened is not None:
            with contextlib.suppress(ConnectionError):
                self._opened[1].write(data)

    def _packets(self, request: Request, authority: bytes, target: str) -> list[bytes]:
        fields = [(b"Host", authority), *((name.encode(), value) for name, value in request.headers)]
        if request.chunked:
            fields.append((b"Transfer-Encoding", b"chunked"))
        elif request.method == "POST":
            fields.append((b"Content-Length", b"%d" % len(request.body)))
        head = self._http.send(h11.Request(method=request.method, target=target, headers=fields)) or b""
        pieces = [request.body[: request.split], request.body[request.split :]] if request.split else [request.body]
        parts = [self._http.send(h11.Data(data=piece)) or b"" for piece in pieces if piece]
        end = self._http.send(h11.EndOfMessage()) or b""
        return [head + parts[0], parts[1] + end] if request.split else [b"".join([head, *parts, end])]

    async def response(self) -> Response:
        if self._opened is None:
            raise EOFError
        status, body = 0, b""
        headers: tuple[tuple[str, str], ...] = ()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._opened[0].read(_READ))
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers)
            elif isinstance(event, h11.Data):
                body += bytes(event.data)[: _KEPT_BODY - len(body)]
            elif isinstance(event, h11.EndOfMessage):
                return Response(status, "", headers, body)
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                raise EOFError


def shown(responses: Sequence[Response]) -> str:
    """The different outcomes, each with how often it occurred if that is not all."""
    texts = [str(each) for each in responses]
    different = list(dict.fromkeys(texts))
    if len(different) == 1:
        return different[0]
    return ", ".join(f"{text} ({plural(texts.count(text), 'time')})" for text in different)
