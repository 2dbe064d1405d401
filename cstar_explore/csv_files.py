"""Tables as CSV files that no spreadsheet executes, and back again without loss.

A cell that begins with `=`, `+`, `-`, `@`, a tab or a line end is a formula to some spreadsheet, and what others put into a
name would run on the reader's machine. Such a cell gets an apostrophe in front, and so does one that begins with an
apostrophe; reading takes one away.
"""

import ast
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import read_text, unreadable

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = 1_000

# Also the full-width forms, which some spreadsheets take for the others.
_EXECUTED = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the lookalikes are meant


def csv_text(frame: "pd.DataFrame") -> str:
    """The frame as CSV, without its index; lists are joined by commas, what is missing is empty."""
    table = frame.map(_cell)
    # With this line end a cell that has a part of it inside is quoted.
    return str(table.to_csv(index=False, lineterminator="\r\n"))


def write_csv(frame: "pd.DataFrame", path: str | Path) -> None:
    """Writes `csv_text` to a file, with the mark by which spreadsheets know UTF-8."""
    Path(path).write_text(csv_text(frame), encoding="utf-8-sig", errors="surrogatepass", newline="")


def read_csv(path: str | Path) -> "pd.DataFrame":
    """A CSV file as a frame of text, with commas or semicolons between its cells; an empty cell is an empty text.

    Raises:
        ConfigurationError: It cannot be read, is no CSV in UTF-8, or has more than `MAX_FILE` bytes.
    """
    import pandas as pd

    text = read_text(path)
    head, *_ = text.splitlines() or [""]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise unreadable(path, f"it is not CSV ({error})") from None
    names, rows = (rows[0], [row for row in rows[1:] if row]) if rows else ([], [])
    if len(names) > _COLUMNS:
        raise unreadable(path, f"it has more than {_COLUMNS:,} columns")
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise unreadable(path, f"row {number} has {len(row)} cells and the first line {len(names)}")
    return pd.DataFrame([[_uncell(cell) for cell in row] for row in rows], columns=names, dtype="str")


_FLAGS = {"true": True, "yes": True, "1": True, "1.0": True, "false": False, "no": False, "0": False, "0.0": False}


def flag_in(cell: object) -> bool | None:
    """A cell as yes or no, in the spellings of spreadsheets and of pandas; None if it is neither."""
    return _FLAGS.get(str(cell).strip().lower())


def list_in(cell: Any) -> Any:
    """The list in a cell that holds the text which pandas writes of one; any other cell as it is.

    Raises:
        ValueError: It begins like a list, and is none.
    """
    if not isinstance(cell, str) or cell.strip()[:1] not in ("(", "["):
        return cell
    try:
        return ast.literal_eval(cell.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ValueError("It begins like a list, and is none.") from None


def _cell(value: object) -> object:
    if isinstance(value, list | tuple):
        value = ",".join(map(str, value))
    if not isinstance(value, str):
        return value
    return f"'{value}" if value.lstrip(" ").startswith((*_EXECUTED, "'")) else value


def _uncell(text: str) -> str:
    return text.removeprefix("'") if text.lstrip(" ").startswith("'") else text
