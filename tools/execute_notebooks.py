"""Runs the notebooks and stores their outputs, without widget state, times and ports: `make notebooks`.

Exercises run with their solutions, but the stored notebooks are unsolved: the outputs of exercises and checks are removed.
"""

import configparser
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tests.support.lessons import NOTEBOOKS, exercises, read, solved


def execute(path: Path) -> None:
    """Executes a notebook in place."""
    notebook = read(path)
    executed = solved(notebook)
    with tempfile.TemporaryDirectory() as folder:  # for the files that a notebook writes
        NotebookClient(
            executed,
            timeout=60,
            store_widget_state=False,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
        ).execute()
    unsolved = {cell["id"] for exercise in exercises(notebook) for cell in (exercise.fill_in, exercise.check)}
    for cell, result in zip(notebook.cells, executed.cells, strict=True):
        if cell["cell_type"] == "code":
            stored = cell["id"] not in unsolved
            cell["outputs"] = result["outputs"] if stored else []
            cell["execution_count"] = result["execution_count"] if stored else None
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        # Without its kernel, the view of a widget shows an error. Its text/plain shows what it was.
        output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    text = nbformat.writes(notebook)
    for pattern, replacement in sanitisers():
        text = pattern.sub(replacement, text)
    path.write_text(f"{text.rstrip()}\n", encoding="utf-8")


def sanitisers() -> list[tuple[re.Pattern[str], str]]:
    """What differs in each run, from the file that is passed to nbval, and what is stored in its place."""
    config = configparser.ConfigParser()
    config.read(Path(__file__).parents[1] / "tests" / "nbval_sanitise.cfg", encoding="utf-8")
    return [(re.compile(config[name]["regex"]), config[name]["replace"]) for name in ("port", "path", "kernel")]


if __name__ == "__main__":
    for path in sys.argv[1:] or sorted(map(str, NOTEBOOKS.glob("*.ipynb"))):
        execute(Path(path))
