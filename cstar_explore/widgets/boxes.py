"""Boxes and buttons with a small state. ipywidgets' own have a model for the layout and one for the style, of 1 kB and 0.5 kB each.

The stylesheet has both. The widget of a form keeps its `layout`, for users to change.
"""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import traitlets


class SmallState(widgets.Widget):  # type: ignore[misc] # ipywidgets has no types
    """Does not send what the page assumes by default, or does not use."""

    _omitted = frozenset({"_view_name", "_view_module", "_view_module_version", "box_style", "icon"})

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - as in ipywidgets
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if key is not None:
            return state
        return {name: value for name, value in state.items() if value is not None and name not in self._omitted}

    def _get_embed_state(self, drop_defaults: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - as in ipywidgets
        """The model's name, module and version are beside its state, too."""
        embedded: dict[str, Any] = super()._get_embed_state(drop_defaults)
        for name in ("_model_name", "_model_module", "_model_module_version"):
            del embedded["state"][name]
        return embedded


class Plain(SmallState):
    """Has no model for its layout."""

    layout = traitlets.Any(None).tag(sync=True, **widgets.widget_serialization)


class Button(Plain, widgets.Button):  # type: ignore[misc]
    style = traitlets.Any(None).tag(sync=True, **widgets.widget_serialization)

    def __init__(self, label: str, press: Callable[[], object], *, hidden: bool = False, **traits: Any) -> None:
        super().__init__(description=label, _dom_classes=("cx-hidden",) if hidden else (), **traits)
        self.on_click(lambda _: press())


class Box(Plain, widgets.Box): ...  # type: ignore[misc]


class Row(Plain, widgets.HBox): ...  # type: ignore[misc]


class Column(Plain, widgets.VBox): ...  # type: ignore[misc]


class Tabs(Plain, widgets.Tab): ...  # type: ignore[misc]


class _Layout(SmallState, widgets.Layout): ...  # type: ignore[misc]


class Frame(SmallState, widgets.VBox):  # type: ignore[misc]
    """The outermost box of a form."""

    @traitlets.default("layout")
    def _make_layout(self) -> widgets.Layout:
        return _Layout()


def row(*children: widgets.Widget, css: str = "") -> Row:
    """Widgets in a row, with another class of the stylesheet if it needs one."""
    return Row(children, _dom_classes=("cx-row", *css.split()))


def panel(*children: widgets.Widget, css: str = "") -> Column:
    """Widgets in a column, with another class of the stylesheet if it needs one."""
    return Column(children, _dom_classes=("cx-panel", *css.split()))


def set_visible(widget: widgets.DOMWidget, *, on: bool) -> None:
    """Shows or hides a widget."""
    (widget.remove_class if on else widget.add_class)("cx-hidden")


def close(widget: widgets.Widget) -> None:
    """Frees a widget, its children, and the layouts and styles that ipywidgets creates for them."""
    for part in [*getattr(widget, "children", ()), getattr(widget, "layout", None), getattr(widget, "style", None)]:
        if isinstance(part, widgets.Widget):
            close(part)
    widget.close()
