"""Runs the notebooks and keeps their outputs, without widget state, times or ports: `make notebooks`."""

import configparser
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def execute(path: Path) -> None:
    """Executes a notebook in place."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=60,
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
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
    config.read(NOTEBOOKS / "sanitise.cfg", encoding="utf-8")
    return [(re.compile(config[name]["regex"]), config[name]["replace"]) for name in config.sections()]


if __name__ == "__main__":
    for chosen in sys.argv[1:] or sorted(map(str, NOTEBOOKS.glob("*.ipynb"))):
        execute(Path(chosen))
