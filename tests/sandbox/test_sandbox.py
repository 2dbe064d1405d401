"""The sandbox's keys, data, replays, rate limits, persistence and network exposure, over plain httpx and sockets."""

import json
import os
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.serving import bodies
from tests.support.sampling import examples

START = datetime(2025, 12, 10, 14, 30, tzinfo=UTC)
HOOK = {"name": "Mine", "url": "https://example.com/hook", "events": "ticket.created,ticket.closed"}
Call = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def call() -> Iterator[Call]:
    """Sends a request with plain httpx. A path that does not start with `/api` is relative to `webhooks`."""
    with httpx.Client(trust_env=False) as http:

        def call(sandbox: cx.Sandbox, method: str = "GET", path: str = "", key: str = "secret", **options: Any) -> Any:
            url = path if path.startswith("/api") else f"/api/v1/teams/{sandbox.team_id}/webhooks{path}"
            headers = {"Authorization": f"Bearer {sandbox.keys[key].reveal()}"} | options.pop("headers", {})
            return http.request(method, sandbox.base_url + url, headers=headers, **options)

        yield call


@pytest.fixture(scope="module")
def shared() -> Iterator[cx.Sandbox]:
    """One sandbox for the tests that do not depend on its data."""
    with cx.Sandbox() as sandbox:
        yield sandbox


def data(response: httpx.Response) -> Any:
    """The data of a successful response."""
    assert response.is_success, response.text
    return response.json()["data"]


def ids(call: Call, sandbox: cx.Sandbox, key: str = "secret") -> list[str]:
    """The ids of the webhooks listed for this key."""
    return [hook["id"] for hook in data(call(sandbox, key=key))]


def refused(response: httpx.Response) -> tuple[Any, ...]:
    """Status, type, code and param of a response that must be a complete error envelope."""
    body = response.json()
    assert (["success", "error", "meta"], False) == (list(body), body["success"])
    error = body["error"]
    assert error["message"]
    assert error["request_id"].startswith("req_")
    return response.status_code, error["type"], error["code"], error.get("param")


# Initial state


def test_it_starts_with_four_webhooks(sandbox: cx.Sandbox, call: Call) -> None:
    """Each is complete, and the ids are distinct."""
    hooks = data(call(sandbox))
    assert (4, 4) == (len(hooks), len({hook["id"] for hook in hooks}))
    assert all(hook["name"] and hook["url"].startswith("https://") and hook["events"] for hook in hooks)


def test_the_clock_starts_at_a_fixed_time_and_advances_one_second_per_write(sandbox: cx.Sandbox, call: Call) -> None:
    """Create, update and delete advance it, reads do not."""
    times = [sandbox.clock.now]
    call(sandbox)
    times.append(sandbox.clock.now)
    made = data(call(sandbox, "POST", json=HOOK))["id"]
    times.append(sandbox.clock.now)
    call(sandbox, "PATCH", f"/{made}", json={"name": "Other"})
    times.append(sandbox.clock.now)
    call(sandbox, "DELETE", f"/{made}")
    times.append(sandbox.clock.now)
    assert [START + timedelta(seconds=seconds) for seconds in (0, 0, 1, 2, 3)] == times


def test_every_time_in_a_response_is_from_the_sandboxs_clock(sandbox: cx.Sandbox, call: Call) -> None:
    """`Date`, `meta.timestamp` and `createdAt` follow the simulated clock, not the machine's."""
    sandbox.clock.advance(hours=48)
    later = START + timedelta(hours=48)
    response = call(sandbox)
    assert later == parsedate_to_datetime(response.headers["date"])
    assert f"{later:%Y-%m-%dT%H:%M:%SZ}" == response.json()["meta"]["timestamp"]
    assert f"{later:%Y-%m-%dT%H:%M:%SZ}" == data(call(sandbox, "POST", json=HOOK))["createdAt"]


def test_two_sandboxes_send_identical_responses(call: Call) -> None:
    """Headers and bodies, including ids, secrets, times and errors."""

    def run() -> list[tuple[int, list[tuple[str, str]], bytes]]:
        with cx.Sandbox(rate_limit=8) as sandbox:
            first = ids(call, sandbox)[0]
            responses = [
                call(sandbox, "POST", json=HOOK),
                call(sandbox, "PATCH", f"/{first}", json={"isActive": False}),
                call(sandbox, "POST", "/trigger-test", json={"event": "ticket.created"}),
                call(sandbox, "DELETE", f"/{first}"),
                call(sandbox, "DELETE", f"/{first}"),
                call(sandbox, "POST", json={}),
                call(sandbox),
                call(sandbox),
                call(sandbox, key="revoked"),
            ]
        return [(response.status_code, response.headers.multi_items(), response.content) for response in responses]

    first_run = run()
    assert first_run == run()
    assert [201, 200, 200, 200, 404, 400, 200, 429, 401] == [status for status, _, _ in first_run]


# Webhooks


