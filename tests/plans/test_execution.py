"""Several webhooks paused, resumed or deleted one after another, with an exact account of each."""

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


def never() -> bool:
    """Nobody wants to stop."""
    return False


def worked(client: cx.Client, webhooks: Any, action: str) -> list[plans.Step]:
    return list(plans.toward(client, webhooks, action).work(never))


def outcomes(steps: list[plans.Step]) -> list[str]:
    return [step.outcome for step in steps]


def step(outcome: str, detail: str = "") -> plans.Step:
    before = plans.State("One", "https://example.com", ("*",), is_active=True)
    return plans.Step(plans.Change("whk_1", before, None), outcome, detail)


# --- what is done -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "expected", "left"),
    [
        pytest.param("pause", ["done", "done", "done", "unchanged"], [False] * 4, id="pause"),
        pytest.param("resume", ["unchanged", "unchanged", "unchanged", "done"], [True] * 4, id="resume"),
        pytest.param("delete", ["done"] * 4, [], id="delete"),
    ],
)
def test_each_webhook_is_worked_on_in_order(
    sandbox: cx.Sandbox, client: cx.Client, action: str, expected: list[str], left: list[bool]
) -> None:
    """There is a step for each, in the order given, and cStar holds what the steps say."""
    webhooks = list(client.webhooks.list())
    steps = worked(client, webhooks, action)
    assert [webhook.id for webhook in webhooks] == [step.change.id for step in steps]
    assert expected == outcomes(steps)
    assert left == [webhook.is_active for webhook in listed(sandbox)]


@pytest.mark.parametrize("action", ["pause", "resume"])
def test_nothing_is_written_where_nothing_would_change(sandbox: cx.Sandbox, action: str) -> None:
    """A webhook that is there already is left alone."""
    with behind(sandbox) as (server, client):
        there = [webhook for webhook in client.webhooks.list() if webhook.is_active is (action == "resume")]
        assert ["unchanged"] * len(there) == outcomes(worked(client, there, action))
        assert [] == written(server)


def test_only_the_active_state_is_written(sandbox: cx.Sandbox) -> None:
    """A pause leaves name, address and events as somebody else may have changed them meanwhile."""
    with behind(sandbox) as (server, client):
        worked(client, listed(sandbox)[:1], "pause")
        assert [{"isActive": False}] == [request.json for request in written(server)]


