"""The notebooks of the course: reads their exercises and fills in the solutions.

An exercise has three cells with the IDs `exercise-1` (to fill in), `check-1` and `solution-1`.
`python -m tests.support.lessons FOLDER` writes every notebook to the folder with its solutions filled in, for nbval.
"""

import copy
import re
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("0[1-5]_*.ipynb"))


class Exercise(NamedTuple):
    """An exercise of a lesson."""

    name: str
    fill_in: NotebookNode
    check: NotebookNode
    solution: str


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def exercises(notebook: NotebookNode) -> list[Exercise]:
    cells = {cell["id"]: cell for cell in notebook.cells}
    return [
        Exercise(name, cells[name], cells[f"check-{number}"], _solution(cells[f"solution-{number}"]))
        for name in cells
        for prefix, _, number in [name.rpartition("-")]
        if prefix == "exercise"
    ]


def solved(notebook: NotebookNode) -> NotebookNode:
    """A copy with the solutions filled in. nbval does not compare the outputs of exercises: the notebook stores none."""
    filled = copy.deepcopy(notebook)
    for exercise in exercises(filled):
        exercise.fill_in["source"] = exercise.solution
        for cell in (exercise.fill_in, exercise.check):
            cell["metadata"]["tags"] = ["nbval-ignore-output"]
    return filled


def _solution(cell: NotebookNode) -> str:
    [code] = re.findall(r"^```python\n(.*?)\n```$", cell["source"], re.DOTALL | re.MULTILINE)
    return code


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for path in NOTEBOOKS.glob("*.ipynb"):
        nbformat.write(solved(read(path)), folder / path.name)
