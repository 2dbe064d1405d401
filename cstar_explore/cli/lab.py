"""`cstar-explore lab`: the notebooks in JupyterLab, in a copy of one's own."""

import argparse
import json
import os
import sys
from pathlib import Path

# The package, which has the notebooks in it once it is installed.
_PACKAGE = Path(__file__).parents[1]


def run(options: argparse.Namespace) -> int:
    """Copies what is not there yet, and becomes JupyterLab on the first notebook."""
    folder: Path = options.folder.resolve()
    kept = copy_notebooks(folder)
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
    paths = [str(_PACKAGE / "jupyter_config"), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    os.execve(command[0], command, {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)})  # noqa: S606 - our own words


def copy_notebooks(folder: Path) -> bool:
    """Copies the bundled notebooks into a folder, never over one that is there; whether there was any."""
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
    """A notebook as it is before its first run: a lesson asks for a prediction before it shows the result."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _bundled() -> Path:
    """The notebooks inside the installed package, or beside it in a checkout."""
    inside = _PACKAGE / "notebooks"
    return inside if inside.is_dir() else _PACKAGE.parent / "notebooks"
