"""Sends captured deliveries again: as they were, signed anew, or edited; to a URL, or through a Python function."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ValidationError
from ..secret import Secret
from ..serving.posting import Post
from ..signatures.signing import Moment, json_in, sign
from .app import Handler, handled
from .store import Received

if TYPE_CHECKING:
    import pandas as pd

Edit = Callable[[dict[str, Any]], dict[str, Any]]

# Of the connection a delivery came by, and not of the delivery.
_HOP = frozenset({"host", "content-length", "connection", "transfer-encoding", "accept-encoding", "accept"})

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


async def replayed(
    requests: Iterable[Received],
    to: str | Handler,
    *,
    secret: Secret | None,
    now: Callable[[], Moment],
    edit: Edit | None,
) -> "pd.DataFrame":
    """Replays each request and compares; see `Listener.replay`."""
    post = Post()
    try:
        rows = [await _one(request, to, post, secret=secret, now=now, edit=edit) for request in requests]
    finally:
        await post.close()
    return _frame(rows)


async def _one(
    request: Received,
    to: str | Handler,
    post: Post,
    *,
    secret: Secret | None,
    now: Callable[[], Moment],
    edit: Edit | None,
) -> Mapping[str, Any]:
    body = request.body if edit is None else edited(request, edit)
    if isinstance(to, str):
        headers = {name: value for name, value in request.headers if name not in _HOP}
        if secret is not None:
            headers["x-signature"] = sign(body, secret, now())
        outcome = await post(to, body, headers)
        status, error = outcome.status, outcome.error
    else:
        # On a thread of its own: the function may fire events, and replay in its turn.
        status, error = await asyncio.to_thread(handled, to, body)
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


def edited(request: Received, edit: Edit) -> bytes:
    """The body that an edit makes of a delivery's event.

    Raises:
        ValidationError: The body is no JSON object, or the edit returns none.
    """
    event = json_in(request.body)
    changed = edit(event) if isinstance(event, dict) else None
    if not isinstance(changed, dict):
        raise ValidationError(
            f"Request {request.id} cannot be edited: {'its body is no JSON object' if event is None else 'edit() returned no dict'}.",
            param="edit",
            advice="Leave it out of the selection, or return the event from edit().",
        )
    return json.dumps(changed, ensure_ascii=False, separators=(",", ":")).encode()


def _last_line(error: str | None) -> str | None:
    return error.splitlines()[-1] if error else None


def _frame(rows: list[Mapping[str, Any]]) -> "pd.DataFrame":
    from ..frames import from_rows

    return from_rows(rows, _COLUMNS)
