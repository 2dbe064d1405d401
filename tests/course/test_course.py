"""The course: the structure of the lessons, and that each check rejects wrong answers with a hint and accepts the solution."""

import contextlib
import fnmatch
import hmac
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

import cstar_explore as cx
from cstar_explore import events
from cstar_explore.course import NotYet, audit, failures_and_retries, first_webhook, going_live, receive_and_verify
from tests.support.forms import behind
from tests.support.lessons import LESSONS, exercises, read
from tests.support.wrong_answers import WRONG_ANSWERS


@pytest.fixture
def neglected(monkeypatch: pytest.MonkeyPatch) -> Iterator[cx.Sandbox]:
    """A sandbox with three unmaintained teams, and their keys in the environment."""
    with cx.Sandbox(neglected=True) as sandbox:
        for name, key in zip(sandbox.accounts()["key_env"], ("live", "north", "lab"), strict=True):
            monkeypatch.setenv(name, sandbox.keys[key].reveal())
        yield sandbox


each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


@contextmanager
def kernel(notebook: NotebookNode, folder: Path | None = None) -> Iterator[NotebookClient]:
    """A kernel whose lesson writes its files to this folder, or to a temporary one."""
    with TemporaryDirectory() as temporary:
        resources = {"metadata": {"path": str(folder or temporary)}}
        client = NotebookClient(notebook, timeout=60, allow_errors=True, resources=resources)
        with client.setup_kernel():
            yield client


def run_cell(client: NotebookClient, cell: NotebookNode, source: str | None = None) -> tuple[str, str]:
    """Runs a cell, or other code in its place. Returns the name of the error, or "", and the text of the outputs."""
    copy = new_code_cell(cell["source"] if source is None else source)
    client.nb.cells.append(copy)
    client.execute_cell(copy, len(client.nb.cells) - 1)
    error = next((output["ename"] for output in copy["outputs"] if output["output_type"] == "error"), "")
    return error, stored(copy)


def stored(cell: NotebookNode) -> str:
    """The text of a cell's outputs, without line breaks, ports and the IDs of requests."""
    texts = [
        output.get("text") or output.get("data", {}).get("text/plain") or "\n".join(output.get("traceback", ()))
        for output in cell["outputs"]
    ]
    return re.sub(r"127\.0\.0\.1:\d+|\breq_\w+", "VARIES", " ".join(" ".join(texts).split())).replace(
        "127.0.0.1:PORT", "VARIES"
    )


def each_output(notebook: NotebookNode) -> list[str]:
    """The HTML that the cells of a notebook display."""
    return [
        output["data"]["text/html"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "text/html" in output.get("data", {})
    ]


@each_lesson
def test_checks_reject_the_blank_and_a_wrong_answer_and_accept_the_solution(lesson: Path, tmp_path: Path) -> None:
    """All in one kernel, as a learner does it: earlier tries do not affect the solution.

    The lesson on audits writes its report beside the notebook, links and shows it. Git ignores the folder.
    """
    notebook = read(lesson)
    tasks = {exercise.name: exercise for exercise in exercises(notebook)}
    checks = {exercise.check["id"] for exercise in tasks.values()}
    with kernel(notebook, tmp_path) as client:
        cells = [cell for cell in notebook.cells if cell["cell_type"] == "code"]
        for cell in cells:
            cell["outputs"] = []
        for cell in [cell for cell in cells if cell["id"] not in checks]:
            error, output = run_cell(client, cell)
            assert "" == error, (cell["id"], output)
            if cell["id"] in tasks:
                task = tasks[cell["id"]]
                wrong_answer, message = WRONG_ANSWERS[lesson.stem, task.name]
                blank = run_cell(client, task.check)
                assert "Traceback" not in blank[1]
                assert "" == run_cell(client, cell, wrong_answer)[0]
                wrong = run_cell(client, task.check)
                assert "" == run_cell(client, cell, task.solution)[0]
                correct = run_cell(client, task.check)
                assert ("NotYet", "NotYet", "") == (blank[0], wrong[0], correct[0]), (blank, wrong, correct)
                assert blank[1].startswith("Not yet. ")
                assert message in wrong[1]
                assert correct[1].startswith("Correct. ")
    if lesson == LESSONS[3]:
        assert_links_and_shows_its_report(client.nb, tmp_path)


def assert_links_and_shows_its_report(notebook: NotebookNode, folder: Path) -> None:
    [html] = [html for html in each_output(notebook) if "<iframe" in html]
    [link, frame] = re.findall(r'(?:href|src)="([^"]+)"', html)

    assert link == frame
    assert "Credentials in the URL" in (folder / link).read_text(encoding="utf-8")
    ignored = (LESSONS[0].parents[1] / ".gitignore").read_text(encoding="utf-8").split()
    assert any(fnmatch.fnmatch(f"{folder.joinpath(link).parent.name}/", pattern) for pattern in ignored)


@each_lesson
def test_lesson_has_goals_predictions_and_exercises(lesson: Path) -> None:
    """What the learner can do afterwards, predictions with folded answers, and two or three exercises with solutions."""
    cells = read(lesson).cells
    prose = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]

    assert prose[0].startswith(f"# Lesson {int(lesson.stem[:2])}: ")
    assert "After this lesson you can" in prose[0]
    assert sum("**Predict" in text for text in prose) >= 2
    assert len(exercises(read(lesson))) in (2, 3)
    for position, cell in enumerate(cells):
        if "**Predict" in cell["source"] and position:  # the first cell explains how to predict
            assert cells[position + 1]["cell_type"] == "code", "the prediction is about its output"
            text = next(one for one in prose[prose.index(cell["source"]) + 1 :] if not one.startswith("**"))
            assert text.startswith("<details>\n<summary>Answer</summary>\n\n"), cell["source"]


