"""Carries out one change: reads the webhook, leaves it alone if it is no longer what was planned on, writes, reads back.

What is there decides, and no record of what was done before: so a plan whose process died is carried on, or taken back, by
whoever holds it.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, NamedTuple

from ..api.client import Client
from ..errors import ConflictError, CStarError, NotFoundError
from ..models import Webhook
from ..text import printable
from .change import Change, State, Step, differences, worded

_ALREADY = "It was so already."
_SEEN = "Reading it back shows it."


class Ground(NamedTuple):
    """What a change finds when its turn comes.

    Attributes:
        known: The ids that are not of its making: those that were there when the plan was made, and those that other changes
            have made.
        alike: How many changes, from this one on, make a webhook like this one's.
    """

    known: Collection[str]
    alike: int


def carry_out(client: Client, change: Change, ground: Ground) -> Step:
    """Does what is left to do of one change."""
    ways = {"create": _create, "update": _update, "delete": _delete}
    try:
        return ways[change.what](client, change, ground)
    except CStarError as error:
        return Step(change, "failed", str(error), error=error)


def _update(client: Client, change: Change, _: Ground) -> Step:
    identity, before, after = str(change.id), change.before or State(), change.after or State()
    now = client.webhooks.get(identity)
    if not differences(State.of(now), after):
        return Step(change, "unchanged", _ALREADY, now)
    _refuse_if_moved(before, now)
    wanted: dict[str, Any] = {known.field: known.after for known in change.differences}
    lost = _tried(lambda: client.webhooks.update(identity, **wanted))
    return _read_back(client, change, now, lost)


def _delete(client: Client, change: Change, ground: Ground) -> Step:
    before = change.before or State()
    now = _found(client, change.id) if change.id else None
    if now is None and (change.id is None or change.remade):
        now = _twin(client, before, ground)
    if now is None:
        return Step(change, "unchanged", "It is not there.")
    # One that this plan made may have been left between being created and being paused.
    _refuse_if_moved(before if now.id in ground.known else replace(before, is_active=None), now)
    lost = _tried(lambda: client.webhooks.delete(now.id))
    return _read_back(client, change, now, lost)


def _create(client: Client, change: Change, ground: Ground) -> Step:
    after = change.after or State()
    lost = None
    there = _there_already(client, change, ground)
    if there is None:
        made, lost = _made(client, after)
        try:
            there = made or _twin(client, after, ground)
        except CStarError as error:
            return Step(
                change, "unknown", f"It may have been created, and the list could not be read: {error}", error=error
            )
        if there is None:
            raise lost or ConflictError("cStar said that it was created, and it is not on the list.")
    elif not differences(State.of(there), after):
        return Step(change, "unchanged", _ALREADY, there)
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


def _there_already(client: Client, change: Change, ground: Ground) -> Webhook | None:
    """The webhook that a create would make: under the id it once had, or made by an earlier run."""
    after = change.after or State()
    now = _found(client, change.id) if change.id else None
    if now is not None:
        _refuse_if_moved(after if now.id in ground.known else replace(after, is_active=None), now)
        return now
    return _twin(client, after, ground)


def _found(client: Client, identity: str) -> Webhook | None:
    try:
        return client.webhooks.get(identity)
    except NotFoundError:
        return None


def _twin(client: Client, state: State, ground: Ground) -> Webhook | None:
    """The webhook of this name, URL and events that is of this change's making."""
    wanted = replace(state, is_active=None)
    new = [webhook for webhook in client.webhooks.list() if webhook.id not in ground.known]
    found = [webhook for webhook in new if not differences(State.of(webhook), wanted)]
    if len(found) > ground.alike:
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
            return Step(change, "done", _SEEN)
        return Step(change, "failed", f"It is gone: {error}", now, error)
    except CStarError as error:
        return Step(change, "unknown", f"It may have been done, and could not be read back: {error}", now, error)
    if change.after is not None and not differences(State.of(back), change.after):
        secret = (
            " Its signing secret was in the answer that was lost."
            if change.what == "create" and now.secret is None
            else ""
        )
        return Step(change, "done", f"The answer was lost; reading back shows it.{secret}" if lost else _SEEN, back)
    said = lost.message.rstrip(".") if lost else "cStar said yes"
    detail = f"{said}, and reading it back shows no change."
    return Step(change, "failed", detail, back, lost)
