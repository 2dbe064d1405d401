"""A chart of deliveries: one line per delivery, its attempts by the time since the first."""

from typing import TYPE_CHECKING

from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ..charts import Chart
from ..text import printable

if TYPE_CHECKING:
    import pandas as pd

# Seconds since the first attempt at which the published retries are due.
_TICKS = {1: "at once", 30: "30 s", 150: "2 m", 750: "12 m", 4_350: "1 h", 25_950: "7 h", 112_350: "31 h"}

NEWEST = 40  # deliveries that stay readable in one chart


class Timeline(Chart):
    """The newest deliveries. Success and failure differ in shape as well as in color."""

    def __init__(self, deliveries: "pd.DataFrame") -> None:
        attempts = deliveries.dropna(subset=["attempt"])
        lines = list(dict.fromkeys(attempts["id"]))[-NEWEST:]
        attempts = attempts[attempts["id"].isin(lines)]
        super().__init__(9, 1.2 + 0.42 * max(1, len(lines)), f"{len(lines)} deliveries, {len(attempts)} attempts")
        axes = self.figure.add_subplot()
        first = attempts.groupby("id")["at"].transform("min")
        elapsed = (attempts["at"] - first).dt.total_seconds().clip(lower=1)
        height = attempts["id"].map({line: -index for index, line in enumerate(lines)})
        for line in lines:
            of_line = attempts["id"] == line
            axes.plot(elapsed[of_line], height[of_line], color="#8a8a8a", linewidth=1, zorder=1)
        withheld = attempts["state"] == "withheld"
        succeeded = attempts["success"].fillna(value=False).astype(bool)
        for selected, marker, color, label in (
            (succeeded, "o", "#1b6b20", "delivered"),
            (~succeeded & ~withheld, "X", "#b3261e", "failed"),
            (withheld, "_", "#5c5c5c", "withheld"),
        ):
            if selected.any():
                axes.scatter(
                    elapsed[selected], height[selected], marker=marker, color=color, s=60, label=label, zorder=2
                )
        names = attempts.drop_duplicates("id")
        labels = [
            f"{printable(name, 28)}\n{event}" for name, event in zip(names["webhook"], names["event"], strict=True)
        ]
        axes.set_yticks([-index for index in range(len(lines))], labels, fontsize=8)
        axes.set_ylim(-len(lines) + 0.4, 0.6)
        axes.set_xscale("log")
        axes.set_xlim(0.7, 200_000)
        axes.xaxis.set_major_locator(FixedLocator(list(_TICKS)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _TICKS.get(round(value), "")))
        axes.set_xlabel("time since the first attempt")
        axes.grid(axis="x", color="#dddddd")
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        if len(attempts):
            self.figure.legend(loc="outside upper right", ncols=3, frameon=False)
