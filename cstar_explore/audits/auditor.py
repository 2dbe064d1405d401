"""`audit` and its result: every webhook of every team in one frame, and the findings about them."""

from collections.abc import Collection, Iterable
from concurrent.futures import Executor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..api.client import Client
from ..errors import ValidationError
from ..files import replace_file
from ..models import WebhookList
from ..text import did_you_mean, escaped, printable
from .accounts import Accounts
from .display import findings_html
from .fetching import FetchResult, Progress, Stopped, fetch_accounts, fetch_team
from .findings import Finding, fixes_frame
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
    allow_hosts: Iterable[str] = (),
) -> "Audit":
    """Checks webhooks against the rules of `audit_rules`. Sends only GET requests.

    Args:
        source: A client, for its team; `Accounts`, for many teams; or webhooks you already have, as a `WebhookList` or a
            frame. A frame with several teams needs the columns `account`, `team_id` and `environment`.
        settings: The path of a TOML file with thresholds and ignores.
        executor: Runs the fetches, for example Dask's executor. By default, threads of this process.
        at_once: How many accounts are fetched at the same time, from 1 to 100.
        on_progress: Called with the numbers of accounts done, in total, and failed. By default, progress is logged to stderr.
        stopped: Called several times a second. Once it returns True, the remaining accounts are not tried.
        now: The time from which ages are computed. By default, cStar's clock when an account is fetched.
        allow_hosts: Hosts other than cStar's and loopback to which the keys of `Accounts` may be sent.

    An account that cannot be read does not stop the audit of the others; see `Audit.accounts` and `Audit.complete`.

    Raises:
        ConfigurationError: The settings, `at_once` or `now` are invalid, or an account names a host that is not allowed.
        AuditInterruptedError: Ctrl+C was pressed; a KeyboardInterrupt. Its `audit` has the accounts read until then.
        ValidationError: The source has another type, or the frame lacks a column.
        CStarError: The source is a client, and its webhooks could not be read.
    """
    checked = Settings() if settings is None else read_settings(settings, RULES)
    days, was_interrupted = checked.thresholds.inactive_days, False
    if isinstance(source, Accounts):
        source.check_hosts(allow_hosts)
        fetched, was_interrupted = fetch_accounts(
            source, inactive_days=days, executor=executor, at_once=at_once, on_progress=on_progress, stopped=stopped
        )
    elif isinstance(source, Client):
        fetched = [fetch_team(source, str(source.team_id), days)]
        if fetched[0].error is not None:
            raise fetched[0].error
    elif isinstance(source, WebhookList):
        fetched = [FetchResult("", "", "", tuple(source._items))]  # noqa: SLF001 - as received, with undocumented fields
    else:
        from .tables import results_from_frame

        fetched = results_from_frame(source)
    audited = Audit(fetched, checked, now)
    if was_interrupted:
        raise AuditInterruptedError(audited)
    return audited


class Audit(AuditResult):
    """The result of `cx.audit`. In a notebook it displays its findings.

    Its attributes are those of `AuditResult`.
    """

    def fix(self, rules: str | Collection[str] | None = None, account: str | None = None) -> "pd.DataFrame":
        """The automatic fixes for one account, as a frame for `cx.plan`.

        Only lossless fixes are included: no webhook is deleted, and `Plan.invert` restores everything, except a plain http
        URL, which cStar does not accept again.

        Args:
            rules: Include only fixes for this rule or these rules.
            account: The account to fix. Required if the audit has several.

        Raises:
            ValidationError: A rule or the account is unknown, or `account` is missing.
        """
        accounts = list(dict.fromkeys(self.accounts["account"]))
        if account is None and len(accounts) > 1:
            raise ValidationError(
                "The audit has several accounts, and a plan applies to one.",
                advice=f"Set account= to one of {', '.join(printable(name, 80) for name in accounts[:5])} …",
            )
        if account is not None and account not in accounts:
            raise ValidationError(f"The audit has no account '{printable(account, 80)}'.", param="account")
        rules = [rules] if isinstance(rules, str) else rules
        for name in rules or ():
            if name not in RULES:
                raise ValidationError(
                    f"There is no rule '{printable(name, 80)}'.{did_you_mean(str(name), RULES)}",
                    param="rules",
                    advice="cx.audit_rules() lists them.",
                )
        return fixes_frame(
            finding
            for finding in self.findings
            if (rules is None or finding.rule.name in rules) and account in (None, finding.team.account)
        )

    def to_json(self) -> str:
        """The audit as a baseline: sorted JSON, one webhook per line, without secrets. Equal audits give equal text."""
        from .baseline import baseline_text

        return baseline_text(self)

    def save(self, path: str | Path) -> None:
        """Writes `to_json` to a file, for `cx.compare`. An existing file is replaced as a whole or not at all.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        replace_file(path, self.to_json())

    def to_html(self, path: str | Path | None = None) -> str:
        """The audit as one self-contained HTML page: summary, charts, findings and webhooks.

        Args:
            path: Also writes the page to this file.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        from .html_report import render

        page = render(self, self.charts())
        if path is not None:
            replace_file(path, page)
        return page

    def charts(self) -> "dict[str, Chart]":
        """The charts of the report: `findings` by account, `ages` of the webhooks, and `coverage` of the event types."""
        from .charts import ages_chart, coverage_chart, findings_chart

        return {"findings": findings_chart(self), "ages": ages_chart(self), "coverage": coverage_chart(self)}

    def to_csv(self, path: str | Path) -> None:
        """Writes the findings to a CSV file. No cell is a formula to a spreadsheet."""
        from ..csv_files import write_csv

        write_csv(self.to_frame(), path)

    def __repr__(self) -> str:
        lines = [*self.unread()[:_SHOWN], *map(_line, self.findings[:_SHOWN])]
        if len(self.findings) > _SHOWN:
            lines.append(f"… and {len(self.findings) - _SHOWN:,} more; .to_frame() has all of them")
        return "\n  ".join([f"Audit: {self.summary()}", *lines, *self.notes])

    def _repr_html_(self) -> str:
        lines = [self.summary(), *self.unread()[:_SHOWN], *self.notes]
        paragraphs = "".join(f"<p>{html}</p>" for html in map(escaped, lines))
        return paragraphs + findings_html(self)

    def unread(self) -> list[str]:
        """A sentence for each account that was not read."""
        unread = self.accounts[self.accounts["state"] != "read"].to_dict("records")
        return [f"{printable(row['account'], 80)}: {row['state']}. {printable(row['error'], 300)}" for row in unread]


class AuditInterruptedError(KeyboardInterrupt):
    """Ctrl+C during an audit of several accounts.

    Attributes:
        audit: The accounts that were read until then; its `complete` is False.
    """

    def __init__(self, audit: Audit) -> None:
        super().__init__(f"The audit was interrupted: {audit.summary()} The attribute `audit` has what was read.")
        self.audit = audit


def audit_rules() -> "pd.DataFrame":
    """The rules of an audit. Columns, all str: `rule`, `severity`, `title`, `why`, `remedy`."""
    from ..frames import from_rows

    rows = [(rule.name, rule.severity, rule.title, rule.why, rule.remedy) for rule in RULES.values()]
    return from_rows(rows, dict.fromkeys(("rule", "severity", "title", "why", "remedy"), "str"))


def _line(finding: Finding) -> str:
    account = f"{printable(finding.team.account, 40)}, " if finding.team.account else ""
    return (
        f"{finding.rule.severity}: {finding.rule.title}: {account}{printable(finding.subject, 80)}: {finding.evidence}"
    )
