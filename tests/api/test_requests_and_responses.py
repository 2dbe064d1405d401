"""What each call sends, and how each answer is read: held against cStar's pages, without a network."""

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

KEY = "sk_live_abcdefghijklmnopqrstuvwxyz012345"
HIDDEN = KEY.removeprefix("sk_live_")
HOST = "https://www.cstar.help"
TEAM = f"{HOST}/api/v1/teams/team_1/webhooks"
CALLS = requests.WebhookRequests(HOST, "team_1", cx.Secret(KEY))
ID_AND_NAME = {"name": "My Webhook", "url": "https://example.com/webhook"}

LIST = CALLS.list()
GET = CALLS.get("whk_1")
CREATE = CALLS.create(events="ticket.created,ticket.closed", **ID_AND_NAME)
UPDATE = CALLS.update("whk_1", events="ticket.created,ticket.updated,ticket.closed")
DELETE = CALLS.delete("whk_1")
FIRE = CALLS.trigger_test("ticket.created")
WHOAMI = requests.whoami(HOST, cx.Secret(KEY))
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


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> responses.Response:
    """An answer with this JSON as its body, or with these very bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return responses.Response(status, {"content-type": "application/json"} | (headers or {}), content)


def good(data: Any, status: int = 200) -> responses.Response:
    return answer({"success": True, "data": data, "meta": {"requestId": "req_abc123"}}, status)


# --- what is sent -----------------------------------------------------------------------------------------------------


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
            id="update the rest",
        ),
        pytest.param(DELETE, "DELETE", f"{TEAM}/whk_1", None, id="delete"),
        pytest.param(FIRE, "POST", f"{TEAM}/trigger-test", {"event": "ticket.created"}, id="trigger_test"),
        pytest.param(WHOAMI, "GET", f"{HOST}/api/v1/auth/whoami", None, id="whoami"),
    ],
)
def test_a_request_is_what_the_api_reference_prints(request_, method: str, url: str, body: dict | None) -> None:
    """Method, path and body, and the body's bytes are that JSON and nothing else."""
    assert (method, url, body) == (request_.method, request_.url, request_.body)
    assert body == (json.loads(request_.content) if request_.content else None)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(["ticket.created", "ticket.closed"], id="list"),
        pytest.param(("ticket.created", "ticket.closed", "ticket.created"), id="tuple with one twice"),
        pytest.param(" ticket.created , ticket.closed ", id="string with spaces"),
    ],
)
def test_events_go_out_as_the_references_one_string(events: Any) -> None:
    """However they are given: comma-separated, no spaces, each once."""
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
def test_a_request_knows_whether_it_changes_something(name: str, writes: bool) -> None:
    """The four calls for which the reference asks for a secret key are the ones that write."""
    assert writes == REQUESTS[name].writes


@every_call
def test_a_request_is_shown_without_its_key(request_) -> None:
    """Neither the text, the headers nor the curl line hold it; which kind of key it is can be seen."""
    shown = [repr(request_), str(request_), str(request_.headers), request_.curl(), repr(vars(request_))]
    assert [False] * 5 == [HIDDEN in text for text in shown]
    assert "Bearer sk_live_••••" == request_.headers["Authorization"]


def test_a_request_reads_as_http() -> None:
    """Request line, masked key, and the body."""
    shown = repr(CREATE)
    assert shown.startswith(f"POST {TEAM}\n")
    assert "Authorization: Bearer sk_live_••••" in shown
    assert '"events": "ticket.created,ticket.closed"' in shown


@every_call
def test_the_curl_line_is_the_same_call_to_a_shell(request_) -> None:
    """A real shell splits it into the same method, address and body, with the key from the environment."""
    told = _as_a_shell_sees_it(request_.curl())
    assert request_.method == (told[told.index("-X") + 1] if "-X" in told else "GET")
    assert request_.url in told
    assert f"Authorization: Bearer {KEY}" in told
    assert request_.body == (json.loads(told[told.index("-d") + 1]) if "-d" in told else None)


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
def test_the_curl_line_carries_any_name_unharmed(name: str) -> None:
    """Names are other people's text, and a shell must not act on them."""
    told = _as_a_shell_sees_it(CALLS.create(name=name, url="https://e.com/?a=1&b='2'", events="ticket.*").curl())
    assert {"name": name, "url": "https://e.com/?a=1&b='2'", "events": "ticket.*"} == json.loads(
        told[told.index("-d") + 1]
    )


