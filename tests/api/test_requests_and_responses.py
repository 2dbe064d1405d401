"""What each call sends and how each response is read, compared with cStar's pages, without a network."""

import gzip
import json
import os
import subprocess
import unicodedata
import urllib.parse
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.api import requests, responses, validation
from cstar_explore.secret import ApiKey

KEY = "sk_live_abcdefghijklmnopqrstuvwxyz012345"
HIDDEN = KEY.removeprefix("sk_live_")
HOST = "https://www.cstar.help"
TEAM = f"{HOST}/api/v1/teams/team_1/webhooks"
CALLS = requests.WebhookRequests(HOST, "team_1", ApiKey(KEY))
ID_AND_NAME = {"name": "My Webhook", "url": "https://example.com/webhook"}

LIST = CALLS.list()
GET = CALLS.get("whk_1")
CREATE = CALLS.create(events="ticket.created,ticket.closed", **ID_AND_NAME)
UPDATE = CALLS.update("whk_1", events="ticket.created,ticket.updated,ticket.closed")
DELETE = CALLS.delete("whk_1")
FIRE = CALLS.trigger_test("ticket.created")
WHOAMI = requests.whoami(HOST, ApiKey(KEY))
REQUESTS = {
    "list": LIST,
    "get": GET,
    "create": CREATE,
    "update": UPDATE,
    "delete": DELETE,
    "trigger_test": FIRE,
    "whoami": WHOAMI,
}
every_call = pytest.mark.parametrize("request_", [pytest.param(each, id=name) for name, each in REQUESTS.items()])


