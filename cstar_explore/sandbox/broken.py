"""Answers that break on their way."""

import logging
from typing import TYPE_CHECKING

from .faults import Fault

if TYPE_CHECKING:
    from starlette.types import Message, Send


def cut(send: "Send", fault: Fault | None) -> "Send":
    """A `send` that keeps back half of the body (`cut_off`) or all of it (`lose_answer`), of the length already declared."""
    if fault is None or fault.name not in ("cut_off", "lose_answer"):
        return send
    kept = 2 if fault.name == "cut_off" else 0

    async def cutting(message: "Message") -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            message = {
                "type": "http.response.body",
                "body": body[: len(body) // kept] if kept else b"",
                "more_body": True,
            }
        await send(message)

    return cutting


class _Expected(logging.Filter):
    """uvicorn complains of an answer that is not finished, and closes the connection, which is what was wanted."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("ASGI callable returned without completing response")


logging.getLogger("uvicorn.error").addFilter(_Expected())
