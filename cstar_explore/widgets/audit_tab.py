"""The Explorer's tab of findings: what is wrong, and the plan that mends what can be mended."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import ipywidgets as widgets

from ..api.client import Client
from ..audits import Audit, audit
from ..errors import CStarError, ValidationError
from ..plans import plan
from .form import close, panel, row, set_visible
from .inputs import StatusLine, TextTable
from .plan_form import PlanForm
from .tasks import Tasks


class AuditTab:
    """A team's findings: **Audit**, **Plan the fixes**, and the form of the plan.

    Args:
        client: What it calls.
        changed: Awaited after a plan was applied.

    Attributes:
        widget: What is displayed.
        findings: The last audit.
        form: The form of the plan that was asked for.
    """

    def __init__(self, client: Client, changed: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.client = client
        self.findings: Audit | None = None
        self.form: PlanForm | None = None
        self.status = StatusLine()
        self.table = TextTable(columns=["severity", "what", "webhook", "evidence", "remedy"])
        self.again = widgets.Button(description="Audit")
        self.mend = widgets.Button(description="Plan the fixes", disabled=True)
        self._place = panel()
        self._changed = changed
        self._tasks = Tasks()
        self.again.on_click(lambda _: self._tasks.spawn(self.audit()))
        self.mend.on_click(lambda _: self._tasks.spawn(self.plan_fixes()))
        self.widget = panel(row(self.again, self.mend), self.table, self._place, self.status)
        set_visible(self.mend, on=client.write)
        self._tasks.spawn(self.audit())

    async def audit(self) -> Audit:
        """Reads the webhooks and looks for what is wrong with them.

        Raises:
            CStarError: They could not be read; what was shown stays, and the status says why.
        """
        self.status.show("Auditing …", "busy")
        try:
            self.findings = await asyncio.to_thread(audit, self.client)
        except CStarError as error:
            self.status.show(f"Not audited: {error}", "failed")
            raise
        rows = [
            (
                finding.rule.severity,
                finding.rule.title,
                "(the team)" if finding.found.hook is None else finding.found.hook.state.name or finding.found.hook.id,
                finding.found.evidence,
                finding.rule.remedy,
            )
            for finding in self.findings.findings
        ]
        self.table.fill(rows)
        count = len(self.findings.fix())
        self.mend.disabled = not count
        fixes = f"{count:,} {'fix' if count == 1 else 'fixes'}"
        self.mend.description = f"Plan {fixes}" if count else "Nothing to mend by a plan"
        self.status.show(self.findings.summary(), "" if rows else "done")
        return self.findings

    async def plan_fixes(self) -> PlanForm:
        """Shows the plan that mends what can be mended without losing anything. Nothing is changed until it is applied.

        Raises:
            ValidationError: There is no audit yet, or a plan is being applied.
            CStarError: The webhooks could not be read.
        """
        try:
            if self.findings is None:
                raise ValidationError("Nothing was audited yet.", advice="Audit first.")
            if self.form is not None and self.form.submitting:
                raise ValidationError("A plan is being applied.", advice="Wait for it, or stop it.")
            mending = await asyncio.to_thread(plan, self.client, self.findings.fix())
        except CStarError as error:
            self.status.show(f"Not planned: {error}", "failed")
            raise
        self._forget_form()
        self.form = PlanForm(mending)
        self.form.on_done(lambda: self._tasks.spawn(self._look_again()))
        self._place.children = [self.form.widget]
        return self.form

    def close(self) -> None:
        """Frees its widgets and tasks."""
        self._tasks.cancel()
        self._forget_form()
        close(self.widget)

    async def _look_again(self) -> None:
        await self._changed()
        with suppress(CStarError):  # the status says it
            await self.audit()

    def _forget_form(self) -> None:
        self._place.children = []
        if self.form is not None:
            self.form.close()
            self.form = None
