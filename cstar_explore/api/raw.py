"""Requests that the client's own calls never send, for asking cStar how it responds to them."""

from collections.abc import Mapping
from typing import Any

from ..secret import Secret
from .client import Client
from .connection import without_frames
from .requests import Request
from .responses import Response
from .validation import checked_key, segment


def send_raw(
    client: Client,
    method: str,
    path: str = "",
    body: Mapping[str, Any] | None = None,
    *,
    key: Secret | None = None,
    idempotency_key: str | None = None,
) -> Response:
    """Sends a request about the client's team, with any body, once. Returns the response, whatever its status.

    Args:
        client: The client.
        method, body: As they are sent.
        path: What follows `/webhooks`: segments, or a query that begins with `?`.
        key: Another key than the client's.
        idempotency_key: The value of `Idempotency-Key`.

    Raises:
        ConfigurationError: The client has no team.
        ReadOnlyError, PermissionDeniedError: The client or its key may not write. Nothing was sent.
        RedirectError, TransportError: There is no complete response of this server.
    """
    url = client.webhooks.preview.list().url
    if method != "GET":
        client.check_may_write(method)
    if path and not path.startswith("?"):
        path = "/" + "/".join(segment(part, "path") for part in path.split("/"))
    headers = {} if body is None else {"Content-Type": "application/json"}
    if idempotency_key is not None:
        headers["Idempotency-Key"] = idempotency_key
    connection = client._connection  # noqa: SLF001 - this module is a part of the client
    if key is not None:
        connection = connection.for_another_key()
    request: Request[Response] = Request(
        method, f"{url}{path}", client.key if key is None else checked_key(key), body, "once", lambda response: response
    )
    try:
        return connection.exchange(request, headers)
    except BaseException as error:  # noqa: BLE001 - raised again below
        failure = without_frames(error)
    # Without the frames below: they hold the response, and with it a signing secret.
    raise failure
