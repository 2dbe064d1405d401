"""Consistent combinations of answers, such that each pair of answers is in one of them."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

from cstar_explore.behaviours import QUESTIONS
from tests.probing.stand_in import DEFAULTS, Answer

Part = tuple[str, Answer]

_WEBHOOK = ("id", "name", "url", "events", "isActive")
_SNAKE = {
    "isActive": "is_active",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "signingSecret": "signing_secret",
    "teamId": "team_id",
}
_ERRORS: tuple[tuple[str, ...], ...] = (  # without type or code where another question's answer is that there is none
    ("type", "code", "message", "param", "request_id"),
    ("type", "code", "message", "docUrl", "requestId"),
    ("type", "code", "message", "field", "doc_url", "retryAfter", "details", "*"),
    ("only a text",),
)
_VALUES: dict[str, tuple[Answer, ...]] = {
    "list_fields": (
        _WEBHOOK,
        (*_WEBHOOK, "createdAt"),
        (*_WEBHOOK, "createdAt", "updatedAt", "teamId", "description", "*"),
    ),
    "get_fields": ((*_WEBHOOK, "createdAt", "updatedAt"), _WEBHOOK, (*_WEBHOOK, "updatedAt", "*")),
    "create_fields": (
        *((*_WEBHOOK, "secret", "createdAt"), (*_WEBHOOK, "signingSecret"), _WEBHOOK),
        (*_WEBHOOK, "secret", "signingSecret", "createdAt", "updatedAt", "teamId", "*"),
    ),
    "update_fields": ((*_WEBHOOK, "updatedAt"), _WEBHOOK, (*_WEBHOOK, "createdAt", "updatedAt", "description")),
    "request_id": ((), ("meta.requestId",), ("X-Request-ID",), ("meta.requestId", "x-cstar-request-id")),
    "rate_limit_headers": (
        *((), ("X-RateLimit-Remaining",), DEFAULTS["rate_limit_headers"]),
        ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy"),
    ),
    "error_404": _ERRORS,
    "error_401": _ERRORS,
    "error_400": _ERRORS,
    "url_form": (
        *((), ("host in lower case",), ("default port removed", "final slash added"), ("fragment removed",)),
        ("host in lower case", "default port removed", "final slash added", "fragment removed"),
    ),
    "fired_fields": (
        *(
            ("event", "eventId", "test", "deliveries"),
            ("eventId", "deliveredTo"),
            ("event_id", "deliveries", "delivered_to"),
        ),
        ("event", "eventId", "test", "deliveries", "deliveredTo", "*"),
    ),
    "delivery_fields": (
        *((), ("deliveryId", "event", "url", "success", "status", "responseTimeMs", "error")),
        *(("webhookId", "status"), ("id", "eventId", "attempt", "*")),
    ),
    "delivery_headers": (
        *(DEFAULTS["delivery_headers"], ("Content-Type", "User-Agent", "X-Signature", "X-Event-ID", "X-Test")),
        *(("Content-Type", "X-Signature", "X-Event-Type", "X-Timestamp", "*"), ("Content-Type", "x-cstar-signature")),
    ),
    "envelope": (
        *(
            ("id", "type", "created_at", "team_id", "data"),
            ("id", "type", "data", "createdAt", "teamId", "api_version", "*"),
        ),
        *(("id", "type", "data", "test", "livemode"), ("type", "created_at", "data")),
    ),
    "body_bytes": (
        *((), ("spaces",), ("indented", "final newline"), ("escaped letters", "escaped slashes")),
        ("spaces", "escaped letters", "escaped slashes", "final newline"),
    ),
    "receiver_timeout": (("2",), ("3",)),
    "retry_steps": (("1", "2"), ("2", "1"), ("1",), ("1", "1", "1")),
}
FIRED = tuple(name for name in DEFAULTS if QUESTIONS[name].needs in ("fire", "listener", "wait"))
OTHERS = tuple(name for name in DEFAULTS if QUESTIONS[name].needs in ("read", "many", "publishable", "write"))


def values(question: str) -> tuple[Answer, ...]:
    """The answers to a question: all, or for sets of names some that differ in every name."""
    return _VALUES.get(question) or tuple(QUESTIONS[question].answers)


def covering(questions: tuple[str, ...], *, seed: str) -> Iterator[dict[str, Answer]]:
    """Combinations until each consistent pair of answers to these questions was in one; the other questions get a random answer.

    Each begins with a pair that is still missing, to which the answer is added, question by question, that has most missing pairs
    with those that are there.
    """
    rng = random.Random(seed)
    parts: list[Part] = [(name, each) for name in questions for each in values(name)]
    numbers = {part: number for number, part in enumerate(parts)}
    of = {name: [numbers[name, each] for each in values(name)] for name in questions}
    missing = [{other for name in questions if name != part[0] for other in of[name]} for part in parts]
    queue = [
        (one, other, attempt)
        for one in range(len(parts))
        for other in missing[one]
        if one < other
        for attempt in (1, 2, 3)
    ]
    rng.shuffle(queue)
    while queue:  # after three attempts, one answer of a pair excludes the other
        one, other, _ = queue.pop()
        if other not in missing[one]:
            continue
        chosen = {one, other}
        for name in sorted(questions, key=lambda name: -len(of[name])):
            if chosen.isdisjoint(of[name]):
                answers = rng.sample(of[name], len(of[name]))
                chosen.add(max(answers, key=lambda each: len(missing[each] & chosen)))
        row = consistent({name: rng.choice(values(name)) for name in DEFAULTS} | dict(parts[each] for each in chosen))
        present = {numbers[name, row[name]] for name in questions if (name, row[name]) in numbers}
        if any(missing[each] & present for each in present):
            for each in present:
                missing[each] -= present
            yield row


def consistent(row: dict[str, Answer]) -> dict[str, Answer]:
    """The combination, changed where one answer excludes another."""
    row = dict(row)
    for name in ("list_fields", "get_fields", "create_fields", "update_fields"):
        row[name] = _cased(name, row[name], str(row["field_casing"]))
    for kind in ("404", "401", "400"):
        _error(row, kind)
    if row["replay_create"] == "another":
        row |= {"replay_other_body": "another", "duplicate_name": "accepted", "duplicate_url": "accepted"}
    if not _has_secret(row) and row["replay_create"] == "with secret":
        row["replay_create"] = "without secret"
    _delivery(row)
    for name, answer in row.items():
        if isinstance(answer, tuple) and QUESTIONS[name].kind == "names":
            row[name] = QUESTIONS[name].names(answer)
    return row


def unanswerable(row: Mapping[str, Answer]) -> set[str]:
    """The questions that the responses of such a server do not answer."""
    found: set[str] = set()
    if row["unknown_id"] != "404":
        found |= {"error_404", "code_404", "type_404"}
    if not {"updatedAt", "updated_at"} & set(row["get_fields"]):
        found.add("unchanged_update")
    if "deliveries" not in row["fired_fields"]:
        found.add("delivery_fields")
    if not _has_secret(row):
        found |= {"signature_key", "replay_create"}
    if row["signature_form"] == "none":
        found.add("signature_key")
    if "X-Signature" not in row["delivery_headers"]:
        found.add("retry_signature")
    if row["arrival"] == "after the response":
        found.add("receiver_timeout")
    return found


def _cased(question: str, names: Any, casing: str) -> Answer:
    snake = tuple(_SNAKE.get(name, name) for name in names)
    cased = {"camelCase": names, "snake_case": snake, "both": {*names, "is_active"}}[casing]
    return QUESTIONS[question].names(set(cased))


def _error(row: dict[str, Answer], kind: str) -> None:
    fields = f"error_{kind}"
    for name in ("code", "type"):
        if row[f"{name}_{kind}"] == f"no {name}":
            row[fields] = _without(row[fields], name)
        elif name not in row[fields]:
            row[f"{name}_{kind}"] = f"no {name}"


def _delivery(row: dict[str, Answer]) -> None:
    if row["fired_event_id"] == "absent":
        row["fired_fields"] = _without(row["fired_fields"], "eventId", "event_id")
    if "id" not in row["envelope"]:
        row |= {"event_id": "absent", "fired_event_id": "absent"}
    if row["event_id"] == "absent":
        row["delivery_headers"] = _without(row["delivery_headers"], "X-Event-ID")
    elif "X-Event-ID" not in row["delivery_headers"]:
        row["event_id"] = "absent"
    if "X-Signature" not in row["delivery_headers"]:
        row["signature_form"] = "none"
    if row["signature_form"] != "t,v1":
        row["retry_signature"] = "same"  # they cover the body alone
    marks = {name for name in ("test", "livemode") if name in row["envelope"]}
    marks |= {"X-Test"} & set(row["delivery_headers"])
    row["test_mark"] = QUESTIONS["test_mark"].names(marks)


def _without(names: Any, *excluded: str) -> Answer:
    return tuple(name for name in names if name not in excluded)


def _has_secret(row: Mapping[str, Answer]) -> bool:
    return any("ecret" in name for name in row["create_fields"])
