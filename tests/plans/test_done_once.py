"""A plan is done once, whatever the server stores, other processes apply, or ends `apply`."""

import contextlib
import itertools
import json
import stat
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cstar_explore as cx
from cstar_explore import errors, events, plans
from cstar_explore.plans import secrets_file
from tests.plans.storing_server import SECRET, StoringServer, item, storing

TICKETS = [name for name in events.NAMES if name.startswith("ticket.")]
DESK = {"name": "Desk", "url": "https://desk.example.com", "events": "ticket.*"}


def rows(*cells: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(cells), dtype=object)


def creates(count: int, **fields: Any) -> pd.DataFrame:
    """A table that creates this many webhooks."""
    base = [{"name": f"New {number}", "url": f"https://example.com/new/{number}"} for number in range(count)]
    return rows(*(row | {"events": "ticket.created"} | fields for row in base))


def with_slash(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | ({"url": fields["url"] + "/"} if "url" in fields else {})


def with_upper_case_host(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | (
        {"url": fields["url"].replace("desk.example.com", "DESK.example.com:443")} if "url" in fields else {}
    )


def with_types_spelled_out(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | ({"events": TICKETS} if "events" in fields else {})


def with_a_shorter_name(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | ({"name": fields["name"][:2]} if "name" in fields else {})


# --- servers with a spelling of their own -----------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [with_slash, with_upper_case_host, with_types_spelled_out])
def test_another_spelling_is_done_and_reported(stored: Any, tmp_path: Path) -> None:
    """The step names both spellings. Neither the plan nor its file creates a second webhook, and the plan can be undone."""
    with storing() as (server, client):
        server.stored = stored
        plan = cx.plan(client, rows(DESK)).save(tmp_path / "plan.json")
        (step,) = plan.apply()
        assert ("done", True) == (step.outcome, "means the same" in step.detail)
        assert ["unchanged"] == [step.outcome for step in plan.apply()]
        assert ["unchanged"] == [step.outcome for step in cx.Plan.load(client, tmp_path / "plan.json").apply()]
        assert ["Desk"] == server.names()
        assert 0 == len(cx.plan(client, rows(DESK)))
        assert ["done"] == [step.outcome for step in cx.Plan.load(client, tmp_path / "plan.json").invert().apply()]
        assert [] == server.names()


@pytest.mark.parametrize(
    ("cells", "stored"),
    [
        pytest.param({"events": "ticket.*"}, with_types_spelled_out, id="events"),
        pytest.param({"url": "https://desk.example.com"}, with_slash, id="url"),
    ],
)
def test_an_update_in_another_spelling_is_done_and_can_be_undone(cells: dict[str, Any], stored: Any) -> None:
    """The inverse plan restores the values from before."""
    with storing(item(1)) as (server, client):
        before = dict(server.webhooks["whk_old1"])
        server.stored = stored
        plan = cx.plan(client, rows({"id": "whk_old1"} | cells))
        assert ["done"] == [step.outcome for step in plan.apply()]
        assert ["unchanged"] == [step.outcome for step in plan.apply()]
        server.stored = lambda fields: fields
        plan.invert().apply()
        assert before == server.webhooks["whk_old1"]


def test_another_value_is_a_failure_and_not_created_again(tmp_path: Path) -> None:
    """The server cuts the name: the step has the webhook, its secret and the difference."""
    with storing() as (server, client):
        server.stored = with_a_shorter_name
        plan = cx.plan(client, rows(DESK)).save(tmp_path / "plan.json")
        with pytest.raises(errors.IncompleteError) as caught:
            plan.apply()
        (step,) = caught.value.steps
        assert ("failed", "whk_1", True) == (step.outcome, step.webhook.id, "Desk → De" in step.detail)
        assert {"whk_1"} == set(plan.secrets())
        for again in (plan, cx.Plan.load(client, tmp_path / "plan.json")):
            with pytest.raises(errors.IncompleteError):
                again.apply()
        assert ["De"] == server.names()


def test_a_created_webhook_that_was_deleted_since_is_not_created_again(tmp_path: Path) -> None:
    """Another user deleted it on purpose. The step names it."""
    with storing() as (server, client):
        plan = cx.plan(client, rows(DESK)).save(tmp_path / "plan.json")
        plan.apply()
        server.webhooks.clear()
        for again in (plan, cx.Plan.load(client, tmp_path / "plan.json")):
            with pytest.raises(errors.IncompleteError) as caught:
                again.apply()
            assert "whk_1" in caught.value.steps[0].detail
        assert [] == server.names()


@pytest.mark.parametrize(
    ("desired", "change"),
    [
        pytest.param({"url": "HTTPS://Example.com:443/%7Ea/../1"}, False, id="the same URL"),
        pytest.param({"url": "https://example.com/1/"}, True, id="another path"),
        pytest.param({"url": "https://example.com/1?"}, True, id="an empty query"),
        pytest.param({"events": ",".join(TICKETS)}, False, id="types instead of a wildcard"),
        pytest.param({"events": "ticket.*,ticket.created"}, True, id="one more entry"),
        pytest.param({"events": "ticket.created"}, True, id="fewer types"),
    ],
)
def test_a_table_that_only_spells_otherwise_plans_nothing_and_says_so(desired: dict[str, Any], change: bool) -> None:
    """Otherwise each plan would show a change that the server never keeps."""
    with storing(item(1, events=["ticket.*"])) as (_, client):
        plan = cx.plan(client, rows({"id": "whk_old1"} | desired))
        assert (change, not change) == (len(plan) == 1, any("Nothing is changed" in note for note in plan.notes))
        assert all(note in repr(plan) for note in plan.notes)
        assert all("'https://example.com/1'" in note or "'ticket.*'" in note for note in plan.notes)
        assert all(str(next(iter(desired.values()))).split(",")[0] in note for note in plan.notes)


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_id_of_a_created_webhook_is_in_the_file_before_the_next_request(tmp_path: Path) -> None:
    """At each request after a create, the file has its ID, mode 0600 and no secret."""
    path, recorded = tmp_path / "plan.json", []

    def look(_: Any) -> None:
        recorded.append((server.created, len(json.loads(path.read_text())["created"])))

    with storing() as (server, client):
        plan = cx.plan(client, creates(3, is_active=False)).save(path)
        server.before = look
        plan.apply()
    assert [] == [pair for pair in recorded if pair[0] != pair[1]]
    assert (0o600, False) == (stat.S_IMODE(path.stat().st_mode), SECRET in path.read_text())
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("broken", ["missing", "of another plan"])
def test_a_plan_whose_file_cannot_record_creates_nothing(tmp_path: Path, broken: str) -> None:
    """What it would create could not be recognised after a crash. The other file is not touched."""
    path = tmp_path / "plan.json"
    with storing() as (server, client):
        plan = cx.plan(client, creates(2)).save(path)
        path.unlink()
        if broken == "of another plan":
            cx.plan(client, creates(1)).save(path)
        before = path.read_bytes() if path.exists() else None
        with pytest.raises(errors.IncompleteError) as caught:
            plan.apply()
        assert ["failed", "not tried"] == [step.outcome for step in caught.value.steps]
        assert ([], before) == (server.names(), path.read_bytes() if path.exists() else None)


def test_a_file_that_breaks_during_apply_stops_the_plan_and_keeps_the_secret(tmp_path: Path) -> None:
    """The step is done; the next is not tried."""
    path = tmp_path / "plan.json"
    with storing() as (server, client):
        plan = cx.plan(client, creates(2)).save(path)
        server.before = lambda received: received.method == "POST" and path.unlink()
        with pytest.raises(errors.IncompleteError) as caught:
            plan.apply()
    assert ["done", "not tried"] == [step.outcome for step in caught.value.steps]
    assert ("recorded" in caught.value.steps[1].detail, {"whk_1"}) == (True, set(plan.secrets()))


def test_two_processes_record_in_one_file(tmp_path: Path) -> None:
    """Neither removes what the other created."""
    path = tmp_path / "plan.json"
    with storing() as (_, client):
        cx.plan(client, creates(2)).save(path)
        first, second = cx.Plan.load(client, path), cx.Plan.load(client, path)
        with contextlib.suppress(errors.IncompleteError):
            first.apply(stopped=iter([False, True]).__next__)
        second.apply()
        assert {"0": "whk_1", "1": "whk_2"} == json.loads(path.read_text())["created"]


def test_what_another_process_recorded_is_not_created_again(tmp_path: Path) -> None:
    """Also if the server stores it under another name, by which it could not be recognised."""
    path = tmp_path / "plan.json"
    with storing() as (server, client):
        server.stored = with_a_shorter_name
        cx.plan(client, creates(2)).save(path)
        first, second = cx.Plan.load(client, path), cx.Plan.load(client, path)
        for plan in (first, second):
            with pytest.raises(errors.IncompleteError):
                plan.apply()
        assert (2, {"whk_1", "whk_2"}, {}) == (len(server.webhooks), set(first.secrets()), second.secrets())


@pytest.mark.parametrize("created", [{"5": "whk_1"}, {"x": "whk_1"}, {"0": 7}, [], None, {"1": "whk_1"}])
def test_a_file_with_invalid_records_is_rejected(tmp_path: Path, created: Any) -> None:
    """The second change is no create."""
    path = tmp_path / "plan.json"
    with storing(item(1)) as (_, client):
        cx.plan(client, rows(DESK, {"id": "whk_old1", "name": "Renamed"})).save(path)
        path.write_text(json.dumps(json.loads(path.read_text()) | {"created": created}))
        with pytest.raises(errors.ConfigurationError):
            cx.Plan.load(client, path)


# --- two at once ------------------------------------------------------------------------------------------------------


def test_threads_that_apply_one_plan_create_each_webhook_once() -> None:
    """All of them are given the result."""
    with storing() as (server, client):
        plan, results, together = cx.plan(client, creates(3)), [], threading.Barrier(8)

        def apply() -> None:
            together.wait(5)
            results.append([step.outcome for step in plan.apply()])

        threads = [threading.Thread(target=apply) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert ["New 0", "New 1", "New 2"] == server.names()
    assert [["done"] * 3, *[["unchanged"] * 3] * 7] == sorted(results)


def test_a_plan_cannot_be_applied_within_its_own_callback() -> None:
    """It would wait for itself."""
    with storing() as (server, client):
        plan = cx.plan(client, creates(2))
        with pytest.raises(errors.ConflictError):
            plan.apply(on_step=lambda _: plan.apply())
        assert (1, ["unchanged", "done"]) == (len(server.names()), [step.outcome for step in plan.apply()])


def test_a_caller_that_waits_can_be_stopped() -> None:
    """While another thread applies the plan."""
    gate = threading.Event()
    with storing() as (server, client):
        plan = cx.plan(client, creates(1))
        server.before = lambda _: gate.wait(10)
        thread = threading.Thread(target=plan.apply)
        thread.start()
        while not server.server.methods[1:]:
            pass
        with pytest.raises(errors.ConflictError):
            plan.apply(stopped=lambda: True)
        gate.set()
        thread.join(10)
    assert ["New 0"] == server.names()


def test_webhooks_that_another_process_created_too_are_reported_by_id() -> None:
    """The plan is not finished until one of each two is deleted."""
    with storing() as (server, client):
        plan = cx.plan(client, creates(2))
        fields = {"name": "New 0", "url": "https://EXAMPLE.com/new/0", "events": ["ticket.created"]}
        server.before = lambda received: received.method == "POST" and not server.created and server.add(**fields)
        with pytest.raises(errors.IncompleteError) as caught:
            plan.apply()
        first, second = caught.value.steps
        assert ("failed", "done", True) == (
            first.outcome,
            second.outcome,
            {"whk_1", "whk_2"} <= set(first.detail.replace(",", " ").replace(".", " ").replace(":", " ").split()),
        )
        assert ("whk_2", {"whk_2", "whk_3"}) == (first.webhook.id, set(plan.secrets()))
        del server.webhooks["whk_1"]
        assert True is plan.apply().finished


def test_the_last_of_eight_processes_never_reports_that_all_is_done() -> None:
    """Eight plan objects for the same table: each webhook beyond the first is reported by at least one of them."""
    with storing() as (server, _):
        clients = [server.client() for _ in range(8)]
        plans_ = [cx.plan(client, creates(1)) for client in clients]
        ready, lock, reported = threading.Barrier(8), threading.Lock(), []
        server.before = lambda received: received.method == "POST" and ready.wait(10)

        def apply(plan: cx.Plan) -> None:
            try:
                plan.apply()
            except errors.IncompleteError as error:
                with lock:
                    reported.extend(step.detail for step in error.steps)

        threads = [threading.Thread(target=apply, args=(plan,)) for plan in plans_]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        for client in clients:
            client.close()
    assert (8, True) == (len(server.names()), len(reported) >= 1)
    assert [] == [webhook_id for webhook_id in server.webhooks if not any(webhook_id in detail for detail in reported)]


def test_the_list_is_read_before_the_first_create_and_after_the_last() -> None:
    """Not for each of them."""
    with storing() as (server, client):
        plan = cx.plan(client, creates(4))
        before = len(server.server.requests)
        plan.apply()
        requests = server.server.requests[before:]
        lists = [
            index
            for index, request in enumerate(requests)
            if request.path.endswith("/webhooks") and request.method == "GET"
        ]
    assert [0, len(requests) - 1] == lists


# --- the rate limit ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "warned"), [("9", True), ("10", False), (None, False)])
def test_a_plan_that_needs_more_requests_than_are_left_says_so_first(left: str | None, warned: bool) -> None:
    """In its text, in its HTML and in a warning. Four creates need ten requests."""
    with storing() as (server, client):
        server.headers = {} if left is None else {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": left}
        plan = cx.plan(client, creates(4))
        assert [warned] * 2 == ["rate limit has 9 left" in text for text in (repr(plan), plan._repr_html_())]
        with pytest.warns(plans.RateLimitWarning, match="9 left") if warned else contextlib.nullcontext():
            plan.apply()


# --- interrupts and secrets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupt_at_any_request_loses_no_step_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, when: str
) -> None:
    """The plan knows every secret that was received. Resumed from the object or the file, it creates nothing twice."""
    send = cx.Client.send
    desired = pd.concat(
        [creates(2), creates(1, name="Quiet", is_active=False), rows({"id": "whk_old1", "name": "Renamed"})]
    )
    for number in itertools.count(1):
        sent = 0

        def interrupted(client: cx.Client, request: Any) -> Any:
            nonlocal sent
            sent += 1
            if sent == number and when == "before":  # noqa: B023 - called within this round
                raise KeyboardInterrupt
            response = send(client, request)
            if sent == number:  # noqa: B023
                raise KeyboardInterrupt
            return response

        with storing(item(1)) as (server, client):
            path = tmp_path / f"{when}{number}.json"
            plan = cx.plan(client, desired).save(path)
            monkeypatch.setattr(cx.Client, "send", interrupted)
            try:
                plan.apply()
            except KeyboardInterrupt:
                pass
            else:
                break
            finally:
                monkeypatch.setattr(cx.Client, "send", send)
            known = set(plan.secrets())
            assert server.created - len(known) <= (when == "after")
            assert known <= {step.webhook.id for step in plan.steps if step.webhook is not None}
            again = cx.Plan.load(client, path) if number % 2 else plan
            assert True is again.apply().finished
            assert ["New 0", "New 1", "Quiet", "Renamed"] == server.names()
            assert known <= {*plan.secrets()}
    assert number > 10


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, errors.ValidationError])
def test_an_error_of_a_callback_loses_nothing(error: Any) -> None:
    """The step was kept before the callback was called."""

    def raising(_: Any) -> None:
        raise error("stop")

    with storing() as (_, client):
        plan = cx.plan(client, creates(2))
        with pytest.raises(error):
            plan.apply(on_step=raising)
        assert (["done"], {"whk_1"}) == ([step.outcome for step in plan.steps], set(plan.secrets()))
        steps = plan.apply()
    assert [f"{SECRET}1", f"{SECRET}2"] == [step.webhook.secret.reveal() for step in steps]


def test_a_result_that_is_not_assigned_is_kept() -> None:
    """The plan has the steps and the secrets, and shows none of them."""
    with storing() as (_, client):
        plan = cx.plan(client, creates(2))
        assert ([], {}) == (list(plan.steps), plan.secrets())
        plan.apply()
        assert True is plan.steps.finished
        assert {"whk_1": cx.Secret(f"{SECRET}1"), "whk_2": cx.Secret(f"{SECRET}2")} == plan.secrets()
        assert SECRET not in f"{plan!r}{plan.steps!r}{plan.secrets()!r}{plan._repr_html_()}{plan.steps.to_frame()}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("s.json", f'{{\n  "whk_1": "{SECRET}1",\n  "whk_2": "{SECRET}2"\n}}\n', id="JSON"),
        pytest.param("s.env", f"CSTAR_SECRET_WHK_1='{SECRET}1'\nCSTAR_SECRET_WHK_2='{SECRET}2'\n", id="dotenv"),
        pytest.param(
            ".env", f"CSTAR_SECRET_WHK_1='{SECRET}1'\nCSTAR_SECRET_WHK_2='{SECRET}2'\n", id="dotenv without a name"
        ),
    ],
)
def test_secrets_are_saved_to_a_new_private_file(tmp_path: Path, name: str, content: str) -> None:
    """A second save to the same path is refused."""
    path = tmp_path / name
    with storing() as (_, client):
        plan = cx.plan(client, creates(2))
        plan.apply()
        plan.save_secrets(path)
        assert (content, 0o600) == (path.read_text(), stat.S_IMODE(path.stat().st_mode))
        with pytest.raises(errors.ConfigurationError, match="exists"):
            plan.save_secrets(path)
    assert content == path.read_text()


@pytest.mark.parametrize("name", ["secrets.txt", "secrets", "env", "missing/s.env", "a\x00.env", f"{'x' * 5_000}.env"])
def test_secrets_are_not_saved_under_an_unsuitable_name(tmp_path: Path, name: str) -> None:
    """The error shows no secret, also in the locals of its frames."""
    with storing() as (_, client):
        plan = cx.plan(client, creates(1))
        plan.apply()
        with pytest.raises(errors.ConfigurationError) as caught:
            plan.save_secrets(str(tmp_path / name))
    assert [] == list(tmp_path.iterdir())
    assert [] == [
        frame.name
        for frame in caught.traceback
        if SECRET in repr(frame.frame.f_locals) and "test_done_once" not in str(frame.path)
    ]


def test_a_plan_without_secrets_saves_no_file(tmp_path: Path) -> None:
    """An empty file could be mistaken for saved secrets."""
    with storing() as (_, client), pytest.raises(errors.ConfigurationError):
        cx.plan(client, creates(1)).save_secrets(tmp_path / "s.env")
    assert [] == list(tmp_path.iterdir())


def test_ids_that_make_the_same_variable_have_a_number(tmp_path: Path) -> None:
    """No secret replaces another when the file is read."""
    secrets_file.write_secrets(tmp_path / ".env", {"whk-1": cx.Secret("one"), "WHK.1": cx.Secret("two words $x")})
    lines = (tmp_path / ".env").read_text().splitlines()
    assert ["CSTAR_SECRET_WHK_1='one'", "CSTAR_SECRET_WHK_1__2='two words $x'"] == lines


@pytest.mark.parametrize("secret", ["never'Shown", "never\\Shown", "never\nShown", "neverShown\x00", "neverShownä"])
def test_a_secret_that_dotenv_cannot_hold_is_saved_as_json_only(tmp_path: Path, secret: str) -> None:
    """Readers of dotenv disagree on escapes. The error does not contain the secret."""
    with pytest.raises(errors.ConfigurationError) as caught:
        secrets_file.write_secrets(tmp_path / ".env", {"whk_1": cx.Secret(secret)})
    assert "never" not in str(caught.value)
    secrets_file.write_secrets(tmp_path / "s.json", {"whk_1": cx.Secret(secret)})
    assert {"whk_1": secret} == json.loads((tmp_path / "s.json").read_text())


def test_many_plans_of_one_server_do_not_share_anything() -> None:
    """Secrets and steps belong to the plan that made them."""
    server = StoringServer()
    with server.server, server.client() as client:
        first, second = cx.plan(client, creates(1)), cx.plan(client, creates(1, name="Other"))
        first.apply()
        assert ({"whk_1"}, {}) == (set(first.secrets()), second.secrets())
