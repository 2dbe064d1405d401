"""Charts for notebooks and HTML reports, made with matplotlib but without its global state."""

import io
import pickle
import unicodedata
import warnings
from base64 import b64encode
from collections.abc import Iterator
from colorsys import hls_to_rgb, rgb_to_hls
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from hashlib import sha256
from threading import RLock
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import style
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager, get_font
from matplotlib.text import Text

from .text import escaped

INK, MUTED, GRID = "#1c1c1c", "#555555", "#dddddd"
GOOD, BAD = "#1b6b20", "#b3261e"

_MATPLOTLIB_SETTINGS = RLock()

# On a page that is known to be light or dark, the image is replaced by one with the colors of a light page, which a dark page
# inverts, keeping the hue. On any other page, or where styles are removed, as in notebooks that JupyterLab does not trust, the
# image has colors that are legible on both.
_THEMED = ":is([data-jp-theme-light],[class*=vscode-]) .{name}{{content:url({source})}}"
_ON_DARK = (
    ":is([data-jp-theme-light=false],.vscode-dark,.vscode-high-contrast:not(.vscode-high-contrast-light))"
    " .cx-chart{filter:invert(1) hue-rotate(180deg)}"
)
_LEGIBLE = 0.19  # the luminance whose contrast with white and with JupyterLab's dark background is the same, 4.4:1


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
        """The chart as SVG with a transparent background and the colors of a light page; equal charts give equal text."""
        self._choose_fonts()
        return _svg(self.figure)

    def image(self) -> str:
        """The chart as an HTML image with its alternative text, for a light page."""
        return self._tag("cx-chart", _source(self.svg()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.alt_text.rstrip('.')})"

    def _repr_html_(self) -> str:
        advice = self._choose_fonts()
        source = _source(self.svg())
        name = f"cx-chart-{sha256(source.encode()).hexdigest()[:12]}"
        style = f"<style>{_THEMED.format(name=name, source=source)}{_ON_DARK}</style>"
        image = self._tag(f"cx-chart {name}", _source(_svg(_for_any_page(self.figure))))
        return f"{style}{image}{advice and f'<p>{escaped(advice)}</p>'}"

    def _repr_png_(self) -> bytes:
        """For viewers that show no HTML."""
        advice = self._choose_fonts()
        figure = _for_any_page(self.figure)
        figure.supxlabel(advice, fontsize=8, color=_legible(MUTED))
        return _render(figure, "png", dpi=110)

    def _tag(self, classes: str, source: str) -> str:
        return f'<img class="{classes}" alt="{escaped(self.alt_text, 5_000)}" src="{source}">'

    def _choose_fonts(self) -> str:
        """Adds installed fonts for the characters that the default font lacks. Returns a sentence on those that no font has."""
        texts = self.figure.findobj(Text)
        families, lacking = _fonts_for(frozenset("".join(text.get_text() for text in texts)))
        for text in texts:
            text.set_fontfamily(families)
        return f"If a name shows boxes, install a font for {' and '.join(lacking)}." if lacking else ""


def _svg(figure: Figure) -> str:
    return _render(figure, "svg", metadata={"Date": None, "Creator": None}).decode()


def _source(svg: str) -> str:
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def _render(figure: Figure, kind: str, **options: Any) -> bytes:
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # names are untrusted text: "$5 and $6" is not a formula
    output = io.BytesIO()
    # Text stays text in SVG: the browser has fonts for every script.
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "cstar_explore"}
    with plain_style(), mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure.savefig(output, format=kind, transparent=True, **options)
    return output.getvalue()


def _for_any_page(figure: Figure) -> Figure:
    """A copy in colors that are legible on a light and on a dark page."""
    with plain_style():
        copied: Figure = pickle.loads(pickle.dumps(figure))  # noqa: S301 - copy.deepcopy cannot copy figures
    for artist in copied.findobj():
        for name in ("color", "facecolor", "edgecolor", "markeredgecolor", "markerfacecolor"):
            if hasattr(artist, f"set_{name}") and hasattr(artist, f"get_{name}"):
                getattr(artist, f"set_{name}")(_legible(getattr(artist, f"get_{name}")()))
    return copied


def _legible(colors: Any) -> Any:
    """The colors in a luminance between light and dark: white, for text on a bar, stays, and light lines become translucent."""
    rows = to_rgba_array(colors)
    for row in rows:
        luminance = _luminance(*row[:3])
        if luminance < 1:
            row[:] = *_shade(*row[:3]), row[3] * (1 if luminance < 0.5 else 1 - luminance)
    return rows if np.ndim(colors) == 2 else tuple(rows[0]) if len(rows) else colors


@cache
def _shade(red: float, green: float, blue: float) -> tuple[float, float, float]:
    hue, _, saturation = rgb_to_hls(red, green, blue)
    shades = (hls_to_rgb(hue, lightness / 100, saturation) for lightness in range(101))
    return min(shades, key=lambda shade: abs(_luminance(*shade) - _LEGIBLE))


def _luminance(*channels: float) -> float:
    """The relative luminance, as defined in WCAG 2."""
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


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
