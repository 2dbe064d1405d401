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
from cstar_explore.plans.display import COLUMNS, change_line, plan_text, question_row
from cstar_explore.plans.question import Question

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
            changed(events=("ticket.created", "ticket.updated")),
            "update",
            "+ticket.updated, −ticket.closed",
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


def question(row: int, **fields: Any) -> Question:
    return Question(row, "name", "B2", "7", "may be another text", **fields)


def test_the_text_of_a_plan_counts_what_it_leaves_out() -> None:
    """A hundred changes and as many questions are shown, then the notes."""
    changes, questions = [CREATE] * 100, [question(row) for row in range(1, 102)]
    shown = plan_text("Plan", changes, questions[:100], ["A note."]).splitlines()
    assert shown[0] == "Plan"
    assert shown[100].startswith("  100. create 'One'")
    assert [shown[101], *shown[200:]] == [
        "  ? row 1, name, cell B2: may be another text",
        f"  ? {questions[99]}",
        "  A note.",
    ]
    longer = plan_text("Plan", [*changes, DELETE, CREATE, CREATE], questions, []).splitlines()
    assert longer[101] == "  … and 3 more (1 delete, 2 creates); .to_frame() has them all"
    assert longer[-1] == "  … and 1 more questions; .questions has them all"


def test_the_row_of_a_question_has_the_value_before() -> None:
    """It has the ID and name of its webhook, and no value before if there was none or the whole row is in question."""
    update = changed(name="7")
    questions = [
        question(1, change=update),
        question(1, change=CREATE),
        question(1),
        Question(1, None, None, "x", "cannot be read", update),
    ]
    rows = [tuple(map(question_row(each).get, COLUMNS)) for each in questions]
    text = "row 1, name, cell B2: may be another text"
    assert rows == [
        (None, "question", "whk_1", "One", "name", "One", "7", text),
        (None, "question", None, "One", "name", None, "7", text),
        (None, "question", None, None, "name", None, "7", text),
        (None, "question", "whk_1", "One", None, None, "x", "row 1: cannot be read"),
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (CREATE, f"create 'One': {ONE.url}; ticket.created, ticket.closed; active. {CREATE.note}"),
        (DELETE, f"delete 'One' (whk_1): {ONE.url}; ticket.created, ticket.closed; active. {DELETE.note}"),
        (PAUSE, "update 'One' (whk_1): active: yes → no"),
        (
            changed(events=("ticket.created", "ticket.updated")),
            "update 'One' (whk_1): events: - ticket.closed, + ticket.updated",
        ),
        (
            Change("whk_1", State("One"), State("One", events=("ticket.created",))),
            "update 'One' (whk_1): events: + ticket.created",
        ),
        (Change("whk_1", State(), None), f"delete whk_1. {DELETE.note}"),
        (Change("whk_1", State(), State("Two")), "update whk_1: name: unknown → Two"),
    ],
)
def test_a_change_on_one_line(change: Change, line: str) -> None:
    assert change_line(change) == line
