"""The course: its shape, and that each check refuses what is wrong in words that help, and takes the solution."""

import contextlib
import hmac
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
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
from tests.support.wrong_answers import WRONG


@pytest.fixture
def neglected(monkeypatch: pytest.MonkeyPatch) -> Iterator[cx.Sandbox]:
    """Three teams that nobody has looked after, with their keys in the environment."""
    with cx.Sandbox(neglected=True) as sandbox:
        for name, key in zip(sandbox.accounts()["key_env"], ("live", "north", "lab"), strict=True):
            monkeypatch.setenv(name, sandbox.keys[key].reveal())
        yield sandbox


of_each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


@contextmanager
def kernel(notebook: NotebookNode) -> Iterator[NotebookClient]:
    client = NotebookClient(
        notebook, timeout=60, allow_errors=True, resources={"metadata": {"path": str(LESSONS[0].parent)}}
    )
    with client.setup_kernel():
        yield client


def ran(client: NotebookClient, cell: NotebookNode, source: str | None = None) -> tuple[str, str]:
    """Runs a cell, or another source in its place: the name of the error if there was one, and all that was said."""
    twin = new_code_cell(cell["source"] if source is None else source)
    client.nb.cells.append(twin)
    client.execute_cell(twin, len(client.nb.cells) - 1)
    said = [
        output.get("text") or output.get("data", {}).get("text/plain") or "\n".join(output.get("traceback", ()))
        for output in twin["outputs"]
    ]
    error = next((output["ename"] for output in twin["outputs"] if output["output_type"] == "error"), "")
    return error, " ".join(" ".join(said).split())


@of_each_lesson
def test_each_check_refuses_the_blank_and_a_typical_mistake_and_takes_the_solution(lesson: Path) -> None:
    """In one kernel, as a learner does it: what was tried before is not in the solution's way."""
    notebook = read(lesson)
    tasks = {exercise.name: exercise for exercise in exercises(notebook)}
    checks = {exercise.check["id"] for exercise in tasks.values()}
    with kernel(notebook) as client:
        for cell in [cell for cell in notebook.cells if cell["cell_type"] == "code" and cell["id"] not in checks]:
            error, said = ran(client, cell)
            assert "" == error, (cell["id"], said)
            if cell["id"] in tasks:
                task = tasks[cell["id"]]
                wrong, words = WRONG[lesson.stem, task.name]
                blank = ran(client, task.check)
                assert ("", "") == (ran(client, cell, wrong)[0], blank[1].count("Traceback") * "a traceback")
                mistaken = ran(client, task.check)
                assert "" == ran(client, cell, task.solution)[0]
                right = ran(client, task.check)
                assert ("NotYet", "NotYet", "") == (blank[0], mistaken[0], right[0]), (blank, mistaken, right)
                assert blank[1].startswith("Not yet. ")
                assert words in mistaken[1]
                assert right[1].startswith("Right. ")


@of_each_lesson
def test_a_lesson_has_the_shape_of_a_lesson(lesson: Path) -> None:
    """What one will be able to do, predictions before results, two or three exercises with their solutions folded away."""
    cells = read(lesson).cells
    prose = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]

    assert prose[0].startswith(f"# Lesson {int(lesson.stem[:2])}: ")
    assert "After this lesson you can" in prose[0]
    assert sum("**Predict" in text for text in prose) >= 2
    assert len(exercises(read(lesson))) in (2, 3)
    for before, after in itertools.pairwise(cells):
        assert "**Predict:**" not in before["source"] or after["cell_type"] == "code"


@of_each_lesson
def test_the_saved_lesson_is_unsolved(lesson: Path) -> None:
    """Nobody's solution stands in it, and a check that refuses does not keep the next cells from running."""
    for exercise in exercises(read(lesson)):
        assert ([], []) == (exercise.fill_in["outputs"], exercise.check["outputs"])
        assert exercise.solution != exercise.fill_in["source"]
        assert ["raises-exception"] == exercise.check["metadata"]["tags"]


