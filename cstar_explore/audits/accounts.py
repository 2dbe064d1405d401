"""The accounts table: the teams to audit, and the environment variables that hold their keys."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from ..api.client import BASE_URL
from ..api.validation import checked_base_url, segment
from ..csv_files import read_csv
from ..errors import ConfigurationError, CStarError
from ..hosts import host_names, host_of, is_allowed
from ..text import printable, redacted

if TYPE_CHECKING:
    import pandas as pd

_REQUIRED = ("account", "team_id", "key_env")
_COLUMNS = (*_REQUIRED, "base_url")


@dataclass(frozen=True)
class Account:
    """One cStar team.

    Attributes:
        account: Your name for the team.
        team_id: Its team ID.
        key_env: The name of the environment variable that holds its API key. It is read by the process that sends the request.
        base_url: The URL of its cStar.
    """

    account: str
    team_id: str
    key_env: str
    base_url: str = BASE_URL


class Accounts(Sequence[Account]):
    """Accounts to audit together.

    Args:
        table: A DataFrame or the path of a CSV file, with the columns `account`, `team_id`, `key_env` and, optionally,
            `base_url`, for teams that do not use cStar's own URL.
        allow_hosts: Hosts other than cStar's and loopback to which keys may be sent. The table alone cannot allow any.

    Raises:
        ConfigurationError: A column or cell is missing or invalid, two accounts share a name, or a cell contains an API key.
        ValidationError: `table` is not a table, or has two columns of one name.
    """

    def __init__(self, table: "pd.DataFrame | str | Path", *, allow_hosts: Iterable[str] = ()) -> None:
        from ..frames import as_frame, records

        self._allow_hosts = host_names(allow_hosts, "allow_hosts")
        frame = as_frame(read_csv(table) if isinstance(table, str | Path) else table)
        names = [str(name) for name in frame.columns]
        for name in _REQUIRED:
            if name not in names:
                raise _invalid(f"the column '{name}' is missing")
        for name in names:
            if name not in _COLUMNS:
                raise _invalid(f"unknown column '{printable(redacted(name), 80)}'")
        self._accounts = tuple(_account(number, row) for number, row in enumerate(records(frame), 1))
        seen: dict[str, int] = {}
        for number, account in enumerate(self._accounts, 1):
            if seen.setdefault(account.account, number) != number:
                raise _invalid(
                    f"row {seen[account.account]} and row {number} have the same name, '{printable(account.account, 80)}'"
                )

    def check_hosts(self, allow_hosts: Iterable[str] = ()) -> None:
        """Refuses accounts at hosts to which no key may be sent.

        Raises:
            ConfigurationError: A host is neither cStar's nor loopback, nor in `allow_hosts` here or of these accounts.
        """
        allowed = {host_of(BASE_URL), *self._allow_hosts, *host_names(allow_hosts, "allow_hosts")}
        for number, account in enumerate(self, 1):
            host = host_of(account.base_url)
            if not is_allowed(host, allowed):
                shown = printable(redacted(host), 80)
                raise ConfigurationError(
                    f"Row {number} of the accounts table names the host '{shown}', which is not cStar's; nothing was sent.",
                    advice=f"If keys may be sent there, pass allow_hosts=['{shown}'], or --allow-host {shown} on the command line.",
                )

    def to_frame(self) -> "pd.DataFrame":
        """A row per account: `account`, `team_id`, `key_env`, `base_url` (str)."""
        from ..frames import from_rows

        return from_rows([vars(account) for account in self], dict.fromkeys(_COLUMNS, "str"))

    @overload
    def __getitem__(self, index: int) -> Account: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Account]: ...
    def __getitem__(self, index: int | slice) -> Account | Sequence[Account]:
        return self._accounts[index]

    def __len__(self) -> int:
        return len(self._accounts)

    def __repr__(self) -> str:
        names = ", ".join(printable(account.account, 40) for account in self[:5])
        return f"Accounts({len(self):,}: {names}{' …' if len(self) > 5 else ''})"


def _account(number: int, row: Mapping[str, Any]) -> Account:
    cells = {name: "" if value is None else str(value).strip() for name, value in row.items()}
    for name in _REQUIRED:
        if not cells[name]:
            raise _invalid(f"row {number}: {name} is empty")
    for name, value in cells.items():
        if redacted(value) != value or value.startswith(("sk_", "pk_")):
            raise _invalid(
                f"row {number}: {name} contains an API key",
                "Put the key in an environment variable and enter the variable's name here. Replace the key if it was in a file.",
            )
    key_env = cells["key_env"]
    if not (key_env.isascii() and key_env.isidentifier()):
        raise _invalid(f"row {number}: '{printable(key_env, 80)}' is not a valid environment variable name")
    try:
        segment(cells["team_id"], "team_id")
        base_url = checked_base_url(cells.get("base_url") or BASE_URL)
    except CStarError as error:
        raise _invalid(f"row {number}: {error.message}") from None
    return Account(cells["account"], cells["team_id"], key_env, base_url)


def _invalid(
    problem: str, advice: str = "Use the columns account, team_id, key_env and, optionally, base_url."
) -> ConfigurationError:
    return ConfigurationError(f"Invalid accounts table: {problem}.", advice=advice)
