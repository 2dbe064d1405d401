"""Changes signatures, api and plans in many small ways, and lists the changes that no test notices: python -m tools.mutants.

MUTANTS is how many of these mutants are tried, or "all", and MUTANTS_SEED chooses them. mutmut runs each against the tests that call
the mutated function; its settings are in pyproject.toml.
"""

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import libcst as cst
from mutmut import __main__ as mutmut
from mutmut.mutation import mutators
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.state import state
from mutmut.stats import status_by_exit_code
from mutmut.workers.isolation import ForkServerRunner

PACKAGES = ("signatures", "api", "plans")
KILLED = 0.85
REPORT = Path("build/mutants.txt")
SEED = os.environ.get("MUTANTS_SEED", "1")
COUNT = os.environ.get("MUTANTS", "600")


def main() -> int:
    """Prints the counts and writes the survivors into the report. Returns 1 if fewer are killed than should be."""
    started = time.monotonic()
    leave_out_wording()
    os.environ["PYTHONPATH"] = str(Path("mutants").resolve())  # also for what the tests start
    ForkServerRunner.run_clean_tests = lambda *_, **__: 0  # the run that finds each function's tests has just passed
    collect, mutants, chosen = mutmut.collect_source_file_mutation_data, [], []

    def collect_sample(**arguments):
        mutants[:], files = collect(**arguments)
        tests, durations = state().tests_by_mangled_function_name, state().duration_by_test
        tests.update(
            {function: sorted(names, key=durations.get) for function, names in tests.items()}
        )  # quick ones first
        names = sample([name for _, name, _ in mutants])
        chosen[:] = [mutant for mutant in mutants if mutant[1] in names]
        return list(chosen), files

    mutmut.collect_source_file_mutation_data = collect_sample
    try:
        mutmut.run.callback((), max_children=2)
    except SystemExit:
        print(
            "If a test failed without a mutant, `MUTANT_UNDER_TEST= PYTHONPATH=. pytest tests/…` in mutants/ shows it."
        )
        raise
    outcomes = {name: status_by_exit_code[file.exit_code_by_key[name]] for file, name, _ in chosen}
    print(f"\nseed {SEED}, {len(chosen)} of {len(mutants)} mutants, {(time.monotonic() - started) / 60:.0f} minutes")
    for one in (*PACKAGES, "all"):
        counts = Counter(outcome for name, outcome in outcomes.items() if one in ("all", package(name)))
        share = counts["killed"] / counts.total()
        print(
            f"{one:11} {share:6.1%} killed:", ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
        )
    REPORT.parent.mkdir(exist_ok=True)
    with REPORT.open("w") as report:
        for file, name, _ in chosen:
            if outcomes[name] != "killed":
                report.write(f"# {name}: {outcomes[name]}\n{get_diff_for_mutant(name, path=file.path)}\n\n")
    print(f"{REPORT} lists the others.")
    return int(share < KILLED)


def leave_out_wording() -> None:
    """The wording of messages is not behaviour: strings with a space and `raise` statements are not mutated."""
    rules = mutators.mutation_operators
    at = next(at for at, (_, rule) in enumerate(rules) if rule is mutators.operator_string)
    rules[at] = (cst.BaseString, mutated_string)
    skips = MutationVisitor._skip_node_and_children  # noqa: SLF001 - mutmut has no option for it
    setattr(MutationVisitor, skips.__name__, lambda self, node: isinstance(node, cst.Raise) or skips(self, node))


def mutated_string(node: cst.BaseString) -> Iterable[cst.BaseString]:
    """One mutant of a name, as the upper case of a header is the same header."""
    return [] if " " in getattr(node, "value", " ") else list(mutators.operator_string(node))[:1]


def sample(names: list[str]) -> set[str]:
    """Of each package as many as is its share of all."""
    if COUNT == "all":
        return set(names)
    chosen = set()
    for one in PACKAGES:
        ours = sorted(name for name in names if package(name) == one)
        count = min(len(ours), round(int(COUNT) * len(ours) / len(names)))
        chosen.update(random.Random(f"{SEED} {one}").sample(ours, count))  # noqa: S311 - nothing secret
    return chosen


def package(mutant: str) -> str:
    return mutant.split(".")[1]


if __name__ == "__main__":
    sys.exit(main())
