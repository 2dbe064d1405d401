"""CSV files and Excel workbooks that are safe to open in a spreadsheet, written and read back without loss.

Some spreadsheets run a cell as a formula if it begins with `=`, `+`, `-`, `@`, a tab or a line break, and webhook names are
untrusted text. An apostrophe is inserted there, and wherever a cell would begin if the reader splits at another separator.
Reading removes it again.
"""

import ast
import csv
import importlib
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import ConfigurationError
from .files import read_bytes, read_text, replace_file, unreadable
from .packaged import read_table
from .text import printable

if TYPE_CHECKING:
    import pandas as pd

_MAX_COLUMNS = 1_000
_DELIMITERS = ",;\t"

# Where a cell begins, whichever separator the reader uses; then, after spaces and quotes, what starts a formula. Some
# spreadsheets treat the full-width forms alike. An apostrophe is escaped too, so that reading can tell.
_STARTS = r"(^|[,;|\t\r\n])"
_FORMULA = r"(?=[ \"]*[=+\-@\t\r\n＝＋－＠'])"  # noqa: RUF001 - the lookalikes are intended
_UNSAFE = re.compile(_STARTS + _FORMULA)
_ESCAPED = re.compile(_STARTS + "'" + _FORMULA)

_MAX_EXCEL_ROWS = 100_000  # more than any team has webhooks
_MAX_UNPACKED = 2**29  # bytes; a small archive can hold a large file
_MAX_EXCEL_TEXT = 32_767  # characters of a cell; Excel cuts a longer text

# Characters that XML cannot hold are written as _x0007_, and so is an underscore that only looks like one.
_EXCEL_CODE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_EXCEL_ESCAPED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\r]|_(?=x[0-9A-Fa-f]{4}_)")

# numpy separates the items of an array by spaces. Python would join them into one text.
_QUOTED = re.compile(r"'([^'\\]*)'|\"([^\"\\]*)\"")
_NUMPY_LIST = re.compile(rf"\[\s*(?:{_QUOTED.pattern})(?:\s+(?:{_QUOTED.pattern}))+\s*\]")


def _folded(text: str) -> str:
    """The text for comparison: the same for upper and lower case, also in Turkish and Greek."""
    folded = unicodedata.normalize("NFKC", text.strip()).replace("\u0131", "i").casefold()
    return unicodedata.normalize("NFC", folded.replace("i\u0307", "i"))


# TRUE and FALSE in the languages of LibreOffice and Excel; and what people write in a column of checks.
_FLAG_WORDS = read_table(__file__, "csv_flags.json")
_FLAGS = {_folded(word): name == "true" for name, words in _FLAG_WORDS.items() for word in words}
_LONGEST_FLAG = max(map(len, _FLAGS)) + 3  # normalising may shorten a text


class SheetError(NamedTuple):
    """A row of a file that cannot be read as a row of its table.

    Attributes:
        row: As the spreadsheet numbers it: the header is row 1.
        cell: The first cell concerned, such as `H3`.
        value: What the cell contains.
        message: What is wrong, in a sentence.
    """

    row: int
    cell: str
    value: str
    message: str


class Sheet(NamedTuple):
    """A table that was read from a file.

    Attributes:
        frame: Its rows that are not empty, as text; empty cells are empty strings.
        rows: The spreadsheet's number of each row of the frame.
        cells: The spreadsheet's letters of each column of the frame.
        errors: The rows that are not in the frame because they do not fit its columns.
    """

    frame: "pd.DataFrame"
    rows: Sequence[int]
    cells: Sequence[str]
    errors: Sequence[SheetError]


def csv_text(frame: "pd.DataFrame") -> str:
    """The frame as CSV, without its index. Lists are joined by commas; missing values are empty."""
    table = frame.map(_escape)
    table.columns = [_escape(name) for name in frame.columns]
    # With this line ending, cells that contain only a part of it are quoted too.
    return str(table.to_csv(index=False, lineterminator="\r\n"))


def write_csv(frame: "pd.DataFrame", path: str | Path) -> None:
    """Writes `csv_text` to a file, with the byte order mark by which spreadsheets recognise UTF-8.

    Raises:
        ConfigurationError: It cannot be written. An existing file is then unchanged.
    """
    replace_file(path, "\ufeff" + csv_text(frame))


def read_csv(path: str | Path) -> "pd.DataFrame":
    """Reads a CSV file as `read_sheet` does, into a frame of str.

    Raises:
        ConfigurationError: The file cannot be read, or a row does not fit its columns.
    """
    sheet = read_sheet(path)
    if sheet.errors:
        error = sheet.errors[0]
        raise unreadable(path, f"row {error.row}, cell {error.cell}: {error.message.rstrip('.')}")
    return sheet.frame