def test_a_webhook_is_created_updated_and_deleted(shared: cx.Sandbox, call: Call) -> None:
    """A new one is last in the list, an update changes only the given fields, a deleted one is not found."""
    before = ids(call, shared)
    made = data(call(shared, "POST", json=HOOK))
    assert [*before, made["id"]] == ids(call, shared)
    changed = data(call(shared, "PATCH", f"/{made['id']}", json={"events": "article.published", "isActive": False}))
    now = data(call(shared, path=f"/{made['id']}"))
    kept = {"id": made["id"], "name": "Mine", "url": HOOK["url"], "createdAt": made["createdAt"]}
    assert kept | {"events": ["article.published"], "isActive": False, "updatedAt": changed["updatedAt"]} == now
    assert {"deleted": True} == data(call(shared, "DELETE", f"/{made['id']}"))
    assert before == ids(call, shared)
    gone = (404, "not_found_error", "RESOURCE_MISSING", None)
    assert {gone} == {refused(call(shared, method, f"/{made['id']}", json={})) for method in ("GET", "PATCH", "DELETE")}


def test_the_signing_secret_is_returned_only_on_create(shared: cx.Sandbox, call: Call) -> None:
    """No later response contains it, and no two webhooks share one."""
    one, other = (data(call(shared, "POST", json=HOOK)) for _ in range(2))
    later = [
        call(shared),
        call(shared, path=f"/{one['id']}"),
        call(shared, "PATCH", f"/{one['id']}", json={"name": "x"}),
    ]
    assert one["secret"] != other["secret"]
    assert not [response for response in later if one["secret"] in response.text or "secret" in response.text]


def test_an_event_without_receivers_is_still_fired(sandbox: cx.Sandbox, client: cx.Client, call: Call) -> None:
    """trigger-test returns the documented shape, with a new event id each time."""
    for webhook in client.webhooks.list():
        client.webhooks.delete(webhook.id)
    fired = [data(call(sandbox, "POST", "/trigger-test", json={"event": "ticket.created"})) for _ in range(2)]
    expected = {"event": "ticket.created", "test": True, "deliveries": []}
    assert [expected] * 2 == [{name: one[name] for name in expected} for one in fired]
    assert fired[0]["eventId"] != fired[1]["eventId"]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://example.com/hook", id="http"),
        pytest.param("http://127.0.0.1.example.com/", id="host-starting-with-a-loopback-address"),
        pytest.param("http://localhost.example.com/", id="host-starting-with-localhost"),
        pytest.param("http://127.0.0.1@example.com/", id="loopback-as-the-user"),
        pytest.param("http://10.0.0.1/", id="private-network"),
        pytest.param("http://0.0.0.0/", id="all-interfaces"),
        pytest.param("ftp://example.com/", id="ftp"),
        pytest.param("javascript:alert(1)", id="javascript"),
        pytest.param("example.com/hook", id="no-scheme"),
        pytest.param("//example.com/hook", id="scheme-relative"),
        pytest.param("https://", id="no-host"),
        pytest.param("https:///hook", id="path-without-host"),
        pytest.param("https://[::1", id="invalid-address"),
        pytest.param("https://example.com:port/", id="invalid-port"),
    ],
)
def test_a_url_that_is_not_https_is_rejected(shared: cx.Sandbox, call: Call, url: str) -> None:
    """On create and on update."""
    first = ids(call, shared)[0]
    expected = (400, "validation_error", "PARAMETER_INVALID", "url")
    assert expected == refused(call(shared, "POST", json=HOOK | {"url": url}))
    assert expected == refused(call(shared, "PATCH", f"/{first}", json={"url": url}))


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://example.com/hook?x=1#y", id="https"),
        pytest.param("HTTPS://EXAMPLE.COM/", id="upper-case"),
        pytest.param("http://127.0.0.1:9/hook", id="loopback-address"),
        pytest.param("http://localhost:3000/api/webhooks", id="localhost"),
        pytest.param("http://[::1]:3000/", id="ipv6-loopback"),
    ],
)
def test_https_and_loopback_urls_are_stored_unchanged(shared: cx.Sandbox, call: Call, url: str) -> None:
    """The response has the URL as it was sent."""
    assert url == data(call(shared, "POST", json=HOOK | {"url": url}))["url"]


def test_the_error_for_http_says_that_cstar_rejects_loopback_too(shared: cx.Sandbox, call: Call) -> None:
    """So that users do not expect cStar to deliver to loopback."""
    message = call(shared, "POST", json=HOOK | {"url": "http://example.com"}).json()["error"]["message"]
    assert "HTTPS" in message
    assert "cStar itself would refuse" in message


# Invalid bodies, paths and methods


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        pytest.param("", {"url": "https://example.com", "events": "ticket.created"}, "name", id="create-name"),
        pytest.param("", {"name": "x", "events": "ticket.created"}, "url", id="create-url"),
        pytest.param("", {"name": "x", "url": "https://example.com"}, "events", id="create-events"),
        pytest.param("/trigger-test", {}, "event", id="fire-event"),
    ],
)
def test_a_missing_field_is_reported(shared: cx.Sandbox, call: Call, path: str, body: Any, param: str) -> None:
    """400 `parameter_missing`, with the field in `param`."""
    expected = (400, "invalid_request_error", "parameter_missing", param)
    assert expected == refused(call(shared, "POST", path, json=body))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("name", 5, id="name-number"),
        pytest.param("name", ["x"], id="name-list"),
        pytest.param("url", {"x": 1}, id="url-object"),
        pytest.param("events", 5, id="events-number"),
        pytest.param("events", "ticket.created,no.such", id="events-unknown"),
        pytest.param("isActive", "yes", id="active-text"),
        pytest.param("isActive", 1, id="active-number"),
    ],
)
def test_an_invalid_value_is_reported_and_changes_nothing(
    shared: cx.Sandbox, call: Call, name: str, value: Any
) -> None:
    """400 `PARAMETER_INVALID`, with the field in `param`. The valid fields are not saved either."""
    path = f"/{ids(call, shared)[0]}"
    before = data(call(shared, path=path))
    response = call(shared, "PATCH", path, json={"name": "changed", "isActive": False} | {name: value})
    assert (400, "validation_error", "PARAMETER_INVALID", name) == refused(response)
    assert before == data(call(shared, path=path))


