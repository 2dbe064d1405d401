"""Receivers on http.server. Each is a function of the body and the headers that returns a status."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.receivers.receiving import PATH, Running, Work, event_in, in_thread, is_fresh, parts, same

Headers = Any  # email.message.Message
Answer = Callable[[Work, bytes, Headers], int]

BUSY = 0.6  # seconds that the slow receiver works before it responds
PUBLISHED = ("ticket.created", "ticket.updated", "ticket.closed")


def correct(work: Work, body: bytes, headers: Headers) -> int:
    return work.take(body, headers["X-Signature"])


def responds_first(work: Work, body: bytes, headers: Headers) -> int:
    """Correct: verifies, responds, and acts a moment later."""
    event = event_in(body) if work.verifies(body, headers["X-Signature"]) else None
    if event is None:
        return 401
    threading.Timer(0.1, work.act, [event]).start()
    return 202


def requires_json(work: Work, body: bytes, headers: Headers) -> int:
    """Correct: cStar sends this content type."""
    return work.take(body, headers["X-Signature"]) if headers.get_content_type() == "application/json" else 415


def limits_the_size(work: Work, body: bytes, headers: Headers) -> int:
    """Correct: cStar documents no maximum size."""
    return 413 if len(body) > 2**20 else work.take(body, headers["X-Signature"])


def first_v1_only(work: Work, body: bytes, headers: Headers) -> int:
    """Correct as long as a delivery has one signature, and none has been seen with two."""
    time_text, signatures = parts(headers["X-Signature"])
    if not (is_fresh(time_text) and signatures and same(work.digest(time_text, body), signatures[0])):
        return 401
    return work.take(body, f"t={time_text},v1={signatures[0]}")


def believes_everything(work: Work, body: bytes, _: Headers) -> int:
    event = event_in(body)
    if event is None:
        return 400
    work.act(event)
    return 200


def responds_before_it_verifies(work: Work, body: bytes, headers: Headers) -> int:
    """Acts on genuine events only, but its sender never learns of a rejection."""
    work.take(body, headers["X-Signature"])
    return 200


def needs_two_parts(work: Work, body: bytes, headers: Headers) -> int:
    """Raises for any other header, and takes whatever comes second for the signature."""
    first, second = headers["X-Signature"].split(",")
    time_text, signature = first.split("=")[1], second.split("=")[1]
    return work.take(body, f"t={time_text},v1={signature}")


def needs_a_header(work: Work, body: bytes, headers: Headers) -> int:
    """Raises if there is none."""
    return work.take(body, headers["X-Signature"].strip())


def forgets_the_age(work: Work, body: bytes, headers: Headers) -> int:
    event = event_in(body) if work.matches(body, headers["X-Signature"]) else None
    if event is None:
        return 401
    work.act(event)
    return 200


def repeats_itself(work: Work, body: bytes, headers: Headers) -> int:
    event = event_in(body) if work.verifies(body, headers["X-Signature"]) else None
    if event is None:
        return 401
    work.act_each_time(event)
    return 200


def old_form_only(work: Work, body: bytes, headers: Headers) -> int:
    event = event_in(body) if same(work.legacy_header(body), headers["X-Signature"] or "") else None
    if event is None:
        return 401
    work.act(event)
    return 200


def both_forms(work: Work, body: bytes, headers: Headers) -> int:
    status = work.take(body, headers["X-Signature"])
    return status if status == 200 else old_form_only(work, body, headers)


def published_types_only(work: Work, body: bytes, headers: Headers) -> int:
    event = event_in(body) if work.verifies(body, headers["X-Signature"]) else None
    if event is not None and event["type"] not in PUBLISHED:
        return 422
    return work.take(body, headers["X-Signature"])


def works_before_it_responds(work: Work, body: bytes, headers: Headers) -> int:
    if work.verifies(body, headers["X-Signature"]):
        time.sleep(BUSY)
    return work.take(body, headers["X-Signature"])


def parses_and_writes(work: Work, body: bytes, headers: Headers, **options: Any) -> int:
    event = event_in(body)
    return 400 if event is None else work.take(json.dumps(event, **options).encode(), headers["X-Signature"])


def sorts_the_keys(work: Work, body: bytes, headers: Headers) -> int:
    return parses_and_writes(work, body, headers, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def writes_compact_json(work: Work, body: bytes, headers: Headers) -> int:
    return parses_and_writes(work, body, headers, separators=(",", ":"), ensure_ascii=False)


def drops_and_trims(work: Work, body: bytes, headers: Headers) -> int:
    """Drops what is not UTF-8, and white space at both ends."""
    return work.take(body.decode("utf-8", "ignore").strip().encode(), headers["X-Signature"])


def joins_lines(work: Work, body: bytes, headers: Headers) -> int:
    """Reads line by line."""
    return work.take(b"\n".join(body.splitlines()), headers["X-Signature"])


CORRECT: tuple[Answer, ...] = (correct, responds_first, requires_json, limits_the_size, first_v1_only)

WRONG: tuple[Answer, ...] = (
    believes_everything,
    responds_before_it_verifies,
    needs_two_parts,
    needs_a_header,
    forgets_the_age,
    repeats_itself,
    old_form_only,
    both_forms,
    published_types_only,
    works_before_it_responds,
    parses_and_writes,
    sorts_the_keys,
    writes_compact_json,
    drops_and_trims,
    joins_lines,
)


@contextmanager
def _serve(answer: Answer, work: Work) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            try:
                status = answer(work, body, self.headers) if self.headers["Content-Length"] else 411
            except Exception:  # noqa: BLE001 - as the frameworks do
                status = 500
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        with in_thread(lambda: server.serve_forever(0.01), server.shutdown):
            yield f"http://127.0.0.1:{server.server_port}{PATH}"


def receivers(answers: tuple[Answer, ...]) -> dict[str, Running]:
    """The receivers by name."""
    return {answer.__name__: partial(_serve, answer) for answer in answers}
