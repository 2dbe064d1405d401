"""The form that shows what a probe of cStar would do, and runs it."""

from typing import TYPE_CHECKING

from ..api.client import Client
from ..probing.options import Options
from ..probing.plan import plan
from ..probing.probe import run
from ..probing.result import ProbeResult
from ..secret import ApiKey, Secret
from ..text import plural
from .form import Form
from .inputs import CheckboxField, TextBlock, TextTable

if TYPE_CHECKING:
    from ..listener import Listener

_WORDS = {
    "fire=True was not passed": "the box 'Fire test events' is not checked",
    "no listener was passed": "this form was opened without a listener",
    "publishable_key= was not passed": "this form was opened without a publishable key",
    "wait= was not passed": "this form does not wait for retries, as cx.probe does with wait=",
}
"""Why questions are not asked: what `cx.probe` says of its arguments, as said of the form."""


class ProbeForm(Form[ProbeResult]):
    """Runs a probe, as `cx.probe` does: shows what it would do, then progress with **Stop**, then the answers.

    Nothing is sent before you click **Ask cStar**. With a live key, only GET is sent.

    Args:
        client: A client with a secret test key; see `cx.probe`.
        listener: A listener that cStar reaches, for the questions about deliveries.
        publishable_key: A publishable key of the same team.

    Attributes:
        plan: What the form would do with the boxes that are checked, a `cx.ProbePlan`.
    """

    heading = "Ask cStar"
    action = "Ask cStar"
    stop_hint = "Stop after the current question, and remove what was created"
    writes = False

    def __init__(
        self, client: Client, listener: "Listener | None" = None, *, publishable_key: str | Secret | None = None
    ) -> None:
        self._listener = listener
        self._publishable_key = None if publishable_key is None else ApiKey(publishable_key)
        self.sentences = TextBlock(kind="list")
        self.table = TextTable("verdict", "question", "observed", "the sandbox")
        self.table.add_class("cx-answers")
        self.fields = {"fire": CheckboxField("Fire test events: each reaches all active webhooks of the team")}
        if listener is not None:
            self.fields["payloads"] = CheckboxField("Fire each of the 35 types, and learn the shape of its data")
        self.plan = plan(self._options(client))  # refuses a wrong key before anything is shown
        super().__init__(client, self.fields, self.sentences, results=(self.table,))
        self.widget.add_class("cx-wide")
        self._update()

    def _options(self, client: Client) -> Options:
        checked = {name for name, field in self.fields.items() if field.value}
        fire = "fire" in checked
        return Options(client, self._listener, self._publishable_key, fire, fire and "payloads" in checked, wait=0)

    def _update(self) -> None:
        self.plan = plan(self._options(self.client), _WORDS)
        self.sentences.show(*self.plan.sentences)
        super()._update()

    def _call(self, client: Client) -> ProbeResult:
        on_progress = self._in_loop(self._show_progress)
        return run(self._options(client), on_progress=on_progress, stopped=lambda: self._stopped)

    def _show_progress(self, done: int, total: int) -> None:
        if self.submitting and not self._stopped:
            self.status.show(f"{done} of {plural(total, 'step')} …", "busy")

    def _describe_result(self, result: ProbeResult) -> str:
        frame = result.to_frame()
        order = {"different": 0, "as assumed": 1, "as documented": 2}
        answered = frame[frame["verdict"] != "not answered"]
        answered = answered.sort_values("verdict", key=lambda verdicts: verdicts.map(order), kind="stable")
        answers = answered[["verdict", "text", "observed", "assumed"]]
        self.table.fill([[str(cell).replace("`", "") for cell in row] for row in answers.to_numpy().tolist()])
        return f"{result.summary()} form.result.to_frame() has all, with the evidence."

    def _stop(self) -> None:
        super()._stop()
        self.status.show("Stopping after the current question …", "busy")

    def _python(self) -> str:
        listener = ", listener" if self._listener is not None else ""
        key = ", publishable_key=publishable_key" if self._publishable_key is not None else ""
        options = "".join(f", {name}=True" for name, field in self.fields.items() if field.value)
        return f"cx.probe(client{listener}{key}{options}, confirm=True)"
