"""The stylesheet and the JavaScript of all widgets, in one model that every widget refers to.

anywidget stores `_css` and `_esm` in each widget's state, so that an Explorer would hold them dozens of times.
"""

import base64
import functools
import gzip
import json
import re
from pathlib import Path

import ipywidgets as widgets
import traitlets

from ..events import groups

_STATIC = Path(__file__).parent / "static"

# The `_esm` of every widget.
LOADER = (
    "export default{async render(c){let m=c.model,s=await m.widget_manager.get_model(m.get('_shared').slice(10));"
    "return(await(s.cx??=import(URL.createObjectURL(new Blob([s.get('loader')],{type:'text/javascript'}))))).default(s,c)}}"
)


class SharedCode(widgets.Widget):  # type: ignore[misc] # ipywidgets has no types
    """Holds the stylesheet and the scripts, compressed. Their loader adds the stylesheet to the page once."""

    loader = traitlets.Unicode().tag(sync=True)
    packed = traitlets.Unicode().tag(sync=True)

    def __init__(self) -> None:
        super().__init__(loader=_read("loader.js"), packed=_packed())


_users: set[int] = set()
_current: SharedCode | None = None


def shared_code_for(widget: widgets.Widget) -> SharedCode:
    """The model with the code, which stays open until `release` was called for its last widget."""
    global _current  # noqa: PLW0603 - one for the process
    if _current is None or _current.comm is None:
        _current = SharedCode()
    _users.add(id(widget))
    return _current


def shared_model_id() -> str:
    """The ID of the model with the code; empty while there is none."""
    return "" if _current is None else str(_current.model_id or "")


def release(widget: widgets.Widget) -> None:
    """Closes the model with the code after its last widget."""
    _users.discard(id(widget))
    if _current is not None and not _users:
        _current.close()


@functools.cache
def _packed() -> str:
    """A module with the stylesheet as `css`, and each script's render function by its name as `scripts`, in gzip and base64."""
    functions = ",\n".join(
        f"{file.stem}: (() => {{\n{_body(file.name)}}})()"
        for file in sorted(_STATIC.glob("*.js"))
        if file.name not in ("loader.js", "shared.js")
    )
    css = f"export const css = {json.dumps(_read('cstar.css'))};\n"
    catalogue = f"export const catalogue = {json.dumps(groups())};\n"
    module = f"{css}{catalogue}{_read('shared.js')}\nexport const scripts = {{\n{functions}\n}};\n"
    return base64.b64encode(gzip.compress(module.encode(), mtime=0)).decode()


def _body(name: str) -> str:
    """A script as the body of a function that returns `render`. What it imports is in the same module."""
    script = re.sub(r'^import \{.*\} from "\./shared\.js";\n', "", _read(name), flags=re.MULTILINE)
    return script.replace("export default { render };", "return render;")


def _read(name: str) -> str:
    """A file without indentation, and without comments on lines of their own."""
    text = (_STATIC / name).read_text(encoding="utf-8")
    return re.sub(r"^\s*//[^\n]*\n|/\*.*?\*/\n*|^\s+", "", text, flags=re.MULTILINE | re.DOTALL)
