"""Rules over webhooks → findings, less those that somebody has decided to live with."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ..plans import State
from ..text import printable
from .inventory import Estate, Hook, Team
from .redaction import without_keys
from .rules import RULES, SEVERITIES, Found, Rule
from .settings import Ignore, Settings
from .urls import address_in

if TYPE_CHECKING:
    import pandas as pd


_COLUMNS = ("severity", "rule", "account", "environment", "webhook_id", "name", "evidence", "remedy")


class Finding(NamedTuple):
    """A rule that found something, and where."""

    rule: Rule
    team: Team
    found: Found

    @property
    def order(self) -> tuple[int, str, str, int]:
        """By severity, rule, account and place."""
        place = -1 if self.found.hook is None else self.found.hook.place
        return SEVERITIES.index(self.rule.severity), self.rule.name, self.team.account, place


@dataclass(frozen=True)
class Judgement:
    """What came of all rules.

    Attributes:
        findings: In the order in which they are shown.
        ignored: What was set aside, and by which ignore.
        notes: What is to be said of the ignores.
    """

    findings: Sequence[Finding]
    ignored: Sequence[tuple[Finding, Ignore]]
    notes: tuple[str, ...]


def judge(webhooks: "pd.DataFrame", times: dict[str, datetime], settings: Settings) -> Judgement:
    """Every rule over every team.

    Args:
        webhooks: The audit's frame of webhooks.
        times: By account, the time by which its webhooks are judged.
        settings: Thresholds and ignores.
    """
    estate = _estate(webhooks, times, settings)
    found = [Finding(rule, team, one) for team in estate.teams for rule in RULES.values() for one in rule.find(team)]
    findings: list[Finding] = []
    ignored: list[tuple[Finding, Ignore]] = []
    matched: Counter[Ignore] = Counter()
    for finding in sorted(found, key=lambda finding: finding.order):
        fitting = [ignore for ignore in settings.ignores if _fits(ignore, finding)]
        matched.update(fitting)
        holding = [ignore for ignore in fitting if not ignore.expired(finding.team.now.date())]
        if holding:
            ignored.append((finding, holding[0]))
        else:
            findings.append(finding)
    return Judgement(findings, ignored, tuple(_notes(settings.ignores, matched, times)))


def desired(findings: Iterable[Finding]) -> "pd.DataFrame":
    """What the findings' fixes come to, as a frame for `cx.plan`; see `Audit.fix`."""
    from ..frames import from_rows

    states: dict[Hook, State] = {}
    because: dict[Hook, dict[str, None]] = {}
    teams: dict[Hook, Team] = {}
    # In the order of the rules, so that what one fix adds, the next one mends.
    for finding in sorted(findings, key=lambda finding: list(RULES).index(finding.rule.name)):
        for subject, mend in finding.found.fix:
            before = states.get(subject, subject.state)
            if mend(before) == before:
                continue
            states[subject] = mend(before)
            because.setdefault(subject, {})[finding.rule.name] = None
            teams[subject] = finding.team
    rows = [
        (
            subject.id,
            state.name,
            state.url,
            state.events,
            state.is_active,
            teams[subject].team_id,
            ", ".join(because[subject]),
        )
        for subject, state in sorted(states.items(), key=lambda item: item[0].place)
    ]
    names = ["id", "name", "url", "events", "is_active", "team_id", "because"]
    return from_rows(rows, dict.fromkeys(names, "str") | {"events": "object", "is_active": "boolean"})


def findings_frame(findings: Iterable[Finding]) -> "pd.DataFrame":
    """A row per finding; see `Audit.to_frame`."""
    from ..frames import from_rows

    return from_rows([_row(finding) for finding in findings], dict.fromkeys(_COLUMNS, "str"))


def ignored_frame(ignored: Iterable[tuple[Finding, Ignore]]) -> "pd.DataFrame":
    """A row per finding that was set aside; see `Audit.ignored`."""
    from ..frames import from_rows

    rows = [(*_row(finding), ignore.reason, ignore.until and ignore.until.isoformat()) for finding, ignore in ignored]
    return from_rows(rows, dict.fromkeys((*_COLUMNS, "reason", "until"), "str"))


def _row(finding: Finding) -> tuple[str | None, ...]:
    rule, team, found = finding
    about = (None, None) if found.hook is None else (found.hook.id, without_keys(found.hook.state.name or "") or None)
    return (rule.severity, rule.name, team.account, team.environment, *about, found.evidence, rule.remedy)


def _estate(webhooks: "pd.DataFrame", times: dict[str, datetime], settings: Settings) -> Estate:
    estate = Estate(settings.thresholds)
    teams: dict[str, Team] = {}
    from ..frames import plain

    columns = [
        "account",
        "team_id",
        "environment",
        "id",
        "name",
        "url",
        "events",
        "is_active",
        "created_at",
        "updated_at",
    ]
    table = plain(webhooks[columns])
    for place, row in enumerate(zip(*(table[name].tolist() for name in columns), strict=True)):
        account, team_id, environment, identity, name, url, events, is_active, created, updated = row
        if account not in teams:
            teams[account] = Team(account, team_id, environment, times[account], [], estate)
        state = State(name, url, events, is_active)
        teams[account].hooks.append(Hook(place, identity, state, _moment(created), _moment(updated), address_in(url)))
    # Also those without webhooks: something may be expected of them.
    for account, now in times.items():
        teams.setdefault(account, Team(account, account, "", now, [], estate))
    estate.teams.extend(teams.values())
    return estate


def _moment(value: Any) -> datetime | None:
    return None if value is None else value.to_pydatetime(warn=False)


def _fits(ignore: Ignore, finding: Finding) -> bool:
    rule, team, found = finding
    address = found.hook.address if found.hook else None
    told = {
        "webhook": found.hook and found.hook.id,
        "account": team.account,
        "host": found.host or (address and address.host),
    }
    return ignore.rule == rule.name and all(getattr(ignore, name) in (None, value) for name, value in told.items())


def _notes(ignores: Iterable[Ignore], matched: Counter[Ignore], times: dict[str, datetime]) -> Iterable[str]:
    today = max((now.date() for now in times.values()), default=None)
    for ignore in ignores:
        if today is not None and ignore.expired(today):
            yield f"The ignore of {ignore} has expired on {ignore.until}: what it set aside is found again."
        elif not matched[ignore]:
            yield f"The ignore of {ignore} matched nothing: {printable(ignore.reason, 120)}"
