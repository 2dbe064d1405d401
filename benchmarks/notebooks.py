"""All notebooks with nbval, in sequence, against notebooks with one trivial cell."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import nbformat

from .measuring import Case

PROJECT = Path(__file__).parents[1]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "3", "--dist", "loadfile"]
NBVAL = [*PYTEST, "--nbval", "--nbval-current-env"]


def run() -> Iterator[Case]:
    """Measures the notebooks as `make test` runs them, with the exercises solved."""
    count = len(list(PROJECT.glob("notebooks/*.ipynb")))
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            empty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", execution_count=None)])
            empty.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
            nbformat.write(empty, Path(folder) / f"{number}.ipynb")
        rivals = {"floor: as many empty notebooks": (partial(_seconds, [*NBVAL, "--nbval-lax", folder]), None)}
        size, notices = f"{count} notebooks", "for the test"
        yield Case("notebooks with nbval", size, notices, _lessons, rivals, under=20, rounds=2, warm=False)


def _lessons() -> float:
    """In a new folder each time, as some cells refuse to replace a file that they wrote."""
    with tempfile.TemporaryDirectory() as course:
        _seconds([sys.executable, "-m", "tests.support.lessons", course])
        return _seconds([*NBVAL, "--nbval-sanitize-with", "tests/nbval_sanitise.cfg", course])


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=PROJECT)
    return time.perf_counter() - began