@pytest.mark.parametrize("events", ["", ",", ",,", " , ", "\t", "\u00a0", [], [""], [" ", ""]])
def test_a_value_that_names_no_event_is_a_missing_one(shared: cx.Sandbox, call: Call, events: Any) -> None:
    """On create and on update, and nothing changes."""
    before = data(call(shared))
    expected = (400, "invalid_request_error", "parameter_missing", "events")
    assert expected == refused(call(shared, "POST", json=HOOK | {"events": events}))
    assert expected == refused(call(shared, "PATCH", f"/{before[0]['id']}", json={"name": "x", "events": events}))
    assert before == data(call(shared))


def test_empty_parts_beside_an_event_are_ignored(shared: cx.Sandbox, call: Call) -> None:
    """A trailing comma is common."""
    assert ["ticket.created"] == data(call(shared, "POST", json=HOOK | {"events": ",ticket.created, ,"}))["events"]


@pytest.mark.parametrize("event", ["invalid.event", "ticket.*", 5, None, ["ticket.created"]])
def test_only_a_published_event_type_is_fired(shared: cx.Sandbox, call: Call, event: Any) -> None:
    """Anything else gets a 400 with `event` in `param`."""
    status, _, _, param = refused(call(shared, "POST", "/trigger-test", json={"event": event}))
    assert (400, "event") == (status, param)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"name": "x"', id="truncated"),
        pytest.param(b"name=x", id="form-encoded"),
        pytest.param(b"[1, 2]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"\xff\xfe{}", id="invalid-utf-8"),
        pytest.param(b"[" * 50_000, id="deeply-nested"),
        pytest.param(b'{"name": ' + b"9" * 5_000 + b"}", id="number-of-5000-digits"),
    ],
)
def test_a_body_that_is_not_a_json_object_gets_a_400(shared: cx.Sandbox, call: Call, content: bytes) -> None:
    """In cStar's error envelope, from each call that takes a body."""
    targets = [("POST", ""), ("PATCH", f"/{ids(call, shared)[0]}"), ("POST", "/trigger-test")]
    assert [400] * 3 == [refused(call(shared, *target, content=content))[0] for target in targets]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/api/v2/teams", 404, id="unknown-path"),
        pytest.param("GET", "/whk_1/logs", 404, id="below-a-webhook"),
        pytest.param("GET", "/%2e%2e", 404, id="encoded-dots"),
        pytest.param("GET", "/whk_%00%0a", 404, id="control-characters"),
        pytest.param("PUT", "", 405, id="put-on-the-list"),
        pytest.param("DELETE", "", 405, id="delete-on-the-list"),
        pytest.param("POST", "/api/v1/auth/whoami", 405, id="post-on-whoami"),
    ],
)
def test_an_unknown_path_or_method_gets_an_error_envelope(
    shared: cx.Sandbox, call: Call, method: str, path: str, status: int
) -> None:
    """404 and 405 have the shape of every other error."""
    assert status == refused(call(shared, method, path))[0]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        pytest.param("", {"GET", "HEAD", "POST"}, id="list"),
        pytest.param("/{first}", {"GET", "HEAD", "PATCH", "DELETE"}, id="webhook"),
        pytest.param("/whk_unknown", {"GET", "HEAD", "PATCH", "DELETE"}, id="unknown-webhook"),
        pytest.param("/trigger-test", {"POST"}, id="trigger-test"),
        pytest.param("/api/v1/auth/whoami", {"GET", "HEAD"}, id="whoami"),
    ],
)
@pytest.mark.parametrize("key", ["secret", "expired"])
def test_a_405_lists_all_methods_of_its_path(
    shared: cx.Sandbox, call: Call, path: str, methods: set[str], key: str
) -> None:
    """In `Allow`, as HTTP requires."""
    path = path.format(first=ids(call, shared)[0])
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]:
        response = call(shared, method, path, key=key) if method not in methods else None
        # `/trigger-test` is also the path of a webhook with this id, as in every router.
        if response is not None and not (path == "/trigger-test" and method in {"GET", "HEAD", "PATCH", "DELETE"}):
            allowed = set(response.headers["allow"].split(", "))
            assert (405, True) == (response.status_code, methods <= allowed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(["name", "url", "events", "isActive", "event"])
GOOD = st.sampled_from(["https://example.com/", "ticket.created", "article.*", "*", ",", " ", True, False])
BODIES = st.dictionaries(FIELDS, GOOD | JSON, max_size=5).map(lambda body: json.dumps(body).encode())
TARGETS = st.sampled_from([("POST", ""), ("PATCH", "/{first}"), ("POST", "/trigger-test"), ("DELETE", "/{first}/x")])


def test_no_body_causes_a_server_error(call: Call) -> None:
    """Every body gets an envelope with a status below 500, and the list can still be read afterwards."""
    with cx.Sandbox() as sandbox:
        first = ids(call, sandbox)[0]

        @settings(max_examples=examples(150), deadline=None)
        @example(("PATCH", "/{first}"), b'{"name": "\\ud800"}')
        @example(("POST", "/trigger-test"), b'{"event": "\\ud800"}')
        @example(("PATCH", "/{first}"), b'{"name": "\\u0000"}')
        @given(TARGETS, BODIES | st.binary(max_size=40))
        def run(target: tuple[str, str], content: bytes) -> None:
            response = call(sandbox, target[0], target[1].format(first=first), content=content)
            assert response.status_code < 500
            assert {"success": response.is_success} == {"success": response.json()["success"]}

        run()
        assert first in ids(call, sandbox)


# Keys


@pytest.mark.parametrize(
    ("key", "reading", "writing"),
    [
        pytest.param("secret", 200, 201, id="secret"),
        pytest.param("live", 200, 201, id="live"),
        pytest.param("publishable", 200, 403, id="publishable"),
        pytest.param("live_publishable", 200, 403, id="live-publishable"),
        pytest.param("expired", 401, 401, id="expired"),
        pytest.param("revoked", 401, 401, id="revoked"),
        pytest.param("other_team", 403, 403, id="other-team"),
    ],
)
def test_a_key_permits_what_its_kind_may_do(
    shared: cx.Sandbox, call: Call, key: str, reading: int, writing: int
) -> None:
    """Secret keys read and write, publishable keys only read, the others do neither."""
    assert (reading, writing) == (
        call(shared, key=key).status_code,
        call(shared, "POST", key=key, json=HOOK).status_code,
    )


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="empty"),
        pytest.param("Bearer", id="no-key"),
        pytest.param("Bearer sk_test_unknown", id="unknown"),
        pytest.param("Bearer whatever", id="unknown-prefix"),
        pytest.param("Basic c2VjcmV0Og==", id="basic"),
        pytest.param("{key}", id="no-scheme"),
    ],
)
def test_an_invalid_authorization_gets_the_one_printed_body(shared: cx.Sandbox, call: Call, header: str) -> None:
    """The 401 is the same for an unknown and a malformed key, without rate limit headers."""
    headers = {"Authorization": header.replace("{key}", shared.key.reveal())}
    response = call(shared, headers=headers)
    assert (401, "authentication_error", "authentication_required", None) == refused(response)
    assert not [name for name in response.headers if name.startswith("x-ratelimit")]


