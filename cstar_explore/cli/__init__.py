"""The command line. Results on stdout, words on stderr.

cstar-explore lab       the notebooks, in JupyterLab
cstar-explore sandbox   the sandbox alone
cstar-explore audit     what is wrong with the webhooks of one team, or of many
cstar-explore doctor    what is configured, reachable and permitted
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import CStarError
from . import audit, doctor, lab, sandbox


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command. 0: done; 1: it could not be done; 2: misspelled; `audit` has more, see its help."""
    options = _parser().parse_args(arguments)
    try:
        done: int = options.run(options)
    except CStarError as error:
        print(error, file=sys.stderr)
        return 1
    return done


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cstar-explore", description="cStar webhooks in JupyterLab.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    at = commands.add_parser("lab", help="open the notebooks in JupyterLab, in a copy of your own")
    at.add_argument(
        "--folder",
        type=Path,
        default=Path("cstar-notebooks"),
        help="where the copy is kept (default: ./cstar-notebooks)",
    )
    at.add_argument("--no-browser", action="store_true", help="start JupyterLab and open no browser")
    at.add_argument("--port", type=int, default=8888, help="JupyterLab's port (default: 8888, or the next free one)")
    at.set_defaults(run=lab.run)

    at = commands.add_parser("sandbox", help="run the sandbox alone, until Ctrl+C")
    at.add_argument("--port", type=int, default=0, help="its port on 127.0.0.1 (default: a free one)")
    at.add_argument("--file", type=Path, help="keep its state in this file (default: in memory)")
    at.set_defaults(run=sandbox.run)

    audit.add_to(commands)

    at = commands.add_parser("doctor", help="say what is configured, reachable and permitted; changes nothing")
    at.set_defaults(run=doctor.run)
    return parser