def read_sheet(path: str | Path) -> Sheet:
    """Reads a CSV file, or the first sheet of an Excel workbook (`.xlsx`), as spreadsheets write them.

    The separator of CSV is a comma, semicolon or tab. Empty rows, empty cells at the end of a row and columns without name and
    content are ignored.

    Raises:
        ConfigurationError: The file cannot be read, is neither text in UTF-8 nor a workbook, or is too large.
    """
    import pandas as pd

    is_excel = str(path).lower().endswith(".xlsx")
    header, *table = (_excel_rows(path) if is_excel else _csv_rows(read_text(path))) or [(1, [])]
    if isinstance(header[1], csv.Error):
        raise unreadable(path, f"its first row is not CSV ({header[1]})")
    names = [str(name) for name in header[1]]
    if len(names) > _MAX_COLUMNS:
        raise unreadable(path, f"it has more than {_MAX_COLUMNS:,} columns")
    named = [index for index, name in enumerate(names) if name.strip()]
    rows: list[int] = []
    cells: list[list[Any]] = []
    errors: list[SheetError] = []
    for number, row in table:
        error = _row_error(number, row, named)
        if error is not None:
            errors.append(error)
        elif not all(_is_blank(cell) for cell in row):
            rows.append(number)
            cells.append([row[index] if index < len(row) else "" for index in named])
    frame = pd.DataFrame(cells, columns=pd.Index([names[index] for index in named], dtype="object"), dtype="object")
    return Sheet(frame, rows, [letters(index) for index in named], errors)


def _row_error(number: int, row: "list[Any] | csv.Error", named: Sequence[int]) -> SheetError | None:
    """Why the row does not fit the columns that have a name."""
    if isinstance(row, csv.Error):
        return SheetError(number, f"A{number}", "", f"The row is not CSV ({row}).")
    columns = set(named)
    stray = next((index for index, cell in enumerate(row) if index not in columns and not _is_blank(cell)), None)
    if stray is None:
        return None
    value = printable(row[stray], 80)
    return SheetError(number, f"{letters(stray)}{number}", value, f"'{value}' is in a column without a name.")


def _is_blank(cell: object) -> bool:
    return isinstance(cell, str) and not cell.strip()


def parse_flag(cell: object) -> bool | None:
    """A cell as True or False, in the spellings of spreadsheets and pandas; None for any other text."""
    if isinstance(cell, int) and cell not in (0, 1):
        return None
    text = str(cell).strip()
    return _FLAGS.get(_folded(text)) if len(text) <= _LONGEST_FLAG else None