def test_going_live_with_a_live_key_sends_nothing_but_get(sandbox: cx.Sandbox) -> None:
    """Run All with GO_LIVE = True and a live key in the environment: it looks, and changes nothing."""
    notebook = read(LESSONS[-1])
    lesson = [cell for cell in notebook.cells if cell["cell_type"] == "code"]
    with behind(sandbox, key="live") as (cstar, _), kernel(notebook) as client:
        environment = {"CSTAR_KEY": sandbox.keys["live"].reveal(), "CSTAR_BASE_URL": cstar.url}
        ran(client, lesson[0], f"import os; os.environ.update({environment!r})")
        for cell in lesson:
            if not cell["id"].startswith(("exercise", "check")):
                error, said = ran(client, cell, cell["source"].replace("GO_LIVE = False", "GO_LIVE = True"))
                assert "" == error, said

    assert "permitted" in said, "the checklist comes last"
    assert {"GET"} == set(cstar.methods)
    assert len(cstar.methods) >= 5


# --- each check, by itself --------------------------------------------------------------------------------------------


def refused(check: Callable[..., str], *given: Any) -> str:
    """What a check says of an answer that it does not take."""
    with pytest.raises(NotYet) as said:
        check(*given)
    assert f"Not yet. {said.value}" == " ".join(said.value._render_traceback_())
    return str(said.value)


FINANCE = {
    "name": "Finance",
    "url": "https://finance.example.com/cstar",
    "events": ["ticket.closed", "survey.submitted"],
}


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ([FINANCE | {"name": "finance"}], "No webhook is named 'Finance', letter for letter."),
        ([FINANCE, FINANCE], "2 webhooks are named 'Finance', and each would be sent its own deliveries."),
        (
            [FINANCE | {"url": "https://finance.example.org/cstar"}],
            "It delivers to https://finance.example.org/cstar, not to",
        ),
        ([FINANCE | {"events": ["ticket.closed"]}], "It is not told of survey.submitted."),
        (
            [FINANCE | {"events": ["ticket.*", "survey.submitted"]}],
            "It is also told of ticket.assigned, ticket.created",
        ),
    ],
)
def test_finance_says_what_is_wrong_with_the_webhook(client: cx.Client, made: list[dict[str, Any]], words: str) -> None:
    """Its name, its number, its address and its events, and how to change them."""
    for webhook in made:
        client.webhooks.create(**webhook)

    assert refused(first_webhook.finance, client).startswith(words)


def test_finance_says_that_it_is_paused(client: cx.Client) -> None:
    """All is right, and nothing is received."""
    client.webhooks.update(client.webhooks.create(**FINANCE).id, is_active=False)

    assert "It is paused, and receives nothing." in refused(first_webhook.finance, client)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("ticket.updated", "as a list or as one column"),
        (["ticket.updatd"], "ticket.updatd is no event type"),
        ([], "reaches nobody either, and is missing"),
        (
            [name for name in events.NAMES if not name.startswith(("ticket", "customer.", "article", "boss"))],
            "is paused",
        ),
    ],
)
def test_unheard_says_which_event_is_wrong_and_why(client: cx.Client, answer: Any, words: str) -> None:
    """One event at a time, with the webhook that is to blame."""
    assert words in refused(first_webhook.unheard, answer, client)


def test_unheard_says_that_a_whole_frame_is_too_much(client: cx.Client) -> None:
    """One column of it is meant."""
    assert "one column of a frame" in refused(first_webhook.unheard, client.webhooks.list().coverage(), client)


def test_slack_says_what_was_added_too_much(client: cx.Client) -> None:
    """More than was asked for is not right either."""
    client.webhooks.update(client.webhooks.list()[0].id, events=["ticket.*"])

    assert "is now also told of ticket.assigned" in refused(first_webhook.slack, client)


def digest(key: str, message: bytes) -> str:
    return hmac.new(key.encode(), message, "sha256").hexdigest()


def parts(header: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in header.split(","))


