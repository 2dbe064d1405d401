"""An audit as one HTML page. It works offline, prints well, runs no script and escapes all untrusted text."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..frames import records
from ..text import escaped, html_page
from .findings import Finding
from .redaction import masked_keys, masked_text, masked_url

if TYPE_CHECKING:
    from ..charts import Chart
    from .result import AuditResult

_MAX_ROWS = 1_000  # per table
_SHORT = {"state", "created", "until", "webhooks"}  # columns whose cells must not break


def render(audit: "AuditResult", charts: "Mapping[str, Chart]") -> str:
    """The page. `charts` are those of `Audit.charts`."""
    style = files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    parts = [
        *_unread_accounts(audit),
        "<h2>Overview</h2>",
        '<div class="charts"><div>',
        _chart(charts["findings"]),
        _chart(charts["ages"]),
        "</div>",
        _chart(charts["coverage"]),
        "</div>",
        "<h2>Findings</h2>",
        *(_findings(audit.findings) or ["<p>No findings.</p>"]),
        *_ignored(audit),
        "<h2>Accounts</h2>",
        _table(
            ("account", "team", "environment", "state", "webhooks"),
            _rows(audit.accounts, ["account", "team_id", "environment", "state", "webhooks"]),
        ),
        "<h2>Webhooks</h2>",
        '<p class="soft">Secrets in URLs are masked.</p>',
        _webhooks(audit),
    ]
    title = f"Webhook audit, {audit.taken:%Y-%m-%d}"
    return html_page(title, style, "\n".join(parts), header="\n".join(_head(audit)), images=True)


def _head(audit: "AuditResult") -> list[str]:
    environments = ", ".join(sorted({str(name) for name in audit.accounts["environment"] if name}))
    tiles = [
        ("", len(frame), noun + "s" * (len(frame) != 1))
        for frame, noun in ((audit.accounts, "account"), (audit.webhooks, "webhook"))
    ]
    tiles += [
        (level, count, "for information" if level == "info" else f"{level} severity")
        for level, count in audit.counts().items()
    ]
    return [
        "<h1>Webhook audit</h1>",
        f'<p class="soft">{audit.taken:%d %B %Y, %H:%M} UTC. Environments of the accounts: {escaped(environments or "unknown")}.</p>',
        '<div class="tiles">',
        *(f'<div class="tile {level}"><b>{count:,}</b>{label}</div>' for level, count, label in tiles),
        "</div>",
        *(f'<p class="soft">{escaped(note)}</p>' for note in audit.notes),
    ]


def _unread_accounts(audit: "AuditResult") -> list[str]:
    unread = audit.accounts[audit.accounts["state"] != "read"]
    if not len(unread):
        return []
    return [
        f'<div class="alarm"><b>{len(unread):,} of {len(audit.accounts):,} accounts are missing from this report.</b>',
        _table(("account", "state", "error"), _rows(unread, ["account", "state", "error"])),
        "</div>",
    ]


def _findings(findings: Sequence[Finding]) -> list[str]:
    """A section per rule, in the order of the findings."""
    parts = []
    for rule, group in groupby(findings, key=lambda finding: finding.rule):
        of_rule = list(group)
        parts += [
            f'<section class="rule"><h3><span class="badge {rule.severity}">{rule.severity}</span>{escaped(rule.title)} ({len(of_rule):,})</h3>',
            f'<p class="soft">{escaped(rule.why)}</p><p><b>What to do:</b> {escaped(rule.remedy)}</p>',
            _table(
                ("account", "webhook", "evidence"),
                [(finding.team.account, _subject(finding), finding.evidence) for finding in of_rule],
                kind="findings",
            ),
            "</section>",
        ]
    return parts


def _ignored(audit: "AuditResult") -> list[str]:
    frame = audit.ignored
    if not len(frame):
        return []
    return [
        "<h2>Ignored findings</h2>",
        _table(
            ("rule", "account", "webhook", "evidence", "reason", "until"),
            _rows(frame, ["rule", "account", "name", "evidence", "reason", "until"]),
        ),
    ]


def _webhooks(audit: "AuditResult") -> str:
    rows = (
        (
            row["account"],
            masked_text(row["name"] or "", audit.mask_key),
            masked_url(row["url"], audit.mask_key),
            masked_keys(", ".join(row["events"] or ())),
            _state(row["is_active"]),
            row["created_at"],
        )
        for row in records(audit.webhooks.head(_MAX_ROWS))
    )
    cells = [(*others, created and f"{created:%Y-%m-%d}") for *others, created in rows]
    return _table(("account", "name", "URL", "events", "state", "created"), cells, total=len(audit.webhooks))


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]], *, total: int | None = None, kind: str = "") -> str:
    rows = list(rows)
    total = len(rows) if total is None else total
    tags = ['<td class="short">' if name in _SHORT else "<td>" for name in head]
    cells = (["" if cell is None else escaped(cell) for cell in row] for row in rows[:_MAX_ROWS])
    lines = ("".join(f"{tag}{cell}</td>" for tag, cell in zip(tags, row, strict=True)) for row in cells)
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    more = (
        f'<p class="soft">Showing the first {_MAX_ROWS:,} of {total:,} rows. The DataFrame of the audit has all of them.</p>'
        if total > _MAX_ROWS
        else ""
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in head)
    return f'<table class="{kind}"><thead><tr>{heads}</tr></thead><tbody>\n{body}</tbody></table>{more}'


def _chart(chart: "Chart") -> str:
    return f"<figure>{chart.image()}<figcaption>{escaped(chart.alt_text)}</figcaption></figure>"


def _subject(finding: Finding) -> str:
    hook = finding.hook
    name = f"{finding.subject if hook and hook.state.name else 'unnamed'}"
    return finding.subject if hook is None else f"{name} ({hook.id})"


def _state(active: Any) -> str:
    return "unknown" if active is None else "active" if active else "paused"


def _rows(frame: Any, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in records(frame)]
