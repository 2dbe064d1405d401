"""The base class of all forms.

A form collects arguments, makes one call of the client on another thread, and shows the equivalent line of Python. It
contains no business logic. Its button starts `submit()`; notebooks and tests await that for the result or the error.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

import ipywidgets as widgets

from ..api.client import Client
from ..api.retries import Wait
from ..errors import ConfirmationError, CStarError, ValidationError
from ..events import without_unknown_type_warnings
from ..models import Webhook
from ..text import plural, printable
from .boxes import Button, Frame, row, set_visible
from .displayed import Displayed
from .inputs import InputField, StatusLine, TextBlock, TextField

T = TypeVar("T")
R = TypeVar("R")


class Form(Displayed, Generic[T]):
    """A form that makes one call.

    Attributes:
        client: The client that makes the call.
        widget: The displayed widget.
        fields: The input fields by name.
        result: The result of the last successful call.
        status: The status line.
        code: The equivalent line of Python.
        button: The submit button.
        confirmation: The field for the text that confirms the call. It is on the page if the key is live.
        on_done: Called after each successful call.
    """

    heading = ""
    action = ""
    danger = False
    stop_hint = ""  # the tooltip of Stop, for a call in several steps
    writes = True  # else a live key needs no confirmation, and a read-only client may submit it

    def __init__(
        self,
        client: Client,
        fields: dict[str, InputField],
        *more: widgets.Widget,
        buttons: tuple[Button, ...] = (),
        results: tuple[widgets.Widget, ...] = (),
    ) -> None:
        self.client = client
        self.result: T | None = None
        self.on_done: Callable[[], object] = lambda: None
        self.fields = fields
        self.status = StatusLine()
        self.code = TextBlock(kind="code")
        self.button = Button(self.action, self._on_click, button_style="danger" if self.danger else "primary")
        self.cancel = Button("Cancel", self._cancel_wait, hidden=True, tooltip="Stop waiting and do not retry")
        self.title = TextBlock(kind="title")
        self.title.show(self.heading, client.environment, f"team {client.team_id}, key {client.key}")
        self.stop = Button("Stop", self._stop, hidden=True, tooltip=self.stop_hint)
        self.bar = row(self.button, *([self.stop] if self.stop_hint else []), *buttons, self.cancel, self.status)
        self.confirmation = TextField("Confirm", _dom_classes=("cx-confirm", "cx-hidden"))
        self.confirmation.on("enter", self._on_click)
        confirmation = [self.confirmation] if self._needs_confirmation else []
        # What a call shows is below its button, so that it does not move the button.
        parts = [self.title, *fields.values(), *more, *confirmation, self.code, self.bar, *results]
        self.widget = Frame(parts, _dom_classes=("cx", "cx-form"))
        self._wait: Wait | None = None
        self._stopped = False
        self._submission: asyncio.Task[T] | None = None
        self._clicked: list[Any] | None = None  # the values of a click that was the last submission
        for name, field in fields.items():
            field.observe(lambda _, name=name: self._on_edit(name), "value")
            field.on("blur", partial(self._validate_field, name))
            field.on("enter", self._on_click)
        self.button.disabled = not self._can_submit
        if self.writes and not client.write:
            self.status.show("This client is read-only. To submit this form, open the client with write=True.")

    # --- overridden by each form -----------------------------------------------------------------------------------

    def _call(self, client: Client) -> T:
        """Makes the call. Runs on another thread, with a client that reports its waits to this form."""
        raise NotImplementedError

    def _python(self) -> str:
        """The equivalent Python, mostly one line; empty if there is nothing to do."""
        raise NotImplementedError

    def _check_field(self, name: str) -> str:  # noqa: ARG002 - for forms with fields
        """Returns what to know about a field's value, often nothing. Raises ValidationError if the value cannot be sent."""
        return ""

    def _confirmation_text(self) -> str:
        """The text that confirms the call with a live key."""
        raise NotImplementedError

    def _describe_result(self, result: T) -> str:
        """Shows the result and returns the sentence for the status line."""
        raise NotImplementedError

    def _tone_of(self, result: T) -> str:  # noqa: ARG002 - for forms whose result may be bad news
        """The tone of that sentence."""
        return "done"

    @property
    def _can_submit(self) -> bool:
        return self.client.write or not self.writes

    async def _prepare(self) -> None:
        """Runs before the call is made."""

    # --- submitting ------------------------------------------------------------------------------------------------

    async def submit(self, confirm: str | None = None) -> T:
        """Makes the call and returns its result. A second `submit` during the call waits for the same call.

        After a successful click, the first `submit` returns the click's result if no field has changed, and sends nothing: a
        notebook offers the button or the next cell.

        Args:
            confirm: The text that the form asks for if the key is live.

        Raises:
            CStarError: The call failed or was not made. The form shows the same error.
        """
        clicked, self._clicked = self._clicked, None
        submission = self._submission
        if submission is not None and clicked == self._values() and _succeeded(submission):
            return submission.result()
        if submission is None or submission.done():
            self._submission = submission = asyncio.ensure_future(self._submit(confirm))
        return await asyncio.shield(submission)

    def _values(self) -> list[Any]:
        return [field.value for field in self.fields.values()]

    async def _submit(self, confirm: str | None) -> T:
        self.button.disabled = True
        if self._wait is None:
            self.status.show("Sending …", "busy")
        try:
            self._validate_all()
            self._check_confirmation(confirm)
            await self._prepare()
            self._stopped = False
            set_visible(self.stop, on=True)
            self.result = await self._run_in_thread(self._call)
        except CStarError as error:
            self._show_error(error)
            raise
        except BaseException as error:
            self.status.show(
                f"Stopped by {type(error).__name__}: {error}. Check whether it took effect before you retry.", "failed"
            )
            raise
        else:
            self.confirmation.value = ""
            self.status.show(self._describe_result(self.result), self._tone_of(self.result))
            self.on_done()
            return self.result
        finally:
            set_visible(self.stop, on=False)
            self.button.disabled = not self._can_submit

    def remove_title(self) -> None:
        """Removes the title, for a form inside a widget that has one."""
        self.widget.children = [part for part in self.widget.children if part is not self.title]
        self.title.close()

    @property
    def submitting(self) -> bool:
        """Whether the call is in progress."""
        return self._submission is not None and not self._submission.done()

    async def _run_in_thread(self, call: Callable[[Client], R]) -> R:
        """Runs a call on another thread and shows its waits."""
        self._loop = asyncio.get_running_loop()
        client = self.client.with_options(on_wait=self._in_loop(self._show_wait))
        try:
            with without_unknown_type_warnings():
                return await asyncio.to_thread(call, client)
        finally:
            if self._wait is not None and not self.submitting:
                self.status.show("")  # a read outside a submission has ended, and its wait with it
            self._wait = None
            set_visible(self.cancel, on=False)

    def _in_loop(self, show: Callable[..., object]) -> Callable[..., object]:
        """A function for the call's thread, which calls `show` in the event loop."""
        return partial(self._loop.call_soon_threadsafe, show)

    def _stop(self) -> None:
        self._stopped = True

    def close(self) -> None:
        """Removes the form from the page and frees its widgets. A call in several steps stops after the current one."""
        self._stopped = True
        for part in (self.confirmation, self.stop):
            part.close()
        super().close()

    def _on_click(self) -> None:
        if self.submitting:
            return
        self._submission = self._tasks.spawn(self._submit(self.confirmation.value or None))
        self._clicked = self._values()

    @property
    def _needs_confirmation(self) -> bool:
        return self.writes and self.client.write and self.client.environment == "live"

    def _on_edit(self, name: str) -> None:
        """Validates a field with an error again, and clears the error in the status line."""
        self._update()
        if self.fields[name].tone == "failed":
            self._validate_field(name)
        if self.status.tone == "failed" and not self.submitting:
            self.status.show("")

    def _update(self) -> None:
        """Updates what depends on the fields."""
        self.code.show(*filter(None, self._python().split("\n")))
        if not self.submitting:
            self.button.disabled = not self._can_submit
        if self._needs_confirmation:
            text = self._confirmation_text()
            set_visible(self.confirmation, on=bool(text))
            self.confirmation.label = f"This is a live key. Type '{printable(text, 80)}' to confirm"

    def _validate_field(self, name: str) -> ValidationError | None:
        """Validates a field and shows its message. Returns the error if the value cannot be sent."""
        field = self.fields[name]
        try:
            warning = self._check_field(name)
        except ValidationError as error:
            field.show(f"{error.message} {error.advice}", "failed")
            return error
        field.show(warning, "warned" if warning else "")
        return None

    def _validate_all(self) -> None:
        checked = [(field, self._undecided(name) or self._validate_field(name)) for name, field in self.fields.items()]
        for field, error in checked:
            if error is not None:
                field.focus()
                raise error

    def _undecided(self, name: str) -> ValidationError | None:
        """The error if the field holds a typed text of which the user has not chosen what it means."""
        text = getattr(self.fields[name], "pending", "")
        if not text:
            return None
        return ValidationError(
            f"Several event types contain '{printable(text, 80)}'.",
            param=name,
            advice="Choose one, or press Escape and Enter in the field to add it as typed.",
        )

    def _check_confirmation(self, confirm: str | None) -> None:
        if self._needs_confirmation and confirm != self._confirmation_text():
            self.confirmation.focus()
            raise ConfirmationError(
                f"This is a live key: the call must be confirmed with '{printable(self._confirmation_text(), 80)}'.",
                advice="Type it into the form, or pass submit(confirm=…).",
            )

    def _show_error(self, error: CStarError) -> None:
        field = self.fields.get(_FIELD_OF.get(error.param or "", error.param or ""))
        if field is not None:
            # cStar's own errors have no advice about the field.
            field.show(f"{error.message} {error.advice}" if error.status is None else error.message, "failed")
            field.focus()
            count = sum(each.tone == "failed" for each in self.fields.values())
            request = f" ({error.request_id})" if error.request_id else ""
            self.status.show(f"{plural(count, 'field')} to correct{request}.", "failed")
        else:
            self.status.show(f"Error: {error}", "failed")

    def _cancel_wait(self) -> None:
        if self._wait is not None:
            self._wait.cancel()

    def _show_wait(self, wait: Wait) -> None:
        self._wait = wait
        set_visible(self.cancel, on=True)
        text = f"{wait.reason.message.rstrip('.')}. Retrying in {wait.seconds:,.0f} s."
        self.status.show(text, "busy", (time.time() + wait.seconds) * 1000)

    # --- display ---------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.client.environment}, team {printable(self.client.team_id, 80)})"


# `param` in cStar's errors, where it differs from the field's name.
_FIELD_OF = {"isActive": "active", "is_active": "active"}


def _succeeded(task: "asyncio.Task[Any]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def named(webhook: Webhook) -> str:
    """The name and ID of a webhook, as shown in sentences."""
    identifier = printable(webhook.id, 80)
    return f"'{printable(webhook.name, 80)}' ({identifier})" if webhook.name else identifier
