"""Sends stored deliveries again: unchanged, signed anew or edited, to a URL or a Python function."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ValidationError
from ..secret import Secret
from ..serving.posting import DeliveryClient
from ..signatures.signing import Timestamp, parse_json, sign
from .app import Handler, call_handler
from .store import Received

if TYPE_CHECKING:
    import pandas as pd

Edit = Callable[[dict[str, Any]], dict[str, Any]]

# Headers of the original connection; the new one sets its own.
_EXCLUDED = frozenset({"host", "content-length", "connection", "transfer-encoding", "accept-encoding", "accept"})

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
        headers = {name: value for name, value in request.headers if name not in _EXCLUDED}
        if secret is not None:
            headers["x-signature"] = sign(body, secret, now())
        outcome = await client.post(to, body, headers)
        status, error = outcome.status, outcome.error
    else:
        # On another thread, because the function may itself fire events or replay.
        status, error = await asyncio.to_thread(call_handler, to, body)
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
