"""Audit settings from a TOML file: thresholds of the rules, and findings to ignore.

[thresholds]
inactive_days = 90

[[ignore]]
rule = "odd_port"
host = "hooks.example.com"
reason = "The receiver's only open port; see OPS-112."
until = 2026-06-30
"""

import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..files import read_text
from ..text import did_you_mean, printable
from .urls import HOSTS

_MAX_BYTES = 2**15


@dataclass(frozen=True)
class Thresholds:
    """Thresholds beyond which a rule reports a finding.

    Attributes:
        inactive_days: Days a webhook may be paused.
        secret_days: Maximum age of a signing secret, in days.
        everything: Share of all event types from which a subscription counts as "everything".
        teams_per_host: Number of accounts from which a shared host is reported.
        ports: Ports that are not unusual.
        shared_hosts: Hosts that many teams may share. `*.` stands for any subdomain.
        expected_events: Event types that an active webhook of every team must receive.
    """

    inactive_days: int = 90
    secret_days: int = 365
    everything: float = 0.8
    teams_per_host: int = 3
    ports: tuple[int, ...] = (443, 8443)
    shared_hosts: tuple[str, ...] = HOSTS["shared"]
    expected_events: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ignore:
    """Ignores the findings of one rule about a webhook, an account or a host. If several are given, all must match.

    Attributes:
        reason: Why; required.
        until: The day on which the ignore expires.
    """

    rule: str
    reason: str
    webhook: str | None = None
    account: str | None = None
    host: str | None = None
    until: date | None = None

    def expired(self, today: date) -> bool:
        """Whether it has expired. On the day `until` it has."""
        return self.until is not None and today >= self.until

    def __str__(self) -> str:
        values = {"webhook": self.webhook, "account": self.account, "host": self.host}
        subject = ", ".join(f"{name} {printable(value, 80)}" for name, value in values.items() if value)
        return f"{self.rule} ({subject})"


@dataclass(frozen=True)
class Settings:
    """Thresholds and ignores."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    ignores: tuple[Ignore, ...] = ()


def read_settings(path: str | Path, rules: Collection[str]) -> Settings:
    """Reads a settings file. `rules` are the names of the rules that exist.

    Raises:
        ConfigurationError: The file cannot be read, is not TOML, or has an unknown key, an unknown rule or an invalid value.
    """
    try:
        # The time tomllib takes grows with the square of the number of dots in a key; settings files are small.
        table = tomllib.loads(read_text(path, max_bytes=_MAX_BYTES))
    except (ValueError, RecursionError) as error:
        raise _invalid(path, f"it is not TOML: {printable(error, 200)}") from None
    _check(path, "the file", table, _FILE)
    thresholds, ignores = table.get("thresholds", {}), table.get("ignore", [])
    _check(path, "[thresholds]", thresholds, _THRESHOLDS)
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in thresholds.items()
    }
    if "shared_hosts" in values:
        values["shared_hosts"] = tuple(map(str.lower, values["shared_hosts"]))
    return Settings(Thresholds(**values), tuple(_ignore(path, entry, rules) for entry in ignores))


def _ignore(path: str | Path, entry: Mapping[str, Any], rules: Collection[str]) -> Ignore:
    _check(path, "[[ignore]]", entry, _IGNORE)
    rule = entry.get("rule", "")
    if rule not in rules:
        raise _invalid(path, f"rule in [[ignore]] is '{printable(rule, 80)}', which does not exist", _hint(rule, rules))
    if "reason" not in entry:
        raise _invalid(path, f"the [[ignore]] of {rule} needs a reason")
    if not {"webhook", "account", "host"} & entry.keys():
        raise _invalid(path, f"the [[ignore]] of {rule} needs a webhook, account or host")
    return Ignore(**{name: value.lower() if name == "host" else value for name, value in entry.items()})


def _check(path: str | Path, where: str, table: Mapping[str, Any], kinds: "Mapping[str, Kind]") -> None:
    """Refuses keys that are not among the kinds, and values that are not of their kind."""
    for name, value in table.items():
        if name not in kinds:
            raise _invalid(path, f"unknown key '{printable(name, 80)}' in {where}", _hint(name, kinds))
        expected, is_valid = kinds[name]
        if not is_valid(value):
            raise _invalid(path, f"{name} in {where} must be {expected}, not {_shown(value)}")


def _hint(name: str, known: Collection[str]) -> str:
    return did_you_mean(name, known).strip() or f"Use one of {', '.join(known)}."


def _invalid(path: str | Path, problem: str, advice: str = "Fix the file.") -> ConfigurationError:
    return ConfigurationError(f"Invalid settings in {printable(path, 200)}: {problem}.", advice=advice)


def _shown(value: Any) -> str:
    try:
        return printable(repr(value), 80)
    except ValueError:  # Python does not format integers of more than 4,300 digits
        return "an integer with thousands of digits"


_MAX_INTEGER = 100_000  # above every port; as days, more than 270 years


def _is_integer(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MAX_INTEGER


def _is_list_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(isinstance(entry, kind) for entry in value)


Kind = tuple[str, Callable[[Any], bool]]  # what is expected, and whether a value is that

_DAYS: Kind = ("a number of days", _is_integer)
_TEXT: Kind = ("text", lambda value: isinstance(value, str) and bool(value.strip()))
_FILE: Mapping[str, Kind] = {
    "thresholds": ("one [thresholds] table", lambda value: isinstance(value, dict)),
    "ignore": ("[[ignore]] tables", _is_list_of(dict)),
}
_THRESHOLDS: Mapping[str, Kind] = {
    "inactive_days": _DAYS,
    "secret_days": _DAYS,
    "everything": ("a number above 0 and at most 1", lambda value: type(value) in (int, float) and 0 < value <= 1),
    "teams_per_host": ("an integer of at least 2", lambda value: _is_integer(value) and value > 1),
    "ports": ("a list of port numbers", lambda value: isinstance(value, list) and all(map(_is_integer, value))),
    "shared_hosts": ("a list of hosts", _is_list_of(str)),
    "expected_events": ("a list of event types", _is_list_of(str)),
}
_IGNORE: Mapping[str, Kind] = {
    **dict.fromkeys(("rule", "reason", "webhook", "account", "host"), _TEXT),
    "until": ("a date such as 2026-06-30", lambda value: type(value) is date),
}
