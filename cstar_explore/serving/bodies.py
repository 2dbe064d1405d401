"""Reads the body of a request within a size and a time."""

import asyncio

from starlette.types import Receive

from .host_check import Refusal

MAX_BODY = 2**20  # bytes
BODY_TIMEOUT = 10.0  # seconds for the whole body


async def read_body(receive: Receive) -> bytes | Refusal:
    """The whole body, or why it was not read to its end."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return Refusal(None, "aborted", "The sender disconnected before the end of the body.")
                body += message.get("body", b"")
                if len(body) > MAX_BODY:
                    return Refusal(413, "body_too_long", f"The body is longer than {MAX_BODY:,} bytes.")
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        return Refusal(408, "body_too_slow", f"The body took longer than {BODY_TIMEOUT:g} s.")
