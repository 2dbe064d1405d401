"""Closes what the previous run of the same notebook cell opened."""

from typing import Any

# The id of each cell's last run and what it opened, by cell and type.
_opened: dict[tuple[str, type], tuple[str, list[Any]]] = {}


def close_on_rerun(closable: Any) -> None:
    """Registers an object that has `close()`, and closes those of its type from the previous run of the same notebook cell.

    Outside of notebooks it does nothing.
    """
    cell, run = _cell_and_run()
    if cell is None:
        return
    key = (cell, type(closable))
    last_run, opened = _opened.get(key, ("", []))
    if last_run != run:
        for previous in opened:
            previous.close()
        opened = []
    _opened[key] = (run, [*opened, closable])


def _cell_and_run() -> tuple[str | None, str]:
    try:
        kernel = get_ipython().kernel  # type: ignore[name-defined] # a builtin in IPython
        parent = kernel.get_parent("shell")
    except (NameError, AttributeError):
        return None, ""
    # JupyterLab sends the cell's id. For other front ends, the code identifies the cell.
    cell = parent.get("metadata", {}).get("cellId") or parent.get("content", {}).get("code")
    return cell, parent.get("header", {}).get("msg_id", "")
