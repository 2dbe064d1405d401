"""Pictures that show themselves in a notebook and can stand in a page: matplotlib's, without its global state."""

import io
import warnings
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.text import Text


class Chart:
    """A figure, and what it shows in words.

    Attributes:
        figure: matplotlib's.
        words: For who cannot see it.
    """

    def __init__(self, width: float, height: float, words: str = "") -> None:
        self.figure = Figure(figsize=(width, height), layout="constrained")
        self.words = words

    def svg(self) -> str:
        """As SVG, the same each time."""
        return self._drawn("svg", metadata={"Date": None, "Creator": None}).decode()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.words.rstrip('.')})"

    def _repr_png_(self) -> bytes:
        return self._drawn("png", dpi=110, facecolor="white")

    def _drawn(self, kind: str, **options: Any) -> bytes:
        for text in self.figure.findobj(Text):
            text.set_parse_math(False)  # foreign names stand in it: "$5 and $6" is no formula
        drawn = io.BytesIO()
        # Text stays text in SVG, so that it can be searched and read aloud.
        settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "cstar_explore", "font.family": "sans-serif"}
        with mpl.rc_context(settings), warnings.catch_warnings():
            # A letter that our font lacks is drawn as a sandbox in a PNG, and by the reader's own font in SVG.
            warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
            self.figure.savefig(drawn, format=kind, **options)
        return drawn.getvalue()
