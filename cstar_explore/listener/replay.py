"""Sends stored deliveries again: unchanged, with a new signature or edited, to a URL or a Python function."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import ConfigurationError, ValidationError
from ..secret import Secret
from ..serving.loopback import is_allowed
from ..serving.posting import DeliveryClient
from ..signatures.bodies import parse_json
from ..signatures.signing import sign
from ..signatures.timestamps import Timestamp
from ..text import printable
from .handlers import Handler, call_handler
from .store import Received

if TYPE_CHECKING:
    import pandas as pd

Edit = Callable[[dict[str, Any]], dict[str, Any]]

# What cStar sends. The other headers are of the original connection or a gateway's, and may contain credentials.
_SENT = (
    *("content-type", "x-signature", "x-event-type", "x-event-id", "x-webhook-id", "x-timestamp"),
    *("x-delivery-attempt", "x-cstar-request-id"),
)

_COLUMNS = {
    "id": "int64",
    "event": "str",
    "event_id": "str",
    "was_answered": "Int64",
    "was_error": "str",
    "answered": "Int64",
    "error": "str",
    "changed": "boolean",
}


def request_ids(rows: Any) -> list[int]:
    """The ids in a frame or one row of it, in requests or one request, or in ids. Raises ValidationError if one is not an id."""
    ids = getattr(rows, "id", rows)
    if isinstance(ids, str) or not isinstance(ids, Iterable):
        ids = [ids]
    return [_request_id(getattr(item, "id", item)) for item in ids]


def _request_id(value: Any) -> int:
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        if isinstance(value, str) or int(value) == value:
            return int(value)
    raise ValidationError(
        f"rows must be rows of to_frame() or lost(), requests or their ids, not {printable(repr(value), 80)}.",
        param="rows",
        advice="Pass for example listener.lost(). A sandbox's rows have ids of deliveries: choose this listener's by event_id.",
    )


def check_replay(requests: Iterable[Received], to: str | Handler, allowed_hosts: Collection[str]) -> None:
    """Checks where to send deliveries, and that they are complete.

    Raises:
        ConfigurationError: `to` is neither a function nor an allowed URL.
        ValidationError: A request was refused before its body was read.
    """
    if isinstance(to, str):
        _check_url(to, allowed_hosts)
    elif not callable(to):
        raise ConfigurationError(
            f"to must be a URL or a function, not {printable(repr(to), 80)}.",
            advice="Pass a receiver's URL or a handler.",
        )
    for request in requests:
        if request.refused:
            raise ValidationError(
                f"Request {request.id} cannot be replayed: it was refused ({request.cause}) before its body was read.",
                param="rows",
                advice="Leave it out of the selection.",
            )


def _check_url(url: str, allowed_hosts: Collection[str]) -> None:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        raise ConfigurationError(f"to must be a URL, not '{printable(url, 120)}'.", advice="Pass a receiver's URL.")
    if parts.scheme == "http" and not is_allowed(host, allowed_hosts):
        raise ConfigurationError(
            f"The deliveries would go to {printable(host, 120)} over plain http, where others can read them.",
            advice="Use https, or pass the host in the listener's allowed_hosts.",
        )


async def replay_requests(
    requests: Iterable[Received],
    to: str | Handler,
    *,
    secret: Secret | None,
    now: Callable[[], Timestamp],
    edit: Edit | None,
) -> "pd.DataFrame":
    """See `Listener.replay`."""
    from ..frames import from_rows

    client = DeliveryClient()
    try:
        rows = [await _replay_one(request, to, client, secret=secret, now=now, edit=edit) for request in requests]
    finally:
        await client.close()
    return from_rows(rows, _COLUMNS)


async def _replay_one(
    request: Received,
    to: str | Handler,
    client: DeliveryClient,
    *,
    secret: Secret | None,
    now: Callable[[], Timestamp],
    edit: Edit | None,
) -> Mapping[str, Any]:
    body = request.body if edit is None else _edited_body(request, edit)
    if isinstance(to, str):
        headers = {name: value for name, value in request.headers if name in _SENT or _is_user_agent(name, value)}
        if secret is not None:
            headers["x-signature"] = sign(body, secret, now())
        outcome = await client.post(to, body, headers)
        status: int | None = outcome.status
        error = outcome.error
    else:
        # On another thread, because the function may itself fire events or replay.
        response = await asyncio.to_thread(call_handler, to, body)
        status, error = response.status, response.error
    return {
        "id": request.id,
        "event": request.event,
        "event_id": request.event_id,
        "was_answered": request.answered,
        "was_error": _last_line(request.error),
        "answered": status,
        "error": _last_line(error),
        "changed": request.answered != status,
    }


def _is_user_agent(name: str, value: str) -> bool:
    """Whether the header is cStar's own `User-Agent: cStar-Webhooks/1.0`."""
    return name == "user-agent" and value.startswith("cStar-")


def _edited_body(request: Received, edit: Edit) -> bytes:
    """The body with its event edited.

    Raises:
        ValidationError: The body is not a JSON object, or `edit` does not return a dict.
    """
    event = parse_json(request.body)
    edited = edit(event) if isinstance(event, dict) else None
    if not isinstance(edited, dict):
        reason = "edit() did not return a dict" if isinstance(event, dict) else "its body is not a JSON object"
        raise ValidationError(
            f"Request {request.id} cannot be edited: {reason}.",
            param="edit",
            advice="Leave the request out of the selection, or return the event from edit().",
        )
    return json.dumps(edited, ensure_ascii=False, separators=(",", ":")).encode()


def _last_line(error: str | None) -> str | None:
    return error.splitlines()[-1] if error else None
