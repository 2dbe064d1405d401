"""Credentials that arrive with a request are stored nowhere and sent nowhere."""

from pathlib import Path
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.widgets.deliveries_tab import DeliveriesTab
from tests.support.listeners import SECRET, body_of, deliver, send
from tests.support.scripted_server import ScriptedServer, reply

PLANTED = "FALSE-credential-0123456789"
NAMES = [
    "Authorization",
    "AUTHORIZATION",
    "Proxy-Authorization",
    "X-Forwarded-Authorization",
    "Cookie",
    "Set-Cookie",
    "X-Api-Key",
    "X-APIKEY",
    "Api_Key",
    "X-Auth-Token",
    "X-Access-Token",
    "X-CSRF-Token",
    "X-Amz-Security-Token",
    "X-Vault-Token",
    "Cf-Access-Jwt-Assertion",
    "X-Goog-Iap-Jwt-Assertion",
    "Ocp-Apim-Subscription-Key",
    "X-Functions-Key",
    "X-Client-Secret",
    "X-Password",
    "X-Session-Id",
    "X-Forwarded-Client-Cert",
]


def everything_shown(listener: cx.Listener, folder: Path) -> str:
    """Frame, repr, headers, view and files."""
    view = DeliveriesTab(listener)
    view.open(1)
    state = str(view.widget.get_state())
    view.close()
    files = b"".join(file.read_bytes() for file in folder.iterdir()).decode("latin-1")
    return str(listener.to_frame().to_dict("records")) + repr(listener[1]) + state + files


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("refused", [False, True])
def test_credential_headers_are_masked_as_they_arrive(tmp_path: Path, name: str, refused: bool) -> None:
    """The name stays. The delivery is still verified."""
    with cx.Listener([SECRET], path=tmp_path / "captures.db") as listener:
        host = {"Host": "hooks.example"} if refused else {}
        assert (403 if refused else 200) == deliver(listener, **{name: f"Basic {PLANTED}"}, **host)
        assert "••••" == listener[1].header(name)
        assert PLANTED not in everything_shown(listener, tmp_path)
        assert listener[1].cause == ("foreign_host" if refused else "ok")


@pytest.mark.parametrize("value", [f"Bearer {PLANTED}", "sk_live_FALSE0123456789abcdef", f"whsec_{PLANTED}"])
def test_credentials_in_other_headers_are_masked(tmp_path: Path, value: str) -> None:
    """By their form."""
    with cx.Listener([SECRET], path=tmp_path / "captures.db") as listener:
        deliver(listener, **{"X-Original": f"was {value}"})
        assert value[-12:] not in everything_shown(listener, tmp_path)


@pytest.mark.parametrize(
    "query", ["token=", "api_key=", "a=b&access_token=", "api%5Fkey=", "sig=x&Secret=", "x=Bearer%20"]
)
def test_credentials_in_the_query_are_masked(tmp_path: Path, query: str) -> None:
    """The other parameters stay."""
    with cx.Listener(path=tmp_path / "captures.db") as listener:
        send(f"{listener.url}?{query}{PLANTED}&tenant=a")
        assert (True, True) == (listener[1].query.startswith(query), listener[1].query.endswith("&tenant=a"))
        assert PLANTED not in everything_shown(listener, tmp_path)


def test_headers_of_the_delivery_stay_as_they_arrived() -> None:
    """The signature proves the delivery and reveals no secret."""
    headers = {
        "X-Signature": cx.sign(body_of(), SECRET),
        "X-Event-Type": "ticket.created",
        "X-Event-ID": "evt_1",
        "X-Webhook-ID": "whk_1",
        "X-Timestamp": "2025-12-10T14:30:00Z",
        "X-Delivery-Attempt": "1",
        "x-cstar-request-id": "req_1",
        "User-Agent": "cStar-Webhooks/1.0",
        "Idempotency-Key": "idem_1",
        "X-Forwarded-For": "203.0.113.5",
        "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    with cx.Listener([SECRET]) as listener:
        send(listener.url, body_of(), headers)
        assert headers == {name: listener[1].header(name) for name in headers}


# --- replay


@pytest.fixture
def listener() -> Any:
    """With one delivery that came through a gateway."""
    with cx.Listener([SECRET], allowed_hosts=["receiver.example"]) as listener:
        extra = {"Authorization": PLANTED, "Cookie": PLANTED, "X-Forwarded-For": "203.0.113.5", "X-Own": "x"}
        deliver(listener, **extra, **{"Content-Type": "application/json", "User-Agent": "cStar-Webhooks/1.0"})
        yield listener


def test_replay_sends_only_what_cstar_sends(listener: cx.Listener) -> None:
    """Not even masks of the rest."""
    with ScriptedServer(reply()) as server:
        listener.replay([1], server.url)
        headers = server.requests[0].headers
    assert listener[1].header("x-signature") == headers["x-signature"]
    assert ("application/json", "cStar-Webhooks/1.0") == (headers["content-type"], headers["user-agent"])
    assert set() == {"authorization", "cookie", "x-forwarded-for", "x-own"} & set(headers)


@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere.example/",
        "http://192.0.2.1/",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://127.0.0.1\\@evil.example/",
        "HTTP://elsewhere.example/",
        "ftp://127.0.0.1/",
        "//127.0.0.1/",
        "",
        "http://",
        "http://[::1/",
    ],
)
def test_replay_over_plain_http_is_for_this_machine_only(listener: cx.Listener, url: str) -> None:
    """Anything else is an error before anything is sent."""
    with pytest.raises(errors.ConfigurationError):
        listener.replay([1], url)


@pytest.mark.parametrize("url", ["http://receiver.example:1/", "http://Receiver.Example:1/", "https://127.0.0.1:1/"])
def test_replay_may_go_to_https_and_allowed_hosts(
    listener: cx.Listener, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Here it fails for another reason, in the row."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # so that the name is not looked up
    frame = listener.replay([1], url)
    assert (True, True) == (frame["answered"].isna()[0], frame["error"].notna()[0])


@pytest.mark.parametrize("to", [None, 5, b"http://127.0.0.1/"])
def test_replay_to_something_else_is_rejected(listener: cx.Listener, to: Any) -> None:
    """It is neither a URL nor a function."""
    with pytest.raises(errors.ConfigurationError, match="to must be"):
        listener.replay([1], to)
