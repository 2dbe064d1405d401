"""`cstar-explore lab`: the notebooks in JupyterLab, in a copy of the user's own."""

import argparse
import json
import os
import sys
from pathlib import Path

# Contains the notebooks once it is installed.
_PACKAGE = Path(__file__).parents[1]
_FIRST = "01_first_webhook.ipynb"


def run(options: argparse.Namespace) -> int:
    """Copies notebooks that do not exist yet, and runs JupyterLab with the first one until Ctrl+C."""
    folder: Path = options.folder.resolve()
    kept = copy_notebooks(folder)
    _tell(f"Notebooks: {folder}{' (existing files were kept)' if kept else ''}")
    _tell("Starting JupyterLab …")
    # Settings for this JupyterLab only, before the user's own: no pop-up about news.
    paths = [str(_PACKAGE / "jupyter_config"), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(paths)
    from jupyterlab.labapp import LabApp  # type: ignore[import-untyped]

    server = LabApp.initialize_server(_arguments(folder, options.port, browser=not options.no_browser))
    token = server.identity_provider.token
    server.identity_provider.token_generated = False  # or the server prints the address once more, among other lines
    address = f"{server.connection_url.rstrip('/')}{server.default_url}{f'?token={token}' if token else ''}"
    server.io_loop.add_callback(_tell, f"JupyterLab is ready: {address}\nPress Ctrl+C here to stop it.")
    server.start()
    return 0


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _arguments(folder: Path, port: int, *, browser: bool) -> list[str]:
    return [
        str(folder / _FIRST),
        f"--port={port}",
        f"--ServerApp.root_dir={folder}",
        # So that the printed address leads there too, if no browser opens.
        f"--LabApp.default_url=/lab/tree/{_FIRST}",
        "--Application.log_level=WARN",
        "--ServerApp.answer_yes=True",  # Ctrl+C asks nothing
        *([] if browser else ["--no-browser"]),
        # Containers often run as root.
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]


def copy_notebooks(folder: Path) -> bool:
    """Copies the bundled notebooks into a folder without overwriting any. Returns whether one existed."""
    folder.mkdir(parents=True, exist_ok=True)
    targets = {notebook: folder / notebook.name for notebook in _bundled().glob("*.ipynb")}
    new = {notebook: target for notebook, target in targets.items() if not target.exists()}
    for notebook, target in new.items():
        target.write_text(_without_outputs(notebook.read_text(encoding="utf-8")), encoding="utf-8")
    return len(new) < len(targets)


def _without_outputs(notebook: str) -> str:
    """A notebook before its first run. Lessons ask for predictions before they show results."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _bundled() -> Path:
    """The notebooks in the installed package, or beside it in a checkout."""
    return next(filter(Path.is_dir, (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks")))
