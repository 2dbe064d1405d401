"""Differences between two audits, or between the webhooks of two teams."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..api.client import Client
from ..errors import ValidationError
from ..models import WebhookList
from ..plans import format_value
from ..text import printable
from .baseline import Baseline, Row, baseline_of, read_baseline
from .fetching import FetchResult
from .redaction import without_digests
from .result import AuditResult
from .settings import Settings

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("account", "what", "id", "name", "field", "before", "after")
_FIELDS = ("name", "url", "events", "is_active")

Difference = tuple[str | None, ...]  # one value per column
Team = Client | WebhookList
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
        return _compare_teams(teams[0], teams[1], "id" if by == "id" else "name", labels)
    if labels is not None:
        raise ValidationError(
            "labels name the sides of two teams, not of two audits.", param="labels", advice="Leave labels out."
        )
    return _compare_audits(before, after, "name" if by == "name" else "id")  # type: ignore[arg-type] # no teams


def uncompared(old: Baseline, audit: AuditResult) -> dict[str, str]:
    """The accounts that are not on both sides, or were not read on one of them, each with the reason."""
    new = baseline_of(audit)
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

    def read(rows: Iterable[Row]) -> list[Row]:
        return [row for row in rows if row["account"] not in unread]

    rows: list[Difference] = [(account, "not compared", None, None, None, None, why) for account, why in unread.items()]
    webhooks = _webhooks(read(old.webhooks), read(new.webhooks), by)
    findings = _findings(read(old.findings), read(new.findings), by)
    rows += [row for row in (*webhooks, *findings) if row[1] not in uncertain]
    return from_rows(rows, dict.fromkeys(_COLUMNS, "str"))


def _with_equal_masks(before: AuditSide, after: AuditSide) -> tuple[Baseline, Baseline]:
    """Both sides, masked with one key. Two files with different keys are compared without the digests of their masks."""
    one, other = (side if isinstance(side, AuditResult | Baseline) else read_baseline(side) for side in (before, after))
    key = one.mask_key if isinstance(one, Baseline) else other.mask_key
    old, new = (side if isinstance(side, Baseline) else baseline_of(side, key) for side in (one, other))
    return (old, new) if old.mask_key == new.mask_key else (_without_digests(old), _without_digests(new))


def _without_digests(side: Baseline) -> Baseline:
    rows = tuple(
        {**row, "url": without_digests(row["url"]), "name": without_digests(row["name"])} for row in side.webhooks
    )
    return replace(side, webhooks=rows)


def _unread(side: Baseline) -> dict[str, str]:
    """The accounts that were not read, each with the reason."""
    return {
        row["account"]: f"{'Not tried' if row['state'] == 'not tried' else 'Not read'}: {row['error']}"
        for row in side.accounts
        if row["state"] != "read"
    }


def _webhooks(old: Iterable[Row], new: Iterable[Row], by: str) -> Iterator[Difference]:
    for field, before, after in _differences(old, new, by):
        row = after or before
        what = "changed" if before and after else "removed" if before else "added"
        values = (format_value(side.get(field)) for side in (before, after))
        yield (row["account"], what, row["id"], row["name"], field, *values)


def _findings(old: Iterable[Row], new: Iterable[Row], by: str) -> Iterator[Difference]:
    before, after = ({_finding_key(row, by): row for row in rows} for rows in (old, new))
    for key, row in (before | after).items():
        if key in before and key in after:
            continue
        what = "resolved finding" if key in before else "new finding"
        evidence = (row["evidence"], None) if key in before else (None, row["evidence"])
        yield (row["account"], what, row["webhook_id"], row["name"], row["rule"], *evidence)


def _finding_key(row: Row, by: str) -> tuple[Any, ...]:
    webhook = (row["account"], row["webhook_id"]) if by == "id" else (row["name"],)
    # The findings of one rule about a whole team differ only in their evidence.
    return (row["rule"], *webhook, None if row["webhook_id"] else row["evidence"])


def _compare_teams(one: Team, other: Team, by: str, labels: Sequence[str] | None) -> "pd.DataFrame":
    from ..frames import from_rows

    names = _default_labels(one, other) if labels is None else _checked_labels(labels)
    lists = [team.webhooks.list() if isinstance(team, Client) else team for team in (one, other)]
    # One audit of both: their masks have one key, so that equal secrets have equal digits.
    sides = [FetchResult(name, "", "", tuple(side._items)) for name, side in zip(names, lists, strict=True)]  # noqa: SLF001 - as received
    webhooks = baseline_of(AuditResult(sides, Settings(), None)).webhooks
    left, right = ([{**row, "account": ""} for row in webhooks if row["account"] == name] for name in names)
    rows: list[Difference] = []
    for field, before, after in _differences(left, right, by):
        what = "different" if before and after else f"only in {names[0] if before else names[1]}"
        values = (format_value(side.get(field)) for side in (before, after))
        rows.append((what, (before or after)["name"], field, *values, before.get("id"), after.get("id")))
    return from_rows(rows, dict.fromkeys(_team_columns(*names), "str"))


def _team_columns(one: str, other: str) -> tuple[str, ...]:
    return ("what", "name", "field", one, other, f"{one}_id", f"{other}_id")


def _default_labels(one: Team, other: Team) -> tuple[str, str]:
    """The environments if they differ, else the team ids; "first" and "second" if there is nothing to tell the sides apart."""
    if isinstance(one, Client) and isinstance(other, Client):
        for name in ("environment", "team_id"):
            pair = printable(getattr(one, name), 80), printable(getattr(other, name), 80)
            if all(pair) and _are_unique(*pair):
                return pair
    return "first", "second"


def _checked_labels(labels: Sequence[str]) -> tuple[str, str]:
    is_pair = isinstance(labels, tuple | list) and len(labels) == 2
    if not is_pair or not all(isinstance(label, str) and label.strip() for label in labels) or not _are_unique(*labels):
        raise ValidationError(
            f"labels must be two different names that no other column has, not {printable(repr(labels), 80)}.",
            param="labels",
            advice="Give names such as ('production', 'staging').",
        )
    return labels[0], labels[1]


def _are_unique(one: str, other: str) -> bool:
    columns = _team_columns(one, other)
    return len({*columns}) == len(columns)


def _differences(before: Iterable[Row], after: Iterable[Row], by: str) -> Iterator[tuple[str, Row, Row]]:
    """Each field that differs, and the webhook on both sides. One that is on one side only differs in `url`; the other is empty."""
    old, new = _by_key(before, by), _by_key(after, by)
    for key in old | new:
        one, other = old.get(key, {}), new.get(key, {})
        if one and other:
            yield from ((name, one, other) for name in _FIELDS if _comparable(one, name) != _comparable(other, name))
        else:
            yield "url", one, other


def _by_key(rows: Iterable[Row], by: str) -> dict[tuple[Any, ...], Row]:
    """Webhooks by the key that matches them. Webhooks with the same key are numbered."""
    keyed: dict[tuple[Any, ...], Row] = {}
    counts: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        key = (row["account"], row["id"]) if by == "id" else (row["name"],)
        counts[key] += 1
        keyed[(*key, counts[key])] = row
    return keyed


def _comparable(row: Row, name: str) -> Any:
    return frozenset(row[name] or ()) if name == "events" else row[name]
