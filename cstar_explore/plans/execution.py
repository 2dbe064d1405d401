"""Applies one change: reads the webhook, skips it if it no longer matches the plan, writes, and reads back.

The server's state decides what is left to do, so after a crash any process that has the plan can resume or undo it. Only the
ID of a webhook that was created is recorded, because the server may store it under another URL, name or events than planned.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, NamedTuple

from ..api.client import Client
from ..errors import ConflictError, CStarError, NotFoundError
from ..models import Webhook, WebhookList
from ..text import printable
from .change import Change, State, Step, differences, fields_to_write, format_difference, respelled

NO_CHANGE = "No change was needed."
CONFIRMED = "Confirmed by reading back."


class Listing:
    """The team's list of webhooks, read when it is first needed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._webhooks: WebhookList | None = None

    def webhooks(self) -> WebhookList:
        """The list as first read."""
        return self.read_again() if self._webhooks is None else self._webhooks

    def read_again(self) -> WebhookList:
        """The list as it is now."""
        self._webhooks = self._client.webhooks.list()
        return self._webhooks


class Context(NamedTuple):
    """Context for applying one change.

    Attributes:
        other_ids: IDs of webhooks that this change did not create: they existed when the plan was made, or other changes
            created them.
        max_matches: How many changes, from this one on, have the same `content_key`.
        listing: The list, shared by all changes.
        created_id: The ID of the webhook that an earlier run of this change created, or None.
        created: Called with the webhook as soon as cStar returns it, with its secret.
    """

    other_ids: Collection[str]
    max_matches: int
    listing: Listing
    created_id: str | None = None
    created: Callable[[Webhook], object] = lambda _: None


def apply_change(client: Client, change: Change, context: Context) -> Step:
    """Does what is left to do of one change."""
    functions = {"create": _create, "update": _update, "delete": _delete}
    try:
        return functions[change.what](client, change, context)
    except CStarError as error:
        return Step(change, "failed", str(error), error=error)


def find_duplicates(webhooks: WebhookList, state: State, other_ids: Collection[str]) -> list[Webhook]:
    """The webhooks with this name, URL and events that neither existed before nor were created by this plan."""
    content = replace(state, is_active=None)
    if content == State():
        return []
    return [webhook for webhook in webhooks if webhook.id not in other_ids and _is_as(webhook, content)]


def _update(client: Client, change: Change, _: Context) -> Step:
    webhook_id, before, after = str(change.id), change.before or State(), change.after or State()
    current = client.webhooks.get(webhook_id)
    if _is_as(current, after) and (
        not fields_to_write(State.of(current), after) or fields_to_write(before, State.of(current))
    ):
        return Step(change, "unchanged", _sentences(NO_CHANGE, respelled(after, State.of(current))), current)
    _check_unmodified(before, current)
    values: dict[str, Any] = {difference.field: difference.after for difference in change.differences}
    error = _write(lambda: client.webhooks.update(webhook_id, **values))
    return _read_back(client, change, current, error)


def _delete(client: Client, change: Change, context: Context) -> Step:
    before = change.before or State()
    current = _get(client, change.id) if change.id else None
    if current is None and (change.id is None or change.recreated):
        current = _find_created(context.listing.read_again(), before, context)
    if current is None:
        return Step(change, "unchanged", "It does not exist.")
    # A webhook that this plan created may still be active: the process died before pausing it.
    _check_unmodified(before if current.id in context.other_ids else replace(before, is_active=None), current)
    error = _write(lambda: client.webhooks.delete(current.id))
    return _read_back(client, change, current, error)


def _create(client: Client, change: Change, context: Context) -> Step:
    after = change.after or State()
    lost = None
    webhook = _find_existing(client, change, context)
    if webhook is None:
        created, lost = _post(client, after)
        if created is not None:
            context.created(created)
        try:
            webhook = created or _find_created(context.listing.read_again(), after, context)
        except CStarError as error:
            return Step(
                change, "unknown", f"It may have been created, but the list could not be read: {error}", error=error
            )
        if webhook is None:
            raise lost or ConflictError("cStar reported it as created, but it is not in the list.")
    elif _is_as(webhook, after):
        return Step(change, "unchanged", _sentences(NO_CHANGE, respelled(after, State.of(webhook))), webhook)
    try:
        if after.is_active is not None and webhook.is_active is not after.is_active:
            lost = _write(lambda: client.webhooks.update(webhook.id, is_active=after.is_active)) or lost
    except CStarError as error:
        # Return the webhook: its secret must not be lost with the error.
        return Step(change, "failed", f"It was created, but could not be paused: {error}", webhook, error)
    return _read_back(client, change, webhook, lost)


