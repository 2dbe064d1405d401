"""Every change of a plan is in its frame, its text, its HTML and its form, however little is known of the webhook."""

import html
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import events
from cstar_explore.plans import Change, Plan, State
from cstar_explore.plans.desired import Desired
from tests.plans.storing_server import item, storing
from tests.support.forms import behind, listed
from tests.support.sampling import examples

TEXT = st.one_of(st.none(), st.text(max_size=8), st.sampled_from(["One", "<b>", "\u202e"]))
STATES = st.builds(
    State,
    TEXT,
    TEXT,
    st.one_of(st.none(), st.lists(st.sampled_from(events.NAMES), max_size=3).map(tuple)),
    st.sampled_from([True, False, None]),
)
CHANGES = st.lists(
    st.one_of(
        st.builds(Change, st.one_of(st.none(), st.just("whk_x")), st.none(), STATES),
        st.builds(Change, st.just("whk_x"), STATES, st.none()),
        st.builds(Change, st.just("whk_x"), STATES, STATES),
    ),
    max_size=6,
).map(lambda changes: [_numbered(change, number) for number, change in enumerate(changes)])


def _numbered(change: Change, number: int) -> Change:
    return Change(change.id and f"whk_{number}", change.before, change.after)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_each_step_has_a_row_in_every_view(no_widget_is_left: None, changes: list[Change]) -> None:
    """In the order in which `apply` takes them, with the kind of the change; also if the plan comes from a file."""
    with storing() as (_, client):
        plan = Plan(client, Desired.of(changes), [])
        steps = [step.change.what for step in plan._run(lambda: True)]
        frame = plan.to_frame()
        first_rows = frame.drop_duplicates("step")
        assert steps == list(first_rows["what"])
        assert list(range(1, len(steps) + 1)) == list(first_rows["step"])
        assert [f"  {number}. {what}" for number, what in enumerate(steps, 1)] == [
            line[: len(f"  {number}. {what}")]
            for (number, what), line in zip(enumerate(steps, 1), repr(plan).splitlines()[1:], strict=False)
        ]
        cells = plan._repr_html_()
        assert [] == [number for number in range(1, len(steps) + 1) if f">{number}<" not in cells]
        form = cx.PlanForm(plan)
        shown = [{"pause": "update", "resume": "update"}.get(row[0], row[0]) for row in form.changes.rows]
        form.close()
        assert steps == shown


@pytest.mark.parametrize("known", [{}, {"name": "Billing"}, {"url": "https://example.com/x"}, {"events": []}])
def test_a_delete_of_a_webhook_of_which_little_is_known_is_shown(
    tmp_path: Path, known: dict[str, Any], no_widget_is_left: None
) -> None:
    """By its ID at least. A file in which everything else was removed shows it too."""
    with storing({"id": "whk_7"} | known) as (_, client):
        plan = cx.plan(client, cx.WebhookList([{"id": "whk_7"}]).to_frame()[["id"]].assign(delete=True))
        plan.save(tmp_path / "plan.json")
        content = json.loads((tmp_path / "plan.json").read_text())
        content["changes"][0]["before"] = dict.fromkeys(content["changes"][0]["before"])
        (tmp_path / "edited.json").write_text(json.dumps(content))
        for each in (plan, cx.Plan.load(client, tmp_path / "edited.json")):
            form = cx.PlanForm(each)
            views = [each.to_frame().to_csv(), each._repr_html_(), repr(each)]
            assert [True] * 3 == ["whk_7" in view for view in views]
            assert [["delete", each.changes[0].name or "whk_7"]] == [row[:2] for row in form.changes.rows[:1]]
            form.close()


def test_a_printed_plan_has_what_is_created_and_what_is_lost(sandbox: cx.Sandbox) -> None:
    """URL, events and state of creates and deletes; an unknown event type with the nearest one."""
    hook = listed(sandbox)[0]
    with behind(sandbox) as (_, client):
        new = {
            "name": "Desk",
            "url": "https://elsewhere.example.net/in",
            "events": "customer.created,ticket.craeted",
            "is_active": False,
        }
        text = repr(cx.plan(client, pd.DataFrame([new, {"id": hook.id, "delete": True}], dtype=object)))
    parts = [
        new["url"],
        "customer.created",
        "ticket.craeted",
        "'ticket.created'",
        "paused",
        hook.url,
        *hook.events,
        hook.id,
    ]
    assert [] == [part for part in parts if part not in text]


@pytest.mark.parametrize("view", [repr, lambda plan: html.unescape(plan._repr_html_())])
def test_a_long_plan_counts_the_changes_that_are_not_shown(view: Any) -> None:
    """By kind, so that no delete is hidden."""
    with storing(*(item(number) for number in range(120))) as (_, client):
        hooks = client.webhooks.list()
        frame = hooks.to_frame()[["id"]].assign(
            name=[f"Renamed {number}" if number < 110 else None for number in range(120)]
        )
        frame["delete"] = [number >= 110 for number in range(120)]
        plan = cx.plan(client, frame)
        text = view(plan)
    assert (120, True, True) == (len(plan), "20 more (10 updates, 10 deletes)" in text, "Renamed 99" in text)
