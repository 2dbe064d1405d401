"""The time limit of one attempt, carried through httpcore to every operation on the network."""

import secrets
import time
from typing import Self

from ..secret import ApiKey

# Written in place of the key, so that no frame of httpx, httpcore or h11 holds it. Unguessable, so that no body contains it.
PLACEHOLDER = f"placeholder-{secrets.token_hex(16)}".encode()


class Attempt(float):
    """One attempt of one call: when it must end, and which key it is sent with.

    httpcore hands each network operation the timeout of its request, and asks nothing of it but to be a number of seconds. So
    this is that number, and our network streams ask it how much time is left. The limit covers name lookup, all addresses,
    TLS, writing and reading.

    Attributes:
        sent: Whether the head of the request was handed to the network.
    """

    _ends: float
    _key: ApiKey
    sent: bool

    def __new__(cls, seconds: float, key: ApiKey) -> Self:
        attempt = super().__new__(cls, seconds)
        attempt._ends = time.monotonic() + seconds
        attempt._key = key
        attempt.sent = False
        return attempt

    def left(self) -> float:
        """Seconds until the limit; 0 once it has passed."""
        return max(0.0, self._ends - time.monotonic())

    def with_key(self, data: bytes) -> bytes:
        """The data as it is sent: with the key in place of the placeholder."""
        self.sent = self.sent or PLACEHOLDER in data
        return data.replace(PLACEHOLDER, self._key.reveal().encode(), 1)
