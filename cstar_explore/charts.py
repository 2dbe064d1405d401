"""Charts for notebooks and HTML reports, made with matplotlib but without its global state."""

import io
import warnings
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.text import Text


class Chart:
    """A figure with alternative text. It displays itself in a notebook.

    Attributes:
        figure: The matplotlib figure.
        alt_text: Alternative text.
    """

    def __init__(self, width: float, height: float, alt_text: str = "") -> None:
        self.figure = Figure(figsize=(width, height), layout="constrained")
        self.alt_text = alt_text

    def svg(self) -> str:
        """The chart as SVG; equal charts give equal text."""
        return self._render("svg", metadata={"Date": None, "Creator": None}).decode()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.alt_text.rstrip('.')})"

    def _repr_png_(self) -> bytes:
        return self._render("png", dpi=110, facecolor="white")

    def _render(self, kind: str, **options: Any) -> bytes:
        for text in self.figure.findobj(Text):
            text.set_parse_math(False)  # names are untrusted text: "$5 and $6" is not a formula
        output = io.BytesIO()
        # Text stays text in SVG, so that it can be searched and read by screen readers.
        settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "cstar_explore", "font.family": "sans-serif"}
        with mpl.rc_context(settings), warnings.catch_warnings():
            # A glyph that our font lacks is a box in a PNG; in SVG the viewer's font has it.
            warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
            self.figure.savefig(output, format=kind, **options)
        return output.getvalue()