def rightly(body: bytes, header: str, secret: str, now: int) -> bool:
    given = parts(header)
    return digest(secret, given["t"].encode() + b"." + body) == given["v1"] and abs(now - int(given["t"])) <= 300


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (..., "and not a function"),
        (lambda *_: None, "return True or False"),
        (lambda *_: False, "v1 is the HMAC-SHA256 in lower-case hex digits"),
        (lambda *_: True, "It takes a body that was changed"),
        (lambda body, header, *_: header["t"], "raised TypeError for a genuine delivery"),
        (
            lambda b, h, s, n: digest(s, parts(h)["t"].encode() + b) == parts(h)["v1"],
            "There is no dot between t and the body",
        ),
        (
            lambda b, h, s, n: digest(s[6:], parts(h)["t"].encode() + b"." + b) == parts(h)["v1"],
            "whsec_, which belongs to",
        ),
        (
            lambda b, h, s, n: digest(s, f"t={parts(h)['t']}.".encode() + b) == parts(h)["v1"],
            "the number that is signed",
        ),
        (
            lambda b, h, s, n: "café".encode() in b and rightly(b, f"t={n},v1={digest(s, f'{n}.'.encode() + b)}", s, n),
            "another secret",
        ),
        (lambda b, h, s, n: digest(s, parts(h)["t"].encode() + b"." + b).startswith(parts(h)["v1"]), "of ten digits"),
        (lambda b, h, s, n: rightly(b, h, s, int(parts(h)["t"])), "from an hour ago"),
        (lambda b, h, s, n: rightly(b, h, s, max(n, int(parts(h)["t"]))), "from an hour ahead"),
        (lambda b, h, s, n: rightly(b, h, s, n) and abs(n - int(parts(h)["t"])) < 60, "It refuses a delivery of 300 s"),
    ],
)
def test_genuine_names_the_mistake(theirs: Any, words: str) -> None:
    """By sending what only a function with that mistake would take, or refuse."""
    assert words in refused(receive_and_verify.genuine, theirs)


def test_genuine_takes_a_verifier_of_somebody_elses() -> None:
    """The check is not about how it is written: `cx.verify` passes it."""

    def theirs(body: bytes, header: str, secret: str, now: int) -> bool:
        try:
            cx.verify(body, header, secret, now=now)
        except cx.errors.SignatureError:
            return False
        return True

    assert receive_and_verify.genuine(theirs).startswith("Right. ")


SAMPLE = events.sample("ticket.created", title="Fire!")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (SAMPLE, "Give the two of them"),
        ((..., ...), "`body` or `header` is still `...`"),
        ((SAMPLE.decode(), ""), "it is to be bytes"),
        ((SAMPLE, b""), "it is to be the text that cx.sign gives"),
        ((events.sample("ticket.created"), ""), "No title in the body says Fire!"),
        ((b'{"title":"Fire!"}', cx.sign(b'{"title":"Fire!"}', "whsec_false")), "is no ticket.created"),
        ((SAMPLE, cx.sign(SAMPLE, "whsec_other")), "It does not verify. No known mishap explains it"),
        ((SAMPLE, cx.sign(SAMPLE, "whsec_false", 1_765_377_000)), "s old; 300 s are allowed"),
    ],
)
def test_signed_says_what_a_receiver_would_find(answer: Any, words: str) -> None:
    """In the words of `explain`."""
    assert words in refused(receive_and_verify.signed, answer, "whsec_false")


