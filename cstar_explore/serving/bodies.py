"""Reads the body of a request within a size and a time."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Receive


class BodyTooLongError(Exception):
    """A body is longer than allowed."""


class DisconnectedError(Exception):
    """The sender left before the end of the body."""


async def read_body(receive: "Receive", max_bytes: int, seconds: float) -> bytes:
    """The whole body. Raises BodyTooLongError, TimeoutError, or DisconnectedError."""
    body = bytearray()
    async with asyncio.timeout(seconds):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise DisconnectedError
            body += message.get("body", b"")
            if len(body) > max_bytes:
                raise BodyTooLongError
            if not message.get("more_body"):
                return bytes(body)
