"""Reads the body of a request within a size and a time."""

import asyncio

from starlette.types import Receive

from .host_check import Refusal


async def read_body(receive: Receive, max_bytes: int, seconds: float) -> bytes | Refusal:
    """The whole body, or why it was not read to its end."""
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return Refusal(None, "aborted", "The sender disconnected before the end of the body.")
                body += message.get("body", b"")
                if len(body) > max_bytes:
                    return Refusal(413, "body_too_long", f"The body is longer than {max_bytes:,} bytes.")
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        return Refusal(408, "body_too_slow", f"The body took longer than {seconds:g} s.")