def response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> responses.Response:
    """A response with this JSON, or these bytes, as its body."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return responses.Response(status, {"content-type": "application/json"} | (headers or {}), content)


def successful(data: Any, status: int = 200) -> responses.Response:
    return response({"success": True, "data": data, "meta": {"requestId": "req_abc123"}}, status)


# --- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "method", "url", "body"),
    [
        pytest.param(LIST, "GET", TEAM, None, id="list"),
        pytest.param(GET, "GET", f"{TEAM}/whk_1", None, id="get"),
        pytest.param(CREATE, "POST", TEAM, ID_AND_NAME | {"events": "ticket.created,ticket.closed"}, id="create"),
        pytest.param(
            UPDATE,
            "PATCH",
            f"{TEAM}/whk_1",
            {"events": "ticket.created,ticket.updated,ticket.closed"},
            id="update events",
        ),
        pytest.param(
            CALLS.update("whk_1", name="New", url="https://example.com/new", is_active=False),
            "PATCH",
            f"{TEAM}/whk_1",
            {"name": "New", "url": "https://example.com/new", "isActive": False},
            id="update the other fields",
        ),
        pytest.param(DELETE, "DELETE", f"{TEAM}/whk_1", None, id="delete"),
        pytest.param(FIRE, "POST", f"{TEAM}/trigger-test", {"event": "ticket.created"}, id="trigger_test"),
        pytest.param(WHOAMI, "GET", f"{HOST}/api/v1/auth/whoami", None, id="whoami"),
    ],
)
def test_each_request_is_that_of_the_api_reference(request_, method: str, url: str, body: dict | None) -> None:
    """Method, path and body; the bytes of the body are that JSON."""
    assert (method, url, body) == (request_.method, request_.url, request_.body)
    assert body == (json.loads(request_.content) if request_.content else None)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(["ticket.created", "ticket.closed"], id="list"),
        pytest.param(("ticket.created", "ticket.closed", "ticket.created"), id="tuple with a duplicate"),
        pytest.param(" ticket.created , ticket.closed ", id="string with spaces"),
    ],
)
def test_events_are_sent_as_one_string(events: Any) -> None:
    """Comma-separated, without spaces and duplicates, as in the reference."""
    assert "ticket.created,ticket.closed" == CALLS.create(events=events, **ID_AND_NAME).body["events"]


@pytest.mark.parametrize(
    ("name", "writes"),
    [
        ("list", False),
        ("get", False),
        ("whoami", False),
        ("create", True),
        ("update", True),
        ("delete", True),
        ("trigger_test", True),
    ],
)
def test_writes_is_true_for_calls_that_change_something(name: str, writes: bool) -> None:
    """The four calls for which the reference requires a secret key."""
    assert writes == REQUESTS[name].writes


@every_call
def test_no_display_of_a_request_shows_its_key(request_) -> None:
    """Text, headers and curl command show its prefix only."""
    shown = [repr(request_), str(request_), str(request_.headers), request_.curl(), repr(vars(request_))]
    assert [False] * 5 == [HIDDEN in text for text in shown]
    assert "Bearer sk_live_••••" == request_.headers["Authorization"]


def test_the_repr_of_a_request_is_http() -> None:
    """Request line, masked key and body."""
    shown = repr(CREATE)
    assert shown.startswith(f"POST {TEAM}\n")
    assert "Authorization: Bearer sk_live_••••" in shown
    assert '"events": "ticket.created,ticket.closed"' in shown


@every_call
def test_the_curl_command_is_the_same_call(request_) -> None:
    """A real shell passes curl the same method, URL and body, with the key from the environment."""
    arguments = _split_by_a_shell(request_.curl())
    assert request_.method == (arguments[arguments.index("-X") + 1] if "-X" in arguments else "GET")
    assert request_.url in arguments
    assert f"Authorization: Bearer {KEY}" in arguments
    assert request_.body == (json.loads(arguments[arguments.index("-d") + 1]) if "-d" in arguments else None)


@pytest.mark.parametrize(
    "name",
    [
        "it's",
        '"quoted"',
        "$HOME `id` $(id) \\ !",
        "; rm -rf /",
        "@file",
        "<b> & |",
        "Zoë 🎉",
        "a\nb",
        "-o x",
        "%s",
    ],
)
def test_the_curl_command_quotes_any_name(name: str) -> None:
    """Names are foreign text, and a shell must not execute them."""
    request = CALLS.create(name=name, url="https://e.com/?a=1&b='2'", events="ticket.*")
    arguments = _split_by_a_shell(request.curl())
    assert request.body == json.loads(arguments[arguments.index("-d") + 1])
    assert name == request.body["name"]


def _split_by_a_shell(command: str) -> list[str]:
    """The arguments that the shell passes to `curl`."""
    done = subprocess.run(
        ["sh", "-c", f'curl() {{ printf "%s\\0" "$@"; }}\n{command}'],
        env={"PATH": os.environ["PATH"], "CSTAR_KEY": KEY},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize(
    ("webhook_id", "encoded"),
    [
        pytest.param("whk_a1b2c3d4e5f6", "whk_a1b2c3d4e5f6", id="as published"),
        pytest.param("wh_001", "wh_001", id="older form"),
        pytest.param("01234567-89ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcdef", id="UUID"),
        pytest.param("../../admin", "..%2F..%2Fadmin", id="parent folders"),
        pytest.param("//evil.example/x", "%2F%2Fevil.example%2Fx", id="another host"),
        pytest.param("a?b=c#d", "a%3Fb%3Dc%23d", id="query and fragment"),
        pytest.param("a%2Fb", "a%252Fb", id="already encoded"),
        pytest.param("a b", "a%20b", id="space"),
        pytest.param("ä", "%C3%A4", id="not ASCII"),
        pytest.param("a.b", "a.b", id="dot inside"),
        pytest.param("a;b", "a%3Bb", id="semicolon"),
        pytest.param("a\\b", "a%5Cb", id="backslash"),
    ],
)
def test_an_id_is_one_segment_of_the_path(webhook_id: str, encoded: str) -> None:
    """No character of it can change the path."""
    assert encoded == validation.segment(webhook_id, "webhook_id")
    assert [f"{TEAM}/{encoded}"] * 3 == [
        request.url for request in (CALLS.get(webhook_id), CALLS.delete(webhook_id), CALLS.update(webhook_id, name="x"))
    ]
    of_team = requests.WebhookRequests(HOST, webhook_id, ApiKey(KEY))
    assert f"{HOST}/api/v1/teams/{encoded}/webhooks" == of_team.list().url


@pytest.mark.parametrize(
    "webhook_id",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param(".", id="dot"),
        pytest.param("..", id="two dots"),
        pytest.param("...", id="three dots"),
        pytest.param("a\x00b", id="NUL"),
        pytest.param("a\nb", id="line feed"),
        pytest.param("a\r\nHost: x", id="header injection"),
        pytest.param("a\x7f", id="delete"),
        pytest.param("a\x85", id="C1 control"),
        pytest.param("\ud800", id="unpaired surrogate"),
        pytest.param(None, id="None"),
        pytest.param(7, id="number"),
        pytest.param(b"whk_1", id="bytes"),
    ],
)
@pytest.mark.parametrize(
    "call",
    [CALLS.get, CALLS.delete, lambda webhook_id: CALLS.update(webhook_id, name="x")],
    ids=["get", "delete", "update"],
)
def test_an_invalid_id_is_refused(call, webhook_id: Any) -> None:
    """Before anything is sent; the error names the parameter."""
    with pytest.raises(errors.ValidationError) as caught:
        call(webhook_id)
    assert ("webhook_id", None) == (caught.value.param, caught.value.status)


@given(st.text(st.characters()))
def test_every_id_is_one_segment_or_refused(webhook_id: str) -> None:
    """The segment decodes to the ID and contains no character with a meaning in a URL."""
    try:
        encoded = validation.segment(webhook_id, "webhook_id")
    except errors.ValidationError:
        return
    assert webhook_id == urllib.parse.unquote(encoded)
    assert set() == set("/?#\\;@: ") & set(encoded)
    assert encoded.strip(".")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/hook?a=1&b=2",
        "https://example.com:8443/x",
        "https://[2001:db8::1]/x",
        "https://xn--bcher-kva.example/",
        "http://localhost:3000/api/webhooks",
        "http://127.0.0.1:8000/",
        "http://127.9.9.9/",
        "http://[::1]:8000/",
    ],
)
def test_a_delivery_url_is_https_or_loopback(url: str) -> None:
    """It is sent as it is given."""
    assert url == validation.checked_url(url)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://example.com/", id="plain http"),
        pytest.param("http://127.0.0.1.example.com/", id="host that begins like loopback"),
        pytest.param("http://localhost.example.com/", id="host that begins like localhost"),
        pytest.param("http://127.0.0.1@example.com/", id="loopback as user"),
        pytest.param("ftp://example.com/", id="ftp"),
        pytest.param("javascript:alert(1)", id="javascript"),
        pytest.param("file:///home/hook", id="file"),
        pytest.param("example.com/hook", id="no scheme"),
        pytest.param("//example.com/hook", id="no scheme, two slashes"),
        pytest.param("https://", id="no host"),
        pytest.param("https:///path", id="no host, a path"),
        pytest.param("https://example.com:port/", id="port not a number"),
        pytest.param("https://example.com:99999/", id="port too high"),
        pytest.param("https://[::1", id="open bracket"),
        pytest.param("https://example.com/a b", id="space inside"),
        pytest.param("https://example.com/\x00", id="control character"),
        pytest.param("https://example.com/\n/x", id="line break inside"),
        pytest.param("", id="empty"),
        pytest.param("  ", id="blank"),
        pytest.param(None, id="None"),
        pytest.param(5, id="number"),
    ],
)
def test_any_other_delivery_url_is_refused(url: Any) -> None:
    """The error is about the field `url`, as the server's would be."""
    with pytest.raises(errors.ValidationError) as caught:
        CALLS.create(name="x", url=url, events="ticket.created")
    assert ("url", None) == (caught.value.param, caught.value.status)