def _as_a_shell_sees_it(line: str) -> list[str]:
    """The arguments that `curl` would be given."""
    done = subprocess.run(
        ["sh", "-c", f'curl() {{ printf "%s\\0" "$@"; }}\n{line}'],
        env={"PATH": os.environ["PATH"], "CSTAR_KEY": KEY},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize(
    ("id_", "encoded"),
    [
        pytest.param("whk_a1b2c3d4e5f6", "whk_a1b2c3d4e5f6", id="as published"),
        pytest.param("wh_001", "wh_001", id="older form"),
        pytest.param("01234567-89ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcdef", id="UUID"),
        pytest.param("../../admin", "..%2F..%2Fadmin", id="a way out of the path"),
        pytest.param("//evil.example/x", "%2F%2Fevil.example%2Fx", id="another host"),
        pytest.param("a?b=c#d", "a%3Fb%3Dc%23d", id="query and fragment"),
        pytest.param("a%2Fb", "a%252Fb", id="already encoded"),
        pytest.param("a b", "a%20b", id="space"),
        pytest.param("ä", "%C3%A4", id="other alphabet"),
        pytest.param("a.b", "a.b", id="a dot inside"),
        pytest.param("a;b", "a%3Bb", id="semicolon"),
        pytest.param("a\\b", "a%5Cb", id="backslash"),
    ],
)
def test_an_id_is_one_segment_of_the_path(id_: str, encoded: str) -> None:
    """Nothing in an id can lead the request elsewhere."""
    assert encoded == validation.segment(id_, "webhook_id")
    assert [f"{TEAM}/{encoded}"] * 3 == [
        request.url for request in (CALLS.get(id_), CALLS.delete(id_), CALLS.update(id_, name="x"))
    ]
    assert f"{HOST}/api/v1/teams/{encoded}/webhooks" == requests.WebhookRequests(HOST, id_, cx.Secret(KEY)).list().url


@pytest.mark.parametrize(
    "id_",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param(".", id="a dot"),
        pytest.param("..", id="two dots"),
        pytest.param("...", id="three dots"),
        pytest.param("a\x00b", id="NUL"),
        pytest.param("a\nb", id="line feed"),
        pytest.param("a\r\nHost: x", id="header injection"),
        pytest.param("a\x7f", id="delete"),
        pytest.param("a\x85", id="C1 control"),
        pytest.param("\ud800", id="half a character"),
        pytest.param(None, id="None"),
        pytest.param(7, id="a number"),
        pytest.param(b"whk_1", id="bytes"),
    ],
)
@pytest.mark.parametrize("call", [CALLS.get, CALLS.delete, lambda id_: CALLS.update(id_, name="x")])
def test_what_cannot_be_an_id_is_refused(call, id_: Any) -> None:
    """Before anything is sent, and naming the parameter."""
    with pytest.raises(errors.ValidationError) as caught:
        call(id_)
    assert ("webhook_id", None) == (caught.value.param, caught.value.status)


@given(st.text(st.characters()))
def test_every_id_is_one_segment_or_refused(id_: str) -> None:
    """Whatever the text, decoding the segment gives it back, and no character of it has a meaning in a URL."""
    try:
        encoded = validation.segment(id_, "webhook_id")
    except errors.ValidationError:
        return
    assert id_ == urllib.parse.unquote(encoded)
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
def test_a_delivery_url_is_https_or_on_this_machine(url: str) -> None:
    """It is sent as it was given."""
    assert url == validation.checked_url(url)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://example.com/", id="plain http"),
        pytest.param("http://127.0.0.1.example.com/", id="a host that begins like loopback"),
        pytest.param("http://localhost.example.com/", id="a host that begins like localhost"),
        pytest.param("http://127.0.0.1@example.com/", id="loopback as the user"),
        pytest.param("ftp://example.com/", id="ftp"),
        pytest.param("javascript:alert(1)", id="javascript"),
        pytest.param("file:///home/hook", id="file"),
        pytest.param("example.com/hook", id="no scheme"),
        pytest.param("//example.com/hook", id="no scheme, two slashes"),
        pytest.param("https://", id="no host"),
        pytest.param("https:///path", id="no host, a path"),
        pytest.param("https://example.com:port/", id="a port that is none"),
        pytest.param("https://example.com:99999/", id="a port too high"),
        pytest.param("https://[::1", id="a bracket open"),
        pytest.param("https://example.com/a b", id="a space inside"),
        pytest.param("https://example.com/\x00", id="a control character"),
        pytest.param("https://example.com/\n/x", id="a line break inside"),
        pytest.param("", id="empty"),
        pytest.param("  ", id="blank"),
        pytest.param(None, id="None"),
        pytest.param(5, id="a number"),
    ],
)
def test_any_other_delivery_url_is_refused_and_named(url: Any) -> None:
    """The error belongs to the field `url`, as the server's would."""
    with pytest.raises(errors.ValidationError) as caught:
        CALLS.create(name="x", url=url, events="ticket.created")
    assert ("url", None) == (caught.value.param, caught.value.status)


