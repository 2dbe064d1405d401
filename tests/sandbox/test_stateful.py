"""Random operations with random faults: after each step the sandbox, the frame and a dict agree."""

import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import cstar_explore as cx
from cstar_explore import errors
from tests.support.sampling import examples

Hook = tuple[str, str, frozenset[str], bool]
"""Name, URL, events, is_active."""

NAMES = st.sampled_from(["A", "B", "=1+1", "Zoë 🎉", "<b>$5</b>", "'quoted'", "a,b\nc"])
URLS = st.sampled_from(["https://example.com/one", "https://example.com/two?x=1", "https://example.org/"])
EVENTS = st.lists(
    st.sampled_from(["ticket.created", "ticket.closed", "article.*", "customer.updated"]),
    min_size=1,
    max_size=3,
    unique=True,
)
SLOW = "slow response"
PICK = st.integers(min_value=0, max_value=9)
FAULTS: dict[str, Callable[[Any, int], None]] = {
    "rate limit": lambda queue, times: queue.rate_limit(retry_after=0, times=times),
    "long rate limit": lambda queue, times: queue.rate_limit(retry_after=30, times=times),
    "rate limit without Retry-After": lambda queue, times: queue.rate_limit(retry_after=None, times=times),
    "500": lambda queue, times: queue.fail(500, times=times),
    "502": lambda queue, times: queue.fail(502, times=times),
    "503": lambda queue, times: queue.fail(503, times=times),
    "HTML page": lambda queue, times: queue.html(times=times),
    "cut off": lambda queue, times: queue.cut_off(times=times),
    "lost response": lambda queue, times: queue.lose_answer(times=times),
    SLOW: lambda queue, times: queue.slow(0.06, times=times),
}
QueuedFaults = list[tuple[str, int]]
QUEUED_FAULTS = st.lists(st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(min_value=1, max_value=5)), max_size=2)


def content(hook: cx.Webhook) -> Hook:
    """The fields that a client can set."""
    assert hook.name is not None
    assert hook.url is not None
    assert hook.is_active is not None
    return hook.name, hook.url, frozenset(hook.events or ()), hook.is_active


def delete_if_present(client: cx.Client, id_: str) -> str:
    """Deletes a webhook. Returns whether it was found."""
    try:
        client.webhooks.delete(id_)
    except errors.NotFoundError:
        return "not found"
    return "deleted"


