"""The time of an import, in a process of its own."""

import subprocess
import sys
from collections.abc import Callable, Iterator

from .measuring import Row, measure

ROUNDS = 11


def run() -> Iterator[Row]:
    """Measures the import alone, and with creating a client."""
    programs = {
        "nothing": "pass",
        "import httpx": "import httpx",
        "import": "import cstar_explore",
        "client": "import cstar_explore as cx; cx.Client('sk_test_not-a-real-key', 'team_1', 'http://127.0.0.1:9')",
    }

    def interpreter(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    taken = measure({name: interpreter(code) for name, code in programs.items()}, ROUNDS)
    more = [one - other for one, other in zip(taken["import"], taken["nothing"], strict=True)]
    yield Row(
        "`import cstar_explore`",
        f"{_ms(more)} more",
        "interpreter without imports",
        taken["import"],
        taken["nothing"],
        "15 ms more",
    )
    more = [one - other for one, other in zip(taken["client"], taken["import httpx"], strict=True)]
    yield Row(
        "import and create a Client",
        f"{_ms(more)} more",
        "`import httpx`",
        taken["client"],
        taken["import httpx"],
        "40 ms more",
    )


def _ms(seconds: list[float]) -> str:
    return f"{sorted(seconds)[len(seconds) // 2] * 1000:.0f} ms"
