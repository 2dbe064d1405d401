"""The headers of a delivery (cStar: cheat sheet on webhooks, `webhook-security`, and older pages)."""

from datetime import UTC, datetime

from .times import iso


def delivery_headers(
    *, signature: str, event: str, event_id: str, webhook_id: str, attempt: int = 1, sent_at: datetime | None = None
) -> dict[str, str]:
    """The eight headers of every delivery, in the published order. By default, it is sent now."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "cStar-Webhooks/1.0",
        "X-Signature": signature,
        "X-Event-Type": event,
        "X-Event-ID": event_id,
        "X-Webhook-ID": webhook_id,
        "X-Timestamp": iso(sent_at or datetime.now(UTC)),
        "X-Delivery-Attempt": str(attempt),
    }
