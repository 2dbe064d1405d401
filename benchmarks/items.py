"""Responses to a list call: cStar's, and the same webhooks in the formats of Stripe and Svix."""

import json
from typing import Any

EVENTS = ["ticket.created", "ticket.updated", "customer.created", "article.published", "survey.submitted"]


def webhooks(count: int) -> list[dict[str, Any]]:
    """Webhooks in the format of cStar's API reference, each different."""
    return [
        {
            "id": f"whk_{number:012}",
            "name": f"Webhook {number}",
            "url": f"https://hooks-{number % 97}.example.com/cstar/{number}",
            "events": EVENTS[: 1 + number % len(EVENTS)],
            "isActive": True,
            "createdAt": f"2025-{1 + number % 12:02}-{1 + number % 28:02}T10:00:00Z",
        }
        for number in range(count)
    ]


def cstar(count: int) -> bytes:
    """cStar's response."""
    meta = {"requestId": "req_1", "timestamp": "2025-12-10T14:30:00Z"}
    return json.dumps({"success": True, "data": webhooks(count), "meta": meta}).encode()


def stripe(start: int, count: int, total: int) -> bytes:
    """A page of Stripe's list of webhook endpoints."""
    data = [
        {
            "id": item["id"],
            "object": "webhook_endpoint",
            "url": item["url"],
            "description": item["name"],
            "enabled_events": item["events"],
            "status": "enabled" if item["isActive"] else "disabled",
            "created": 1_760_000_000,
            "livemode": False,
            "metadata": {},
            "api_version": None,
            "application": None,
        }
        for item in webhooks(total)[start : start + count]
    ]
    more = start + count < total
    return json.dumps({"object": "list", "url": "/v1/webhook_endpoints", "has_more": more, "data": data}).encode()


def svix(start: int, count: int, total: int) -> bytes:
    """A page of Svix's list of endpoints."""
    data = [
        {
            "id": item["id"],
            "url": item["url"],
            "description": item["name"],
            "filterTypes": item["events"],
            "disabled": not item["isActive"],
            "createdAt": item["createdAt"],
            "updatedAt": item["createdAt"],
            "metadata": {},
            "version": 1,
            "rateLimit": None,
            "uid": None,
            "channels": None,
        }
        for item in webhooks(total)[start : start + count]
    ]
    after = start + count
    return json.dumps({"data": data, "done": after >= total, "iterator": str(after), "prevIterator": None}).encode()