def test_proxied_says_which_request_is_meant_and_what_befell_the_other(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """A number that is none of the three, and the one that is only old."""
    with sandbox.listener() as listener:
        listener.trust(client.webhooks.create(name="Ear", url=listener.url, events=["ticket.created"]).secret)
        sandbox.faults.stale()
        client.webhooks.trigger_test("ticket.created")

        assert "give one number. The three requests are 1" in refused(receive_and_verify.proxied, 7, listener)
        assert "it is only old" in refused(receive_and_verify.proxied, 1, listener)


@pytest.mark.parametrize(
    ("handle", "words"),
    [
        (lambda event, seen, mail: None, "nothing was mailed"),
        (lambda event, seen, mail: mail(event["id"]), "it is to be the ticket's title, once"),
        (lambda event, seen, mail: mail(event["data"]["ticket"]["title"]), "came again and was mailed again"),
        (lambda event, seen, mail: event["ticket"], "raised KeyError for an event that is new"),
    ],
)
def test_idempotent_says_what_the_handler_did(handle: Any, words: str) -> None:
    """Too little, too much, or something else."""
    assert words in refused(failures_and_retries.idempotent, handle)


def once_for(key: Callable[[Any], str], *, swallows: bool = False) -> Callable[..., None]:
    """A handler that remembers by a key, and lets an error through or not."""

    def handle(event: Any, seen: set[str], mail: Callable[[str], None]) -> None:
        if key(event) not in seen:
            with contextlib.suppress(*[ConnectionError] * swallows):
                mail(event["data"]["ticket"]["title"])
            seen.add(key(event))

    return handle


def test_idempotent_knows_the_ticket_from_the_event_and_an_error_from_success() -> None:
    """Two mistakes that a single delivery does not show."""
    assert "only event['id'] tells repeats" in refused(
        failures_and_retries.idempotent, once_for(lambda event: event["data"]["ticket"]["id"])
    )
    assert "let the error through" in refused(
        failures_and_retries.idempotent, once_for(lambda event: event["id"], swallows=True)
    )


@pytest.mark.parametrize(
    ("attempt", "words"),
    [("6", "a whole number"), (8, "no attempt 8"), (7, "It needs no 7: attempt 6 is made 07:12:30 after")],
)
def test_arrival_says_when_the_attempt_is_made(attempt: Any, words: str) -> None:
    """Too late is not right either."""
    assert words in refused(failures_and_retries.arrival, attempt)


@pytest.mark.parametrize(
    ("decided", "words"),
    [
        (["tunnel_host"], "it is to be text"),
        ("[[ignore]]\nrule = 'tunnel_host'\nhost = 'webhook.site'", "These settings are refused."),
        ("", "still stands"),
        ("[[ignore]]\nrule = 'tunnel_host'\nhost = 'webhook.site'\nreason = 'So.'", "It holds for ever."),
        ("[[ignore]]\nrule = 'tunnel_host'\nhost = 'webhook.site'\nreason = 'So.'\nuntil = 2025-06-30", "still stands"),
        (
            "[[ignore]]\nrule = 'tunnel_host'\nhost = 'webhook.site'\nreason = 'So.'\nuntil = 2025-12-31",
            "From 2025-12-31 on",
        ),
        (
            "[thresholds]\nsecret_days = 9000\n[[ignore]]\nrule = 'tunnel_host'\nhost = 'webhook.site'\nreason = 'So.'\nuntil = 2026-01-01",
            "change what is found elsewhere",
        ),
    ],
)
def test_settled_says_why_the_settings_do_not_do_it(neglected: cx.Sandbox, decided: Any, words: str) -> None:
    """Refused, without effect, for ever, or over already."""
    assert words in refused(audit.settled, decided, cx.Accounts(neglected.accounts()))


def test_merged_says_what_the_plan_would_do(neglected: cx.Sandbox) -> None:
    """Too much, too little, or to the wrong one."""
    with neglected.client("lab") as client:
        kept, gone, other = client.webhooks.list()[:3]
        both = [*kept.events, *gone.events]
        asked = [
            ([{"id": "whk_gone", "delete": True}], "It makes no plan."),
            ([{"id": other.id, "name": "New"}], "It also changes 'Prices'."),
            ([{"id": gone.id, "delete": True}], "'Playground' stays as it is"),
            ([{"id": kept.id, "events": ["ticket.*", "survey.submitted"]}], "A wildcard takes all of a kind."),
            ([{"id": kept.id, "events": both, "url": "https://x.example.com"}], "would also have another url"),
            ([{"id": kept.id, "delete": True}], "It deletes 'Playground', which is to stay."),
            ([{"id": kept.id, "events": [*both, "article.created"]}], "also be told of article.created"),
            ([{"id": kept.id, "events": both}], "'Playground 2' stays"),
            ([{"id": kept.id, "events": both}, {"id": gone.id, "is_active": False}], "changed and not deleted"),
        ]
        for rows, words in asked:
            assert words in refused(audit.merged, pd.DataFrame(rows), client)


def test_moved_says_what_was_changed_of_the_one_that_was_named(neglected: cx.Sandbox) -> None:
    """And nothing has changed before the colleague was there."""
    accounts = cx.Accounts(neglected.accounts())
    before = cx.audit(accounts)

    assert "Nothing has changed since." in refused(audit.moved, "Desk", before, accounts)
    with neglected.client("north") as client:
        audit.colleague(client)
    assert "what was changed are Billing, Desk, Escalations" in refused(audit.moved, "CRM", before, accounts)
    assert "Of 'Escalations' the events was changed" in refused(audit.moved, "Escalations", before, accounts)


def rotating(*steps: str) -> Callable[..., None]:
    """A rotation of these steps, in this order."""

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
    ("steps", "words"),
    [
        ([], "There is no new webhook"),
        (["create", "create", "trust", "delete"], "There are 2 new webhooks"),
        (["create less", "trust", "delete"], "The new webhook is told of ticket.created, the old one was of"),
        (["create", "delete", "trust"], "right after your delete was refused"),
        (["create"], "The receiver never heard of the new secret"),
        (["create", "trust"], "The old webhook is still there"),
        (["create", "trust text"], "trust takes a Secret, unrevealed"),
        (["trust"], "raised AttributeError while it was rotating"),
    ],
)
def test_rotation_says_what_failed_in_between(steps: list[str], words: str) -> None:
    """Every event that happens meanwhile has to be accepted, and nothing of the old may be left."""
    said = refused(going_live.rotation, rotating(*steps))

    assert words in said
    assert "whsec_SANDBOX" not in said


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ("CSTAR_KEY", "`mended` is not a dict: str"),
        ({"CSTAR_BASE_URL": "http://127.0.0.1:9"}, "There is no CSTAR_KEY in it"),
    ],
)
def test_mended_says_what_doctor_would_miss(environment: Any, words: str) -> None:
    """Before doctor is asked at all."""
    assert words in refused(going_live.mended, environment)


