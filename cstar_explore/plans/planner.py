"""Plans from a table of desired webhooks, and for one action on several webhooks."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..api.client import Client
from ..errors import ValidationError
from ..hosts import is_loopback_url
from ..models import Webhook
from ..text import printable
from .change import Change, State
from .desired import Desired
from .from_frame import changes_from_frame
from .planned_changes import Plan

if TYPE_CHECKING:
    import pandas as pd

Action = Literal["pause", "resume", "delete"]

_AFTER: dict[str, Callable[[State], State | None]] = {
    "pause": lambda state: replace(state, is_active=False),
    "resume": lambda state: replace(state, is_active=True),
    "delete": lambda _: None,
}


def plan(client: Client, desired: "pd.DataFrame | str | Path | Any") -> Plan:
    """Plans the changes that turn a team's webhooks into the desired ones. Reads one list, and changes nothing.

    Args:
        client: A client of the team.
        desired: A table, or the path of a CSV file or Excel workbook, with any of the columns `id`, `name`, `url`, `events`,
            `is_active` and `delete`. A row with an `id` changes that webhook, a row without one creates a webhook, and a true
            `delete` deletes it. Empty cells leave a field as it is, and webhooks without a row are left alone. Tables of polars,
            pyarrow and DuckDB are accepted too.

    A row of a file that cannot be read, and a name that a spreadsheet may have changed, are `questions` of the plan.

    Raises:
        ValidationError: The table is invalid; the message lists the first five rows with a problem.
        CStarError: The file or the list of webhooks could not be read.
    """
    from ..frames import as_frame

    sheet = None
    if isinstance(desired, str | Path):
        from ..csv_files import read_sheet

        sheet = read_sheet(desired)
    frame = as_frame(desired if sheet is None else sheet.frame)
    listed = client.webhooks.list()
    wanted = changes_from_frame(frame, listed, str(client.team_id), sheet, for_sandbox=is_loopback_url(client.base_url))
    return Plan(client, wanted, {webhook.id for webhook in listed})


def plan_action(client: Client, webhooks: Iterable[Webhook], action: Action) -> Plan:
    """Plans to pause, resume or delete webhooks, starting from their state as last read."""
    if action not in _AFTER:
        raise ValidationError(
            f"Unknown action '{printable(action, 80)}'.", param="action", advice="Choose pause, resume or delete."
        )
    states = [(webhook.id, State.of(webhook)) for webhook in webhooks]
    changes = [Change(webhook_id, state, _AFTER[action](state)) for webhook_id, state in states]
    return Plan(client, Desired.of(changes), {webhook_id for webhook_id, _ in states})
