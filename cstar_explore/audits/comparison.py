"""Differences between two audits, or between the webhooks of two teams."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..api.client import Client
from ..errors import ValidationError
from ..models import WebhookList
from ..plans import format_value
from ..text import printable
from .baseline import Baseline, baseline_of, read_baseline
from .matching import Row, differences
from .redaction import without_digests
from .result import AuditResult
from .teams import Team, compare_teams

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("account", "what", "id", "name", "field", "before", "after")

Difference = tuple[str | None, ...]  # one value per column
AuditSide = AuditResult | Baseline | str | Path


def compare(
    before: AuditSide | Team,
    after: AuditSide | Team,
    by: Literal["id", "name", "auto"] = "auto",
    *,
    labels: Sequence[str] | None = None,
) -> "pd.DataFrame":
    """Compares two audits, or the webhooks of two teams.

    Args:
        before, after: Two audits, each an `Audit`, a baseline, or the path of a baseline file; or two teams, each a client or
            a `WebhookList`. The webhooks of a client are fetched.
        by: How webhooks are matched: "id", by account and id; or "name", by name alone. By default, those of audits by id,
            and those of teams by name.
        labels: The names of two teams, such as ("production", "staging"). By default, their environments or team ids.

    Returns:
        A row per difference; all columns are str. URLs are masked as in a baseline.

        Of two audits: `account`, `what` (added, removed, changed, new finding, resolved finding, not compared), `id`, `name`,
        `field` (for a finding, its rule), `before`, `after`. An account that was not read in either audit has one row, "not
        compared", with the reason in `after`.

        Of two teams: `what` ("only in production", "only in staging", "different"), `name`, `field`, a column per team with
        its value, and a column per team with the webhook's id, such as `production_id`.

    Raises:
        ConfigurationError: A file cannot be read or is not a baseline.
        ValidationError: `by` or `labels` is invalid, or one side is an audit and the other a team.
        CStarError: The webhooks of a client could not be read.
    """
    if by not in ("id", "name", "auto"):
        raise ValidationError(f"by must be 'id' or 'name', not '{printable(by, 80)}'.", param="by")
    teams = [side for side in (before, after) if isinstance(side, Client | WebhookList)]
    if len(teams) == 1:
        raise ValidationError(
            "One side is a team and the other an audit.", advice="Compare two clients or lists, or two audits of them."
        )
    if teams:
        return compare_teams(teams[0], teams[1], "id" if by == "id" else "name", labels)
    if labels is not None:
        raise ValidationError(
            "labels name the sides of two teams, not of two audits.", param="labels", advice="Leave labels out."
        )
    return _compare_audits(before, after, "name" if by == "name" else "id")  # type: ignore[arg-type] # no teams


def uncompared(before: AuditSide, after: AuditSide) -> dict[str, str]:
    """The accounts that are not on both sides, or were not read on one of them, each with the reason."""
    old, new = _baseline(before), _baseline(after)
    reasons = _unread(old) | _unread(new)
    old_names, new_names = ({row["account"] for row in side.accounts} for side in (old, new))
    for name in sorted((old_names ^ new_names) - reasons.keys(), key=str):
        reasons[name] = "Not in the baseline." if name in new_names else "In the baseline, but not in this audit."
    return reasons


def _compare_audits(before: AuditSide, after: AuditSide, by: str) -> "pd.DataFrame":
    from ..frames import from_rows

    old, new = _with_equal_masks(before, after)
    unread = _unread(old) | _unread(new)
    # By name, a webhook that seems to be on one side only may be in an account that was not read on the other.
    uncertain = {
        *(("added", "new finding") if by == "name" and _unread(old) else ()),
        *(("removed", "resolved finding") if by == "name" and _unread(new) else ()),
    }
    rows: list[Difference] = [(account, "not compared", None, None, None, None, why) for account, why in unread.items()]
    old, new = _without(old, unread), _without(new, unread)
    rows += [row for row in (*_webhooks(old, new, by), *_findings(old, new, by)) if row[1] not in uncertain]
    return from_rows(rows, dict.fromkeys(_COLUMNS, "str"))


def _with_equal_masks(before: AuditSide, after: AuditSide) -> tuple[Baseline, Baseline]:
    """Both sides, masked with one key. Two files with different keys are compared without the digests of their masks."""
    old = before if isinstance(before, AuditResult) else _baseline(before)
    new = after if isinstance(after, AuditResult) else _baseline(after)
    if isinstance(old, AuditResult):
        return baseline_of(old, new.mask_key), baseline_of(new) if isinstance(new, AuditResult) else new
    if isinstance(new, AuditResult):
        return old, baseline_of(new, old.mask_key)
    return (old, new) if old.mask_key == new.mask_key else (_without_digests(old), _without_digests(new))


def _without_digests(side: Baseline) -> Baseline:
    rows = tuple(
        {**row, "url": without_digests(row["url"]), "name": without_digests(row["name"])} for row in side.webhooks
    )
    return replace(side, webhooks=rows)


def _baseline(side: AuditSide) -> Baseline:
    if isinstance(side, AuditResult):
        return baseline_of(side)
    return side if isinstance(side, Baseline) else read_baseline(side)


def _unread(side: Baseline) -> dict[str, str]:
    """The accounts that were not read, each with the reason."""
    return {
        row["account"]: f"{'Not tried' if row['state'] == 'not tried' else 'Not read'}: {row['error']}"
        for row in side.accounts
        if row["state"] != "read"
    }


def _without(side: Baseline, unread: Mapping[str, str]) -> Baseline:
    webhooks, findings = (
        tuple(row for row in rows if row["account"] not in unread) for rows in (side.webhooks, side.findings)
    )
    return replace(side, webhooks=webhooks, findings=findings)


def _webhooks(old: Baseline, new: Baseline, by: str) -> Iterator[Difference]:
    for field, before, after in differences(old.webhooks, new.webhooks, by):
        row = after or before
        what = "changed" if before and after else "removed" if before else "added"
        values = (format_value(side.get(field)) for side in (before, after))
        yield (row["account"], what, row["id"], row["name"], field, *values)


def _findings(old: Baseline, new: Baseline, by: str) -> Iterator[Difference]:
    def by_key(rows: Iterable[Row]) -> dict[tuple[Any, ...], Row]:
        columns = ("account", "webhook_id") if by == "id" else ("name",)
        # The findings of one rule about a whole team differ only in their evidence.
        return {
            (row["rule"], *(row[name] for name in columns), None if row["webhook_id"] else row["evidence"]): row
            for row in rows
        }

    before, after = by_key(old.findings), by_key(new.findings)
    for row in (before[key] for key in before if key not in after):
        yield (row["account"], "resolved finding", row["webhook_id"], row["name"], row["rule"], row["evidence"], None)
    for row in (after[key] for key in after if key not in before):
        yield (row["account"], "new finding", row["webhook_id"], row["name"], row["rule"], None, row["evidence"])
