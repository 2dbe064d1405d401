"""A small HTTP server on loopback that answers exactly as scripted, mistakes included, and remembers what it was asked.

    with ScriptedServer(reset(), status(503), data({"id": "whk_1"})) as server:
        client = cx.Client(KEY, "team_1", server.url)
        client.webhooks.get("whk_1")
    assert ["GET", "GET", "GET"] == server.methods

Each request takes the next line of the script; after the last one every request is answered with 418.
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
    """A request as it arrived; header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Script = Callable[[socket.socket, RecordedRequest], bool]
"""A line of the script: answers on the connection, and says whether it is kept open."""


def reply(
    code: int = 200,
    body: bytes | str = b"",
    headers: Mapping[str, str] | None = None,
    *,
    content_type: str = "application/json",
    declared: int | None = None,
    close: bool = True,
) -> Script:
    """Any answer. `declared` is a Content-Length that need not be true."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {code} As-Scripted", f"Content-Type: {content_type}"]
    lines += [f"Content-Length: {len(content) if declared is None else declared}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += ["Connection: close"] if close else []

    def answer(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content)
        return not close

    return answer


def data(value: Any, code: int = 200, headers: Mapping[str, str] | None = None, **envelope: Any) -> Script:
    """A good answer in cStar's envelope."""
    body = {"success": True, "data": value, "meta": {"requestId": "req_1", "timestamp": "2025-12-10T14:30:00Z"}}
    return reply(code, json.dumps(body | envelope), headers)


def status(number: int, /, headers: Mapping[str, str] | None = None, **error: Any) -> Script:
    """A refusal in cStar's envelope."""
    told = {"type": "api_error", "code": "told", "message": f"Refused with {number}", "request_id": "req_1"} | error
    return reply(number, json.dumps({"success": False, "error": told}), headers)


def redirect(location: str, code: int = 302) -> Script:
    """An answer that points elsewhere."""
    return reply(code, b"", {"Location": location})


def cut(body: bytes | str, after: int) -> Script:
    """An answer that ends after some bytes of a body that was declared whole."""
    content = body.encode() if isinstance(body, str) else body
    return reply(200, content[:after], declared=len(content))


def garbled() -> Script:
    """Bytes that are no HTTP at all."""

    def answer(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        return False

    return answer


def hang_up() -> Script:
    """Closes the connection in good order, without an answer."""
    return lambda _connection, _received: False


def reset() -> Script:
    """Breaks the connection, without an answer."""

    def answer(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return answer


def silence() -> Script:
    """Never answers; waits for the other side to leave."""

    def answer(connection: socket.socket, _: RecordedRequest) -> bool:
        while connection.recv(1024):
            pass
        return False

    return answer


def drip(body: bytes, pause: float) -> Script:
    """Sends the body one byte at a time, each after a pause, until the other side leaves."""

    def answer(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        connection.settimeout(pause)
        for number in range(len(body)):
            connection.sendall(body[number : number + 1])
            try:
                if not connection.recv(1):
                    return False
            except TimeoutError:
                continue
        return False

    return answer


class ScriptedServer:
    """The server, running as soon as it is made. A context manager; leaves neither thread nor socket behind."""

    def __init__(self, *script: Script, port: int = 0) -> None:
        self.requests: list[RecordedRequest] = []
        self._script: Iterator[Script] = iter(script)
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._lock = threading.Lock()
        self._closing = False
        self._open: set[socket.socket] = set()
        self._talks: list[threading.Thread] = []
        self._door = threading.Thread(target=self._welcome, name="misbehaving", daemon=True)
        self._door.start()

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.requests]

    @property
    def idempotency_keys(self) -> list[str | None]:
        return [request.headers.get("idempotency-key") for request in self.requests]

    def is_alone(self, patience: float = 1.0) -> bool:
        """Whether everybody who connected has hung up by now, or does so in a moment."""
        for talk in self._talks:
            talk.join(patience)
        return not any(talk.is_alive() for talk in self._talks)

    def close(self) -> None:
        self._closing = True
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes the thread that waits for visitors
        self._door.join()
        self._listening.close()
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the other side was faster
        for talk in self._talks:
            talk.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _welcome(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            if self._closing:
                connection.close()
                return
            talk = threading.Thread(target=self._talk, args=(connection,), name="misbehaving talk", daemon=True)
            with self._lock:
                self._open.add(connection)
                self._talks.append(talk)
            talk.start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            while (received := _received(connection)) and self._next(received)(connection, received):
                pass
        except OSError:
            pass  # the other side left in the middle, as it may
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _next(self, received: RecordedRequest) -> Script:
        with self._lock:
            self.requests.append(received)
            return next(self._script, status(418, message="The script has no answer for this request"))


def _received(connection: socket.socket) -> RecordedRequest | None:
    """One request, or None where the other side has left."""
    arrived = b""
    while b"\r\n\r\n" not in arrived:
        if not (more := connection.recv(65536)):
            return None
        arrived += more
    head, _, body = arrived.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        if not (more := connection.recv(65536)):
            return None
        body += more
    return RecordedRequest(method, path, headers, body)


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
