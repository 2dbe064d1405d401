"""The listener: how much storing costs it, how soon an event is seen, and how long 31 hours of retries take."""

import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import cstar_explore as cx
from cstar_explore.listener.store import Received

from .measuring import Row, in_turns

BODY = cx.events.sample("ticket.created")
SENDERS, ROUNDS = 10, 7


class Forgetful:
    """The floor: captures that are counted and not kept, in a listener that is otherwise the same."""

    def __init__(self) -> None:
        self.count = 0

    def keep(self, request: Received) -> Received:
        """Counts it."""
        self.count += 1
        return replace(request, id=self.count)

    def answered(self, number: int, status: int, error: str | None) -> None:
        """Nothing."""


def stored() -> Iterator[Row]:
    """Deliveries from ten senders at once, each on a connection it keeps; the listener commits each before it answers."""
    secret = "whsec_not-a-real-secret"  # noqa: S105 - obviously false
    for count in (100, 500, 2_000):
        with cx.Listener(secrets=[secret]) as listener, cx.Listener(secrets=[secret]) as floor:
            floor._server._server.config.app._app._captures = Forgetful()  # noqa: SLF001 - the one thing that differs
            rivals = {
                "ours": lambda count=count, listener=listener: post(listener.url, count, secret),
                "floor": lambda count=count, floor=floor: post(floor.url, count, secret),
            }
            taken = in_turns(rivals, ROUNDS)
            assert len(listener.to_frame()) == count * (ROUNDS + 1), "some were lost"
        yield Row(
            "listener, stored before it answers",
            f"{count:,}",
            "answering without storing",
            taken["ours"],
            taken["floor"],
            "at most 1.67 times (60% of the throughput)",
        )


def post(url: str, count: int, secret: str) -> None:
    """So many signed deliveries."""
    header = {"X-Signature": cx.sign(BODY, secret, time.time()), "Content-Type": "application/json"}
    parts = urlsplit(url)

    def send() -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        for _ in range(count // SENDERS):
            connection.request("POST", parts.path, BODY, header)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def seen() -> Iterator[Row]:
    """From firing an event to its row in the listener's frame, against one call of the same client."""
    for others in (0, 10, 100):
        with cx.Sandbox() as sandbox, sandbox.client() as client, sandbox.listener() as listener:
            hook = client.webhooks.create(name="Here", url=listener.url, events=["ticket.created"])
            listener.trust(hook.secret)
            for number in range(others):
                client.webhooks.create(name=f"Other {number}", url=f"https://example.com/{number}", events=["ticket.*"])

            def fire(client: cx.Client = client, listener: cx.Listener = listener) -> None:
                fired = client.webhooks.trigger_test("ticket.created")
                listener.wait_for(fired.event_id)
                frame = listener.to_frame()
                assert (frame["event_id"] == fired.event_id).any()

            taken = in_turns(
                {"ours": fire, "round trip": lambda client=client, hook=hook: client.webhooks.get(hook.id)}, 15, 5
            )
        yield Row(
            "fire → a row in listener.to_frame()",
            f"{others + 1} webhooks",
            "one loopback round trip",
            taken["ours"],
            taken["round trip"],
            "at most 8 times",
        )


def retried() -> Iterator[Row]:
    """31 hours of retries for failing deliveries, lived through by the sandbox's clock; the other side is real time."""
    hours = 31 + 12.5 / 60
    for count in (10, 100, 300):
        taken = []
        for _ in range(3):
            with cx.Sandbox() as sandbox, sandbox.client() as client, sandbox.listener() as listener:
                listener.answer.status = 500
                client.webhooks.create(name="Failing", url=listener.url, events=["ticket.created"])
                for _ in range(count):
                    client.webhooks.trigger_test("ticket.created")
                began = time.perf_counter()
                sandbox.clock.advance(hours=31, minutes=13)
                taken.append(time.perf_counter() - began)
                rows = sandbox.deliveries()
                assert len(rows[rows["webhook"] == "Failing"]) == 7 * count
        aim = "under 2 s" if count == 100 else ""
        yield Row("31 hours of retries", f"{count} deliveries", "real time", taken, [hours * 3600] * 3, aim)
