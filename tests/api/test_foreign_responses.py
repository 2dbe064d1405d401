"""Responses of proxies, load balancers and sign-in pages: never a result, a missing webhook or an invalid key."""

import json
from collections.abc import Callable
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors, plans
from cstar_explore.api import requests, responses
from cstar_explore.secret import ApiKey
from tests.support.scripted_server import Script, ScriptedServer, data, reply, reset, status

KEY = "sk_test_abcdefghijklmnopqrstuvwxyz012345"
NEW = {"name": "New", "url": "https://example.com/new", "events": "ticket.created"}
WEBHOOK = {"id": "whk_1", "name": "New", "url": "https://example.com/new", "events": ["ticket.created"]}

CALLS: dict[str, Callable[[cx.Client], Any]] = {
    "list": lambda client: client.webhooks.list(),
    "get": lambda client: client.webhooks.get("whk_1"),
    "create": lambda client: client.webhooks.create(**NEW),
    "update": lambda client: client.webhooks.update("whk_1", is_active=True),
    "delete": lambda client: client.webhooks.delete("whk_1"),
    "trigger_test": lambda client: client.webhooks.trigger_test("ticket.created"),
    "whoami": lambda client: client.whoami(),
}
READS = ("list", "get", "whoami")

BODIES = {
    "sign-in page": ("text/html", "<!doctype html><title>Sign in</title><p>Sign in to the network"),
    "plain text": ("text/plain", "Access denied by policy"),
    "API gateway": ("application/json", '{"message": "no Route matched with those values"}'),
    "OAuth server": ("application/json", '{"error": "invalid_token", "error_description": "The token expired"}'),
    "web framework": ("application/json", '{"status": 404, "error": "Not Found", "path": "/api/v1"}'),
    "list of errors": ("application/json", '{"errors": [{"code": "7003", "message": "Could not route"}]}'),
    "message only": ("application/json", '{"error": {"message": "Not here"}}'),
    "problem details": ("application/problem+json", '{"type": "about:blank", "title": "Gone", "detail": "Not here"}'),
    "success with an error status": ("application/json", '{"success": true, "data": {"id": "whk_1"}}'),
    "success and an error": ("application/json", '{"success": true, "error": {"code": "x", "message": "y"}}'),
    "empty body": ("text/html", ""),
}
STATUSES = (400, 401, 403, 404, 405, 409, 410, 418, 422, 451)

every_call = pytest.mark.parametrize("call", list(CALLS))
every_body = pytest.mark.parametrize(("content_type", "body"), BODIES.values(), ids=BODIES.keys())


def client_of(server: ScriptedServer) -> cx.Client:
    return cx.Client(KEY, "team_1", server.url, timeout=5, max_wait=1)


def page(code: int, name: str = "sign-in page") -> Script:
    """A response of another server."""
    content_type, body = BODIES[name]
    return reply(code, body, content_type=content_type)


def outcome_of(call: str, server: ScriptedServer) -> Any:
    with client_of(server) as client:
        try:
            return CALLS[call](client)
        except errors.CStarError as error:
            return error


# --- 4xx --------------------------------------------------------------------------------------------------------------


@every_body
@pytest.mark.parametrize("code", STATUSES)
def test_a_foreign_4xx_is_an_invalid_response(code: int, content_type: str, body: str) -> None:
    """The message shows the status, the content type and the beginning of the body."""
    error = responses.error_in(responses.Response(code, {"content-type": content_type}, body.encode()))
    assert (errors.InvalidResponseError, code) == (type(error), error.status)
    assert str(code) in error.message
    assert content_type in error.message
    assert (body[:60] or "empty") in error.message
    assert "key" not in error.advice


@every_call
@pytest.mark.parametrize("name", ["sign-in page", "API gateway"])
@pytest.mark.parametrize("code", [401, 403, 404, 409])
def test_no_call_takes_a_foreign_4xx_for_cstars(call: str, code: int, name: str) -> None:
    """It is not retried, and a writing call may have taken effect."""
    with ScriptedServer(page(code, name), data([])) as server:
        outcome = outcome_of(call, server)
        sent = [request for request in server.requests if request.method != "GET" or call in READS]
    assert isinstance(outcome, errors.TransportError)
    assert not isinstance(outcome, errors.StatusError)
    expected = errors.OutcomeUnknownError if call == "create" else errors.InvalidResponseError
    assert (expected, code, call not in READS) == (type(outcome), outcome.status, outcome.may_have_acted)
    assert 1 == len(sent)


@every_call
def test_cstars_own_refusal_is_believed(call: str) -> None:
    """In its envelope, the status keeps its meaning."""
    with ScriptedServer(status(403, message="No access")) as server:
        assert errors.PermissionDeniedError is type(outcome_of(call, server))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"success": False, "error": {"message": "No"}}, id="message only"),
        pytest.param({"success": False, "error": {"code": "RESOURCE_MISSING"}}, id="code only"),
        pytest.param({"success": False, "error": "No such webhook"}, id="text"),
        pytest.param({"error": {"code": "RESOURCE_MISSING", "message": "No"}}, id="older form"),
        pytest.param({"error": {"type": "not_found_error", "message": "No"}}, id="older form with a type"),
    ],
)
def test_all_documented_forms_of_an_error_count_as_cstars(body: dict[str, Any]) -> None:
    """`success: false` with an `error`, and the older forms on cStar's pages."""
    error = responses.error_in(responses.Response(404, {}, json.dumps(body).encode()))
    assert errors.NotFoundError is type(error)


