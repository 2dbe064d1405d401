"""Open questions about a table: a cell that a spreadsheet may have changed, or a row that cannot be read."""

import contextlib
import datetime as dt
import re
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from typing import Any

from ..csv_files import parse_flag
from ..packaged import read_table
from ..text import printable
from .change import Change

_MAX_LENGTH = 400  # characters of a number or date
_MONTHS = "|".join(read_table(__file__, "month_names.json"))
_DATE = re.compile(
    r"\d{1,4} ?[-/.] ?\d{1,2}(?: ?[-/.] ?(?:\d{1,4})?)?(?:[T ]\d{1,2}:\d{2}.{0,20})?"  # 1/2, 2025-02-01, 01.02.
    rf"|\d{{1,4}}\.?[-/ ]?(?:{_MONTHS})\.?(?:[-/ ]?\d{{1,4}})?"  # 1-Feb, 02. Jan
    rf"|(?:{_MONTHS})\.?[-/ ]?\d{{1,4}}(?:, ?\d{{4}})?"  # MAR1, Feb 25
    r"|\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]m)?",  # 1:30
    re.IGNORECASE,
)
_SERIAL = re.compile(r"[1-9]\d{0,6}(?:[.,]\d+)?")  # how a spreadsheet counts days
_WRITTEN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:[.,]\d+)?(?:E[+-]?\d+)?%?", re.ASCII)  # as a spreadsheet writes it


@dataclass(frozen=True, slots=True)
class Question:
    """A cell or row of a table that is not clear. A plan with open questions cannot be applied.

    Attributes:
        row: The row: of a file as the spreadsheet numbers it, of a frame counted from 1.
        column: The column's name, or None if the row as a whole cannot be read.
        cell: In a file, the cell as the spreadsheet names it, such as `B3`.
        value: What the cell contains.
        message: What is not clear, in a sentence.
        change: The change that the row describes if its cells are meant as they are; None if it cannot be read.
        readable: Whether the row can be used as it is.
    """

    row: int
    column: str | None
    cell: str | None
    value: str
    message: str
    change: Change | None = None
    readable: bool = False

    def __str__(self) -> str:
        where = ", ".join(filter(None, [f"row {self.row}", self.column, self.cell and f"cell {self.cell}"]))
        return f"{where}: {self.message}"


def spreadsheet_doubt(cell: Any, current: str | None, *, from_file: bool) -> str | None:
    """Why a new value may not be what was typed, in a sentence, or None.

    Spreadsheets turn `007` into 7, `1/2` into a date and `true` into TRUE, without asking.

    Args:
        cell: The new value.
        current: The value that it replaces, or None.
        from_file: Whether text in the cell may have been written by a spreadsheet.
    """
    text = str(cell).strip()
    if len(text) > _MAX_LENGTH:
        return None
    if current is not None and _is_form_of(text, current.strip()):
        return f"'{printable(text, 80)}' may be what a spreadsheet made of '{printable(current, 80)}'."
    if isinstance(cell, dt.date | dt.time):
        kind: str | None = "a date"
    else:
        kind = _written_kind(text) if from_file else None
    return kind and f"'{printable(text, 80)}' is {kind}. A spreadsheet may have made it of another text."


def _written_kind(text: str) -> str | None:
    """What a spreadsheet writes like this, other than text."""
    if _WRITTEN_NUMBER.fullmatch(text):
        return "a number"
    if _DATE.fullmatch(text):
        return "a date"
    return "a truth value" if text.isupper() and len(text) > 1 and parse_flag(text) is not None else None


def _is_form_of(text: str, current: str) -> bool:
    """Whether a spreadsheet that is given `current` may write `text`."""
    if len(current) > _MAX_LENGTH:
        return False
    if any(_same_number(one, other) for one in _numbers(text) for other in _numbers(current)):
        return True
    if _DATE.fullmatch(current) and (_DATE.fullmatch(text) or _SERIAL.fullmatch(text) or _is_value_of(text, current)):
        return True
    flag = parse_flag(current)
    return flag is not None and len(current) > 1 and flag is parse_flag(text)


def _is_value_of(text: str, current: str) -> bool:
    """Whether the text is the value of a fraction such as 1/2, or of a time as a part of a day."""
    parts = re.fullmatch(r"(\d{1,4}) ?[/:] ?(\d{1,4})", current, re.ASCII)
    if not parts:
        return False
    one, two = int(parts[1]), int(parts[2])
    values = [Decimal(60 * one + two) / 1440, *([Decimal(one) / two] if two else [])]
    return any(_same_number(number, value) for number in _numbers(text) for value in values)


def _numbers(text: str) -> list[Decimal]:
    """The numbers that the text may stand for: 1,234 is one with a decimal comma, and another without."""
    compact = re.sub(r"[\s'’_]", "", text).removeprefix("+")  # noqa: RUF001 - a separator of thousands
    percent = compact.endswith("%")
    compact = re.sub(r"^[$€£¥]|[$€£¥%]$", "", compact)
    if not re.fullmatch(r"-?[\d.,]*\d[\d.,]*(?:E[+-]?\d{1,4})?", compact, re.ASCII | re.IGNORECASE):
        return []
    values = []
    for form in {compact.replace(",", ""), compact.replace(".", "").replace(",", ".")}:
        with contextlib.suppress(ArithmeticError):
            values.append(Decimal(form) / 100 if percent else Decimal(form))
    return values


def _same_number(one: Decimal, other: Decimal) -> bool:
    """Whether they are equal, or one is the other with fewer digits: a spreadsheet keeps 15 and shows fewer."""
    short, long = sorted((one, other), key=_digits)
    if one == other or _digits(long) <= 10 or _digits(short) < 3:
        return one == other
    return any(short == Context(prec=_digits(short), rounding=way).plus(long) for way in (ROUND_HALF_UP, ROUND_DOWN))


def _digits(value: Decimal) -> int:
    return len(value.normalize().as_tuple().digits)
