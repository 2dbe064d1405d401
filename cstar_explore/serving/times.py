"""Times as cStar writes them."""

from datetime import UTC, datetime


def iso(time: datetime) -> str:
    """The API reference's format: `2025-12-10T14:30:00Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