@each_lesson
def test_outside_pages_are_numbered_sources_at_the_end(lesson: Path) -> None:
    """At most eight links, and each source is referred to by its number."""
    prose = "\n".join(cell["source"] for cell in read(lesson).cells if cell["cell_type"] == "markdown")
    text, _, sources = prose.partition("\n## Sources\n")
    numbers = re.findall(r"^(\d)\. ", sources, re.MULTILINE)
    cited = {number for group in re.findall(r"\[(\d(?:, \d)*)\]", text) for number in group.split(", ")}

    assert "](http" not in text
    assert sources.count("](http") <= 8
    assert sorted(cited) == numbers == [str(number + 1) for number in range(len(numbers))]


@each_lesson
def test_stored_lesson_is_unsolved(lesson: Path) -> None:
    """No exercise is filled in, and a failing check does not stop Run All."""
    for exercise in exercises(read(lesson)):
        assert ([], []) == (exercise.fill_in["outputs"], exercise.check["outputs"])
        assert exercise.solution != exercise.fill_in["source"]
        assert ["raises-exception"] == exercise.check["metadata"]["tags"]


CLICKS = {"form": "form.button", "edit": "edit.button", "fire": "fire.button", "delete": "delete.confirm"}


def test_pressing_each_button_first_changes_no_output_of_the_first_lesson() -> None:
    """The cell after a form returns what the click did, and sends nothing: there are as many webhooks as without it."""
    cells = [cell for cell in read(LESSONS[0]).cells if cell["cell_type"] == "code"]
    pressed = []
    with kernel(read(LESSONS[0])) as client:
        for cell in cells[: next(place for place, cell in enumerate(cells) if cell["id"] == "exercise-1")]:
            error, output = run_cell(client, cell)
            assert ("", stored(cell)) == (error, output), cell["id"]
            form = cell["source"].split("\n")[-1]
            if form in CLICKS:
                pressed.append(form)
                assert "" == run_cell(client, cell, f"{CLICKS[form]}.click()\nawait {form}._submission")[0]

    assert list(CLICKS) == pressed


def test_last_lesson_sends_only_get_with_a_live_key(sandbox: cx.Sandbox) -> None:
    """Run All with GO_LIVE = True and a live key in the environment reads, and changes nothing."""
    notebook = read(LESSONS[-1])
    cells = [cell for cell in notebook.cells if cell["cell_type"] == "code"]
    with behind(sandbox, key="live") as (server, _), kernel(notebook) as client:
        environment = {"CSTAR_KEY": sandbox.keys["live"].reveal(), "CSTAR_BASE_URL": server.url}
        run_cell(client, cells[0], f"import os; os.environ.update({environment!r})")
        outputs = {}
        for cell in cells:
            if not cell["id"].startswith(("exercise", "check")):
                error, output = run_cell(client, cell, cell["source"].replace("GO_LIVE = False", "GO_LIVE = True"))
                assert "" == error, output
                outputs[cell["source"]] = output

    assert any("permissions" in output for source, output in outputs.items() if "os.environ if GO_LIVE" in source)
    assert {"GET"} == set(server.methods)
    assert len(server.methods) >= 5


