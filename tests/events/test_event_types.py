"""The published event types, and how given ones are split, validated and matched."""

import contextlib
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors, events

PUBLISHED = {
    "Tickets": "ticket.created ticket.updated ticket.closed ticket.message_added ticket.deleted ticket.assigned",
    "Customers": "customer.created customer.updated customer.deleted "
    "customer_group.created customer_group.updated customer_group.deleted",
    "Articles": "article.created article.published article.updated article.deleted",
    "Team": "team.preferences_updated agent.preferences_updated",
    "Gamification": "boss.spawned boss.damaged boss.defeated player.level_up player.achievement_unlocked "
    "player.xp_gained player.quest_completed player.streak_milestone social.one_up_sent social.high_five_sent",
    "Community": "community_post.created community_post.updated community_post.status_changed "
    "community_post.commented community_post.deleted community_post.voted",
    "Surveys": "survey.submitted",
}


def test_groups_are_the_published_ones() -> None:
    """In the order of cStar's article `webhook-events`."""
    assert {group: tuple(names.split()) for group, names in PUBLISHED.items()} == events.groups()
    assert list(PUBLISHED) == list(events.groups())


def test_event_types_are_the_35_published_ones() -> None:
    """`EVENT_TYPES`, `NAMES` and `groups()` agree."""
    assert 35 == len(events.EVENT_TYPES) == len(set(events.NAMES))
    assert tuple(entry.name for entry in events.EVENT_TYPES) == events.NAMES
    assert [(name, group) for group, names in PUBLISHED.items() for name in names.split()] == [
        (entry.name, entry.group) for entry in events.EVENT_TYPES
    ]


def test_every_type_has_a_description_and_its_source() -> None:
    """Ours are not attributed to cStar."""
    assert all(entry.description for entry in events.EVENT_TYPES)
    assert {"cStar", "cstar_explore"} == {entry.described_by for entry in events.EVENT_TYPES}


def test_only_published_descriptions_are_attributed_to_cstar() -> None:
    """cStar's pages describe these (facts sheet, 1.2)."""
    described = {
        "ticket.created ticket.updated ticket.closed ticket.message_added customer.created customer.updated",
        "article.created article.published article.updated boss.spawned boss.defeated player.level_up survey.submitted",
    }
    assert {name for line in described for name in line.split()} == {
        entry.name for entry in events.EVENT_TYPES if entry.described_by == "cStar"
    }


def test_former_names() -> None:
    """`achievement.unlocked` became `player.achievement_unlocked`."""
    assert {"achievement.unlocked": "player.achievement_unlocked"} == events.FORMER_NAMES


@pytest.mark.parametrize(
    ("given_as", "expected"),
    [
        pytest.param("ticket.created,ticket.closed", ("ticket.created", "ticket.closed"), id="string"),
        pytest.param(" ticket.created , ticket.closed\n", ("ticket.created", "ticket.closed"), id="string with spaces"),
        pytest.param(["ticket.created", " ticket.closed "], ("ticket.created", "ticket.closed"), id="list"),
        pytest.param(iter(("b.c", "a.b")), ("b.c", "a.b"), id="iterator, in order"),
        pytest.param(["b.c", "a.b", "b.c"], ("b.c", "a.b"), id="duplicates"),
        pytest.param(["a.b,c.d"], ("a.b", "c.d"), id="comma in an item"),
        pytest.param("a.b,,c.d,", ("a.b", "c.d"), id="empty items"),
        pytest.param("", (), id="empty string"),
        pytest.param([], (), id="empty list"),
    ],
)
def test_events_can_be_a_list_or_a_string(given_as, expected: tuple[str, ...]) -> None:
    """Trimmed, without duplicates, in the given order."""
    assert expected == events.parse_events(given_as)


@pytest.mark.parametrize(
    "given_as",
    [
        pytest.param(["ticket created"], id="space"),
        pytest.param(["ticket\x00created"], id="control character"),
        pytest.param([1], id="number"),
        pytest.param([None], id="None"),
        pytest.param(b"ticket.created", id="bytes"),
        pytest.param(np.array("ticket.created"), id="array without dimensions"),
    ],
)
def test_invalid_event_types_are_rejected(given_as) -> None:
    """The error names the parameter, as the server's would."""
    with pytest.raises(errors.ValidationError) as caught:
        events.parse_events(given_as)
    assert ("events", None) == (caught.value.param, caught.value.status)


