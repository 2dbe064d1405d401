"""What is slow once: the first frame in a new kernel, and commands. Each in a process of its own."""

import os
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


def run() -> Iterator[Case]:
    """The first frame has 100 webhooks. `doctor` finds no key, so it asks no server. The time is the processes' on the processor."""
    case = partial(Case, rounds=11, clock=lambda: sum(os.times()[2:4]))
    with lists(100) as url:
        ours, idiom, pandas = (_python(code.format(key=KEY, url=url)) for code in (FRAME, IDIOM, "import pandas"))
        rivals = {"httpx and `json_normalize`": (idiom, 1), "floor: `import pandas`": (pandas, 1.15)}
        yield case("first DataFrame, new kernel", "100", "for the frame", ours, rivals)
    for argument in ("--help", "doctor"):
        ours = _python("import sys; from cstar_explore.cli import main; sys.exit(main(sys.argv[1:]))", argument)
        rivals = {"floor: `python -c pass`": (_python("pass"), None)}
        yield case(f"`cstar-explore {argument}`", "", "for its answer", ours, rivals, under=0.3)


# httpx imports rich where it finds it. Of this package's dependencies, only those for development install it.
WITHOUT_RICH = "import sys; sys.modules['rich'] = None"


def _python(code: str, *arguments: str) -> Work:
    code = f"{WITHOUT_RICH}\n{code}"
    return partial(subprocess.run, [sys.executable, "-c", code, *arguments], capture_output=True, check=False)