# --- each check by itself ---------------------------------------------------------------------------------------------


def rejection(check: Callable[..., str], *args: Any) -> str:
    """The message with which a check rejects an answer."""
    with pytest.raises(NotYet) as raised:
        check(*args)
    assert f"Not yet. {raised.value}" == " ".join(raised.value._render_traceback_())
    return str(raised.value)


FINANCE = {
    "name": "Finance",
    "url": "https://finance.example.com/cstar",
    "events": ["ticket.closed", "survey.submitted"],
}


@pytest.mark.parametrize(
    ("created", "message"),
    [
        ([FINANCE | {"name": "finance"}], "No webhook is named exactly 'Finance'."),
        ([FINANCE, FINANCE], "2 webhooks are named 'Finance', and each would receive its own deliveries."),
        (
            [FINANCE | {"url": "https://finance.example.org/cstar"}],
            "It delivers to https://finance.example.org/cstar instead of",
        ),
        ([FINANCE | {"events": ["ticket.closed"]}], "It is not subscribed to survey.submitted."),
        (
            [FINANCE | {"events": ["ticket.*", "survey.submitted"]}],
            "It is also subscribed to ticket.assigned, ticket.created",
        ),
    ],
)
def test_finance_reports_a_wrong_name_number_url_or_subscription(
    client: cx.Client, created: list[dict[str, Any]], message: str
) -> None:
    for webhook in created:
        client.webhooks.create(**webhook)

    assert rejection(first_webhook.finance, client).startswith(message)


def test_finance_reports_a_paused_webhook(client: cx.Client) -> None:
    client.webhooks.update(client.webhooks.create(**FINANCE).id, is_active=False)

    assert "It is paused and receives nothing." in rejection(first_webhook.finance, client)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("ticket.updated", "as a list or as one column"),
        (["ticket.updatd"], "Not an event type: ticket.updatd."),
        ([], "has no receiver either; add it."),
        (
            [name for name in events.NAMES if not name.startswith(("ticket", "customer.", "article", "boss"))],
            "it is paused",
        ),
    ],
)
def test_events_without_receiver_reports_one_wrong_event_and_why(client: cx.Client, answer: Any, message: str) -> None:
    assert message in rejection(first_webhook.events_without_receiver, answer, client)


def test_events_without_receiver_asks_for_one_column_of_a_frame(client: cx.Client) -> None:
    coverage = client.webhooks.list().coverage()

    assert "one column of a frame" in rejection(first_webhook.events_without_receiver, coverage, client)


def test_slack_reports_an_additional_event_type(client: cx.Client) -> None:
    client.webhooks.update(client.webhooks.list()[0].id, events=["ticket.*"])

    assert "It is also subscribed to ticket.assigned" in rejection(first_webhook.slack, client)


def test_slack_reports_a_paused_webhook_and_another_url(client: cx.Client) -> None:
    """The events are right, but something else was changed."""
    slack = client.webhooks.list()[0]
    client.webhooks.update(slack.id, events=[*slack.events, "ticket.message_added"], is_active=False)
    assert "It is paused" in rejection(first_webhook.slack, client)
    client.webhooks.update(slack.id, is_active=True, url="https://elsewhere.example.com/")
    assert "It delivers to https://elsewhere.example.com/ instead of" in rejection(first_webhook.slack, client)


def digest(key: str, message: bytes) -> str:
    return hmac.new(key.encode(), message, "sha256").hexdigest()


def parts(header: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in header.split(","))