def test_a_webhook_that_changed_meanwhile_is_judged_as_it_is_now(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """What was active when it was listed may be paused by now, and then the pause changes nothing."""
    webhooks = listed(sandbox)[:1]
    client.webhooks.update(webhooks[0].id, is_active=False)
    assert ["unchanged"] == outcomes(worked(client, webhooks, "pause"))


def test_no_webhooks_are_no_steps(client: cx.Client) -> None:
    """Nothing to do is done at once."""
    assert [] == worked(client, [], "pause")


def test_a_step_is_taken_only_when_it_is_asked_for(sandbox: cx.Sandbox) -> None:
    """The second webhook is not touched before the second step is asked for."""
    with behind(sandbox) as (server, client):
        webhooks = listed(sandbox)
        steps = plans.toward(client, webhooks, "pause").work(never)
        assert isinstance(steps, Iterator)
        assert [] == server.requests
        assert webhooks[0].id == next(steps).change.id
        assert {webhooks[0].id} == {request.path.rpartition("/")[2] for request in server.requests}


def test_an_unknown_action_writes_nothing(sandbox: cx.Sandbox) -> None:
    """A word that is none of the three is refused, and not taken for one of them."""
    with behind(sandbox) as (server, client):
        with contextlib.suppress(Exception):
            worked(client, listed(sandbox)[:1], "explode")
        assert [] == written(server)


# --- verified by reading back -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
def test_the_last_word_on_a_step_is_a_read(sandbox: cx.Sandbox, action: str) -> None:
    """After the write the webhook is read again."""
    with behind(sandbox) as (server, client):
        chosen = [webhook for webhook in listed(sandbox) if webhook.is_active is not (action == "resume")][:1]
        assert ["done"] == outcomes(worked(client, chosen, action))
        methods = server.methods
        assert "GET" == methods[-1]
        assert 1 == len(written(server))


@pytest.mark.parametrize(
    ("action", "told"),
    [
        pytest.param("pause", {"isActive": False}, id="pause"),
        pytest.param("delete", {"deleted": True}, id="delete"),
    ],
)
def test_a_server_that_only_says_so_is_not_believed(sandbox: cx.Sandbox, action: str, told: dict[str, Any]) -> None:
    """An answer of success is no success where reading back shows the webhook as it was."""
    webhook = listed(sandbox)[0]
    item = {"id": webhook.id, "name": webhook.name, "url": webhook.url, "events": list(webhook.events or ())}
    with behind(sandbox, data(item | told), data(item | told)) as (_, client):
        steps = worked(client, [webhook], action)
    assert ["failed"] == outcomes(steps)
    assert steps[0].detail


def test_a_write_whose_answer_is_lost_but_that_happened_is_done(sandbox: cx.Sandbox) -> None:
    """The server acted and hung up; in the end the step is told as it is."""
    with behind(sandbox, passed(sandbox, answered=False)) as (_, client):
        assert ["done"] == outcomes(worked(client, listed(sandbox)[:1], "pause"))
    assert listed(sandbox)[0].is_active is False


# --- when a step fails ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["pause", "resume"])
def test_a_webhook_that_is_gone_does_not_stop_the_rest(sandbox: cx.Sandbox, client: cx.Client, action: str) -> None:
    """The one fails, and the next ones are worked on."""
    webhooks = listed(sandbox)
    client.webhooks.delete(webhooks[0].id)
    steps = worked(client, webhooks, action)
    assert "failed" == steps[0].outcome
    assert steps[0].detail
    assert {"done", "unchanged"} == set(outcomes(steps[1:]))


def test_deleting_what_is_gone_does_not_stop_the_rest(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """It was not deleted by this step, and the next one is deleted."""
    webhooks = listed(sandbox)[:2]
    client.webhooks.delete(webhooks[0].id)
    first, second = worked(client, webhooks, "delete")
    assert "done" != first.outcome
    assert "done" == second.outcome


@pytest.mark.parametrize("code", [400, 422])
def test_a_refused_value_does_not_stop_the_rest(sandbox: cx.Sandbox, code: int) -> None:
    """What is wrong with one webhook says nothing about the others."""
    refusal = status(code, type="validation_error", message="This one is frozen")
    with behind(sandbox, refusal) as (_, client):
        steps = worked(client, listed(sandbox)[:3], "pause")
    assert ["failed", "done", "done"] == outcomes(steps)
    assert "This one is frozen" in steps[0].detail


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(status(401, type="authentication_error"), id="key refused"),
        pytest.param(status(403, type="permission_error"), id="not permitted"),
        pytest.param(reset(), id="connection broken"),
    ],
)
@pytest.mark.parametrize("action", ["pause", "delete"])
def test_trouble_with_the_key_or_the_network_stops_the_rest(sandbox: cx.Sandbox, action: str, line: Any) -> None:
    """It would meet every further step as well, so those are not tried."""
    webhooks = listed(sandbox)[:3]
    with behind(sandbox, passed(sandbox), *[line] * 20) as (server, client):
        steps = worked(client, webhooks, action)
        touched = {request.path.rpartition("/")[2] for request in server.requests}
    assert ["done", "failed", "not tried"] == outcomes(steps)
    assert steps[1].detail
    assert webhooks[2].id not in touched


