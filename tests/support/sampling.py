"""Long tests: seeded samples of them, or none. With NIGHTLY set, as by `make nightly`, every case runs."""

import os
import random
from collections.abc import Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")

NIGHTLY = bool(os.environ.get("NIGHTLY"))
SEED = os.environ.get("SAMPLE_SEED", "1")

# Marks a test whose subject a quicker test covers too.
nightly = pytest.mark.skipif(not NIGHTLY, reason="long: make nightly runs it")


def sample(cases: Sequence[T], count: int, *, name: str) -> list[T]:
    """This many of the cases, in their order, or all of them at night. Equal seeds and names give equal samples."""
    if NIGHTLY or count >= len(cases):
        return list(cases)
    indexes = random.Random(f"{SEED} {name}").sample(range(len(cases)), count)
    return [cases[index] for index in sorted(indexes)]


def examples(count: int) -> int:
    """How many generated examples to try: a third of these, or all of them at night."""
    return count if NIGHTLY else max(3, count // 3)
