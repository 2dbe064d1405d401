"""The short traceback of an error in IPython and Jupyter: the user's own lines, the message and the advice.

`%tb Verbose` and `%xmode Verbose` show the full traceback.
"""

import linecache
import sys
import sysconfig
import textwrap
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .text import printable, redacted

# The characters in a cell of JupyterLab, 1,000 px wide with its file browser. It breaks longer lines inside a word.
_WRAPPING: Mapping[str, Any] = {"width": 70, "break_on_hyphens": False, "break_long_words": False}
_MAX_LINES = 8  # of one statement
_MAX_FRAMES = 6  # recursion makes hundreds
_BOLD, _GREEN, _PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[0m"


def short_traceback(error: BaseException, message: str, advice: str) -> list[str]:
    """What IPython shows for an error of this package: in the mode Verbose the full traceback."""
    shell = _shell()
    if shell is not None and shell.InteractiveTB.mode == "Verbose":
        full = shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
        return [redacted(part) for part in full]
    lines = [*_own_lines(error), *_headline(error, message)]
    lines += [part for text in (advice, *getattr(error, "__notes__", ())) for part in _wrapped(str(text))]
    lines += ["", "For the full traceback, run %tb Verbose."]
    return ["\n".join(lines)]  # one string, because IPython joins several without line breaks in the mode Plain


def _own_lines(error: BaseException) -> Iterator[str]:
    """The last lines of the user's on the way to the error, each below its file or cell."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    for frame in frames[-_MAX_FRAMES:]:
        first = frame.lineno or 1
        last = min(frame.end_lineno or first, first + _MAX_LINES - 1)
        source = "".join(linecache.getline(frame.filename, number) for number in range(first, last + 1))
        yield f"{_location(frame.filename)}, line {_GREEN}{first}{_PLAIN}"
        for line in textwrap.dedent(source).splitlines():
            yield from _wrapped(printable(redacted(line), 200), indent="    ")
        yield ""


def _location(filename: str) -> str:
    """`Cell In[3]`, or the file."""
    shell = _shell()
    named = shell.compile.format_code_name(filename) if shell is not None else None
    return " ".join(named) if named else f"File {printable(filename)}"


def _headline(error: BaseException, message: str) -> list[str]:
    name = type(error).__name__
    first, *others = _wrapped(f"{name}: {message}")
    return [f"{_BOLD}{name}{_PLAIN}{first.removeprefix(name)}", *others]


def _wrapped(text: str, indent: str = "") -> list[str]:
    """The lines of a text, which break between words and keep its indentation."""
    safe = redacted(printable(text, 5_000))
    first = indent + safe[: len(safe) - len(safe.lstrip())]
    return textwrap.wrap(safe.strip(), initial_indent=first, subsequent_indent=first + indent, **_WRAPPING) or [""]


def _is_users(filename: str) -> bool:
    """Whether a file or cell is neither this package's, nor an installed package's, nor Python's."""
    if not linecache.getlines(filename):  # generated code
        return False
    path = Path(filename)
    if {"site-packages", "dist-packages"} & set(path.parts):
        return False
    library = (Path(__file__).parent, Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("platstdlib")))
    return not any(path.is_relative_to(folder) for folder in library)


def _shell() -> Any:
    """The running IPython; None outside of it. Never imports IPython."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None
