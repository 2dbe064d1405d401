"""The charts of the report: findings by account, receivers by event type, and the age of webhooks.

Everything that a color shows can also be read from numbers and order.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from ..charts import GRID, MUTED, Chart, plain_style
from ..events import NAMES
from ..text import printable
from .display import SEVERITY_COLORS
from .inventory import covered_types
from .rules import SEVERITIES

if TYPE_CHECKING:
    from .result import AuditResult

_BAR = "#2f5d8a"

_ACCOUNTS = 12  # that have a bar of their own; the others share one
_AGES = (
    ("under a month", 30),
    ("1 to 3 months", 91),
    ("3 to 6 months", 182),
    ("6 to 12 months", 365),
    ("1 to 2 years", 730),
)


@plain_style()
def findings_chart(audit: "AuditResult") -> Chart:
    """Findings by account and severity, the most severe account first."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in audit.accounts["account"]}
    for finding in audit.findings:
        counts[finding.team.account][finding.rule.severity] += 1
    order = sorted(counts, key=lambda name: [-counts[name][level] for level in SEVERITIES])
    names = [printable(name or "the team", 60) for name in order[:_ACCOUNTS]]
    rows = [counts[name] for name in order[:_ACCOUNTS]]
    if len(order) > _ACCOUNTS:
        names.append(f"{len(order) - _ACCOUNTS:,} others")
        rows.append(sum((counts[name] for name in order[_ACCOUNTS:]), Counter()))
    total = ", ".join(f"{count} {level}" for level, count in audit.counts().items())
    title = "Findings by account and severity"
    chart = Chart(6.4, 1.2 + 0.45 * len(names), f"{title}: {total}.", title)
    axes = _axes(chart, [""] * len(names), "findings")
    longest = max((1, *(row.total() for row in rows)))
    for index, (name, row) in enumerate(zip(names, rows, strict=True)):
        axes.annotate(name, (0, index - 0.33), (0, 2), textcoords="offset points", fontsize=8)
        left, narrow = 0, []
        for level in SEVERITIES:
            axes.barh(index, row[level], left=left, color=SEVERITY_COLORS[level], height=0.62)
            if row[level] > 0.04 * longest:
                axes.text(
                    left + row[level] / 2, index, f"{row[level]:,}", ha="center", va="center", color="white", fontsize=8
                )
            elif row[level]:
                narrow.append(f"{row[level]:,} {level}")
            left += row[level]
        _label(axes, left, index, ", ".join(narrow))
    axes.set_xlim(0, longest * 1.1)
    handles = [Patch(color=SEVERITY_COLORS[level], label=level) for level in SEVERITIES]
    chart.figure.legend(handles=handles, loc="outside upper right", ncols=4, frameon=False, fontsize=8)
    return chart


@plain_style()
def coverage_chart(audit: "AuditResult") -> Chart:
    """Accounts with an active webhook, by event type."""
    active = audit.webhooks[audit.webhooks["is_active"].fillna(value=True) & audit.webhooks["events"].notna()]
    pairs = {
        (account, name)
        for account, events in zip(active["account"], active["events"], strict=True)
        for name in covered_types(events)
    }
    counts = Counter(name for _, name in pairs)
    widths = [counts[name] for name in NAMES]
    missing = widths.count(0)
    summary = f"{len(widths) - missing} of {len(widths)} event types have an active webhook, {missing} have none."
    chart = Chart(6.4, 6.8, summary, "Accounts with an active webhook, by event type")
    axes = _axes(chart, NAMES, "accounts")
    axes.barh(range(len(widths)), widths, color=_BAR, height=0.62)
    for index, width in enumerate(widths):
        _label(axes, width, index, f"{width:,}" if width else "none", size=7)
    axes.set_xlim(0, max((1, *widths)) * 1.12)
    axes.tick_params(axis="y", labelsize=7)
    return chart


@plain_style()
def ages_chart(audit: "AuditResult") -> Chart:
    """Webhooks by age, active and paused."""
    days = (audit.taken - audit.webhooks["created_at"].dropna()).dt.days
    active = audit.webhooks["is_active"].fillna(value=True)[days.index].astype(bool)
    bounds = [0, *(days for _, days in _AGES), 10**9]
    names = [*(name for name, _ in _AGES), "over 2 years"]
    counts = [
        [int(((days >= low) & (days < high) & chosen).sum()) for low, high in pairwise(bounds)]
        for chosen in (active, ~active)
    ]
    totals = [sum(pair) for pair in zip(*counts, strict=True)]
    ages = ", ".join(f"{name} {total}" for name, total in zip(names, totals, strict=True))
    chart = Chart(6.4, 3.1, f"Age of webhooks: {ages}.", "Age of webhooks")
    axes = _axes(chart, names, "webhooks")
    axes.barh(range(len(names)), counts[0], color=_BAR, height=0.62, label="active")
    axes.barh(
        range(len(names)),
        counts[1],
        left=counts[0],
        color="none",
        height=0.62,
        label="paused",
        hatch="///",
        edgecolor=_BAR,
    )
    for index, total in enumerate(totals):
        _label(axes, total, index, f"{total:,}")
    axes.set_xlim(0, max((1, *totals)) * 1.1)
    chart.figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=8)
    return chart


def _label(axes: Axes, width: int, index: int, text: str, size: int = 8) -> None:
    """The number at the end of a bar."""
    axes.annotate(text, (width, index), (3, 0), textcoords="offset points", va="center", fontsize=size, color=MUTED)


def _axes(chart: Chart, names: Sequence[str], unit: str) -> Axes:
    axes = chart.figure.add_subplot()
    axes.set_yticks(range(len(names)), list(names), fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(unit, fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(axis="x", labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return axes
