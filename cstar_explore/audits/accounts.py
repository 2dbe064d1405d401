"""The accounts of an audit: a table with, for each, the name of the environment variable that holds its key."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from ..api.client import BASE_URL
from ..api.validation import checked_base_url, segment
from ..csv_files import read_csv
from ..errors import ConfigurationError, CStarError
from ..secret import ApiKey
from ..text import printable, redacted

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = ("account", "team_id", "key_env")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Account:
    """One team at cStar.

    Attributes:
        account: What you call it.
        team_id: Its id.
        key_env: The name of the environment variable that holds its key, read only where the call is made.
        base_url: Where its cStar is.
    """

    account: str
    team_id: str
    key_env: str
    base_url: str = BASE_URL


class Accounts(Sequence[Account]):
    """Accounts to be audited together.

    Args:
        table: A frame, or the path of a CSV file, with the columns `account`, `team_id`, `key_env` and, if some are not
            at cStar's own address, `base_url`.

    Raises:
        ConfigurationError: A column or cell is missing or cannot be, two accounts share a name, or there is a key where the
            name of a variable belongs.
    """

    def __init__(self, table: "pd.DataFrame | str | Path") -> None:
        frame = read_csv(table) if isinstance(table, str | Path) else table
        if not hasattr(frame, "columns"):
            raise _wrong(f"it is a frame or the path of a CSV file, not {printable(redacted(repr(table)), 80)}")
        names = [str(name) for name in frame.columns]
        if len(set(names)) < len(names):
            raise _wrong("two columns have one name")
        for name in _NEEDED:
            if name not in names:
                raise _wrong(f"the column '{name}' is missing")
        for name in names:
            if name not in (*_NEEDED, "base_url"):
                raise _wrong(f"there is no column '{printable(redacted(name), 80)}' in it")
        rows = frame.astype("object").to_dict("records")
        self._accounts = tuple(_account(number, row) for number, row in enumerate(rows, 1))
        seen: dict[str, int] = {}
        for number, account in enumerate(self._accounts, 1):
            if seen.setdefault(account.account, number) != number:
                raise _wrong(
                    f"row {number} has the name '{printable(account.account, 80)}', as row {seen[account.account]} has"
                )

    def to_frame(self) -> "pd.DataFrame":
        """A row per account: `account`, `team_id`, `key_env`, `base_url` (str)."""
        from ..frames import from_rows

        return from_rows([vars(account) for account in self], dict.fromkeys((*_NEEDED, "base_url"), "str"))

    @overload
    def __getitem__(self, index: int) -> Account: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Account]: ...
    def __getitem__(self, index: int | slice) -> Account | Sequence[Account]:
        return self._accounts[index]

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts)

    def __len__(self) -> int:
        return len(self._accounts)

    def __repr__(self) -> str:
        return f"Accounts({len(self):,}: {', '.join(printable(account.account, 40) for account in self[:5])}{' …' if len(self) > 5 else ''})"


def _account(number: int, row: Mapping[Any, Any]) -> Account:
    cells = {str(name): _text(value) for name, value in row.items()}
    for name in _NEEDED:
        if not cells[name]:
            raise _wrong(f"row {number} has no {name}")
    for name, value in cells.items():
        if redacted(value) == value and not ApiKey.looks_like_one(value):
            continue
        raise _wrong(
            f"row {number} has a key in {name}",
            "Put the key into an environment variable, and the name of the variable here; a key in a file is a key to replace.",
        )
    key_env = cells["key_env"]
    if not _VARIABLE.fullmatch(key_env):
        raise _wrong(f"row {number}: '{printable(key_env, 80)}' is no name of an environment variable")
    try:
        segment(cells["team_id"], "team_id")
        base_url = checked_base_url(cells.get("base_url") or BASE_URL)
    except CStarError as error:
        raise _wrong(f"row {number}: {error.message}") from None
    return Account(cells["account"], cells["team_id"], key_env, base_url)


def _text(cell: Any) -> str:
    missing = cell is None or str(cell) in ("nan", "<NA>", "NaT")
    return "" if missing else str(cell).strip()


def _wrong(why: str, advice: str = "It has account, team_id, key_env and, if needed, base_url.") -> ConfigurationError:
    return ConfigurationError(f"The table of accounts cannot be used: {why}.", advice=advice)
