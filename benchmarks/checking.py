"""Checking a correct receiver, against its HTTP requests alone."""

import asyncio
from collections.abc import Iterator
from functools import partial
from unittest.mock import patch

import cstar_explore as cx
from cstar_explore.receivers import checker
from cstar_explore.receivers.sending import Exchange, Response, Sender
from tests.receivers import plain
from tests.receivers.receiving import Work

from .measuring import Case

SECRET = "whsec_not-a-real-secret"  # noqa: S105 - obviously fake


def run() -> Iterator[Case]:
    """The receiver is of the standard library, and runs on threads of this process."""
    exchanges: list[Exchange] = []
    send = Sender.send

    async def recorded(sender: Sender, exchange: Exchange) -> list[Response]:
        exchanges.append(exchange)
        return await send(sender, exchange)

    with plain.receivers((plain.correct,))["correct"](Work(SECRET.encode())) as url:
        with patch.object(Sender, "send", recorded):
            cx.check_receiver(url, secret=SECRET)
        requests = sum(len(exchange.requests) for exchange in exchanges)
        alone = f"floor: the {requests} requests alone, {checker.CONNECTIONS} at a time"
        rivals = {alone: (lambda: asyncio.run(_send(Sender(url), exchanges)), 1.5)}
        ours = partial(cx.check_receiver, url, secret=SECRET)
        yield Case("`check_receiver`", "a correct receiver", "for the result", ours, rivals)


async def _send(sender: Sender, exchanges: list[Exchange]) -> None:
    limit = asyncio.Semaphore(checker.CONNECTIONS)

    async def send(exchange: Exchange) -> None:
        async with limit:
            await sender.send(exchange)

    await asyncio.gather(*map(send, exchanges))
