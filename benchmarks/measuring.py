"""Timing of the same work, done by cstar_explore and by others in turns, so that other load on the machine affects all of them."""

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

# Does the work once. What returns a float has measured itself, and returns the seconds.
Work = Callable[[], object]

NAMES = ("work", "size", "cstar_explore", "compared with", "ratio (lowest-highest)", "aim", "what a person notices")
HEAD = f"| {' | '.join(NAMES)} |\n{'|---' * len(NAMES)}|"


@dataclass(frozen=True)
class Case:
    """The same work at one size, done by cstar_explore and by each of its rivals.

    Attributes:
        work, size: What is done, and how much of it.
        notices: What a person waits for, such as `for the frame`.
        ours: Does the work with cstar_explore.
        rivals: Others that do all of the work, and the highest ratio to each that is aimed at. A floor is a sketch of the least
            that could do it.
        under: The most seconds that it may take, whatever the rivals take.
        rounds, times: How often each has its turn, and how often it then does the work.
        per: Items of the work, such as deliveries, by whose number the seconds are divided.
        warm: Whether each does the work once before, which is not measured.
        clock: `time.process_time` for what only computes here: other load disturbs it less.
    """

    work: str
    size: str
    notices: str
    ours: Work
    rivals: Mapping[str, tuple[Work, float | None]]
    under: float | None = None
    rounds: int = 7
    times: int = 1
    per: int = 1
    warm: bool = True
    clock: Callable[[], float] = time.perf_counter

    def rows(self) -> Iterator[str]:
        """Measures; a row of the table for each rival. The ratios are those of the rounds: ours divided by theirs."""
        works = {"": self.ours, **{name: work for name, (work, _) in self.rivals.items()}}
        taken: dict[str, list[float]] = {name: [] for name in works}
        for number in range(-self.warm, self.rounds):
            for name, work in works.items():
                seconds = self._seconds(work)
                taken[name] += [seconds] if number >= 0 else []
        ours = statistics.median(taken[""])
        for name, (_, aim) in self.rivals.items():
            ratios = [one / other for one, other in zip(taken[""], taken[name], strict=True)]
            ratio, spread = statistics.median(ratios), f"{min(ratios):.2f}-{max(ratios):.2f}"
            aims = [] if aim is None else [(f"at most {aim:g}", ratio <= aim)]
            aims += [] if self.under is None else [(f"under {_with_unit(self.under)}", ours < self.under)]
            met = ", ".join(text if is_met else f"{text}: **missed**" for text, is_met in aims)
            theirs = f"{name}, {_with_unit(statistics.median(taken[name]))}"
            cells = (self.work, self.size, _with_unit(ours), theirs, f"{ratio:.2f} ({spread})", met)
            yield f"| {' | '.join(cells)} | {_wait(ours)} {self.notices} |"

    def _seconds(self, work: Work) -> float:
        gc.collect()
        began = self.clock()
        results = [work() for _ in range(self.times)]
        seconds = self.clock() - began
        measured = [result for result in results if isinstance(result, float)]
        return (sum(measured) if measured else seconds) / self.times / self.per


def _with_unit(seconds: float) -> str:
    """Three digits, in a readable unit."""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def _wait(seconds: float) -> str:
    """What people notice: about a tenth of a second, and about a second."""
    return "no wait" if seconds < 0.1 else "a short wait" if seconds < 1 else f"a wait of {seconds:.0f} s"
