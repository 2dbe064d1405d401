"""Sample deliveries: the published envelope for each of the 35 types, and overrides that always have an effect."""

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
OWN_NAMES = {"id", "created_at", "team_id"}  # keywords that mean the envelope


def event(name: str, /, **options: Any) -> dict[str, Any]:
    return json.loads(events.sample(name, **options))


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value that is no object, with its way from `data`; a list is one value."""
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
    """Another value of the same kind."""
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
    wanted = copy.deepcopy(base)
    inner = wanted["data"]
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return wanted


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return value


LEAVES = [(name, path, value) for name in events.NAMES for path, value in leaves(event(name)["data"])]


def named(name: str, path: tuple[str, ...]) -> str:
    return f"{name} {'.'.join(path)}"


# --- the catalogue


def test_the_catalogue_is_a_frame_of_the_35_types() -> None:
    """One row for each, in the published order."""
    frame = events.catalogue()
    assert isinstance(frame, pd.DataFrame)
    assert ["event", "group", "description", "described_by", "payload", "former_name"] == list(frame.columns)
    assert 35 == len(frame)
    assert list(events.NAMES) == list(frame["event"])
    assert [entry.group for entry in events.EVENT_TYPES] == list(frame["group"])
    assert [entry.description for entry in events.EVENT_TYPES] == list(frame["description"])
    assert [entry.described_by for entry in events.EVENT_TYPES] == list(frame["described_by"])


def test_the_catalogue_says_whose_payload_it_is() -> None:
    """Of two types the payload is published (facts sheet, 1.6); all others are ours, and not passed off as cStar's."""
    frame = events.catalogue()
    assert {"cStar", "cstar_explore"} == set(frame["payload"])
    assert ["ticket.created", "ticket.updated"] == list(frame.loc[frame["payload"] == "cStar", "event"])


def test_the_catalogue_names_the_one_former_name() -> None:
    """All others have none."""
    former = events.catalogue().set_index("event")["former_name"]
    assert {"player.achievement_unlocked": "achievement.unlocked"} == former.dropna().to_dict()


def test_changing_the_frame_changes_no_catalogue() -> None:
    """Each call gives a frame of its own."""
    frame = events.catalogue()
    frame.loc[0, "description"] = "spoiled"
    assert events.EVENT_TYPES[0].description == events.catalogue().loc[0, "description"]


# --- the samples


@pytest.mark.parametrize("name", events.NAMES)
def test_a_sample_is_the_published_envelope_in_compact_json(name: str) -> None:
    """As a delivery's body would be, byte for byte."""
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
def test_a_signed_sample_verifies(name: str) -> None:
    """Sample, signature and verifier fit together."""
    body = events.sample(name)
    assert json.loads(body) == cx.verify(body, cx.sign(body, "whsec_abc", NOW), "whsec_abc", now=NOW)


def test_the_published_payload_is_kept_to_the_letter() -> None:
    """The fields of `ticket.created` as cStar's article shows them."""
    data = event("ticket.created")["data"]
    assert ["ticket", "customer"] == list(data)
    assert ["id", "prefixed_id", "title", "status", "priority", "channel", "customer_id", "created_at"] == list(
        data["ticket"]
    )
    assert ["id", "name", "email"] == list(data["customer"])
    assert (data["ticket"]["status"], data["ticket"]["customer_id"]) == ("new", data["customer"]["id"])


def test_an_update_says_from_what_to_what() -> None:
    """`changes` holds fields of the ticket, each with `from` and `to`, and the ticket has the new value."""
    data = event("ticket.updated")["data"]
    assert {"ticket", "changes"} <= set(data)
    assert data["changes"]
    for field, change in data["changes"].items():
        assert {"from", "to"} == set(change)
        assert change["from"] != change["to"]
        assert data["ticket"].get(field, change["to"]) == change["to"]


