"""Checks for lesson 1, `01_first_webhook.ipynb`: webhooks and their subscriptions.

PYTEST_DONT_REWRITE, because the messages of the asserts are shown to learners.
"""

from collections.abc import Iterable
from typing import Any

from ..api.client import Client
from ..events import NAMES, received_types, receivers_by_type
from ..models import Webhook
from .checks import check, shown

_FINANCE = "Finance"
_FINANCE_URL = "https://finance.example.com/cstar"
_FINANCE_EVENTS = {"ticket.closed", "survey.submitted"}

_SLACK = "Slack notifications"
_SLACK_URL = "https://hooks.slack.example/services/T0001"
_SLACK_EVENTS = {"ticket.created", "ticket.closed", "ticket.message_added"}


@check
def finance(client: Client) -> str:
    """A webhook named 'Finance' with the given URL and exactly two event types."""
    webhooks = [webhook for webhook in client.webhooks.list() if webhook.name == _FINANCE]
    assert webhooks, (
        f"No webhook is named exactly '{_FINANCE}'. Fill in the form and press Create webhook, or run"
        " client.webhooks.create(name=…, url=…, events=[…])."
    )
    surplus = next((one for one in webhooks if one.url != _FINANCE_URL), webhooks[-1])
    assert len(webhooks) == 1, (
        f"{len(webhooks)} webhooks are named '{_FINANCE}', and each would receive its own deliveries."
        f" Delete one: client.webhooks.delete('{surplus.id}')."
    )
    _assert_is(webhooks[0], _FINANCE_URL, _FINANCE_EVENTS)
    return f"Correct. '{_FINANCE}' receives these two event types and no others."


@check
def slack(client: Client) -> str:
    """One more event type for a webhook that keeps the ones it has."""
    webhooks = [webhook for webhook in client.webhooks.list() if webhook.name == _SLACK]
    assert webhooks, f"No webhook is named '{_SLACK}' any more. Rename it back, or run the notebook again from the top."
    webhook = webhooks[0]
    types = set(received_types(webhook.events or ()))
    assert "ticket.message_added" in types, (
        f"'{_SLACK}' is not subscribed to ticket.message_added yet. {_update(webhook, 'events')}"
    )
    assert types >= _SLACK_EVENTS, (
        f"'{_SLACK}' lost {_listed(_SLACK_EVENTS - types)}: an update replaces all events, so send the old ones together with"
        f" the new one. {_update(webhook, 'events')}"
    )
    _assert_is(webhook, _SLACK_URL, _SLACK_EVENTS)
    return "Correct. The webhook has the new event type and kept the old ones."


@check
def events_without_receiver(answer: Any, client: Client) -> str:
    """The event types that no active webhook receives."""
    assert answer is not ..., (
        "`events_without_receiver` is still `...`. client.webhooks.list().coverage() has one row per event type with its number"
        " of receivers: take the event types that have none."
    )
    if hasattr(answer, "columns") and len(answer.columns) == 1:
        answer = answer.iloc[:, 0]
    is_list = isinstance(answer, Iterable) and not isinstance(answer, str | bytes) and not hasattr(answer, "columns")
    others = [item for item in answer if not isinstance(item, str)] if is_list else [answer]
    assert not others, (
        "`events_without_receiver` must be the event types only, as a list or as one column of a frame (frame['event']), not"
        f" {shown(others[0])}."
    )
    given = set(answer)
    webhooks = client.webhooks.list()
    receivers = receivers_by_type((webhook, webhook.events or ()) for webhook in webhooks if webhook.is_active)
    paused = receivers_by_type((hook.name, hook.events or ()) for hook in webhooks if not hook.is_active)
    expected = {name for name, active in receivers.items() if not active}
    assert given <= set(NAMES), f"Not an event type: {_listed(given - set(NAMES))}. See cx.events.catalogue()."
    for name in sorted(given - expected):
        receiver = receivers[name][0]
        raise AssertionError(
            f"{name} does have a receiver: '{receiver.name}' subscribes to {_listed(receiver.events)}."
            + (" A wildcard matches every event of its resource." if name not in (receiver.events or ()) else "")
        )
    for name in sorted(expected - given):
        why = [
            f"'{one}' subscribes to it, but it is paused, and a paused webhook receives nothing."
            for one in paused[name]
        ]
        raise AssertionError(" ".join([f"{name} has no receiver either; add it.", *why[:1]]))
    return f"Correct. {len(expected)} of {len(NAMES)} event types have no receiver. Paused webhooks do not count."


def _assert_is(webhook: Webhook, url: str, events: set[str]) -> None:
    """The webhook is active, and has this URL and exactly these event types."""
    types = set(received_types(webhook.events or ()))
    assert webhook.url == url, f"It delivers to {webhook.url} instead of {url}. {_update(webhook, 'url')}"
    assert types >= events, f"It is not subscribed to {_listed(events - types)}. {_update(webhook, 'events')}"
    assert types <= events, (
        f"It is also subscribed to {_listed(types - events)}. Name the event types one by one: a wildcard matches every event of"
        f" a resource. {_update(webhook, 'events')}"
    )
    assert webhook.is_active is not False, f"It is paused and receives nothing. {_update(webhook, 'is_active')}"


def _listed(names: Iterable[str] | None) -> str:
    return ", ".join(sorted(names or ())) or "nothing"


def _update(webhook: Webhook, field: str) -> str:
    return f"Update it: client.webhooks.update('{webhook.id}', {field}=…)."
