"""The listener: the time from firing an event to its rows, and what storing a delivery costs."""

import hashlib
import hmac
import http.client
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

import flask
import httpx
from werkzeug.serving import WSGIRequestHandler, make_server

import cstar_explore as cx
from cstar_explore.listener.store import Received

from .measuring import Case

BODY = cx.events.sample("ticket.created")
SECRET = "whsec_not-a-real-secret"  # noqa: S105 - obviously fake
SENDERS = 10


def fire() -> Iterator[Case]:
    """All webhooks are the listener's, so firing an event makes a delivery, and a row, for each."""
    for count in (1, 11, 101):
        with cx.Sandbox() as sandbox, sandbox.client() as client, sandbox.listener() as listener:
            for old in client.webhooks.list():
                client.webhooks.delete(old.id)
            for number in range(count):
                hook = client.webhooks.create(name=f"{number}", url=listener.url, events=["ticket.created"])
                listener.trust(hook.secret or "")
            rivals = {"one round trip": partial(client.webhooks.get, hook.id)}
            aims = {"one round trip": 6.0}
            with httpx.Client() as sender, ThreadPoolExecutor(SENDERS) as pool:
                if count > 100:
                    rivals = {f"{count} posts by bare httpx on threads": partial(_posts, sender, pool, listener, count)}
                    aims = dict.fromkeys(rivals, 1.5)
                ours = partial(_fire, client, listener, count)
                size = f"{count} webhook{'s' * (count > 1)}"
                yield Case("fire → row", size, "for the rows", ours, rivals, aims=aims, rounds=9, times=2)


def _fire(client: cx.Client, listener: cx.Listener, count: int) -> None:
    fired = client.webhooks.trigger_test("ticket.created")
    listener.wait_for(fired.event_id or "")
    assert (listener.to_frame()["event_id"] == fired.event_id).sum() == count


def _posts(sender: httpx.Client, pool: ThreadPoolExecutor, listener: cx.Listener, count: int) -> None:
    header = {"X-Signature": cx.sign(BODY, SECRET), "Content-Type": "application/json"}
    statuses = pool.map(lambda _: sender.post(listener.url, content=BODY, headers=header).status_code, range(count))
    assert set(statuses) == {401}  # it has another secret; the delivery is stored all the same


class CountingStore:
    """Counts requests instead of storing them. The rest of the listener is the same."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, request: Received) -> Received:
        self.count += 1
        return replace(request, id=self.count)

    def set_response(self, request_id: int, status: int, error: str | None) -> None:
        pass


def store() -> Iterator[Case]:
    """Ten senders, each on one connection. The listener commits each delivery before it responds."""
    for count in (100, 2_000):
        with cx.Listener([SECRET]) as listener, cx.Listener([SECRET]) as counting, _flask() as url:
            counting._server._server.config.app._app._store = CountingStore()  # noqa: SLF001 - the only difference
            same, with_flask = "the same without storing", "a Flask receiver that stores nothing"
            rivals = {same: partial(_post, counting.url, count), with_flask: partial(_post, url, count)}
            aims = {same: 1.3, with_flask: 1}
            ours = partial(_post, listener.url, count)
            work = "delivery answered, stored before"
            yield Case(work, f"{count:,} deliveries", "for an answer", ours, rivals, aims=aims, per=count)
            assert len(listener.to_frame()) % count == 0, "deliveries were lost"


@contextmanager
def _flask() -> Iterator[str]:
    """The address of a Flask receiver that verifies, parses and answers, on the threads of Werkzeug's server."""
    app = flask.Flask(__name__)

    @app.post("/hook")
    def hook() -> tuple[str, int]:
        body, header = flask.request.get_data(), flask.request.headers["X-Signature"]
        moment, _, signature = header.removeprefix("t=").partition(",v1=")
        expected = hmac.new(SECRET.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
        is_right = hmac.compare_digest(expected, signature) and abs(time.time() - int(moment)) < 300
        return ("", 200) if is_right and json.loads(body) else ("", 401)

    handler = type("Handler", (WSGIRequestHandler,), {"protocol_version": "HTTP/1.1", "log": lambda *_: None})
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook"
    finally:
        server.shutdown()


def _post(url: str, count: int) -> None:
    """Sends signed deliveries and checks that each is answered with 200."""
    header = {"X-Signature": cx.sign(BODY, SECRET), "Content-Type": "application/json"}
    parts = urlsplit(url)

    def send(_: int) -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        for _ in range(count // SENDERS):
            connection.request("POST", parts.path, BODY, header)
            response = connection.getresponse()
            response.read()
            assert response.status == 200
        connection.close()

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(send, range(SENDERS)))