@given(st.text(st.characters()))
def test_every_delivery_url_is_accepted_or_refused(url: str) -> None:
    """No text makes the validation itself fail."""
    try:
        checked = validation.checked_url(url)
    except errors.ValidationError:
        return
    assert checked == validation.checked_url(checked)


@pytest.mark.parametrize("name", ["", "   ", "\n", None, 5, b"x", "unpaired \ud800 surrogate"])
def test_an_invalid_name_is_refused(name: Any) -> None:
    """The error is about the field `name`."""
    with pytest.raises(errors.ValidationError) as caught:
        assert CALLS.create(name=name, url="https://example.com", events="ticket.created").content
    assert ("name", None) == (caught.value.param, caught.value.status)


@pytest.mark.parametrize("name", ["A", "通知 🎉", "<img src=x onerror=alert(1)> $5 and $6", "x" * 1000])
def test_any_other_name_is_sent_as_it_is_given(name: str) -> None:
    """The reference documents no limits."""
    request = CALLS.create(name=name, url="https://example.com", events="ticket.created")
    assert name == validation.checked_name(name) == json.loads(request.content)["name"]


@pytest.mark.parametrize(
    ("call", "param"),
    [
        pytest.param(lambda: CALLS.create(events=[], **ID_AND_NAME), "events", id="create without events"),
        pytest.param(lambda: CALLS.create(events=["a b"], **ID_AND_NAME), "events", id="space in an event type"),
        pytest.param(lambda: CALLS.update("whk_1", name=" "), "name", id="update to a blank name"),
        pytest.param(lambda: CALLS.update("whk_1", url="http://e.com"), "url", id="update to plain http"),
        pytest.param(lambda: CALLS.update("whk_1", is_active="no"), "isActive", id="is_active as text"),
        pytest.param(lambda: CALLS.trigger_test(""), "event", id="fire nothing"),
        pytest.param(lambda: CALLS.trigger_test("ticket.created,ticket.closed"), "event", id="fire two"),
    ],
)
def test_an_invalid_value_is_refused_with_the_name_of_its_field(call, param: str) -> None:
    """The name is cStar's, so that a form can mark its field."""
    with pytest.raises(errors.ValidationError) as caught:
        call()
    assert (param, None) == (caught.value.param, caught.value.status)


def test_an_update_without_fields_is_refused() -> None:
    """An empty PATCH changes nothing."""
    with pytest.raises(errors.ValidationError):
        CALLS.update("whk_1")


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://www.cstar.help", "https://www.cstar.help"),
        ("https://www.cstar.help/", "https://www.cstar.help"),
        ("https://cstar.help:8443", "https://cstar.help:8443"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_base_url_is_https_or_loopback(base_url: str, expected: str) -> None:
    """A trailing slash is removed."""
    assert expected == validation.checked_base_url(base_url)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://www.cstar.help",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com",
        "http://0.0.0.0",
        "http://192.168.1.1",
        "https://user:word@www.cstar.help",
        "https://www.cstar.help?x=1",
        "https://www.cstar.help#x",
        "https://www.cstar.help:99999",
        "ftp://www.cstar.help",
        "www.cstar.help",
        "https://",
        "https://[::1",
        "https://www.cstar\n.help",
        "https://www.cstar.help/\x00",
        "https://www cstar help",
        "",
    ],
)
def test_any_other_base_url_is_refused(base_url: str) -> None:
    """The key would be sent unencrypted, or to another host."""
    with pytest.raises(errors.ConfigurationError):
        validation.checked_base_url(base_url)


@given(st.sampled_from(["", "\n", " ", "\r\n", "\t"]), st.sampled_from(["", "\n", " ", "/\n", "\r\n"]))
def test_a_base_url_with_white_space_around_it_is_trimmed_or_refused(before: str, after: str) -> None:
    """It is never used as it is."""
    try:
        checked = validation.checked_base_url(f"{before}https://www.cstar.help{after}")
    except errors.ConfigurationError:
        return
    assert "https://www.cstar.help" == checked


# --- successful responses ---------------------------------------------------------------------------------------------

WEBHOOK = {
    "id": "whk_1",
    "name": "Slack Notifications",
    "url": "https://hooks.slack.com/services/x",
    "events": ["ticket.created", "ticket.closed"],
    "isActive": True,
    "createdAt": "2025-11-01T10:00:00Z",
    "updatedAt": "2025-11-15T12:00:00Z",
}
SNAKE = {"isActive": "is_active", "createdAt": "created_at", "updatedAt": "updated_at"}


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(WEBHOOK, id="camelCase"),
        pytest.param({SNAKE.get(name, name): value for name, value in WEBHOOK.items()}, id="snake_case"),
        pytest.param(WEBHOOK | {"events": "ticket.created,ticket.closed"}, id="events as a string"),
        pytest.param(WEBHOOK | {"events": "ticket.created, ticket.closed"}, id="events as a string with spaces"),
        pytest.param(WEBHOOK | {"createdAt": "2025-11-01T10:00:00.000Z"}, id="milliseconds"),
        pytest.param(WEBHOOK | {"createdAt": "2025-11-01T11:00:00+01:00"}, id="another time zone"),
        pytest.param(dict(reversed(WEBHOOK.items())), id="another order"),
    ],
)
@pytest.mark.parametrize("request_", [GET, CREATE, UPDATE], ids=["get", "create", "update"])
def test_a_webhook_is_read_in_every_documented_form(request_, item: dict[str, Any]) -> None:
    """Spelling of names, events as list or string, and form of timestamps make no difference."""
    webhook = requests.read(request_, successful(item))
    assert {
        "id": "whk_1",
        "name": "Slack Notifications",
        "url": "https://hooks.slack.com/services/x",
        "events": ("ticket.created", "ticket.closed"),
        "is_active": True,
        "created_at": datetime(2025, 11, 1, 10, tzinfo=UTC),
        "updated_at": datetime(2025, 11, 15, 12, tzinfo=UTC),
        "secret": None,
        "extra": {},
    } == {name: getattr(webhook, name) for name in webhook.__slots__}


