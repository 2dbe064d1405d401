"""`cstar-explore lab`: the notebooks in JupyterLab, in a copy of the user's own."""

import argparse
import json
import os
import sys
from pathlib import Path

# Contains the notebooks once it is installed.
_PACKAGE = Path(__file__).parents[1]


def run(options: argparse.Namespace) -> int:
    """Copies notebooks that do not exist yet, then replaces this process by JupyterLab on the first one."""
    folder: Path = options.folder.resolve()
    kept = copy_notebooks(folder)
    print(f"Notebooks: {folder}{' (existing files were kept)' if kept else ''}", file=sys.stderr)
    command = [
        sys.executable,
        *("-m", "jupyterlab"),
        str(folder / "01_first_webhook.ipynb"),
        f"--port={options.port}",
        f"--ServerApp.root_dir={folder}",
        # So that the printed address leads there too, if no browser opens.
        "--LabApp.default_url=/lab/tree/01_first_webhook.ipynb",
        *(["--no-browser"] if options.no_browser else []),
        # Containers often run as root.
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]
    # Settings for this JupyterLab only, before the user's own: no pop-up about news.
    paths = [str(_PACKAGE / "jupyter_config"), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    os.execve(command[0], command, {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)})  # noqa: S606 - no user input


def copy_notebooks(folder: Path) -> bool:
    """Copies the bundled notebooks into a folder without overwriting any. Returns whether one existed."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = False
    for notebook in sorted(_bundled().glob("*.ipynb")):
        target = folder / notebook.name
        if target.exists():
            kept = True
        else:
            target.write_text(_without_outputs(notebook.read_text(encoding="utf-8")), encoding="utf-8")
    return kept


def _without_outputs(notebook: str) -> str:
    """A notebook before its first run. Lessons ask for predictions before they show results."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _bundled() -> Path:
    """The notebooks in the installed package, or beside it in a checkout."""
    inside = _PACKAGE / "notebooks"
    return inside if inside.is_dir() else _PACKAGE.parent / "notebooks"
