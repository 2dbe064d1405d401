"""Anything that can be done, in any order, with faults at random: sandbox, frame and a plain dict agree after each step."""

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

Hook = tuple[str, str, frozenset[str], bool]
"""Name, URL, events, and whether it is active."""

NAMES = st.sampled_from(["A", "B", "=1+1", "Zoë 🎉", "<b>$5</b>", "'quoted'", "a,b\nc"])
URLS = st.sampled_from(["https://example.com/one", "https://example.com/two?x=1", "https://example.org/"])
EVENTS = st.lists(
    st.sampled_from(["ticket.created", "ticket.closed", "article.*", "customer.updated"]),
    min_size=1,
    max_size=3,
    unique=True,
)
SLOW = "slowness"
PICK = st.integers(min_value=0, max_value=9)
FAULTS: dict[str, Callable[[Any, int], None]] = {
    "a rate limit": lambda faults, times: faults.rate_limit(retry_after=0, times=times),
    "a long rate limit": lambda faults, times: faults.rate_limit(retry_after=30, times=times),
    "a rate limit of unknown length": lambda faults, times: faults.rate_limit(retry_after=None, times=times),
    "500": lambda faults, times: faults.fail(500, times=times),
    "502": lambda faults, times: faults.fail(502, times=times),
    "503": lambda faults, times: faults.fail(503, times=times),
    "a page": lambda faults, times: faults.html(times=times),
    "cut off": lambda faults, times: faults.cut_off(times=times),
    "a lost answer": lambda faults, times: faults.lose_response(times=times),
    SLOW: lambda faults, times: faults.slow(0.06, times=times),
}
Trouble = list[tuple[str, int]]
TROUBLE = st.lists(st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(min_value=1, max_value=5)), max_size=2)


def content(hook: cx.Webhook) -> Hook:
    """What of a webhook can be chosen."""
    assert hook.name is not None
    assert hook.url is not None
    assert hook.is_active is not None
    return hook.name, hook.url, frozenset(hook.events or ()), hook.is_active


def gone(client: cx.Client, id_: str) -> str:
    """Deletes it, and says whether it was found."""
    try:
        client.webhooks.delete(id_)
    except errors.NotFoundError:
        return "not found"
    return "deleted"


