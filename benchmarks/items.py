"""Responses to a list call: cStar's, and the same webhooks in the formats of Stripe, Svix and GitHub, each in one response."""

import json
from collections.abc import Callable, Mapping
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


def cstar(items: list[Item]) -> object:
    """cStar's response."""
    return {"success": True, "data": items, "meta": {"requestId": "req_1", "timestamp": "2025-12-10T14:30:00Z"}}


def stripe(items: list[Item]) -> object:
    """Stripe's list of webhook endpoints."""
    fixed = {"object": "webhook_endpoint", "livemode": False, "metadata": {}, "api_version": None, "application": None}
    names = {"id": "id", "url": "url", "name": "description", "events": "enabled_events"}
    data = [_renamed(item, names) | fixed | {"status": "enabled", "created": 1_760_000_000} for item in items]
    return {"object": "list", "url": "/v1/webhook_endpoints", "has_more": False, "data": data}


def svix(items: list[Item]) -> object:
    """Svix's list of endpoints."""
    names = {"id": "id", "url": "url", "name": "description", "events": "eventTypes", "createdAt": "createdAt"}
    fixed = {"disabled": False, "metadata": {}, "rateLimit": None, "uid": None, "channels": None}
    data = [_renamed(item, names) | fixed | {"updatedAt": item["createdAt"]} for item in items]
    return {"data": data, "done": True, "iterator": None, "prevIterator": None}


def github(items: list[Item]) -> object:
    """GitHub's list of a repository's webhooks."""
    names = {"events": "events", "isActive": "active", "createdAt": "created_at"}
    return [
        _renamed(item, names)
        | {"type": "Repository", "id": number, "name": "web", "updated_at": item["createdAt"]}
        | {"config": {"url": item["url"], "content_type": "json", "insecure_ssl": "0"}, "url": item["url"]}
        for number, item in enumerate(items)
    ]


def _renamed(item: Item, names: Mapping[str, str]) -> Item:
    return {names[name]: value for name, value in item.items() if name in names}


def response(path: str, count: int) -> bytes:
    """The response that this path implies."""
    makers: Mapping[str, Callable[[list[Item]], object]] = {"endpoints": stripe, "endpoint": svix, "hooks": github}
    if path.endswith("/whoami"):
        return json.dumps(cstar([]) | {"data": {"teamId": "team_1", "teamName": "Team"}}).encode()
    return json.dumps(makers.get(path.replace("_", "/").rpartition("/")[2], cstar)(webhooks(count))).encode()
