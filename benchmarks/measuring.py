"""Side by side: rivals take turns, round by round, so that whatever else the machine does hits them alike."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A line of the table: ours against another, at one size.

    Attributes:
        what, size, against: What was measured, on how much, and against what.
        ours, theirs: Seconds, round by round.
        aim: The ratio that is aimed at, and how: `at most 3` of theirs, or `at least 5` times faster.
    """

    what: str
    size: str
    against: str
    ours: list[float]
    theirs: list[float]
    aim: str = ""

    def __str__(self) -> str:
        ratios = [one / other for one, other in zip(self.ours, self.theirs, strict=True)]
        ratio = statistics.median(ratios)
        told = f"{ratio:.2f} times" if ratio >= 1 else f"{1 / ratio:.2f} times faster"
        spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
        return f"| {self.what} | {self.size} | {shown(self.ours)} | {self.against} {shown(self.theirs)} | {told} ({spread}) | {self.aim} |"


HEAD = "| what | size | ours | against | ratio (spread) | aim |\n|---|---|---|---|---|---|"


def shown(seconds: list[float]) -> str:
    """A median in a unit that fits."""
    median = statistics.median(seconds)
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if median * factor >= 1:
            return f"{median * factor:.3g} {unit}"
    return f"{median * 1e9:.3g} ns"


def in_turns(rivals: Mapping[str, Work], rounds: int, times: int = 1) -> dict[str, list[float]]:
    """Seconds for one go of each, in each round the mean of `times` goes; one go beforehand is not counted."""
    for work in rivals.values():
        work()
    taken: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(rounds):
        for name, work in rivals.items():
            gc.collect()
            began = time.perf_counter()
            for _ in range(times):
                work()
            taken[name].append((time.perf_counter() - began) / times)
    return taken
