"""What is slow once: the first frame in a new kernel, and commands. Each in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from .measuring import Case, Work
from .server import KEY, lists

FRAME = "import cstar_explore as cx; cx.Client({key!r}, 'team_1', {url!r}).webhooks.list().to_frame()"
IDIOM = """import httpx, pandas as pd
frame = pd.json_normalize(httpx.get("{url}/api/v1/teams/team_1/webhooks").json()["data"])
frame["createdAt"] = pd.to_datetime(frame["createdAt"])"""
COMMAND = "import sys; from cstar_explore.cli import main; sys.exit(main(sys.argv[1:]))"


def run() -> Iterator[Case]:
    """The first frame has 100 webhooks. `doctor` finds no key, so that it asks no server."""
    with lists(100) as url:
        rivals = {
            "httpx and `json_normalize`": _python(IDIOM.format(url=url)),
            "floor: `import pandas`": _python("import pandas"),
        }
        ours, aims = (
            _python(FRAME.format(key=KEY, url=url)),
            {"httpx and `json_normalize`": 1, "floor: `import pandas`": 1.15},
        )
        yield Case("first DataFrame, new kernel", "100", "for the frame", ours, rivals, aims=aims, rounds=11)
    for argument in ("--help", "doctor"):
        rivals = {"floor: `python -c pass`": _python("pass")}
        ours = _python(COMMAND, argument)
        yield Case(f"`cstar-explore {argument}`", "", "for its answer", ours, rivals, under=0.3, rounds=11)


def _python(code: str, *arguments: str) -> Work:
    return partial(subprocess.run, [sys.executable, "-c", code, *arguments], capture_output=True, check=False)
