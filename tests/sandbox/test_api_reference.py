"""The sandbox's side of the contract: every example that the API reference prints, asked for with plain httpx."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import cstar_explore as cx
from tests.support.reference import EXAMPLES, Example, printed

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
PREFIX = re.compile(r"(whk|req|evt|whsec)_(?=[A-Za-z0-9])")
FIXED = {"success", "type", "code", "message", "doc_url", "param", "deleted", "test", "event"}


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    """One plain client for the whole file."""
    with httpx.Client(trust_env=False) as http:
        yield http


@pytest.fixture(scope="module")
def unchanged() -> Iterator[cx.Sandbox]:
    """One sandbox for all the calls that are refused."""
    with cx.Sandbox() as sandbox:
        yield sandbox


def outline(value: Any, name: str = "") -> Any:
    """A body without what is each server's own: keys in their order, fixed texts, and the form of every other value."""
    match value:
        case dict():
            return [(key, outline(inner, key)) for key, inner in value.items()]
        case list():
            forms = [outline(inner, name) for inner in value]
            return [form for place, form in enumerate(forms) if form not in forms[:place]]
        case str() if name in FIXED:
            return re.sub(r"\d+", "(number)", value)
        case str() if TIMESTAMP.fullmatch(value):
            return "(timestamp)"
        case str() if prefix := PREFIX.match(value):
            return f"({prefix[0]} and more)"
    return value if name in FIXED else f"({type(value).__name__})"


def ask(
    http: httpx.Client, sandbox: cx.Sandbox, example: Example, key: str = "secret", hook: str = "whk_unknown"
) -> httpx.Response:
    """The printed call with a key of this kind, about this webhook where it is about one."""
    path = example.path.format(teamId=sandbox.team_id, webhookId=hook)
    sent = {"event": "invalid.event"} if example.status == 400 else example.sent
    headers = {"Authorization": f"Bearer {sandbox.keys[key].reveal()}"}
    return http.request(example.method, sandbox.base_url + path, headers=headers, json=sent)


def first_id(http: httpx.Client, sandbox: cx.Sandbox) -> str:
    """The id of the first webhook the sandbox lists."""
    return ask(http, sandbox, printed("List Webhooks", 200)).json()["data"][0]["id"]


def answers_as_printed(expected: Example, answer: httpx.Response) -> None:
    """Same status, same outline."""
    assert (expected.status, outline(expected.body)) == (answer.status_code, outline(answer.json()))
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.status in {200, 201, 400, 404}], ids=str)
def test_a_secret_key_gets_the_printed_answer(http: httpx.Client, sandbox: cx.Sandbox, example: Example) -> None:
    """The good answers, the unknown webhook and the unknown event look as printed."""
    hook = "whk_unknown" if example.status == 404 else first_id(http, sandbox)
    if example.path.endswith("trigger-test"):
        # The printed list of deliveries is empty: that of a team without an active webhook.
        with sandbox.client() as client:
            for webhook in client.webhooks.list():
                client.webhooks.update(webhook.id, is_active=False)
    answers_as_printed(example, ask(http, sandbox, example, hook=hook))


@pytest.mark.parametrize("kind", ["expired", "revoked"])
@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.status == 401], ids=str)
def test_a_key_that_is_no_longer_good_gets_the_printed_401(
    http: httpx.Client, unchanged: cx.Sandbox, example: Example, kind: str
) -> None:
    """Expired and revoked keys get the one body printed."""
    answers_as_printed(example, ask(http, unchanged, example, kind))


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.status == 403 and one.method != "GET"], ids=str)
def test_a_publishable_key_gets_the_printed_403_from_a_writing_call(
    http: httpx.Client, unchanged: cx.Sandbox, example: Example
) -> None:
    """Each of the four writing calls asks for a secret key in the printed words."""
    answers_as_printed(example, ask(http, unchanged, example, "publishable"))


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.status == 403], ids=str)
def test_another_teams_key_gets_the_printed_403_under_its_own_code(
    http: httpx.Client, unchanged: cx.Sandbox, example: Example
) -> None:
    """The printed body, but with the code and words that cStar's page on errors has for this case."""
    answer = ask(http, unchanged, example, "other_team")
    expected = copy.deepcopy(example.body)
    expected["error"] |= {"code": "team_access_denied", "message": answer.json()["error"]["message"]}
    assert (403, outline(expected)) == (answer.status_code, outline(answer.json()))


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.status == 429], ids=str)
def test_a_spent_budget_gets_the_printed_429(http: httpx.Client, example: Example) -> None:
    """Only the number in the message may differ from the printed one."""
    with cx.Sandbox(rate_limit=1) as sandbox:
        ask(http, sandbox, printed("List Webhooks", 200))
        answers_as_printed(example, ask(http, sandbox, example))


def test_the_printed_create_and_update_come_back_with_the_printed_values(
    http: httpx.Client, sandbox: cx.Sandbox
) -> None:
    """What the reference's own example sends is what it gets back, apart from ids, secrets and times."""
    own = {"id", "secret", "createdAt", "updatedAt"}
    create, update = printed("Create Webhook", 201), printed("Update Webhook", 200)
    made = ask(http, sandbox, create).json()["data"]
    changed = ask(http, sandbox, update, hook=made["id"]).json()["data"]
    for example, data in ((create, made), (update, changed)):
        kept = {name: value for name, value in example.body["data"].items() if name not in own}
        assert kept == {name: value for name, value in data.items() if name not in own}
    assert made["id"] == changed["id"]
