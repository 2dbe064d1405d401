"""Checks for lesson 4, `04_audit.ipynb`: exceptions, plans and comparisons.

PYTEST_DONT_REWRITE, because the messages of the asserts are shown to learners.
"""

import tempfile
from pathlib import Path
from typing import Any

from .. import audits
from ..api.client import Client
from ..errors import CStarError
from ..plans import plan
from .checks import check, shown

_IGNORED = "What do they send?"
_KEPT, _DELETED = "Playground", "Playground 2"
_MERGED_EVENTS = {"ticket.created", "ticket.updated", "ticket.closed", "survey.submitted"}
_MOVED = "Billing"
_NEW_YEAR = "2026-01-01"


@check
def ignored(answer: Any, accounts: audits.Accounts) -> str:
    """Settings that ignore one finding, with a reason and an expiry date, and change nothing else."""
    assert answer is not ..., (
        "`settings_text` is still `...`. It must be the text of a settings file, like the one earlier in this lesson."
    )
    assert isinstance(answer, str), f"`settings_text` must be a string, not {shown(answer)}."
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "audit.toml")
        path.write_text(answer, encoding="utf-8")
        try:
            result = audits.audit(accounts, settings=path)
        except CStarError as error:
            raise AssertionError(f"These settings are invalid. {error}") from None
    exceptions = result.ignored
    matches = exceptions[(exceptions["name"] == _IGNORED) & (exceptions["rule"] == "tunnel_host")]
    notes = " ".join(result.notes)
    assert len(matches), f"The finding about '{_IGNORED}' is still reported. Its rule is tunnel_host. {notes}".rstrip()
    others = exceptions[exceptions["name"] != _IGNORED]
    assert others.empty, (
        f"The exception also ignores {others['rule'].iloc[0]} for"
        f" '{others['name'].fillna(others['account']).iloc[0]}'. Limit it to one webhook: webhook = \"whk_…\" or its host."
    )
    assert len(result.findings) + len(exceptions) == len(audits.audit(accounts).findings), (
        "These settings change other findings, too. Leave the thresholds as they are."
    )
    assert matches["until"].notna().all(), "The exception never expires. Add until = and a date without quotes."
    until = str(matches["until"].iloc[0])
    assert until == _NEW_YEAR, (
        f"From {until} on, the finding is reported again, but the agreement covers exactly the year 2025. `until` is the first"
        f" day on which it is reported again: {_NEW_YEAR}."
    )
    return f"Correct. '{_IGNORED}' is ignored until {until}, and reported again from that day on."


@check
def merged(desired: Any, client: Client) -> str:
    """A plan that merges two webhooks into one. The check does not apply it."""
    assert desired is not ..., (
        "`desired` is still `...`. It must be a DataFrame with one row for each of the two webhooks: its ID and what to change."
    )
    try:
        changes = plan(client, desired).changes
    except CStarError as error:
        raise AssertionError(f"cx.plan does not accept `desired`. {error}") from None
    others = [change.name for change in changes if change.name not in (_KEPT, _DELETED)]
    assert not others, (
        f"It also changes '{others[0]}'. Remove that row: a plan does not touch webhooks that have no row."
    )
    by_name = {change.name: change for change in changes}
    assert _KEPT in by_name, (
        f"'{_KEPT}' does not change, so survey.submitted would have no receiver. Put all its events into its row."
    )
    kept = by_name[_KEPT].after
    assert kept is not None, f"It deletes '{_KEPT}', which must stay. Delete '{_DELETED}'."
    types = set(kept.events or ())
    assert not any("*" in name for name in types), (
        "A wildcard matches every event of a resource. Name the four event types."
    )
    assert types >= _MERGED_EVENTS, (
        f"'{_KEPT}' would not be subscribed to {', '.join(sorted(_MERGED_EVENTS - types))}: the new events replace the old ones,"
        " so list them all."
    )
    assert types == _MERGED_EVENTS, (
        f"'{_KEPT}' would also be subscribed to {', '.join(sorted(types - _MERGED_EVENTS))}."
    )
    fields = [field for field, _, _ in by_name[_KEPT].differences if field != "events"]
    assert not fields, f"The {fields[0]} of '{_KEPT}' would change, too. Leave out the columns that stay the same."
    assert _DELETED in by_name, (
        f"'{_DELETED}' stays, so its URL would receive each survey twice. Set delete=True in its row."
    )
    assert by_name[_DELETED].after is None, (
        f"'{_DELETED}' would be changed instead of deleted. Set delete=True in its row."
    )
    return (
        "Correct. Two steps, and nothing else changes. plan.apply() would run them, and plan.invert() would undo them."
    )


@check
def moved(answer: Any, before: audits.Audit, accounts: audits.Accounts) -> str:
    """The webhook that delivers to another host than in the audit before."""
    assert answer is not ..., (
        "`moved` is still `...`. cx.compare(findings, cx.audit(accounts)) has one row per change: put the name of one webhook"
        " into `moved`."
    )
    assert isinstance(answer, str), f"`moved` must be the name of a webhook, as a string, not {shown(answer)}."
    differences = audits.compare(before, audits.audit(accounts))
    changed = differences[differences["what"] == "changed"]
    assert len(changed), (
        "Nothing has changed since `findings`. Run the cell with check.colleague(…); `findings` must be from before it."
    )
    matches = changed[changed["name"] == answer]
    assert len(matches), (
        f"{shown(answer)} has not changed. The webhooks that changed are {', '.join(sorted(set(changed['name'])))}."
    )
    field, old, new = matches[["field", "before", "after"]].iloc[0]
    assert field == "url", f"The {field} of '{answer}' changed ({old} → {new}), but not the URL it delivers to."
    assert answer == _MOVED, (
        f"'{answer}' delivers to another path on the same host ({old} → {new}). Find the webhook whose host changed."
    )
    return f"Correct. '{answer}' delivered to {old} and now delivers to {new}. Ask who decided that."


def colleague(client: Client) -> None:
    """Changes three webhooks, as a colleague might, for the exercise that `moved` checks."""
    webhooks = {webhook.name: webhook for webhook in client.webhooks.list()}
    client.webhooks.update(webhooks[_MOVED].id, url="https://billing.example.org:9443/cstar")
    client.webhooks.update(webhooks["Desk"].id, url="https://desk.example.com/cstar/v2")
    client.webhooks.update(webhooks["Escalations"].id, events=["ticket.created"])
