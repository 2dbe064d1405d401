"""The `data` of a sample payload for each event type, in `payloads.json`.

cStar publishes the envelope and the payloads of `ticket.created` and `ticket.updated` (articles `webhook-events` and
`webhooks-overview`). The other 33 payloads are ours, in the published style: one named object per resource, snake_case,
prefixed ids. The column `payload` of `events.catalogue()` marks which are published.

The texts and numbers are ours everywhere. They contain what real ones do: letters beyond ASCII, an emoji, `/`, `&`, quotation marks
and a number such as 1.0. A receiver that verifies anything but the bytes received fails on most of them.
"""

from collections.abc import Mapping
from typing import Any

from ..packaged import read_table

DATA: Mapping[str, dict[str, Any]] = read_table(__file__)
