"""The sandbox by itself: keys, data, replays, limits, persistence and defences, asked for with plain httpx and sockets."""

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

START = datetime(2025, 12, 10, 14, 30, tzinfo=UTC)
HOOK = {"name": "Mine", "url": "https://example.com/hook", "events": "ticket.created,ticket.closed"}
Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Asks a sandbox with plain httpx: a path that starts with `/api` is taken as it is, any other is below `webhooks`."""
    with httpx.Client(trust_env=False) as http:

        def ask(sandbox: cx.Sandbox, method: str = "GET", path: str = "", key: str = "secret", **options: Any) -> Any:
            url = path if path.startswith("/api") else f"/api/v1/teams/{sandbox.team_id}/webhooks{path}"
            headers = {"Authorization": f"Bearer {sandbox.keys[key].reveal()}"} | options.pop("headers", {})
            return http.request(method, sandbox.base_url + url, headers=headers, **options)

        yield ask


@pytest.fixture(scope="module")
def shared() -> Iterator[cx.Sandbox]:
    """One sandbox for the tests that do not depend on what is in it."""
    with cx.Sandbox() as sandbox:
        yield sandbox


def data(answer: httpx.Response) -> Any:
    """What a good answer carries."""
    assert answer.is_success, answer.text
    return answer.json()["data"]


def ids(ask: Ask, sandbox: cx.Sandbox, key: str = "secret") -> list[str]:
    """The webhooks listed for this key."""
    return [hook["id"] for hook in data(ask(sandbox, key=key))]


def refused(answer: httpx.Response) -> tuple[Any, ...]:
    """Status, type, code and param of an answer that must be a whole error envelope."""
    body = answer.json()
    assert (["success", "error", "meta"], False) == (list(body), body["success"])
    error = body["error"]
    assert error["message"]
    assert error["request_id"].startswith("req_")
    return answer.status_code, error["type"], error["code"], error.get("param")


# What it starts with


def test_it_starts_with_four_webhooks(sandbox: cx.Sandbox, ask: Ask) -> None:
    """They are whole, and their ids are distinct."""
    hooks = data(ask(sandbox))
    assert (4, 4) == (len(hooks), len({hook["id"] for hook in hooks}))
    assert all(hook["name"] and hook["url"].startswith("https://") and hook["events"] for hook in hooks)


def test_the_clock_starts_at_a_fixed_time_and_steps_a_second_with_each_write(sandbox: cx.Sandbox, ask: Ask) -> None:
    """Reading does not move it; create, update and delete do."""
    times = [sandbox.clock.now]
    ask(sandbox)
    times.append(sandbox.clock.now)
    made = data(ask(sandbox, "POST", json=HOOK))["id"]
    times.append(sandbox.clock.now)
    ask(sandbox, "PATCH", f"/{made}", json={"name": "Other"})
    times.append(sandbox.clock.now)
    ask(sandbox, "DELETE", f"/{made}")
    times.append(sandbox.clock.now)
    assert [START + timedelta(seconds=seconds) for seconds in (0, 0, 1, 2, 3)] == times


def test_every_time_it_tells_is_its_clocks(sandbox: cx.Sandbox, ask: Ask) -> None:
    """`Date`, `meta.timestamp` and `createdAt` follow the clock when it is moved, never the wall."""
    sandbox.clock.advance(hours=48)
    later = START + timedelta(hours=48)
    answer = ask(sandbox)
    assert later == parsedate_to_datetime(answer.headers["date"])
    assert f"{later:%Y-%m-%dT%H:%M:%SZ}" == answer.json()["meta"]["timestamp"]
    assert f"{later:%Y-%m-%dT%H:%M:%SZ}" == data(ask(sandbox, "POST", json=HOOK))["createdAt"]


def test_two_sandboxes_repeat_each_other_byte_for_byte(ask: Ask) -> None:
    """The same calls get the same headers and bodies: ids, secrets, times and refusals included."""

    def told() -> list[tuple[int, list[tuple[str, str]], bytes]]:
        with cx.Sandbox(rate_limit=8) as sandbox:
            first = ids(ask, sandbox)[0]
            answers = [
                ask(sandbox, "POST", json=HOOK),
                ask(sandbox, "PATCH", f"/{first}", json={"isActive": False}),
                ask(sandbox, "POST", "/trigger-test", json={"event": "ticket.created"}),
                ask(sandbox, "DELETE", f"/{first}"),
                ask(sandbox, "DELETE", f"/{first}"),
                ask(sandbox, "POST", json={}),
                ask(sandbox),
                ask(sandbox),
                ask(sandbox, key="revoked"),
            ]
        return [(answer.status_code, answer.headers.multi_items(), answer.content) for answer in answers]

    once = told()
    assert once == told()
    assert [201, 200, 200, 200, 404, 400, 200, 429, 401] == [status for status, _, _ in once]


# Webhooks


def test_a_webhook_is_listed_changed_and_gone(shared: cx.Sandbox, ask: Ask) -> None:
    """A create is appended to the list, an update changes only what it names, a delete leaves nothing behind."""
    before = ids(ask, shared)
    made = data(ask(shared, "POST", json=HOOK))
    assert [*before, made["id"]] == ids(ask, shared)
    changed = data(ask(shared, "PATCH", f"/{made['id']}", json={"events": "article.published", "isActive": False}))
    now = data(ask(shared, path=f"/{made['id']}"))
    kept = {"id": made["id"], "name": "Mine", "url": HOOK["url"], "createdAt": made["createdAt"]}
    assert kept | {"events": ["article.published"], "isActive": False, "updatedAt": changed["updatedAt"]} == now
    assert {"deleted": True} == data(ask(shared, "DELETE", f"/{made['id']}"))
    assert before == ids(ask, shared)
    gone = (404, "not_found_error", "RESOURCE_MISSING", None)
    assert {gone} == {refused(ask(shared, method, f"/{made['id']}", json={})) for method in ("GET", "PATCH", "DELETE")}


def test_the_signing_secret_comes_back_once(shared: cx.Sandbox, ask: Ask) -> None:
    """Only the create's answer has it, and no two webhooks share one."""
    one, other = (data(ask(shared, "POST", json=HOOK)) for _ in range(2))
    later = [ask(shared), ask(shared, path=f"/{one['id']}"), ask(shared, "PATCH", f"/{one['id']}", json={"name": "x"})]
    assert one["secret"] != other["secret"]
    assert not [answer for answer in later if one["secret"] in answer.text or "secret" in answer.text]