ODD = [None, 5, 1.5, "text", b"bytes", [], [None], [[1]], {}, {"CSTAR_KEY": 1}, (1, 2), object(), print, pd.DataFrame()]


@pytest.mark.parametrize("answer", ODD, ids=lambda answer: type(answer).__name__)
def test_no_answer_is_too_odd_for_a_check(neglected: cx.Sandbox, answer: Any) -> None:
    """Whatever somebody puts into a cell, the check says what is wrong and does not fail itself."""
    accounts = cx.Accounts(neglected.accounts())
    with neglected.client("north") as north, neglected.client() as client, neglected.listener() as listener:
        before = cx.audit(accounts)
        audit.colleague(north)
        for check, *given in (
            (first_webhook.unheard, answer, client),
            (receive_and_verify.genuine, answer),
            (receive_and_verify.proxied, answer, listener),
            (receive_and_verify.signed, answer, "whsec_false"),
            (failures_and_retries.idempotent, answer),
            (failures_and_retries.arrival, answer),
            (failures_and_retries.lost, answer, listener.to_frame(), listener),
            (audit.settled, answer, accounts),
            (audit.merged, answer, client),
            (audit.moved, answer, before, accounts),
            (going_live.rotation, answer),
            (going_live.mended, answer),
        ):
            assert len(refused(check, *given)) > 20


def test_a_check_refuses_to_run_where_asserts_are_left_out() -> None:
    """With -O every answer would be right."""
    code = "from cstar_explore.course import receive_and_verify as check; check.genuine(None)"
    done = subprocess.run([sys.executable, "-O", "-c", code], check=False, capture_output=True, text=True)

    assert "Start it without -O." in done.stderr


async def later(*_: Any) -> bool:
    return True


def insists(*_: Any) -> None:
    raise AssertionError


@pytest.mark.parametrize(
    ("theirs", "words"),
    [(later, "`later` is async"), (insists, "raised AssertionError for a genuine delivery: without words.")],
)
def test_a_check_says_what_kind_of_function_it_was_given(theirs: Any, words: str) -> None:
    """Also where the function itself says nothing."""
    assert words in refused(receive_and_verify.genuine, theirs)


