"""Makes events and signed requests. The events are clearly marked as tests, and their ids are new in each run."""

import json
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from ..events import sample
from ..secret import Secret
from ..serving.delivery_headers import delivery_headers
from ..serving.times import iso
from ..signatures import keys
from .sending import Request

TITLE = "Test of a webhook receiver, not a real ticket"
_COMPACT = {"separators": (",", ":"), "ensure_ascii": False}  # as cStar writes JSON

# Keys that are made from the secret, also by mistake.
_KEYS: Mapping[str, Callable[[str], str | bytes]] = {
    "": str,
    "bare": lambda secret: secret.removeprefix("whsec_"),
    "base64": lambda secret: b64decode(secret.removeprefix("whsec_")),
    "hex": lambda secret: bytes.fromhex(secret.removeprefix("whsec_")),
    "newline": "{}\n".format,
    "quotes": '"{}"'.format,
}


class Maker:
    """Makes the requests of one run."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._other_secret = Secret(f"whsec_{token_hex(24)}")
        self._run = token_hex(6)
        self._count = 0
        self.ids = re.compile(rf"evt_check_{self._run}_[0-9]{{4}}")

    def event(
        self, kind: str = "ticket.created", *, ticket: str = "", title: str = TITLE, length: int = 0
    ) -> dict[str, Any]:
        """A new event, about a new ticket unless `ticket` names it. Its default text is ASCII without special characters.

        `length` is the minimum length of the ticket's title.
        """
        self._count += 1
        event: dict[str, Any] = json.loads(sample("ticket.closed" if kind == "ticket.closed" else "ticket.created"))
        event |= {"id": f"evt_check_{self._run}_{self._count:04}", "type": kind, "created_at": iso(datetime.now(UTC))}
        event["data"]["ticket"] |= {
            "id": f"tkt_check_{self._run}_{ticket or self._count}",
            # It contains the event's id, so that effects can also be counted by their text.
            "title": f"{title.ljust(length, 'x')} {event['id']}",
        }
        event["data"]["customer"] |= {"name": "Test", "email": "test@example.com"}
        return event

    def request(
        self,
        event: Mapping[str, Any],
        *,
        altered: Mapping[str, Any] | None = None,
        key: str = "",
        age: float = 0,
        unit: int = 1,
        content: str = "{t}.{body}",
        header: str | None = "t={t},v1={v1}",
        attempt: int = 1,
        content_type: str | None = "application/json",
        more_headers: Mapping[str, str] | None = None,
        lower_case: bool = False,
        split: str = "",
        chunked: bool = False,
        method: str = "POST",
        **written: Any,
    ) -> Request:
        """A delivery with cStar's headers, signed now, or with these differences.

        Args:
            event: The event.
            altered: Arguments of `_written` for a body that is changed after signing.
            key: One of `_KEYS`, or "another" for the key of another secret.
            age: How many seconds ago it was signed.
            unit: How often `t` counts in a second.
            content: What is signed.
            header, more_headers: X-Signature and other headers, made from `t`, `v1`, `V1` (in upper case) and `base64`. None
                leaves a header out.
            attempt, content_type: The values of other headers.
            lower_case: Whether the names of headers are in lower case.
            split: The body is sent in two packets, and the first ends within this text.
            chunked: Whether it is sent in chunks.
            method: With another method than POST, the request has neither a body nor headers.
            written: Arguments of `_written` for the body.
        """
        if method != "POST":
            return Request(b"", (("Accept", b"*/*"),), method)
        signed = _written(event, **written)
        body = signed if altered is None else _written(event, **altered)
        t = str(int((time.time() - age) * unit))
        to_sign = content.encode().replace(b"{t}", t.encode()).replace(b"{body}", signed)
        # `legacy_digest` signs exactly what it is given.
        v1 = keys.legacy_digest(self._key(key), to_sign)
        parts = {"t": t, "v1": v1, "V1": v1.upper(), "base64": b64encode(bytes.fromhex(v1)).decode()}
        fields = {
            **delivery_headers(
                signature="", event=event["type"], event_id=event["id"], webhook_id="wh_check", attempt=attempt
            ),
            "Content-Type": content_type,
            "X-Signature": header and header.format(**parts),
            "x-cstar-request-id": f"req_{token_hex(8)}",
            **{name: value.format(**parts) for name, value in (more_headers or {}).items()},
        }
        headers = ((name, value.encode()) for name, value in fields.items() if value is not None)
        return Request(
            body,
            tuple((name.lower() if lower_case else name, value) for name, value in headers),
            split=body.index(split.encode()) + 2 if split else 0,
            chunked=chunked,
        )

    def _key(self, name: str) -> Secret:
        """The key of this name, or if it cannot be made from the secret, that of another secret."""
        with suppress(KeyError, ValueError):  # it is neither base64 nor hexadecimal
            return keys.as_secret(_KEYS[name](self._secret.reveal()))
        return self._other_secret


def _written(
    event: Mapping[str, Any],
    *,
    fields: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    form: Mapping[str, Any] | None = None,
    replace: Sequence[str] = (),
    backwards: bool = False,
) -> bytes:
    """The event as cStar writes it, or with these differences.

    Args:
        event: The event.
        fields, data: Other fields of it, and of its data.
        form: Other arguments of `json.dumps`.
        replace: A regular expression in the result, and its replacement.
        backwards: Whether the fields are in reverse order.
    """
    content = {**event, "data": {**event["data"], **(data or {})}, **(fields or {})}
    if backwards:
        content = dict(reversed(content.items()))
    body = json.dumps(content, **(_COMPACT if form is None else form)).encode()
    if replace:
        pattern, replacement = replace
        body = re.sub(pattern, replacement, body.decode("latin-1")).encode("latin-1")
    return body