@given(st.lists(st.from_regex(r"\A[a-z_]{1,8}\.[a-z_]{1,8}\Z")))
def test_list_and_string_are_equivalent(names: list[str]) -> None:
    """Parsing the result again changes nothing."""
    parsed = events.parse_events(names)
    assert tuple(dict.fromkeys(names)) == parsed == events.parse_events(", ".join(names)) == events.parse_events(parsed)


@pytest.mark.parametrize(
    ("pattern", "wildcard", "count"),
    [
        pytest.param("ticket.*", True, 6, id="resource"),
        pytest.param("customer.*", True, 3, id="resource whose name starts another's"),
        pytest.param("community_post.*", True, 6, id="resource with an underscore"),
        pytest.param("*", True, 35, id="all"),
        pytest.param("ticket.created", False, 1, id="type"),
        pytest.param("nope.*", True, 0, id="unknown resource"),
        pytest.param("nope.created", False, 0, id="unknown type"),
        pytest.param("*.created", False, 0, id="undocumented form"),
        pytest.param("ticket.cre*", False, 0, id="part of an action"),
    ],
)
def test_wildcard_matches_the_types_of_its_resource(pattern: str, wildcard: bool, count: int) -> None:
    """`resource.*` and `*` are patterns; everything else is a name."""
    assert (wildcard, count) == (events.is_wildcard(pattern), len(events.matching_types(pattern)))


@pytest.mark.parametrize("name", [*events.NAMES, "ticket.*", "customer_group.*", "*"])
def test_known_types_and_matching_wildcards_have_no_warning(name: str) -> None:
    """Every published type, and three wildcards."""
    assert events.unknown_type_warning(name) is None


@pytest.mark.parametrize(
    ("unknown", "hint"),
    [
        pytest.param("ticket.creatd", "ticket.created", id="missing letter"),
        pytest.param("tickets.created", "ticket.created", id="plural"),
        pytest.param("comunity_post.voted", "community_post.voted", id="missing letter in the resource"),
        pytest.param("Ticket.Created", "ticket.created", id="title case"),
        pytest.param("TICKET.CREATED", "ticket.created", id="upper case"),
        pytest.param("achievement.unlocked", "player.achievement_unlocked", id="former name"),
        pytest.param("nope.*", "nope.*", id="wildcard without matches"),
    ],
)
def test_warning_names_the_type_and_the_closest_known_name(unknown: str, hint: str) -> None:
    """To suggest what was probably meant."""
    warning = events.unknown_type_warning(unknown)
    assert unknown in warning
    assert hint in warning


def test_unknown_type_warns_and_is_sent(client: cx.Client) -> None:
    """The server decides."""
    with pytest.warns(events.UnknownEventWarning, match=r"ticket\.created"):
        request = client.webhooks.preview.create(name="A", url="https://example.com/", events=["ticket.creatd"])
    assert "ticket.creatd" == request.body["events"]


def test_known_types_and_wildcards_do_not_warn(client: cx.Client) -> None:
    """On a call that sends them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client.webhooks.preview.create(name="A", url="https://example.com/", events="ticket.*,boss.spawned,*")
    assert [] == caught


@pytest.mark.parametrize("preview", [pytest.param(True, id="preview"), pytest.param(False, id="call")])
def test_warning_points_to_the_users_line(client: cx.Client, preview: bool) -> None:
    """Not to a line of this package."""
    calls = client.webhooks.preview if preview else client.webhooks
    with pytest.warns(events.UnknownEventWarning) as caught, contextlib.suppress(errors.ValidationError):
        calls.create(name="A", url="https://example.com/", events="ticket.creatd")
    assert [__file__] == [warning.filename for warning in caught]


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda calls: calls.update("whk_1", events="ticket.creatd"), id="update"),
        pytest.param(lambda calls: calls.trigger_test("ticket.creatd"), id="trigger_test"),
    ],
)
def test_update_and_trigger_test_warn_of_unknown_types(client: cx.Client, call) -> None:
    """Like create."""
    with pytest.warns(events.UnknownEventWarning, match=r"ticket\.created"):
        call(client.webhooks.preview)