@given(st.text(st.characters()))
def test_checking_any_delivery_url_only_ever_refuses(url: str) -> None:
    """No text makes the check itself fail."""
    try:
        checked = validation.checked_url(url)
    except errors.ValidationError:
        return
    assert checked == validation.checked_url(checked)


@pytest.mark.parametrize("name", ["", "   ", "\n", None, 5, b"x", "half a \ud800 character"])
def test_a_name_that_cannot_be_sent_is_refused(name: Any) -> None:
    """The error belongs to the field `name`."""
    with pytest.raises(errors.ValidationError) as caught:
        assert CALLS.create(name=name, url="https://example.com", events="ticket.created").content
    assert ("name", None) == (caught.value.param, caught.value.status)


@pytest.mark.parametrize("name", ["A", "通知 🎉", "<img src=x onerror=alert(1)> $5 and $6", "x" * 1000])
def test_any_other_name_goes_out_as_it_was_given(name: str) -> None:
    """The reference sets no limits, and so neither do we."""
    request = CALLS.create(name=name, url="https://example.com", events="ticket.created")
    assert name == validation.checked_name(name) == json.loads(request.content)["name"]


@pytest.mark.parametrize(
    ("call", "param"),
    [
        pytest.param(lambda: CALLS.create(events=[], **ID_AND_NAME), "events", id="create without events"),
        pytest.param(lambda: CALLS.create(events=["a b"], **ID_AND_NAME), "events", id="a space in an event"),
        pytest.param(lambda: CALLS.update("whk_1", name=" "), "name", id="update to a blank name"),
        pytest.param(lambda: CALLS.update("whk_1", url="http://e.com"), "url", id="update to plain http"),
        pytest.param(lambda: CALLS.update("whk_1", is_active="no"), "isActive", id="a flag that is text"),
        pytest.param(lambda: CALLS.trigger_test(""), "event", id="fire nothing"),
        pytest.param(lambda: CALLS.trigger_test("ticket.created,ticket.closed"), "event", id="fire two"),
    ],
)
def test_a_value_that_cannot_work_is_refused_with_its_name(call, param: str) -> None:
    """The name is the server's, so that a form finds its field."""
    with pytest.raises(errors.ValidationError) as caught:
        call()
    assert (param, None) == (caught.value.param, caught.value.status)


def test_an_update_of_nothing_is_refused() -> None:
    """An empty PATCH says nothing."""
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
def test_a_base_url_is_https_or_on_this_machine(base_url: str, expected: str) -> None:
    """It has no slash at the end, so that paths can follow."""
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
    """The key would travel in clear, or to somewhere else."""
    with pytest.raises(errors.ConfigurationError):
        validation.checked_base_url(base_url)


@given(st.sampled_from(["", "\n", " ", "\r\n", "\t"]), st.sampled_from(["", "\n", " ", "/\n", "\r\n"]))
def test_white_space_around_a_base_url_does_not_get_through(before: str, after: str) -> None:
    """An address pasted with a line break is cleaned or refused, never used as it is."""
    try:
        checked = validation.checked_base_url(f"{before}https://www.cstar.help{after}")
    except errors.ConfigurationError:
        return
    assert "https://www.cstar.help" == checked


# --- good answers -----------------------------------------------------------------------------------------------------

