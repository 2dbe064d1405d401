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
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from .._version import VERSION
from ..errors import ConfigurationError, CStarError, ValidationError
from . import audit, check_receiver, explain, probe
from .options import option

FAILED, INTERRUPTED, PIPE_CLOSED = 1, 130, 141


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
    command = import_module(f".{options.command.replace('-', '_')}", __package__)
    try:
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

    lab = commands.add_parser("lab", help="open the notebooks in JupyterLab, in a copy of your own")
    folder = "where the copy is kept (default: ./cstar-notebooks)"
    option(lab, "--folder FOLDER", folder, default=Path("cstar-notebooks"))
    option(lab, "--no-browser", "start JupyterLab without opening a browser")
    option(lab, "--port PORT", "JupyterLab's port (default: 8888, or the next free one)", default=8888)
    sandbox = commands.add_parser("sandbox", help="run the sandbox until Ctrl+C")
    option(sandbox, "--port PORT", "the port on 127.0.0.1 (default: a free one)", default=0)
    option(sandbox, "--file FILE", "keep the state in this file (default: in memory)")
    audit.add_to(commands)
    explain.add_to(commands)
    check_receiver.add_to(commands)
    probe.add_to(commands)
    commands.add_parser("doctor", help="check the installation, configuration, network and key; changes nothing")
    for command in commands.choices.values():
        command.formatter_class = argparse.RawDescriptionHelpFormatter
    return parser
