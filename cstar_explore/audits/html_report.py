"""An audit as one HTML page. It works offline, prints well, runs no script and escapes all untrusted text."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import groupby
from typing import Any

from ..charts import Chart
from ..frames import records
from ..text import escaped, html_page
from .findings import Finding
from .redaction import masked_keys, masked_text, masked_url
from .result import AuditResult

_MAX_ROWS = 1_000  # per table
_SHORT = {"state", "created", "until", "webhooks"}  # columns whose cells must not break
_HEADINGS = {"team_id": "team", "name": "webhook"}


def render(audit: AuditResult, charts: Mapping[str, Chart]) -> str:
    """The page. `charts` are those of `Audit.charts`."""
    figures = {
        name: f"<figure>{chart.image()}<figcaption>{escaped(chart.alt_text)}</figcaption></figure>"
        for name, chart in charts.items()
    }
    parts = (
        _unread_accounts(audit),
        "<h2>Overview</h2>",
        f'<div class="charts"><div>{figures["findings"]}{figures["ages"]}</div>{figures["coverage"]}</div>',
        "<h2>Findings</h2>",
        _findings(audit.findings) or "<p>No findings.</p>",
        _ignored(audit),
        "<h2>Accounts</h2>",
        _frame_table(audit.accounts, "account", "team_id", "environment", "state", "webhooks"),
        "<h2>Webhooks</h2>",
        '<p class="soft">Secrets in URLs are masked.</p>',
        _webhooks(audit),
    )
    style = files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    title = f"Webhook audit, {audit.taken:%Y-%m-%d}"
    return html_page(title, style, "\n".join(parts), header=_header(audit), images=True)


def _header(audit: AuditResult) -> str:
    environments = ", ".join(sorted({str(name) for name in audit.accounts["environment"] if name}))
    tiles = [
        ("", len(frame), noun if len(frame) == 1 else f"{noun}s")
        for frame, noun in ((audit.accounts, "account"), (audit.webhooks, "webhook"))
    ]
    for level, count in audit.counts().items():
        tiles.append((level, count, "for information" if level == "info" else f"{level} severity"))
    parts = (
        "<h1>Webhook audit</h1>",
        f'<p class="soft">{audit.taken:%d %B %Y, %H:%M} UTC. Environments of the accounts: {escaped(environments or "unknown")}.</p>',
        '<div class="tiles">',
        *(f'<div class="tile {level}"><b>{count:,}</b>{label}</div>' for level, count, label in tiles),
        "</div>",
        *(f'<p class="soft">{escaped(note)}</p>' for note in audit.notes),
    )
    return "\n".join(parts)


def _unread_accounts(audit: AuditResult) -> str:
    unread = audit.accounts[audit.accounts["state"] != "read"]
    if unread.empty:
        return ""
    sentence = f"{len(unread):,} of {len(audit.accounts):,} accounts are missing from this report."
    return f'<div class="alarm"><b>{sentence}</b>{_frame_table(unread, "account", "state", "error")}</div>'


def _findings(findings: Sequence[Finding]) -> str:
    """A section per rule, in the order of the findings."""
    sections = []
    for rule, group in groupby(findings, key=lambda finding: finding.rule):
        rows = [(finding.team.account, _subject(finding), finding.evidence) for finding in group]
        badge = f'<span class="badge {rule.severity}">{rule.severity}</span>'
        sections.append(
            f'<section class="rule"><h3>{badge}{escaped(rule.title)} ({len(rows):,})</h3>'
            f'<p class="soft">{escaped(rule.why)}</p><p><b>What to do:</b> {escaped(rule.remedy)}</p>'
            f"{_table(('account', 'webhook', 'evidence'), rows, kind='findings')}</section>"
        )
    return "\n".join(sections)


def _subject(finding: Finding) -> str:
    if finding.hook is None:
        return finding.subject
    return f"{finding.subject if finding.hook.state.name else 'unnamed'} ({finding.hook.id})"


def _ignored(audit: AuditResult) -> str:
    if audit.ignored.empty:
        return ""
    table = _frame_table(audit.ignored, "rule", "account", "name", "evidence", "reason", "until")
    return f"<h2>Ignored findings</h2>{table}"


def _webhooks(audit: AuditResult) -> str:
    rows = [
        (
            row["account"],
            masked_text(row["name"] or "", audit.mask_key),
            masked_url(row["url"], audit.mask_key),
            masked_keys(", ".join(row["events"] or ())),
            "unknown" if row["is_active"] is None else "active" if row["is_active"] else "paused",
            row["created_at"] and f"{row['created_at']:%Y-%m-%d}",
        )
        for row in records(audit.webhooks.head(_MAX_ROWS))
    ]
    return _table(("account", "name", "URL", "events", "state", "created"), rows, total=len(audit.webhooks))


def _frame_table(frame: Any, *names: str) -> str:
    rows = [tuple(row.values()) for row in records(frame[list(names)])]
    return _table([_HEADINGS.get(name, name) for name in names], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]], *, total: int = 0, kind: str = "") -> str:
    tags = ['<td class="short">' if name in _SHORT else "<td>" for name in head]
    cells = (["" if cell is None else escaped(cell) for cell in row] for row in rows[:_MAX_ROWS])
    lines = ("".join(f"{tag}{cell}</td>" for tag, cell in zip(tags, row, strict=True)) for row in cells)
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    total = total or len(rows)
    more = f"Showing the first {_MAX_ROWS:,} of {total:,} rows. The DataFrame of the audit has all of them."
    note = f'<p class="soft">{more}</p>' if total > _MAX_ROWS else ""
    heads = "".join(f'<th scope="col">{name}</th>' for name in head)
    return f'<table class="{kind}"><thead><tr>{heads}</tr></thead><tbody>\n{body}</tbody></table>{note}'
