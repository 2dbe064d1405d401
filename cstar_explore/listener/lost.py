"""Finds the events that never got through: those without a 2xx and without a pending retry."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from ..secret import Secret
from ..serving.posting import TIMEOUT
from ..serving.schedule import retry_at
from ..signatures.verdict import decide
from .store import Received

# An attempt may last that long, and cStar does not document whether the time to the retry is counted from its start or its end.
MARGIN = timedelta(seconds=TIMEOUT)


def newest_of_lost(failed: Iterable[Received], secrets: Sequence[Secret], now: datetime) -> list[Received]:
    """The newest request of each lost event, oldest first.

    Args:
        failed: The requests of the events without a 2xx, oldest first.
        secrets: If there are any, only requests that verify with them count. A forged one is never replayed, and hides no event.
        now: By the clock that set `received_at`.
    """
    newest: dict[str | None, Received] = {}
    seen: Counter[tuple[str | None, str | None]] = Counter()
    # Each webhook's attempts are counted separately.
    last: dict[tuple[str | None, str | None], tuple[int, Received]] = {}
    for request in failed:
        if secrets and not _is_genuine(request, secrets):
            continue
        newest[request.event_id] = request
        delivery = request.event_id, request.header("x-webhook-id")
        seen[delivery] += 1
        attempt = request.attempt or seen[delivery]
        if delivery not in last or attempt >= last[delivery][0]:  # a replay repeats an earlier number
            last[delivery] = attempt, request
    pending = {request.event_id for attempt, request in last.values() if _is_pending(attempt, request, now)}
    lost = (request for event_id, request in newest.items() if event_id not in pending)
    return sorted(lost, key=lambda request: request.id)


def _is_genuine(request: Received, secrets: Sequence[Secret]) -> bool:
    """Whether it verifies now, at any age: its secret may have been added later, and a clock may have been wrong."""
    signature = request.header("x-signature") or ""
    return request.cause == "ok" or decide(request.body, signature, secrets, max_age=math.inf, now=0).cause == "ok"


def _is_pending(attempt: int, request: Received, now: datetime) -> bool:
    """Whether a retry may still arrive, or the response to the last one is not known yet."""
    due_at = retry_at(attempt, request.received_at)
    if due_at is None and request.answered is None:
        due_at = request.received_at
    return due_at is not None and now < due_at + MARGIN
