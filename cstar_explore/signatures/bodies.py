"""Bodies of deliveries: the bytes that are signed, and the JSON in them."""

import json
from typing import Any

from ..errors import ValidationError


def require_bytes(body: object) -> bytes:
    """The body as bytes.

    Raises:
        ValidationError: The body is text or parsed JSON, so its original bytes are unknown.
    """
    if isinstance(body, bytes):
        return body
    if isinstance(body, bytearray | memoryview):
        return bytes(body)
    raise ValidationError(
        f"body must be bytes, not {type(body).__name__}.",
        param="body",
        advice="Pass the raw body as received; parsing and reserializing JSON changes its bytes.",
    )


def parse_json(body: bytes | str) -> Any:
    """The parsed JSON, or None if the body is not valid JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