def test_an_event_with_no_taker_is_still_fired(sandbox: cx.Sandbox, client: cx.Client, ask: Ask) -> None:
    """trigger-test answers the documented shape, with an id of its own each time."""
    for webhook in client.webhooks.list():
        client.webhooks.delete(webhook.id)
    fired = [data(ask(sandbox, "POST", "/trigger-test", json={"event": "ticket.created"})) for _ in range(2)]
    expected = {"event": "ticket.created", "test": True, "deliveries": []}
    assert [expected] * 2 == [{name: one[name] for name in expected} for one in fired]
    assert fired[0]["eventId"] != fired[1]["eventId"]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://example.com/hook", id="http"),
        pytest.param("http://127.0.0.1.example.com/", id="a-name-that-begins-like-loopback"),
        pytest.param("http://localhost.example.com/", id="a-name-that-begins-like-localhost"),
        pytest.param("http://127.0.0.1@example.com/", id="loopback-as-user"),
        pytest.param("http://10.0.0.1/", id="private-network"),
        pytest.param("http://0.0.0.0/", id="every-interface"),
        pytest.param("ftp://example.com/", id="ftp"),
        pytest.param("javascript:alert(1)", id="script"),
        pytest.param("example.com/hook", id="no-scheme"),
        pytest.param("//example.com/hook", id="scheme-relative"),
        pytest.param("https://", id="no-host"),
        pytest.param("https:///hook", id="no-host-but-path"),
        pytest.param("https://[::1", id="broken-address"),
        pytest.param("https://example.com:port/", id="broken-port"),
    ],
)
def test_a_url_that_is_not_https_is_refused(shared: cx.Sandbox, ask: Ask, url: str) -> None:
    """On create and on update alike."""
    first = ids(ask, shared)[0]
    expected = (400, "validation_error", "PARAMETER_INVALID", "url")
    assert expected == refused(ask(shared, "POST", json=HOOK | {"url": url}))
    assert expected == refused(ask(shared, "PATCH", f"/{first}", json={"url": url}))


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://example.com/hook?x=1#y", id="https"),
        pytest.param("HTTPS://EXAMPLE.COM/", id="https-in-capitals"),
        pytest.param("http://127.0.0.1:9/hook", id="loopback-address"),
        pytest.param("http://localhost:3000/api/webhooks", id="localhost"),
        pytest.param("http://[::1]:3000/", id="loopback-v6"),
    ],
)
def test_https_and_loopback_urls_are_taken_as_they_are(shared: cx.Sandbox, ask: Ask, url: str) -> None:
    """The URL comes back unchanged."""
    assert url == data(ask(shared, "POST", json=HOOK | {"url": url}))["url"]


