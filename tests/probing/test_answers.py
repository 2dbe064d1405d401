"""The probe finds each answer of an independent server, and a sandbox made like its recording gives the same answers again."""

import itertools
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import cstar_explore as cx
from cstar_explore.behaviours import QUESTIONS
from tests.probing.combinations import FIRED, OTHERS, covering, unanswerable
from tests.probing.stand_in import DEFAULTS, PUBLISHABLE_KEY, SECRET_KEY, TEAM, Answer, StandIn
from tests.support.sampling import NIGHTLY, SEED

Row = Mapping[str, Answer]
MANY = 23  # webhooks: enough for the questions about pages


@pytest.fixture(scope="module", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


def _rows(questions: tuple[str, ...], count: int) -> list[dict[str, Answer]]:
    return list(itertools.islice(covering(questions, seed=SEED), None if NIGHTLY else count))


def probed(row: Row, *, fire: bool, **options: Any) -> cx.ProbeResult:
    """What the probe finds out about a stand-in with these answers."""
    with cx.Listener(allowed_hosts=["receiver.example"]) as listener:
        port = urlsplit(listener.url).port or 0
        with (
            StandIn(row, existing=MANY, routes={"receiver.example": ("127.0.0.1", port)}, **options) as stand_in,
            cx.Client(SECRET_KEY, TEAM, stand_in.url) as client,
        ):
            result = _probe(client, PUBLISHABLE_KEY, listener if fire else None)
            assert not stand_in.left
            assert [webhook.id for webhook in stand_in.webhooks] == stand_in.before
    return result


def probed_again(path: Path, *, fire: bool) -> cx.ProbeResult:
    """What the probe finds out about a sandbox that is like a saved recording."""
    with cx.Sandbox(like=path, real_time=True) as sandbox, sandbox.client() as client, cx.Listener() as listener:
        for number in range(MANY):
            url = f"https://existing-{number}.example.com/hooks"
            client.webhooks.create(name=f"Existing {number}", url=url, events="ticket.created")
        return _probe(client, sandbox.keys["publishable"], listener if fire else None)


def _probe(client: cx.Client, publishable: Any, listener: cx.Listener | None) -> cx.ProbeResult:
    return cx.probe(
        client,
        listener,
        publishable_key=publishable,
        fire=listener is not None,
        wait=4.7 if listener else 0,
        confirm=True,
    )


def _differences(row: Row, result: cx.ProbeResult, *, fire: bool) -> list[str]:
    """What is wrong in the answers, and which are missing without need."""
    asked = {*OTHERS, *FIRED} if fire else set(OTHERS)
    found = result.recording.answers
    wrong = [f"{name}: {found[name]}, not {row[name]}" for name in found if not _equal(name, found[name], row[name])]
    missing = asked - unanswerable(row) - set(found)
    return [*wrong, *(f"{name}: {result.reasons.get(name)}, not {row[name]}" for name in sorted(missing))]


def _equal(name: str, one: Answer, other: Answer) -> bool:
    """Whether two answers are equal; seconds may be one more or less on a busy machine."""
    if QUESTIONS[name].kind != "seconds":
        return one == other
    pairs = [re.findall(r"\d+", str(answer)) for answer in (one, other)]
    return len(pairs[0]) == len(pairs[1]) and all(abs(int(a) - int(b)) <= 1 for a, b in zip(*pairs, strict=True))


def _fixed_point(row: Row, path: Path, *, fire: bool) -> list[str]:
    first = probed(row, fire=fire)
    first.save(path)
    again = probed_again(path, fire=fire)
    changes = first.drift(again)[["question", "before", "after"]].itertuples(index=False)
    lost = sorted(set(first.recording.answers) - set(again.recording.answers))
    return [
        *_differences(row, first, fire=fire),
        *(f"again {name} {before} {after}" for name, before, after in changes if not _equal(name, before, after)),
        *(f"again {name}: {again.reasons.get(name)}, not {first.recording.answers[name]}" for name in lost),
    ]


@pytest.mark.parametrize(
    ("questions", "count"), [pytest.param(OTHERS, 3, id="responses"), pytest.param(FIRED, 2, id="deliveries")]
)
def test_each_answer_is_found_and_a_sandbox_like_it_gives_it_again(
    questions: tuple[str, ...], count: int, tmp_path: Path
) -> None:
    """For combinations of all answers, each pair in one of them at night, saved and loaded in between."""
    rows, fire = _rows(questions, count), questions is FIRED
    paths = [tmp_path / f"{number}.json" for number in range(len(rows))]
    with ThreadPoolExecutor(6) as executor:
        differences = list(executor.map(lambda row, path: _fixed_point(row, path, fire=fire), rows, paths))
    found = {number: lines for number, lines in enumerate(differences) if lines}
    assert not found, "\n".join(f"{number}: {line}" for number, lines in found.items() for line in lines)
    assert all(path.stat().st_size < 40_000 for path in paths)
    for (before, earlier), (after, later) in itertools.pairwise(zip(map(cx.Recording.load, paths), rows, strict=True)):
        both = set(before.answers) & set(after.answers)
        changed = {name for name in both if earlier[name] != later[name]}
        seconds = {"retry_steps", "receiver_timeout"}
        assert set(before.drift(after)["question"]) - seconds == changed - seconds


@pytest.mark.parametrize(
    ("options", "domain"),
    [
        pytest.param({"newest_first": True}, ".invalid", id="newest first"),
        pytest.param({"refuses": (".invalid",), "existing": 0}, ".example", id="invalid is refused"),
        pytest.param({"refuses": (".invalid", ".example")}, ".example.com", id="two domains are refused"),
    ],
)
def test_a_probe_writes_to_its_own_paused_webhooks_only(options: dict[str, Any], domain: str) -> None:
    """Their URLs are below a reserved domain, which the server accepts, and each is paused by the next request about it."""
    with StandIn(**options) as stand_in, cx.Client(SECRET_KEY, TEAM, stand_in.url) as client:
        _probe(client, PUBLISHABLE_KEY, None)
    writes = [request for request in stand_in.requests if request.method != "GET"]
    created = [request for request in writes if request.method == "POST" and request.status == 201]
    assert {request.path.rpartition("/")[2] for request in writes} <= {"webhooks", *(each.id for each in stand_in.made)}
    assert len(created) > 10
    for request in created:
        assert request.body["name"].startswith("cstar_explore probe ")
        assert (urlsplit(request.body["url"]).hostname or "").lower().endswith(domain)
    for webhook in stand_in.made:
        first = next(request for request in writes if request.path.endswith(webhook.id))
        assert (first.method, first.body) == ("PATCH", {"isActive": False})


def test_forwarded_test_events_answer_what_their_bodies_show() -> None:
    """A server that refuses the listener's URL, and `cstar listen --forward-to`, whose headers may be the command's own."""
    with (
        cx.Listener() as listener,
        StandIn(strict=True, forward_to=listener.url) as stand_in,
        cx.Client(SECRET_KEY, TEAM, stand_in.url) as client,
    ):
        result = cx.probe(client, listener, fire=True, payloads=True, confirm=True)
        assert not stand_in.left
    answered = {name: result.recording.answers.get(name) for name in ("envelope", "fired_event_id", "signature_form")}
    assert {"envelope": DEFAULTS["envelope"], "fired_event_id": "equal", "signature_form": None} == answered
    assert "public address" in result.reasons["signature_form"]
    assert "public address" in result.reasons["redirects"]
    assert set(cx.events.NAMES) == set(result.recording.payloads)
