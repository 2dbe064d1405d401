"""Pausing, resuming and deleting several webhooks: steps, outcomes and their summary."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import plans
from tests.support.forms import HOSTILE, behind, listed, once, passed, written
from tests.support.scripted_server import closed_port, data, reset, status

ACTIONS = ["pause", "resume", "delete"]


def run(client: cx.Client, webhooks: Any, action: str) -> list[plans.Step]:
    return list(plans.plan_action(client, webhooks, action)._run())


def outcomes(steps: list[plans.Step]) -> list[str]:
    return [step.outcome for step in steps]


def make_step(outcome: str, detail: str = "") -> plans.Step:
    before = plans.State("One", "https://example.com", ("*",), is_active=True)
    return plans.Step(plans.Change("whk_1", before, None), outcome, detail)


# --- changes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "expected", "active"),
    [
        pytest.param("pause", ["done", "done", "done", "unchanged"], [False] * 4, id="pause"),
        pytest.param("resume", ["unchanged", "unchanged", "unchanged", "done"], [True] * 4, id="resume"),
        pytest.param("delete", ["done"] * 4, [], id="delete"),
    ],
)
def test_webhooks_are_changed_in_order(
    sandbox: cx.Sandbox, client: cx.Client, action: str, expected: list[str], active: list[bool]
) -> None:
    """There is a step per webhook, in the given order, and the server's state matches the outcomes."""
    webhooks = list(client.webhooks.list())
    steps = run(client, webhooks, action)
    assert [webhook.id for webhook in webhooks] == [step.change.id for step in steps]
    assert expected == outcomes(steps)
    assert active == [webhook.is_active for webhook in listed(sandbox)]


@pytest.mark.parametrize("action", ["pause", "resume"])
def test_a_webhook_already_in_the_state_is_not_written(sandbox: cx.Sandbox, action: str) -> None:
    """Its step is `unchanged`."""
    with behind(sandbox) as (server, client):
        already = [webhook for webhook in client.webhooks.list() if webhook.is_active is (action == "resume")]
        assert ["unchanged"] * len(already) == outcomes(run(client, already, action))
        assert [] == written(server)


def test_only_the_active_state_is_written(sandbox: cx.Sandbox) -> None:
    """A pause does not send name, URL or events, which another process may have changed."""
    with behind(sandbox) as (server, client):
        run(client, listed(sandbox)[:1], "pause")
        assert [{"isActive": False}] == [request.json for request in written(server)]


