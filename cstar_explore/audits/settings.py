"""What an audit goes by: thresholds, and findings that somebody has decided to live with. From a small TOML file.

[thresholds]
inactive_days = 90

[[ignore]]
rule = "odd_port"
host = "hooks.example.com"
reason = "The receiver's only open port; see OPS-112."
until = 2026-06-30
"""

import difflib
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..files import read_text
from ..text import printable

_LARGEST = 2**15  # bytes


@dataclass(frozen=True)
class Thresholds:
    """From where on something is found.

    Attributes:
        inactive_days: Days that a webhook may be paused.
        secret_days: Days that a signing secret may be old.
        everything: The share of all event types at which a subscription counts as one to everything.
        teams_per_host: Accounts at which one host is told as shared.
        ports: Ports that are not odd.
        shared_hosts: Hosts that many teams use because many people do; `*.` stands for any subdomain.
        expected_events: Event types that some active webhook of each team has to receive.
    """

    inactive_days: int = 90
    secret_days: int = 365
    everything: float = 0.8
    teams_per_host: int = 3
    ports: tuple[int, ...] = (443, 8443)
    shared_hosts: tuple[str, ...] = (
        "hooks.slack.com",
        "hooks.zapier.com",
        "discord.com",
        "chat.googleapis.com",
        "events.pagerduty.com",
        "*.webhook.office.com",
        "*.logic.azure.com",
    )
    expected_events: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ignore:
    """Findings of one rule that are set aside: about a webhook, an account, a host, or all that are given together.

    Attributes:
        reason: Why; an ignore without one is refused.
        until: The day from which on it no longer holds.
    """

    rule: str
    reason: str
    webhook: str | None = None
    account: str | None = None
    host: str | None = None
    until: date | None = None

    def expired(self, today: date) -> bool:
        """Whether its day has come."""
        return self.until is not None and today >= self.until

    def __str__(self) -> str:
        about = ", ".join(
            f"{name} {printable(value, 80)}"
            for name in ("webhook", "account", "host")
            if (value := getattr(self, name))
        )
        return f"{self.rule} ({about})"


@dataclass(frozen=True)
class Settings:
    """Thresholds and ignores."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    ignores: tuple[Ignore, ...] = ()


def read_settings(path: str | Path, rules: Collection[str]) -> Settings:
    """Reads a TOML file.

    Raises:
        ConfigurationError: It is no TOML, or has a key, a rule or a value that there is not; nothing is passed over.
    """
    try:
        # tomllib takes time that grows with the square of a file of dots; nobody writes so many settings by hand.
        table = tomllib.loads(read_text(path, most=_LARGEST))
    except (ValueError, RecursionError) as error:
        raise _wrong(path, f"it is not TOML: {printable(error, 200)}") from None
    _check_names(path, "the file", table, ("thresholds", "ignore"))
    ignores = table.get("ignore", [])
    if not isinstance(ignores, list) or not isinstance(table.get("thresholds", {}), dict):
        raise _wrong(path, "[thresholds] is one table, and [[ignore]] has two brackets")
    return Settings(
        _thresholds(path, table.get("thresholds", {})), tuple(_ignore(path, entry, rules) for entry in ignores)
    )


def _thresholds(path: str | Path, table: Mapping[str, Any]) -> Thresholds:
    _check_names(path, "[thresholds]", table, [known.name for known in fields(Thresholds)])
    for name, value in table.items():
        wanted, fits = _KINDS[name]
        if not fits(value):
            raise _wrong(path, f"{name} is {wanted}, not {_shown(value)}")
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}
    if "shared_hosts" in given:
        given["shared_hosts"] = tuple(map(str.lower, given["shared_hosts"]))
    return Thresholds(**given)


def _ignore(path: str | Path, entry: Any, rules: Collection[str]) -> Ignore:
    if not isinstance(entry, dict):
        raise _wrong(path, "an ignore is a table: [[ignore]]")
    _check_names(path, "[[ignore]]", entry, [known.name for known in fields(Ignore)])
    for name, value in entry.items():
        if name == "until":
            if type(value) is not date:
                raise _wrong(path, f"until is a date such as 2026-06-30, not {_shown(value)}")
        elif not isinstance(value, str) or not value.strip():
            raise _wrong(path, f"{name} in [[ignore]] is text, not {_shown(value)}")
    _check_names(path, "rule", [entry.get("rule", "")], rules)
    if "reason" not in entry:
        raise _wrong(path, f"the ignore of {entry['rule']} gives no reason")
    if not {"webhook", "account", "host"} & entry.keys():
        raise _wrong(path, f"the ignore of {entry['rule']} names no webhook, account or host")
    return Ignore(**{name: value.lower() if name == "host" else value for name, value in entry.items()})


def _check_names(path: str | Path, where: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(known)}"
            raise _wrong(
                path,
                f"{where} cannot be '{printable(name, 80)}'"
                if where == "rule"
                else f"{where} knows no '{printable(name, 80)}'",
                hint,
            )


def _wrong(path: str | Path, why: str, hint: str = "") -> ConfigurationError:
    return ConfigurationError(
        f"The settings in {printable(path, 200)} cannot be used: {why}{hint}.", advice="Correct the file."
    )


def _shown(value: Any) -> str:
    try:
        return printable(repr(value), 80)
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number of so many digits"


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


_MOST = 100_000  # days are 270 years, and there are no more ports than that


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


_KINDS: Mapping[str, tuple[str, Any]] = {
    "inactive_days": ("a number of days", _whole),
    "secret_days": ("a number of days", _whole),
    "everything": (
        "a share from 0 to 1",
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1,
    ),
    "teams_per_host": ("a number of teams", lambda value: _whole(value) and value > 1),
    "ports": ("a list of ports", lambda value: isinstance(value, list) and all(map(_whole, value))),
    "shared_hosts": ("a list of hosts", _texts),
    "expected_events": ("a list of event types", _texts),
}
