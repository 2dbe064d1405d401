"""The command line. Results go to stdout, messages to stderr.

cstar-explore lab       the notebooks, in JupyterLab
cstar-explore sandbox   the sandbox on its own
cstar-explore audit     finds problems in the webhooks of one or many teams
cstar-explore explain   explains why a pasted delivery does or does not verify
cstar-explore check-receiver  names the faults of a running webhook receiver
cstar-explore probe     finds out how cStar behaves where its documentation does not say
cstar-explore doctor    checks the installation, the configuration, the network and the key
"""

import argparse
import io
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from .._version import VERSION
from ..errors import ConfigurationError, CStarError, ValidationError
from ..packaged import read_table

FAILED, INTERRUPTED, PIPE_CLOSED = 1, 130, 141

_TYPES: Mapping[str, Any] = {"path": Path, "integer": int, "number": float}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 Ctrl+C, 141 the reader of a pipe closed it; others in its `--help`.

    What the encoding of the terminal lacks is printed as an escape.
    """
    options = _parser().parse_args(arguments)
    if sys.stdout is None:
        print("The result could not be written: standard output is closed.", file=sys.stderr)
        return FAILED
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        command = import_module(f".{options.command.replace('-', '_')}", __package__)
        code: int = command.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("Interrupted. There is no result.", file=sys.stderr)
        return INTERRUPTED
    except CStarError as error:
        print(error, file=sys.stderr)
        is_usage = isinstance(error, ConfigurationError | ValidationError)
        return getattr(command, "INVALID", FAILED) if is_usage else FAILED
    except BrokenPipeError:
        _discard_output()
        return PIPE_CLOSED
    except OSError as error:
        _discard_output()
        print(f"{error.filename or 'The result'} could not be written: {error.strerror or error}.", file=sys.stderr)
        return FAILED
    return code


def _discard_output() -> None:
    """Replaces what stdout leads to, so that the interpreter does not fail once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cstar-explore", description="cStar webhooks in JupyterLab.")
    parser.add_argument("--version", action="version", version=f"cstar-explore {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for name, table in read_table(__file__, "commands.json").items():
        command = commands.add_parser(name, help=table["help"], epilog="\n".join(table.get("epilog", ())))
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        alternatives: Any = None
        for argument, how in table["arguments"].items():
            target: Any = command
            if how.pop("exclusive", False):
                target = alternatives = alternatives or command.add_mutually_exclusive_group()
            if "type" in how:
                how["type"] = _TYPES[how["type"]]
            target.add_argument(argument, **how)
    return parser