# --- 429 and 5xx ------------------------------------------------------------------------------------------------------


@every_call
@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_foreign_5xx_stays_a_server_error(call: str, code: int) -> None:
    """A read is retried; a test event may have been fired, and is not."""
    with ScriptedServer(*[page(code)] * 4, data([])) as server:
        outcome = outcome_of(call, server)
        attempts = len([request for request in server.requests if request.method != "GET" or call in READS])
    lost = call == "create" and code in (502, 504)
    expected = errors.OutcomeUnknownError if lost else errors.ServerError
    assert (expected, call not in READS) == (type(outcome), outcome.may_have_acted)
    assert (1 if call == "trigger_test" else 4) == attempts


@every_call
def test_a_foreign_429_is_a_rate_limit(call: str) -> None:
    """Its Retry-After counts, and nothing has happened."""
    limit = reply(429, "<h1>Slow down</h1>", {"Retry-After": "77"}, content_type="text/html")
    with ScriptedServer(limit) as server:
        outcome = outcome_of(call, server)
    assert (errors.RateLimitError, 77, False) == (type(outcome), outcome.retry_after, outcome.may_have_acted)


# --- 2xx --------------------------------------------------------------------------------------------------------------


@every_call
@pytest.mark.parametrize("name", ["sign-in page", "API gateway", "empty body"])
@pytest.mark.parametrize("code", [200, 204])
def test_no_call_takes_a_foreign_2xx_for_success(call: str, name: str, code: int) -> None:
    """A create or update is retried under its Idempotency-Key, as only that can bring back the signing secret."""
    foreign = reply(204, "", declared=None) if code == 204 else page(code, name)
    with ScriptedServer(*[foreign] * 4, data([])) as server:
        outcome = outcome_of(call, server)
        attempts = len([request for request in server.requests if request.method != "GET" or call in READS])
    assert isinstance(outcome, errors.InvalidResponseError | errors.OutcomeUnknownError)
    assert (call not in READS) == outcome.may_have_acted
    assert (4 if call in ("create", "update") else 1) == attempts


@pytest.mark.parametrize("call", ["get", "update"])
def test_a_response_about_another_webhook_is_refused(call: str) -> None:
    """Its ID must be the requested one. The signing secret of the other webhook is not shown."""
    other = WEBHOOK | {"id": "whk_2", "secret": "whsec_of_the_other"}
    with ScriptedServer(*[data(other)] * 4) as server:
        outcome = outcome_of(call, server)
    assert (errors.InvalidResponseError, True) == (type(outcome), "whk_2" in outcome.message)
    assert "of_the_other" not in f"{outcome}{outcome!r}{vars(outcome)}"


# --- deletes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scripts",
    [
        pytest.param([page(404)], id="404"),
        pytest.param([page(502), page(404)], id="502, then 404"),
        pytest.param([reset(), page(404, "API gateway")], id="reset, then 404"),
        pytest.param([status(500), page(404, "web framework")], id="cStar's 500, then 404"),
        pytest.param([status(504), page(200)], id="504, then 200"),
        pytest.param([page(502), page(410, "problem details")], id="502, then 410"),
    ],
)
def test_a_foreign_response_never_confirms_a_delete(scripts: list[Script]) -> None:
    """Whatever came before: the outcome stays unknown."""
    with ScriptedServer(*scripts) as server:
        outcome = outcome_of("delete", server)
    assert (errors.InvalidResponseError, True) == (type(outcome), outcome.may_have_acted)
    assert len(scripts) == len(server.requests)


def test_cstars_404_after_a_foreign_502_confirms_a_delete() -> None:
    """The attempt behind the 502 deleted the webhook."""
    with ScriptedServer(page(502), status(404, code="RESOURCE_MISSING")) as server:
        assert outcome_of("delete", server) is None


# --- callers ----------------------------------------------------------------------------------------------------------


def test_a_plan_is_not_done_if_another_server_answers() -> None:
    """Its steps are neither "done" nor "unchanged"."""
    with ScriptedServer(data([WEBHOOK]), *[page(404)] * 20) as server, client_of(server) as client:
        steps = list(plans.plan_action(client, list(client.webhooks.list()), "delete")._run())
    assert set() == {step.outcome for step in steps} & {"done", "unchanged"}


def test_connect_does_not_take_a_foreign_404_for_a_missing_whoami() -> None:
    """cStar's own 404 means that a server has no whoami."""
    with ScriptedServer(page(404)) as server, pytest.raises(errors.InvalidResponseError):
        cx.connect(KEY, "team_1", server.url)
    with ScriptedServer(status(404)) as server, cx.connect(KEY, "team_1", server.url) as client:
        assert "team_1" == client.team_id


@every_body
def test_a_foreign_body_is_never_a_value(content_type: str, body: str) -> None:
    """With a status that would be a success."""
    calls = requests.WebhookRequests("https://www.cstar.help", "team_1", ApiKey(KEY))
    if body.startswith('{"success": true, "data"'):
        return
    for request in (calls.list(), calls.get("whk_1"), calls.delete("whk_1"), calls.trigger_test("ticket.created")):
        with pytest.raises(errors.CStarError):
            requests.read(request, responses.Response(200, {"content-type": content_type}, body.encode()))
