"""What an import costs, in processes of their own."""

import subprocess
import sys
from collections.abc import Callable, Iterator

from .measuring import Row, in_turns

ROUNDS = 11


def imported() -> Iterator[Row]:
    """The import, and the import with a first client."""
    programs = {
        "bare interpreter": "pass",
        "import httpx": "import httpx",
        "import": "import cstar_explore",
        "client": "import cstar_explore as cx; cx.Client('sk_test_not-a-real-key', 'team_1', 'http://127.0.0.1:9')",
    }

    def running(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    taken = in_turns({name: running(code) for name, code in programs.items()}, ROUNDS)
    more = [one - other for one, other in zip(taken["import"], taken["bare interpreter"], strict=True)]
    yield Row(
        "import cstar_explore",
        f"{_ms(more)} more",
        "bare interpreter",
        taken["import"],
        taken["bare interpreter"],
        "15 ms more",
    )
    more = [one - other for one, other in zip(taken["client"], taken["import httpx"], strict=True)]
    yield Row(
        "import and first Client",
        f"{_ms(more)} more",
        "import httpx",
        taken["client"],
        taken["import httpx"],
        "40 ms more",
    )


def _ms(seconds: list[float]) -> str:
    return f"{sorted(seconds)[len(seconds) // 2] * 1000:.0f} ms"