WEBHOOK = {
    "id": "whk_a1b2c3d4e5f6",
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
def test_a_webhook_is_read_in_every_published_spelling(request_, item: dict[str, Any]) -> None:
    """Casing, list or string, and the form of a time make no difference."""
    webhook = requests.read(request_, good(item))
    assert {
        "id": "whk_a1b2c3d4e5f6",
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
def test_the_signing_secret_is_read_under_both_its_names(name: str) -> None:
    """It is a Secret, and in no other field."""
    webhook = requests.read(CREATE, good(WEBHOOK | {name: "whsec_AbCdEf1234567890"}, 201))
    assert cx.Secret("whsec_AbCdEf1234567890") == webhook.secret
    assert {} == webhook.extra
    assert "AbCdEf" not in repr(webhook)


def test_both_names_of_the_secret_at_once_give_the_references_and_leak_neither() -> None:
    """`secret` is the reference's name, and comes first."""
    webhook = requests.read(CREATE, good(WEBHOOK | {"signingSecret": "whsec_second", "secret": "whsec_first"}, 201))
    assert "whsec_first" == webhook.secret.reveal()
    assert "whsec_second" not in repr(webhook) + repr(webhook.extra)


def test_every_field_but_the_id_may_be_absent() -> None:
    """Each of the reference's own samples leaves some out."""
    webhook = requests.read(GET, good({"id": "whk_1"}))
    assert ("whk_1", None, None, None, None, None, None, None) == tuple(
        getattr(webhook, name) for name in webhook.__slots__ if name != "extra"
    )


def test_null_counts_as_absent() -> None:
    """A field sent as null is a field not told."""
    webhook = requests.read(GET, good(dict.fromkeys(WEBHOOK) | {"id": "whk_1"}))
    assert (None, None, None, None, None) == (
        webhook.name,
        webhook.events,
        webhook.is_active,
        webhook.created_at,
        webhook.secret,
    )


def test_fields_that_nobody_knows_are_kept_as_they_came() -> None:
    """cStar may add some any day."""
    new = {"flatPayload": True, "retry": {"max": 6}, "tags": [1, None]}
    assert new == requests.read(GET, good(WEBHOOK | new)).extra


@pytest.mark.parametrize(
    ("name", "attribute", "misfit"),
    [
        pytest.param("createdAt", "created_at", "soon", id="a time that is none"),
        pytest.param("isActive", "is_active", "perhaps", id="a flag that is none"),
        pytest.param("events", "events", {"a": 1}, id="events that are an object"),
    ],
)
def test_a_value_that_does_not_fit_is_kept_aside(name: str, attribute: str, misfit: Any) -> None:
    """The webhook is read, the field is None, and the value is not lost."""
    webhook = requests.read(GET, good(WEBHOOK | {name: misfit}))
    assert (None, {name: misfit}) == (getattr(webhook, attribute), webhook.extra)


def test_a_list_keeps_every_field_and_the_order() -> None:
    """The items are as cStar sent them."""
    items = [WEBHOOK | {"id": "whk_2", "new": 1}, WEBHOOK]
    assert items == list(requests.read(LIST, good(items)).items)


@pytest.mark.parametrize(
    ("envelope", "more"),
    [
        pytest.param({}, False, id="nothing said"),
        pytest.param({"pagination": {"total": 1, "page": 1, "pageSize": 20}}, False, id="all on this page"),
        pytest.param({"pagination": {"total": 21, "page": 1, "pageSize": 20}}, True, id="top level"),
        pytest.param({"meta": {"pagination": {"total": 21, "page": 1, "pageSize": 20}}}, True, id="in meta"),
        pytest.param({"hasMore": True}, True, id="hasMore"),
        pytest.param({"hasMore": False}, False, id="hasMore, and there is none"),
        pytest.param({"pagination": "none"}, False, id="not an object"),
        pytest.param({"pagination": {"total": "many", "page": None}}, False, id="not numbers"),
    ],
)
def test_a_page_tells_whether_there_is_more(envelope: dict[str, Any], more: bool) -> None:
    """Each form that any of cStar's pages shows is read."""
    assert more == requests.read(LIST, answer({"success": True, "data": [WEBHOOK]} | envelope)).more


def test_a_later_page_is_asked_for_a_hundred_at_a_time() -> None:
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
        pytest.param({}, (None, None, None, None, 0), id="nothing told"),
    ],
)
def test_a_fired_event_is_read_in_every_published_form(data: dict[str, Any], expected: tuple) -> None:
    """Every field may be absent, and no deliveries told is no failure."""
    fired = requests.read(FIRE, good(data))
    assert expected == (fired.event, fired.event_id, fired.test, fired.delivered_to, len(fired.deliveries))