def test_the_current_state_decides_not_the_listed_one(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """A webhook that was paused after it was listed needs no pause."""
    webhooks = listed(sandbox)[:1]
    client.webhooks.update(webhooks[0].id, is_active=False)
    assert ["unchanged"] == outcomes(run(client, webhooks, "pause"))


def test_no_webhooks_give_no_steps(client: cx.Client) -> None:
    """An empty selection is valid."""
    assert [] == run(client, [], "pause")


def test_steps_are_run_lazily(sandbox: cx.Sandbox) -> None:
    """The second webhook is not touched until the second step is requested."""
    with behind(sandbox) as (server, client):
        webhooks = listed(sandbox)
        steps = plans.plan_action(client, webhooks, "pause")._run()
        assert isinstance(steps, Iterator)
        assert [] == server.requests
        assert webhooks[0].id == next(steps).change.id
        assert {webhooks[0].id} == {request.path.rpartition("/")[2] for request in server.requests}


def test_an_unknown_action_writes_nothing(sandbox: cx.Sandbox) -> None:
    """It is rejected rather than mistaken for a known one."""
    with behind(sandbox) as (server, client):
        with contextlib.suppress(Exception):
            run(client, listed(sandbox)[:1], "explode")
        assert [] == written(server)


# --- reading back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
def test_every_step_ends_with_a_read(sandbox: cx.Sandbox, action: str) -> None:
    """The webhook is read back after the single write."""
    with behind(sandbox) as (server, client):
        selected = [webhook for webhook in listed(sandbox) if webhook.is_active is not (action == "resume")][:1]
        assert ["done"] == outcomes(run(client, selected, action))
        assert "GET" == server.methods[-1]
        assert 1 == len(written(server))


@pytest.mark.parametrize(
    ("action", "response"),
    [
        pytest.param("pause", {"isActive": False}, id="pause"),
        pytest.param("delete", {"deleted": True}, id="delete"),
    ],
)
def test_a_success_response_without_an_effect_fails(sandbox: cx.Sandbox, action: str, response: dict[str, Any]) -> None:
    """Reading back shows the webhook unchanged."""
    webhook = listed(sandbox)[0]
    item = {"id": webhook.id, "name": webhook.name, "url": webhook.url, "events": list(webhook.events or ())}
    with behind(sandbox, data(item | response), data(item | response)) as (_, client):
        steps = run(client, [webhook], action)
    assert ["failed"] == outcomes(steps)
    assert steps[0].detail


def test_a_write_whose_response_was_lost_is_done_if_it_took_effect(sandbox: cx.Sandbox) -> None:
    """The server made the change and closed the connection."""
    with behind(sandbox, passed(sandbox, answered=False)) as (_, client):
        assert ["done"] == outcomes(run(client, listed(sandbox)[:1], "pause"))
    assert listed(sandbox)[0].is_active is False


# --- failed steps -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["pause", "resume"])
def test_a_missing_webhook_does_not_stop_the_rest(sandbox: cx.Sandbox, client: cx.Client, action: str) -> None:
    """Its own step fails."""
    webhooks = listed(sandbox)
    client.webhooks.delete(webhooks[0].id)
    steps = run(client, webhooks, action)
    assert "failed" == steps[0].outcome
    assert steps[0].detail
    assert {"done", "unchanged"} == set(outcomes(steps[1:]))


def test_deleting_a_missing_webhook_does_not_stop_the_rest(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Its step is not `done`; the next webhook is deleted."""
    webhooks = listed(sandbox)[:2]
    client.webhooks.delete(webhooks[0].id)
    first, second = run(client, webhooks, "delete")
    assert "done" != first.outcome
    assert "done" == second.outcome


@pytest.mark.parametrize("code", [400, 422])
def test_a_rejected_value_does_not_stop_the_rest(sandbox: cx.Sandbox, code: int) -> None:
    """An error about one webhook does not affect the others."""
    rejection = status(code, type="validation_error", message="This one is frozen")
    with behind(sandbox, rejection) as (_, client):
        steps = run(client, listed(sandbox)[:3], "pause")
    assert ["failed", "done", "done"] == outcomes(steps)
    assert "This one is frozen" in steps[0].detail


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(status(401, type="authentication_error"), id="invalid key"),
        pytest.param(status(403, type="permission_error"), id="not permitted"),
        pytest.param(reset(), id="connection broken"),
    ],
)
@pytest.mark.parametrize("action", ["pause", "delete"])
def test_an_error_of_the_key_or_the_network_stops_the_rest(sandbox: cx.Sandbox, action: str, error: Any) -> None:
    """It would affect every further step, so those are not tried."""
    webhooks = listed(sandbox)[:3]
    with behind(sandbox, passed(sandbox), *[error] * 20) as (server, client):
        steps = run(client, webhooks, action)
        requested = {request.path.rpartition("/")[2] for request in server.requests}
    assert ["done", "failed", "not tried"] == outcomes(steps)
    assert steps[1].detail
    assert webhooks[2].id not in requested


def test_an_unreachable_server_fails_the_first_step_only(sandbox: cx.Sandbox) -> None:
    """The others are not tried."""
    with cx.Client(sandbox.key, sandbox.team_id, f"http://127.0.0.1:{closed_port()}") as client:
        steps = run(client, listed(sandbox)[:3], "pause")
    assert ["failed", "not tried", "not tried"] == outcomes(steps)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_read_only_client_fails_every_step(sandbox: cx.Sandbox, action: str) -> None:
    """Each step reports that the client only reads, and nothing is sent."""
    selected = [webhook for webhook in listed(sandbox) if webhook.is_active is not (action == "resume")]
    with behind(sandbox, write=False) as (server, client):
        steps = run(client, selected, action)
        assert ["failed"] * len(selected) == outcomes(steps)
        assert [] == [step.detail for step in steps if "read-only" not in step.detail]
        assert [] == written(server)


def test_a_publishable_key_changes_nothing(sandbox: cx.Sandbox) -> None:
    """The first step fails, and no step is done."""
    with behind(sandbox, key="publishable") as (server, client):
        steps = run(client, listed(sandbox)[:2], "pause")
        assert "failed" == steps[0].outcome
        assert "done" not in outcomes(steps)
        assert [] == written(server)


# --- stopping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 1, 3])
def test_stopping_leaves_the_rest_untried(sandbox: cx.Sandbox, after: int) -> None:
    """Finished steps stay done; the remaining webhooks are not touched."""
    webhooks, steps = listed(sandbox)[:3], []
    with behind(sandbox) as (server, client):
        for step in plans.plan_action(client, webhooks, "pause")._run(lambda: len(steps) >= after):
            steps.append(step)  # noqa: PERF402 - the lambda reads the list as it grows
        assert after == len(written(server))
    assert ["done"] * after + ["not tried"] * (3 - after) == outcomes(steps)
    assert [webhook.id for webhook in webhooks] == [step.change.id for step in steps]


# --- the summary ------------------------------------------------------------------------------------------------------


def test_the_summary_counts_done_before_failed() -> None:
    """Each outcome has its count."""
    summary = plans.Applied([make_step("done"), make_step("failed", "No."), make_step("done")]).summary()
    assert "2 done, 1 failed." == summary


def test_the_summary_counts_every_step() -> None:
    """There is one count per outcome."""
    steps = [make_step("done")] * 5 + [make_step("unchanged")] * 4 + [make_step("failed", "No.")] * 3
    steps += [make_step("not tried")] * 2
    summary = plans.Applied(steps).summary()
    assert [5, 4, 3, 2] == [int(number) for number in re.findall(r"\b\d+\b", summary.partition(".")[0])]
    assert "not tried" in summary


@pytest.mark.parametrize("outcome", ["done", "unchanged", "failed", "not tried"])
def test_the_summary_leaves_out_zero_counts(outcome: str) -> None:
    """Steps with one outcome give one number."""
    assert ["3"] == re.findall(r"\d+", plans.Applied([make_step(outcome)] * 3).summary())


def test_the_detail_of_a_failure_is_printable(sandbox: cx.Sandbox) -> None:
    """Control and direction characters in the server's message are escaped."""
    rejection = status(422, type="validation_error", message=HOSTILE + "\x1b[31m\u202e")
    with behind(sandbox, rejection) as (_, client):
        (step,) = run(client, listed(sandbox)[:1], "pause")
    assert "failed" == step.outcome
    assert step.detail.isprintable()


def test_no_step_contains_the_key(sandbox: cx.Sandbox) -> None:
    """Not even if the server's error message repeats the key."""
    rejection = status(401, type="authentication_error", message=f"Bad key {sandbox.key.reveal()}")
    with behind(sandbox, rejection) as (_, client):
        steps = run(client, listed(sandbox)[:2], "pause")
    assert "failed" == steps[0].outcome
    assert sandbox.key.reveal() not in repr(steps)


def test_a_retried_read_is_not_a_failure(sandbox: cx.Sandbox) -> None:
    """A 503 on the first read is retried."""

    webhooks = listed(sandbox)[:1]
    with behind(sandbox, reads=once(status(503), then=passed(sandbox))) as (_, client):
        assert ["done"] == outcomes(run(client, webhooks, "pause"))


def test_a_part_of_the_result_is_summarised_like_the_whole() -> None:
    """A slice is a result too."""
    applied = plans.Applied([make_step("done"), make_step("failed", "No."), make_step("done")])
    assert ("1 done, 1 failed.", "done") == (applied[:2].summary(), applied[-1].outcome)
