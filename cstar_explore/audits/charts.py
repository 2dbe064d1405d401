"""The charts of the report: findings by account, receivers by event type, and the age of webhooks.

Everything that a color shows can also be read from numbers and order.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import inf
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from ..charts import GRID, MUTED, Chart, plain_style
from ..events import receivers_by_type
from ..text import printable
from .display import SEVERITY_COLORS
from .result import AuditResult
from .rules import SEVERITIES

_BAR = "#2f5d8a"

_ACCOUNTS = 12  # that have a bar of their own; the others share one
_AGES = ("under a month", "1 to 3 months", "3 to 6 months", "6 to 12 months", "1 to 2 years", "over 2 years")
_BOUNDS = (0, 30, 91, 182, 365, 730, inf)  # of the ages, in days


@plain_style()
def findings_chart(audit: AuditResult) -> Chart:
    """Findings by account and severity, the most severe account first."""
    found = Counter((finding.team.account, finding.rule.severity) for finding in audit.findings)
    counts = {name: [found[name, level] for level in SEVERITIES] for name in audit.accounts["account"]}
    order = sorted(counts, key=lambda name: counts[name], reverse=True)
    names = [printable(name or "the team", 60) for name in order[:_ACCOUNTS]]
    rows = [counts[name] for name in order[:_ACCOUNTS]]
    if len(order) > _ACCOUNTS:
        names.append(f"{len(order) - _ACCOUNTS:,} others")
        rows.append([sum(column) for column in zip(*(counts[name] for name in order[_ACCOUNTS:]), strict=True)])
    total = ", ".join(f"{count} {level}" for level, count in audit.counts().items())
    title = "Findings by account and severity"
    chart = Chart(6.4, 1.2 + 0.45 * len(names), f"{title}: {total}.", title)
    parts = [
        ([row[index] for row in rows], {"color": SEVERITY_COLORS[level]}) for index, level in enumerate(SEVERITIES)
    ]
    narrow = 0.04 * max((1, *map(sum, rows)))  # a part this narrow has its number at the end of the bar
    ends = [
        ", ".join(f"{count:,} {level}" for count, level in zip(row, SEVERITIES, strict=True) if 0 < count <= narrow)
        for row in rows
    ]
    axes = _bars(chart, [""] * len(names), "findings", parts, ends)
    for index, (name, row) in enumerate(zip(names, rows, strict=True)):
        axes.annotate(name, (0, index - 0.33), (0, 2), textcoords="offset points", fontsize=8)
        for count, right in zip(row, accumulate(row), strict=True):
            if count > narrow:
                center = right - count / 2
                axes.text(center, index, f"{count:,}", ha="center", va="center", color="white", fontsize=8)
    handles = [Patch(color=SEVERITY_COLORS[level], label=level) for level in SEVERITIES]
    chart.figure.legend(handles=handles, loc="outside upper right", ncols=4, frameon=False, fontsize=8)
    return chart


@plain_style()
def coverage_chart(audit: AuditResult) -> Chart:
    """Accounts with an active webhook, by event type."""
    active = audit.webhooks[audit.webhooks["is_active"].fillna(value=True) & audit.webhooks["events"].notna()]
    receivers = receivers_by_type(zip(active["account"], active["events"], strict=True))
    widths = [len(set(accounts)) for accounts in receivers.values()]
    missing = widths.count(0)
    summary = f"{len(widths) - missing} of {len(widths)} event types have an active webhook, {missing} have none."
    chart = Chart(6.4, 6.8, summary, "Accounts with an active webhook, by event type")
    ends = [f"{width:,}" if width else "none" for width in widths]
    _bars(chart, list(receivers), "accounts", [(widths, {"color": _BAR})], ends, size=7)
    return chart


@plain_style()
def ages_chart(audit: AuditResult) -> Chart:
    """Webhooks by age, active and paused."""
    days = (audit.taken - audit.webhooks["created_at"].dropna()).dt.days
    is_active = audit.webhooks["is_active"].fillna(value=True)[days.index].astype(bool)
    ages = pd.cut(days, _BOUNDS, right=False, labels=_AGES)
    active, paused = (ages[chosen].value_counts(sort=False).tolist() for chosen in (is_active, ~is_active))
    totals = ages.value_counts(sort=False)
    summary = ", ".join(f"{age} {total}" for age, total in totals.items())
    chart = Chart(6.4, 3.1, f"Age of webhooks: {summary}.", "Age of webhooks")
    parts = [
        (active, {"color": _BAR, "label": "active"}),
        (paused, {"color": "none", "label": "paused", "hatch": "///", "edgecolor": _BAR}),
    ]
    _bars(chart, _AGES, "webhooks", parts, [f"{total:,}" for total in totals])
    chart.figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=8)
    return chart


Part = tuple[Sequence[int], Mapping[str, Any]]


def _bars(
    chart: Chart, names: Sequence[str], unit: str, parts: Sequence[Part], ends: Sequence[str], *, size: int = 8
) -> Axes:
    """Draws a bar for each name, and a text at its end. A part has the widths in all bars, and their style."""
    axes = chart.figure.add_subplot()
    totals = [0] * len(names)
    for widths, style in parts:
        bars = axes.barh(range(len(names)), widths, left=totals, height=0.62, **style)
        totals = [total + width for total, width in zip(totals, widths, strict=True)]
    axes.bar_label(bars, ends, padding=3, fontsize=size, color=MUTED)
    axes.set_xlim(0, max((1, *totals)) * 1.1)
    axes.set_yticks(range(len(names)), list(names), fontsize=size)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(unit, fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(axis="x", labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return axes