def test_the_refusal_of_http_says_that_cstar_would_not_take_loopback_either(shared: cx.Sandbox, ask: Ask) -> None:
    """Nobody learns from the sandbox that cStar delivers to loopback."""
    message = ask(shared, "POST", json=HOOK | {"url": "http://example.com"}).json()["error"]["message"]
    assert "HTTPS" in message
    assert "cStar itself would refuse" in message


# Bodies, paths and methods it does not know


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        pytest.param("", {"url": "https://example.com", "events": "ticket.created"}, "name", id="create-name"),
        pytest.param("", {"name": "x", "events": "ticket.created"}, "url", id="create-url"),
        pytest.param("", {"name": "x", "url": "https://example.com"}, "events", id="create-events"),
        pytest.param("/trigger-test", {}, "event", id="fire-event"),
    ],
)
def test_a_missing_field_is_named(shared: cx.Sandbox, ask: Ask, path: str, body: Any, param: str) -> None:
    """400, parameter_missing, and the field in `param`."""
    expected = (400, "invalid_request_error", "parameter_missing", param)
    assert expected == refused(ask(shared, "POST", path, json=body))


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
def test_a_bad_value_is_named_and_changes_nothing(shared: cx.Sandbox, ask: Ask, name: str, value: Any) -> None:
    """400, PARAMETER_INVALID, the field in `param`, and the webhook as it was, its good fields included."""
    path = f"/{ids(ask, shared)[0]}"
    before = data(ask(shared, path=path))
    answer = ask(shared, "PATCH", path, json={"name": "changed", "isActive": False} | {name: value})
    assert (400, "validation_error", "PARAMETER_INVALID", name) == refused(answer)
    assert before == data(ask(shared, path=path))


