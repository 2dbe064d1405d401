"""The listener: the time from firing an event to its rows, and what storing a delivery costs."""

import http.client
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx
from werkzeug.serving import WSGIRequestHandler

import cstar_explore as cx
from cstar_explore.listener.store import Received, RequestStore
from tests.receivers import frameworks
from tests.receivers.receiving import Work

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
            with httpx.Client() as sender, ThreadPoolExecutor(SENDERS) as pool:
                rivals = {"one round trip": (partial(client.webhooks.get, hook.id), 6)}
                if count > 100:
                    rivals = {f"{count} posts by bare httpx": (partial(_posts, sender, pool, listener, count), 1.5)}
                ours, size = partial(_fire, client, listener, count), f"{count} webhook{'s' * (count > 1)}"
                yield Case("fire → row", size, "for the rows", ours, rivals, rounds=9, times=2)


def _fire(client: cx.Client, listener: cx.Listener, count: int) -> None:
    fired = client.webhooks.trigger_test("ticket.created")
    listener.wait_for(fired.event_id or "")
    assert (listener.to_frame()["event_id"] == fired.event_id).sum() == count


def _posts(sender: httpx.Client, pool: ThreadPoolExecutor, listener: cx.Listener, count: int) -> None:
    header = {"X-Signature": cx.sign(BODY, SECRET), "Content-Type": "application/json"}
    statuses = pool.map(lambda _: sender.post(listener.url, content=BODY, headers=header).status_code, range(count))
    assert set(statuses) == {401}  # it has another secret; the delivery is stored all the same


class _NotStoring(RequestStore):
    """Does not store requests."""

    def add(self, request: Received) -> Received:
        return replace(request, id=1)

    def set_response(self, *_: object) -> None: ...


def store() -> Iterator[Case]:
    """Ten senders, each on one connection. The listener commits each delivery before it responds."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with_flask = frameworks.flask_correct(Work(SECRET.encode()))
    connections_kept = patch.object(WSGIRequestHandler, "protocol_version", "HTTP/1.1")
    with patch("cstar_explore.listener.listener.RequestStore", _NotStoring):
        not_storing = cx.Listener([SECRET])
    with cx.Listener([SECRET]) as listener, not_storing as without, connections_kept, with_flask as url:
        for count in (100, 2_000):
            rivals = {
                "the same without storing": (partial(_post, without.url, count), 1.3),
                "Flask, verified and parsed, not stored": (partial(_post, url, count), 1),
            }
            ours, work = partial(_post, listener.url, count), "delivery answered, stored before"
            yield Case(work, f"{count:,} deliveries", "for an answer", ours, rivals, per=count)
        assert len(listener.to_frame()) % 100 == 0, "deliveries were lost"


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
            assert response.status in {200, 204}
        connection.close()

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(send, range(SENDERS)))
