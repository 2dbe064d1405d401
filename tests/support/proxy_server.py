"""Servers on loopback for tests of proxies and TLS: an HTTPS server of scripts, and a proxy that opens tunnels to it."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Self

from .scripted_server import Script, ScriptedServer


class TlsServer(ScriptedServer):
    """A scripted server that speaks TLS."""

    def __init__(self, context: ssl.SSLContext, *scripts: Script) -> None:
        self._context = context
        self.handshakes = 0
        super().__init__(*scripts)
        self.url = self.url.replace("http:", "https:")

    def _handle(self, connection: socket.socket) -> None:
        try:
            connection = self._context.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
            return
        self.handshakes += 1
        with self._lock:
            self._connections.add(connection)  # the plain socket that was accepted is detached
        super()._handle(connection)


class ProxyServer:
    """Answers each CONNECT with 200 and tunnels to one port, whatever host is asked for.

    Args:
        port: Where all tunnels lead.
        context: For a proxy that itself speaks TLS.
        respond: Sends another response to the CONNECT. It returns whether to open the tunnel.
    """

    ESTABLISHED = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy.test\r\n\r\n"

    def __init__(
        self,
        port: int,
        context: ssl.SSLContext | None = None,
        respond: Callable[[socket.socket], bool] | None = None,
    ) -> None:
        self.connects: list[bytes] = []
        self.passed = bytearray()
        self._target, self._context, self._respond = port, context, respond
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{'http' if context is None else 'https'}://127.0.0.1:{self.port}"
        self._closing = False
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, name="proxy", daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes the acceptor
        self._threads[0].join()
        self._socket.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self._closing:
                connection.close()
                return
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), name="proxy connection", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                stack.callback(connection.close)
            head = b""
            while b"\r\n\r\n" not in head:
                if not (more := connection.recv(65536)):
                    return
                head += more
            self.connects.append(head)
            if self._respond is None:
                connection.sendall(self.ESTABLISHED)
            elif not self._respond(connection):
                return
            upstream = stack.enter_context(socket.create_connection(("127.0.0.1", self._target)))
            self._tunnel(connection, upstream)

    def _tunnel(self, client: socket.socket, upstream: socket.socket) -> None:
        def back() -> None:
            with contextlib.suppress(OSError):
                while data := upstream.recv(65536):
                    client.sendall(data)
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

        thread = threading.Thread(target=back, name="proxy tunnel", daemon=True)
        thread.start()
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                self.passed += data
                upstream.sendall(data)
        with contextlib.suppress(OSError):
            upstream.shutdown(socket.SHUT_RDWR)
        thread.join()
