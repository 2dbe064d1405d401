"""The audit: every webhook of every team in one frame, and what is wrong with them."""

import difflib
from collections.abc import Collection
from concurrent.futures import Executor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..api.client import Client
from ..errors import ValidationError
from ..models import WebhookList
from ..text import escaped, html_table, printable
from .accounts import Accounts
from .fetching import Progress, Reading, Stopped, read_accounts, read_team
from .findings import Finding, desired
from .result import AuditResult
from .rules import RULES
from .settings import Settings, read_settings

if TYPE_CHECKING:
    import pandas as pd

    from ..charts import Chart

_SHOWN = 20  # findings in a repr


def audit(
    source: "Client | Accounts | WebhookList | pd.DataFrame",
    *,
    settings: str | Path | None = None,
    executor: Executor | None = None,
    at_once: int = 10,
    on_progress: Progress | None = None,
    stopped: Stopped | None = None,
    now: datetime | None = None,
) -> "Audit":
    """Looks at webhooks and says what is wrong with them. It changes nothing: nothing but GET is sent.

    Args:
        source: A client, for its team; accounts, for many teams side by side; or webhooks that have been read already, as a
            list or a frame (with the columns `account`, `team_id` and `environment` where they are of several teams).
        settings: A TOML file with thresholds and ignores.
        executor: Where accounts are read, such as Dask's; by default, threads of this process.
        at_once: How many accounts at the same time.
        on_progress: Called with the numbers of accounts done, in all, and failed; by default a word on stderr now and then.
        stopped: Asked several times a second; when it says True, the accounts that are left are not tried.
        now: The time by which webhooks are old; by default cStar's own, of each answer.

    An account that cannot be read does not keep the others from being read: see `Audit.accounts` and `Audit.complete`.

    Raises:
        ConfigurationError: The settings or the source cannot be used.
        CStarError: The one client's webhooks could not be read.
    """
    rules = Settings() if settings is None else read_settings(settings, RULES)
    days = rules.thresholds.inactive_days
    if isinstance(source, Accounts):
        readings = read_accounts(
            source, inactive_days=days, executor=executor, at_once=at_once, on_progress=on_progress, stopped=stopped
        )
    elif isinstance(source, Client):
        readings = [read_team(source, str(source.team_id), days)]
        if readings[0].error is not None:
            raise readings[0].error
    elif isinstance(source, WebhookList):
        readings = [Reading("", "", "", tuple(source.items))]
    else:
        from .tables import readings_in

        readings = readings_in(source)
    return Audit(readings, rules, now)


class Audit(AuditResult):
    """What an audit found, with its outputs. Made by `cx.audit`; displaying it shows the findings.

    Its attributes are those of `AuditResult`.
    """

    def fix(self, rules: str | Collection[str] | None = None, account: str | None = None) -> "pd.DataFrame":
        """What would mend the findings of one account, as a frame for `cx.plan`, as far as it can be prepared.

        Only what loses nothing is prepared: nothing is deleted, and the plan's `invert` takes it back to the letter; but for an
        address over plain http, which cStar would not take again.

        Args:
            rules: Of this rule, or of these, only.
            account: Of this account; needed where there are several.

        Raises:
            ValidationError: There is no such rule or account, or it is not said which account.
        """
        known = list(dict.fromkeys(self.accounts["account"]))
        if account is None and len(known) > 1:
            raise ValidationError(
                "These are several accounts, and a plan is for one.",
                advice=f"Give account=, one of {', '.join(printable(name, 80) for name in known[:5])} …",
            )
        if account is not None and account not in known:
            raise ValidationError(f"There is no account '{printable(account, 80)}' in this audit.", param="account")
        rules = [rules] if isinstance(rules, str) else rules
        for name in rules or ():
            if name not in RULES:
                near = difflib.get_close_matches(str(name), RULES, n=1)
                hint = f" Did you mean '{near[0]}'?" if near else ""
                raise ValidationError(
                    f"There is no rule '{printable(name, 80)}'.{hint}",
                    param="rules",
                    advice="cx.audit_rules() lists them.",
                )
        return desired(
            finding
            for finding in self.findings
            if (rules is None or finding.rule.name in rules) and account in (None, finding.team.account)
        )

    def to_json(self) -> str:
        """The audit as a baseline: JSON, sorted, a webhook on each line, without secrets. The same each time."""
        from .baseline import baseline_text

        return baseline_text(self)

    def save(self, path: str | Path) -> None:
        """Writes `to_json` to a file, for `cx.compare`."""
        Path(path).write_text(self.to_json(), encoding="utf-8")

    def to_html(self) -> str:
        """The audit as one page of HTML that needs nothing else: the summary first, then pictures, findings and webhooks."""
        from .html_report import report

        return report(self, self.charts())

    def charts(self) -> "dict[str, Chart]":
        """The report's pictures: `findings` by account, `ages` of the webhooks, and the `coverage` of the event types."""
        from .charts import ages_chart, coverage_chart, findings_chart

        return {"findings": findings_chart(self), "ages": ages_chart(self), "coverage": coverage_chart(self)}

    def to_csv(self, path: str | Path) -> None:
        """Writes the findings to a CSV file that no spreadsheet executes."""
        from ..csv_files import write_csv

        write_csv(self.to_frame(), path)

    def __repr__(self) -> str:
        lines = [f"Audit: {self.summary()}"]
        lines += [f"  {line}" for line in self._not_read()]
        lines += [f"  {_line(finding)}" for finding in self.findings[:_SHOWN]]
        if len(self.findings) > _SHOWN:
            lines.append(f"  … and {len(self.findings) - _SHOWN:,} more; .to_frame() has them all")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        told = "".join(f"<p>{html}</p>" for html in map(escaped, [self.summary(), *self._not_read(), *self.notes]))
        rows = [
            (finding.rule.severity, finding.rule.title, finding.team.account, _about(finding), finding.found.evidence)
            for finding in self.findings[:100]
        ]
        return told + (
            html_table(("severity", "what", "account", "webhook", "evidence"), rows, len(self.findings)) if rows else ""
        )

    def _not_read(self) -> list[str]:
        failed = self.accounts[self.accounts["state"] != "read"].head(_SHOWN).to_dict("records")
        return [f"{printable(row['account'], 80)}: {row['state']}. {printable(row['error'], 300)}" for row in failed]


def audit_rules() -> "pd.DataFrame":
    """The rules of an audit. Columns, all str: `rule`, `severity`, `title`, `why`, `remedy`."""
    from ..frames import from_rows

    rows = [(rule.name, rule.severity, rule.title, rule.why, rule.remedy) for rule in RULES.values()]
    return from_rows(rows, dict.fromkeys(("rule", "severity", "title", "why", "remedy"), "str"))


def _about(finding: Finding) -> str:
    subject = finding.found.hook
    return "(the team)" if subject is None else subject.state.name or subject.id


def _line(finding: Finding) -> str:
    account = f"{printable(finding.team.account, 40)}, " if finding.team.account else ""
    return f"{finding.rule.severity}: {finding.rule.title}: {account}{printable(_about(finding), 80)}: {finding.found.evidence}"
