"""Responses to a list call: cStar's, and the same webhooks in the formats of Stripe, Svix and GitHub, each in one response."""

import json
from typing import Any

EVENTS = ["ticket.created", "ticket.updated", "customer.created", "article.published", "survey.submitted"]

Item = dict[str, Any]


def webhooks(count: int) -> list[Item]:
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


def response(path: str, count: int) -> bytes:
    """The response to a call, in the format that its path implies."""
    items = webhooks(count)
    if path.endswith("/webhook_endpoints"):
        names = {"id": "id", "url": "url", "name": "description", "events": "enabled_events"}
        fixed = {"object": "webhook_endpoint", "livemode": False, "metadata": {}, "api_version": None}
        fixed |= {"application": None, "status": "enabled", "created": 1_760_000_000}
        body = {"object": "list", "url": path, "has_more": False, "data": _renamed(items, names, fixed)}
    elif path.endswith("/endpoint"):
        names = {"id": "id", "url": "url", "name": "description", "events": "eventTypes", "createdAt": "createdAt"}
        fixed = {"disabled": False, "metadata": {}, "rateLimit": None, "uid": None, "channels": None}
        data = _renamed(items, names, fixed | {"updatedAt": "2025-12-10T10:00:00Z"})
        body = {"data": data, "done": True, "iterator": None, "prevIterator": None}
    elif path.endswith("/hooks"):
        names = {"id": "name", "url": "url", "events": "events", "isActive": "active", "createdAt": "created_at"}
        fixed = {
            "type": "Repository",
            "id": 1,
            "updated_at": "2025-12-10T10:00:00Z",
            "config": {"content_type": "json"},
        }
        return json.dumps(_renamed(items, names, fixed)).encode()
    else:
        data = {"teamId": "team_1", "teamName": "Team"} if path.endswith("/whoami") else items
        body = {"success": True, "data": data, "meta": {"requestId": "req_1", "timestamp": "2025-12-10T14:30:00Z"}}
    return json.dumps(body).encode()


def _renamed(items: list[Item], names: dict[str, str], fixed: Item) -> list[Item]:
    return [{new: item[old] for old, new in names.items()} | fixed for item in items]
