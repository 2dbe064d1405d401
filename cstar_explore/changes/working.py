"""Carries out one change: reads the webhook, leaves it alone if it is no longer what was planned on, writes, reads back.

What is there decides, and no record of what was done before: so a plan whose process died is carried on, or taken back, by
whoever holds it.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from ..client import Client
from ..errors import ConflictError, CStarError, NotFoundError
from ..models import Webhook
from ..text import printable
from .change import Change, State, Step, differences, worded


def carry_out(client: Client, change: Change, known: Collection[str]) -> Step:
    """Does what is left to do of one change.

    Args:
        client: What it calls.
        change: What is wanted.
        known: The ids that were there when the change was planned: a webhook that it made is none of them.
    """
    ways = {"create": _create, "update": _update, "delete": _delete}
    try:
        return ways[change.what](client, change, known)
    except CStarError as error:
        return Step(change, "failed", str(error), error=error)


def _update(client: Client, change: Change, _: Collection[str]) -> Step:
    identity, before, after = str(change.id), change.before or State(), change.after or State()
    now = client.webhooks.get(identity)
    if not differences(State.of(now), after):
        return Step(change, "unchanged", webhook=now)
    _refuse_if_moved(before, now)
    wanted: dict[str, Any] = {known.field: known.after for known in change.differences}
    lost = _tried(lambda: client.webhooks.update(identity, **wanted))
    return _read_back(client, change, now, lost)


def _delete(client: Client, change: Change, known: Collection[str]) -> Step:
    before = change.before or State()
    try:
        now = client.webhooks.get(change.id) if change.id else _twin(client, before, known)
    except NotFoundError:
        now = None
    if now is None:
        return Step(change, "unchanged", "It is not there.")
    _refuse_if_moved(before, now)
    lost = _tried(lambda: client.webhooks.delete(now.id))
    return _read_back(client, change, now, lost)


def _create(client: Client, change: Change, known: Collection[str]) -> Step:
    after = change.after or State()
    there, lost = _there_already(client, change, known), None
    made = None
    if there is None:
        made, lost = _made(client, after)
        there = made or _twin(client, after, known)
        if there is None:
            raise lost or ConflictError("cStar said that it was created, and it is not on the list.")
    elif not differences(State.of(there), after):
        return Step(change, "unchanged", webhook=there)
    try:
        if after.is_active is not None and there.is_active is not after.is_active:
            lost = _tried(lambda: client.webhooks.update(there.id, is_active=after.is_active)) or lost
    except CStarError as error:
        # It is there, and its secret must not be lost with the error.
        return Step(change, "failed", f"It was created, and could not be paused: {error}", there, error)
    return _read_back(client, change, there, lost)


def _made(client: Client, state: State) -> tuple[Webhook | None, CStarError | None]:
    """The new webhook; or, where the answer was lost, the error."""
    try:
        return client.webhooks.create(name=state.name or "", url=state.url or "", events=state.events or ()), None
    except CStarError as error:
        if not error.may_have_acted and not isinstance(error, ConflictError):
            raise
        return None, error


def _there_already(client: Client, change: Change, known: Collection[str]) -> Webhook | None:
    """The webhook that a create would make: under the id it once had, or made by an earlier run."""
    after = change.after or State()
    if change.id:
        try:
            now = client.webhooks.get(change.id)
        except NotFoundError:
            pass
        else:
            _refuse_if_moved(after, now)
            return now
    return _twin(client, after, known)


def _twin(client: Client, state: State, known: Collection[str]) -> Webhook | None:
    """The one webhook of this name, URL and events that was not there when the change was planned."""
    wanted = replace(state, is_active=None)
    new = [webhook for webhook in client.webhooks.list() if webhook.id not in known]
    found = [webhook for webhook in new if not differences(State.of(webhook), wanted)]
    if len(found) > 1:
        ids = ", ".join(printable(webhook.id, 80) for webhook in found)
        raise ConflictError(
            f"{len(found)} new webhooks are just like it: {ids}.", advice="Delete those that are too many, by hand."
        )
    return found[0] if found else None


def _refuse_if_moved(planned: State, now: Webhook) -> None:
    moved = differences(planned, State.of(now))
    if moved:
        raise ConflictError(
            f"It changed meanwhile, and was left alone: {'; '.join(worded(*difference) for difference in moved)}.",
            advice="Plan again, from what it is now.",
        )


def _tried(write: Callable[[], object]) -> CStarError | None:
    """Writes; the error of a write that may have had its effect all the same is returned, any other raised."""
    try:
        write()
    except CStarError as error:
        if not error.may_have_acted:
            raise
        return error
    return None


def _read_back(client: Client, change: Change, now: Webhook, lost: CStarError | None) -> Step:
    """Whether it is as wanted. `now` is the webhook before the last write, with its secret if it was just made."""
    try:
        back = replace(client.webhooks.get(now.id), secret=now.secret)
    except NotFoundError as error:
        if change.after is None:
            return Step(change, "done")
        return Step(change, "failed", f"It is gone: {error}", now, error)
    except CStarError as error:
        return Step(change, "unknown", f"It may have been done, and could not be read back: {error}", now, error)
    if change.after is not None and not differences(State.of(back), change.after):
        secret = (
            " Its signing secret was in the answer that was lost."
            if change.what == "create" and now.secret is None
            else ""
        )
        return Step(change, "done", f"The answer was lost; reading back shows it.{secret}" if lost else "", back)
    detail = str(lost) if lost else "cStar said yes, and reading it back shows no change."
    return Step(change, "failed", detail, back, lost)
