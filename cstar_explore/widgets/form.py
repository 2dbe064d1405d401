"""What all forms share: one call at a time off the kernel's thread, its waits shown and cancellable, its errors in words.

A form holds no business logic. It collects arguments, calls one method of the client, and shows the line of Python that
does the same. The button schedules `submit()`; notebooks and tests await it, and get its result or its error.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

import ipywidgets as widgets

from ..api.client import Client
from ..api.retries import Wait
from ..errors import ConfirmationError, CStarError
from ..events import without_unknown_type_warnings
from ..models import Webhook
from ..plans import Outcome, Step
from ..text import printable
from .inputs import InputField, StatusLine, TextBlock, TextField
from .tasks import Tasks

T = TypeVar("T")
R = TypeVar("R")


class Form(Generic[T]):
    """A form around one call.

    Attributes:
        client: What it calls.
        widget: What is displayed.
        result: What the last successful call returned.
        status: The line that says how things stand.
        code: The line of Python that does the same.
        button: What submits.
        confirmation: On a live key, where the name is typed that confirms the call.
    """

    heading = ""
    action = ""
    danger = False

    def __init__(
        self,
        client: Client,
        fields: dict[str, InputField],
        *more: widgets.Widget,
        buttons: tuple[widgets.Button, ...] = (),
    ) -> None:
        self.client = client
        self.result: T | None = None
        self.fields = fields
        self.status = StatusLine()
        self.code = TextBlock(kind="code")
        self.button = widgets.Button(description=self.action, button_style="danger" if self.danger else "primary")
        self.cancel = widgets.Button(description="Cancel", tooltip="Stop waiting; the call is not repeated")
        self.confirmation = TextField("Confirm")
        self.title = TextBlock(kind="title")
        self.title.show(self.heading, client.environment, f"team {client.team_id}, key {client.key}")
        self.widget = widgets.VBox(
            [
                self.title,
                *fields.values(),
                *more,
                self.confirmation,
                self.code,
                row(self.button, *buttons, self.cancel),
                self.status,
            ]
        )
        self.widget.add_class("cx")
        self.widget.add_class("cx-form")
        set_visible(self.cancel, on=False)
        set_visible(self.confirmation, on=self._asks)
        self._wait: Wait | None = None
        self._running: asyncio.Task[T] | None = None
        self.tasks = Tasks()
        self._afterwards: Callable[[], object] | None = None
        self.button.on_click(lambda _: self._clicked())
        self.cancel.on_click(lambda _: self._wait and self._wait.cancel())
        for name, field in fields.items():
            field.observe(lambda _, name=name: self._field_edited(name), "value")
            field.on("left", partial(self.check, name))
            field.on("entered", self._clicked)
        self.confirmation.on("entered", self._clicked)
        self.button.disabled = not self.can_submit
        if not client.write:
            self.status.show("This client reads only: opened with write=True, the form can be sent.")

    # --- what each form is about -----------------------------------------------------------------------------------

    def call(self, client: Client) -> T:
        """The one call. Runs on another thread, with a client that announces its waits here."""
        raise NotImplementedError

    def python(self) -> str:
        """The line that does the same; nothing while there is nothing to do."""
        raise NotImplementedError

    def check(self, name: str) -> CStarError | None:
        """Checks one field and shows its message beside it; the error, if it cannot be sent as it is."""
        raise NotImplementedError

    def confirmation_text(self) -> str:
        """The name that is typed to confirm the call on a live key."""
        raise NotImplementedError

    def done(self, result: T) -> str:
        """Shows the result, and returns the sentence that says what was done."""
        raise NotImplementedError

    @property
    def can_submit(self) -> bool:
        """Whether there is something that may be sent."""
        return self.client.write

    async def prepare(self) -> None:
        """What has to be known before the call is made."""

    # --- submitting ------------------------------------------------------------------------------------------------

    async def submit(self, confirm: str | None = None) -> T:
        """Makes the call and returns its result. While one is under way, a second `submit` waits for the same one.

        Args:
            confirm: On a live key, the name that the form asks for.

        Raises:
            CStarError: Nothing was sent, or what came of it; the same is shown in the form.
        """
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._submit(confirm))
        return await asyncio.shield(self._running)

    async def _submit(self, confirm: str | None) -> T:
        self.button.disabled = True
        if self._wait is None:
            self.status.show("Sending …", "busy")
        try:
            self._check_all()
            if self.client.write:
                self._check_confirmation(confirm)
            await self.prepare()
            self.result = await self.run_in_thread(self.call)
        except CStarError as error:
            self._show_error(error)
            raise
        except BaseException as error:
            self.status.show(
                f"Stopped by {type(error).__name__}: {error}. Look whether it happened before you repeat it.", "failed"
            )
            raise
        else:
            self.status.show(self.done(self.result), "done")
            if self._afterwards is not None:
                self._afterwards()
            return self.result
        finally:
            self.button.disabled = not self.can_submit

    def on_done(self, afterwards: Callable[[], object]) -> None:
        """Calls this after each call that succeeded."""
        self._afterwards = afterwards

    @property
    def submitting(self) -> bool:
        """Whether the call is under way."""
        return self._running is not None and not self._running.done()

    async def run_in_thread(self, call: Callable[[Client], R]) -> R:
        """Runs a call beside the kernel, which stays free; shows its waits."""
        loop = asyncio.get_running_loop()
        patient = self.client.with_options(on_wait=lambda wait: loop.call_soon_threadsafe(self._show_wait, wait))
        try:
            with without_unknown_type_warnings():
                return await asyncio.to_thread(call, patient)
        finally:
            if self._wait is not None and not self.submitting:
                self.status.show("")  # the wait was for a look at the list, and is over
            self._wait = None
            set_visible(self.cancel, on=False)

    def close(self) -> None:
        """Takes the form off the page and frees its widgets."""
        self.tasks.cancel()
        close(self.widget)

    def _clicked(self) -> None:
        if not self.submitting:
            self.tasks.spawn(self.submit(self.confirmation.value or None))

    @property
    def _asks(self) -> bool:
        return self.client.environment == "live" and self.client.write

    def _field_edited(self, name: str) -> None:
        """What was wrong with a field is looked at again as it is mended, and old news is taken down."""
        self._edited()
        if self.fields[name].tone == "failed":
            self.check(name)
        if self.status.tone == "failed" and not self.submitting:
            self.status.show("")

    def _edited(self) -> None:
        self.code.show(*filter(None, [self.python()]))
        set_visible(self.confirmation, on=self._asks)
        self.confirmation.label = f"This is a live key. Type '{printable(self.confirmation_text(), 80)}' to confirm"

    def _check_all(self) -> None:
        errors = {name: error for name in self.fields if (error := self.check(name)) is not None}
        for name, error in errors.items():
            self.fields[name].focus()
            raise error

    def _check_confirmation(self, confirm: str | None) -> None:
        if self._asks and confirm != self.confirmation_text():
            self.confirmation.focus()
            raise ConfirmationError(
                f"This is a live key, and the call was not confirmed by '{printable(self.confirmation_text(), 80)}'.",
                advice="Type it into the form, or give submit(confirm=…).",
            )

    def _show_error(self, error: CStarError) -> None:
        field = self.fields.get(_FIELD_OF.get(error.param or "", error.param or ""))
        if field is not None:
            field.show(error.message, "failed")
            field.focus()
        self.status.show(f"Not done: {error}", "failed")

    def _show_wait(self, wait: Wait) -> None:
        self._wait = wait
        set_visible(self.cancel, on=True)
        sentence = f"{wait.reason.message.rstrip('.')}. Trying again in {wait.seconds:,.0f} s."
        self.status.show(sentence, "busy", (time.time() + wait.seconds) * 1000)

    # --- display ---------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.client.environment}, team {printable(self.client.team_id, 80)})"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return {**self.widget._repr_mimebundle_(**options), "text/plain": repr(self)}


# cStar's names for our fields, where they differ.
_FIELD_OF = {"isActive": "active", "is_active": "active"}


def row(*children: widgets.Widget) -> widgets.HBox:
    """Widgets side by side."""
    box = widgets.HBox(children)
    box.add_class("cx-row")
    return box


def panel(*children: widgets.Widget) -> widgets.VBox:
    """Widgets one below the other."""
    box = widgets.VBox(children)
    box.add_class("cx-panel")
    return box


def set_visible(widget: widgets.DOMWidget, *, on: bool) -> None:
    """Shows or hides a widget, keeping its place."""
    (widget.remove_class if on else widget.add_class)("cx-hidden")


def close(widget: widgets.Widget) -> None:
    """Frees a widget, all in it, and the layouts and styles that ipywidgets makes beside them."""
    for part in [*getattr(widget, "children", ()), getattr(widget, "layout", None), getattr(widget, "style", None)]:
        if isinstance(part, widgets.Widget):
            close(part)
    widget.close()


def named(webhook: Webhook) -> str:
    """A webhook in a sentence: its name and its id."""
    shown = printable(webhook.id, 80)
    return f"'{printable(webhook.name, 80)}' ({shown})" if webhook.name else shown


_MARKS: Mapping[Outcome, str] = {"done": "✓", "unchanged": "=", "failed": "✗", "unknown": "?", "not tried": "·"}


def step_line(step: Step, about: str) -> str:
    """What became of a step, on a line."""
    detail = f": {step.detail}" if step.detail else ""
    return f"{_MARKS[step.outcome]} {step.outcome}, {about}{detail}"


def plural(count: int, noun: str) -> str:
    """`1 webhook`, `2 webhooks`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
