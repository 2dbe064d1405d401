"""The user's listener as the receiver of the probe's webhooks, which differ in the query of their URLs."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from ..api.client import Client
from ..listener import Listener
from ..listener.handlers import Handler
from ..listener.store import Received
from ..secret import Secret
from ..serving.loopback import is_loopback_url
from .answers import signing_secret
from .replies import AddressRefusedError, NotAnsweredError, Reply
from .session import Session

ARRIVAL = 10.0  # seconds to wait for a delivery
_POLL = 0.02


class Receiver:
    """Creates active webhooks that point to a listener, and waits for their deliveries.

    Args:
        client: Its base URL decides the listener's address: a server on loopback gets the loopback address, any other server the
            listener's first allowed host.
    """

    def __init__(self, listener: Listener, client: Client, stopped: Callable[[], bool]) -> None:
        self.listener = listener
        self._base = _address(listener, client)
        self._stopped = stopped

    def url(self, mark: str) -> str:
        """The listener's URL with a mark in its query."""
        return f"{self._base}?probe={mark}"

    @contextmanager
    def webhook(self, session: Session, mark: str, events: str = "ticket.created") -> Iterator[Reply]:
        """An active webhook with this mark in its URL. A listener that verifies trusts its secret meanwhile.

        Raises:
            AddressRefusedError: The server refuses the URL.
            NotAnsweredError: The webhook was not created for another reason.
        """
        created = session.create(url=self.url(mark), events=events, paused=False)
        if created.refused:
            raise AddressRefusedError(f"{created.evidence}: this requires a listener at a public address")
        with session.removing(created.require_success()), self._trusting(created):
            yield created

    def arrived(self, mark: str, *, fired_at: int) -> list[Received]:
        """The deliveries with this mark, without the listener's first `fired_at` requests."""
        return [
            request
            for request in self.listener.requests()[fired_at:]
            if f"probe={mark}" in request.query.split("&") and not request.refused
        ]

    def count(self) -> int:
        """How many requests the listener has received."""
        return len(self.listener.requests())

    def wait_for(self, mark: str, *, fired_at: int) -> Received:
        """Waits until the listener has responded to the first delivery with this mark, or raises NotAnsweredError."""
        return self._wait(lambda: self.arrived(mark, fired_at=fired_at))

    def wait_for_event(self, event_id: object, *, fired_at: int) -> Received:
        """Waits for the first request with this event ID, wherever it was sent to, or raises NotAnsweredError."""
        if event_id is None:
            raise NotAnsweredError("the response to trigger-test has no event ID")
        return self._wait(
            lambda: [request for request in self.listener.requests()[fired_at:] if request.event_id == event_id]
        )

    def _wait(self, arrived: Callable[[], list[Received]]) -> Received:
        deadline = time.monotonic() + ARRIVAL
        while time.monotonic() < deadline and not self._stopped():
            for request in arrived():
                if request.answered is not None:
                    return request
            time.sleep(_POLL)
        raise NotAnsweredError(f"no delivery arrived at the listener within {ARRIVAL:g} s")

    @contextmanager
    def answering(self, handler: Handler | None = None, *, seconds: float = 0.0) -> Iterator[None]:
        """Replaces the listener's handler and delay, and restores its own afterwards."""
        answer = self.listener.answer
        before = (answer.handler, answer.seconds, answer.status)
        answer.handler, answer.seconds, answer.status = handler, seconds, 200
        try:
            yield
        finally:
            answer.handler, answer.seconds, answer.status = before

    @contextmanager
    def _trusting(self, created: Reply) -> Iterator[None]:
        value = signing_secret(created.webhook)
        trusted = self.listener._secrets  # noqa: SLF001 - `trust` would make a listener without secrets verify
        if not trusted or not isinstance(value, str):
            yield
            return
        secret = Secret(value)
        trusted.append(secret)
        try:
            yield
        finally:
            with contextlib.suppress(ValueError):
                trusted.remove(secret)


def _address(listener: Listener, client: Client) -> str:
    """The URL at which the server reaches the listener: through the first allowed host, unless the server is on loopback too."""
    hosts = sorted(listener._allowed_hosts)  # noqa: SLF001 - read only
    if is_loopback_url(client.base_url) or not hosts:
        return listener.url
    return f"https://{hosts[0]}{urlsplit(listener.url).path}"
