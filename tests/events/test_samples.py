"""Sample deliveries: the published envelope for each of the 35 types. No override is silently ignored."""

import copy
import json
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

import cstar_explore as cx
from cstar_explore import errors, events

NOW = 1_765_377_000
ENVELOPE = ["id", "type", "created_at", "team_id", "data"]
ENVELOPE_KEYWORDS = {"id", "created_at", "team_id"}


def event(name: str, /, **options: Any) -> dict[str, Any]:
    return json.loads(events.sample(name, **options))


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value that is not an object, with its path from `data`. A list is one value."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path, value


def names(value: Any) -> Iterator[str]:
    """Every field name in an object, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from names(inner)


def other(value: Any) -> Any:
    """A different value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return value + " changed"
    if isinstance(value, list):
        return [*value, "changed"]
    return "changed"


def changed(base: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    expected = copy.deepcopy(base)
    inner = expected["data"]
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return expected


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return value


LEAVES = [(name, path, value) for name in events.NAMES for path, value in leaves(event(name)["data"])]


def label(name: str, path: tuple[str, ...]) -> str:
    return f"{name} {'.'.join(path)}"


# --- the catalogue


def test_catalogue_is_a_frame_of_the_35_types() -> None:
    """A row each, in the published order."""
    frame = events.catalogue()
    assert isinstance(frame, pd.DataFrame)
    assert ["event", "group", "description", "described_by", "payload", "former_name"] == list(frame.columns)
    assert 35 == len(frame)
    assert list(events.NAMES) == list(frame["event"])
    assert [entry.group for entry in events.EVENT_TYPES] == list(frame["group"])
    assert [entry.description for entry in events.EVENT_TYPES] == list(frame["description"])
    assert [entry.described_by for entry in events.EVENT_TYPES] == list(frame["described_by"])


def test_catalogue_marks_published_payloads() -> None:
    """cStar publishes two (facts sheet, 1.6). The others are not attributed to cStar."""
    frame = events.catalogue()
    assert {"cStar", "cstar_explore"} == set(frame["payload"])
    assert ["ticket.created", "ticket.updated"] == list(frame.loc[frame["payload"] == "cStar", "event"])


def test_catalogue_contains_the_former_name() -> None:
    """It is missing for all other types."""
    former = events.catalogue().set_index("event")["former_name"]
    assert {"player.achievement_unlocked": "achievement.unlocked"} == former.dropna().to_dict()


def test_changing_the_frame_leaves_the_catalogue_unchanged() -> None:
    """Each call returns a new frame."""
    frame = events.catalogue()
    frame.loc[0, "description"] = "changed"
    assert events.EVENT_TYPES[0].description == events.catalogue().loc[0, "description"]


# --- the samples


@pytest.mark.parametrize("name", events.NAMES)
def test_sample_has_the_published_envelope_in_compact_json(name: str) -> None:
    """As bytes, like the body of a delivery."""
    body = events.sample(name)
    parsed = json.loads(body)
    assert isinstance(body, bytes)
    assert ENVELOPE == list(parsed)
    assert name == parsed["type"]
    assert parsed["id"].startswith("evt_")
    assert parsed["created_at"].endswith("Z")
    assert all(isinstance(parsed[field], str) for field in ENVELOPE[:4])
    assert any(isinstance(inner, dict) for inner in parsed["data"].values())
    assert body in {
        json.dumps(parsed, separators=(",", ":"), ensure_ascii=escaped).encode() for escaped in (False, True)
    }


@pytest.mark.parametrize("name", events.NAMES)
def test_signed_sample_verifies(name: str) -> None:
    """For every type."""
    body = events.sample(name)
    assert json.loads(body) == cx.verify(body, cx.sign(body, "whsec_abc", NOW), "whsec_abc", now=NOW)


@pytest.mark.parametrize("name", [name for name in events.NAMES if not name.endswith(".deleted")])
def test_a_sample_has_letters_beyond_ascii(name: str) -> None:
    """As real names and messages do. An event of a deletion and of a team's preferences has only ids and settings."""
    assert name == "team.preferences_updated" or not events.sample(name).isascii()


@pytest.mark.parametrize(
    ("what", "content"),
    [
        pytest.param("slash", b"/", id="slash"),
        pytest.param("ampersand", b"&", id="ampersand"),
        pytest.param("less-than", b"<", id="less-than"),
        pytest.param("escaped quotation mark", b'\\"', id="quotation-mark"),
        pytest.param("escaped newline", b"\\n", id="newline"),
        pytest.param("backslash", b"\\\\", id="backslash"),
        pytest.param("emoji", "🎉".encode(), id="emoji"),
        pytest.param("integral number with a fraction", b":1.0,", id="fraction"),
    ],
)
def test_some_samples_have_what_serialisers_write_differently(what: str, content: bytes) -> None:
    """PHP escapes slashes, Go `<` and `&`, Python letters beyond ASCII; JavaScript writes 1 for 1.0."""
    assert [name for name in events.NAMES if content in events.sample(name)], what


def test_ticket_created_has_the_published_fields() -> None:
    """As in cStar's article."""
    data = event("ticket.created")["data"]
    assert ["ticket", "customer"] == list(data)
    assert ["id", "prefixed_id", "title", "status", "priority", "channel", "customer_id", "created_at"] == list(
        data["ticket"]
    )
    assert ["id", "name", "email"] == list(data["customer"])
    assert (data["ticket"]["status"], data["ticket"]["customer_id"]) == ("new", data["customer"]["id"])


def test_ticket_updated_has_the_published_changes() -> None:
    """`changes` has `from` and `to` for each field, and the ticket has the new value."""
    data = event("ticket.updated")["data"]
    assert {"ticket", "changes"} <= set(data)
    assert data["changes"]
    for field, change in data["changes"].items():
        assert {"from", "to"} == set(change)
        assert change["from"] != change["to"]
        assert data["ticket"].get(field, change["to"]) == change["to"]


def test_samples_are_reproducible() -> None:
    """Also in another process with another hash seed."""
    code = (
        "import hashlib\nfrom cstar_explore import events\n"
        "print(hashlib.sha256(b'\\n'.join(map(events.sample, events.NAMES))).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert 1 == len(digests)
    assert [events.sample(name) for name in events.NAMES] == [events.sample(name) for name in events.NAMES]


def test_samples_of_different_types_have_different_ids() -> None:
    """Receivers detect duplicates by id."""
    assert 35 == len({event(name)["id"] for name in events.NAMES})


def test_former_name_gives_the_sample_of_the_current_type() -> None:
    """`achievement.unlocked` became `player.achievement_unlocked`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        body = events.sample("achievement.unlocked")
    assert events.sample("player.achievement_unlocked") == body


@pytest.mark.parametrize(
    ("unknown", "nearest"),
    [
        pytest.param("ticket.creatd", "ticket.created", id="missing letter"),
        pytest.param("Ticket.Created", "ticket.created", id="title case"),
        pytest.param("boss.defeatd", "boss.defeated", id="another group"),
    ],
)
def test_unknown_type_is_rejected_with_the_closest_name(unknown: str, nearest: str) -> None:
    """In the message or the advice."""
    with pytest.raises(errors.ValidationError) as caught:
        events.sample(unknown)
    assert caught.value.status is None
    assert unknown in str(caught.value)
    assert nearest in f"{caught.value} {caught.value.advice}"


@pytest.mark.parametrize(
    "unknown",
    [
        pytest.param("", id="empty"),
        pytest.param("nothing like it", id="nothing similar"),
        pytest.param("ticket.*", id="wildcard"),
        pytest.param("*", id="bare wildcard"),
        pytest.param(None, id="None"),
        pytest.param(1, id="number"),
        pytest.param(["ticket.created"], id="list"),
    ],
)
def test_wildcards_and_other_values_are_rejected(unknown) -> None:
    """A sample has exactly one type."""
    with pytest.raises(errors.ValidationError):
        events.sample(unknown)


# --- overrides


@pytest.mark.parametrize("name", events.NAMES)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("id", "evt_mine", id="id"),
        pytest.param("created_at", "2026-01-02T03:04:05Z", id="created_at"),
        pytest.param("team_id", "team_mine", id="team_id"),
    ],
)
def test_envelope_fields_are_set_by_name(name: str, field: str, value: str) -> None:
    """Nothing else changes, even if an object in `data` has a field with this name."""
    assert event(name) | {field: value} == event(name, **{field: value})


@pytest.mark.parametrize(("name", "path", "value"), LEAVES, ids=[label(name, path) for name, path, _ in LEAVES])
def test_override_by_path_changes_only_that_field(name: str, path: tuple[str, ...], value: Any) -> None:
    """`ticket__title=…` works for every field of every sample."""
    assert changed(event(name), path, other(value)) == event(name, **{"__".join(path): other(value)})


@pytest.mark.parametrize(("name", "path", "value"), LEAVES, ids=[label(name, path) for name, path, _ in LEAVES])
def test_override_by_object_changes_only_that_field(name: str, path: tuple[str, ...], value: Any) -> None:
    """`ticket={"title": …}` leaves the ticket's other fields unchanged."""
    assert changed(event(name), path, other(value)) == event(name, **nested(path, other(value)))


@pytest.mark.parametrize(("name", "path", "value"), LEAVES, ids=[label(name, path) for name, path, _ in LEAVES])
def test_override_by_name_changes_only_that_field_or_is_rejected(name: str, path: tuple[str, ...], value: Any) -> None:
    """A name that several objects have is rejected, and the error names all of them."""
    base = event(name)
    field = path[-1]
    paths = [other_path for other_path, _ in leaves(base["data"]) if other_path[-1] == field]
    if field in ENVELOPE_KEYWORDS:
        assert base | {field: "mine"} == event(name, **{field: "mine"})
    elif Counter(names(base["data"]))[field] == 1:
        assert changed(base, path, other(value)) == event(name, **{field: other(value)})
    else:
        with pytest.raises(errors.ValidationError) as caught:
            event(name, **{field: other(value)})
        message = f"{caught.value} {caught.value.advice}"
        assert [] == [path for path in paths if len(path) > 1 and path[0] not in message]
        assert field in message


def test_some_names_are_in_several_objects() -> None:
    """So the test above covers their rejection."""
    assert [label(*leaf[:2]) for leaf in LEAVES if leaf[1][-1] not in ENVELOPE_KEYWORDS] != []
    assert any(
        count > 1 and field not in ENVELOPE_KEYWORDS
        for name in events.NAMES
        for field, count in Counter(path[-1] for path, _ in leaves(event(name)["data"])).items()
    )


def test_overrides_can_be_combined() -> None:
    """By name, path and object in one call."""
    expected = event("ticket.created")
    expected["id"] = "evt_mine"
    expected["data"]["ticket"]["title"] = "Hello"
    expected["data"]["ticket"]["priority"] = "urgent"
    expected["data"]["customer"]["name"] = "Grüße"
    assert expected == event(
        "ticket.created", id="evt_mine", title="Hello", ticket__priority="urgent", customer={"name": "Grüße"}
    )


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({"title": "A", "ticket__title": "B"}, id="name and path"),
        pytest.param({"title": "A", "ticket": {"title": "B"}}, id="name and object"),
        pytest.param({"ticket__title": "A", "ticket": {"title": "B"}}, id="path and object"),
    ],
)
def test_two_overrides_of_one_field_are_rejected(overrides) -> None:
    """One of them would be silently ignored."""
    with pytest.raises(errors.ValidationError):
        events.sample("ticket.created", **overrides)