def correct(body: bytes, header: str, secret: str, now: int) -> bool:
    given = parts(header)
    return digest(secret, given["t"].encode() + b"." + body) == given["v1"] and abs(now - int(given["t"])) <= 300


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (..., "Pass a function to the check, not `...`"),
        (lambda *_: None, "Return True or False"),
        (lambda *_: False, "v1 is the HMAC-SHA256 in lower-case hex digits"),
        (lambda *_: True, "It accepts a changed body"),
        (lambda body, header, *_: header["t"], "raised TypeError for a genuine delivery"),
        (
            lambda b, h, s, n: digest(s, parts(h)["t"].encode() + b) == parts(h)["v1"],
            "The dot between t and the body is missing",
        ),
        (
            lambda b, h, s, n: digest(s[6:], parts(h)["t"].encode() + b"." + b) == parts(h)["v1"],
            "whsec_, which is part of the key",
        ),
        (
            lambda b, h, s, n: digest(s, f"t={parts(h)['t']}.".encode() + b) == parts(h)["v1"],
            "Sign only the number",
        ),
        (
            lambda b, h, s, n: "café".encode() in b and correct(b, f"t={n},v1={digest(s, f'{n}.'.encode() + b)}", s, n),
            "signed with another secret",
        ),
        (lambda b, h, s, n: digest(s, parts(h)["t"].encode() + b"." + b).startswith(parts(h)["v1"]), "of ten digits"),
        (lambda b, h, s, n: correct(b, h, s, int(parts(h)["t"])), "from an hour ago"),
        (lambda b, h, s, n: correct(b, h, s, max(n, int(parts(h)["t"]))), "from an hour ahead"),
        (
            lambda b, h, s, n: correct(b, h, s, n) and abs(n - int(parts(h)["t"])) < 60,
            "It rejects a delivery that is 300 s old",
        ),
    ],
)
def test_is_genuine_names_the_mistake(function: Any, message: str) -> None:
    """It tries deliveries that only a function with this mistake accepts or rejects."""
    assert message in rejection(receive_and_verify.is_genuine, function)


def test_is_genuine_accepts_another_implementation() -> None:
    """How the function is written does not matter: one that calls `cx.verify` passes."""

    def function(body: bytes, header: str, secret: str, now: int) -> bool:
        try:
            cx.verify(body, header, secret, now=now)
        except cx.errors.SignatureError:
            return False
        return True

    assert receive_and_verify.is_genuine(function).startswith("Correct. ")


def test_is_genuine_detects_a_body_that_is_parsed_and_serialized_again() -> None:
    """Its JSON is spaced as no library does by default, so serializing it again changes the bytes."""

    def function(body: bytes, header: str, secret: str, now: int) -> bool:
        return correct(json.dumps(json.loads(body), separators=(",", ":")).encode(), header, secret, now)

    assert "You parse the JSON and serialize it again" in rejection(receive_and_verify.is_genuine, function)


async def is_genuine_async(*_: Any) -> bool:
    return True


def raises_without_message(*_: Any) -> None:
    raise AssertionError


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (is_genuine_async, "`is_genuine_async` is async"),
        (raises_without_message, "raised AssertionError for a genuine delivery: no message."),
    ],
)
def test_is_genuine_reports_async_functions_and_empty_errors(function: Any, message: str) -> None:
    assert message in rejection(receive_and_verify.is_genuine, function)


SAMPLE = events.sample("ticket.created", title="Fire!")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (SAMPLE, "Pass both values"),
        ((..., ...), "`body` or `header` is still `...`"),
        ((SAMPLE.decode(), ""), "`body` must be bytes"),
        ((SAMPLE, b""), "`header` must be the string that cx.sign returns"),
        ((events.sample("ticket.created"), ""), "No title in the body is 'Fire!'"),
        ((b'{"title":"Fire!"}', cx.sign(b'{"title":"Fire!"}', "whsec_false")), "it is not a ticket.created event"),
        ((SAMPLE, cx.sign(SAMPLE, "whsec_other")), "It does not verify. No known corruption explains it"),
        ((SAMPLE, cx.sign(SAMPLE, "whsec_false", 1_765_377_000)), "s old; 300 s are allowed"),
    ],
)
def test_signed_reports_why_a_receiver_would_refuse_the_delivery(answer: Any, message: str) -> None:
    """With the evidence and remedy from `explain`."""
    assert message in rejection(receive_and_verify.signed, answer, "whsec_false")


