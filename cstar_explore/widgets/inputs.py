"""The widgets that forms are built from. Their JavaScript is in `static/`; it sets text as text, never as HTML.

ipywidgets' own inputs have no message, no `aria-*` attributes and no live region, and typeset `$…$` in labels.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import anywidget
import ipywidgets as widgets
import traitlets

from ..errors import CStarError
from ..events import meant_type, split_events, unknown_type_warning
from ..secret import Secret
from ..text import printable
from .boxes import Plain
from .shared_code import LOADER, release, shared_code_for

_MAX_ROWS = 200

T = TypeVar("T")

MASK_KEY = secrets.token_hex(8)  # the digits of masks differ in each process


class BaseWidget(Plain, anywidget.AnyWidget):
    """A widget whose `_script_name` is a file of `static/` that exports `render`. Its code and style come from the shared model."""

    _esm = LOADER
    _omitted = frozenset({"_anywidget_id"})
    _script_name: str
    _shared = traitlets.Instance(widgets.Widget, allow_none=True).tag(sync=True, **widgets.widget_serialization)
    _script = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(_shared=shared_code_for(self), _script=self._script_name, **traits)

    def on(self, event: str, handler: Callable[[], object]) -> None:
        """Calls the handler when the page sends this event."""
        self.on_msg(lambda _, content, __: content.get("event") == event and handler())

    def answer(self, answer: Callable[[object], str]) -> None:
        """Sends the page the answer to what it asks. The nonce of the question keeps it from other views."""

        def reply(_: object, content: dict[str, Any], __: object) -> None:
            if content.get("event") == "ask":
                self.send({"nonce": content.get("nonce"), "value": answer(content.get("what"))})

        self.on_msg(reply)

    def close(self) -> None:
        super().close()
        release(self)

    # The default repr lists every trait and differs between runs.
    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class View(BaseWidget):
    """Shows its content, whose parts a script gets by name. Foreign text in it must be printable."""

    content: "traitlets.Dict[str, Any]" = traitlets.Dict().tag(sync=True)

    def __init__(self, script: str, **content: Any) -> None:
        self._script_name = script
        super().__init__(content=content)

    def show(self, **changes: Any) -> None:
        """Replaces some parts."""
        self.content = self.content | changes


class Paged(BaseWidget):
    """Shows one page of its rows."""

    page = traitlets.Int(1).tag(sync=True)
    pages = traitlets.Int(1).tag(sync=True)

    def _page_of(self, rows: list[T], size: int) -> list[T]:
        """The rows of the page, which is the last one if there are fewer."""
        self.pages = max(1, -(-len(rows) // size))
        self.page = min(max(1, self.page), self.pages)
        return rows[(self.page - 1) * size : self.page * size]


class TextBlock(BaseWidget):
    """A `title`, a `note`, a `list`, or lines of `code` with a copy button. Hidden while empty."""

    _script_name = "text_block"
    kind = traitlets.Enum(("title", "note", "list", "code")).tag(sync=True)
    lines = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def show(self, *lines: str) -> None:
        """Replaces the lines. All but code is made printable."""
        self.lines = [line if self.kind == "code" else printable(line, 2_000) for line in lines]


class TextTable(View):
    """A read-only table of text. Hidden while empty."""

    def __init__(self, *columns: str) -> None:
        super().__init__("text_table", columns=columns, rows=[], note="")

    def fill(self, rows: Sequence[Sequence[object]]) -> None:
        """Replaces the rows, made printable. Shows the first 200 and how many there are."""
        shown = [[printable("" if cell is None else cell, 400) for cell in row] for row in rows[:_MAX_ROWS]]
        note = f"Showing the first {_MAX_ROWS} of {len(rows):,} rows." if len(rows) > _MAX_ROWS else ""
        self.show(rows=shown, note=note)


class StatusLine(BaseWidget):
    """A status message, announced to screen readers."""

    _script_name = "status_line"
    text = traitlets.Unicode().tag(sync=True)
    tone = traitlets.Enum(("", "busy", "done", "warned", "failed"), default_value="").tag(sync=True)
    wait_until = traitlets.Float(0).tag(sync=True)  # milliseconds of Unix time; in the past if nothing waits

    def show(self, text: str, tone: str = "", wait_until: float = 0) -> None:
        """Shows a sentence, followed by a countdown if it waits."""
        with self.hold_sync():
            self.text, self.tone, self.wait_until = printable(text, 2_000), tone, wait_until

    @contextmanager
    def reporting(self, failure: str) -> Iterator[None]:
        """Shows an error, after what it prevented, and raises it."""
        try:
            yield
        except CStarError as error:
            self.show(f"{failure}: {error}", "failed")
            raise


class InputField(BaseWidget):
    """A field with a label and a message. It sends `blur` when it loses the focus, and `enter`."""

    label = traitlets.Unicode().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    tone = traitlets.Enum(("", "failed", "warned", "done"), default_value="").tag(sync=True)

    def __init__(self, label: str, **traits: Any) -> None:
        super().__init__(label=label, **traits)

    def show(self, message: str = "", tone: str = "") -> None:
        """Shows a message below the field."""
        with self.hold_sync():
            self.message, self.tone = printable(message), tone

    def focus(self) -> None:
        """Moves the focus to the field."""
        self.send({"event": "focus"})


class TextField(InputField):
    """A line of text."""

    _script_name = "text_field"
    value = traitlets.Unicode().tag(sync=True)
    placeholder = traitlets.Unicode().tag(sync=True)


# Not ipywidgets' Checkbox: it typesets its label, and shows neither a message nor `aria-invalid`.
class CheckboxField(InputField):
    _script_name = "checkbox_field"
    value = traitlets.Bool(default_value=False).tag(sync=True)


class EventsField(InputField):
    """Event types, chosen by a part of their name or by group. Any other text is a type too, and warned of.

    Attributes:
        unknown: The types that are not in the catalogue, each with the one that was probably meant, or "".
        pending: A typed text that several types contain, of which the user has chosen none.
    """

    _script_name = "events_field"
    value: Any = traitlets.List(traitlets.Unicode()).tag(sync=True)
    unknown: "traitlets.Dict[str, str]" = traitlets.Dict().tag(sync=True)
    pending = traitlets.Unicode().tag(sync=True)

    @traitlets.observe("value")
    def _warn(self, _: object) -> None:
        warnings = {name: unknown_type_warning(name) for name in split_events(self.value)}
        shown = [warning for warning in warnings.values() if warning]
        self.unknown = {name: meant_type(name) or "" for name, warning in warnings.items() if warning}
        if self.tone != "failed":
            self.show(" ".join(shown), "warned" if shown else "")


class EventField(EventsField):
    """One event type. Its value is text."""

    value: Any = traitlets.Unicode().tag(sync=True)


class SecretReveal(View):
    """A signing secret, masked until the user reveals it.

    No trait holds the value, so no saved notebook does: it is sent as a message when the page asks for it.
    """

    def __init__(self, secret: Secret, note: str) -> None:
        super().__init__("secret_reveal", mask=str(secret), note=note)
        self.answer(lambda _: secret.reveal())
