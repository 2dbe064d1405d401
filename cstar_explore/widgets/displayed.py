"""What forms and views have in common: how they appear in a notebook, their background tasks, and how they are closed."""

import asyncio
from collections.abc import Coroutine
from functools import cached_property
from typing import Any, TypeVar

import ipywidgets as widgets

from ..text import escaped
from .boxes import close
from .shared_code import shared_model_id

T = TypeVar("T")


class Tasks(set["asyncio.Task[Any]"]):
    """The running background tasks of one widget. The event loop holds only weak references."""

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T] | None:
        """Runs a coroutine that shows its own errors. Does nothing without a running loop."""
        try:
            task = asyncio.get_running_loop().create_task(work)
        except RuntimeError:
            work.close()
            return None
        self.add(task)
        task.add_done_callback(self.discard)
        # Retrieve the exception, so that asyncio does not log it as never retrieved.
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return task

    def cancel(self) -> None:
        """Cancels the tasks that are still running."""
        for task in self:
            task.cancel()


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
