"""With faults of networks and servers, a question is not answered; it is never answered wrongly."""

import itertools
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

import cstar_explore as cx
from cstar_explore.behaviours import QUESTIONS
from cstar_explore.probing import receiver, session
from tests.probing import stand_in as stand_in_module
from tests.probing.combinations import OTHERS, covering
from tests.probing.stand_in import FAULTS, LIVE_KEY, PUBLISHABLE_KEY, SECRET_KEY, TEAM, Request, StandIn
from tests.support.sampling import NIGHTLY, SEED, sample


class Case(NamedTuple):
    """Faults of one kind, or of all, at every so many requests; `seed` 0 for a regular distance."""

    fault: str
    every: int
    seed: int
    fire: bool

    def played(self) -> Callable[[Request], str]:
        """Which fault a request gets."""
        rng = random.Random(f"{SEED} {self}")
        kinds = FAULTS if self.fault == "any" else (self.fault,)
        if self.seed:
            return lambda _: rng.choice(kinds) if rng.random() < 1 / self.every else ""
        return lambda request: rng.choice(kinds) if request.number % self.every == 0 else ""


CASES = [
    Case(fault, every, seed, fire)
    for fault, (every, seed), fire in itertools.product(
        (*FAULTS, "any"), ((2, 0), (3, 0), (7, 0), (2, 1), (5, 2), (12, 3)), (False, True)
    )
    if not (fault == "429 for 1 s" and every < 7)
]


@pytest.fixture(autouse=True)
def _short_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(session, "_PAUSE", 0.01)
    monkeypatch.setattr(receiver, "ARRIVAL", 3.0)


def _wrong(case: Case) -> list[str]:
    """What is wrong in a probe with these faults, and after one without."""
    row = next(covering(OTHERS, seed=f"{SEED} {case}"))
    with (
        cx.Listener(allowed_hosts=["receiver.example"]) as listener,
        StandIn(row | {"retry_steps": ("1", "2")}, existing=23, fault=case.played()) as stand_in,
        cx.Client(SECRET_KEY, TEAM, stand_in.url, timeout=5) as client,
    ):
        stand_in.deliveries.route("receiver.example", "127.0.0.1", urlsplit(listener.url).port or 0)
        options = {"listener": listener, "fire": True, "wait": 2.5} if case.fire else {}
        result = cx.probe(client, publishable_key=PUBLISHABLE_KEY, confirm=True, **options)  # type: ignore[call-overload]
        found = result.recording.answers
        expected = {**row, "retry_steps": ("1",)}
        wrong = [f"{name}: {found[name]}, not {expected[name]}" for name in found if found[name] != expected[name]]
        wrong += [f"{name} has no reason" for name in QUESTIONS if name not in found and not result.reasons.get(name)]
        wrong += [
            f"not named: {each.name}" for each in stand_in.left if not each.name.startswith(result.left or ("-",))
        ]
        stand_in.fault = lambda _: ""
        again = cx.probe(client, confirm=True)
        wrong += [f"left: {each.name}" for each in stand_in.left] + [f"named: {name}" for name in again.left]
        return wrong if stand_in.before == [each.id for each in stand_in.webhooks] else [*wrong, "others are gone"]


def test_faults_leave_questions_unanswered_and_never_answer_them_wrongly() -> None:
    """Each kind of fault at several rates. Webhooks that remain are named, and removed by the next run."""
    cases = [*sample([case for case in CASES if not case.fire], 4, name="faults")]
    cases += sample([case for case in CASES if case.fire], 1, name="faults with deliveries")
    with ThreadPoolExecutor(6) as executor:
        wrong = dict(zip(cases, executor.map(_wrong, cases), strict=True))
    assert not {case: lines for case, lines in wrong.items() if lines}