def test_a_delivery_is_read_as_the_sdk_shows_it_and_loses_nothing() -> None:
    """The one published shape of a delivery, with a field more."""
    told = {
        "deliveryId": "dlv_1",
        "event": "ticket.created",
        "url": "https://example.com",
        "success": False,
        "status": 500,
        "responseTimeMs": 12,
        "error": "HTTP 500",
        "attempt": 1,
    }
    (delivery,) = requests.read(FIRE, good({"deliveries": [told]})).deliveries
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
    """Team, kind of key and environment, and fields nobody knows."""
    told = {"teamId": "t", "teamName": "n", "teamSlug": "s", "keyType": "secret", "environment": "live", "plan": "x"}
    who = requests.read(WHOAMI, good(told))
    assert ("t", "n", "s", "secret", "live", {"plan": "x"}) == (
        who.team_id,
        who.team_name,
        who.team_slug,
        who.key_type,
        who.environment,
        who.extra,
    )


def test_a_confirmed_delete_is_nothing() -> None:
    """There is nothing left to return."""
    assert requests.read(DELETE, good({"deleted": True})) is None


# --- refusals ---------------------------------------------------------------------------------------------------------

DOCS = "https://www.cstar.help/developers"


def told(kind: str | None = None, code: str | None = None, message: str | None = "No", **more: Any) -> dict[str, Any]:
    """An error body in cStar's envelope."""
    error = {"type": kind, "code": code, "message": message} | more
    return {"success": False, "error": {name: value for name, value in error.items() if value is not None}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "expected"),
    [
        # The API reference's own samples
        pytest.param(
            401,
            told(
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
            told("authorization_error", "insufficient_permissions", "Secret key required for this endpoint"),
            errors.PermissionDeniedError,
            {"type": "authorization_error", "code": "insufficient_permissions"},
            id="reference 403",
        ),
        pytest.param(
            404,
            told("not_found_error", "RESOURCE_MISSING", "Webhook not found", request_id="req_abc123"),
            errors.NotFoundError,
            {"code": "RESOURCE_MISSING", "message": "Webhook not found", "doc_url": None, "request_id": "req_abc123"},
            id="reference 404",
        ),
        pytest.param(
            400,
            told("validation_error", "PARAMETER_INVALID", "Unknown event type: invalid.event", param="event"),
            errors.ValidationError,
            {"type": "validation_error", "code": "PARAMETER_INVALID", "param": "event"},
            id="reference 400",
        ),
        pytest.param(
            429,
            told("rate_limit_error", "rate_limit_exceeded", "Rate limit exceeded. Try again in 60 seconds"),
            errors.RateLimitError,
            {"type": "rate_limit_error", "code": "rate_limit_exceeded", "retry_after": 60.0},
            id="reference 429",
        ),
        # Every published code of 401 and 403
        *[
            pytest.param(
                401,
                told("authentication_error", code),
                errors.AuthenticationError,
                {"type": "authentication_error", "code": code},
                id=f"401 {code}",
            )
            for code in ("authentication_required", "invalid_api_key", "invalid_key_format", "key_expired")
        ],
        *[
            pytest.param(
                403, told(kind, code), errors.PermissionDeniedError, {"type": kind, "code": code}, id=f"403 {kind} {code}"
            )
            for kind in ("authorization_error", "authentication_error")
            for code in ("insufficient_permissions", "publishable_key_write", "team_access_denied")
        ],
        # The other published pairs
        pytest.param(
            400,
            told("invalid_request_error", "parameter_missing", param="name"),
            errors.ValidationError,
            {"type": "invalid_request_error", "code": "parameter_missing", "param": "name"},
            id="400 parameter_missing",
        ),
        pytest.param(
            404, told("not_found_error", "resource_missing"), errors.NotFoundError, {"code": "resource_missing"}, id="404 lower case"
        ),
        pytest.param(409, told("invalid_request_error"), errors.ConflictError, {"code": None}, id="409 conflict"),
        pytest.param(422, told("validation_error", param="url"), errors.ValidationError, {"param": "url"}, id="422"),
        *[
            pytest.param(status, told("api_error"), errors.ServerError, {"type": "api_error"}, id=f"{status}")
            for status in (500, 502, 503, 504, 599)
        ],
        pytest.param(418, told("api_error"), errors.StatusError, {"type": "api_error"}, id="a status nobody describes"),
        # The status decides, whatever the body says
        pytest.param(403, told("not_found_error"), errors.PermissionDeniedError, {}, id="status before type"),
        pytest.param(401, told("rate_limit_error", "RESOURCE_MISSING"), errors.AuthenticationError, {}, id="status before code"),
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
            {"message": "Invalid API key", "type": None, "code": None}, id="error as a bare string",
        ),
        # Names that differ between pages
        pytest.param(400, told(field="url"), errors.ValidationError, {"param": "url"}, id="field instead of param"),
        pytest.param(400, told(param="name", field="url"), errors.ValidationError, {"param": "name"}, id="param before field"),
        pytest.param(
            404, told() | {"meta": {"requestId": "req_meta"}}, errors.NotFoundError, {"request_id": "req_meta"}, id="request id in meta"
        ),
        pytest.param(
            404, told(request_id="req_error") | {"meta": {"requestId": "req_meta"}}, errors.NotFoundError,
            {"request_id": "req_error"}, id="request id in both",
        ),
        *[
            pytest.param(400, told(doc_url=url), errors.ValidationError, {"doc_url": url}, id=f"doc_url {url[len(DOCS):]}")
            for url in (f"{DOCS}/errors#parameter_missing", f"{DOCS}/api/errors#parameter_missing")
        ],
    ],
)  # fmt: skip
def test_every_published_error_is_read(status: int, body: Any, kind: type, expected: dict[str, Any]) -> None:
    """The class follows the status, and the fields are as cStar sent them."""
    error = responses.error_in(answer(body, status))
    assert (kind, status) == (type(error), error.status)
    assert expected == {name: getattr(error, name) for name in expected}


