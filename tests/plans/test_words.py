"""What a plan does, in words: a change, its kind, its note and the counts."""

from typing import Any

import pytest

from cstar_explore.plans import (
    Change,
    State,
    action_of,
    change_note,
    change_words,
    difference_words,
    plan_summary,
)

ONE = State("One", "https://example.com/1", ("ticket.created", "ticket.closed"), is_active=True)
PAUSED = State("One", "https://example.com/1", ("ticket.created", "ticket.closed"), is_active=False)
CREATE, DELETE = Change(None, None, ONE), Change("whk_1", ONE, None)
PAUSE, RESUME = Change("whk_1", ONE, PAUSED), Change("whk_1", PAUSED, ONE)


def changed(**fields: Any) -> Change:
    return Change(
        "whk_1", ONE, State(**{"name": "One", "url": ONE.url, "events": ONE.events, "is_active": True} | fields)
    )


@pytest.mark.parametrize(
    ("change", "action", "words"),
    [
        pytest.param(CREATE, "create", "https://example.com/1; ticket.created, ticket.closed", id="create"),
        pytest.param(DELETE, "delete", "https://example.com/1; ticket.created, ticket.closed", id="delete"),
        pytest.param(
            Change(None, None, PAUSED), "create", f"{ONE.url}; ticket.created, ticket.closed; paused", id="paused"
        ),
        pytest.param(
            Change("whk_1", PAUSED, None), "delete", f"{ONE.url}; ticket.created, ticket.closed; paused", id="lost"
        ),
        pytest.param(Change(None, None, State()), "create", "", id="nothing known"),
        pytest.param(PAUSE, "pause", "Active: yes → no", id="pause"),
        pytest.param(RESUME, "resume", "Active: no → yes", id="resume"),
        pytest.param(changed(name="Two"), "update", "Name: One → Two", id="name"),
        pytest.param(changed(name="Two", is_active=False), "update", "Name: One → Two; Active: yes → no", id="two"),
        pytest.param(changed(url="https://a.example/"), "update", f"URL: {ONE.url} → https://a.example/", id="URL"),
        pytest.param(
            changed(events=("ticket.created", "message.created")),
            "update",
            "+message.created, −ticket.closed",
            id="events",
        ),
    ],
)
def test_a_change_in_words(change: Change, action: str, words: str) -> None:
    assert (action, words) == (action_of(change), change_words(change))


def test_events_that_are_not_known_are_replaced() -> None:
    assert difference_words("events", None, ("a.b", "c.d")) == "Events: unknown → a.b, c.d"


def test_a_summary_counts_each_kind_of_change() -> None:
    assert plan_summary([CREATE, PAUSE, PAUSE, RESUME, DELETE, changed(name="Two")]) == (
        "6 webhooks: 1 created, 1 changed, 2 paused, 1 resumed, 1 deleted"
    )
    assert plan_summary([]) == "No webhook is changed"


def test_a_note_says_what_is_not_true_of_every_create_or_delete() -> None:
    doubtful = Change(None, None, State("One", "https://example.com/1", ("ticket.creatd",)))
    recreated = Change("whk_1", None, ONE)
    assert (change_note(CREATE), change_note(DELETE)) == ("", "")
    assert "ticket.creatd" in change_note(doubtful)
    assert change_note(recreated) == recreated.note != ""