def test_keys_have_the_published_form(shared: cx.Sandbox) -> None:
    """A prefix and 32 base64url characters, all different; `key` is the secret test key."""
    kinds = {
        "secret": "sk_test_",
        "publishable": "pk_test_",
        "live": "sk_live_",
        "live_publishable": "pk_live_",
        "expired": "sk_",
        "revoked": "sk_",
        "other_team": "sk_",
        "north": "sk_live_",
        "lab": "sk_test_",
    }
    revealed = {kind: key.reveal() for kind, key in shared.keys.items()}
    assert kinds == {kind: key[: len(kinds[kind])] for kind, key in revealed.items()}
    assert (9, {len("sk_test_") + 32}) == (len(set(revealed.values())), {len(key) for key in revealed.values()})
    assert revealed["secret"] == shared.key.reveal()
    assert not [key for key in revealed.values() if key in f"{shared!r} {shared} {shared.keys}"]


def test_whoami_returns_the_team_kind_and_environment_of_a_key(shared: cx.Sandbox, call: Call) -> None:
    """Another team's key gets its own team, an invalid key a 401."""
    identities = {}
    for key in ("secret", "publishable", "live", "live_publishable", "other_team"):
        identity = data(call(shared, path="/api/v1/auth/whoami", key=key))
        identities[key] = (identity["teamId"] == shared.team_id, identity["keyType"], identity["environment"])
    assert identities == {
        "secret": (True, "secret", "test"),
        "publishable": (True, "publishable", "test"),
        "live": (True, "secret", "live"),
        "live_publishable": (True, "publishable", "live"),
        "other_team": (False, "secret", "test"),
    }
    assert refused(call(shared, path="/api/v1/auth/whoami", key="expired"))[0] == 401


def test_test_and_live_data_are_separate(shared: cx.Sandbox, call: Call) -> None:
    """A webhook created with a test key cannot be listed, read, updated or deleted with a live one, and vice versa."""
    for mine, theirs in (("secret", "live"), ("live", "secret")):
        made = data(call(shared, "POST", key=mine, json=HOOK))["id"]
        targets = [("GET", f"/{made}"), ("PATCH", f"/{made}"), ("DELETE", f"/{made}")]
        assert [404] * 3 == [call(shared, *target, key=theirs, json={"name": "x"}).status_code for target in targets]
        assert (True, False) == (made in ids(call, shared, mine), made in ids(call, shared, theirs))