@pytest.mark.parametrize("name", ["secret", "signingSecret"])
def test_the_signing_secret_is_read_under_both_names(name: str) -> None:
    """It is a Secret and in no other field."""
    webhook = requests.read(CREATE, successful(WEBHOOK | {name: "whsec_AbCdEf1234567890"}, 201))
    assert cx.Secret("whsec_AbCdEf1234567890") == webhook.secret
    assert {} == webhook.extra
    assert "AbCdEf" not in repr(webhook)


def test_the_reference_name_of_the_secret_wins_and_neither_is_shown() -> None:
    """`secret` is the name in the reference."""
    webhook = requests.read(
        CREATE, successful(WEBHOOK | {"signingSecret": "whsec_second", "secret": "whsec_first"}, 201)
    )
    assert "whsec_first" == webhook.secret.reveal()
    assert "whsec_second" not in repr(webhook) + repr(webhook.extra)


def test_every_field_except_the_id_may_be_absent() -> None:
    """Each example in the reference omits some."""
    webhook = requests.read(GET, successful({"id": "whk_1"}))
    assert ("whk_1", None, None, None, None, None, None, None) == tuple(
        getattr(webhook, name) for name in webhook.__slots__ if name != "extra"
    )


def test_null_counts_as_absent() -> None:
    """For every field except the ID."""
    webhook = requests.read(GET, successful(dict.fromkeys(WEBHOOK) | {"id": "whk_1"}))
    assert (None, None, None, None, None) == (
        webhook.name,
        webhook.events,
        webhook.is_active,
        webhook.created_at,
        webhook.secret,
    )


def test_unknown_fields_are_kept_unchanged() -> None:
    """cStar may add fields."""
    new = {"flatPayload": True, "retry": {"max": 6}, "tags": [1, None]}
    assert new == requests.read(GET, successful(WEBHOOK | new)).extra


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [
        pytest.param("createdAt", "created_at", "soon", id="not a timestamp"),
        pytest.param("isActive", "is_active", "perhaps", id="not a boolean"),
        pytest.param("events", "events", {"a": 1}, id="events as an object"),
    ],
)
def test_a_value_of_the_wrong_type_is_kept_in_extra(name: str, attribute: str, value: Any) -> None:
    """The webhook is read, and the field is None."""
    webhook = requests.read(GET, successful(WEBHOOK | {name: value}))
    assert (None, {name: value}) == (getattr(webhook, attribute), webhook.extra)


def test_a_list_keeps_all_fields_and_the_order() -> None:
    """The items are unchanged."""
    items = [WEBHOOK | {"id": "whk_2", "new": 1}, WEBHOOK]
    assert items == list(requests.read(LIST, successful(items)).items)


@pytest.mark.parametrize(
    ("envelope", "more"),
    [
        pytest.param({}, False, id="no pagination"),
        pytest.param({"pagination": {"total": 1, "page": 1, "pageSize": 20}}, False, id="all on this page"),
        pytest.param({"pagination": {"total": 21, "page": 1, "pageSize": 20}}, True, id="top level"),
        pytest.param({"meta": {"pagination": {"total": 21, "page": 1, "pageSize": 20}}}, True, id="in meta"),
        pytest.param({"hasMore": True}, True, id="hasMore"),
        pytest.param({"hasMore": False}, False, id="hasMore false"),
        pytest.param({"pagination": "none"}, False, id="not an object"),
        pytest.param({"pagination": {"total": "many", "page": None}}, False, id="not numbers"),
    ],
)
def test_a_page_reports_whether_there_are_more(envelope: dict[str, Any], more: bool) -> None:
    """In each form on cStar's pages."""
    assert more == requests.read(LIST, response({"success": True, "data": [WEBHOOK]} | envelope)).more


def test_a_later_page_has_a_hundred_entries() -> None:
    """The most that cStar's pages allow."""
    assert f"{TEAM}?page=2&pageSize=100" == CALLS.list(page=2).url


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(
            {"event": "ticket.created", "eventId": "evt_abc123", "test": True, "deliveries": []},
            ("ticket.created", "evt_abc123", True, None, 0),
            id="API reference",
        ),
        pytest.param(
            {"event": "ticket.created", "deliveredTo": 3}, ("ticket.created", None, None, 3, 0), id="SDK's page"
        ),
        pytest.param(
            {"event": "ticket.created", "event_id": "evt_1", "delivered_to": 0, "deliveries": [{}, {}]},
            ("ticket.created", "evt_1", None, 0, 2),
            id="snake_case",
        ),
        pytest.param({}, (None, None, None, None, 0), id="nothing"),
    ],
)
def test_a_fired_event_is_read_in_every_documented_form(data: dict[str, Any], expected: tuple) -> None:
    """Every field may be absent."""
    fired = requests.read(FIRE, successful(data))
    assert expected == (fired.event, fired.event_id, fired.test, fired.delivered_to, len(fired.deliveries))