@pytest.mark.parametrize("event", ["invalid.event", "ticket.*", 5, None, ["ticket.created"]])
def test_only_a_known_event_is_fired(shared: cx.Sandbox, ask: Ask, event: Any) -> None:
    """Anything else is 400 with `param` event."""
    status, _, _, param = refused(ask(shared, "POST", "/trigger-test", json={"event": event}))
    assert (400, "event") == (status, param)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"name": "x"', id="cut-off"),
        pytest.param(b"name=x", id="form"),
        pytest.param(b"[1, 2]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"\xff\xfe{}", id="not-utf-8"),
        pytest.param(b"[" * 50_000, id="bottomless"),
        pytest.param(b'{"name": ' + b"9" * 5_000 + b"}", id="endless-number"),
    ],
)
def test_a_body_that_is_no_json_object_gets_an_envelope(shared: cx.Sandbox, ask: Ask, content: bytes) -> None:
    """400 on each call that takes a body."""
    calls = [("POST", ""), ("PATCH", f"/{ids(ask, shared)[0]}"), ("POST", "/trigger-test")]
    assert [400] * 3 == [refused(ask(shared, *call, content=content))[0] for call in calls]


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
def test_an_unknown_path_or_method_gets_an_envelope(
    shared: cx.Sandbox, ask: Ask, method: str, path: str, status: int
) -> None:
    """404 and 405 look like every other error."""
    assert status == refused(ask(shared, method, path))[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(["name", "url", "events", "isActive", "event"])
GOOD = st.sampled_from(["https://example.com/", "ticket.created", "article.*", "*", ",", " ", True, False])
BODIES = st.dictionaries(FIELDS, GOOD | JSON, max_size=5).map(lambda body: json.dumps(body).encode())
CALLS = st.sampled_from([("POST", ""), ("PATCH", "/{first}"), ("POST", "/trigger-test"), ("DELETE", "/{first}/x")])


def test_no_body_whatever_breaks_the_sandbox(ask: Ask) -> None:
    """Every body gets an envelope below 500, and the list can still be read afterwards."""
    with cx.Sandbox() as sandbox:
        first = ids(ask, sandbox)[0]

        @settings(max_examples=150, deadline=None)
        @example(("PATCH", "/{first}"), b'{"name": "\\ud800"}')
        @example(("POST", "/trigger-test"), b'{"event": "\\ud800"}')
        @example(("PATCH", "/{first}"), b'{"name": "\\u0000"}')
        @given(CALLS, BODIES | st.binary(max_size=40))
        def run(call: tuple[str, str], content: bytes) -> None:
            answer = ask(sandbox, call[0], call[1].format(first=first), content=content)
            assert answer.status_code < 500
            assert {"success": answer.is_success} == {"success": answer.json()["success"]}

        run()
        assert first in ids(ask, sandbox)


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
def test_a_key_opens_what_its_kind_may(shared: cx.Sandbox, ask: Ask, key: str, reading: int, writing: int) -> None:
    """Secret keys read and write, publishable keys read, the others do neither."""
    assert (reading, writing) == (ask(shared, key=key).status_code, ask(shared, "POST", key=key, json=HOOK).status_code)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="empty"),
        pytest.param("Bearer", id="no-key"),
        pytest.param("Bearer sk_test_unknown", id="unknown"),
        pytest.param("Bearer whatever", id="no-known-prefix"),
        pytest.param("Basic c2VjcmV0Og==", id="basic"),
        pytest.param("{key}", id="no-scheme"),
    ],
)
def test_a_bad_authorization_gets_the_one_printed_body(shared: cx.Sandbox, ask: Ask, header: str) -> None:
    """401 does not tell an unknown key from a malformed one, and tells no budget."""
    headers = {"Authorization": header.replace("{key}", shared.key.reveal())}
    answer = ask(shared, headers=headers)
    assert (401, "authentication_error", "authentication_required", None) == refused(answer)
    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]


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


def test_whoami_tells_the_team_the_kind_and_the_environment_of_a_key(shared: cx.Sandbox, ask: Ask) -> None:
    """Another team's key is told its own team; a key that is no good is told nothing."""
    told = {}
    for key in ("secret", "publishable", "live", "live_publishable", "other_team"):
        identity = data(ask(shared, path="/api/v1/auth/whoami", key=key))
        told[key] = (identity["teamId"] == shared.team_id, identity["keyType"], identity["environment"])
    assert told == {
        "secret": (True, "secret", "test"),
        "publishable": (True, "publishable", "test"),
        "live": (True, "secret", "live"),
        "live_publishable": (True, "publishable", "live"),
        "other_team": (False, "secret", "test"),
    }
    assert refused(ask(shared, path="/api/v1/auth/whoami", key="expired"))[0] == 401


def test_test_and_live_data_are_separate(shared: cx.Sandbox, ask: Ask) -> None:
    """What a test key makes cannot be listed, read, changed or deleted with a live one, and the reverse."""
    for mine, theirs in (("secret", "live"), ("live", "secret")):
        made = data(ask(shared, "POST", key=mine, json=HOOK))["id"]
        calls = [("GET", f"/{made}"), ("PATCH", f"/{made}"), ("DELETE", f"/{made}")]
        assert [404] * 3 == [ask(shared, *call, key=theirs, json={"name": "x"}).status_code for call in calls]
        assert (True, False) == (made in ids(ask, shared, mine), made in ids(ask, shared, theirs))


def test_client_is_a_client_of_this_sandbox_with_a_key_of_any_kind(shared: cx.Sandbox, ask: Ask) -> None:
    """By default the secret one; options go on to the client."""
    with shared.client() as client, shared.client("live", timeout=3) as live:
        assert ("sandbox", "live") == (client.environment, live.environment)
        assert (shared.base_url, shared.team_id) == (live.base_url, live.team_id)
        assert ids(ask, shared) == [hook.id for hook in client.webhooks.list()]


# Idempotency


def keyed(name: str = "key-1") -> dict[str, str]:
    """An Idempotency-Key header."""
    return {"Idempotency-Key": name}