def test_client_returns_a_client_with_any_of_the_keys(shared: cx.Sandbox, call: Call) -> None:
    """By default the secret one. Options are passed to the client."""
    with shared.client() as client, shared.client("live", timeout=3) as live:
        assert ("sandbox", "live") == (client.environment, live.environment)
        assert (shared.base_url, shared.team_id) == (live.base_url, live.team_id)
        assert ids(call, shared) == [hook.id for hook in client.webhooks.list()]


# Idempotency


def keyed(name: str = "key-1") -> dict[str, str]:
    """An Idempotency-Key header."""
    return {"Idempotency-Key": name}


def test_a_repeated_create_gets_the_same_response_and_creates_one_webhook(shared: cx.Sandbox, call: Call) -> None:
    """The repeated response contains the signing secret too."""
    before = ids(call, shared)
    responses = [call(shared, "POST", json=HOOK, headers=keyed("create")) for _ in range(3)]
    assert [(201, responses[0].content)] * 3 == [(response.status_code, response.content) for response in responses]
    assert [*before, data(responses[0])["id"]] == ids(call, shared)
    assert data(responses[2])["secret"].startswith("whsec_")


def test_a_repeated_update_gets_the_same_response_and_changes_nothing(sandbox: cx.Sandbox, call: Call) -> None:
    """Deactivated, activated without an Idempotency-Key, then the first request repeated: it stays active."""
    path = f"/{ids(call, sandbox)[0]}"
    off = call(sandbox, "PATCH", path, json={"isActive": False}, headers=keyed())
    call(sandbox, "PATCH", path, json={"isActive": True})
    assert off.content == call(sandbox, "PATCH", path, json={"isActive": False}, headers=keyed()).content
    assert data(call(sandbox, path=path))["isActive"] is True


def test_a_response_is_replayed_for_24_hours(sandbox: cx.Sandbox, call: Call) -> None:
    """After that, the request with the same key creates another webhook."""
    made = data(call(sandbox, "POST", json=HOOK, headers=keyed()))["id"]
    sandbox.clock.advance(hours=23, minutes=59)
    assert made == data(call(sandbox, "POST", json=HOOK, headers=keyed()))["id"]
    sandbox.clock.advance(minutes=2)
    assert made != data(call(sandbox, "POST", json=HOOK, headers=keyed()))["id"]


def test_an_idempotency_key_with_another_body_is_a_conflict(shared: cx.Sandbox, call: Call) -> None:
    """409, and nothing is created."""
    call(shared, "POST", json=HOOK, headers=keyed("conflict"))
    before = ids(call, shared)
    assert refused(call(shared, "POST", json=HOOK | {"name": "Another"}, headers=keyed("conflict")))[0] == 409
    assert before == ids(call, shared)


@pytest.mark.parametrize(
    ("key", "status"), [("live", 201), ("publishable", 403), ("other_team", 403), ("expired", 401)]
)
def test_a_response_is_replayed_to_the_same_api_key_only(shared: cx.Sandbox, call: Call, key: str, status: int) -> None:
    """No other key gets the stored response or the secret in it."""
    made = data(call(shared, "POST", json=HOOK, headers=keyed(f"for {key}")))
    response = call(shared, "POST", key=key, json=HOOK, headers=keyed(f"for {key}"))
    assert (status, False, False) == (
        response.status_code,
        made["id"] in response.text,
        made["secret"] in response.text,
    )


def test_concurrent_creates_with_one_idempotency_key_create_one_webhook(shared: cx.Sandbox, call: Call) -> None:
    """Ten threads get the same response."""
    before = ids(call, shared)
    with ThreadPoolExecutor(10) as threads:
        responses = list(
            threads.map(lambda _: call(shared, "POST", json=HOOK, headers=keyed("together")).content, range(10))
        )
    assert (1, len(before) + 1) == (len(set(responses)), len(ids(call, shared)))


# Rate limits


def test_every_response_to_a_valid_key_has_rate_limit_headers(sandbox: cx.Sandbox, call: Call) -> None:
    """Successes and errors count, per key, in a window of an hour."""
    targets = [("GET", ""), ("GET", "/whk_unknown"), ("PUT", ""), ("GET", "/api/v2")]
    reset = int(START.timestamp()) + 3600
    for key, limit in (("secret", 1000), ("live", 1000), ("publishable", 100), ("live_publishable", 100)):
        headers = [call(sandbox, *target, key=key).headers for target in targets]
        names = ("limit", "remaining", "reset", "window")
        reported = [[int(each[f"x-ratelimit-{name}"]) for name in names] for each in headers]
        assert [[limit, limit - count, reset, 3600] for count in (1, 2, 3, 4)] == reported


def test_rate_limits_are_not_enforced_by_default(shared: cx.Sandbox, call: Call) -> None:
    """A publishable key's remaining requests stay at 0, and its requests succeed."""
    responses = [call(shared, key="live_publishable") for _ in range(110)]
    assert {200} == {response.status_code for response in responses}
    assert responses[-1].headers["x-ratelimit-remaining"] == "0"


def test_rate_limit_true_enforces_the_published_limits(call: Call) -> None:
    """100 requests an hour for a publishable key."""
    with cx.Sandbox(rate_limit=True) as sandbox:
        statuses = [call(sandbox, key="publishable").status_code for _ in range(102)]
        assert [200] * 100 + [429] * 2 == statuses
        assert call(sandbox, key="secret").headers["x-ratelimit-limit"] == "1000"


