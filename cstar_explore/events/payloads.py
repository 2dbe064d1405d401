"""The `data` of a sample payload for each event type.

cStar publishes the envelope and the payloads of `ticket.created` and `ticket.updated` (articles `webhook-events` and
`webhooks-overview`). The other 33 payloads are ours, in the published style: one named object per resource, snake_case,
prefixed ids. The column `payload` of `events.catalogue()` marks which are published.

The texts and numbers are ours everywhere. They contain what real ones do: letters beyond ASCII, an emoji, `/`, `&`, quotation marks
and a number such as 1.0. A receiver that verifies anything but the bytes received fails on most of them.
"""

from collections.abc import Mapping
from typing import Any

CREATED_AT = "2025-12-10T14:30:00Z"

_TICKET = {
    "id": "tkt_sample0001",
    "prefixed_id": "CST-1024",
    "title": "The printer prints only hearts",
    "status": "new",
    "priority": "normal",
    "channel": "widget",
    "customer_id": "cus_sample0001",
    "created_at": CREATED_AT,
}
_CUSTOMER = {"id": "cus_sample0001", "name": "Zoë Łukasz (R&D/Ops) 🎉", "email": "zoe@example.com"}
_GROUP = {"id": "cgr_sample0001", "name": "Früh dabei / early adopters 🐣"}
_ARTICLE = {
    "id": "art_sample0001",
    "title": "How to descale a printer: ½ + ½ = <whole>, s'il vous plaît 🫖",
    "slug": "how-to-descale-a-printer",
    "status": "draft",
}
_MESSAGE = {
    "id": "msg_sample0001",
    "author": "customer",
    "text": "Es geht schon wieder nicht! 😿\nSee C:\\tmp & https://example.com/a?b=1",
}
_AGENT = {"id": "agt_sample0001", "name": "Gráinne O'Example 🧑‍💻"}
TEAM = {"id": "team_sandbox", "name": "Sandbox Support"}
_BOSS = {"id": "bos_sample0001", "name": "Der Rückstau / The Backlog 👾", "health": 1000.0, "max_health": 1000.0}
_PLAYER = {"id": "ply_sample0001", "name": "Gráinne O'Example 🧑‍💻", "level": 7, "xp": 4200.0}
_POST = {"id": "pst_sample0001", "title": "Dark mode, bitte schön 🌙", "status": "open", "votes": 12}
_COMMENT = {"id": "cmt_sample0001", "text": '"Ja, bitte!" / はい 👍'}
_SURVEY = {"id": "srv_sample0001", "score": 1.0, "comment": "Très lent / 遅い 🐌", "ticket_id": "tkt_sample0001"}


def _changes(field: str, before: Any, after: Any) -> dict[str, Any]:
    """The published form of `changes`: each field with its old and its new value."""
    return {field: {"from": before, "to": after}}


DATA: Mapping[str, dict[str, Any]] = {
    "ticket.created": {"ticket": _TICKET, "customer": _CUSTOMER},
    "ticket.updated": {
        "ticket": _TICKET | {"status": "open"},
        "changes": _changes("status", "new", "open") | _changes("title", "Drucker druckt nur ♥ / 🖨️", _TICKET["title"]),
    },
    "ticket.closed": {"ticket": _TICKET | {"status": "resolved"}, "customer": _CUSTOMER},
    "ticket.message_added": {"ticket": _TICKET | {"status": "open"}, "message": _MESSAGE},
    "ticket.deleted": {"ticket": {"id": _TICKET["id"], "prefixed_id": _TICKET["prefixed_id"]}},
    "ticket.assigned": {"ticket": _TICKET | {"status": "open"}, "agent": _AGENT},
    "customer.created": {"customer": _CUSTOMER},
    "customer.updated": {"customer": _CUSTOMER, "changes": _changes("email", "zoe@old.example.com", "zoe@example.com")},
    "customer.deleted": {"customer": {"id": _CUSTOMER["id"]}},
    "customer_group.created": {"customer_group": _GROUP},
    "customer_group.updated": {"customer_group": _GROUP, "changes": _changes("name", "Beta testers", _GROUP["name"])},
    "customer_group.deleted": {"customer_group": {"id": _GROUP["id"]}},
    "article.created": {"article": _ARTICLE},
    "article.published": {"article": _ARTICLE | {"status": "published"}},
    "article.updated": {"article": _ARTICLE, "changes": _changes("title", "Descaling", _ARTICLE["title"])},
    "article.deleted": {"article": {"id": _ARTICLE["id"]}},
    "team.preferences_updated": {"team": TEAM, "changes": _changes("timezone", "UTC", "Europe/Berlin")},
    "agent.preferences_updated": {"agent": _AGENT, "changes": _changes("theme", "light", "dark")},
    "boss.spawned": {"boss": _BOSS},
    "boss.damaged": {"boss": _BOSS | {"health": 640.0}, "player": _PLAYER, "damage": 360.0},
    "boss.defeated": {"boss": _BOSS | {"health": 0.0}},
    "player.level_up": {"player": _PLAYER, "changes": _changes("level", 6, 7)},
    "player.achievement_unlocked": {"player": _PLAYER, "achievement": {"id": "ach_sample0001", "title": "Inbox zero"}},
    "player.xp_gained": {"player": _PLAYER, "amount": 50.0, "reason": "ticket_closed"},
    "player.quest_completed": {"player": _PLAYER, "quest": {"id": "qst_sample0001", "title": "Ten before ten"}},
    "player.streak_milestone": {"player": _PLAYER, "days": 30},
    "social.one_up_sent": {"sender": _AGENT, "recipient": _AGENT | {"id": "agt_sample0002", "name": "Alan Example"}},
    "social.high_five_sent": {"sender": _AGENT, "recipient": _AGENT | {"id": "agt_sample0002", "name": "Alan Example"}},
    "community_post.created": {"community_post": _POST},
    "community_post.updated": {"community_post": _POST, "changes": _changes("title", "Dark mode", _POST["title"])},
    "community_post.status_changed": {
        "community_post": _POST | {"status": "planned"},
        "changes": _changes("status", "open", "planned"),
    },
    "community_post.commented": {"community_post": _POST, "comment": _COMMENT},
    "community_post.deleted": {"community_post": {"id": _POST["id"]}},
    "community_post.voted": {"community_post": _POST | {"votes": 13}, "customer": _CUSTOMER},
    "survey.submitted": {"survey": _SURVEY, "customer": _CUSTOMER},
}


def field_names() -> frozenset[str]:
    """The names of all fields in the samples, at any depth."""

    def names(value: Any) -> set[str]:
        return set(value).union(*map(names, value.values())) if isinstance(value, Mapping) else set()

    return frozenset(names(DATA) - set(DATA))
