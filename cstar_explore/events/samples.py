"""A sample payload for each event type.

cStar publishes the envelope and the payloads of `ticket.created` and `ticket.updated` (articles `webhook-events` and
`webhooks-overview`). The other 33 payloads are ours, in the published style: one named object per resource, snake_case,
prefixed ids. The column `payload` of `events.catalogue()` marks which are published.

The texts and numbers are ours everywhere. They contain what real ones do: letters beyond ASCII, an emoji, `/`, `&`, quotation marks
and a number such as 1.0. A receiver that verifies anything but the bytes received fails on most of them.
"""

import copy
import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import ValidationError
from ..text import printable
from .event_types import EVENT_TYPES, FORMER_NAMES, NAMES

_CREATED_AT = "2025-12-10T14:30:00Z"

_TICKET = {
    "id": "tkt_sample0001",
    "prefixed_id": "CST-1024",
    "title": "The printer prints only hearts",
    "status": "new",
    "priority": "normal",
    "channel": "widget",
    "customer_id": "cus_sample0001",
    "created_at": _CREATED_AT,
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
_TEAM = {"id": "team_sandbox", "name": "Sandbox Support"}
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
    "team.preferences_updated": {"team": _TEAM, "changes": _changes("timezone", "UTC", "Europe/Berlin")},
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

Path = tuple[str, ...]


def sample(
    event: str,
    *,
    id: str | None = None,  # noqa: A002 - cStar's own name
    created_at: str | None = None,
    team_id: str | None = None,
    **overrides: Any,
) -> bytes:
    """A sample delivery body for an event type, in the published envelope. Equal arguments give equal bytes.

    Args:
        event: A published event type, or the former name of one.
        id, created_at, team_id: Fields of the envelope.
        overrides: Fields of `data`: by name if only one object has the field (`title="Hello"`), by path
            (`ticket__title="Hello"`), or as part of an object (`ticket={"title": "Hello"}`).

    Raises:
        ValidationError: The event type is unknown, or an override matches no field, several fields, or a field already set,
            or is not valid JSON.
    """
    if isinstance(event, str):
        event = FORMER_NAMES.get(event, event)
    if not isinstance(event, str) or event not in DATA:
        near = difflib.get_close_matches(str(event), NAMES, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ValidationError(
            f"event must be one of the {len(EVENT_TYPES)} published types, not '{printable(event, 80)}'.{hint}",
            param="event",
            advice="cx.events.catalogue() lists them.",
        )
    data = copy.deepcopy(DATA[event])
    applied: dict[Path, str] = {}
    for name, value in overrides.items():
        _override(data, name, value, applied)
    defaults = {
        "id": f"evt_{event.replace('.', '_')}_sample01",
        "type": event,
        "created_at": _CREATED_AT,
        "team_id": _TEAM["id"],
    }
    envelope = {"id": id, "created_at": created_at, "team_id": team_id}
    given = {name: value for name, value in envelope.items() if value is not None}
    try:
        return json.dumps(
            {**defaults, **given, "data": data}, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode()
    except (TypeError, ValueError) as error:
        raise ValidationError(f"An override cannot be serialized as JSON: {error}.", param="overrides") from None


def _override(data: dict[str, Any], name: str, value: Any, applied: dict[Path, str]) -> None:
    """Sets a field. `applied` maps the paths already set to the names they were given by."""
    path = _find_path(data, name)
    parent = data
    for step in path[:-1]:
        parent = parent[step]
    old = parent[path[-1]]
    if not isinstance(old, dict):
        if path in applied:
            raise ValidationError(
                f"'{name}' and '{applied[path]}' set the same field.", param=name, advice="Pass only one of them."
            )
        applied[path] = name
        parent[path[-1]] = value
    elif isinstance(value, Mapping) and value:
        for field, new in value.items():
            _override(data, "__".join((*path, str(field))), new, applied)
    else:
        raise ValidationError(
            f"'{name}' is an object and must be a dict of fields to change, not {printable(repr(value), 80)}.",
            param=name,
            advice="Pass only the fields to change; the others keep their values.",
        )


def _find_path(data: dict[str, Any], name: str) -> Path:
    """The path of the only field that has this name or path."""
    paths = list(_paths(data))
    given = tuple(name.split("__"))
    if given in paths:
        return given
    matches = [path for path in paths if path[-1] == name]
    if len(matches) == 1:
        return matches[0]
    if matches:
        choices = " or ".join(f"'{'__'.join(path)}'" for path in matches)
        raise ValidationError(f"Several objects have a field '{name}'.", param=name, advice=f"Use {choices}.")
    names = {spelling: None for path in paths for spelling in (path[-1], "__".join(path))}
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise ValidationError(
        f"The sample has no field '{printable(name, 80)}'.{hint}",
        param=name,
        advice=f"Its fields are {', '.join('__'.join(path) for path in paths)}.",
    )


def _paths(data: Mapping[str, Any], parent: Path = ()) -> Iterator[Path]:
    for name, value in data.items():
        yield (*parent, name)
        if isinstance(value, dict):
            yield from _paths(value, (*parent, name))