@every_call
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html><body><h1>502 Bad Gateway</h1></body></html>", id="HTML"),
        pytest.param(b"", id="empty"),
        pytest.param(b'{"success": false, "error": {"type": "api_er', id="truncated"),
        pytest.param(b'"no"', id="a bare string"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b'{"error": null}', id="error is null"),
        pytest.param(b'{"error": []}', id="error is a list"),
        pytest.param(b'{"error": {}}', id="error is empty"),
        pytest.param(b'{"error": {"message": {"deep": 1}, "code": 7, "type": [], "param": {}}}', id="fields of other kinds"),
        pytest.param(b'{"error": 5, "meta": []}', id="a number, and meta a list"),
        pytest.param(b"\xff\xfe\x00garbage", id="no text"),
        pytest.param(gzip.compress(b"{}")[:12], id="gzip garbage"),
        pytest.param(b"[" * 100_000, id="deeper than anybody can count"),
        pytest.param(b'{"error": ' + b"9" * 5000 + b"}", id="a number longer than Python reads"),
    ],
)  # fmt: skip
def test_a_refusal_without_a_readable_body_goes_by_its_status(request_, body: bytes) -> None:
    """The class is right, the text is short, and the status is named."""
    with pytest.raises(errors.ServerError) as caught:
        requests.read(request_, responses.Response(500, {"content-type": "text/html"}, body))
    assert 500 == caught.value.status
    assert "500" in str(caught.value)
    assert len(str(caught.value)) < 1500


def test_the_start_of_an_unreadable_body_is_shown_on_one_line() -> None:
    """Who debugs a proxy wants to see its page, without control characters or markup at work."""
    error = responses.error_in(answer(b"<h1>Proxy\nlogin \x1b[31mrequired</h1>" + b"x" * 5000, 403))
    assert "Proxy" in str(error)
    assert set() == set("\n\x1b") & set(str(error))
    assert len(str(error)) < 1500


def test_an_error_in_cstars_words_cannot_steer_the_terminal() -> None:
    """Messages are foreign text too."""
    error = responses.error_in(answer(told("x\x1b[31m", "c\u202e", "No\x1b[2J\nway", request_id="r\x00"), 400))
    assert set() == set("\x1b\n\u202e\x00") & set(str(error))


