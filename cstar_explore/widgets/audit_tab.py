"""The Explorer's tab **Audit**: the findings, and a plan with the automatic fixes."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from ..api.client import Client
from ..audits import Audit, audit
from ..errors import CStarError, ValidationError
from ..plans import plan
from .boxes import Button, panel, row, set_visible
from .displayed import Displayed
from .inputs import StatusLine, TextTable
from .plan_form import PlanForm


class AuditTab(Displayed):
    """A team's findings: **Audit**, **Plan fixes**, and the form of that plan.

    Args:
        client: Makes the calls.
        reload: Awaited after a plan was applied.

    Attributes:
        widget: The displayed widget.
        findings: The last audit; None before the first.
        form: The form of the planned fixes; None before they are planned.
        status: The status line.
    """

    def __init__(self, client: Client, reload: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.findings: Audit | None = None
        self.form: PlanForm | None = None
        self.status = StatusLine()
        self._client = client
        self._reload = reload
        self._table = TextTable("severity", "what", "webhook", "evidence", "remedy")
        self._form_box = panel()
        self._audit_button = Button("Audit", lambda: self._tasks.spawn(self.audit()))
        self._fix_button = Button("Plan fixes", lambda: self._tasks.spawn(self.plan_fixes()), hidden=True)
        self.widget = panel(row(self._audit_button, self._fix_button, self.status), self._table, self._form_box)
        self._tasks.spawn(self.audit())

    async def audit(self) -> Audit:
        """Loads the webhooks and shows the findings.

        Raises:
            CStarError: A request failed. The findings stay as they were, and the status shows the error.
        """
        self.status.show("Auditing …", "busy")
        with self.status.reporting("The audit failed"):
            self.findings = await asyncio.to_thread(audit, self._client)
        rows = [
            (each.rule.severity, each.rule.title, each.subject, each.evidence, each.rule.remedy)
            for each in self.findings.findings
        ]
        self._table.fill(rows)
        count = len(self.findings.fix())
        self._fix_button.description = f"Plan {count:,} {'fix' if count == 1 else 'fixes'}"
        set_visible(self._fix_button, on=count > 0 and self._client.write)
        self.status.show(self.findings.summary(), "" if rows else "done")
        return self.findings

    async def plan_fixes(self) -> PlanForm:
        """Shows a plan with the automatic fixes, none of which loses anything. Nothing is changed until it is applied.

        Without an audit before, it audits first.

        Raises:
            ValidationError: A plan is being applied.
            CStarError: The webhooks could not be loaded.
        """
        findings = self.findings or await self.audit()
        with self.status.reporting("Could not plan the fixes"):
            if self.form is not None and self.form.submitting:
                raise ValidationError("A plan is being applied.", advice="Wait until it ends, or stop it.")
            fixes = await asyncio.to_thread(plan, self._client, findings.fix())
        self._close_form()
        self.form = PlanForm(fixes)
        self.form.remove_title()
        self.form.on_done = lambda: self._tasks.spawn(self._update())
        self._form_box.children = [self.form.widget]
        return self.form

    def close(self) -> None:
        """Frees its widgets and tasks."""
        self._close_form()
        super().close()

    async def _update(self) -> None:
        await self._reload()
        with suppress(CStarError):  # the status shows it
            await self.audit()

    def _close_form(self) -> None:
        self._form_box.children = []
        if self.form is not None:
            self.form.close()
            self.form = None