def test_samples_are_always_the_same() -> None:
    """Also in another process, with other hashes."""
    code = (
        "import hashlib\nfrom cstar_explore import events\n"
        "print(hashlib.sha256(b'\\n'.join(map(events.sample, events.NAMES))).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert 1 == len(found)
    assert [events.sample(name) for name in events.NAMES] == [events.sample(name) for name in events.NAMES]


def test_samples_of_different_types_have_different_ids() -> None:
    """The id is what duplicates are told by."""
    assert 35 == len({event(name)["id"] for name in events.NAMES})


def test_a_former_name_gives_the_sample_of_its_new_type() -> None:
    """`achievement.unlocked` became `player.achievement_unlocked`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        body = events.sample("achievement.unlocked")
    assert events.sample("player.achievement_unlocked") == body


@pytest.mark.parametrize(
    ("unknown", "nearest"),
    [
        pytest.param("ticket.creatd", "ticket.created", id="a letter missing"),
        pytest.param("Ticket.Created", "ticket.created", id="capitals"),
        pytest.param("boss.defeatd", "boss.defeated", id="another group"),
    ],
)
def test_an_unknown_type_is_refused_with_the_nearest_name(unknown: str, nearest: str) -> None:
    """There is nothing to make a sample of."""
    with pytest.raises(errors.ValidationError) as caught:
        events.sample(unknown)
    assert caught.value.status is None
    assert unknown in str(caught.value)
    assert nearest in f"{caught.value} {caught.value.advice}"


@pytest.mark.parametrize(
    "unknown",
    [
        pytest.param("", id="empty"),
        pytest.param("nothing like it", id="nothing near"),
        pytest.param("ticket.*", id="wildcard"),
        pytest.param("*", id="all"),
        pytest.param(None, id="None"),
        pytest.param(1, id="number"),
        pytest.param(["ticket.created"], id="list"),
    ],
)
def test_what_is_no_type_is_refused(unknown) -> None:
    """A sample is of one type."""
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
def test_the_envelope_is_set_by_name_and_nothing_else_changes(name: str, field: str, value: str) -> None:
    """Also where an object in `data` has a field of that name."""
    assert event(name) | {field: value} == event(name, **{field: value})


@pytest.mark.parametrize(("name", "path", "value"), LEAVES, ids=[named(name, path) for name, path, _ in LEAVES])
def test_overriding_a_field_by_its_full_path_changes_just_that(name: str, path: tuple[str, ...], value: Any) -> None:
    """`ticket__title=…` reaches every field of every sample."""
    assert changed(event(name), path, other(value)) == event(name, **{"__".join(path): other(value)})


@pytest.mark.parametrize(("name", "path", "value"), LEAVES, ids=[named(name, path) for name, path, _ in LEAVES])
def test_overriding_a_field_by_an_object_changes_just_that(name: str, path: tuple[str, ...], value: Any) -> None:
    """`ticket={"title": …}` leaves the ticket's other fields as they are."""
    assert changed(event(name), path, other(value)) == event(name, **nested(path, other(value)))


@pytest.mark.parametrize(("name", "path", "value"), LEAVES, ids=[named(name, path) for name, path, _ in LEAVES])
def test_overriding_a_field_by_its_name_changes_just_that_or_is_refused(
    name: str, path: tuple[str, ...], value: Any
) -> None:
    """A name that is in one object only is enough; one in several is refused with all of them."""
    base = event(name)
    field = path[-1]
    places = [way for way, _ in leaves(base["data"]) if way[-1] == field]
    if field in OWN_NAMES:
        assert base | {field: "mine"} == event(name, **{field: "mine"})
    elif Counter(names(base["data"]))[field] == 1:
        assert changed(base, path, other(value)) == event(name, **{field: other(value)})
    else:
        with pytest.raises(errors.ValidationError) as caught:
            event(name, **{field: other(value)})
        told = f"{caught.value} {caught.value.advice}"
        assert [] == [place for place in places if len(place) > 1 and place[0] not in told]
        assert field in told


def test_some_names_are_in_several_objects() -> None:
    """So that the refusal of those is tried at all."""
    assert [named(*leaf[:2]) for leaf in LEAVES if leaf[1][-1] not in OWN_NAMES] != []
    assert any(
        count > 1 and field not in OWN_NAMES
        for name in events.NAMES
        for field, count in Counter(path[-1] for path, _ in leaves(event(name)["data"])).items()
    )


def test_several_overrides_all_have_their_effect() -> None:
    """By name, by path and by object in one call."""
    wanted = event("ticket.created")
    wanted["id"] = "evt_mine"
    wanted["data"]["ticket"]["title"] = "Hello"
    wanted["data"]["ticket"]["priority"] = "urgent"
    wanted["data"]["customer"]["name"] = "Grüße"
    assert wanted == event(
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
def test_two_overrides_of_one_field_are_refused(overrides) -> None:
    """One of the two would be silently without effect."""
    with pytest.raises(errors.ValidationError):
        events.sample("ticket.created", **overrides)


@pytest.mark.parametrize(
    ("overrides", "nearest"),
    [
        pytest.param({"titel": "Hello"}, "title", id="name"),
        pytest.param({"Title": "Hello"}, "title", id="capital"),
        pytest.param({"ticket__titel": "Hello"}, "title", id="path"),
        pytest.param({"tickets__title": "Hello"}, "ticket", id="object in a path"),
        pytest.param({"ticket": {"titel": "Hello"}}, "title", id="in an object"),
        pytest.param({"tickets": {"title": "Hello"}}, "ticket", id="object"),
        pytest.param({"custmer": {"name": "Ada"}}, "customer", id="another object"),
        pytest.param({"title": "Good", "priorty": "urgent"}, "priority", id="beside a good one"),
        pytest.param({"ticket.title": "Hello"}, "title", id="dotted"),
    ],
)
def test_an_override_of_a_field_that_is_not_there_is_refused_with_the_nearest(overrides, nearest: str) -> None:
    """No override is silently without effect."""
    with pytest.raises(errors.ValidationError) as caught:
        events.sample("ticket.created", **overrides)
    assert caught.value.status is None
    assert nearest in f"{caught.value} {caught.value.advice}"


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({"ticket": {}}, id="empty object"),
        pytest.param({"ticket": "Hello"}, id="text in place of an object"),
        pytest.param({"title__deeper": "Hello"}, id="path through a value"),
        pytest.param({"ticket__title__deeper": "Hello"}, id="path below a value"),
        pytest.param({"__title": "Hello"}, id="path from nowhere"),
        pytest.param({"ticket__": "Hello"}, id="path to nowhere"),
        pytest.param({"type": "ticket.closed"}, id="the type itself"),
        pytest.param({"data": {"ticket": {"title": "Hello"}}}, id="data"),
    ],
)
def test_an_odd_override_has_an_effect_or_is_refused(overrides) -> None:
    """One of the two, never neither."""
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
        pytest.param("\ud800", id="a lone surrogate"),
        pytest.param(cx.Secret("whsec_abc"), id="Secret"),
    ],
)
def test_a_value_that_json_cannot_hold_is_refused(value) -> None:
    """A body that no receiver can read is no sample."""
    try:
        parsed = json.loads(events.sample("ticket.created", title=value), parse_constant=pytest.fail)
    except errors.ValidationError as error:
        parsed = error
    assert isinstance(parsed, errors.ValidationError) or isinstance(parsed["data"]["ticket"]["title"], str)


def test_an_override_does_not_stay() -> None:
    """The next sample is the untouched one."""
    before = events.sample("ticket.created")
    given = {"title": "Hello"}
    events.sample("ticket.created", ticket=given, customer__name="Ada")
    assert (before, {"title": "Hello"}) == (events.sample("ticket.created"), given)
