"""Checks for lesson 3, `03_failures_and_retries.ipynb`: idempotent handlers, retries and lost events.

PYTEST_DONT_REWRITE, because the messages of the asserts are shown to learners.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, MutableSet
from numbers import Integral
from typing import Any
from uuid import uuid4

from ..listener import Listener
from ..sandbox import Sandbox
from .checks import call, check, shown

Event = dict[str, Any]
Handler = Callable[[Event, MutableSet[str], Callable[[str], None]], object]

_MAX_TRIES = 100  # ends a handler that retries forever


@check
def idempotent(handle: Handler) -> str:
    """A handler that mails once per event, however often the event is delivered and whatever fails."""
    mails: list[str] = []
    seen: set[str] = set()
    first, second, third = _event(), _event(), _event()

    call(handle, first, seen, mails.append, when="for a new event")
    assert mails, (
        "The first event arrived, and no mail was sent. Call mail(title) with the title of the event's ticket."
    )
    assert mails == [first["data"]["ticket"]["title"]], (
        f"For one event, mail must be called once with the ticket's title; it was called with {shown(mails)}."
    )
    call(handle, first, seen, mails.append, when="for a repeated event")
    assert len(mails) == 1, (
        "The same event arrived again and was mailed again. Keep event['id'] in `seen`, and check `seen` first."
    )
    call(handle, second, seen, mails.append, when="for another event")
    assert len(mails) == 2, (
        "Another event about the same ticket was treated as a repeat. Several events can have the same ticket and title;"
        " only event['id'] identifies a repeat."
    )
    tries = itertools.count(1)

    def down(_: str) -> None:
        if next(tries) <= _MAX_TRIES:
            raise ConnectionError("The mail server is down.")

    try:
        handle(third, seen, down)
    except ConnectionError:
        pass
    else:
        assert next(tries) <= _MAX_TRIES, (
            f"The mail server was down, and the handler tried {_MAX_TRIES} times in one delivery. Do not retry inside the"
            " handler: cStar waits 10 s for a response (cheat sheet). Let the exception through, and cStar retries."
        )
        raise AssertionError(
            "The mail server was down, and the handler returned normally. cStar then receives a 200 and does not retry:"
            " let the exception through."
        )
    call(handle, third, seen, mails.append, when="for an event that failed before")
    assert len(mails) == 3, (
        "The mail server was down, cStar retried, and the handler skipped the event: its ID was already in `seen`."
        " Add the ID after the mail is sent, not before."
    )
    return (
        "Correct. One gap remains: a process that crashes between sending the mail and storing the ID mails twice, or not at"
        " all if it stores the ID first. Where that matters, store the result and the ID in one transaction."
    )


@check
def successful_attempt(answer: Any) -> str:
    """The attempt that reaches a receiver after three hours of downtime; the check simulates it."""
    assert answer is not ..., (
        "`attempt` is still `...`. Add up the waits, starting at the first attempt, until they exceed three hours."
    )
    assert isinstance(answer, Integral) and not isinstance(answer, bool), (
        f"`attempt` must be a whole number, not {shown(answer)}."
    )
    attempt = int(answer)
    attempts = _simulated_attempts()
    assert 1 <= attempt <= 7, f"There is no attempt {attempt}: the first attempt and six retries make seven."
    arrived, after = attempts[-1]
    if attempt < arrived:
        early = dict(attempts)[attempt]
        raise AssertionError(
            f"Attempt {attempt} is made {early} after the first, while the receiver is still down."
            " The first attempt is number 1, so the first retry is number 2."
        )
    assert attempt == arrived, (
        f"Attempt {attempt} is not made: attempt {arrived}, {after} after the first, already succeeds."
    )
    return (
        f"Correct. The event arrives {after} after the first attempt, more than four hours after the receiver is back."
    )


@check
def lost(answer: Any, outage: Any, listener: Listener) -> str:
    """The requests to replay after an outage: one for each event that was never accepted."""
    assert answer is not ..., (
        "`lost` is still `...`. An event is lost if none of its rows was answered with 200; `outage` has one row per attempt."
    )
    ids = _ids(answer)
    others = [item for item in ids if not isinstance(item, Integral)]
    assert not others, f"`lost` must be rows of `outage` or request IDs, but it contains {shown(others[0])}."
    ids = [int(item) for item in ids]
    assert ids, "`lost` is empty, but one event is lost: none of its attempts was answered with 200."
    earlier = [request_id for request_id in ids if 0 < request_id < outage["id"].min()]
    assert not earlier, (
        f"Request {earlier[0]} is from before the outage, and its event was replayed already. If you use listener.lost(),"
        " pass since=outage['received_at'].min()."
    )
    unknown = [request_id for request_id in ids if request_id not in list(outage["id"])]
    assert not unknown, f"`outage` has no request with the ID {shown(unknown[0])}."
    accepted = {request.event_id: request.id for request in listener.requests() if request.answered == 200}
    requests = [listener[request_id] for request_id in ids]
    for request in requests:
        success = accepted.get(request.event_id)
        assert success is None, (
            f"{request.event_id} ({request.event}) was accepted in the end, as request {success}. Replaying it would handle it"
            " twice: choose the events that have no row answered with 200."
        )
    assert len(requests) == len({request.event_id for request in requests}), (
        f"`lost` has {len(requests)} rows for {requests[0].event_id}, one per attempt, and each would be replayed."
        " Keep one row per event: drop_duplicates('event_id')."
    )
    return (
        f"Correct. Of the two events that failed, only {requests[0].event} is lost; the other one arrived once the receiver"
        " was back."
    )


def _event() -> Event:
    """An event with a new ID, so that nothing is remembered from an earlier run of the check."""
    return {
        "id": f"evt_{uuid4().hex[:12]}",
        "type": "ticket.created",
        "data": {"ticket": {"id": "tkt_1", "title": "No coffee"}},
    }


def _simulated_attempts() -> list[tuple[int, str]]:
    """The attempts of one delivery, each with the time since the first."""
    with Sandbox() as sandbox, sandbox.client() as client, sandbox.listener() as listener:
        listener.answer.status = 503
        webhook = client.webhooks.create(name="Down", url=listener.url, events=["ticket.created"])
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(hours=3)
        listener.answer.status = 200
        sandbox.clock.advance(hours=31)
        deliveries = sandbox.deliveries()
        attempts = deliveries[deliveries["webhook_id"] == webhook.id]
        since_first = attempts["at"] - attempts["at"].iloc[0]
        return [
            (int(number), str(after).removeprefix("0 days "))
            for number, after in zip(attempts["attempt"], since_first, strict=True)
        ]


def _ids(answer: Any) -> list[Any]:
    if hasattr(answer, "columns"):
        assert "id" in answer.columns, "`lost` has no column 'id'. Choose rows of `outage` with all their columns."
        answer = answer["id"]
    elif isinstance(answer, Mapping) or hasattr(answer, "to_dict"):  # one row or one column
        answer = [answer["id"]] if "id" in answer else dict(answer).values()
    assert isinstance(answer, Iterable) and not isinstance(answer, str | bytes), (
        f"`lost` must be rows of `outage` or request IDs, not {shown(answer)}."
    )
    return list(answer)