def test_rate_limit_number_is_enforced_per_key_until_the_window_ends(call: Call) -> None:
    """After three calls a 429. `Retry-After`, reset time and message agree on the wait, and after it a call succeeds."""
    with cx.Sandbox(rate_limit=3) as sandbox:
        assert [200] * 3 == [call(sandbox).status_code for _ in range(3)]
        sandbox.clock.advance(minutes=40)
        limited = call(sandbox, "POST", json=HOOK)
        assert (429, "rate_limit_error", "rate_limit_exceeded", None) == refused(limited)
        wait = int(limited.headers["retry-after"])
        left = int(limited.headers["x-ratelimit-reset"]) - parsedate_to_datetime(limited.headers["date"]).timestamp()
        assert (1200, "0") == (wait, limited.headers["x-ratelimit-remaining"])
        assert (wait, f"{wait} seconds") == (left, limited.json()["error"]["message"].rpartition("in ")[2])
        assert call(sandbox, key="live").status_code == 200
        sandbox.clock.advance(seconds=wait)
        assert len(ids(call, sandbox)) == 4


@pytest.mark.parametrize("elapsed", [3598.5, 3599, 3599.001, 3599.6, 3599.999])
def test_a_429_never_asks_to_wait_for_0_seconds(call: Call, elapsed: float) -> None:
    """After the wait that it names, the next call succeeds."""
    with cx.Sandbox(rate_limit=1) as sandbox:
        call(sandbox)
        sandbox.clock.advance(seconds=elapsed)
        limited = call(sandbox)
        wait = int(limited.headers["retry-after"])
        assert (429, True) == (limited.status_code, wait >= 1)
        assert limited.json()["error"]["message"].endswith(f"in {wait} seconds")
        sandbox.clock.advance(seconds=wait)
        assert int(limited.headers["x-ratelimit-reset"]) <= sandbox.clock.now.timestamp()
        assert call(sandbox).status_code == 200


# Long and slow bodies


def head(sandbox: cx.Sandbox, *lines: str, key: str = "secret") -> bytes:
    """The head of a create."""
    first = [f"POST /api/v1/teams/{sandbox.team_id}/webhooks HTTP/1.1", "Host: 127.0.0.1"]
    key_line = f"Authorization: Bearer {sandbox.keys[key].reveal()}"
    return "\r\n".join([*first, key_line, *lines, "", ""]).encode()


def exchange(sandbox: cx.Sandbox, content: bytes, more: bytes = b"", at_most: int = 0) -> tuple[int, int, bool]:
    """Sends this, and then `more` again and again, up to a number of bytes.

    Returns:
        The status (0 if it was lost with the connection), how many bytes of `more` were sent, and whether the server closed.
    """
    port = int(sandbox.base_url.rpartition(":")[2])
    received, sent, closed = b"", 0, False
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        try:
            connection.sendall(content)
            while sent < at_most:
                connection.sendall(more)
                sent += len(more)
        except OSError:
            closed = True
        connection.settimeout(0.5)
        try:
            while part := connection.recv(65536):
                received += part
            closed = True
        except TimeoutError:
            pass
        except OSError:
            closed = True
    return int(received[9:12] or 0), sent, closed


ENDLESS = pytest.mark.parametrize(
    "line",
    [
        pytest.param(f"Content-Length: {2**40}", id="length"),
        pytest.param("Transfer-Encoding: chunked", id="chunked"),
    ],
)


@ENDLESS
@pytest.mark.parametrize(
    ("key", "status"),
    [pytest.param("expired", 401, id="invalid-key"), pytest.param("publishable", 403, id="publishable-key")],
)
def test_the_key_is_checked_before_the_body_is_read(shared: cx.Sandbox, line: str, key: str, status: int) -> None:
    """The response needs the head only, and the connection is closed."""
    assert (status, 0, True) == exchange(shared, head(shared, line, key=key))


@ENDLESS
def test_an_endless_body_is_not_read(shared: cx.Sandbox, call: Call, line: str) -> None:
    """Neither without a valid key nor with one, and nothing is created."""
    before = ids(call, shared)
    chunk = b"100000\r\n" + b"x" * 2**20 + b"\r\n"
    for key, expected in (("expired", {0, 401}), ("secret", {0, 413})):
        status, sent, closed = exchange(shared, head(shared, line, key=key), chunk, 64 * len(chunk))
        assert (True, True, True) == (status in expected, sent <= 16 * len(chunk), closed)
    assert before == ids(call, shared)


@pytest.mark.parametrize(("extra", "status"), [pytest.param(0, 201, id="limit"), pytest.param(1, 413, id="over")])
def test_a_body_has_at_most_1_mib(shared: cx.Sandbox, call: Call, extra: int, status: int) -> None:
    """More is a 413 in the usual envelope."""
    content = json.dumps(HOOK).encode().ljust(2**20 + extra)
    response = call(shared, "POST", content=content)
    assert status == response.status_code
    assert status == 201 or refused(response)[2] == "body_too_long"


