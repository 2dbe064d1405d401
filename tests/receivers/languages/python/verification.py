"""Verifies cStar's deliveries and acts once on each event. Needs only the standard library."""

import hashlib
import hmac
import json
import os
import re
import threading
import time
from pathlib import Path

SECRET = os.environ["WEBHOOK_SECRET"].encode()  # the whole secret, including whsec_
TOLERANCE = 300  # seconds, in both directions
ACTED = Path(os.environ.get("ACTED_FILE", "acted.txt"))

_known: set[str] = set()
_lock = threading.Lock()


def receive(body: bytes, header: str | None) -> int:
    """Verifies a delivery, acts on its event, and returns the status to respond with."""
    if not is_genuine(body, header or ""):
        return 401
    try:
        event = json.loads(body)
    except ValueError:
        return 400
    if not isinstance(event, dict) or not isinstance(event.get("id"), str):
        return 400
    act_once(event["id"])
    return 200


def is_genuine(body: bytes, header: str) -> bool:
    parts = [part.strip().partition("=") for part in header.split(",")]
    timestamp = next((value for name, _, value in parts if name == "t"), "")
    if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(time.time() - int(timestamp)) > TOLERANCE:
        return False
    expected = hmac.new(SECRET, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    signatures = [value for name, _, value in parts if name == "v1" and value.isascii()]
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def act_once(event_id: str) -> None:
    """Your work goes here. A unique key in your database replaces the set: it also works across processes and restarts."""
    with _lock:
        if event_id not in _known:
            with ACTED.open("a") as file:
                file.write(f"{event_id}\n")
            _known.add(event_id)