def test_a_delivery_is_read_as_the_sdk_shows_it() -> None:
    """The one documented shape of a delivery, with one more field."""
    item = {
        "deliveryId": "dlv_1",
        "event": "ticket.created",
        "url": "https://example.com",
        "success": False,
        "status": 500,
        "responseTimeMs": 12,
        "error": "HTTP 500",
        "attempt": 1,
    }
    (delivery,) = requests.read(FIRE, successful({"deliveries": [item]})).deliveries
    assert ("dlv_1", "ticket.created", "https://example.com", False, 500, 12, "HTTP 500", {"attempt": 1}) == (
        delivery.delivery_id,
        delivery.event,
        delivery.url,
        delivery.success,
        delivery.status,
        delivery.response_time_ms,
        delivery.error,
        delivery.extra,
    )


def test_whoami_is_read_as_the_sdk_shows_it() -> None:
    """Team, kind of key, environment, and unknown fields."""
    item = {"teamId": "t", "teamName": "n", "teamSlug": "s", "keyType": "secret", "environment": "live", "plan": "x"}
    who = requests.read(WHOAMI, successful(item))
    assert ("t", "n", "s", "secret", "live", {"plan": "x"}) == (
        who.team_id,
        who.team_name,
        who.team_slug,
        who.key_type,
        who.environment,
        who.extra,
    )


def test_a_confirmed_delete_returns_none() -> None:
    """The response must confirm it."""
    assert requests.read(DELETE, successful({"deleted": True})) is None


# --- errors -----------------------------------------------------------------------------------------------------------

DOCS = "https://www.cstar.help/developers"


def refusal(
    error_type: str | None = None, code: str | None = None, message: str | None = "No", **more: Any
) -> dict[str, Any]:
    """An error body in cStar's envelope."""
    error = {"type": error_type, "code": code, "message": message} | more
    return {"success": False, "error": {name: value for name, value in error.items() if value is not None}}


@pytest.mark.parametrize(
("status", "body", "error_class", "expected"),
    [
# The examples of the API reference
        pytest.param(
            401,
            refusal(
                "authentication_error",
                "authentication_required",
                "Invalid or expired API key",
                doc_url=f"{DOCS}/api-reference#authentication",
                request_id="req_abc123",
            ),
            errors.AuthenticationError,
            {
                "type": "authentication_error",
                "code": "authentication_required",
                "message": "Invalid or expired API key",
                "doc_url": f"{DOCS}/api-reference#authentication",
                "request_id": "req_abc123",
                "param": None,
            },
            id="reference 401",
        ),
        pytest.param(
            403,
            refusal("authorization_error", "insufficient_permissions", "Secret key required for this endpoint"),
            errors.PermissionDeniedError,
            {"type": "authorization_error", "code": "insufficient_permissions"},
            id="reference 403",
        ),
        pytest.param(
            404,
            refusal("not_found_error", "RESOURCE_MISSING", "Webhook not found", request_id="req_abc123"),
            errors.NotFoundError,
            {"code": "RESOURCE_MISSING", "message": "Webhook not found", "doc_url": None, "request_id": "req_abc123"},
            id="reference 404",
        ),
        pytest.param(
            400,
            refusal("validation_error", "PARAMETER_INVALID", "Unknown event type: invalid.event", param="event"),
            errors.ValidationError,
            {"type": "validation_error", "code": "PARAMETER_INVALID", "param": "event"},
            id="reference 400",
        ),
        pytest.param(
            429,
            refusal("rate_limit_error", "rate_limit_exceeded", "Rate limit exceeded. Try again in 60 seconds"),
            errors.RateLimitError,
            {"type": "rate_limit_error", "code": "rate_limit_exceeded", "retry_after": 60.0},
            id="reference 429",
        ),
# Every documented code of 401 and 403
        *[
            pytest.param(
                401,
                refusal("authentication_error", code),
                errors.AuthenticationError,
                {"type": "authentication_error", "code": code},
                id=f"401 {code}",
            )
            for code in ("authentication_required", "invalid_api_key", "invalid_key_format", "key_expired")
        ],
        *[
            pytest.param(
                403,
                refusal(error_type, code),
                errors.PermissionDeniedError,
                {"type": error_type, "code": code},
                id=f"403 {error_type} {code}",
            )
            for error_type in ("authorization_error", "authentication_error")
            for code in ("insufficient_permissions", "publishable_key_write", "team_access_denied")
        ],
# The other documented pairs
        pytest.param(
            400,
            refusal("invalid_request_error", "parameter_missing", param="name"),
            errors.ValidationError,
            {"type": "invalid_request_error", "code": "parameter_missing", "param": "name"},
            id="400 parameter_missing",
        ),
        pytest.param(
            404, refusal("not_found_error", "resource_missing"), errors.NotFoundError, {"code": "resource_missing"}, id="404 lower case"
        ),
        pytest.param(409, refusal("invalid_request_error"), errors.ConflictError, {"code": None}, id="409 conflict"),
        pytest.param(422, refusal("validation_error", param="url"), errors.ValidationError, {"param": "url"}, id="422"),
        *[
            pytest.param(status, refusal("api_error"), errors.ServerError, {"type": "api_error"}, id=f"{status}")
            for status in (500, 502, 503, 504, 599)
        ],
        pytest.param(418, refusal("api_error"), errors.StatusError, {"type": "api_error"}, id="undocumented status"),
# The status decides, whatever the body contains
        pytest.param(403, refusal("not_found_error"), errors.PermissionDeniedError, {}, id="status before type"),
        pytest.param(401, refusal("rate_limit_error", "RESOURCE_MISSING"), errors.AuthenticationError, {}, id="status before code"),
        # Older bodies
        pytest.param(
            401, {"error": {"code": "UNAUTHORIZED", "message": "No key"}}, errors.AuthenticationError,
            {"type": None, "code": "UNAUTHORIZED", "message": "No key"}, id="older 401",
        ),
        pytest.param(
            403, {"error": {"code": "FORBIDDEN", "message": "No"}}, errors.PermissionDeniedError, {"code": "FORBIDDEN"}, id="older 403"
        ),
        pytest.param(
            429, {"error": {"code": "RATE_LIMITED", "message": "Slow down", "retryAfter": 60}}, errors.RateLimitError,
            {"code": "RATE_LIMITED", "retry_after": 60.0}, id="older 429",
        ),
        pytest.param(
            401, {"success": False, "error": "Invalid API key"}, errors.AuthenticationError,
            {"message": "Invalid API key", "type": None, "code": None}, id="error as text",
        ),
        # Names that differ between pages
        pytest.param(400, refusal(field="url"), errors.ValidationError, {"param": "url"}, id="field instead of param"),
        pytest.param(400, refusal(param="name", field="url"), errors.ValidationError, {"param": "name"}, id="param before field"),
        pytest.param(
            404, refusal() | {"meta": {"requestId": "req_meta"}}, errors.NotFoundError, {"request_id": "req_meta"}, id="request id in meta"
        ),
        pytest.param(
            404, refusal(request_id="req_error") | {"meta": {"requestId": "req_meta"}}, errors.NotFoundError,
            {"request_id": "req_error"}, id="request id in both",
        ),
        *[
            pytest.param(400, refusal(doc_url=url), errors.ValidationError, {"doc_url": url}, id=f"doc_url {url[len(DOCS):]}")
            for url in (f"{DOCS}/errors#parameter_missing", f"{DOCS}/api/errors#parameter_missing")
        ],
    ],
)  # fmt: skip
def test_every_documented_error_is_read(status: int, body: Any, error_class: type, expected: dict[str, Any]) -> None:
    """The class follows the status, and the fields are as cStar sent them."""
    error = responses.error_in(response(body, status))
    assert (error_class, status) == (type(error), error.status)
    assert expected == {name: getattr(error, name) for name in expected}


