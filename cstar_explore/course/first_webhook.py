"""Lesson 1, `01_first_webhook.ipynb`: who is told what."""

from collections.abc import Iterable
from typing import Any

from ..api.client import Client
from ..events import NAMES, matching_types
from ..models import Webhook
from .answer import check, texts_in

_FINANCE = "Finance"
_FINANCE_URL = "https://finance.example.com/cstar"
_FINANCE_EVENTS = {"ticket.closed", "survey.submitted"}

_SLACK = "Slack notifications"
_SLACK_URL = "https://hooks.slack.example/services/T0001"
_SLACK_EVENTS = {"ticket.created", "ticket.closed", "ticket.message_added"}


@check
def finance(client: Client) -> str:
    """A webhook named 'Finance', at its URL, for exactly two events."""
    found = [webhook for webhook in client.webhooks.list() if webhook.name == _FINANCE]
    assert found, (
        f"No webhook is named '{_FINANCE}', letter for letter. Fill the form in and press Create webhook, or write"
        " client.webhooks.create(name=…, url=…, events=[…])."
    )
    surplus = next((one for one in found if one.url != _FINANCE_URL or _told(one) != _FINANCE_EVENTS), found[-1])
    assert len(found) == 1, (
        f"{len(found)} webhooks are named '{_FINANCE}', and each would be sent its own deliveries."
        f" One is too much: client.webhooks.delete('{surplus.id}')."
    )
    webhook = found[0]
    assert webhook.url == _FINANCE_URL, (
        f"It delivers to {webhook.url}, not to {_FINANCE_URL}. {_change(webhook, 'url')}"
    )
    told = _told(webhook)
    assert told >= _FINANCE_EVENTS, f"It is not told of {_listed(_FINANCE_EVENTS - told)}. {_change(webhook, 'events')}"
    assert told == _FINANCE_EVENTS, (
        f"It is also told of {_listed(told - _FINANCE_EVENTS)}. Name the two events themselves: a wildcard takes all of a kind."
        f" {_change(webhook, 'events')}"
    )
    assert webhook.is_active is not False, f"It is paused, and receives nothing. {_change(webhook, 'is_active')}"
    return f"Right. '{_FINANCE}' is told of two events and of nothing else."


@check
def unheard(answer: Any, client: Client) -> str:
    """The event types that reach no active webhook."""
    assert answer is not ..., (
        "`unheard` is still `...`. client.webhooks.list().coverage() has a row for each event type, with its number of"
        " receivers: put those in it that have none."
    )
    given = set(
        texts_in(answer, "unheard", "the event types alone, as a list or as one column of a frame: frame['event']")
    )
    webhooks = client.webhooks.list()
    heard = {name for webhook in webhooks if webhook.is_active for name in _told(webhook)}
    nobody = set(NAMES) - heard
    assert given <= set(NAMES), f"{_listed(given - set(NAMES))} is no event type: see cx.events.catalogue()."
    for name in sorted(given - nobody):
        owner = next(webhook for webhook in webhooks if webhook.is_active and name in _told(webhook))
        raise AssertionError(
            f"{name} does reach somebody: '{owner.name}' subscribes to {_listed(owner.events)}."
            + (" A wildcard stands for every event of its kind." if name not in (owner.events or ()) else "")
        )
    for name in sorted(nobody - given):
        paused = [webhook.name for webhook in webhooks if not webhook.is_active and name in _told(webhook)]
        why = f"'{paused[0]}' subscribes to it, but is paused, and a paused webhook receives nothing." if paused else ""
        raise AssertionError(f"{name} reaches nobody either, and is missing. {why}".rstrip())
    return f"Right. {len(nobody)} of {len(NAMES)} event types reach nobody; whoever is paused does not count."


@check
def slack(client: Client) -> str:
    """One event more for a webhook that keeps those it has."""
    found = [webhook for webhook in client.webhooks.list() if webhook.name == _SLACK]
    assert found, f"There is no '{_SLACK}' any more. Give it its name back, or run the notebook again from the top."
    told = _told(found[0])
    assert "ticket.message_added" in told, (
        f"'{_SLACK}' is not told of ticket.message_added yet. {_change(found[0], 'events')}"
    )
    assert told >= _SLACK_EVENTS, (
        f"'{_SLACK}' lost {_listed(_SLACK_EVENTS - told)}: an update replaces the events as a whole, so give the old ones again"
        f" with the new one. {_change(found[0], 'events')}"
    )
    assert told == _SLACK_EVENTS, (
        f"'{_SLACK}' is now also told of {_listed(told - _SLACK_EVENTS)}. Only one event was to be added."
    )
    assert found[0].url == _SLACK_URL, f"'{_SLACK}' delivers to another URL now. {_change(found[0], 'url')}"
    assert found[0].is_active is not False, f"'{_SLACK}' is paused now. {_change(found[0], 'is_active')}"
    return "Right. The new event is there, and the old ones still are."


def _told(webhook: Webhook) -> set[str]:
    """The event types that a webhook subscribes to, wildcards spelled out."""
    return {name for pattern in webhook.events or () for name in (matching_types(pattern) or (pattern,))}


def _listed(names: Iterable[str] | None) -> str:
    return ", ".join(sorted(names or ())) or "nothing"


def _change(webhook: Webhook, field: str) -> str:
    return f"Change it: client.webhooks.update('{webhook.id}', {field}=…)."
