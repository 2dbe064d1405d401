"""CSV exports of webhook.site, which have a column for each header."""

import csv
import io
import itertools
import re

from ..signatures.bodies import parse_json
from . import json_forms
from .model import Delivery, unreadable

# The columns of nested values: `headers.x-signature`, with or without the number of the value.
_HEADER_COLUMN = re.compile(r"headers?[./_: ]\s*([A-Za-z0-9-]+)(?:[./_]0)?", re.IGNORECASE)
_MOST_ROWS = 10_000  # as many as webhook.site exports
_DELIMITERS = ",;\t"


def read(text: str) -> list[Delivery]:
    """The requests in the rows that have headers, if the first line names columns for headers and a body.

    Raises:
        ValidationError: It is not valid CSV, or has too many rows or a cell that is too long.
    """
    first_line = text[:100_000].lstrip().partition("\n")[0]
    columns = {name.strip().lower() for name in re.split(f"[{_DELIMITERS}]", first_line.replace('"', ""))}
    has_headers = "headers" in columns or any(map(_HEADER_COLUMN.fullmatch, columns))
    if not has_headers or columns.isdisjoint(name.lower() for name in json_forms.BODIES):
        return []
    delimiter = max(_DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter, strict=True)
    try:
        names, *rows = itertools.islice(reader, _MOST_ROWS + 2)
        problem = f"it has more than {_MOST_ROWS:,} rows" if len(rows) > _MOST_ROWS else ""
    except csv.Error as error:
        problem = str(error)
    if problem:
        raise unreadable(f"The CSV cannot be read: {problem}.", "Export JSON instead, or pass one delivery.")
    return json_forms.find([_request(dict(zip(map(str.strip, names), row, strict=False))) for row in rows])


def _request(cells: dict[str, str]) -> dict[str, object]:
    columns = ((_HEADER_COLUMN.fullmatch(name), cell) for name, cell in cells.items())
    headers = {column[1]: cell for column, cell in columns if column}
    return {**cells, "headers": parse_json(cells.get("headers") or "") or headers or None}