@every_call
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html><body><h1>502 Bad Gateway</h1></body></html>", id="HTML"),
        pytest.param(b"", id="empty"),
        pytest.param(b'{"success": false, "error": {"type": "api_er', id="truncated"),
        pytest.param(b'"no"', id="JSON string"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"{}", id="empty object"),
        pytest.param(b'{"error": null}', id="error is null"),
        pytest.param(b'{"error": []}', id="error is a list"),
        pytest.param(b'{"error": {}}', id="error is empty"),
        pytest.param(b'{"error": {"message": {"deep": 1}, "code": 7, "type": [], "param": {}}}', id="fields of other types"),
        pytest.param(b'{"error": 5, "meta": []}', id="error a number, meta a list"),
        pytest.param(b"\xff\xfe\x00garbage", id="not text"),
        pytest.param(gzip.compress(b"{}")[:12], id="gzip garbage"),
        pytest.param(b"[" * 100_000, id="nested too deeply"),
        pytest.param(b'{"error": ' + b"9" * 5000 + b"}", id="number longer than Python reads"),
    ],
)  # fmt: skip
def test_a_500_without_a_readable_body_is_a_server_error(request_, body: bytes) -> None:
    """The text is short and names the status."""
    with pytest.raises(errors.ServerError) as caught:
        requests.read(request_, responses.Response(500, {"content-type": "text/html"}, body))
    assert 500 == caught.value.status
    assert "500" in str(caught.value)
    assert len(str(caught.value)) < 1500


def test_the_beginning_of_an_unreadable_body_is_shown_on_one_line() -> None:
    """Without control characters."""
    error = responses.error_in(response(b"<h1>Proxy\nlogin \x1b[31mrequired</h1>" + b"x" * 5000, 403))
    assert "Proxy" in str(error)
    assert set() == set("\n\x1b") & set(str(error))
    assert len(str(error)) < 1500


def test_an_error_message_contains_no_control_characters() -> None:
    """It is foreign text."""
    error = responses.error_in(response(refusal("x\x1b[31m", "c\u202e", "No\x1b[2J\nway", request_id="r\x00"), 400))
    assert set() == set("\x1b\n\u202e\x00") & set(str(error))


def test_a_key_in_an_error_message_is_masked() -> None:
    """A server may repeat the key that it refused."""
    error = responses.error_in(response(refusal(message=f"Unknown key {KEY}", code=KEY, param=f"Bearer {KEY}"), 401))
    assert HIDDEN not in f"{error}{error!r}"


@pytest.mark.parametrize("header", ["x-request-id", "x-cstar-request-id"])
def test_the_request_id_may_be_in_a_header(header: str) -> None:
    """If the body has none. `X-CStar-Request-Id` is the name on cStar's page about deliveries."""
    assert "req_header" == responses.error_in(response(b"", 500, {header: "req_header"})).request_id


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@every_call
def test_a_redirect_is_an_error_that_names_its_target(request_, status: int) -> None:
    """It is never followed."""
    with pytest.raises(errors.RedirectError, match=r"elsewhere\.example") as caught:
        requests.read(request_, response(b"", status, {"location": "https://elsewhere.example/x"}))
    assert status == caught.value.status


# --- responses that are not cStar's -------------------------------------------------------------------------------------


