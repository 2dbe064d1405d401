"""Differences between the webhooks of two teams, such as production and staging."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from ..api.client import Client
from ..errors import ValidationError
from ..models import WebhookList
from ..plans import format_value
from ..text import printable
from .baseline import baseline_of
from .fetching import FetchResult
from .matching import Row, differences
from .result import AuditResult
from .settings import Settings

if TYPE_CHECKING:
    import pandas as pd

Team = Client | WebhookList

_TAKEN = ("what", "name", "field")


def compare_teams(one: Team, other: Team, by: str, labels: Sequence[str] | None) -> "pd.DataFrame":
    """A row per difference; see `compare`."""
    from ..frames import from_rows

    names = _labels(one, other) if labels is None else _checked(labels)
    # One audit of both: their masks have one key, so that equal secrets have equal digits.
    sides = [FetchResult(name, "", "", tuple(_items(team))) for name, team in zip(names, (one, other), strict=True)]
    webhooks = baseline_of(AuditResult(sides, Settings(), None)).webhooks
    left, right = ([{**row, "account": ""} for row in webhooks if row["account"] == name] for name in names)
    columns = (*_TAKEN, *names, *(f"{name}_id" for name in names))
    return from_rows(list(_differences(left, right, by, names)), dict.fromkeys(columns, "str"))


def _differences(
    left: Sequence[Row], right: Sequence[Row], by: str, labels: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    for field, one, other in differences(left, right, by):
        what = "different" if one and other else f"only in {labels[0] if one else labels[1]}"
        values = (format_value(side.get(field)) for side in (one, other))
        yield (what, (one or other)["name"], field, *values, one.get("id"), other.get("id"))


def _items(team: Team) -> list[Any]:
    listed = team.webhooks.list() if isinstance(team, Client) else team
    return list(listed._items)  # noqa: SLF001 - as received


def _labels(one: Team, other: Team) -> tuple[str, str]:
    """The environments if they differ, else the team ids; "first" and "second" if there is nothing to tell the sides apart."""
    if isinstance(one, Client) and isinstance(other, Client):
        for name in ("environment", "team_id"):
            pair = printable(getattr(one, name), 80), printable(getattr(other, name), 80)
            if pair[0] != pair[1] and not {*pair} & {*_TAKEN, ""}:
                return pair
    return "first", "second"


def _checked(labels: Sequence[str]) -> tuple[str, str]:
    is_pair = isinstance(labels, tuple | list) and len(labels) == 2
    if not is_pair or not all(isinstance(label, str) and label.strip() for label in labels) or len({*labels}) != 2:
        raise ValidationError(
            f"labels must be two different names, not {printable(repr(labels), 80)}.",
            param="labels",
            advice="Give names such as ('production', 'staging').",
        )
    one, other = cast("tuple[str, str]", tuple(labels))
    columns = (*_TAKEN, one, other, f"{one}_id", f"{other}_id")
    if len({*columns}) < len(columns):
        raise ValidationError(
            f"labels cannot be {printable(one, 80)} and {printable(other, 80)}: another column has that name.",
            param="labels",
            advice="Give names such as ('production', 'staging').",
        )
    return one, other
