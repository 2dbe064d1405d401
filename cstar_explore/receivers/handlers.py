"""`check_handler`: checks a Python handler in this process."""

import asyncio
from collections.abc import Sequence
from functools import partial
from secrets import token_hex

from ..errors import ValidationError
from ..listener.handlers import Handler, call_handler
from ..secret import Secret
from ..serving.threads import in_thread
from ..text import printable, redacted
from .catalogue import AFTER_FORGED, CHECKS, ORDINARY, UNKNOWN_FIELDS
from .checker import Checker
from .effects import Acted
from .receiver import run
from .result import ReceiverCheck
from .sending import NO_RESPONSE, TIMEOUT, Exchange, Response
from .signed_requests import Maker

# The checks that depend only on the event, not on how it is sent or signed.
_SENT = {ORDINARY, UNKNOWN_FIELDS, "ticket.closed before ticket.created", "16 at once", "non-ASCII letters"}
_CHECKS = [
    check
    for check in CHECKS
    if check.sent in _SENT or (check.group in {"duplicates", "new types"} and check.sent != AFTER_FORGED)
]


def check_handler(function: Handler, *, acted: Acted | None = None) -> ReceiverCheck:
    """Calls a handler with generated events: new, repeated, simultaneous, out of order, incomplete and of unknown types.

    The handler takes the event as a dict, like a handler of `cx.Listener`. It may be called in several threads at once. An exception
    counts as a response with 500, after which cStar retries.

    Args:
        function: The handler, sync or async.
        acted: Reports the events that the handler acted on, as for `cx.check_receiver`. Entries may contain the title of the event's
            ticket instead of its ID: each title contains the ID. Without `acted`, the check cannot tell whether the handler
            processes duplicates twice.

    Raises:
        ConfigurationError: `acted` failed.
        ValidationError: The handler is not callable, or `acted` returns neither entries nor a number.
    """
    if not callable(function):
        raise ValidationError(
            f"A handler must be a function that takes an event, not {type(function).__name__}.",
            advice="Pass the function itself, without calling it.",
        )
    name = printable(getattr(function, "__qualname__", type(function).__name__), 200)
    maker = Maker(Secret(f"whsec_{token_hex(24)}"))
    return run(name, Checker(partial(_send, function), maker, acted, lambda *_: None, _CHECKS), is_handler=True)


async def _send(handler: Handler, exchange: Exchange) -> Sequence[Response]:
    """Calls the handler instead of sending requests, as `Sender.send` does."""
    if exchange.at_once:
        return await asyncio.gather(*(_call(handler, request.body) for request in exchange.requests))
    return [await _call(handler, request.body) for request in exchange.requests]


async def _call(handler: Handler, body: bytes) -> Response:
    try:
        async with asyncio.timeout(TIMEOUT):
            result = await asyncio.wrap_future(in_thread(call_handler, handler, body))
    except TimeoutError:
        return Response(None, NO_RESPONSE)
    return Response(result.status, redacted(printable((result.error or "").rstrip().rpartition("\n")[2], 200)))