@pytest.mark.parametrize("key", [LIVE_KEY, PUBLISHABLE_KEY, SECRET_KEY], ids=["live", "publishable", "read-only"])
def test_a_key_or_client_that_should_not_write_sends_get_only(key: str) -> None:
    """Whatever the options are."""
    with (
        StandIn({"publishable_list": "allowed", "publishable_get": "allowed"}, existing=23) as stand_in,
        cx.Client(key, TEAM, stand_in.url, write=key != SECRET_KEY) as client,
        cx.Listener() as listener,
    ):
        result = cx.probe(
            client, listener, publishable_key=PUBLISHABLE_KEY, fire=True, payloads=True, wait=9, confirm=True
        )
        assert {request.method for request in stand_in.requests} == {"GET"}
        assert set(result.recording.answers) == {
            name for name, question in QUESTIONS.items() if question.needs in ("read", "many", "publishable")
        }


def test_without_confirm_nothing_is_sent(tmp_path: Path) -> None:
    """The plan says what would be."""
    with StandIn() as stand_in, cx.Client(SECRET_KEY, TEAM, stand_in.url) as client, cx.Listener() as listener:
        plan = cx.probe(client, listener, publishable_key=PUBLISHABLE_KEY, fire=True, payloads=True, wait=40)
        assert not stand_in.requests
        assert plan.fires > 35
        assert "Nothing was sent" in repr(plan)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("limit", [5, 12, 40, 70])
def test_a_probe_stops_asking_before_the_rate_limit_is_used_up_and_still_cleans_up(limit: int) -> None:
    """The reason has the numbers."""
    with StandIn(limit=limit) as stand_in, cx.Client(SECRET_KEY, TEAM, stand_in.url) as client:
        result = cx.probe(client, confirm=True)
        assert 429 not in [request.status for request in stand_in.requests]
        assert not stand_in.left
        assert any("rate limit" in reason for reason in result.reasons.values())


def test_a_key_that_is_not_known_leaves_no_name_of_a_webhook() -> None:
    """What was refused was not created."""
    with StandIn() as stand_in, cx.Client(f"{SECRET_KEY}x", TEAM, stand_in.url) as client:
        result = cx.probe(client, confirm=True)
    assert result.left == ()
    assert set(result.recording.answers) == {"error_401", "code_401", "type_401"}


def test_the_length_of_a_page_is_not_taken_for_a_page_size_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of five."""
    monkeypatch.setattr(stand_in_module, "ANOTHER_SIZE", 5)
    for answer in ("honoured", "ignored"):
        answers = {"list_pages": "another number", "page_size": answer}
        with StandIn(answers, existing=22) as stand_in, cx.Client(LIVE_KEY, TEAM, stand_in.url) as client:
            assert cx.probe(client, confirm=True).recording.answers["page_size"] == answer


@pytest.mark.skipif(not NIGHTLY, reason="takes a probe with deliveries for each of its test events; NIGHTLY=1 runs it")
@pytest.mark.parametrize("arrival", ["before the response", "after the response"])
def test_a_wait_for_the_rate_limit_is_not_taken_for_the_time_limit_of_receivers(arrival: str) -> None:
    """A 429 at any of the test events."""

    def found(number: int) -> object:
        fired: list[Request] = []

        def fault(request: Request) -> str:
            fired.extend([request] if request.path.endswith("trigger-test") else [])
            return "429 for 1 s" if len(fired) == number and fired[-1] is request else ""

        answers = {"arrival": arrival, "receiver_timeout": ("3",), "retry_steps": ("1", "2")}
        with (
            cx.Listener() as listener,
            StandIn(answers, fault=fault) as stand_in,
            cx.Client(SECRET_KEY, TEAM, stand_in.url) as client,
        ):
            result = cx.probe(client, listener, fire=True, wait=4.5, confirm=True)
        return result.recording.answers.get("receiver_timeout")

    with ThreadPoolExecutor(6) as executor:
        assert set(executor.map(found, range(1, 13))) <= {None, ("3",)}