@every_call
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<!doctype html><title>Log in</title>", id="HTML"),
        pytest.param(b"", id="empty"),
        pytest.param(b'{"success": true, "data": {"id": "wh', id="truncated"),
        pytest.param(b'"ok"', id="JSON string"),
        pytest.param(b"[]", id="JSON list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}", id="empty object"),
        pytest.param(b'{"success": true}', id="no data"),
        pytest.param(b'{"success": true, "data": null}', id="data is null"),
        pytest.param(b'{"success": true, "data": "ok"}', id="data is text"),
        pytest.param(b'{"success": true, "data": 1}', id="data is a number"),
        pytest.param(b"\xff\xfe\x00garbage", id="not text"),
        pytest.param(gzip.compress(b"{}")[:12], id="gzip garbage"),
        pytest.param(b"[" * 100_000, id="nested too deeply"),
        pytest.param(b'{"data": ' + b"9" * 5000 + b"}", id="number longer than Python reads"),
    ],
)
def test_a_200_without_cstars_envelope_is_an_invalid_response(request_, body: bytes) -> None:
    """Never a success, and never a KeyError."""
    with pytest.raises(errors.InvalidResponseError) as caught:
        requests.read(request_, responses.Response(200, {"content-type": "text/html"}, body))
    assert 200 == caught.value.status
    assert len(str(caught.value)) < 1500


@pytest.mark.parametrize(
    ("request_", "data"),
    [
        pytest.param(LIST, {"id": "whk_1"}, id="object for a list"),
        pytest.param(LIST, [1], id="list of numbers"),
        pytest.param(LIST, [None], id="list of null"),
        pytest.param(LIST, [{"name": "no id"}], id="list with an entry without an ID"),
        pytest.param(GET, [{"id": "whk_1"}], id="list for an object"),
        pytest.param(GET, {"name": "no id"}, id="webhook without an ID"),
        pytest.param(GET, {"id": ""}, id="webhook with an empty ID"),
        pytest.param(GET, {"id": None}, id="webhook with a null ID"),
        pytest.param(CREATE, {"secret": "whsec_x"}, id="created webhook without an ID"),
        pytest.param(DELETE, {"deleted": False}, id="deleted false"),
        pytest.param(DELETE, {}, id="deleted absent"),
        pytest.param(FIRE, [], id="list for a fired event"),
        pytest.param(WHOAMI, [], id="list for an identity"),
        pytest.param(GET, {"id": "whk_2"}, id="webhook that was not requested"),
        pytest.param(UPDATE, {"id": "whk_2"}, id="updated webhook that was not requested"),
        pytest.param(GET, {"id": True}, id="webhook with a boolean ID"),
        pytest.param(GET, {"id": ["whk_1"]}, id="webhook with a list as ID"),
    ],
)
def test_data_of_the_wrong_type_is_an_invalid_response(request_, data: Any) -> None:
    """Nothing is guessed."""
    with pytest.raises(errors.InvalidResponseError):
        requests.read(request_, successful(data))


@every_call
@pytest.mark.parametrize("success", [None, False, "true", 1, "absent"])
def test_success_must_be_true(request_, success: Any) -> None:
    """`data` alone is not cStar's envelope."""
    envelope = {"data": [WEBHOOK]} if request_ is LIST else {"data": WEBHOOK | {"deleted": True}}
    if success != "absent":
        envelope["success"] = success
    with pytest.raises(errors.InvalidResponseError, match="not cStar's"):
        requests.read(request_, response(envelope))


def test_an_invalid_response_shows_the_beginning_of_the_body() -> None:
    """The reader sees what arrived instead."""
    with pytest.raises(errors.InvalidResponseError, match="Log in to the airport"):
        requests.read(LIST, responses.Response(200, {"content-type": "text/html"}, b"<h1>Log in to the airport</h1>"))


def test_an_invalid_response_to_create_does_not_show_the_signing_secret() -> None:
    """It is masked in the beginning of the body."""
    body = b'{"data": {"secret": "whsec_AbCdEf1234567890", "name": "no id", "key": "' + KEY.encode() + b'"}}'
    with pytest.raises(errors.InvalidResponseError) as caught:
        requests.read(CREATE, responses.Response(201, {}, body))
    assert "AbCdEf1234567890" not in f"{caught.value}{caught.value!r}{vars(caught.value)}"
    assert HIDDEN not in f"{caught.value}{caught.value!r}{vars(caught.value)}"


def test_success_false_with_status_200_is_an_error() -> None:
    """With cStar's message."""
    with pytest.raises(errors.CStarError, match="No such luck"):
        requests.read(LIST, response(refusal("api_error", message="No such luck") | {"data": []}))


def test_json_is_read_whatever_the_content_type() -> None:
    """The body counts."""
    content = json.dumps({"success": True, "data": WEBHOOK}).encode()

    assert "whk_1" == requests.read(GET, responses.Response(200, {"content-type": "text/plain"}, content)).id


# --- how long to wait -------------------------------------------------------------------------------------------------

NOW = {"date": "Wed, 10 Dec 2025 14:30:00 GMT"}
IN_90_S = {"x-ratelimit-reset": "1765377090"}
MESSAGE = {"message": "Rate limit exceeded. Try again in 42 seconds"}