class WebhookOperations(RuleBasedStateMachine):
    """A team's webhooks and the operations on them."""

    def __init__(self) -> None:
        super().__init__()
        self.resources = contextlib.ExitStack()
        self.sandbox = self.resources.enter_context(cx.Sandbox())
        self.client = self.resources.enter_context(self.sandbox.client(timeout=2, max_wait=0.2))
        self.impatient = self.resources.enter_context(self.sandbox.client(timeout=0.03, max_wait=0.2))
        self.direct = self.resources.enter_context(self.sandbox.client())
        self.folder = Path(self.resources.enter_context(tempfile.TemporaryDirectory()))
        self.files = 0
        self.model: dict[str, Hook] = {}
        self.fired = 0

    @initialize()
    def begin(self) -> None:
        self.model = self.actual()
        self.fired = self.events_fired()

    def teardown(self) -> None:
        self.resources.close()

    # --- the actual state ------------------------------------------------------------------------------------------------

    def actual(self) -> dict[str, Hook]:
        """The sandbox's webhooks. Clears the queued faults."""
        self.sandbox.faults.clear()
        return {hook.id: content(hook) for hook in self.direct.webhooks.list()}

    def events_fired(self) -> int:
        return int(self.sandbox.deliveries()["event_id"].nunique())

    def chosen(self, pick: int) -> str:
        return sorted(self.model)[pick % len(self.model)]

    def queue(self, faults: QueuedFaults) -> None:
        for name, times in faults:
            FAULTS[name](self.sandbox.faults, times)

    def attempt(self, faults: QueuedFaults, action: Callable[[cx.Client], Any]) -> Any:
        """The action's result, or the `CStarError` that it raised. Any other error fails the test."""
        self.queue(faults)
        slow = any(name == SLOW for name, _ in faults)
        error = None
        try:
            return action(self.impatient if slow else self.client)
        except errors.CStarError as raised:
            error = raised
        finally:
            self.sandbox.faults.clear()
            if slow:
                time.sleep(0.1)  # the server may still complete the call
        event(f"{type(error).__name__}, may have acted: {error.may_have_acted}")
        assert error.advice
        assert str(error).endswith(error.advice)
        assert faults, error
        return error

    def expect(self, outcome: Any, desired: dict[str, Hook]) -> None:
        """A success took effect; an error did not, unless `may_have_acted` is set."""
        actual = self.actual()
        if not isinstance(outcome, errors.CStarError):
            assert desired == actual
        elif outcome.may_have_acted:
            assert actual in (self.model, desired)
        else:
            assert self.model == actual
        self.model = actual

    # --- the single calls ---------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.model) < 8)
    @rule(name=NAMES, url=URLS, events=EVENTS, faults=QUEUED_FAULTS)
    def create(self, name: str, url: str, events: list[str], faults: QueuedFaults) -> None:
        """Creates at most one webhook. After an unknown outcome, the candidates are listed and equal the request."""
        outcome = self.attempt(faults, lambda client: client.webhooks.create(name=name, url=url, events=events))
        actual = self.actual()
        requested = (name, url, frozenset(events), True)
        new = {id_: hook for id_, hook in actual.items() if id_ not in self.model}
        assert self.model == {id_: hook for id_, hook in actual.items() if id_ in self.model}
        assert list(new.values()) in ([], [requested])
        if isinstance(outcome, errors.OutcomeUnknownError):
            assert {hook.id: content(hook) for hook in outcome.candidates}.items() <= {
                id_: hook for id_, hook in actual.items() if hook == requested
            }.items()
            assert outcome.may_have_acted
        if isinstance(outcome, errors.CStarError):
            assert outcome.may_have_acted or not new
        else:
            assert [outcome.id] == list(new)
            assert outcome.secret is not None
        self.model = actual

    @precondition(lambda self: self.model)
    @rule(pick=PICK, name=st.none() | NAMES, url=st.none() | URLS, events=st.none() | EVENTS, faults=QUEUED_FAULTS)
    def edit(
        self,
        pick: int,
        name: str | None,
        url: str | None,
        events: list[str] | None,
        faults: QueuedFaults,
    ) -> None:
        """Only the given fields change."""
        changes = {
            field: value for field, value in (("name", name), ("url", url), ("events", events)) if value is not None
        }
        if not changes:
            return
        id_ = self.chosen(pick)
        now = self.model[id_]
        desired = (name or now[0], url or now[1], frozenset(events) if events else now[2], now[3])
        outcome = self.attempt(faults, lambda client: client.webhooks.update(id_, **changes))
        self.expect(outcome, self.model | {id_: desired})
        if not isinstance(outcome, errors.CStarError):
            assert desired == content(outcome)

    @precondition(lambda self: self.model)
    @rule(pick=PICK, active=st.booleans(), faults=QUEUED_FAULTS)
    def pause_or_resume(self, pick: int, active: bool, faults: QueuedFaults) -> None:
        id_ = self.chosen(pick)
        outcome = self.attempt(faults, lambda client: client.webhooks.update(id_, is_active=active))
        self.expect(outcome, self.model | {id_: (*self.model[id_][:3], active)})

    @precondition(lambda self: self.model)
    @rule(pick=PICK, faults=QUEUED_FAULTS)
    def delete(self, pick: int, faults: QueuedFaults) -> None:
        target = self.chosen(pick)
        outcome = self.attempt(faults, lambda client: client.webhooks.delete(target))
        self.expect(outcome, {id_: hook for id_, hook in self.model.items() if id_ != target})

    @rule(faults=QUEUED_FAULTS)
    def delete_unknown(self, faults: QueuedFaults) -> None:
        """Not found, unless a response was lost before."""
        outcome = self.attempt(faults, lambda client: delete_if_present(client, "whk_nowhere"))
        assert faults or outcome == "not found"
        assert self.model == self.actual()

    @precondition(lambda self: any(hook[3] for hook in self.model.values()))
    @rule(faults=QUEUED_FAULTS)
    def fire(self, faults: QueuedFaults) -> None:
        """At most once, and not at all if the error says so."""
        outcome = self.attempt(faults, lambda client: client.webhooks.trigger_test("ticket.created"))
        fired = self.events_fired() - self.fired
        if not isinstance(outcome, errors.CStarError):
            assert fired == 1
        else:
            assert fired in ((0, 1) if outcome.may_have_acted else (0,))
        self.fired += fired
        assert self.model == self.actual()

    @rule(faults=QUEUED_FAULTS)
    def list_webhooks(self, faults: QueuedFaults) -> None:
        """A successful list equals the actual state."""
        outcome = self.attempt(faults, lambda client: client.webhooks.list())
        if not isinstance(outcome, errors.CStarError):
            assert self.model == {hook.id: content(hook) for hook in outcome}
        else:
            assert not outcome.may_have_acted

    # --- plans --------------------------------------------------------------------------------------------------------

    @rule(
        renamed=st.dictionaries(PICK, NAMES, max_size=2),
        paused=st.dictionaries(PICK, st.booleans(), max_size=2),
        deleted=st.sets(PICK, max_size=1),
        created=st.none() | st.tuples(NAMES, URLS, EVENTS, st.booleans()),
        saved=st.booleans(),
        faults=QUEUED_FAULTS,
        invert=st.booleans(),
        late=st.booleans(),
    )
    def apply_plan(
        self,
        renamed: dict[int, str],
        paused: dict[int, bool],
        deleted: set[int],
        created: tuple[str, str, list[str], bool] | None,
        saved: bool,
        faults: QueuedFaults,
        invert: bool,
        late: bool,
    ) -> None:
        """Plans an edited frame. Planning changes nothing. With faults each step reports its actual outcome; applying again
        without faults completes the plan; inverting it restores the previous state. A saved plan behaves the same."""
        frame = self.client.webhooks.list().to_frame()[["id", "name", "url", "events", "is_active"]].astype(object)
        frame["delete"] = False
        desired = {id_: self.model[id_] for id_ in frame["id"]}
        removed = set()
        for row, id_ in enumerate(frame["id"]):
            name, url, on, active = desired[id_]
            if row in deleted:
                frame.loc[row, "delete"] = True
                removed.add(id_)
                continue
            frame.loc[row, "name"] = renamed.get(row, name)
            frame.loc[row, "is_active"] = paused.get(row, active)
            desired[id_] = (renamed.get(row, name), url, on, paused.get(row, active))
        desired = {id_: hook for id_, hook in desired.items() if id_ not in removed}
        if created and len(desired) < 8 and not any(created[:2] == hook[:2] for hook in self.model.values()):
            cells = dict(
                zip(["name", "url", "events", "is_active"], [*created[:2], tuple(created[2]), created[3]], strict=True)
            )
            frame = pd.concat([frame, pd.DataFrame([cells], dtype=object)], ignore_index=True)
            desired["new"] = (created[0], created[1], frozenset(created[2]), created[3])

        plan = cx.plan(self.client, frame)
        assert self.model == self.actual()
        assert len(plan) == (sum(desired.get(id_) != hook for id_, hook in self.model.items()) + ("new" in desired))
        self.apply(self.reloaded(plan) if saved else plan, self.model, desired, faults, late)
        if invert:
            inverse = self.reloaded(plan.invert()) if saved else plan.invert()
            before, now = self.model, self.actual()
            with contextlib.suppress(errors.IncompleteError):
                self.attempt(faults, lambda _: inverse.apply())
            inverse.apply()
            assert Counter(before.values()) == Counter(self.actual().values())
            assert {id_: hook for id_, hook in before.items() if id_ in now}.items() <= self.actual().items()
        self.model = self.actual()

    def reloaded(self, plan: cx.Plan) -> cx.Plan:
        """The plan, saved and loaded."""
        self.files += 1
        path = self.folder / f"plan-{self.files}.json"
        plan.save(path)
        return cx.Plan.load(self.client, path)

    def apply(
        self, plan: cx.Plan, before: dict[str, Hook], after: dict[str, Hook], faults: QueuedFaults, late: bool
    ) -> None:
        outcome = self.attempt(
            [each for each in faults if each[0] != SLOW], lambda _: self.apply_with_faults(plan, faults, late)
        )
        if isinstance(outcome, errors.IncompleteError):
            self.compare_steps(outcome.steps)
            assert outcome.may_have_acted or before == self.actual()
        elif isinstance(outcome, errors.CStarError):
            assert before == self.actual()
        else:
            self.compare_steps(outcome)
            assert Counter(after.values()) == Counter(self.actual().values())

        again = plan.apply()
        assert {"done", "unchanged"} >= {step.outcome for step in again}
        actual = self.actual()
        assert Counter(after.values()) == Counter(actual.values())
        assert {id_: hook for id_, hook in after.items() if id_ != "new"}.items() <= actual.items()

    def apply_with_faults(self, plan: cx.Plan, faults: QueuedFaults, late: bool) -> Any:
        """All steps, or the error. `late` queues the faults after the first step."""
        if late:
            self.sandbox.faults.clear()
        pending = iter([faults] if late else [])
        return plan.apply(on_step=lambda _: self.queue(next(pending, [])))

    def compare_steps(self, steps: Any) -> None:
        """Steps reported as done took effect; steps not tried or failed did not."""
        actual = self.actual()
        for step in steps:
            id_, what = step.change.id, step.change.what
            event(f"step: {what} {step.outcome}")
            if step.outcome in {"not tried", "failed"} and what != "create":
                assert self.model[id_] == actual[id_]
            if step.outcome == "done" and what == "delete":
                assert id_ not in actual
            elif step.outcome == "done":
                assert content(step.webhook) == actual[step.webhook.id]

    # --- after each rule ----------------------------------------------------------------------------------------------

    @invariant()
    def all_agree(self) -> None:
        """The sandbox, the frame and the model agree, and no event was fired unexpectedly."""
        if not self.fired and not self.model:
            return
        frame = self.client.webhooks.list().to_frame()
        listed = {
            row.id: (row.name, row.url, frozenset(row.events), bool(row.is_active))
            for row in frame.itertuples(index=False)
        }
        assert self.model == listed
        assert self.model == {id_: content(self.direct.webhooks.get(id_)) for id_ in self.model}
        assert self.fired == self.events_fired()


TestWebhookOperations = WebhookOperations.TestCase
TestWebhookOperations.settings = settings(
    max_examples=examples(20),
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_a_partly_applied_plan_may_have_acted() -> None:
    """Its error has `may_have_acted` if a step was done before the fault."""
    with cx.Sandbox() as sandbox, sandbox.client(max_wait=0.1) as client:
        frame = client.webhooks.list().to_frame()[["id", "name"]]
        frame["name"] = [f"Renamed {row}" for row in range(len(frame))]
        plan = cx.plan(client, frame)
        with pytest.raises(errors.IncompleteError) as caught:
            plan.apply(on_step=lambda _: sandbox.faults.rate_limit(retry_after=30))
        sandbox.faults.clear()
        assert ["done", "failed", "not tried", "not tried"] == [step.outcome for step in caught.value.steps]
        assert "Renamed 0" in {hook.name for hook in client.webhooks.list()}
        assert caught.value.may_have_acted
