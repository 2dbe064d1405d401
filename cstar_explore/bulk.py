"""Several webhooks at once: one step after the other, each verified by reading back, with an exact account at the end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .client import Client
from .errors import BrokenAnswerError, CStarError, NotFoundError, ReadOnlyError, ValidationError
from .models import Webhook
from .text import printable

Action = Literal["pause", "resume", "delete"]
Outcome = Literal["done", "unchanged", "failed", "not tried"]

PAST: dict[Action, str] = {"pause": "paused", "resume": "resumed", "delete": "deleted"}


@dataclass(frozen=True)
class Step:
    """What became of one webhook.

    Attributes:
        webhook: As it was before.
        outcome: `done` was seen by reading back; `unchanged` was so already; `failed` and `not tried` say why in `detail`.
        detail: The reason, in a sentence.
    """

    webhook: Webhook
    outcome: Outcome
    detail: str = ""


def work_through(
    client: Client, webhooks: Sequence[Webhook], action: Action, stopped: Callable[[], bool]
) -> Iterator[Step]:
    """Yields a step for each webhook, in order, also for those that were not tried.

    It stops when `stopped()` says so between two steps, and at an error that would meet the next one too (the key, the
    network, the rate limit). A webhook that is gone, or whose change is refused, does not stop it.

    Raises:
        ValidationError: There is no such action.
    """
    if action not in PAST:
        raise ValidationError(
            f"'{printable(action, 80)}' cannot be done to webhooks.",
            param="action",
            advice="Choose pause, resume or delete.",
        )
    return _steps(client, webhooks, action, stopped)


def _steps(client: Client, webhooks: Sequence[Webhook], action: Action, stopped: Callable[[], bool]) -> Iterator[Step]:
    why_not = ""
    for webhook in webhooks:
        if not why_not and stopped():
            why_not = "Stopped before it."
        if why_not:
            yield Step(webhook, "not tried", why_not)
            continue
        try:
            yield _step(client, webhook, action)
        except (NotFoundError, ValidationError, ReadOnlyError) as error:
            yield Step(webhook, "failed", str(error))
        except CStarError as error:
            yield Step(webhook, "failed", str(error))
            why_not = "Not reached: a step before it failed."


def account(steps: Sequence[Step], action: Action) -> str:
    """All of it in one sentence: `2 paused, 1 failed, 3 not tried.`"""
    counts = {
        outcome: sum(step.outcome == outcome for step in steps)
        for outcome in ("done", "unchanged", "failed", "not tried")
    }
    words = {"done": PAST[action], "unchanged": f"{PAST[action]} already", "failed": "failed", "not tried": "not tried"}
    return ", ".join(f"{count:,} {words[outcome]}" for outcome, count in counts.items() if count) + "."


def _step(client: Client, webhook: Webhook, action: Action) -> Step:
    if action == "delete":
        return _deleted(client, webhook)
    wanted = action == "resume"
    if client.webhooks.get(webhook.id).is_active is wanted:
        return Step(webhook, "unchanged")
    client.webhooks.update(webhook.id, is_active=wanted)
    if client.webhooks.get(webhook.id).is_active is not wanted:
        return Step(webhook, "failed", "cStar said yes, and reading it back shows no change.")
    return Step(webhook, "done")


def _deleted(client: Client, webhook: Webhook) -> Step:
    try:
        client.webhooks.delete(webhook.id)
    except NotFoundError:
        return Step(webhook, "unchanged", "It was gone already.")
    try:
        client.webhooks.get(webhook.id)
    except NotFoundError:
        return Step(webhook, "done")
    raise BrokenAnswerError("cStar said that it was deleted, and it is still there.")