def test_a_handler_with_a_memory_of_its_own_passes_twice() -> None:
    """The check's events are new ones each time it is run."""
    own: set[str] = set()

    def handle(event: Any, _: set[str], mail: Callable[[str], None]) -> None:
        if event["id"] not in own:
            mail(event["data"]["ticket"]["title"])
            own.add(event["id"])

    assert failures_and_retries.idempotent(handle) == failures_and_retries.idempotent(handle)


def test_mended_says_that_another_key_is_no_remedy(sandbox: cx.Sandbox) -> None:
    """Doctor finds nothing in the way, and it is not the team that was meant."""
    elsewhere = {"CSTAR_KEY": sandbox.keys["other_team"].reveal(), "CSTAR_BASE_URL": sandbox.base_url}

    assert "It reaches another team now." in refused(going_live.mended, elsewhere)


def test_genuine_sends_json_that_no_library_writes_the_same() -> None:
    """Whoever parses it and writes it again has other bytes, and is told so."""

    def rewriting(body: bytes, header: str, secret: str, now: int) -> bool:
        return rightly(json.dumps(json.loads(body), separators=(",", ":")).encode(), header, secret, now)

    assert "You parse the JSON and write it again" in refused(receive_and_verify.genuine, rewriting)


def test_a_handler_that_tries_for_ever_comes_to_an_end() -> None:
    """The check does not hang, and says why not to wait."""

    def insisting(event: Any, seen: set[str], mail: Callable[[str], None]) -> None:
        while event["id"] not in seen:
            with contextlib.suppress(ConnectionError):
                mail(event["data"]["ticket"]["title"])
                seen.add(event["id"])

    assert "tried 100 times in one delivery" in refused(failures_and_retries.idempotent, insisting)


@pytest.mark.parametrize("answer", ["row", "number", "ids"])
def test_lost_takes_a_row_a_number_or_ids(sandbox: cx.Sandbox, client: cx.Client, answer: str) -> None:
    """However somebody has chosen it."""
    with sandbox.listener() as listener:
        listener.answer.status = 503
        client.webhooks.create(name="Down", url=listener.url, events=["ticket.created"])
        client.webhooks.trigger_test("ticket.created")
        outage = listener.to_frame()
        chosen = {"row": outage.iloc[0], "number": [np.int64(1)], "ids": outage["id"]}[answer]

        assert failures_and_retries.lost(chosen, outage, listener).startswith("Right. ")
        assert "ids of requests" in refused(failures_and_retries.lost, outage["event_id"], outage, listener)


def test_mended_asks_nobody_but_the_sandbox(sandbox: cx.Sandbox) -> None:
    """Without a base URL, doctor would go to cStar itself."""
    assert "Keep CSTAR_BASE_URL" in refused(going_live.mended, {"CSTAR_KEY": sandbox.keys["live"].reveal()})


def test_slack_looks_at_what_was_not_to_be_changed(client: cx.Client) -> None:
    """The events are right, and the webhook is paused or goes elsewhere."""
    slack = client.webhooks.list()[0]
    client.webhooks.update(slack.id, events=[*slack.events, "ticket.message_added"], is_active=False)
    assert "is paused now" in refused(first_webhook.slack, client)
    client.webhooks.update(slack.id, is_active=True, url="https://elsewhere.example.com/")
    assert "another URL" in refused(first_webhook.slack, client)


def test_rotation_minds_the_webhooks_of_others() -> None:
    """Only the one whose id was given is to go."""

    def sweeping(client: Any, webhook_id: str, trust: Callable[[Any], None]) -> None:
        old = client.webhooks.get(webhook_id)
        new = client.webhooks.create(name=old.name, url=old.url, events=old.events)
        trust(new.secret)
        for webhook in client.webhooks.list():
            if webhook.id != new.id:
                client.webhooks.delete(webhook.id)

    assert "Webhooks of others are gone" in refused(going_live.rotation, sweeping)