@pytest.mark.parametrize(
    ("overrides", "nearest"),
    [
        pytest.param({"titel": "Hello"}, "title", id="name"),
        pytest.param({"Title": "Hello"}, "title", id="title case"),
        pytest.param({"ticket__titel": "Hello"}, "title", id="path"),
        pytest.param({"tickets__title": "Hello"}, "ticket", id="object in a path"),
        pytest.param({"ticket": {"titel": "Hello"}}, "title", id="field of an object"),
        pytest.param({"tickets": {"title": "Hello"}}, "ticket", id="object"),
        pytest.param({"custmer": {"name": "Ada"}}, "customer", id="misspelled object"),
        pytest.param({"title": "Good", "priorty": "urgent"}, "priority", id="with a valid one"),
        pytest.param({"ticket.title": "Hello"}, "title", id="dotted path"),
    ],
)
def test_override_of_an_unknown_field_is_rejected_with_the_closest_name(overrides, nearest: str) -> None:
    """It is not silently ignored."""
    with pytest.raises(errors.ValidationError) as caught:
        events.sample("ticket.created", **overrides)
    assert caught.value.status is None
    assert nearest in f"{caught.value} {caught.value.advice}"


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({"ticket": {}}, id="empty object"),
        pytest.param({"ticket": "Hello"}, id="text instead of an object"),
        pytest.param({"title__deeper": "Hello"}, id="path through a value"),
        pytest.param({"ticket__title__deeper": "Hello"}, id="path below a value"),
        pytest.param({"__title": "Hello"}, id="path with an empty start"),
        pytest.param({"ticket__": "Hello"}, id="path with an empty end"),
        pytest.param({"type": "ticket.closed"}, id="type"),
        pytest.param({"data": {"ticket": {"title": "Hello"}}}, id="data"),
    ],
)
def test_unusual_override_has_an_effect_or_is_rejected(overrides) -> None:
    """It is not silently ignored."""
    before = events.sample("ticket.created")
    try:
        after = events.sample("ticket.created", **overrides)
    except errors.ValidationError as error:
        after = str(error).encode()
    assert before != after


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(object(), id="object"),
        pytest.param(b"bytes", id="bytes"),
        pytest.param({1, 2}, id="set"),
        pytest.param(float("nan"), id="NaN"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param("\ud800", id="unpaired surrogate"),
        pytest.param(cx.Secret("whsec_abc"), id="Secret"),
    ],
)
def test_value_that_json_cannot_represent_is_rejected(value) -> None:
    """Or serialized as text that parses again."""
    try:
        parsed = json.loads(events.sample("ticket.created", title=value), parse_constant=pytest.fail)
    except errors.ValidationError as error:
        parsed = error
    assert isinstance(parsed, errors.ValidationError) or isinstance(parsed["data"]["ticket"]["title"], str)


def test_overrides_do_not_affect_later_samples() -> None:
    """Nor is the given dict changed."""
    before = events.sample("ticket.created")
    given = {"title": "Hello"}
    events.sample("ticket.created", ticket=given, customer__name="Ada")
    assert (before, {"title": "Hello"}) == (events.sample("ticket.created"), given)