def test_a_key_echoed_in_an_error_is_masked() -> None:
    """A server may repeat the key it refused; the error must not."""
    error = responses.error_in(answer(told(message=f"Unknown key {KEY}", code=KEY, param=f"Bearer {KEY}"), 401))
    assert HIDDEN not in f"{error}{error!r}"


@pytest.mark.parametrize("header", ["x-request-id", "x-cstar-request-id"])
def test_the_request_id_may_be_in_a_header(header: str) -> None:
    """Where the body has none, it is found there; the second name is the one cStar's pages show on deliveries."""
    assert "req_header" == responses.error_in(answer(b"", 500, {header: "req_header"})).request_id


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@every_call
def test_a_redirect_is_an_error_that_names_the_place(request_, status: int) -> None:
    """It is never followed."""
    with pytest.raises(errors.RedirectError, match=r"elsewhere\.example") as caught:
        requests.read(request_, answer(b"", status, {"location": "https://elsewhere.example/x"}))
    assert status == caught.value.status


# --- answers that are none --------------------------------------------------------------------------------------------


@every_call
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<!doctype html><title>Log in</title>", id="HTML"),
        pytest.param(b"", id="empty"),
        pytest.param(b'{"success": true, "data": {"id": "wh', id="truncated"),
        pytest.param(b'"ok"', id="a bare string"),
        pytest.param(b"[]", id="a bare list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b'{"success": true}', id="no data"),
        pytest.param(b'{"success": true, "data": null}', id="data is null"),
        pytest.param(b'{"success": true, "data": "ok"}', id="data is text"),
        pytest.param(b'{"success": true, "data": 1}', id="data is a number"),
        pytest.param(b"\xff\xfe\x00garbage", id="no text"),
        pytest.param(gzip.compress(b"{}")[:12], id="gzip garbage"),
        pytest.param(b"[" * 100_000, id="deeper than anybody can count"),
        pytest.param(b'{"data": ' + b"9" * 5000 + b"}", id="a number longer than Python reads"),
    ],
)
def test_a_good_status_without_cstars_answer_is_a_broken_answer(request_, body: bytes) -> None:
    """Never a KeyError, and never taken for success."""
    with pytest.raises(errors.InvalidResponseError) as caught:
        requests.read(request_, responses.Response(200, {"content-type": "text/html"}, body))
    assert 200 == caught.value.status
    assert len(str(caught.value)) < 1500


@pytest.mark.parametrize(
    ("request_", "data"),
    [
        pytest.param(LIST, {"id": "whk_1"}, id="an object for a list"),
        pytest.param(LIST, [1], id="a list of numbers"),
        pytest.param(LIST, [None], id="a list of nothing"),
        pytest.param(LIST, [{"name": "no id"}], id="a list with an entry without an id"),
        pytest.param(GET, [{"id": "whk_1"}], id="a list for an object"),
        pytest.param(GET, {"name": "no id"}, id="a webhook without an id"),
        pytest.param(GET, {"id": ""}, id="a webhook with an empty id"),
        pytest.param(GET, {"id": None}, id="a webhook with a null id"),
        pytest.param(CREATE, {"secret": "whsec_x"}, id="a created webhook without an id"),
        pytest.param(DELETE, {"deleted": False}, id="a delete that was none"),
        pytest.param(DELETE, {}, id="a delete not confirmed"),
        pytest.param(FIRE, [], id="a list for a fired event"),
        pytest.param(WHOAMI, [], id="a list for an identity"),
    ],
)
def test_data_of_the_wrong_kind_is_a_broken_answer(request_, data: Any) -> None:
    """What cannot be read as asked is said, not guessed."""
    with pytest.raises(errors.InvalidResponseError):
        requests.read(request_, good(data))


def test_a_broken_answer_shows_the_start_of_the_body() -> None:
    """Its reader sees what came instead."""
    with pytest.raises(errors.InvalidResponseError, match="Log in to the airport"):
        requests.read(LIST, responses.Response(200, {"content-type": "text/html"}, b"<h1>Log in to the airport</h1>"))


def test_a_broken_answer_to_create_does_not_show_the_signing_secret() -> None:
    """The start of the body is shown, and a secret in it is not."""
    body = b'{"data": {"secret": "whsec_AbCdEf1234567890", "name": "no id", "key": "' + KEY.encode() + b'"}}'
    with pytest.raises(errors.InvalidResponseError) as caught:
        requests.read(CREATE, responses.Response(201, {}, body))
    assert "AbCdEf1234567890" not in f"{caught.value}{caught.value!r}{vars(caught.value)}"
    assert HIDDEN not in f"{caught.value}{caught.value!r}{vars(caught.value)}"