def test_a_slow_body_ends_with_a_408(shared: cx.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the connection is closed."""
    monkeypatch.setattr(bodies, "BODY_TIMEOUT", 0.1)
    assert (408, 0, True) == exchange(shared, head(shared, "Content-Length: 10") + b"{")


def test_a_connection_is_reused_after_a_refused_body(shared: cx.Sandbox) -> None:
    """A short one does not cost a client its connection."""
    refused_head = head(shared, "Content-Length: 2", key="expired") + b"{}"
    accepted = head(shared, f"Content-Length: {len(json.dumps(HOOK))}", "Connection: close") + json.dumps(HOOK).encode()
    port = int(shared.base_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(refused_head + accepted)
        received = b""
        while part := connection.recv(65536):
            received += part
    assert [b"401", b"201"] == [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]


def test_a_caller_that_leaves_in_the_middle_of_a_body_creates_nothing(shared: cx.Sandbox, call: Call) -> None:
    """And nothing is logged as an error."""
    before = ids(call, shared)
    with socket.create_connection(("127.0.0.1", int(shared.base_url.rpartition(":")[2]))) as connection:
        connection.sendall(head(shared, "Content-Length: 1000") + json.dumps(HOOK).encode())
    assert before == ids(call, shared)


# Persistence


def test_the_database_files_are_readable_by_the_owner_only(tmp_path: Path, call: Call) -> None:
    """Mode 0600 under any umask, while the sandbox runs and afterwards. A more permissive mode is corrected."""
    file = tmp_path / "state.db"

    def modes() -> set[str]:
        return {oct(stat.S_IMODE(path.stat().st_mode)) for path in tmp_path.iterdir()}

    before = os.umask(0)
    try:
        with cx.Sandbox(file) as sandbox:
            call(sandbox, "POST", json=HOOK)
            assert {"0o600"} == modes()
        assert {"0o600"} == modes()
        file.chmod(0o644)
        with cx.Sandbox(str(file)) as sandbox:
            call(sandbox, "POST", json=HOOK)
            assert {"0o600"} == modes()
    finally:
        os.umask(before)


def test_a_reopened_file_continues_where_it_was_closed(tmp_path: Path, call: Call) -> None:
    """Webhooks, ids, secrets, clock, keys and replays equal those of a sandbox that was not closed."""

    def first(sandbox: cx.Sandbox) -> list[bytes]:
        return [
            call(sandbox, "POST", json=HOOK, headers=keyed()).content,
            call(sandbox, "DELETE", f"/{ids(call, sandbox)[1]}").content,
        ]

    def second(sandbox: cx.Sandbox) -> list[Any]:
        responses = [call(sandbox, "POST", json=HOOK, headers=keyed()), call(sandbox, "POST", json=HOOK), call(sandbox)]
        return [
            *(response.content for response in responses),
            sandbox.clock.now,
            [key.reveal() for key in sandbox.keys.values()],
        ]

    with cx.Sandbox() as sandbox:
        uninterrupted = first(sandbox) + second(sandbox)
    with cx.Sandbox(tmp_path / "state.db") as sandbox:
        interrupted = first(sandbox)
    with cx.Sandbox(tmp_path / "state.db") as sandbox:
        interrupted += second(sandbox)
    assert uninterrupted == interrupted


def test_a_create_survives_a_killed_process(tmp_path: Path, call: Call) -> None:
    """The webhook is stored even if SIGKILL follows the response immediately."""
    code = """if True:
        import os, signal, sys
        import cstar_explore as cx
        hook = cx.Sandbox(sys.argv[1]).client().webhooks.create(name="x", url="https://example.com", events="*")
        print(hook.id, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    file = tmp_path / "state.db"
    killed = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True, check=False)
    with cx.Sandbox(file) as sandbox:
        assert (-9, 5, killed.stdout.strip()) == (killed.returncode, len(ids(call, sandbox)), ids(call, sandbox)[-1])


def test_a_file_is_used_by_one_sandbox_at_a_time(tmp_path: Path, call: Call) -> None:
    """A second one, in this or another process, is refused with a sentence. The first loses nothing."""
    file = tmp_path / "state.db"
    code = "import sys, cstar_explore as cx\ntry:\n    cx.Sandbox(sys.argv[1])\nexcept cx.CStarError as error:\n    print(error)"
    with cx.Sandbox(file) as sandbox:
        made = [data(call(sandbox, "POST", json=HOOK))["id"]]
        with pytest.raises(errors.ConfigurationError) as caught:
            cx.Sandbox(file)
        other = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True, check=True).stdout
        made += [data(call(sandbox, "POST", json=HOOK))["id"]]
    assert (True, True) == ("in use" in other, "in use" in str(caught.value))
    with cx.Sandbox(file) as sandbox:
        made += [data(call(sandbox, "POST", json=HOOK))["id"]]
        assert (3, made) == (len(set(made)), ids(call, sandbox)[4:])


def test_a_sandbox_that_could_not_start_frees_its_file(tmp_path: Path, shared: cx.Sandbox) -> None:
    """Its cell can be run again."""
    file = tmp_path / "state.db"
    with pytest.raises(errors.ConfigurationError):
        cx.Sandbox(file, port=int(shared.base_url.rpartition(":")[2]))
    cx.Sandbox(file).close()


