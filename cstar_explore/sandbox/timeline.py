"""A chart of deliveries: one line per delivery, its attempts by the time since the first."""

from typing import TYPE_CHECKING

from ..charts import BAD, GOOD, GRID, MUTED, Chart, plain_style
from ..text import plural, printable

if TYPE_CHECKING:
    import pandas as pd

# Seconds since the first attempt at which the published retries are due.
_TICKS = {1: "at once", 30: "30 s", 150: "2 m", 750: "12 m", 4_350: "1 h", 25_950: "7 h", 112_350: "31 h"}

_START = 0.7  # the left end of the axis, in seconds

NEWEST = 40  # deliveries that stay readable in one chart


class Timeline(Chart):
    """The newest deliveries. Success and failure differ in shape as well as in color. Withheld deliveries share one line."""

    @plain_style()
    def __init__(self, deliveries: "pd.DataFrame") -> None:
        attempts = deliveries.dropna(subset=["attempt"])
        is_withheld = attempts["state"] == "withheld"
        sent, folded = attempts[~is_withheld], attempts.loc[is_withheld, "id"].nunique()
        last = sent.drop_duplicates("id", keep="last").tail(NEWEST)
        sent = sent[sent["id"].isin(last["id"])]
        labels = [f"{printable(row.webhook, 40)}, {row.event}" for row in last.itertuples()]
        self._counts = f"{plural(len(last) + folded, 'delivery')}, {plural(len(sent) + is_withheld.sum(), 'attempt')}"
        tried = last["id"].map(sent["id"].value_counts())
        ends = [
            f" {label}: {plural(count, 'attempt')}, {state}."
            for label, count, state in zip(labels, tried, last["state"], strict=True)
        ]
        if folded:
            labels.append(f"{plural(folded, 'delivery')} withheld")
            ends.append(f" {labels[-1]}.")
        super().__init__(
            9, 1.2 + 0.5 * max(1, len(labels)), f"{self._counts}.{''.join(ends)}", "Attempts of each delivery"
        )
        axes = self.figure.add_subplot()
        for index, label in enumerate(labels):
            axes.annotate(label, (_START, -index), (2, 9), textcoords="offset points", fontsize=8)
        first = sent.groupby("id")["at"].transform("min")
        elapsed = (sent["at"] - first).dt.total_seconds().clip(lower=1)
        height = sent["id"].map({line: -index for index, line in enumerate(last["id"])})
        for _, of_line in elapsed.groupby(sent["id"], sort=False):
            axes.plot(of_line, height[of_line.index], color="#8a8a8a", linewidth=1, zorder=1)
        succeeded = sent["success"].fillna(value=False).astype(bool)
        for selected, marker, color, label in (
            (succeeded, "o", GOOD, "delivered"),
            (~succeeded, "X", BAD, "failed"),
        ):
            if selected.any():
                axes.scatter(
                    elapsed[selected], height[selected], marker=marker, color=color, s=60, label=label, zorder=2
                )
        if folded:
            axes.scatter([1], [-len(last)], marker="_", color=MUTED, s=60, label="withheld", zorder=2)
        axes.set_yticks([])
        axes.set_ylim(-max(1, len(labels)) + 0.5, 0.8)
        axes.set_xscale("log")
        axes.set_xlim(_START, 200_000)
        axes.set_xticks(list(_TICKS), list(_TICKS.values()))
        axes.set_xticks([], minor=True)
        axes.set_xlabel("time since the first attempt (not to scale)", fontsize=8)
        axes.tick_params(axis="x", labelsize=8)
        axes.grid(axis="x", color=GRID)
        axes.spines[["top", "right", "left"]].set_visible(False)
        if labels:
            self.figure.legend(loc="outside upper right", ncols=3, frameon=False, fontsize=8)

    def __repr__(self) -> str:
        return f"Timeline({self._counts})"
