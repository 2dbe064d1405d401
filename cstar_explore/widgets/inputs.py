"""The widgets that forms are made of. Each is a few lines of JavaScript in `static/`, and sets foreign text as text only.

ipywidgets' own text fields have no place for a message, no `aria-*` and no live region, and their labels typeset `$…$`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ..events import groups, unknown_type_warning
from ..secret import Secret
from ..text import printable

_MOST = 200  # rows of words on a page

STATIC = Path(__file__).parent / "static"


class BaseWidget(anywidget.AnyWidget):
    _css = STATIC / "cstar.css"

    # The default repr lists every trait; one name is enough, and repeats between runs.
    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class TextBlock(BaseWidget):
    """TextBlock of the kernel's: a `title`, a `note`, a `list`, a line of `code`, or a `cell` of it that can be copied. Without lines it takes no room."""

    _esm = STATIC / "words.js"
    kind = traitlets.Enum(("title", "note", "list", "code", "cell")).tag(sync=True)
    lines = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def show(self, *lines: str) -> None:
        """Shows these lines, made printable, in place of the ones before."""
        self.lines = [line if self.kind in ("code", "cell") else printable(line, 2_000) for line in lines]


class TextTable(BaseWidget):
    """A table of words to be read. Without rows it takes no room."""

    _esm = STATIC / "rows.js"
    columns: traitlets.List[str] = traitlets.List().tag(sync=True)
    rows: traitlets.List[list[str]] = traitlets.List().tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)

    def fill(self, rows: Sequence[Sequence[object]]) -> None:
        """Shows these rows, made printable; of very many the first, and says so."""
        with self.hold_sync():
            self.rows = [[printable("" if cell is None else cell, 400) for cell in row] for row in rows[:_MOST]]
            self.said = f"The first {_MOST} of {len(rows):,}." if len(rows) > _MOST else ""


class StatusLine(BaseWidget):
    """The line that says how things stand, in words, announced to screen readers."""

    _esm = STATIC / "status.js"
    text = traitlets.Unicode().tag(sync=True)
    tone = traitlets.Enum(("", "busy", "done", "failed"), default_value="").tag(sync=True)
    wait_until = traitlets.Float(0).tag(sync=True)  # milliseconds of Unix time; past means no wait

    def show(self, text: str, tone: str = "", wait_until: float = 0) -> None:
        """Shows a sentence; a wait counts down behind it."""
        with self.hold_sync():
            self.text, self.tone, self.wait_until = printable(text, 2_000), tone, wait_until


class InputField(BaseWidget):
    label = traitlets.Unicode().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    tone = traitlets.Enum(("", "failed", "warned"), default_value="").tag(sync=True)

    def __init__(self, label: str, **traits: Any) -> None:
        super().__init__(label=label, **traits)
        self._heard: dict[str, Callable[[], object]] = {}
        self.on_msg(self._hear)

    def on(self, event: str, handler: Callable[[], object]) -> None:
        """Calls the handler when the field is `left`, or when Enter is pressed in it (`entered`)."""
        self._heard[event] = handler

    def show(self, message: str = "", tone: str = "") -> None:
        """Shows a message beside the field."""
        with self.hold_sync():
            self.message, self.tone = printable(message), tone

    def focus(self) -> None:
        """Puts the cursor into the field."""
        self.send({"event": "focus"})

    def _hear(self, _: object, content: dict[str, Any], __: object) -> None:
        handler = self._heard.get(str(content.get("event")))
        if handler is not None:
            handler()


class TextField(InputField):
    """A line of text."""

    _esm = STATIC / "text_field.js"
    value = traitlets.Unicode().tag(sync=True)
    placeholder = traitlets.Unicode().tag(sync=True)
    suggestions = traitlets.List(traitlets.Unicode()).tag(sync=True)
    disabled = traitlets.Bool(default_value=False).tag(sync=True)


class TickField(InputField):
    """A tick."""

    _esm = STATIC / "tick_field.js"
    value = traitlets.Bool(default_value=False).tag(sync=True)


class EventsField(InputField):
    """Event types, typed or ticked by group; `unknown` are those that are not in the catalogue."""

    _esm = STATIC / "events_field.js"
    value = traitlets.List(traitlets.Unicode()).tag(sync=True)
    unknown = traitlets.List(traitlets.Unicode()).tag(sync=True)
    catalogue = traitlets.Dict().tag(sync=True)

    def __init__(self, label: str, **traits: Any) -> None:
        super().__init__(label, catalogue={group: list(names) for group, names in groups().items()}, **traits)
        self.mark_unknown()

    def mark_unknown(self) -> None:
        """Marks those that are not in the catalogue."""
        self.unknown = [name for name in self.value if unknown_type_warning(name)]


class SecretReveal(BaseWidget):
    """A signing secret, masked until the page asks for it. Its value is in no trait: it goes out by message, when asked."""

    _esm = STATIC / "secret_reveal.js"
    mask = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)

    def __init__(self, secret: Secret, note: str) -> None:
        super().__init__(mask=str(secret), note=note)
        self._secret = secret
        self.on_msg(self._answer)

    def _answer(self, _: object, content: dict[str, Any], __: object) -> None:
        if content.get("event") == "ask":
            self.send({"nonce": content.get("nonce"), "value": self._secret.reveal()})
