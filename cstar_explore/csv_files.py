"""CSV files that are safe to open in a spreadsheet, written and read back without loss.

Some spreadsheets run a cell as a formula if it begins with `=`, `+`, `-`, `@`, a tab or a line break, and webhook names are
untrusted text. Such a cell is prefixed with an apostrophe, as is one that begins with an apostrophe; reading removes the prefix.
"""

import ast
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import read_text, unreadable

if TYPE_CHECKING:
    import pandas as pd

_MAX_COLUMNS = 1_000

# Some spreadsheets treat the full-width forms alike.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the lookalikes are intended


def csv_text(frame: "pd.DataFrame") -> str:
    """The frame as CSV, without its index. Lists are joined by commas; missing values are empty."""
    table = frame.map(_escape)
    # With this line ending, cells that contain only a part of it are quoted too.
    return str(table.to_csv(index=False, lineterminator="\r\n"))


def write_csv(frame: "pd.DataFrame", path: str | Path) -> None:
    """Writes `csv_text` to a file, with the byte order mark by which spreadsheets recognise UTF-8."""
    Path(path).write_text(csv_text(frame), encoding="utf-8-sig", errors="surrogatepass", newline="")


def read_csv(path: str | Path) -> "pd.DataFrame":
    """Reads a CSV file, separated by commas or semicolons, into a frame of str; empty cells are empty strings.

    Raises:
        ConfigurationError: The file cannot be read, is not CSV in UTF-8, or is larger than `MAX_FILE` bytes.
    """
    import pandas as pd

    text = read_text(path)
    header, *_ = text.splitlines() or [""]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise unreadable(path, f"it is not CSV ({error})") from None
    names, rows = (rows[0], [row for row in rows[1:] if row]) if rows else ([], [])
    if len(names) > _MAX_COLUMNS:
        raise unreadable(path, f"it has more than {_MAX_COLUMNS:,} columns")
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise unreadable(path, f"row {number} has {len(row)} cells, but the header has {len(names)}")
    return pd.DataFrame([[_unescape(cell) for cell in row] for row in rows], columns=names, dtype="str")


_FLAGS = {"true": True, "yes": True, "1": True, "1.0": True, "false": False, "no": False, "0": False, "0.0": False}


def parse_flag(cell: object) -> bool | None:
    """A cell as True or False, in the spellings of spreadsheets and pandas; None for any other text."""
    return _FLAGS.get(str(cell).strip().lower())


def parse_list(cell: Any) -> Any:
    """Parses a cell with a list as pandas writes it (its repr). Returns any other cell unchanged.

    Raises:
        ValueError: The cell begins like a list, but is not one.
    """
    if not isinstance(cell, str) or cell.strip()[:1] not in ("(", "["):
        return cell
    try:
        return ast.literal_eval(cell.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ValueError("The cell begins like a list, but is not one.") from None


def _escape(value: object) -> object:
    if isinstance(value, list | tuple):
        value = ",".join(map(str, value))
    if not isinstance(value, str):
        return value
    return f"'{value}" if value.lstrip(" ").startswith((*_FORMULA_STARTS, "'")) else value


def _unescape(text: str) -> str:
    return text.removeprefix("'") if text.lstrip(" ").startswith("'") else text
