"""The command line: `cstar-explore lab` and `cstar-explore sandbox`. Results on stdout, words on stderr."""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .errors import CStarError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; 0 when it was done, 1 when it could not be, 2 when it was misspelled."""
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

    lab = commands.add_parser("lab", help="open the notebooks in JupyterLab, in a copy of your own")
    lab.add_argument(
        "--folder",
        type=Path,
        default=Path("cstar-notebooks"),
        help="where the copy is kept (default: ./cstar-notebooks)",
    )
    lab.add_argument("--no-browser", action="store_true", help="start JupyterLab and open no browser")
    lab.add_argument("--port", type=int, default=8888, help="JupyterLab's port (default: 8888, or the next free one)")
    lab.set_defaults(run=_lab)

    sandbox = commands.add_parser("sandbox", help="run the sandbox alone, until Ctrl+C")
    sandbox.add_argument("--port", type=int, default=0, help="its port on 127.0.0.1 (default: a free one)")
    sandbox.add_argument("--file", type=Path, help="keep its state in this file (default: in memory)")
    sandbox.set_defaults(run=_sandbox)
    return parser


def _lab(options: argparse.Namespace) -> int:
    """Copies what is not there yet, and becomes JupyterLab on the first notebook."""
    folder: Path = options.folder.resolve()
    kept = _copy_notebooks(folder)
    print(f"Notebooks: {folder}{' (yours, kept as they are)' if kept else ''}", file=sys.stderr)
    command = [
        sys.executable,
        *("-m", "jupyterlab"),
        str(folder / "01_first_webhook.ipynb"),
        f"--port={options.port}",
        f"--ServerApp.root_dir={folder}",
        # So that the address it prints leads there too, where no browser opens by itself.
        "--LabApp.default_url=/lab/tree/01_first_webhook.ipynb",
        *(["--no-browser"] if options.no_browser else []),
        # In a container one is often root, and means it.
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]
    # For this one JupyterLab, beside the user's own settings: no pop-up that asks about news.
    paths = [str(Path(__file__).parent / "jupyter_config"), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    os.execve(command[0], command, {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)})  # noqa: S606 - our own words


def _copy_notebooks(folder: Path) -> bool:
    """Copies the bundled notebooks into a folder, never over one that is there; whether there was any."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = False
    for notebook in sorted(_bundled().glob("*.ipynb")):
        target = folder / notebook.name
        if target.exists():
            kept = True
        else:
            shutil.copyfile(notebook, target)
    return kept


def _bundled() -> Path:
    """The notebooks inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "notebooks"
    return inside if inside.is_dir() else package.parent / "notebooks"


def _sandbox(options: argparse.Namespace) -> int:
    from .sandbox import Sandbox  # noqa: PLC0415 - only this command serves

    # Blocked before the server's thread starts, which inherits it: the signal waits for `sigwait` alone.
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with Sandbox(options.file, port=options.port) as box:
        # The key is one of the sandbox's own false ones; it opens nothing but this.
        print(
            f"export CSTAR_BASE_URL={box.base_url} CSTAR_TEAM_ID={box.team_id} CSTAR_KEY={box.key.reveal()}", flush=True
        )
        print("A cStar sandbox is running; Ctrl+C ends it.", file=sys.stderr, flush=True)
        ended = signal.sigwait(signals)
        print(f"Ended by {signal.Signals(ended).name}.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
