"""An audit as one page of HTML: it opens offline, prints well, runs no script, and escapes whatever came from elsewhere."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..frames import records
from ..text import escaped
from .findings import Finding
from .redaction import shown_url, without_keys

if TYPE_CHECKING:
    from ..charts import Chart
    from .result import AuditResult

_ROWS = 1_000  # of one table; what is left out is said

# Nothing is loaded and nothing runs, whatever a name or a URL would like to.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def report(audit: "AuditResult", charts: "Mapping[str, Chart]") -> str:
    """The page."""
    style = files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    parts = [
        *_head(audit),
        *_not_read(audit),
        "<h2>At a glance</h2>",
        '<div class="charts"><div>',
        _chart("Findings by account", charts["findings"]),
        _chart("Age of the webhooks", charts["ages"]),
        "</div>",
        _chart("Who receives which event", charts["coverage"]),
        "</div>",
        "<h2>Findings</h2>",
        *(_findings(audit.findings) or ["<p>Nothing was found.</p>"]),
        *_ignored(audit),
        "<h2>Accounts</h2>",
        _table(
            ("account", "team", "environment", "state", "webhooks"),
            _rows(audit.accounts, ["account", "team_id", "environment", "state", "webhooks"]),
        ),
        "<h2>Webhooks</h2>",
        '<p class="soft">What is secret in a URL is masked.</p>',
        _webhooks(audit),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>Webhook audit, {audit.taken:%Y-%m-%d}</title>'
        f"<style>\n{style}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _head(audit: "AuditResult") -> list[str]:
    environments = ", ".join(sorted({str(name) for name in audit.accounts["environment"] if name}))
    tiles = [("", len(audit.accounts), "accounts"), ("", len(audit.webhooks), "webhooks")]
    tiles += [
        (level, count, f"{level} findings" if level != "info" else "to know") for level, count in audit.counts().items()
    ]
    return [
        "<h1>Webhook audit</h1>",
        f'<p class="soft">{audit.taken:%d %B %Y, %H:%M} UTC, {escaped(environments or "from a table")}</p>',
        '<div class="tiles">',
        *(f'<div class="tile {level}"><b>{count:,}</b>{words}</div>' for level, count, words in tiles),
        "</div>",
        *(f'<p class="soft">{escaped(note)}</p>' for note in audit.notes),
    ]


def _not_read(audit: "AuditResult") -> list[str]:
    failed = audit.accounts[audit.accounts["state"] != "read"]
    if not len(failed):
        return []
    return [
        f'<div class="alarm"><b>{len(failed):,} of {len(audit.accounts):,} accounts are missing from this report.</b>',
        _table(("account", "state", "why"), _rows(failed, ["account", "state", "error"])),
        "</div>",
    ]


def _findings(findings: Sequence[Finding]) -> list[str]:
    """A section for each rule, in the order of the findings."""
    parts = []
    for rule, group in groupby(findings, key=lambda finding: finding.rule):
        found = list(group)
        parts += [
            f'<h3><span class="badge {rule.severity}">{rule.severity}</span>{escaped(rule.title)} ({len(found):,})</h3>',
            f'<p class="soft">{escaped(rule.why)}</p><p><b>What to do:</b> {escaped(rule.remedy)}</p>',
            _table(
                ("account", "webhook", "evidence"),
                [(one.team.account, _about(one), one.found.evidence) for one in found],
                kind="findings",
            ),
        ]
    return parts


def _ignored(audit: "AuditResult") -> list[str]:
    frame = audit.ignored
    if not len(frame):
        return []
    return [
        "<h2>Set aside</h2>",
        _table(
            ("rule", "account", "webhook", "evidence", "reason", "until"),
            _rows(frame, ["rule", "account", "name", "evidence", "reason", "until"]),
        ),
    ]


def _webhooks(audit: "AuditResult") -> str:
    rows = (
        (
            row["account"],
            without_keys(row["name"] or ""),
            shown_url(row["url"]),
            ", ".join(row["events"] or ()),
            _state(row["is_active"]),
            row["created_at"],
        )
        for row in records(audit.webhooks.head(_ROWS))
    )
    shown = [(*cells, made and f"{made:%Y-%m-%d}") for *cells, made in rows]
    return _table(("account", "name", "URL", "events", "state", "created"), shown, of=len(audit.webhooks))


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]], *, of: int | None = None, kind: str = "") -> str:
    rows = list(rows)
    total = len(rows) if of is None else of
    cells = (["" if cell is None else escaped(cell) for cell in row] for row in rows[:_ROWS])
    body = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>\n" for row in cells)
    more = (
        f'<p class="soft">These are the first {_ROWS:,} of {total:,}; the frame and the CSV have all.</p>'
        if total > _ROWS
        else ""
    )
    heads = "".join(f"<th>{name}</th>" for name in head)
    return f'<table class="{kind}"><thead><tr>{heads}</tr></thead><tbody>\n{body}</tbody></table>{more}'


def _chart(title: str, chart: "Chart") -> str:
    source = b64encode(chart.svg().encode()).decode()
    words = escaped(chart.words)
    return f'<figure><b>{title}</b><img alt="{words}" src="data:image/svg+xml;base64,{source}"><figcaption>{words}</figcaption></figure>'


def _about(finding: Finding) -> str:
    hook = finding.found.hook
    return "(the team)" if hook is None else f"{without_keys(hook.state.name or 'unnamed')} ({hook.id})"


def _state(active: Any) -> str:
    return "not told" if active is None else "active" if active else "paused"


def _rows(frame: Any, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in records(frame)]