def test_a_repeated_create_gets_the_same_answer_and_makes_one_webhook(shared: cx.Sandbox, ask: Ask) -> None:
    """The signing secret is in the repeated answer too."""
    before = ids(ask, shared)
    answers = [ask(shared, "POST", json=HOOK, headers=keyed("create")) for _ in range(3)]
    assert [(201, answers[0].content)] * 3 == [(answer.status_code, answer.content) for answer in answers]
    assert [*before, data(answers[0])["id"]] == ids(ask, shared)
    assert data(answers[2])["secret"].startswith("whsec_")


def test_a_repeated_update_gets_the_same_answer_and_changes_nothing_again(sandbox: cx.Sandbox, ask: Ask) -> None:
    """Off, then on without a key, then off repeated: it stays on."""
    path = f"/{ids(ask, sandbox)[0]}"
    off = ask(sandbox, "PATCH", path, json={"isActive": False}, headers=keyed())
    ask(sandbox, "PATCH", path, json={"isActive": True})
    assert off.content == ask(sandbox, "PATCH", path, json={"isActive": False}, headers=keyed()).content
    assert data(ask(sandbox, path=path))["isActive"] is True


def test_an_idempotency_key_is_kept_for_a_day(sandbox: cx.Sandbox, ask: Ask) -> None:
    """Just before 24 hours it replays, after them it is a new key."""
    made = data(ask(sandbox, "POST", json=HOOK, headers=keyed()))["id"]
    sandbox.clock.advance(hours=23, minutes=59)
    assert made == data(ask(sandbox, "POST", json=HOOK, headers=keyed()))["id"]
    sandbox.clock.advance(minutes=2)
    assert made != data(ask(sandbox, "POST", json=HOOK, headers=keyed()))["id"]


def test_an_idempotency_key_on_another_body_conflicts(shared: cx.Sandbox, ask: Ask) -> None:
    """409, and nothing is made."""
    ask(shared, "POST", json=HOOK, headers=keyed("conflict"))
    before = ids(ask, shared)
    assert refused(ask(shared, "POST", json=HOOK | {"name": "Another"}, headers=keyed("conflict")))[0] == 409
    assert before == ids(ask, shared)


@pytest.mark.parametrize(
    ("key", "status"), [("live", 201), ("publishable", 403), ("other_team", 403), ("expired", 401)]
)
def test_a_replay_is_only_for_the_key_it_was_made_with(shared: cx.Sandbox, ask: Ask, key: str, status: int) -> None:
    """No other key gets the stored answer, nor the secret in it."""
    made = data(ask(shared, "POST", json=HOOK, headers=keyed(f"for {key}")))
    answer = ask(shared, "POST", key=key, json=HOOK, headers=keyed(f"for {key}"))
    assert (status, False, False) == (answer.status_code, made["id"] in answer.text, made["secret"] in answer.text)


def test_creates_under_one_key_at_the_same_time_make_one_webhook(shared: cx.Sandbox, ask: Ask) -> None:
    """Ten threads, one webhook, ten times the same answer."""
    before = ids(ask, shared)
    with ThreadPoolExecutor(10) as threads:
        answers = list(
            threads.map(lambda _: ask(shared, "POST", json=HOOK, headers=keyed("together")).content, range(10))
        )
    assert (1, len(before) + 1) == (len(set(answers)), len(ids(ask, shared)))


# Rate limits


def test_every_answer_to_a_good_key_tells_the_budget(sandbox: cx.Sandbox, ask: Ask) -> None:
    """Good answers and refusals alike, counted down for each key apart, for an hour."""
    calls = [("GET", ""), ("GET", "/whk_unknown"), ("PUT", ""), ("GET", "/api/v2")]
    reset = int(START.timestamp()) + 3600
    for key, limit in (("secret", 1000), ("live", 1000), ("publishable", 100), ("live_publishable", 100)):
        budgets = [ask(sandbox, *call, key=key).headers for call in calls]
        names = ("limit", "remaining", "reset", "window")
        told = [[int(budget[f"x-ratelimit-{name}"]) for name in names] for budget in budgets]
        assert [[limit, limit - count, reset, 3600] for count in (1, 2, 3, 4)] == told


