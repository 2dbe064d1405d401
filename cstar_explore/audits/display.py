"""An audit in a notebook: its findings by rule, each with its remedy."""

from collections import Counter
from itertools import groupby, islice

from ..text import escaped
from .findings import Finding
from .inventory import Hook
from .redaction import masked_keys, masked_url
from .result import AuditResult

_SHOWN = 100

# White text on them has a contrast of at least 4.5:1. JupyterLab keeps inline styles also in notebooks that it does not trust.
SEVERITY_COLORS = {"high": "#b3261e", "medium": "#8a5600", "low": "#3f6186", "info": "#5f5f5f"}
_LEFT = 'style="text-align:left;vertical-align:top"'


def findings_html(audit: AuditResult) -> str:
    """A table with a heading for each rule; empty without findings."""
    if not audit.findings:
        return ""
    counts = Counter(finding.rule for finding in audit.findings)
    has_accounts = any(audit.accounts["account"])
    head = (*(["account"] if has_accounts else []), "webhook", "evidence")
    heads = "".join(f'<th scope="col" {_LEFT}>{name}</th>' for name in head)
    bodies = []
    for rule, group in groupby(islice(audit.findings, _SHOWN), key=lambda finding: finding.rule):
        color = f"background-color:{SEVERITY_COLORS[rule.severity]};color:#fff;border-radius:3px;padding:1px 7px"
        bodies.append(
            f'<tbody><tr><th colspan="{len(head)}" scope="rowgroup" {_LEFT}><span style="{color}">{rule.severity}</span>'
            f' {escaped(rule.title)} ({counts[rule]:,})<br><span style="font-weight:normal">{escaped(rule.remedy)}</span></th></tr>'
        )
        bodies += [_row(finding, audit.mask_key, has_accounts=has_accounts) for finding in group]
        bodies.append("</tbody>")
    hidden = len(audit.findings) - _SHOWN
    more = f"<p>… and {hidden:,} more; <code>.to_frame()</code> has them all</p>" if hidden > 0 else ""
    # The classes keep MathJax from typesetting "$5 and $6".
    table = f'<table class="mathjax_ignore tex2jax_ignore"><thead><tr>{heads}</tr></thead>{"".join(bodies)}</table>'
    return table + more


def _row(finding: Finding, mask_key: str, *, has_accounts: bool) -> str:
    account = [escaped(finding.team.account)] if has_accounts else []
    subject = escaped(finding.subject)
    if finding.hook is not None:
        subject = f"<details><summary>{subject}</summary>{_details(finding.hook, mask_key)}</details>"
    cells = (*account, subject, escaped(finding.evidence))
    return f"<tr>{''.join(f'<td {_LEFT}>{cell}</td>' for cell in cells)}</tr>"


def _details(hook: Hook, mask_key: str) -> str:
    """What identifies the webhook, without secrets."""
    state = "state unknown" if hook.state.is_active is None else "active" if hook.state.is_active else "paused"
    lines = (hook.id or "", masked_url(hook.state.url, mask_key), ", ".join(hook.state.events or ()), state)
    return "<br>".join(escaped(masked_keys(line)) for line in lines if line)
