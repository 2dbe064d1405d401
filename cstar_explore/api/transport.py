"""An httpx transport over httpcore whose sockets are ours: see `network`. Each process has its own connections."""

import os
import ssl
import weakref
from collections.abc import Iterator

import httpcore
import httpx

from .network import Backend

_CONNECTIONS, _IDLE, _IDLE_SECONDS = 100, 20, 5.0  # httpx's defaults


class Transport(httpx.BaseTransport):
    """Sends requests to one address, through a proxy if one is given, over connections that are kept alive.

    A process that was forked makes connections of its own: on those of its parent it would read the responses to its parent's
    and its siblings' requests. Connections close when the transport is garbage-collected. Errors are httpcore's.
    """

    def __init__(self, tls: ssl.SSLContext, proxy: httpcore.Proxy | None) -> None:
        self._tls = tls
        self._proxy = proxy
        self._connect()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._process != os.getpid():
            _close_all(self._backend)
            self._connect()
        if not isinstance(request.stream, httpx.SyncByteStream):
            raise TypeError("This transport sends synchronous requests.")
        url = request.url
        response = self._pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    def close(self) -> None:
        if self._process == os.getpid():
            self._pool.close()

    def _connect(self) -> None:
        self._backend = Backend()
        self._pool = httpcore.ConnectionPool(
            ssl_context=self._tls,
            proxy=self._proxy,
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_IDLE,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=self._backend,
        )
        weakref.finalize(self, _close_all, self._backend)
        self._process = os.getpid()


class _Body(httpx.SyncByteStream):
    """The body of a response. A connection on which more arrived than the response is closed.

    This is decided before the pool gets the connection back: from then on another thread may use it.
    """

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        stream = self._response.extensions["network_stream"]
        yield from self._response.iter_stream()
        if not stream.received:
            stream.close()
            raise httpcore.RemoteProtocolError("A response arrived before the request was sent.")
        if not stream.ended_with(self._response.status, httpx.Headers(self._response.headers)):
            stream.close()

    def close(self) -> None:
        self._response.close()


def _close_all(backend: Backend) -> None:
    while backend.open:
        backend.open.pop().close()