def _post(client: Client, state: State) -> tuple[Webhook | None, CStarError | None]:
    """Creates the webhook. Returns the error instead if the webhook may have been created all the same."""
    try:
        return client.webhooks.create(name=state.name or "", url=state.url or "", events=state.events or ()), None
    except CStarError as error:
        if not error.may_have_acted and not isinstance(error, ConflictError):
            raise
        return None, error


def _find_existing(client: Client, change: Change, context: Context) -> Webhook | None:
    """The webhook that this change would create: it still has its old ID, or an earlier run created it."""
    after = change.after or State()
    webhook_id = context.created_id or change.id
    current = _get(client, webhook_id) if webhook_id else None
    if current is not None:
        _check_unmodified(after if current.id in context.other_ids else replace(after, is_active=None), current)
        return current
    if context.created_id is not None:
        raise ConflictError(
            f"It was created as {printable(context.created_id, 80)}, which no longer exists. It is not created again.",
            advice="Plan again if you need it.",
        )
    return _find_created(context.listing.webhooks(), after, context)


def _get(client: Client, webhook_id: str) -> Webhook | None:
    try:
        return client.webhooks.get(webhook_id)
    except NotFoundError:
        return None


def _find_created(webhooks: WebhookList, state: State, context: Context) -> Webhook | None:
    """The webhook with this name, URL and events that this change created, if there is one."""
    matches = find_duplicates(webhooks, state, context.other_ids)
    if len(matches) > context.max_matches:
        ids = ", ".join(printable(webhook.id, 80) for webhook in matches)
        raise ConflictError(
            f"{len(matches)} new webhooks have the same name, URL and events: {ids}.",
            advice="Delete the ones you do not need, and apply again.",
        )
    return matches[0] if matches else None


def _is_as(webhook: Webhook, state: State) -> bool:
    return not differences(State.of(webhook), state)


def _check_unmodified(planned: State, current: Webhook) -> None:
    modified = differences(planned, State.of(current))
    if modified:
        raise ConflictError(
            f"It was changed since the plan was made, so it was not written: "
            f"{'; '.join(format_difference(*difference) for difference in modified)}.",
            advice="Plan again from its current state.",
        )


def _write(call: Callable[[], object]) -> CStarError | None:
    """Writes. Returns the error if the write may have taken effect all the same; raises any other."""
    try:
        call()
    except CStarError as error:
        if not error.may_have_acted:
            raise
        return error
    return None


def _read_back(client: Client, change: Change, webhook: Webhook, lost: CStarError | None) -> Step:
    """Checks that the change took effect.

    Args:
        webhook: The webhook before the last write, with its secret if it was just created.
        lost: The error of a write whose response was lost.
    """
    try:
        current = replace(client.webhooks.get(webhook.id), secret=webhook.secret)
    except NotFoundError as error:
        if change.after is None:
            return Step(change, "done", CONFIRMED)
        return Step(change, "failed", f"It no longer exists: {error}", webhook, error)
    except CStarError as error:
        return Step(change, "unknown", f"It may have been done, but could not be read back: {error}", webhook, error)
    if change.after is not None and _is_as(current, change.after):
        no_secret = lost and change.what == "create" and webhook.secret is None
        detail = _sentences(
            "The response was lost." if lost else "",
            CONFIRMED,
            "The lost response contained its signing secret." if no_secret else "",
            respelled(change.after, State.of(current)),
        )
        return Step(change, "done", detail, current)
    if change.what == "create" and change.after is not None:
        stored = "; ".join(format_difference(*pair) for pair in differences(change.after, State.of(current)))
        detail = f"It was created as {printable(current.id, 80)}, but cStar stored it otherwise: {stored}."
        return Step(change, "failed", detail, current, lost)
    message = lost.message.rstrip(".") if lost else "cStar reported success"
    return Step(change, "failed", f"{message}, but reading back shows no change.", current, lost)


def _sentences(*sentences: str) -> str:
    return " ".join(filter(None, sentences))
