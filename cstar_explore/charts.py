"""Charts for notebooks and HTML reports, made with matplotlib but without its global state."""

import io
import unicodedata
import warnings
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from threading import RLock
from typing import Any

import matplotlib as mpl
from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager, get_font
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from .text import escaped

INK, MUTED, GRID = "#1c1c1c", "#555555", "#dddddd"
GOOD, BAD = "#1b6b20", "#b3261e"

_MATPLOTLIB_SETTINGS = RLock()

# The chart has the colors of a light page. On a dark page they are inverted and keep their hue. A page that is neither known
# to be light nor known to be dark, or that removes styles, as JupyterLab does in notebooks that it does not trust, keeps the
# white background.
_ON_DARK = "filter:invert(1) hue-rotate(180deg)"
_STYLE = (
    ":is([data-jp-theme-light],[class*=vscode-]) .cx-chart{background-color:transparent!important}"
    f":is([data-jp-theme-light=false],.vscode-dark,.vscode-high-contrast:not(.vscode-high-contrast-light)) .cx-chart{{{_ON_DARK}}}"
)


@contextmanager
def plain_style() -> Iterator[None]:
    """Draws in matplotlib's default style. The user's own, such as "dark_background", would make text unreadable."""
    with _MATPLOTLIB_SETTINGS, style.context("default", after_reset=True):
        yield


class Chart:
    """A figure with alternative text. It displays itself in a notebook, in the colors of its theme.

    Attributes:
        figure: The matplotlib figure.
        title: Its title.
        alt_text: Alternative text.
    """

    def __init__(self, width: float, height: float, alt_text: str = "", title: str = "") -> None:
        self.figure = Figure(figsize=(width, height), layout="constrained")
        self.title = title
        self.alt_text = alt_text
        self.figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold", color=INK)

    def svg(self) -> str:
        """The chart as SVG with a transparent background; equal charts give equal text."""
        self._choose_fonts()
        return self._render("svg", metadata={"Date": None, "Creator": None}).decode()

    def image(self) -> str:
        """The chart as an HTML image with its alternative text."""
        source = b64encode(self.svg().encode()).decode()
        return (
            f'<img class="cx-chart" style="background-color:#fff" alt="{escaped(self.alt_text, 5_000)}"'
            f' src="data:image/svg+xml;base64,{source}">'
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.alt_text.rstrip('.')})"

    def _repr_html_(self) -> str:
        advice = self._choose_fonts()
        return f"<style>{_STYLE}</style>{self.image()}{advice and f'<p>{escaped(advice)}</p>'}"

    def _repr_png_(self) -> bytes:
        """For viewers that show no HTML. Text has a white outline, because the background is unknown."""
        note = self.figure.supxlabel("", fontsize=8, color=INK)
        note.set_text(self._choose_fonts())
        texts = [text for text in self.figure.findobj(Text) if text.get_color() != "white"]
        for text in texts:
            text.set_path_effects([withStroke(linewidth=2, foreground="white")])
        try:
            return self._render("png", dpi=110)
        finally:
            note.set_text("")
            for text in texts:
                text.set_path_effects([])

    def _choose_fonts(self) -> str:
        """Adds installed fonts for the characters that the default font lacks. Returns a sentence on those that no font has."""
        texts = self.figure.findobj(Text)
        families, lacking = _fonts_for(frozenset("".join(text.get_text() for text in texts)))
        for text in texts:
            text.set_fontfamily(families)
        return f"If a name shows boxes, install a font for {' and '.join(lacking)}." if lacking else ""

    def _render(self, kind: str, **options: Any) -> bytes:
        for text in self.figure.findobj(Text):
            text.set_parse_math(False)  # names are untrusted text: "$5 and $6" is not a formula
        output = io.BytesIO()
        # Text stays text in SVG: the browser has fonts for every script.
        settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "cstar_explore"}
        with plain_style(), mpl.rc_context(settings), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
            self.figure.savefig(output, format=kind, transparent=True, **options)
        return output.getvalue()


@lru_cache(maxsize=16)
def _fonts_for(characters: frozenset[str]) -> tuple[list[str], list[str]]:
    """The default font and the installed fonts that supplement it, and the scripts that none of them has."""
    families, wanted = [], {character for character in characters if not character.isspace()}
    # matplotlib's Last Resort has a box for every character.
    regular = [
        font
        for font in fontManager.ttflist
        if (font.style, font.weight) == ("normal", 400) and "Last Resort" not in font.name
    ]
    for font in sorted(
        regular, key=lambda font: (font.name != "DejaVu Sans", not font.name.startswith("Noto Sans"), font.name)
    ):
        if not wanted:
            break
        with suppress(OSError, RuntimeError):  # it was uninstalled, or has no scalable glyphs
            found = {character for character in wanted if get_font(font.fname).get_char_index(ord(character))}
            wanted -= found
            families += [font.name] * bool(found)
    return families or ["DejaVu Sans"], sorted({_script(character) for character in wanted} - {"Variation"})


def _script(character: str) -> str:
    script = unicodedata.name(character, "").split(" ")[0]
    if unicodedata.category(character) == "So":
        return "emoji"
    return script if script == "CJK" else script.title() or "rare characters"
