"""The user's listener as the receiver of the probe's webhooks, which differ in the query of their URLs."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from ..hosts import is_loopback_url
from ..listener.handlers import Handler
from ..listener.store import Received
from ..secret import Secret
from .answers import signing_secret
from .replies import AddressRefusedError, NotAnsweredError, Reply
from .session import Session

ARRIVAL = 10.0  # seconds to wait for a delivery


class Receiver:
    """Creates active webhooks that point to the user's listener, and waits for their deliveries.

    A server on loopback reaches the listener at its loopback address, any other server at its first allowed host.
    """

    def __init__(self, session: Session) -> None:
        if session.options.listener is None:
            raise NotAnsweredError("no listener was passed")
        self._session = session
        self._listener = session.options.listener

    def url(self, mark: str) -> str:
        """The listener's URL with a mark in its query."""
        hosts, url = sorted(self._listener._allowed_hosts), self._listener.url  # noqa: SLF001 - read only
        if hosts and not is_loopback_url(self._session.client.base_url):
            url = f"https://{hosts[0]}{urlsplit(url).path}"
        return f"{url}?probe={mark}"

    @contextmanager
    def webhook(self, mark: str, events: str = "ticket.created") -> Iterator[Reply]:
        """An active webhook with this mark in its URL. A listener that verifies trusts its secret meanwhile.

        Raises:
            AddressRefusedError: The server refuses the URL.
            NotAnsweredError: The webhook was not created for another reason.
        """
        created = self._session.create(url=self.url(mark), events=events, paused=False)
        if created.refused:
            raise AddressRefusedError(f"{created.evidence}: this requires a listener at a public address")
        with ExitStack() as afterwards:
            afterwards.enter_context(self._session.removing(created.require_success()))
            trusted = self._listener._secrets  # noqa: SLF001 - `trust` would make a listener without secrets verify
            value = signing_secret(created.webhook)
            if trusted and isinstance(value, str):
                trusted.append(Secret(value))
                afterwards.callback(trusted.remove, trusted[-1])
            yield created

    def count(self) -> int:
        """How many requests the listener has received."""
        return len(self._listener.requests())

    def arrived(self, mark: str, after: int = 0) -> list[Received]:
        """The deliveries with this mark, without the listener's first `after` requests."""
        return [
            request
            for request in self._listener.requests()[after:]
            if f"probe={mark}" in request.query.split("&") and not request.refused
        ]

    def wait_for(self, mark: str, after: int = 0) -> Received:
        """Waits until the listener has responded to the first delivery with this mark, or raises NotAnsweredError."""
        return self._wait(lambda: self.arrived(mark, after))

    def wait_for_event(self, event_id: object, after: int = 0) -> Received:
        """Waits for the first request with this event ID, wherever it was sent to, or raises NotAnsweredError."""
        if event_id is None:
            raise NotAnsweredError("the response to trigger-test has no event ID")
        return self._wait(lambda: [each for each in self._listener.requests()[after:] if each.event_id == event_id])

    def _wait(self, arrived: Callable[[], list[Received]]) -> Received:
        def answered() -> list[Received]:
            return [request for request in arrived() if request.answered is not None]

        self._session.wait(ARRIVAL, answered)
        for request in answered():
            return request
        raise NotAnsweredError(f"no delivery arrived at the listener within {ARRIVAL:g} s")

    @contextmanager
    def answering(self, handler: Handler | None = None, *, seconds: float = 0.0) -> Iterator[None]:
        """Replaces the listener's handler and delay, and restores its own afterwards."""
        answer = self._listener.answer
        before = (answer.handler, answer.seconds, answer.status)
        answer.handler, answer.seconds, answer.status = handler, seconds, 200
        try:
            yield
        finally:
            answer.handler, answer.seconds, answer.status = before
