"""Sends requests to listeners."""

import contextlib
import http.client
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import cstar_explore as cx

SECRET = "whsec_test_secret"


class FixedClock:
    """A clock whose time does not change."""

    now = datetime(2025, 12, 10, 14, 30, tzinfo=UTC)


def body_of(event_id: object = "evt_1", event: object = "ticket.created", **more: Any) -> bytes:
    return json.dumps({"id": event_id, "type": event, "data": {}} | more).encode()


def send(
    url: str,
    body: bytes = b"{}",
    headers: Mapping[str, str] | None = None,
    path: str | None = None,
) -> tuple[int, bytes, dict[str, str]]:
    """Posts one request. Returns the status, body and headers of the response."""
    parts = urlsplit(url)
    target = path or parts.path + (f"?{parts.query}" if parts.query else "")
    with contextlib.closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)) as connection:
        connection.request("POST", target, body, dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read(), {name.lower(): value for name, value in response.getheaders()}


def deliver(listener: cx.Listener, body: bytes = body_of(), **headers: str) -> int:
    """Posts a body signed with `SECRET` now. Returns the status."""
    return send(listener.url, body, {"X-Signature": cx.sign(body, SECRET)} | headers)[0]
