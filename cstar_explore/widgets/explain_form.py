"""The form that explains a pasted delivery."""

import asyncio
from typing import Any

from ..errors import CStarError
from ..secret import Secret
from ..signatures.diagnosis import Explanation
from ..text import printable
from .boxes import Button, Frame, close, panel
from .displayed import Displayed
from .inputs import TextBlock, View


class ExplainForm(Displayed):
    """Explains why a pasted delivery does or does not verify.

    The pasted text and the secret are in no trait, output or file: the page sends them as a message, and they are kept only
    during the call.

    Attributes:
        widget: The displayed widget.
        result: The last `Explanation`; None before, and after text that could not be read.
        code: The equivalent line of Python.
    """

    def __init__(self) -> None:
        self.result: Explanation | None = None
        self.code = TextBlock(kind="code")
        self.code.show("cx.delivery(text).explain(secret)")
        # The fields, the button and the verdict. The banner is its tone, `good` or `bad`, the verdict, and its lines.
        self._pasted = View("pasted_delivery", banner=[], error="", busy=False)
        self._pasted.on_msg(self._handle_message)
        self.widget = Frame([self._pasted, self.code], _dom_classes=("cx", "cx-form"))

    async def submit(self, text: Any, secret: str | Secret) -> Explanation:
        """Explains a delivery and shows the verdict.

        Args:
            text: The pasted text, or another source that `cx.delivery` reads.
            secret: The receiver's signing secret.

        Raises:
            CStarError: The text cannot be read, or the secret is none. The form shows the same error.
        """
        self.result = None
        self._pasted.show(banner=[], error="", busy=True)
        try:
            explanation, not_kept = await asyncio.to_thread(_explain, text, secret)
        except CStarError as error:
            self._pasted.show(error=printable(error, 2_000))
            raise
        finally:
            self._pasted.show(busy=False)
        self.result = explanation
        lines = [printable(line, 2_000) for line in (*verdict_lines(explanation), *not_kept)]
        self._pasted.show(banner=["good" if explanation.ok else "bad", *lines])
        return explanation

    def _handle_message(self, _: object, content: dict[str, Any], __: object) -> None:
        # The kernel keeps the last message. What was typed is taken out of it, also if it is not used.
        text, secret = str(content.pop("text", "")), Secret(str(content.pop("secret", "")))
        if content.get("event") == "explain" and not self._pasted.content["busy"]:
            self._tasks.spawn(self.submit(text, secret))

    def __repr__(self) -> str:
        return "ExplainForm()"


class PasteButton:
    """The button "Paste a delivery…", which opens and closes an `ExplainForm` below it."""

    def __init__(self) -> None:
        self.form: ExplainForm | None = None
        self.button = Button("Paste a delivery…", self.toggle)
        self.widget = panel(self.button)

    def toggle(self) -> None:
        """Opens or closes the form."""
        former = self.form
        self.form = ExplainForm() if former is None else None
        self.button.description = "Paste a delivery…" if self.form is None else "Close"
        self.widget.children = [self.button] if self.form is None else [self.button, self.form.widget]
        if former is not None:
            former.close()

    def close(self) -> None:
        """Frees the widgets."""
        if self.form is not None:
            self.form.close()
        close(self.widget)


def verdict_lines(explanation: Explanation) -> list[str]:
    """The verdict (`Verified`, `Refused: too old`), its evidence and, if refused, the remedy, as the lines of a banner."""
    if explanation.ok:
        return ["Verified", explanation.evidence]
    causes = (explanation.cause, *explanation.alternatives)
    words = " or ".join(cause.replace("_", " ") for cause in causes)
    return [f"Refused: {words}", explanation.evidence, explanation.remedy]


def _explain(text: Any, secret: str | Secret) -> tuple[Explanation, tuple[str, ...]]:
    from ..deliveries import delivery

    read = delivery(text)
    return read.explain(secret), read.not_kept