def test_proxied_reports_unknown_ids_and_deliveries_with_another_cause(sandbox: cx.Sandbox, client: cx.Client) -> None:
    with sandbox.listener() as listener:
        webhook = client.webhooks.create(name="Listener", url=listener.url, events=["ticket.created"])
        listener.trust(webhook.secret)
        sandbox.faults.stale()
        client.webhooks.trigger_test("ticket.created")

        assert "`proxied_id` must be one of 1, not `7`" in rejection(receive_and_verify.proxied, 7, listener)
        assert "it is only too old" in rejection(receive_and_verify.proxied, 1, listener)


@pytest.mark.parametrize(
    ("handle", "message"),
    [
        (lambda event, seen, mail: None, "no mail was sent"),
        (lambda event, seen, mail: mail(event["id"]), "mail must be called once with the ticket's title"),
        (lambda event, seen, mail: mail(event["data"]["ticket"]["title"]), "arrived again and was mailed again"),
        (lambda event, seen, mail: event["ticket"], "raised KeyError for a new event"),
    ],
)
def test_idempotent_reports_missing_wrong_and_repeated_mails(handle: Any, message: str) -> None:
    assert message in rejection(failures_and_retries.idempotent, handle)


def once_for(key: Callable[[Any], str], *, swallow: bool = False) -> Callable[..., None]:
    """A handler that recognizes repeats by a key, and swallows exceptions or lets them through."""

    def handle(event: Any, seen: set[str], mail: Callable[[str], None]) -> None:
        if key(event) not in seen:
            with contextlib.suppress(*[ConnectionError] * swallow):
                mail(event["data"]["ticket"]["title"])
            seen.add(key(event))

    return handle


def test_idempotent_detects_the_wrong_key_and_swallowed_exceptions() -> None:
    """Two mistakes that a single delivery does not show."""
    assert "only event['id'] identifies a repeat" in rejection(
        failures_and_retries.idempotent, once_for(lambda event: event["data"]["ticket"]["id"])
    )
    assert "let the exception through" in rejection(
        failures_and_retries.idempotent, once_for(lambda event: event["id"], swallow=True)
    )


def test_idempotent_stops_a_handler_that_retries_forever() -> None:
    """The check does not hang, and explains why not to wait."""

    def handle(event: Any, seen: set[str], mail: Callable[[str], None]) -> None:
        while event["id"] not in seen:
            with contextlib.suppress(ConnectionError):
                mail(event["data"]["ticket"]["title"])
                seen.add(event["id"])

    assert "tried 100 times in one delivery" in rejection(failures_and_retries.idempotent, handle)


def test_idempotent_uses_new_events_each_time_it_runs() -> None:
    """A handler that stores the IDs itself passes a second time."""
    handled: set[str] = set()

    def handle(event: Any, _: set[str], mail: Callable[[str], None]) -> None:
        if event["id"] not in handled:
            mail(event["data"]["ticket"]["title"])
            handled.add(event["id"])

    assert failures_and_retries.idempotent(handle) == failures_and_retries.idempotent(handle)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [("6", "a whole number"), (8, "no attempt 8"), (7, "Attempt 7 is not made: attempt 6, 07:12:30 after")],
)
def test_successful_attempt_reports_when_the_attempt_is_made(attempt: Any, message: str) -> None:
    """A later attempt than the first successful one is wrong, too."""
    assert message in rejection(failures_and_retries.successful_attempt, attempt)


@pytest.mark.parametrize("answer", ["row", "number", "ids"])
def test_lost_accepts_a_row_a_number_or_ids(sandbox: cx.Sandbox, client: cx.Client, answer: str) -> None:
    with sandbox.listener() as listener:
        listener.answer.status = 503
        client.webhooks.create(name="Down", url=listener.url, events=["ticket.created"])
        client.webhooks.trigger_test("ticket.created")
        outage = listener.to_frame()
        lost = {"row": outage.iloc[0], "number": [np.int64(1)], "ids": outage["id"]}[answer]

        assert failures_and_retries.lost(lost, outage, listener).startswith("Correct. ")
        assert "request IDs" in rejection(failures_and_retries.lost, outage["event_id"], outage, listener)