def test_a_server_that_is_not_there_stops_at_the_first_step(sandbox: cx.Sandbox) -> None:
    """One step says what is wrong, and the others that they were not tried."""
    with cx.Client(sandbox.key, sandbox.team_id, f"http://127.0.0.1:{closed_port()}") as client:
        steps = worked(client, listed(sandbox)[:3], "pause")
    assert ["failed", "not tried", "not tried"] == outcomes(steps)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_reading_client_fails_every_step(sandbox: cx.Sandbox, action: str) -> None:
    """Each step says that the client reads only, and nothing is sent."""
    chosen = [webhook for webhook in listed(sandbox) if webhook.is_active is not (action == "resume")]
    with behind(sandbox, write=False) as (server, client):
        steps = worked(client, chosen, action)
        assert ["failed"] * len(chosen) == outcomes(steps)
        assert ["reads only"] * len(chosen) == [
            "reads only" if "reads only" in step.detail else step.detail for step in steps
        ]
        assert [] == written(server)


def test_a_publishable_key_changes_nothing(sandbox: cx.Sandbox) -> None:
    """No step is done with a key that cannot write."""
    with behind(sandbox, key="publishable") as (server, client):
        steps = worked(client, listed(sandbox)[:2], "pause")
        assert "failed" == steps[0].outcome
        assert "done" not in outcomes(steps)
        assert [] == written(server)


# --- stopping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 1, 3])
def test_stopping_leaves_the_rest_untried(sandbox: cx.Sandbox, after: int) -> None:
    """What was done stays done; what comes after the stop is told as not tried, and is not touched."""
    webhooks, steps = listed(sandbox)[:3], []
    with behind(sandbox) as (server, client):
        for taken in plans.toward(client, webhooks, "pause").work(lambda: len(steps) >= after):
            steps.append(taken)  # noqa: PERF402 (the lambda looks at it while it grows)
        assert after == len(written(server))
    assert ["done"] * after + ["not tried"] * (3 - after) == outcomes(steps)
    assert [webhook.id for webhook in webhooks] == [taken.change.id for taken in steps]


# --- the account ------------------------------------------------------------------------------------------------------


def test_the_account_begins_with_the_numbers() -> None:
    """Done and failed ones stand first, each with its number."""
    said = plans.Applied([step("done"), step("failed", "No."), step("done")]).account()
    assert said == "2 done, 1 failed."


def test_the_account_counts_every_step() -> None:
    """The numbers in it add up to the number of steps, one for each outcome."""
    steps = [step("done")] * 5 + [step("unchanged")] * 4 + [step("failed", "No.")] * 3 + [step("not tried")] * 2
    said = plans.Applied(steps).account()
    assert [5, 4, 3, 2] == [int(number) for number in re.findall(r"\b\d+\b", said.partition(".")[0])]
    assert "not tried" in said


@pytest.mark.parametrize("outcome", ["done", "unchanged", "failed", "not tried"])
def test_the_account_names_only_what_there_was(outcome: str) -> None:
    """One number for steps of one kind; a zero is not counted up."""
    assert ["3"] == re.findall(r"\d+", plans.Applied([step(outcome)] * 3).account())


def test_the_detail_of_a_failure_is_printable(sandbox: cx.Sandbox) -> None:
    """What a server says is shown with its control and direction characters spelled out."""
    refusal = status(422, type="validation_error", message=HOSTILE + "\x1b[31m\u202e")
    with behind(sandbox, refusal) as (_, client):
        (only,) = worked(client, listed(sandbox)[:1], "pause")
    assert "failed" == only.outcome
    assert only.detail.isprintable()


def test_no_step_holds_the_key(sandbox: cx.Sandbox) -> None:
    """Not even where the server says the key back."""
    refusal = status(401, type="authentication_error", message=f"Bad key {sandbox.key.reveal()}")
    with behind(sandbox, refusal) as (_, client):
        steps = worked(client, listed(sandbox)[:2], "pause")
    assert "failed" == steps[0].outcome
    assert sandbox.key.reveal() not in repr(steps)


def test_a_wait_between_reads_is_no_failure(sandbox: cx.Sandbox) -> None:
    """A server that stumbles once over a read is asked again."""

    webhooks = listed(sandbox)[:1]
    with behind(sandbox, reads=once(status(503), then=passed(sandbox))) as (_, client):
        assert ["done"] == outcomes(worked(client, webhooks, "pause"))
