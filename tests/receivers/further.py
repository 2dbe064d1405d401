"""Receivers with the faults that only `check_receiver` tells apart, and right ones that are easily blamed."""

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from tests.receivers.plain import Answer, Headers
from tests.receivers.receiving import PATH, Running, Work, event_in, in_thread, parts, same

KNOWN_FIELDS = {"id", "type", "created_at", "team_id", "data"}


def _verified(work: Work, body: bytes, headers: Headers) -> dict[str, Any] | None:
    return event_in(body) if work.verifies(body, headers["X-Signature"]) else None


# --- right


def acts_on_new_tickets_only(work: Work, body: bytes, headers: Headers) -> int:
    event = _verified(work, body, headers)
    if event is not None and event["type"] == "ticket.created":
        work.act(event)
    return 401 if event is None else 200


def needs_the_event_id_header(work: Work, body: bytes, headers: Headers) -> int:
    return work.take(body, headers["X-Signature"]) if headers["X-Event-ID"] else 400


def needs_the_data(work: Work, body: bytes, headers: Headers) -> int:
    """Fails at events without a ticket, and acts on the retry. A note."""
    event = _verified(work, body, headers)
    if event is not None:
        event["data"]["ticket"]["title"].upper()
    return work.take(body, headers["X-Signature"])


def limits_to_100_kb(work: Work, body: bytes, headers: Headers) -> int:
    return 413 if len(body) > 100_000 else work.take(body, headers["X-Signature"])


def works_in_a_queue(work: Work, body: bytes, headers: Headers) -> int:
    """A single worker, which falls behind."""
    event = _verified(work, body, headers)
    if event is None:
        return 401

    def act() -> None:
        with _QUEUE:
            time.sleep(0.01)
            work.act(event)

    threading.Thread(target=act, daemon=True).start()
    return 202


_QUEUE = threading.Lock()


# --- wrong


def knows_duplicates_by_signature(work: Work, body: bytes, headers: Headers) -> int:
    return _once_for(headers["X-Signature"], work, body, headers)


def knows_duplicates_by_ticket(work: Work, body: bytes, headers: Headers) -> int:
    event = event_in(body) or {}
    ticket = event.get("data", {}).get("ticket", {}) if isinstance(event.get("data"), dict) else {}
    return _once_for(ticket.get("id"), work, body, headers)


def _once_for(key: Any, work: Work, body: bytes, headers: Headers) -> int:
    event = _verified(work, body, headers)
    if event is None:
        return 401
    if key not in work._known:
        work._known.add(key)
        work.act_each_time(event)
    return 200


def looks_before_it_stores(work: Work, body: bytes, headers: Headers) -> int:
    event = _verified(work, body, headers)
    if event is None:
        return 401
    if event["id"] not in work.acted:
        time.sleep(0.02)
        work.act_each_time(event)
    return 200


def refuses_duplicates(work: Work, body: bytes, headers: Headers) -> int:
    event = _verified(work, body, headers)
    if event is not None and event["id"] in work.acted:
        return 409
    return work.take(body, headers["X-Signature"])


def remembers_before_it_verifies(work: Work, body: bytes, headers: Headers) -> int:
    event = event_in(body) or {"id": "none"}
    if event["id"] in work._known:
        return 200 if work.verifies(body, headers["X-Signature"]) else 401
    work._known.add(event["id"])
    if not work.verifies(body, headers["X-Signature"]):
        return 401
    work.act_each_time(event)
    return 200


def remembers_before_it_acts(work: Work, body: bytes, headers: Headers) -> int:
    event = _verified(work, body, headers)
    if event is None:
        return 401
    with work._lock:
        if event["id"] in work._known:
            return 200
        work._known.add(event["id"])
    event["data"]["ticket"]["title"].upper()
    work.act_each_time(event)
    return 200


def knows_all_fields(work: Work, body: bytes, headers: Headers) -> int:
    event = _verified(work, body, headers)
    if event is not None and (set(event) - KNOWN_FIELDS or set(event["data"]) - {"ticket", "customer"}):
        return 422
    return work.take(body, headers["X-Signature"])


def redirects(work: Work, body: bytes, headers: Headers) -> int:
    return 308


def has_another_path(work: Work, body: bytes, headers: Headers) -> int:
    return 404


def fails_always(work: Work, body: bytes, headers: Headers) -> int:
    raise ValueError


def has_another_secret(work: Work, body: bytes, headers: Headers) -> int:
    return Work(b"whsec_of-another-webhook").take(body, headers["X-Signature"])


def has_half_the_secret(work: Work, body: bytes, headers: Headers) -> int:
    other = Work(work.secret.removeprefix(b"whsec_"), work.acted)
    return other.take(body, headers["X-Signature"])