@pytest.mark.parametrize("kind", ["text", "database"])
def test_another_programs_file_is_rejected_and_not_changed(tmp_path: Path, kind: str) -> None:
    """Neither its content nor its mode."""
    file = tmp_path / "mine"
    if kind == "text":
        file.write_text("my notes\n" * 100)
    else:
        database = sqlite3.connect(file)
        database.execute("create table mine (value)")
        database.commit()
        database.close()
    file.chmod(0o644)
    before = (file.read_bytes(), stat.S_IMODE(file.stat().st_mode))
    try:
        with pytest.raises(errors.ConfigurationError):
            cx.Sandbox(file).close()
    finally:
        after = (file.read_bytes(), stat.S_IMODE(file.stat().st_mode))
    assert before == after


def test_a_path_in_a_missing_folder_is_a_configuration_error(tmp_path: Path) -> None:
    """The folder is not created."""
    with pytest.raises(errors.ConfigurationError):
        cx.Sandbox(tmp_path / "missing" / "state.db")
    assert [] == list(tmp_path.iterdir())


# Network exposure


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "evil.example"}, id="foreign-host"),
        pytest.param({"Host": "127.0.0.1.evil.example"}, id="host-starting-with-a-loopback-address"),
        pytest.param({"Host": "evil.example:{port}"}, id="foreign-host-with-the-sandboxs-port"),
        pytest.param({"Origin": "https://evil.example"}, id="foreign-origin"),
        pytest.param({"Origin": "null"}, id="opaque-origin"),
        pytest.param({"Origin": "http://localhost:8888"}, id="other-local-origin"),
    ],
)
def test_a_call_from_a_web_page_is_refused(shared: cx.Sandbox, call: Call, headers: dict[str, str]) -> None:
    """403 even with a valid key, without CORS headers, and nothing is created."""
    before = ids(call, shared)
    port = shared.base_url.rpartition(":")[2]
    foreign = {name: value.replace("{port}", port) for name, value in headers.items()}
    responses = [call(shared, headers=foreign), call(shared, "POST", json=HOOK, headers=foreign)]
    assert [403, 403] == [response.status_code for response in responses]
    assert not [name for response in responses for name in response.headers if name.startswith("access-control")]
    assert before == ids(call, shared)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_call_to_a_loopback_host_is_accepted(shared: cx.Sandbox, call: Call, host: str) -> None:
    """By address and by name, with the port."""
    port = shared.base_url.rpartition(":")[2]
    assert call(shared, headers={"Host": f"{host}:{port}"}).status_code == 200


@pytest.mark.parametrize(
    ("family", "address"),
    [pytest.param(socket.AF_INET, "127.0.0.2", id="v4"), pytest.param(socket.AF_INET6, "::1", id="v6")],
)
def test_it_listens_on_127_0_0_1_only(shared: cx.Sandbox, family: int, address: str) -> None:
    """No other address of this machine accepts a connection."""
    host, _, port = shared.base_url.removeprefix("http://").rpartition(":")
    assert host == "127.0.0.1"
    with socket.socket(family) as connection:
        connection.settimeout(1)
        assert connection.connect_ex((address, int(port))) != 0


def test_concurrent_creates_all_succeed(shared: cx.Sandbox, call: Call) -> None:
    """100 creates on 20 threads make 100 webhooks, each with its own id and secret."""
    with ThreadPoolExecutor(20) as threads:
        made = list(
            threads.map(lambda index: data(call(shared, "POST", json=HOOK | {"name": f"n{index}"})), range(100))
        )
    assert {f"n{index}" for index in range(100)} == {hook["name"] for hook in made}
    assert (100, 100) == (len({hook["id"] for hook in made}), len({hook["secret"] for hook in made}))
    assert {hook["id"] for hook in made} == set(ids(call, shared)[-100:])


def test_close_ends_every_thread_and_may_be_called_twice(call: Call) -> None:
    """Also while a connection is open. Afterwards connections are refused."""
    before = set(threading.enumerate())
    sandbox = cx.Sandbox()
    assert set(threading.enumerate()) - before
    call(sandbox)
    sandbox.close()
    sandbox.close()
    assert set(threading.enumerate()) <= before
    with pytest.raises(httpx.ConnectError):
        call(sandbox)


def test_a_given_port_is_used_and_freed_on_close(call: Call) -> None:
    """The next sandbox can use it immediately."""
    with cx.Sandbox() as sandbox:
        port = int(sandbox.base_url.rpartition(":")[2])
    with cx.Sandbox(port=port) as again:
        assert (f"http://127.0.0.1:{port}", 4) == (again.base_url, len(ids(call, again)))


def test_a_port_in_use_is_a_configuration_error(shared: cx.Sandbox, call: Call) -> None:
    """The sandbox on that port keeps working, and the failed one leaves no thread."""
    before = set(threading.enumerate())
    with pytest.raises(errors.ConfigurationError):
        cx.Sandbox(port=int(shared.base_url.rpartition(":")[2]))
    assert set(threading.enumerate()) <= before
    assert call(shared).status_code == 200


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_out_of_range_is_a_configuration_error(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread prints a traceback."""
    uncaught: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", uncaught.append)
    with pytest.raises(errors.ConfigurationError):
        cx.Sandbox(port=port)
    assert [] == [each.exc_type for each in uncaught]
