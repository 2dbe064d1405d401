"""Runs the rules over all webhooks and applies the ignores. Findings and fixes as frames."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING, NamedTuple

from ..plans import State
from ..text import printable
from .fetching import FetchResult
from .inventory import Hook, Inventory, Team
from .redaction import masked_keys, masked_text
from .rules import RULES, SEVERITIES, Fix, Rule
from .settings import Ignore, Settings

if TYPE_CHECKING:
    import pandas as pd


_COLUMNS = ("severity", "rule", "account", "environment", "webhook_id", "name", "evidence", "remedy")


class Finding(NamedTuple):
    """A rule and what it matched; the last four attributes are those of `rules.Match`."""

    rule: Rule
    team: Team
    hook: Hook | None
    evidence: str
    fixes: Sequence[tuple[Hook, Fix]]
    host: str | None

    @property
    def order(self) -> tuple[int, str, str, int]:
        """The sort key: severity, rule, account, row."""
        row = -1 if self.hook is None else self.hook.row
        return SEVERITIES.index(self.rule.severity), self.rule.name, self.team.account, row

    @property
    def subject(self) -> str:
        """The webhook's name, or else its id; "(the team)" if the finding is about the whole team. Secrets are masked."""
        if self.hook is None:
            return "(the team)"
        return masked_text(self.hook.state.name or self.hook.id or "(no ID)", self.team.inventory.mask_key)


Ignored = tuple[Finding, Ignore]


def run_rules(
    read: Sequence[FetchResult], settings: Settings, mask_key: str
) -> tuple[list[Finding], list[Ignored], list[str]]:
    """Runs every rule over every team.

    Args:
        read: The accounts that were read. Ages are computed from their `now`.
        settings: Thresholds and ignores.
        mask_key: Changes the digits of the masks in the evidence.

    Returns:
        The findings, in the order of `Finding.order`; the ignored ones, each with its ignore; and sentences about ignores that
        expired or matched nothing.
    """
    inventory = Inventory(read, settings.thresholds, mask_key)
    matches = [
        Finding(rule, team, match.hook, masked_keys(match.evidence), match.fixes, match.host)
        for team in inventory.teams
        for rule in RULES.values()
        for match in rule.find(team)
    ]
    findings: list[Finding] = []
    ignored: list[Ignored] = []
    uses: Counter[Ignore] = Counter()
    for finding in sorted(matches, key=lambda finding: finding.order):
        applicable = [ignore for ignore in settings.ignores if _applies(ignore, finding)]
        uses.update(applicable)
        valid = [ignore for ignore in applicable if not ignore.expired(finding.team.now.date())]
        if valid:
            ignored.append((finding, valid[0]))
        else:
            findings.append(finding)
    return findings, ignored, list(_notes(settings.ignores, uses, read))


def findings_frame(findings: Iterable[Finding]) -> "pd.DataFrame":
    """A row per finding; see `Audit.to_frame`."""
    from ..frames import from_rows

    return from_rows([_row(finding) for finding in findings], dict.fromkeys(_COLUMNS, "str"))


def ignored_frame(ignored: Iterable[Ignored]) -> "pd.DataFrame":
    """A row per ignored finding; see `Audit.ignored`."""
    from ..frames import from_rows

    rows = [(*_row(finding), ignore.reason, ignore.until and ignore.until.isoformat()) for finding, ignore in ignored]
    return from_rows(rows, dict.fromkeys((*_COLUMNS, "reason", "until"), "str"))


def fixes_frame(findings: Iterable[Finding]) -> "pd.DataFrame":
    """A row per webhook that the fixes change; see `Audit.fix`."""
    from ..frames import from_rows

    states: dict[Hook, State] = {}
    because: dict[Hook, list[Finding]] = defaultdict(list)
    # In the order of the rules: a later fix may correct what an earlier one adds.
    for finding in sorted(findings, key=lambda finding: list(RULES).index(finding.rule.name)):
        for hook, fix in finding.fixes:
            before = states.get(hook, hook.state)
            if fix(before) != before:
                states[hook] = fix(before)
                because[hook].append(finding)
    rows = []
    for hook, state in sorted(states.items(), key=lambda item: item[0].row):
        rules = ", ".join(dict.fromkeys(finding.rule.name for finding in because[hook]))
        rows.append((hook.id, *astuple(state), because[hook][0].team.team_id, rules))
    names = ["id", "name", "url", "events", "is_active", "team_id", "because"]
    return from_rows(rows, dict.fromkeys(names, "str") | {"events": "object", "is_active": "boolean"})


def _row(finding: Finding) -> tuple[str | None, ...]:
    rule, team, hook = finding.rule, finding.team, finding.hook
    mask_key = team.inventory.mask_key
    webhook = (None, None) if hook is None else (hook.id, masked_text(hook.state.name or "", mask_key) or None)
    return (rule.severity, rule.name, team.account, team.environment, *webhook, finding.evidence, rule.remedy)


def _applies(ignore: Ignore, finding: Finding) -> bool:
    hook = finding.hook
    values = {
        "webhook": hook and hook.id,
        "account": finding.team.account,
        "host": finding.host or (hook and hook.host),
    }
    return ignore.rule == finding.rule.name and all(
        getattr(ignore, name) in (None, value) for name, value in values.items()
    )


def _notes(ignores: Iterable[Ignore], uses: Counter[Ignore], read: Iterable[FetchResult]) -> Iterable[str]:
    today = max((result.now.date() for result in read), default=None)
    for ignore in ignores:
        if today is not None and ignore.expired(today):
            yield f"The ignore of {ignore} expired on {ignore.until}; its findings are reported again."
        elif not uses[ignore]:
            yield f"The ignore of {ignore} matched no finding. Its reason: {printable(ignore.reason, 120)}"
