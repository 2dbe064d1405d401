"""An HTTP server on loopback that sends scripted responses, malformed ones included, and records the requests.

    with ScriptedServer(reset(), status(503), data({"id": "whk_1"})) as server:
        client = cx.Client(KEY, "team_1", server.url)
        client.webhooks.get("whk_1")
    assert ["GET", "GET", "GET"] == server.methods

Each request is answered by the next script. After the last one, every request is answered with 418.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class RecordedRequest:
    """A request as it arrived. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Script = Callable[[socket.socket, RecordedRequest], bool]
"""Sends one response on the connection. Returns whether to keep the connection open."""


def reply(
    code: int = 200,
    body: bytes | str = b"",
    headers: Mapping[str, str] | None = None,
    *,
    content_type: str = "application/json",
    declared: int | None = None,
    close: bool = True,
) -> Script:
    """Any response. `declared` is the Content-Length, if it differs from the length of the body."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {code} As-Scripted", f"Content-Type: {content_type}"]
    lines += [f"Content-Length: {len(content) if declared is None else declared}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += ["Connection: close"] if close else []

    def respond(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content)
        return not close

    return respond


def data(value: Any, code: int = 200, headers: Mapping[str, str] | None = None, **envelope: Any) -> Script:
    """A successful response in cStar's envelope."""
    body = {"success": True, "data": value, "meta": {"requestId": "req_1", "timestamp": "2025-12-10T14:30:00Z"}}
    return reply(code, json.dumps(body | envelope), headers)


def status(number: int, /, headers: Mapping[str, str] | None = None, **fields: Any) -> Script:
    """An error response in cStar's envelope."""
    error = {
        "type": "api_error",
        "code": "scripted",
        "message": f"Refused with {number}",
        "request_id": "req_1",
    } | fields
    return reply(number, json.dumps({"success": False, "error": error}), headers)


def redirect(location: str, code: int = 302) -> Script:
    """A redirect."""
    return reply(code, b"", {"Location": location})


def cut(body: bytes | str, after: int) -> Script:
    """A response that ends after this many bytes of its declared body."""
    content = body.encode() if isinstance(body, str) else body
    return reply(200, content[:after], declared=len(content))


def garbled() -> Script:
    """Bytes that are not HTTP."""

    def respond(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        return False

    return respond


def hang_up() -> Script:
    """Closes the connection cleanly, without a response."""
    return lambda _connection, _request: False


def reset() -> Script:
    """Resets the connection, without a response."""

    def respond(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return respond


def silence() -> Script:
    """Sends nothing until the client disconnects."""

    def respond(connection: socket.socket, _: RecordedRequest) -> bool:
        while connection.recv(1024):
            pass
        return False

    return respond


def drip(body: bytes, pause: float) -> Script:
    """Sends the body one byte at a time, with a pause after each, until the client disconnects."""

    def respond(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        connection.settimeout(pause)
        for index in range(len(body)):
            connection.sendall(body[index : index + 1])
            try:
                if not connection.recv(1):
                    return False
            except TimeoutError:
                continue
        return False

    return respond


class ScriptedServer:
    """Serves from the moment it is created until `close()`, which ends all its threads and sockets."""

    def __init__(self, *scripts: Script, port: int = 0) -> None:
        self.requests: list[RecordedRequest] = []
        self._scripts: Iterator[Script] = iter(scripts)
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._lock = threading.Lock()
        self._closing = False
        self._connections: set[socket.socket] = set()
        self._handlers: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, name="scripted server", daemon=True)
        self._acceptor.start()

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.requests]

    @property
    def idempotency_keys(self) -> list[str | None]:
        return [request.headers.get("idempotency-key") for request in self.requests]

    def all_disconnected(self, timeout: float = 1.0) -> bool:
        """Whether every client has disconnected, or does so within the timeout."""
        for handler in self._handlers:
            handler.join(timeout)
        return not any(handler.is_alive() for handler in self._handlers)

    def close(self) -> None:
        self._closing = True
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes the acceptor
        self._acceptor.join()
        self._socket.close()
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client has disconnected
        for handler in self._handlers:
            handler.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self._closing:
                connection.close()
                return
            handler = threading.Thread(target=self._handle, args=(connection,), name="scripted connection", daemon=True)
            with self._lock:
                self._connections.add(connection)
                self._handlers.append(handler)
            handler.start()

    def _handle(self, connection: socket.socket) -> None:
        try:
            while (request := _read_request(connection)) and self._next_script(request)(connection, request):
                pass
        except OSError:
            pass  # the client may disconnect at any point
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _next_script(self, request: RecordedRequest) -> Script:
        with self._lock:
            self.requests.append(request)
            return next(self._scripts, status(418, message="The script has no response for this request"))


def _read_request(connection: socket.socket) -> RecordedRequest | None:
    """One request, or None if the client has disconnected."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (more := connection.recv(65536)):
            return None
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    request_line, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = request_line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        if not (more := connection.recv(65536)):
            return None
        body += more
    return RecordedRequest(method, path, headers, body)


def closed_port() -> int:
    """A port that no server listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
