"""The time of all notebooks with nbval, in sequence, against notebooks with one trivial cell."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat

from .measuring import Row

PROJECT = Path(__file__).parents[1]
NBVAL = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env"]


def run() -> Iterator[Row]:
    """Measures the notebooks as `make test` runs them, with the exercises solved."""
    count = len(list(PROJECT.glob("notebooks/*.ipynb")))
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as course:
        subprocess.run([sys.executable, "-m", "tests.support.lessons", course], check=True, cwd=PROJECT)
        for number in range(count):
            empty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", execution_count=None)])
            empty.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
            nbformat.write(empty, Path(folder) / f"{number}.ipynb")
        ours, theirs = [], []
        for _ in range(2):
            ours.append(_seconds([*NBVAL, "--nbval-sanitize-with", "tests/nbval_sanitise.cfg", course]))
            theirs.append(_seconds([*NBVAL, "--nbval-lax", folder]))
    yield Row("all notebooks with nbval", f"{count} notebooks", "as many empty notebooks", ours, theirs, "under 60 s")


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=PROJECT)
    return time.perf_counter() - began