def test_lost_accepts_what_the_listener_lost_during_the_outage(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Without `since`, it also has an event from before the outage."""
    with sandbox.listener() as listener:
        listener.answer.status = 503
        client.webhooks.create(name="Down", url=listener.url, events=["ticket.created"])
        for _ in range(2):
            client.webhooks.trigger_test("ticket.created")
            sandbox.clock.advance(hours=32)
        outage = listener.to_frame().tail(7)

        assert "from before the outage" in rejection(failures_and_retries.lost, listener.lost(), outage, listener)
        during = listener.lost(since=outage["received_at"].min())
        assert failures_and_retries.lost(during, outage, listener).startswith("Correct. ")


EXCEPTION = "[[ignore]]\nrule = 'tunnel_host'\nhost = 'webhook.site'\n"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["tunnel_host"], "must be a string"),
        (EXCEPTION, "These settings are invalid."),
        ("", "is still reported"),
        (f"{EXCEPTION}reason = 'So.'", "The exception never expires."),
        (f"{EXCEPTION}reason = 'So.'\nuntil = 2025-06-30", "is still reported"),
        (f"{EXCEPTION}reason = 'So.'\nuntil = 2025-12-31", "From 2025-12-31 on"),
        (
            f"[thresholds]\nsecret_days = 9000\n{EXCEPTION}reason = 'So.'\nuntil = 2026-01-01",
            "change other findings, too",
        ),
    ],
)
def test_ignored_reports_why_the_settings_are_wrong(neglected: cx.Sandbox, settings: Any, message: str) -> None:
    """Invalid, without effect, unlimited, expired or too broad."""
    assert message in rejection(audit.ignored, settings, cx.Accounts(neglected.accounts()))


def test_merged_reports_what_is_wrong_with_the_plan(neglected: cx.Sandbox) -> None:
    """It changes too much, too little or the wrong webhook."""
    with neglected.client("lab") as client:
        kept, deleted, other = client.webhooks.list()[:3]
        both = [*kept.events, *deleted.events]
        cases = [
            ([{"id": "whk_gone", "delete": True}], "cx.plan does not accept `desired`."),
            ([{"id": other.id, "name": "New"}], "It also changes 'Prices'."),
            ([{"id": deleted.id, "delete": True}], "'Playground' does not change"),
            (
                [{"id": kept.id, "events": ["ticket.*", "survey.submitted"]}],
                "A wildcard matches every event of a resource.",
            ),
            ([{"id": kept.id, "events": both, "url": "https://x.example.com"}], "The url of 'Playground' would change"),
            ([{"id": kept.id, "delete": True}], "It deletes 'Playground', which must stay."),
            ([{"id": kept.id, "events": [*both, "article.created"]}], "also be subscribed to article.created"),
            ([{"id": kept.id, "events": both}], "'Playground 2' stays"),
            (
                [{"id": kept.id, "events": both}, {"id": deleted.id, "is_active": False}],
                "changed instead of deleted",
            ),
        ]
        for rows, message in cases:
            assert message in rejection(audit.merged, pd.DataFrame(rows), client)


def test_moved_reports_what_changed_in_the_named_webhook(neglected: cx.Sandbox) -> None:
    """Before `colleague` runs, it reports that nothing has changed."""
    accounts = cx.Accounts(neglected.accounts())
    before = cx.audit(accounts)

    assert "Nothing has changed since" in rejection(audit.moved, "Desk", before, accounts)
    with neglected.client("north") as client:
        audit.colleague(client)
    assert "The webhooks that changed are Billing, Desk, Escalations" in rejection(audit.moved, "CRM", before, accounts)
    assert "The events of 'Escalations' changed" in rejection(audit.moved, "Escalations", before, accounts)


def rotate_by(*steps: str) -> Callable[..., None]:
    """A rotation with these steps in this order."""

    def rotate(client: Any, webhook_id: str, trust: Callable[[Any], None]) -> None:
        old, new = client.webhooks.get(webhook_id), None
        for step in steps:
            if step == "create":
                new = client.webhooks.create(name=old.name, url=old.url, events=old.events)
            elif step == "create less":
                new = client.webhooks.create(name=old.name, url=old.url, events=old.events[:1])
            elif step == "delete":
                client.webhooks.delete(old.id)
            elif step == "trust":
                trust(new.secret)
            elif step == "trust text":
                trust(new.secret.reveal())

    return rotate


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "There is no new webhook"),
        (["create", "create", "trust", "delete"], "There are 2 new webhooks"),
        (["create less", "trust", "delete"], "The new webhook subscribes to ticket.created, the old one to"),
        (["create", "delete", "trust"], "right after your delete was refused"),
        (["create"], "The receiver does not have the new secret"),
        (["create", "trust"], "The old webhook still exists"),
        (["create", "trust text"], "trust takes a Secret, not its text"),
        (["trust"], "raised AttributeError during the rotation"),
    ],
)
def test_rotation_reports_the_step_that_failed(steps: list[str], message: str) -> None:
    """Every event during the rotation must be accepted, and the old webhook must be gone."""
    text = rejection(going_live.rotation, rotate_by(*steps))

    assert message in text
    assert "whsec_SANDBOX" not in text


def test_rotation_reports_other_webhooks_that_were_deleted() -> None:
    """Only the webhook with the given ID may be deleted."""

    def rotate(client: Any, webhook_id: str, trust: Callable[[Any], None]) -> None:
        old = client.webhooks.get(webhook_id)
        new = client.webhooks.create(name=old.name, url=old.url, events=old.events)
        trust(new.secret)
        for webhook in client.webhooks.list():
            if webhook.id != new.id:
                client.webhooks.delete(webhook.id)

    assert "Other webhooks were deleted" in rejection(going_live.rotation, rotate)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ("CSTAR_KEY", "`fixed` must be a dict, not str"),
        ({"CSTAR_BASE_URL": "http://127.0.0.1:9"}, "CSTAR_KEY is missing"),
    ],
)
def test_fixed_validates_the_environment_before_running_doctor(environment: Any, message: str) -> None:
    assert message in rejection(going_live.fixed, environment)


def test_fixed_rejects_the_key_of_another_team(sandbox: cx.Sandbox) -> None:
    """Doctor reports no failure, but it is the wrong team."""
    environment = {"CSTAR_KEY": sandbox.keys["other_team"].reveal(), "CSTAR_BASE_URL": sandbox.base_url}

    assert "It now connects to another team." in rejection(going_live.fixed, environment)


def test_fixed_never_contacts_cstar(sandbox: cx.Sandbox) -> None:
    """Without a base URL, doctor would send the request to cStar itself."""
    assert "Keep CSTAR_BASE_URL" in rejection(going_live.fixed, {"CSTAR_KEY": sandbox.keys["live"].reveal()})


ODD = [None, 5, 1.5, "text", b"bytes", [], [None], [[1]], {}, {"CSTAR_KEY": 1}, (1, 2), object(), print, pd.DataFrame()]


@pytest.mark.parametrize("answer", ODD, ids=lambda answer: type(answer).__name__)
def test_checks_reject_answers_of_unexpected_types(neglected: cx.Sandbox, answer: Any) -> None:
    """Whatever a learner puts into a cell, the check rejects it with a message and does not fail itself."""
    accounts = cx.Accounts(neglected.accounts())
    with neglected.client("north") as north, neglected.client() as client, neglected.listener() as listener:
        before = cx.audit(accounts)
        audit.colleague(north)
        for check, *args in (
            (first_webhook.events_without_receiver, answer, client),
            (receive_and_verify.is_genuine, answer),
            (receive_and_verify.proxied, answer, listener),
            (receive_and_verify.signed, answer, "whsec_false"),
            (failures_and_retries.idempotent, answer),
            (failures_and_retries.successful_attempt, answer),
            (failures_and_retries.lost, answer, listener.to_frame(), listener),
            (audit.ignored, answer, accounts),
            (audit.merged, answer, client),
            (audit.moved, answer, before, accounts),
            (going_live.rotation, answer),
            (going_live.fixed, answer),
        ):
            assert len(rejection(check, *args)) > 20


def test_check_refuses_to_run_without_asserts() -> None:
    """With python -O, every answer would be correct."""
    code = "from cstar_explore.course import receive_and_verify as check; check.is_genuine(None)"
    done = subprocess.run([sys.executable, "-O", "-c", code], check=False, capture_output=True, text=True)

    assert "Start Python without -O." in done.stderr
