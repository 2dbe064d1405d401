"""Closes what the previous run of the same notebook cell opened."""

import contextlib
from typing import Any

# The id of each cell's last run and what it opened, by cell and type.
_opened: dict[tuple[str, type], tuple[str, list[Any]]] = {}


def close_previous(kind: type) -> None:
    """Closes what the previous run of this notebook cell opened of this type. A constructor calls it before it opens anything.

    Only front ends that send the cell's id, such as JupyterLab and VS Code, have anything closed. Two cells may have the same
    code, so the code does not identify a cell.
    """
    cell, run = _cell_and_run()
    if cell is None or _opened.get((cell, kind), (run, []))[0] == run:
        return
    for previous in _opened.pop((cell, kind))[1]:
        previous.close()


def close_on_rerun(closable: Any) -> None:
    """Registers an object that has `close()` for `close_previous`. A constructor calls it last, so that it is complete."""
    cell, run = _cell_and_run()
    if cell is not None:
        _opened.setdefault((cell, type(closable)), (run, []))[1].append(closable)


def _cell_and_run() -> tuple[str | None, str]:
    """The id of the cell that is running, if the front end sends one, and the id of this run."""
    # A kernel may have no parent message, or raise anything when asked for it.
    with contextlib.suppress(Exception):
        parent = get_ipython().kernel.get_parent("shell")  # type: ignore[name-defined] # noqa: F821 - a builtin in IPython
        cell, run = parent["metadata"]["cellId"], parent["header"]["msg_id"]
        if isinstance(cell, str) and isinstance(run, str) and cell:
            return cell, run
    return None, ""
