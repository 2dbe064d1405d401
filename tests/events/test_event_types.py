"""The catalogue of event types, and what is made of those a person writes."""

import contextlib
import warnings

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


def test_the_seven_groups_are_the_published_ones_in_their_order() -> None:
    """cStar's article on webhook events lists them so."""
    assert {group: tuple(names.split()) for group, names in PUBLISHED.items()} == events.groups()
    assert list(PUBLISHED) == list(events.groups())


def test_the_catalogue_has_the_35_published_types_once_each() -> None:
    """Names, groups and catalogue tell the same."""
    assert 35 == len(events.EVENT_TYPES) == len(set(events.NAMES))
    assert tuple(entry.name for entry in events.EVENT_TYPES) == events.NAMES
    assert [(name, group) for group, names in PUBLISHED.items() for name in names.split()] == [
        (entry.name, entry.group) for entry in events.EVENT_TYPES
    ]


def test_every_type_is_described_and_says_by_whom() -> None:
    """A description of our own is not passed off as cStar's."""
    assert all(entry.description for entry in events.EVENT_TYPES)
    assert {"cStar", "cstar_explore"} == {entry.described_by for entry in events.EVENT_TYPES}


def test_types_that_cstar_does_not_describe_are_described_by_us() -> None:
    """Twelve types have a description on cStar's pages (facts sheet, 1.2)."""
    described = {
        "ticket.created ticket.updated ticket.closed ticket.message_added customer.created customer.updated",
        "article.created article.published article.updated boss.spawned boss.defeated player.level_up survey.submitted",
    }
    assert {name for line in described for name in line.split()} == {
        entry.name for entry in events.EVENT_TYPES if entry.described_by == "cStar"
    }


def test_the_one_renamed_type_is_known_by_its_former_name() -> None:
    """`achievement.unlocked` became `player.achievement_unlocked`."""
    assert {"achievement.unlocked": "player.achievement_unlocked"} == events.FORMER_NAMES


@pytest.mark.parametrize(
    ("given_as", "expected"),
    [
        pytest.param("ticket.created,ticket.closed", ("ticket.created", "ticket.closed"), id="string"),
        pytest.param(" ticket.created , ticket.closed\n", ("ticket.created", "ticket.closed"), id="string with spaces"),
        pytest.param(["ticket.created", " ticket.closed "], ("ticket.created", "ticket.closed"), id="list"),
        pytest.param(iter(("b.c", "a.b")), ("b.c", "a.b"), id="iterator, order kept"),
        pytest.param(["b.c", "a.b", "b.c"], ("b.c", "a.b"), id="each once"),
        pytest.param(["a.b,c.d"], ("a.b", "c.d"), id="a comma inside an entry"),
        pytest.param("a.b,,c.d,", ("a.b", "c.d"), id="empty entries"),
        pytest.param("", (), id="empty string"),
        pytest.param([], (), id="empty list"),
    ],
)
def test_events_are_taken_as_a_list_or_a_string(given_as, expected: tuple[str, ...]) -> None:
    """Trimmed, each once, in the order given."""
    assert expected == events.parse_events(given_as)


@pytest.mark.parametrize(
    "given_as",
    [
        pytest.param(["ticket created"], id="space inside"),
        pytest.param(["ticket\x00created"], id="control character inside"),
        pytest.param([1], id="a number"),
        pytest.param([None], id="None inside"),
        pytest.param(b"ticket.created", id="bytes"),
    ],
)
def test_what_cannot_be_an_event_type_is_refused(given_as) -> None:
    """The error names the parameter, as the server would."""
    with pytest.raises(errors.ValidationError) as caught:
        events.parse_events(given_as)
    assert ("events", None) == (caught.value.param, caught.value.status)


@given(st.lists(st.from_regex(r"\A[a-z_]{1,8}\.[a-z_]{1,8}\Z")))
def test_list_and_string_mean_the_same(names: list[str]) -> None:
    """Whichever form is given, the same types are meant, and listing them again changes nothing."""
    listed = events.parse_events(names)
    assert tuple(dict.fromkeys(names)) == listed == events.parse_events(", ".join(names)) == events.parse_events(listed)


@pytest.mark.parametrize(
    ("pattern", "wildcard", "count"),
    [
        pytest.param("ticket.*", True, 6, id="a resource"),
        pytest.param("customer.*", True, 3, id="a resource that begins another one's name"),
        pytest.param("community_post.*", True, 6, id="a resource with an underscore"),
        pytest.param("*", True, 35, id="all"),
        pytest.param("ticket.created", False, 1, id="one type"),
        pytest.param("nope.*", True, 0, id="an unknown resource"),
        pytest.param("nope.created", False, 0, id="an unknown type"),
        pytest.param("*.created", False, 0, id="not a published form"),
        pytest.param("ticket.cre*", False, 0, id="part of an action"),
    ],
)
def test_a_wildcard_covers_the_types_of_its_resource(pattern: str, wildcard: bool, count: int) -> None:
    """`resource.*` and `*` are patterns; everything else is a name."""
    assert (wildcard, count) == (events.is_wildcard(pattern), len(events.matching_types(pattern)))


@pytest.mark.parametrize("known", [*events.NAMES, "ticket.*", "customer_group.*", "*"])
def test_known_types_and_matching_wildcards_are_not_doubted(known: str) -> None:
    """There is nothing to say about them."""
    assert events.unknown_type_warning(known) is None


@pytest.mark.parametrize(
    ("unknown", "hint"),
    [
        pytest.param("ticket.creatd", "ticket.created", id="a letter missing"),
        pytest.param("tickets.created", "ticket.created", id="a plural"),
        pytest.param("comunity_post.voted", "community_post.voted", id="a letter missing in the resource"),
        pytest.param("Ticket.Created", "ticket.created", id="capitals"),
        pytest.param("TICKET.CREATED", "ticket.created", id="only capitals"),
        pytest.param("achievement.unlocked", "player.achievement_unlocked", id="the former name"),
        pytest.param("nope.*", "nope.*", id="a wildcard that matches nothing"),
    ],
)
def test_a_doubt_names_the_type_and_the_nearest_known_name(unknown: str, hint: str) -> None:
    """Who mistyped sees what was probably meant."""
    doubt = events.unknown_type_warning(unknown)
    assert unknown in doubt
    assert hint in doubt


def test_an_unknown_type_warns_and_is_sent_all_the_same(client: cx.Client) -> None:
    """The server decides; the warning is one line and points at a name that exists."""
    with pytest.warns(events.UnknownEventWarning, match=r"ticket\.created"):
        request = client.webhooks.preview.create(name="A", url="https://example.com/", events=["ticket.creatd"])
    assert "ticket.creatd" == request.body["events"]


def test_known_types_and_wildcards_do_not_warn(client: cx.Client) -> None:
    """No noise where nothing is wrong."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client.webhooks.preview.create(name="A", url="https://example.com/", events="ticket.*,boss.spawned,*")
    assert [] == caught


@pytest.mark.parametrize("shown_only", [pytest.param(True, id="preview"), pytest.param(False, id="call")])
def test_the_warning_points_at_the_line_that_asked(client: cx.Client, shown_only: bool) -> None:
    """A warning that names a line of somebody else's file helps nobody."""
    calls = client.webhooks.preview if shown_only else client.webhooks
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
def test_updating_and_firing_warn_of_unknown_types_too(client: cx.Client, call) -> None:
    """Every call that takes a type is checked against the catalogue."""
    with pytest.warns(events.UnknownEventWarning, match=r"ticket\.created"):
        call(client.webhooks.preview)
