"""Lesson 3, `03_failures_and_retries.ipynb`: once and only once, late or not at all."""

import itertools
from collections.abc import Callable, Iterable, Mapping, MutableSet
from numbers import Integral
from typing import Any
from uuid import uuid4

from ..listener import Listener
from ..sandbox import Sandbox
from .answer import called, check, shown

Event = dict[str, Any]
Handler = Callable[[Event, MutableSet[str], Callable[[str], None]], object]

_DOWN = {"hours": 3}
_ENOUGH = 100  # tries of a handler that does not give up


@check
def idempotent(handle: Handler) -> str:
    """A handler that mails once for each event, however often it is delivered and whatever fails."""
    mails: list[str] = []
    seen: set[str] = set()
    first, second, third = _event(), _event(), _event()

    called(handle, first, seen, mails.append, when="for an event that is new")
    assert mails, "The first event came, and nothing was mailed. Call mail(title) with the title of the event's ticket."
    assert mails == [first["data"]["ticket"]["title"]], (
        f"For one event it mailed {shown(mails)}; it is to be the ticket's title, once."
    )
    called(handle, first, seen, mails.append, when="for an event that came again")
    assert len(mails) == 1, (
        "The same event came again and was mailed again. Keep event['id'] in `seen`, and look there first."
    )
    called(handle, second, seen, mails.append, when="for another event")
    assert len(mails) == 2, (
        "Another event about the same ticket was taken for a repeat. The ticket and its title come back in other events;"
        " only event['id'] tells repeats."
    )
    tries = itertools.count(1)

    def down(_: str) -> None:
        if next(tries) <= _ENOUGH:  # whoever tries for ever comes to an end all the same
            raise ConnectionError("The mail server is down.")

    try:
        handle(third, seen, down)
    except ConnectionError:
        pass
    else:
        assert next(tries) <= _ENOUGH, (
            f"The mail server was down, and the handler tried {_ENOUGH} times in one delivery. Do not wait inside: cStar waits"
            " 10 s for an answer (cheat sheet). Let the error through, and it comes again."
        )
        raise AssertionError(
            "The mail server was down, and the handler did as if nothing had happened. cStar is then answered 200, and does not"
            " come again: let the error through."
        )
    called(handle, third, seen, mails.append, when="for an event that failed before")
    assert len(mails) == 3, (
        "The mail server was down, cStar came again, and the event was passed over: `seen` already had it. Remember an event"
        " after its work is done, not before."
    )
    return (
        "Right. One gap is left: a process that dies between the mail and the note of it mails twice, or not at all if it notes"
        " first. Where that matters, the work and the id are written in one transaction."
    )


@check
def arrival(attempt: Any) -> str:
    """The attempt that gets through to a receiver that is down for three hours; the check lives through it."""
    assert attempt is not ..., (
        "`attempt` is still `...`. Add the six waits up, from the first attempt on, until three hours are over."
    )
    assert isinstance(attempt, Integral) and not isinstance(attempt, bool), (
        f"`attempt` is {shown(attempt)}; it is to be a whole number."
    )
    attempt = int(attempt)
    made = _lived_through()
    assert 1 <= attempt <= 7, f"There is no attempt {attempt}: the first and six retries are at most seven."
    arrived, after = made[-1]
    if attempt < arrived:
        early = dict(made)[attempt]
        raise AssertionError(
            f"Attempt {attempt} is made {early} after the first, and the receiver is still down."
            " The first attempt is 1, so the first retry is 2."
        )
    assert attempt == arrived, (
        f"It needs no {attempt}: attempt {arrived} is made {after} after the first, and gets through."
    )
    return f"Right. It arrives {after} after the first attempt, more than four hours after the receiver was back."


@check
def lost(answer: Any, outage: Any, listener: Listener) -> str:
    """The requests to replay after an outage: one for each event that was never accepted."""
    assert answer is not ..., (
        "`lost` is still `...`. An event is lost if none of its rows was answered 200; `outage` has a row for each attempt."
    )
    numbers = _ids(answer)
    odd = [number for number in numbers if not isinstance(number, Integral)]
    assert not odd, f"`lost` has {shown(odd[0])} in it; it is to be rows of `outage`, or ids of requests."
    numbers = [int(number) for number in numbers]
    assert numbers, "It is empty, and one event is lost: none of its attempts was answered 200."
    unknown = [number for number in numbers if number not in list(outage["id"])]
    assert not unknown, f"{shown(unknown[0])} is no request of `outage`."
    accepted = {request.event_id: request.id for request in listener.requests() if request.answered == 200}
    chosen = [listener[number] for number in numbers]
    for request in chosen:
        late = accepted.get(request.event_id)
        assert late is None, (
            f"{request.event_id} ({request.event}) was accepted after all, by request {late}. To replay it is to handle it twice:"
            " take the events without any row that was answered 200."
        )
    assert len(chosen) == len({request.event_id for request in chosen}), (
        f"{chosen[0].event_id} is in it {len(chosen)} times, once for each attempt, and would be handled as often."
        " One row is enough: drop_duplicates('event_id')."
    )
    return f"Right. Of two events that failed, only {chosen[0].event} is lost; the other one got through when you were back."


def _event() -> Event:
    """Another one each time, so that nothing is known from an earlier check."""
    return {
        "id": f"evt_{uuid4().hex[:12]}",
        "type": "ticket.created",
        "data": {"ticket": {"id": "tkt_1", "title": "No coffee"}},
    }


def _lived_through() -> list[tuple[int, str]]:
    """The attempts of one delivery, and how long after the first each was made."""
    with Sandbox() as sandbox, sandbox.client() as client, sandbox.listener() as listener:
        listener.answer.status = 503
        hook = client.webhooks.create(name="Down", url=listener.url, events=["ticket.created"])
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(**_DOWN)
        listener.answer.status = 200
        sandbox.clock.advance(hours=31)
        frame = sandbox.deliveries()
        mine = frame[frame["webhook_id"] == hook.id]
        since = mine["at"] - mine["at"].iloc[0]
        return [
            (int(number), str(after).removeprefix("0 days "))
            for number, after in zip(mine["attempt"], since, strict=True)
        ]


def _ids(answer: Any) -> list[Any]:
    if hasattr(answer, "columns"):
        assert "id" in answer.columns, "`lost` has no column 'id'. Choose rows of `outage`, with all their columns."
        return list(answer["id"])
    if isinstance(answer, Mapping) or hasattr(answer, "to_dict"):  # one row, or a column
        row = dict(answer)
        return [row["id"]] if "id" in row else list(row.values())
    assert isinstance(answer, Iterable) and not isinstance(answer, str | bytes), (
        f"`lost` is {shown(answer)}; it is to be rows of `outage`, or their ids."
    )
    return list(answer)
