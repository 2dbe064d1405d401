"""Requests that the client's own calls never send, for asking cStar how it responds to them."""

from collections.abc import Mapping
from typing import Any

from ..secret import Secret
from .client import Client
from .connection import without_frames
from .requests import Request
from .responses import Response
from .validation import checked_key, segment


class RawCalls:
    """The calls of one team, with any body, sent once each. Nothing is read from the response.

    Raises:
        ConfigurationError: The client has no team.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._connection = client._connection  # noqa: SLF001 - this module is a part of the client
        self._url = client.webhooks.preview.list().url

    def send(
        self,
        method: str,
        path: str = "",
        body: Mapping[str, Any] | None = None,
        *,
        key: Secret | None = None,
        idempotency_key: str | None = None,
    ) -> Response:
        """Sends a request and returns the response, whatever its status.

        Args:
            method, body: As they are sent.
            path: What follows `/webhooks`: segments, or a query that begins with `?`.
            key: Another key than the client's.
            idempotency_key: The value of `Idempotency-Key`.

        Raises:
            ReadOnlyError, PermissionDeniedError: The client or its key may not write. Nothing was sent.
            RedirectError, TransportError: There is no complete response of this server.
        """
        if method != "GET":
            self._client.check_may_write(method)
        if path and not path.startswith("?"):
            path = "/" + "/".join(segment(part, "path") for part in path.split("/"))
        headers = {} if body is None else {"Content-Type": "application/json"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        connection = self._connection if key is None else self._connection.for_another_key()
        request: Request[Response] = Request(
            method,
            f"{self._url}{path}",
            self._client.key if key is None else checked_key(key),
            body,
            "once",
            lambda response: response,
        )
        try:
            return connection.exchange(request, headers)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failure = without_frames(error)
        # Without the frames below: they hold the response, and with it a signing secret.
        raise failure
