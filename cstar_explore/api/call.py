"""One call through all its attempts."""

import uuid
from typing import Generic, TypeVar

from ..errors import CStarError, InvalidResponseError, NotFoundError, TransportError
from .connection import Connection, without_frames
from .requests import Request, read

T = TypeVar("T")


class Call(Generic[T]):
    """Keeps one Idempotency-Key for all attempts, and remembers whether one of them may have taken effect."""

    def __init__(self, request: Request[T], connection: Connection) -> None:
        self._request = request
        self._connection = connection
        self._may_have_acted = False
        self._headers = {} if request.body is None else {"Content-Type": "application/json"}
        if request.repeat == "with_key":
            self._headers["Idempotency-Key"] = str(uuid.uuid4())

    def attempt(self) -> T:
        """Sends the request once more. An error tells whether this attempt or an earlier one may have taken effect.

        Raises:
            CStarError: And no other error, whatever the response contains.
        """
        try:
            return read(self._request, self._connection.exchange(self._request, self._headers))
        except BaseException as error:  # noqa: BLE001 - raised again below
            failure = without_frames(error)
        # Raised outside the handler and without the frames below: they hold the response, and with it a signing secret.
        if isinstance(failure, NotFoundError) and self._request.method == "DELETE" and self._may_have_acted:
            return None  # type: ignore[return-value] # deleted by the attempt whose response was lost
        if isinstance(failure, CStarError):
            raise self._remembered(failure)
        if isinstance(failure, Exception):  # a response that no reader foresaw
            raise self._remembered(TransportError(f"The response could not be read ({type(failure).__name__})"))
        raise failure

    def _remembered(self, error: CStarError) -> CStarError:
        error.redact(self._request.key.redacted_in)
        if not self._request.writes:
            if error.may_have_acted and not isinstance(error, InvalidResponseError):
                error.advice = "It changes nothing, so it can be called again."
            error.may_have_acted = False
        self._may_have_acted = self._may_have_acted or error.may_have_acted
        error.may_have_acted = self._may_have_acted
        return error
