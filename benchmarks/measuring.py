"""Timing of alternatives. They take turns in each round, so other load on the machine affects all of them."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A row of the table: cstar_explore against one alternative, at one size.

    Attributes:
        what, size, against: What was measured, how much of it, and the alternative.
        ours, theirs: The seconds of each round.
        target: The intended ratio, such as `at most 3x` or `at least 5x faster`.
    """

    what: str
    size: str
    against: str
    ours: list[float]
    theirs: list[float]
    target: str = ""

    def __str__(self) -> str:
        ratios = [one / other for one, other in zip(self.ours, self.theirs, strict=True)]
        ratio = statistics.median(ratios)
        comparison = f"{ratio:.2f}x the time" if ratio >= 1 else f"{1 / ratio:.2f}x faster"
        ratio_range = f"{min(ratios):.2f}-{max(ratios):.2f}"
        return f"| {self.what} | {self.size} | {format_median(self.ours)} | {self.against} {format_median(self.theirs)} | {comparison} ({ratio_range}) | {self.target} |"


HEAD = "| what | size | cstar_explore | compared with | ratio (range) | target |\n|---|---|---|---|---|---|"


def format_median(seconds: list[float]) -> str:
    """The median, in a readable unit."""
    median = statistics.median(seconds)
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if median * factor >= 1:
            return f"{median * factor:.3g} {unit}"
    return f"{median * 1e9:.3g} ns"


def measure(alternatives: Mapping[str, Work], rounds: int, times: int = 1) -> dict[str, list[float]]:
    """The seconds per call of each alternative in each round: the mean of `times` calls, after one call that is not measured."""
    for work in alternatives.values():
        work()
    taken: dict[str, list[float]] = {name: [] for name in alternatives}
    for _ in range(rounds):
        for name, work in alternatives.items():
            gc.collect()
            began = time.perf_counter()
            for _ in range(times):
                work()
            taken[name].append((time.perf_counter() - began) / times)
    return taken
