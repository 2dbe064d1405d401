"""Closes what an earlier run of the same notebook cell started."""

from typing import Any

# What each cell of a notebook started in its last run. Held, so that what is running can always be closed.
_started: dict[tuple[str, type], tuple[str, list[Any]]] = {}


def replaces_its_cell(closable: Any) -> None:
    """Registers something that has `close()`; closes what an earlier run of the same notebook cell registered of its type.

    Outside of notebooks nothing is registered.
    """
    cell, run = _cell_and_run()
    if cell is None:
        return
    key = (cell, type(closable))
    last_run, last = _started.get(key, ("", []))
    if last_run != run:
        for earlier in last:
            earlier.close()
        last = []
    _started[key] = (run, [*last, closable])


def _cell_and_run() -> tuple[str | None, str]:
    try:
        kernel = get_ipython().kernel  # type: ignore[name-defined] # a builtin inside of IPython
        parent = kernel.get_parent("shell")
    except (NameError, AttributeError):
        return None, ""
    # JupyterLab names the cell; other front ends do not, and there the code itself has to do.
    cell = parent.get("metadata", {}).get("cellId") or parent.get("content", {}).get("code")
    return cell, parent.get("header", {}).get("msg_id", "")
