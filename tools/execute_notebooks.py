"""Runs the notebooks and keeps their outputs, without widget state, times or ports: `make notebooks`.

Exercises are run with their solutions, and their outputs are not kept: the notebook is for somebody who has yet to solve them.
"""

import configparser
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from .lessons import NOTEBOOKS, exercises, read, solved


def execute(path: Path) -> None:
    """Executes a notebook in place."""
    notebook = read(path)
    ran = solved(notebook)
    NotebookClient(
        ran,
        timeout=60,
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    unsolved = {cell["id"] for exercise in exercises(notebook) for cell in (exercise.fill_in, exercise.check)}
    for cell, after in zip(notebook.cells, ran.cells, strict=True):
        if cell["cell_type"] == "code":
            kept = cell["id"] not in unsolved
            cell["outputs"] = after["outputs"] if kept else []
            cell["execution_count"] = after["execution_count"] if kept else None
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        # A view of a widget whose kernel is gone shows an error; the text beside it shows what stood there.
        output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    text = nbformat.writes(notebook)
    for pattern, replacement in sanitisers():
        text = pattern.sub(replacement, text)
    path.write_text(f"{text.rstrip()}\n", encoding="utf-8")


def sanitisers() -> list[tuple[re.Pattern[str], str]]:
    """What nbval passes over, from the file that nbval itself is given."""
    config = configparser.ConfigParser()
    config.read(Path(__file__).parents[1] / "tests" / "nbval_sanitise.cfg", encoding="utf-8")
    return [(re.compile(config[name]["regex"]), config[name]["replace"]) for name in config.sections()]


if __name__ == "__main__":
    for chosen in sys.argv[1:] or sorted(map(str, NOTEBOOKS.glob("*.ipynb"))):
        execute(Path(chosen))