def test_nothing_is_refused_unless_asked_for(shared: cx.Sandbox, ask: Ask) -> None:
    """By default the budget of a publishable key runs out, stays at nothing, and is not enforced."""
    answers = [ask(shared, key="live_publishable") for _ in range(110)]
    assert {200} == {answer.status_code for answer in answers}
    assert answers[-1].headers["x-ratelimit-remaining"] == "0"


def test_the_published_limits_are_enforced_when_asked_for(ask: Ask) -> None:
    """A publishable key gets a hundred answers an hour."""
    with cx.Sandbox(rate_limit=True) as sandbox:
        statuses = [ask(sandbox, key="publishable").status_code for _ in range(102)]
        assert [200] * 100 + [429] * 2 == statuses
        assert ask(sandbox, key="secret").headers["x-ratelimit-limit"] == "1000"


def test_a_number_is_enforced_for_each_key_and_passes_with_the_window(ask: Ask) -> None:
    """Three calls, then 429 with one and the same wait everywhere, which is the true one."""
    with cx.Sandbox(rate_limit=3) as sandbox:
        assert [200] * 3 == [ask(sandbox).status_code for _ in range(3)]
        sandbox.clock.advance(minutes=40)
        spent = ask(sandbox, "POST", json=HOOK)
        assert (429, "rate_limit_error", "rate_limit_exceeded", None) == refused(spent)
        wait = int(spent.headers["retry-after"])
        left = int(spent.headers["x-ratelimit-reset"]) - parsedate_to_datetime(spent.headers["date"]).timestamp()
        assert (1200, "0") == (wait, spent.headers["x-ratelimit-remaining"])
        assert (wait, f"{wait} seconds") == (left, spent.json()["error"]["message"].rpartition("in ")[2])
        assert ask(sandbox, key="live").status_code == 200
        sandbox.clock.advance(seconds=wait)
        assert len(ids(ask, sandbox)) == 4


# Persistence


def test_the_file_and_its_side_files_are_the_owners_alone(tmp_path: Path, ask: Ask) -> None:
    """Mode 0600 under any umask, while it runs and after; a file that was opened up is closed again."""
    file = tmp_path / "state.db"

    def modes() -> set[str]:
        return {oct(stat.S_IMODE(found.stat().st_mode)) for found in tmp_path.iterdir()}

    before = os.umask(0)
    try:
        with cx.Sandbox(file) as sandbox:
            ask(sandbox, "POST", json=HOOK)
            assert {"0o600"} == modes()
        assert {"0o600"} == modes()
        file.chmod(0o644)
        with cx.Sandbox(str(file)) as sandbox:
            ask(sandbox, "POST", json=HOOK)
            assert {"0o600"} == modes()
    finally:
        os.umask(before)


def test_a_reopened_file_goes_on_where_it_was(tmp_path: Path, ask: Ask) -> None:
    """Webhooks, ids, secrets, clock, keys and replays are those of a sandbox that was never closed."""

    def first(sandbox: cx.Sandbox) -> list[bytes]:
        return [
            ask(sandbox, "POST", json=HOOK, headers=keyed()).content,
            ask(sandbox, "DELETE", f"/{ids(ask, sandbox)[1]}").content,
        ]

    def second(sandbox: cx.Sandbox) -> list[Any]:
        answers = [ask(sandbox, "POST", json=HOOK, headers=keyed()), ask(sandbox, "POST", json=HOOK), ask(sandbox)]
        return [
            *(answer.content for answer in answers),
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


def test_what_was_answered_outlives_the_death_of_the_process(tmp_path: Path, ask: Ask) -> None:
    """A webhook whose create was answered is there after a SIGKILL right behind the answer."""
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
        assert (-9, 5, killed.stdout.strip()) == (killed.returncode, len(ids(ask, sandbox)), ids(ask, sandbox)[-1])


@pytest.mark.parametrize("kind", ["text", "database"])
def test_a_file_that_is_not_a_sandboxs_is_refused_and_left_as_it_was(tmp_path: Path, kind: str) -> None:
    """Content and mode: a mistyped path must not cost anybody a file."""
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


def test_a_path_in_no_folder_is_a_configuration_error(tmp_path: Path) -> None:
    """Nothing is made there either."""
    with pytest.raises(errors.ConfigurationError):
        cx.Sandbox(tmp_path / "missing" / "state.db")
    assert [] == list(tmp_path.iterdir())


# The network side


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "evil.example"}, id="foreign-host"),
        pytest.param({"Host": "127.0.0.1.evil.example"}, id="host-that-begins-like-loopback"),
        pytest.param({"Host": "evil.example:{port}"}, id="foreign-host-with-our-port"),
        pytest.param({"Origin": "https://evil.example"}, id="foreign-origin"),
        pytest.param({"Origin": "null"}, id="opaque-origin"),
        pytest.param({"Origin": "http://localhost:8888"}, id="another-local-origin"),
    ],
)
def test_a_call_from_a_web_page_is_refused(shared: cx.Sandbox, ask: Ask, headers: dict[str, str]) -> None:
    """403 even with a good key, nothing is made, and no header invites a browser."""
    before = ids(ask, shared)
    port = shared.base_url.rpartition(":")[2]
    foreign = {name: value.replace("{port}", port) for name, value in headers.items()}
    answers = [ask(shared, headers=foreign), ask(shared, "POST", json=HOOK, headers=foreign)]
    assert [403, 403] == [answer.status_code for answer in answers]
    assert not [name for answer in answers for name in answer.headers if name.startswith("access-control")]
    assert before == ids(ask, shared)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_call_by_a_loopback_name_is_answered(shared: cx.Sandbox, ask: Ask, host: str) -> None:
    """Both names of this machine for itself are good, with the port."""
    port = shared.base_url.rpartition(":")[2]
    assert ask(shared, headers={"Host": f"{host}:{port}"}).status_code == 200


