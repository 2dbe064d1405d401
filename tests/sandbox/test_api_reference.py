"""The sandbox's responses to every example in the API reference, requested with plain httpx."""

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
    """One httpx client for the whole file."""
    with httpx.Client(trust_env=False) as http:
        yield http


@pytest.fixture(scope="module")
def unchanged() -> Iterator[cx.Sandbox]:
    """One sandbox for all calls that are refused."""
    with cx.Sandbox() as sandbox:
        yield sandbox


def outline(value: Any, name: str = "") -> Any:
    """A body's keys in order, its fixed texts, and the form of every other value."""
    match value:
        case dict():
            return [(key, outline(inner, key)) for key, inner in value.items()]
        case list():
            forms = [outline(inner, name) for inner in value]
            return [form for index, form in enumerate(forms) if form not in forms[:index]]
        case str() if name in FIXED:
            return re.sub(r"\d+", "(number)", value)
        case str() if TIMESTAMP.fullmatch(value):
            return "(timestamp)"
        case str() if prefix := PREFIX.match(value):
            return f"({prefix[0]}…)"
    return value if name in FIXED else f"({type(value).__name__})"


def call(
    http: httpx.Client, sandbox: cx.Sandbox, example: Example, key: str = "secret", hook: str = "whk_unknown"
) -> httpx.Response:
    """Makes the printed call, with a key of this kind and for this webhook."""
    path = example.path.format(teamId=sandbox.team_id, webhookId=hook)
    sent = {"event": "invalid.event"} if example.status == 400 else example.sent
    headers = {"Authorization": f"Bearer {sandbox.keys[key].reveal()}"}
    return http.request(example.method, sandbox.base_url + path, headers=headers, json=sent)


def first_id(http: httpx.Client, sandbox: cx.Sandbox) -> str:
    """The id of the first listed webhook."""
    return call(http, sandbox, printed("List Webhooks", 200)).json()["data"][0]["id"]


def assert_as_printed(expected: Example, response: httpx.Response) -> None:
    """Checks status, outline and content type."""
    assert (expected.status, outline(expected.body)) == (response.status_code, outline(response.json()))
    assert response.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    "example", [example for example in EXAMPLES if example.status in {200, 201, 400, 404}], ids=str
)
def test_a_secret_key_gets_the_printed_response(http: httpx.Client, sandbox: cx.Sandbox, example: Example) -> None:
    """Successes, the unknown webhook and the unknown event."""
    hook = "whk_unknown" if example.status == 404 else first_id(http, sandbox)
    if example.path.endswith("trigger-test"):
        # The printed list of deliveries is empty, as for a team without active webhooks.
        with sandbox.client() as client:
            for webhook in client.webhooks.list():
                client.webhooks.update(webhook.id, is_active=False)
    assert_as_printed(example, call(http, sandbox, example, hook=hook))


@pytest.mark.parametrize("kind", ["expired", "revoked"])
@pytest.mark.parametrize("example", [example for example in EXAMPLES if example.status == 401], ids=str)
def test_an_invalid_key_gets_the_printed_401(
    http: httpx.Client, unchanged: cx.Sandbox, example: Example, kind: str
) -> None:
    """Expired and revoked keys get the same body."""
    assert_as_printed(example, call(http, unchanged, example, kind))


@pytest.mark.parametrize(
    "example", [example for example in EXAMPLES if example.status == 403 and example.method != "GET"], ids=str
)
def test_a_write_with_a_publishable_key_gets_the_printed_403(
    http: httpx.Client, unchanged: cx.Sandbox, example: Example
) -> None:
    """From each of the four writing calls."""
    assert_as_printed(example, call(http, unchanged, example, "publishable"))


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example.status == 403], ids=str)
def test_another_teams_key_gets_the_printed_403_with_its_own_code(
    http: httpx.Client, unchanged: cx.Sandbox, example: Example
) -> None:
    """The printed body, with the code that cStar's page on errors has for this case."""
    response = call(http, unchanged, example, "other_team")
    expected = copy.deepcopy(example.body)
    expected["error"] |= {"code": "team_access_denied", "message": response.json()["error"]["message"]}
    assert (403, outline(expected)) == (response.status_code, outline(response.json()))


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example.status == 429], ids=str)
def test_a_call_over_the_rate_limit_gets_the_printed_429(http: httpx.Client, example: Example) -> None:
    """Only the number in the message differs."""
    with cx.Sandbox(rate_limit=1) as sandbox:
        call(http, sandbox, printed("List Webhooks", 200))
        assert_as_printed(example, call(http, sandbox, example))


def test_the_printed_create_and_update_return_the_printed_values(http: httpx.Client, sandbox: cx.Sandbox) -> None:
    """Except for ids, secrets and times."""
    generated = {"id", "secret", "createdAt", "updatedAt"}
    create, update = printed("Create Webhook", 201), printed("Update Webhook", 200)
    made = call(http, sandbox, create).json()["data"]
    changed = call(http, sandbox, update, hook=made["id"]).json()["data"]
    for example, data in ((create, made), (update, changed)):
        kept = {name: value for name, value in example.body["data"].items() if name not in generated}
        assert kept == {name: value for name, value in data.items() if name not in generated}
    assert made["id"] == changed["id"]