def test_success_false_with_a_good_status_is_an_error() -> None:
    """cStar's own word counts."""
    with pytest.raises(errors.CStarError, match="No such luck"):
        requests.read(LIST, answer(told("api_error", message="No such luck") | {"data": []}))


def test_json_is_read_whatever_the_content_type_says() -> None:
    """A good answer under a wrong label is good."""
    content = json.dumps({"success": True, "data": WEBHOOK}).encode()
    assert "whk_a1b2c3d4e5f6" == requests.read(GET, responses.Response(200, {"content-type": "text/plain"}, content)).id


# --- how long to wait -------------------------------------------------------------------------------------------------

NOW = {"date": "Wed, 10 Dec 2025 14:30:00 GMT"}
IN_90_S = {"x-ratelimit-reset": "1765377090"}
MESSAGE = {"message": "Rate limit exceeded. Try again in 42 seconds"}


@pytest.mark.parametrize(
    ("headers", "error", "seconds"),
    [
        pytest.param({"retry-after": "5"} | NOW | IN_90_S, {"retryAfter": 7} | MESSAGE, 5.0, id="the header first"),
        pytest.param(NOW | IN_90_S, {"retryAfter": 7} | MESSAGE, 7.0, id="then the body"),
        pytest.param(NOW | IN_90_S, MESSAGE, 90.0, id="then the reset, by the answer's own clock"),
        pytest.param(IN_90_S, MESSAGE, 42.0, id="the reset is of no use without a date"),
        pytest.param({}, MESSAGE, 42.0, id="then the message"),
        pytest.param({}, {"message": "Slow down"}, None, id="nothing said"),
        pytest.param({"retry-after": "Wed, 10 Dec 2025 14:31:00 GMT"} | NOW, {}, 60.0, id="the header as a date"),
        pytest.param({"retry-after": "0"}, MESSAGE, 0.0, id="at once"),
        *[
            pytest.param({"retry-after": absurd}, {"retryAfter": 7}, 7.0, id=f"header {absurd!r}")
            for absurd in ("-1", "1e9", "86401", "nan", "inf", "soon", "", "0x10", "9" * 400)
        ],
        *[
            pytest.param({}, {"retryAfter": absurd} | MESSAGE, 42.0, id=f"body {absurd!r:.20}")
            for absurd in (-1, 10**9, 10**400, float("nan"), float("inf"), None, "soon", [], {}, True)
        ],
        *[
            pytest.param({"x-ratelimit-reset": absurd} | NOW, MESSAGE, 42.0, id=f"reset {absurd!r:.20}")
            for absurd in ("1765377000000", "1765370000", "60", "nan", "inf", "soon", "", "9" * 400)
        ],
        pytest.param(IN_90_S | {"date": "yesterday"}, MESSAGE, 42.0, id="a date that is none"),
        pytest.param({}, {"message": "Try again in 999999999999 seconds"}, None, id="message with an absurd number"),
        pytest.param({}, {"message": ["in 42 seconds"]}, None, id="message of another kind"),
        pytest.param({}, {"message": "Plan of 100 requests. Try again in 1 second"}, 1.0, id="the seconds, not another number"),
    ],
)  # fmt: skip
def test_the_wait_is_the_first_usable_one(
    headers: dict[str, str], error: dict[str, Any], seconds: float | None
) -> None:
    """Header, body, reset, message; what is negative, unreadable or longer than a day is passed over."""
    assert seconds == responses.seconds_to_wait(responses.Response(429, headers, b""), error)


# --- anything at all --------------------------------------------------------------------------------------------------

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
def test_any_answer_at_all_is_read_or_is_an_error_of_ours(
    request_, status: int, headers: dict[str, str], body: bytes
) -> None:
    """Nothing that can arrive makes reading fail in another way, and what comes of it can be shown."""
    try:
        outcome = requests.read(request_, responses.Response(status, headers, body))
    except errors.CStarError as error:
        outcome = str(error)
        assert set() == {unicodedata.category(character) for character in outcome} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert repr(outcome).encode()
