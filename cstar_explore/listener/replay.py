"""Sends stored deliveries again: unchanged, with a new signature or edited, to a URL or a Python function."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, ValidationError
from ..hosts import host_of, is_allowed
from ..packaged import read_table
from ..secret import Secret
from ..serving.posting import AttemptResult, DeliveryClient
from ..signatures.bodies import parse_json
from ..signatures.signing import sign
from ..signatures.timestamps import Timestamp
from ..text import printable
from .handlers import Handler, HandlerResponse, call_handler
from .store import Received

if TYPE_CHECKING:
    import pandas as pd

Edit = Callable[[dict[str, Any]], dict[str, Any]]

# What cStar sends. The other headers are of the original connection or a gateway's, and may contain credentials.
_SENT = (
    *("content-type", "x-signature", "x-event-type", "x-event-id", "x-webhook-id", "x-timestamp"),
    *("x-delivery-attempt", "x-cstar-request-id"),
)

_COLUMNS: Mapping[str, str] = read_table(__file__, "columns.json")["replays"]


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
        message = f"to must be a URL or a function, not {printable(repr(to), 80)}."
        raise ConfigurationError(message, advice="Pass a receiver's URL or a handler.")
    for request in requests:
        if request.refused:
            raise ValidationError(
                f"Request {request.id} cannot be replayed: it was refused ({request.cause}) before its body was read.",
                param="rows",
                advice="Leave it out of the selection.",
            )


def _check_url(url: str, allowed_hosts: Collection[str]) -> None:
    host, scheme = host_of(url), url.partition(":")[0].lower()
    if not host or scheme not in ("http", "https"):
        raise ConfigurationError(f"to must be a URL, not '{printable(url, 120)}'.", advice="Pass a receiver's URL.")
    if scheme == "http" and not is_allowed(host, allowed_hosts):
        message = f"The deliveries would go to {printable(host, 120)} over plain http, where others can read them."
        raise ConfigurationError(message, advice="Use https, or pass the host in the listener's allowed_hosts.")


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

    rows = []
    async with contextlib.aclosing(DeliveryClient()) as client:
        for request in requests:
            body = request.body if edit is None else _edited_body(request, edit)
            result: AttemptResult | HandlerResponse
            if isinstance(to, str):
                headers = {name: value for name, value in request.headers if _is_sent(name, value)}
                if secret is not None:
                    headers["x-signature"] = sign(body, secret, now())
                result = await client.post(to, body, headers)
            else:
                # On another thread, because the function may itself fire events or replay.
                result = await asyncio.to_thread(call_handler, to, body)
            before = {"was_answered": request.answered, "was_error": _last_line(request.error)}
            after = {"answered": result.status, "error": _last_line(result.error)}
            rows.append(vars(request) | before | after | {"changed": request.answered != result.status})
    return from_rows(rows, _COLUMNS)


def _is_sent(name: str, value: str) -> bool:
    """Whether the header is cStar's own, such as `User-Agent: cStar-Webhooks/1.0`."""
    return name in _SENT or (name == "user-agent" and value.startswith("cStar-"))


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