def expects_milliseconds(work: Work, body: bytes, headers: Headers) -> int:
    t, signatures = parts(headers["X-Signature"])
    is_recent = t.isdigit() and abs(time.time() * 1000 - int(t)) < 300_000
    event = event_in(body) if is_recent and any(same(work.digest(t, body), each) for each in signatures) else None
    if event is None:
        return 401
    work.act(event)
    return 200


def signs_the_body_alone(work: Work, body: bytes, headers: Headers) -> int:
    expected = work.legacy_header(body).removeprefix("sha256=")
    event = event_in(body) if expected in parts(headers["X-Signature"])[1] else None
    if event is None:
        return 401
    work.act(event)
    return 200


def allows_a_minute(work: Work, body: bytes, headers: Headers) -> int:
    t = parts(headers["X-Signature"])[0]
    return work.take(body, headers["X-Signature"]) if t.isdigit() and abs(time.time() - int(t)) < 60 else 401


def writes_again_and_says_ok(work: Work, body: bytes, headers: Headers) -> int:
    event = event_in(body)
    work.take(json.dumps(event).encode(), headers["X-Signature"])
    return 200


def verifies_only_what_has_a_header(work: Work, body: bytes, headers: Headers) -> int:
    if headers["X-Signature"]:
        return work.take(body, headers["X-Signature"])
    event = event_in(body)
    if event is not None:
        work.act(event)
    return 200


def reads_the_timestamp_header(work: Work, body: bytes, headers: Headers) -> int:
    """X-Timestamp is not signed."""
    event = event_in(body) if headers["X-Timestamp"] and work.matches(body, headers["X-Signature"]) else None
    if event is None:
        return 401
    work.act(event)
    return 200


RIGHT: tuple[Answer, ...] = (
    acts_on_new_tickets_only,
    needs_the_event_id_header,
    needs_the_data,
    limits_to_100_kb,
    works_in_a_queue,
)

WRONG: tuple[Answer, ...] = (
    knows_duplicates_by_signature,
    knows_duplicates_by_ticket,
    looks_before_it_stores,
    refuses_duplicates,
    remembers_before_it_verifies,
    remembers_before_it_acts,
    knows_all_fields,
    redirects,
    has_another_path,
    fails_always,
    has_another_secret,
    has_half_the_secret,
    expects_milliseconds,
    signs_the_body_alone,
    allows_a_minute,
    writes_again_and_says_ok,
    verifies_only_what_has_a_header,
    reads_the_timestamp_header,
)


# --- servers of other kinds


class _Correct(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    work: Work

    def do_POST(self) -> None:
        length = self.headers["Content-Length"]
        self.reply(self.work.take(self.read(), self.headers["X-Signature"]) if length else 411)

    def read(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def reply(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class _LandingPage(_Correct):
    def do_GET(self) -> None:
        self.reply(200)


class _OldServer(_Correct):
    protocol_version = "HTTP/1.0"


class _ClosesSilently(_Correct):
    """Closes after each response without saying so."""

    def reply(self, status: int) -> None:
        super().reply(status)
        self.close_connection = True


class _ReadsOnce(_Correct):
    def read(self) -> bytes:
        return self.connection.recv(2**22) if not self.rfile.peek() else self.rfile.read1()


class _Dies(_Correct):
    """Ends at the first request without a signature."""

    def do_POST(self) -> None:
        if self.headers["X-Signature"] is None:
            self.server.socket.close()
            self.close_connection = True
            return
        super().do_POST()


class _Threading(socketserver.ThreadingMixIn, HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 100

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def _serve(handler: type[_Correct], server: type[HTTPServer], work: Work) -> Iterator[str]:
    bound = type("Handler", (handler,), {"work": work})
    running = server(("127.0.0.1", 0), bound)
    url = f"http://127.0.0.1:{running.server_port}{PATH}"

    def serve() -> None:
        with suppress(OSError, ValueError):  # one of them closes its own socket
            running.serve_forever(0.01)

    with in_thread(serve, running.shutdown), suppress(OSError):
        yield url
    running.server_close()


SERVERS: dict[str, Running] = {
    "has_a_landing_page": partial(_serve, _LandingPage, _Threading),
    "speaks_http_1_0": partial(_serve, _OldServer, _Threading),
    "closes_silently": partial(_serve, _ClosesSilently, _Threading),
    "serves_one_at_a_time": partial(_serve, _Correct, HTTPServer),
    "reads_once": partial(_serve, _ReadsOnce, _Threading),
    "dies": partial(_serve, _Dies, _Threading),
}
