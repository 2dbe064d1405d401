"""Which webhooks receive each event type: a bar with the count, and the names on opening."""

from ..audits.redaction import masked_text
from ..models import Webhook
from ..text import printable
from .inputs import MASK_KEY, View

_MAX_NAMES = 12  # for an event type

Receivers = dict[str, list[Webhook]]
"""The active webhooks that receive each published event type."""


class Coverage(View):
    """The published event types, each with the number of its receivers.

    Its content is `names`, and `rows` of an event type, its count and positions in `names`.
    """

    def __init__(self) -> None:
        super().__init__("coverage", names=[], rows=[])

    def fill(self, receivers: Receivers) -> None:
        """Replaces the rows. Counts all receivers; names the first 12 of each event type."""
        named = {webhook.id: webhook for webhooks in receivers.values() for webhook in webhooks[:_MAX_NAMES]}
        position = {identity: index for index, identity in enumerate(named)}
        rows = [
            [name, len(webhooks), [position[webhook.id] for webhook in webhooks[:_MAX_NAMES]]]
            for name, webhooks in receivers.items()
        ]
        self.show(names=[short_name(webhook) for webhook in named.values()], rows=rows)


def short_name(webhook: Webhook) -> str:
    """The name, or the ID, without anything that may be a secret."""
    return printable(masked_text(webhook.name or webhook.id, MASK_KEY), 40)