@pytest.mark.parametrize(
    ("headers", "error", "seconds"),
    [
        pytest.param({"retry-after": "5"} | NOW | IN_90_S, {"retryAfter": 7} | MESSAGE, 5.0, id="header first"),
        pytest.param(NOW | IN_90_S, {"retryAfter": 7} | MESSAGE, 7.0, id="then the body"),
        pytest.param(NOW | IN_90_S, MESSAGE, 90.0, id="then the reset, minus the response's date"),
        pytest.param(IN_90_S, MESSAGE, 42.0, id="reset without a date"),
        pytest.param({}, MESSAGE, 42.0, id="then the message"),
pytest.param({}, {"message": "Slow down"}, None, id="no wait named"),
        pytest.param({"retry-after": "Wed, 10 Dec 2025 14:31:00 GMT"} | NOW, {}, 60.0, id="header as a date"),
        pytest.param({"retry-after": "0"}, MESSAGE, 0.0, id="0"),
        pytest.param({"retry-after": "172800"}, MESSAGE, 172800.0, id="two days"),
        pytest.param({"retry-after": "1" * 12}, MESSAGE, float("1" * 12), id="many years"),
        pytest.param({}, {"retryAfter": 10**9} | MESSAGE, 1e9, id="many years, in the body"),
        pytest.param({"retry-after": "Wed, 10 Dec 2025 14:29:00 GMT"} | NOW, {}, 0.0, id="header as a date that has passed"),
        pytest.param({"x-ratelimit-reset": "1765376990"} | NOW, MESSAGE, 0.0, id="reset that has passed"),
        pytest.param({"x-ratelimit-reset": "60"} | NOW, MESSAGE, 0.0, id="reset in 1970"),
        pytest.param({"x-ratelimit-reset": "1765377000000"} | NOW, MESSAGE, 1765377000000.0 - 1765377000, id="reset in milliseconds"),
        *[
            pytest.param({"retry-after": value}, {"retryAfter": 7}, 7.0, id=f"header {value!r}")
            for value in ("-1", "1e9", "nan", "inf", "soon", "", "0x10", "9" * 400)
        ],
        *[
            pytest.param({}, {"retryAfter": value} | MESSAGE, 42.0, id=f"body {value!r:.20}")
            for value in (-1, 10**400, float("nan"), float("inf"), None, "soon", [], {}, True)
        ],
        *[
            pytest.param({"x-ratelimit-reset": value} | NOW, MESSAGE, 42.0, id=f"reset {value!r:.20}")
            for value in ("nan", "inf", "soon", "", "9" * 400)
        ],
        pytest.param(IN_90_S | {"date": "yesterday"}, MESSAGE, 42.0, id="invalid date"),
        pytest.param(
            IN_90_S | {"date": "Fri, 31 Dec 9999 23:59:59 -2359"}, MESSAGE, 0.0, id="date after the year 9999"
        ),
        pytest.param({}, {"message": "Try again in 172800 seconds"}, 172800.0, id="two days, in the message"),
        pytest.param({}, {"message": ["in 42 seconds"]}, None, id="message of another type"),
        pytest.param({}, {"message": "Plan of 100 requests. Try again in 1 second"}, 1.0, id="seconds, not another number"),
    ],
)  # fmt: skip
def test_the_first_readable_wait_counts(headers: dict[str, str], error: dict[str, Any], seconds: float | None) -> None:
    """Header, body, reset, message. Negative and unreadable values are ignored; a time that has passed is 0."""
    assert seconds == responses.seconds_to_wait(responses.Response(429, headers, b""), error)


def test_the_end_of_a_long_number_is_no_wait() -> None:
    """A message with more digits than can be read names either the whole number or none."""
    response_ = responses.Response(429, {}, b"")
    seconds = responses.seconds_to_wait(response_, {"message": "Try again in 123456789012 seconds"})
    assert seconds in (None, 123456789012.0)


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Wed, 10 Dec 2025 14:30:00 +9999",
        "Wed, 99 Dec 2025 14:30:00 GMT",
        "soon",
        "",
        "\x00",
    ],
)
def test_an_unreadable_date_counts_as_absent(date: str) -> None:
    """It fails no call."""
    assert responses.date_of(response({}, headers={"date": date})) is None


# --- arbitrary responses ----------------------------------------------------------------------------------------------

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(st.characters(), max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
FIELD_NAMES = st.sampled_from([
    "id", "name", "url", "events", "isActive", "createdAt", "secret", "signingSecret", "error", "code", "type",
    "message", "param", "field", "doc_url", "request_id", "retryAfter", "requestId", "event", "eventId", "test",
    "deliveries", "deliveredTo", "deleted", "teamId", "status", "pagination", "total", "page",
])  # fmt: skip
OBJECTS = st.dictionaries(FIELD_NAMES, JSON_VALUES | st.lists(st.dictionaries(FIELD_NAMES, JSON_VALUES)), max_size=6)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "success": JSON_VALUES,
        "data": OBJECTS | st.lists(OBJECTS | JSON_VALUES, max_size=4) | JSON_VALUES,
        "error": OBJECTS | JSON_VALUES,
        "meta": OBJECTS | JSON_VALUES,
        "pagination": OBJECTS | JSON_VALUES,
        "hasMore": JSON_VALUES,
    },
)
BODIES = st.binary() | ENVELOPES.map(lambda envelope: json.dumps(envelope).encode())
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "retry-after", "x-ratelimit-reset", "date", "location", "x-request-id"]),
    st.text(max_size=30) | st.integers().map(str) | st.just("Wed, 10 Dec 2025 14:30:00 GMT"),
)


@given(st.sampled_from(list(REQUESTS.values())), st.sampled_from([200, 201]) | st.integers(100, 599), HEADERS, BODIES)
def test_any_response_is_read_or_raises_an_error_of_the_package(
    request_, status: int, headers: dict[str, str], body: bytes
) -> None:
    """The result or the error can be displayed."""
    try:
        outcome = requests.read(request_, responses.Response(status, headers, body))
    except errors.CStarError as error:
        outcome = str(error)
        assert set() == {unicodedata.category(character) for character in outcome} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert repr(outcome).encode()