class Life(RuleBasedStateMachine):
    """A team's webhooks, and whoever works on them."""

    def __init__(self) -> None:
        super().__init__()
        self.open = contextlib.ExitStack()
        self.sandbox = self.open.enter_context(cx.Sandbox())
        self.client = self.open.enter_context(self.sandbox.client(timeout=2, max_wait=0.2))
        self.hasty = self.open.enter_context(self.sandbox.client(timeout=0.03, max_wait=0.2))
        self.direct = self.open.enter_context(self.sandbox.client())
        self.folder = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        self.files = 0
        self.model: dict[str, Hook] = {}
        self.fired = 0

    @initialize()
    def begin(self) -> None:
        self.model = self.actual()
        self.fired = self.events_fired()

    def teardown(self) -> None:
        self.open.close()

    # --- what is there ------------------------------------------------------------------------------------------------

    def actual(self) -> dict[str, Hook]:
        """What the sandbox has, whatever fault waits."""
        self.sandbox.faults.clear()
        return {hook.id: content(hook) for hook in self.direct.webhooks.list()}

    def events_fired(self) -> int:
        return int(self.sandbox.deliveries()["event_id"].nunique())

    def chosen(self, pick: int) -> str:
        return sorted(self.model)[pick % len(self.model)]

    def order(self, trouble: Trouble) -> None:
        for name, times in trouble:
            FAULTS[name](self.sandbox.faults, times)

    def attempt(self, trouble: Trouble, act: Callable[[cx.Client], Any]) -> Any:
        """What it returns, or the error of ours that it raises; any other error ends the test."""
        self.order(trouble)
        slow = any(name == SLOW for name, _ in trouble)
        error = None
        try:
            return act(self.hasty if slow else self.client)
        except errors.CStarError as raised:
            error = raised
        finally:
            self.sandbox.faults.clear()
            if slow:
                time.sleep(0.1)  # what was given up may still be done
        event(f"{type(error).__name__}, may have acted: {error.may_have_acted}")
        assert error.advice
        assert str(error).endswith(error.advice)
        assert trouble, error
        return error

    def expect(self, outcome: Any, wanted: dict[str, Hook]) -> None:
        """Done means done; an error means not done, or perhaps, and says which."""
        actual = self.actual()
        if not isinstance(outcome, errors.CStarError):
            assert wanted == actual
        elif outcome.may_have_acted:
            assert actual in (self.model, wanted)
        else:
            assert self.model == actual
        self.model = actual

    # --- the single calls ---------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.model) < 8)
    @rule(name=NAMES, url=URLS, events=EVENTS, trouble=TROUBLE)
    def create(self, name: str, url: str, events: list[str], trouble: Trouble) -> None:
        """One more, or none; where nobody can say, the candidates are on the list and are what was asked for."""
        outcome = self.attempt(trouble, lambda client: client.webhooks.create(name=name, url=url, events=events))
        actual = self.actual()
        asked = (name, url, frozenset(events), True)
        new = {id_: hook for id_, hook in actual.items() if id_ not in self.model}
        assert self.model == {id_: hook for id_, hook in actual.items() if id_ in self.model}
        assert list(new.values()) in ([], [asked])
        if isinstance(outcome, errors.OutcomeUnknownError):
            assert {hook.id: content(hook) for hook in outcome.candidates}.items() <= {
                id_: hook for id_, hook in actual.items() if hook == asked
            }.items()
            assert outcome.may_have_acted
        if isinstance(outcome, errors.CStarError):
            assert outcome.may_have_acted or not new
        else:
            assert [outcome.id] == list(new)
            assert outcome.secret is not None
        self.model = actual

    @precondition(lambda self: self.model)
    @rule(pick=PICK, name=st.none() | NAMES, url=st.none() | URLS, events=st.none() | EVENTS, trouble=TROUBLE)
    def edit(
        self,
        pick: int,
        name: str | None,
        url: str | None,
        events: list[str] | None,
        trouble: Trouble,
    ) -> None:
        """What is named changes, and nothing else."""
        changes = {
            field: value for field, value in (("name", name), ("url", url), ("events", events)) if value is not None
        }
        if not changes:
            return
        id_ = self.chosen(pick)
        now = self.model[id_]
        wanted = (name or now[0], url or now[1], frozenset(events) if events else now[2], now[3])
        outcome = self.attempt(trouble, lambda client: client.webhooks.update(id_, **changes))
        self.expect(outcome, self.model | {id_: wanted})
        if not isinstance(outcome, errors.CStarError):
            assert wanted == content(outcome)

    @precondition(lambda self: self.model)
    @rule(pick=PICK, active=st.booleans(), trouble=TROUBLE)
    def pause_or_resume(self, pick: int, active: bool, trouble: Trouble) -> None:
        id_ = self.chosen(pick)
        outcome = self.attempt(trouble, lambda client: client.webhooks.update(id_, is_active=active))
        self.expect(outcome, self.model | {id_: (*self.model[id_][:3], active)})

    @precondition(lambda self: self.model)
    @rule(pick=PICK, trouble=TROUBLE)
    def delete(self, pick: int, trouble: Trouble) -> None:
        target = self.chosen(pick)
        outcome = self.attempt(trouble, lambda client: client.webhooks.delete(target))
        self.expect(outcome, {id_: hook for id_, hook in self.model.items() if id_ != target})

    @rule(trouble=TROUBLE)
    def delete_what_is_not_there(self, trouble: Trouble) -> None:
        """Refused, unless an attempt before was lost and may have done it."""
        outcome = self.attempt(trouble, lambda client: gone(client, "whk_nowhere"))
        assert trouble or outcome == "not found"
        assert self.model == self.actual()

    @precondition(lambda self: any(hook[3] for hook in self.model.values()))
    @rule(trouble=TROUBLE)
    def fire(self, trouble: Trouble) -> None:
        """Once, or not at all; and not at all where the error says so."""
        outcome = self.attempt(trouble, lambda client: client.webhooks.trigger_test("ticket.created"))
        fired = self.events_fired() - self.fired
        if not isinstance(outcome, errors.CStarError):
            assert fired == 1
        else:
            assert fired in ((0, 1) if outcome.may_have_acted else (0,))
        self.fired += fired
        assert self.model == self.actual()

    @rule(trouble=TROUBLE)
    def look(self, trouble: Trouble) -> None:
        """A list that comes is the truth."""
        outcome = self.attempt(trouble, lambda client: client.webhooks.list())
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
        trouble=TROUBLE,
        back=st.booleans(),
        late=st.booleans(),
    )
    def plan_apply_and_perhaps_take_it_back(
        self,
        renamed: dict[int, str],
        paused: dict[int, bool],
        deleted: set[int],
        created: tuple[str, str, list[str], bool] | None,
        saved: bool,
        trouble: Trouble,
        back: bool,
        late: bool,
    ) -> None:
        """From the frame, edited. A plan changes nothing yet; in trouble each step tells the truth; continued without
        trouble it is done; taken back, all is as before; and the file it is kept in is as good as the plan."""
        frame = self.client.webhooks.list().to_frame()[["id", "name", "url", "events", "is_active"]].astype(object)
        frame["delete"] = False
        wanted = {id_: self.model[id_] for id_ in frame["id"]}
        taken_away = set()
        for row, id_ in enumerate(frame["id"]):
            name, url, on, active = wanted[id_]
            if row in deleted:
                frame.loc[row, "delete"] = True
                taken_away.add(id_)
                continue
            frame.loc[row, "name"] = renamed.get(row, name)
            frame.loc[row, "is_active"] = paused.get(row, active)
            wanted[id_] = (renamed.get(row, name), url, on, paused.get(row, active))
        wanted = {id_: hook for id_, hook in wanted.items() if id_ not in taken_away}
        if created and len(wanted) < 8 and not any(created[:2] == hook[:2] for hook in self.model.values()):
            cells = dict(
                zip(["name", "url", "events", "is_active"], [*created[:2], tuple(created[2]), created[3]], strict=True)
            )
            frame = pd.concat([frame, pd.DataFrame([cells], dtype=object)], ignore_index=True)
            wanted["new"] = (created[0], created[1], frozenset(created[2]), created[3])

        plan = cx.plan(self.client, frame)
        assert self.model == self.actual()
        assert len(plan) == (sum(wanted.get(id_) != hook for id_, hook in self.model.items()) + ("new" in wanted))
        self.apply(self.kept(plan) if saved else plan, self.model, wanted, trouble, late)
        if back:
            inverse = self.kept(plan.invert()) if saved else plan.invert()
            before, now = self.model, self.actual()
            with contextlib.suppress(errors.IncompleteError):
                self.attempt(trouble, lambda _: inverse.apply())
            inverse.apply()
            assert Counter(before.values()) == Counter(self.actual().values())
            assert {id_: hook for id_, hook in before.items() if id_ in now}.items() <= self.actual().items()
        self.model = self.actual()

    def kept(self, plan: cx.Plan) -> cx.Plan:
        """The plan, by way of a file."""
        self.files += 1
        path = self.folder / f"plan-{self.files}.json"
        plan.save(path)
        return cx.Plan.load(self.client, path)

    def apply(
        self, plan: cx.Plan, before: dict[str, Hook], after: dict[str, Hook], trouble: Trouble, late: bool
    ) -> None:
        outcome = self.attempt([one for one in trouble if one[0] != SLOW], lambda _: self.applied(plan, trouble, late))
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

    def applied(self, plan: cx.Plan, trouble: Trouble, late: bool) -> Any:
        """All steps, or their error; where it is late, the trouble begins after the first of them."""
        if late:
            self.sandbox.faults.clear()
        coming = iter([trouble] if late else [])
        return plan.apply(on_step=lambda _: self.order(next(coming, [])))

    def compare_steps(self, steps: Any) -> None:
        """What is told as done was done; what was not tried, or failed, was not."""
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
        """The sandbox, the frame of the list and the model; and nothing was fired in passing."""
        if not self.fired and not self.model:
            return
        frame = self.client.webhooks.list().to_frame()
        told = {
            row.id: (row.name, row.url, frozenset(row.events), bool(row.is_active))
            for row in frame.itertuples(index=False)
        }
        assert self.model == told
        assert self.model == {id_: content(self.direct.webhooks.get(id_)) for id_ in self.model}
        assert self.fired == self.events_fired()


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=20,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_a_plan_that_was_done_in_part_does_not_say_that_nothing_was_done() -> None:
    """One step is done before the trouble begins; `may_have_acted` is for whoever asks whether anything changed."""
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
