"""`check_handler`: checks a Python handler in process."""

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from secrets import token_hex

from ..errors import ValidationError
from ..listener.handlers import Handler, call_handler
from ..secret import Secret
from ..text import printable, redacted
from .catalogue import AFTER_FORGED, CHECKS, ORDINARY, UNKNOWN_FIELDS
from .effects import Acted
from .receiver import run
from .result import ReceiverCheck
from .sending import NO_RESPONSE, TIMEOUT, Exchange, Response
from .signed_requests import Maker

# Those that depend on the event only, and not on how it is sent or signed.
_SENT = {ORDINARY, UNKNOWN_FIELDS, "ticket.closed before ticket.created", "16 at once", "non-ASCII letters"}
_CHECKS = [check for check in CHECKS if check.sent in _SENT or check.group in {"duplicates", "new types"}]


def check_handler(function: Handler, *, acted: Acted | None = None) -> ReceiverCheck:
    """Calls a handler with generated events: new, repeated, at once, out of order, of unknown types, and incomplete.

    A handler takes the event as a dict, as `cx.Listener(handler=…)` does. It may be called in several threads at once. An exception
    is a 500, after which cStar retries.

    Args:
        function: The handler, async or not.
        acted: What it acted on, as for `check_receiver`: a function that returns entries with the ids of the events, or with the
            titles of their tickets, which contain the ids. Without it, whether duplicates are processed twice cannot be tested.

    Raises:
        ConfigurationError: `acted` failed.
        ValidationError: The handler cannot be called, or `acted` gives neither entries nor a number.
    """
    if not callable(function):
        raise ValidationError(
            f"A handler must be a function of an event, not {type(function).__name__}.",
            advice="Pass the function itself.",
        )
    name = printable(getattr(function, "__qualname__", type(function).__name__), 200)
    checks = [check for check in _CHECKS if check.sent != AFTER_FORGED]
    maker = Maker(Secret(f"whsec_{token_hex(24)}"))
    return run(name, _Calls(function), maker, acted, lambda *_: None, checks, is_handler=True)


class _Calls:
    """Calls the handler where a `Sender` sends a request."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def send(self, exchange: Exchange) -> Sequence[Response]:
        if exchange.at_once:
            return await asyncio.gather(*(self._call(request.body) for request in exchange.requests))
        return [await self._call(request.body) for request in exchange.requests]

    async def _call(self, body: bytes) -> Response:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Response] = loop.create_future()

        def work() -> None:
            result = call_handler(self._handler, body)
            error = redacted(printable((result.error or "").rstrip().rpartition("\n")[2], 200))
            with contextlib.suppress(RuntimeError):  # the check has ended
                loop.call_soon_threadsafe(finish, Response(result.status, error))

        def finish(response: Response) -> None:
            if not done.done():
                done.set_result(response)

        threading.Thread(target=work, daemon=True).start()
        try:
            async with asyncio.timeout(TIMEOUT):
                return await done
        except TimeoutError:
            return Response(None, NO_RESPONSE)
