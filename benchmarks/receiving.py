"""The listener: the cost of storing deliveries, and the time from firing an event to its row."""

import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import cstar_explore as cx
from cstar_explore.listener.store import Received

from .measuring import Row, measure

BODY = cx.events.sample("ticket.created")
SENDERS, ROUNDS = 10, 7


class CountingStore:
    """Counts requests instead of storing them. The rest of the listener is the same."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, request: Received) -> Received:
        self.count += 1
        return replace(request, id=self.count)

    def set_response(self, request_id: int, status: int, error: str | None) -> None:
        pass


def store() -> Iterator[Row]:
    """Ten senders, each on one connection. The listener commits each delivery before it responds."""
    secret = "whsec_not-a-real-secret"  # noqa: S105 - obviously fake
    for count in (100, 500, 2_000):
        with cx.Listener(secrets=[secret]) as listener, cx.Listener(secrets=[secret]) as counting:
            counting._server._server.config.app._app._store = CountingStore()  # noqa: SLF001 - the only difference
            alternatives = {
                "ours": lambda count=count, listener=listener: post(listener.url, count, secret),
                "counting": lambda count=count, counting=counting: post(counting.url, count, secret),
            }
            taken = measure(alternatives, ROUNDS)
            assert len(listener.to_frame()) == count * (ROUNDS + 1), "deliveries were lost"
        yield Row(
            "listener, storing each delivery",
            f"{count:,}",
            "the same without storing",
            taken["ours"],
            taken["counting"],
            "at most 1.67x",
        )


def post(url: str, count: int, secret: str) -> None:
    """Sends signed deliveries and checks that each is answered with 200."""
    header = {"X-Signature": cx.sign(BODY, secret, time.time()), "Content-Type": "application/json"}
    parts = urlsplit(url)

    def send() -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        for _ in range(count // SENDERS):
            connection.request("POST", parts.path, BODY, header)
            response = connection.getresponse()
            response.read()
            assert response.status == 200
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fire() -> Iterator[Row]:
    """From firing an event to its row in the listener's frame, against one call of the same client."""
    for others in (0, 10, 100):
        with cx.Sandbox() as sandbox, sandbox.client() as client, sandbox.listener() as listener:
            hook = client.webhooks.create(name="Here", url=listener.url, events=["ticket.created"])
            listener.trust(hook.secret)
            for number in range(others):
                client.webhooks.create(name=f"Other {number}", url=f"https://example.com/{number}", events=["ticket.*"])

            def fire_and_wait(client: cx.Client = client, listener: cx.Listener = listener) -> None:
                fired = client.webhooks.trigger_test("ticket.created")
                listener.wait_for(fired.event_id)
                frame = listener.to_frame()
                assert (frame["event_id"] == fired.event_id).any()

            taken = measure(
                {"ours": fire_and_wait, "one call": lambda client=client, hook=hook: client.webhooks.get(hook.id)},
                15,
                5,
            )
        yield Row(
            "fire an event → row in `listener.to_frame()`",
            f"{others + 1} webhook{'s' if others else ''}",
            "one call over loopback",
            taken["ours"],
            taken["one call"],
            "at most 8x",
        )