@pytest.mark.parametrize(
    ("family", "address"),
    [pytest.param(socket.AF_INET, "127.0.0.2", id="v4"), pytest.param(socket.AF_INET6, "::1", id="v6")],
)
def test_it_listens_on_127_0_0_1_only(shared: cx.Sandbox, family: int, address: str) -> None:
    """No other address of this machine takes a connection."""
    host, _, port = shared.base_url.removeprefix("http://").rpartition(":")
    assert host == "127.0.0.1"
    with socket.socket(family) as tried:
        tried.settimeout(1)
        assert tried.connect_ex((address, int(port))) != 0


def test_twenty_threads_write_at_once_and_nothing_is_lost(shared: cx.Sandbox, ask: Ask) -> None:
    """A hundred creates, a hundred webhooks, each with an id and a secret of its own."""
    with ThreadPoolExecutor(20) as threads:
        made = list(threads.map(lambda place: data(ask(shared, "POST", json=HOOK | {"name": f"n{place}"})), range(100)))
    assert {f"n{place}" for place in range(100)} == {hook["name"] for hook in made}
    assert (100, 100) == (len({hook["id"] for hook in made}), len({hook["secret"] for hook in made}))
    assert {hook["id"] for hook in made} == set(ids(ask, shared)[-100:])


def test_close_may_be_called_twice_and_leaves_no_thread(ask: Ask) -> None:
    """Also with a connection still open; afterwards nobody answers."""
    before = set(threading.enumerate())
    sandbox = cx.Sandbox()
    assert set(threading.enumerate()) > before
    ask(sandbox)
    sandbox.close()
    sandbox.close()
    assert before == set(threading.enumerate())
    with pytest.raises(httpx.ConnectError):
        ask(sandbox)


def test_a_given_port_is_used_and_is_free_again_after_closing(ask: Ask) -> None:
    """The same port can be taken at once by the next sandbox."""
    with cx.Sandbox() as sandbox:
        port = int(sandbox.base_url.rpartition(":")[2])
    with cx.Sandbox(port=port) as again:
        assert (f"http://127.0.0.1:{port}", 4) == (again.base_url, len(ids(ask, again)))


def test_a_port_in_use_is_a_configuration_error(shared: cx.Sandbox, ask: Ask) -> None:
    """The one that has it is not disturbed, and the one that failed leaves no thread."""
    before = set(threading.enumerate())
    with pytest.raises(errors.ConfigurationError):
        cx.Sandbox(port=int(shared.base_url.rpartition(":")[2]))
    assert before == set(threading.enumerate())
    assert ask(shared).status_code == 200


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_cannot_be_is_a_configuration_error(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else: no thread dies of it with a traceback."""
    died: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    with pytest.raises(errors.ConfigurationError):
        cx.Sandbox(port=port)
    assert [] == [death.exc_type for death in died]
