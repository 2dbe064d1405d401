"""How a form appears in a notebook: its widget, and a note that takes its place once its kernel has ended."""

from functools import cached_property
from typing import Any

import ipywidgets as widgets

from ..text import escaped
from .boxes import close
from .shared_code import shared_model_id
from .tasks import Tasks


class Displayed:
    """Displays `widget` until it is closed, and a note with the repr, which the page hides while the widget works.

    JupyterLab shows "model not found" for a widget without its kernel, and no other form of the same output. So the note is an
    output of its own. `static/loader.js` hides it.
    """

    widget: widgets.Widget

    @cached_property
    def _tasks(self) -> Tasks:
        return Tasks()

    def close(self) -> None:
        """Removes it from the page, and frees its widgets and tasks."""
        self._tasks.cancel()
        close(self.widget)

    def _ipython_display_(self) -> None:
        from IPython import get_ipython
        from IPython.display import display

        if getattr(get_ipython(), "kernel", None) is None:
            raise NotImplementedError  # a terminal, which shows the repr
        advice = "It works only while its kernel runs. To use it, run the notebook from the top."
        classes = f"mathjax_ignore tex2jax_ignore cx-ended-{shared_model_id()}"
        html = f'<p class="{classes}">This was <code>{escaped(repr(self))}</code>. {advice}</p>'
        for data in (self._repr_mimebundle_(), {"text/html": html, "text/plain": f"This was {self!r}. {advice}"}):
            display(data, raw=True)  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, "text/plain": repr(self)}
