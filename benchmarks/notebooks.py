"""All notebooks with nbval, in sequence, against notebooks with one trivial cell."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import nbformat

from .measuring import Case

PROJECT = Path(__file__).parents[1]
NBVAL = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env"]


def run() -> Iterator[Case]:
    """Measures the notebooks as `make test` runs them, with the exercises solved."""
    count = len(list(PROJECT.glob("notebooks/*.ipynb")))
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as course:
        subprocess.run([sys.executable, "-m", "tests.support.lessons", course], check=True, cwd=PROJECT)
        for number in range(count):
            empty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", execution_count=None)])
            empty.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
            nbformat.write(empty, Path(folder) / f"{number}.ipynb")
        run_all = partial(subprocess.run, check=True, stdout=subprocess.DEVNULL, cwd=PROJECT)
        ours = partial(run_all, [*NBVAL, "--nbval-sanitize-with", "tests/nbval_sanitise.cfg", course])
        rivals = {"floor: as many empty notebooks": (partial(run_all, [*NBVAL, "--nbval-lax", folder]), None)}
        size, notices = f"{count} notebooks", "for the test"
        yield Case("notebooks with nbval", size, notices, ours, rivals, under=20, rounds=2, warm=False)