def parse_list(cell: Any) -> Any:
    """Parses a cell with a list as pandas writes it (its repr), and an array. Returns any other cell unchanged.

    Raises:
        ValueError: The cell begins like a list, but is not one.
    """
    if hasattr(cell, "tolist") and getattr(cell, "ndim", 0) == 1:
        return cell.tolist()
    if not isinstance(cell, str) or cell.strip()[:1] not in ("(", "["):
        return cell
    if _NUMPY_LIST.fullmatch(cell.strip()):
        return [match[1] or match[2] for match in _QUOTED.finditer(cell)]
    try:
        return ast.literal_eval(cell.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ValueError("The cell begins like a list, but is not one.") from None


def write_excel(frame: "pd.DataFrame", path: str | Path) -> None:
    """Writes a frame of plain Python values to an Excel workbook, without its index. Every text stays text.

    Raises:
        ConfigurationError: openpyxl is not installed, Excel cannot hold a value, or the file cannot be written.
    """
    openpyxl = _openpyxl()
    content = io.BytesIO()
    try:
        table = [
            [_excel_type(value) for value in row] for row in ([*map(str, frame.columns)], *frame.to_numpy().tolist())
        ]
        workbook = openpyxl.Workbook(write_only=True)
        worksheet = workbook.create_sheet("webhooks")
        for row in table:
            worksheet.append([_excel_cell(openpyxl.cell.WriteOnlyCell(worksheet), value) for value in row])
        workbook.save(content)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigurationError(
            f"An Excel workbook cannot hold this list: {printable(error, 200)}", advice="Use to_csv."
        ) from None
    replace_file(path, content.getvalue())


def _openpyxl() -> Any:
    try:
        return importlib.import_module("openpyxl")
    except ImportError:
        raise ConfigurationError(
            "Excel workbooks need the package openpyxl, which is not installed.",
            advice="Run pip install openpyxl, or use CSV.",
        ) from None


def _excel_type(value: Any) -> Any:
    """The value as one of Excel's types. What has none becomes text.

    Raises:
        ValueError: Excel cannot hold the text.
    """
    if isinstance(value, list | tuple):
        value = ",".join(map(str, value))
    number = isinstance(value, int | float) and abs(value) < 10**15  # Excel has 15 digits
    if value is None or isinstance(value, bool) or number or (isinstance(value, datetime) and value.year > 1900):
        return value
    text = str(value)
    if len(text) > _MAX_EXCEL_TEXT:
        raise ValueError(f"a text of {len(text):,} characters is longer than {_MAX_EXCEL_TEXT:,}.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"'{printable(text, 80)}' contains an unpaired surrogate.")
    return _EXCEL_ESCAPED.sub(lambda match: f"_x{ord(match[0]):04X}_", text)


def _excel_cell(cell: Any, value: Any) -> Any:
    """The cell with a value. Text is never a formula, not even after it was edited."""
    cell.value = value
    if isinstance(value, str):
        cell.data_type, cell.quotePrefix = "s", True
    return cell


def _excel_rows(path: str | Path) -> list[tuple[int, list[Any]]]:
    """The rows of a workbook's first sheet, with their numbers. Formulas are read as the values that they had."""
    openpyxl = _openpyxl()
    content = io.BytesIO(read_bytes(path))
    size, table = 0, None
    try:
        with zipfile.ZipFile(content) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size <= _MAX_UNPACKED:
            worksheet = openpyxl.load_workbook(content, read_only=True, data_only=True).worksheets[0]
            worksheet.reset_dimensions()  # they may claim a million rows
            rows = worksheet.iter_rows(values_only=True, max_row=_MAX_EXCEL_ROWS + 1)
            table = [(number, _excel_row(row)) for number, row in enumerate(rows, 1)]
    except Exception:  # noqa: BLE001, S110 - openpyxl raises errors of many types for odd files
        pass
    if size > _MAX_UNPACKED:
        raise unreadable(path, f"it is larger than {_MAX_UNPACKED:,} bytes when unpacked")
    if table is None:
        raise unreadable(path, "it is not an Excel workbook")
    if len(table) > _MAX_EXCEL_ROWS:
        raise unreadable(path, f"it has more than {_MAX_EXCEL_ROWS:,} rows")
    return table


def _excel_row(row: Sequence[Any]) -> list[Any]:
    """The cells up to the last one with a value. Those beyond the last column allowed are shortened to the first one."""
    beyond = [value for value in row[_MAX_COLUMNS:] if value is not None][:1]
    cells = [_excel_value(value) for value in (*row[:_MAX_COLUMNS], *beyond)]
    while cells and _is_blank(cells[-1]):
        cells.pop()
    return cells


def _excel_value(value: Any) -> Any:
    if value is None:
        return ""
    return _EXCEL_CODE.sub(lambda match: chr(int(match[1], 16)), value) if isinstance(value, str) else value


def letters(index: int) -> str:
    """The letters of a spreadsheet's column, counted from 0: `A` … `Z`, `AA` …"""
    name = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def escape(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet could take it, or a part of it, for a formula."""
    return _UNSAFE.sub(r"\1'", text)


def unescape(text: str) -> str:
    """The text that `escape` was given."""
    return _ESCAPED.sub(r"\1", text)


def _csv_rows(text: str) -> list[tuple[int, Any]]:
    """Each row with its number: its cells, or the error if it is not CSV."""
    if match := re.match(r"sep=([,;\t|])(?:\r\n|\r|\n|$)", text):  # Excel reads this line and does not show it
        delimiter, text = match[1], text[match.end() :]
    else:
        delimiter = max(_DELIMITERS, key=lambda mark: _columns(next(_rows(text, mark), [])))
    return list(enumerate(_rows(text, delimiter), 1))


def _columns(row: list[str] | csv.Error) -> int:
    return len(row) if isinstance(row, list) else 0


def _rows(text: str, delimiter: str) -> Iterator[list[str] | csv.Error]:
    """The rows. After one that is not CSV, reading goes on at the next line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield error
            continue
        if row is None:
            return
        yield [unescape(cell) for cell in row]


def _escape(value: object) -> object:
    if isinstance(value, list | tuple):
        value = ",".join(map(str, value))
    if isinstance(value, dict):
        value = str(value)
    return escape(value) if isinstance(value, str) else value
