"""Refused requests leave a row, `wait_for` reports them, and they cannot fill the store."""

import contextlib
import re
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.listeners import SECRET, FixedClock, body_of, deliver, send

BODIES = "cstar_explore.serving.bodies"
STORE = "cstar_explore.listener.store"


def message_of(listener: cx.Listener, event: str = "ticket.created") -> str:
    with pytest.raises(errors.NotReceivedError) as caught:
        listener.wait_for(event, timeout=0)
    return str(caught.value)


# --- tunnels


@pytest.mark.parametrize("host", ["hooks.example", "HOOKS.example", "hooks.example:443", "hooks.example:8080"])
def test_allowed_host_is_accepted(host: str) -> None:
    """With any port and in any case."""
    with cx.Listener([SECRET], allowed_hosts=["Hooks.Example"]) as listener:
        assert 200 == deliver(listener, Host=host)
        assert "ok" == listener[1].cause


@pytest.mark.parametrize("host", ["other.example", "a.hooks.example", "hooks.example.evil.example", "hooks.exampl"])
def test_other_hosts_are_still_refused(host: str) -> None:
    """Names that contain the allowed one too."""
    with cx.Listener([SECRET], allowed_hosts="hooks.example") as listener:
        assert 403 == deliver(listener, Host=host)
        assert ("foreign_host", True) == (listener[1].cause, host in (listener[1].error or ""))


def test_web_page_is_refused_at_an_allowed_host() -> None:
    """A tunnel makes the listener reachable for browsers, too."""
    with cx.Listener([SECRET], allowed_hosts=["hooks.example"]) as listener:
        assert 403 == deliver(listener, Host="hooks.example", Origin="https://hooks.example")
        assert "web_page" == listener[1].cause


@pytest.mark.parametrize("hosts", [["https://hooks.example"], ["hooks.example:443"], [""], [None], [5], ["a b"], ["*"]])
def test_invalid_allowed_hosts_are_rejected(hosts: Any) -> None:
    """Only names are accepted."""
    with pytest.raises(errors.ConfigurationError, match="allowed_hosts"):
        cx.Listener(allowed_hosts=hosts)


# --- rows


def test_refused_rows_keep_the_frames_types() -> None:
    """The body is missing, because it was not read. They cannot be explained or replayed."""
    with cx.Listener([SECRET], clock=FixedClock()) as listener:
        send(listener.url, body_of(), path="/hooks/guess?tenant=a")
        send(listener.url, body_of(), {"Host": "hooks.example"})
        deliver(listener)
        frame = listener.to_frame()
        assert [404, 403, 401] == list(frame["answered"])
        assert ["wrong_path", "foreign_host"] == list(frame["cause"])[:2]
        assert [False, False, False] == list(frame["verified"])
        assert [None, None, body_of()] == list(frame["body"])
        assert ("/hooks/guess", "tenant=a") == (frame["path"][0], frame["query"][0])
        assert "hooks.example" in frame["error"][1]
        with cx.Listener([SECRET]) as empty:
            assert list(empty.to_frame().dtypes) == list(frame.dtypes)
        with pytest.raises(errors.ConfigurationError, match="refused"):
            listener.explain(1)
        with pytest.raises(errors.ValidationError, match="refused"):
            listener.replay(frame, listener.url)
        assert 3 == len(listener.requests())


@pytest.mark.parametrize("path", ["/", "//", "/x", "?a=b", "/?a=b"])
def test_reason_of_a_wrong_path_names_it(path: str) -> None:
    """A slash at the end is named as such, since it is easily overlooked."""
    with cx.Listener() as listener:
        status, body, _ = send(listener.url, path=urlsplit(listener.url).path + path)
        if path.startswith("?"):
            assert 200 == status
        else:
            assert (404, True) == (status, ("slash" in (listener[1].error or "")) == (path.strip("/?a=b") == ""))
        assert urlsplit(listener.url).path.encode() not in body


# --- wait_for


@pytest.mark.parametrize(
    ("refuse", "reported"),
    [
        pytest.param(
            lambda listener: send(listener.url, headers={"Host": "hooks.example"}), "hooks.example", id="host"
        ),
        pytest.param(lambda listener: send(listener.url, path=urlsplit(listener.url).path + "/"), "slash", id="slash"),
        pytest.param(lambda listener: send(listener.url, path="/hook"), "'/hook'", id="path"),
        pytest.param(lambda listener: send(listener.url, headers={"Origin": "null"}), "web page", id="web page"),
        pytest.param(lambda listener: send(listener.url, b"x" * 101), "longer than 100 bytes", id="long body"),
        pytest.param(
            lambda listener: send_part(listener, b"Content-Length: 9\r\n\r\nx"), "longer than 0.2 s", id="slow"
        ),
        pytest.param(lambda listener: send_part(listener, b"\x00\r\n\r\n"), "not HTTP", id="not HTTP"),
    ],
)
def test_wait_for_reports_what_was_refused(monkeypatch: pytest.MonkeyPatch, refuse: Any, reported: str) -> None:
    """How often, with which status and why."""
    monkeypatch.setattr(f"{BODIES}.MAX_BODY", 100)
    monkeypatch.setattr(f"{BODIES}.BODY_TIMEOUT", 0.2)
    with cx.Listener([SECRET]) as listener:
        for _ in range(2):
            with contextlib.suppress(ConnectionError):  # the rest of a long body is not read
                refuse(listener)
        assert any(len(listener.requests()) == 2 or threading.Event().wait(0.01) for _ in range(200))
        message = message_of(listener)
        assert ("2 refused, answered" in message, reported in message) == (True, True)
        assert {True} == {request.refused for request in listener.requests()}


def send_part(listener: cx.Listener, rest: bytes) -> None:
    """Sends the head up to Host, then the rest, and waits for the response."""
    parts = urlsplit(listener.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=5) as connection:
        connection.sendall(f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n".encode() + rest)
        while connection.recv(1000):
            pass


def test_wait_for_never_returns_a_forgery() -> None:
    """Neither when it is newer than the genuine delivery. It is reported."""
    with cx.Listener([SECRET]) as listener:
        assert 401 == send(listener.url, body_of("evt_forged"))[0]
        message = message_of(listener)
        assert ("1 failed verification, header_missing" in message, "evt_forged" in message) == (True, True)
        assert "evt_forged" in message_of(listener, "evt_forged")
        deliver(listener, body_of("evt_genuine"))
        send(listener.url, body_of("evt_forged"))
        assert "evt_genuine" == listener.wait_for("ticket.created", timeout=0).event_id


def test_wait_for_does_not_return_what_arrived_before_the_first_secret() -> None:
    """It was not verified. The message says so."""
    with cx.Listener() as listener:
        send(listener.url, body_of())
        assert "evt_1" == listener.wait_for("ticket.created", timeout=0).event_id
        listener.trust(SECRET)
        assert "1 arrived before the first secret" in message_of(listener)


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf"), 10**10, None, "5"])
def test_invalid_timeout_is_rejected(timeout: Any) -> None:
    """Every wait has an end."""
    with cx.Listener() as listener, pytest.raises(errors.ConfigurationError, match="timeout"):
        listener.wait_for("ticket.created", timeout=timeout)


def test_closing_the_listener_ends_wait_for() -> None:
    """With an error, and at once."""
    listener = cx.Listener()
    raised: list[Exception] = []

    def wait() -> None:
        try:
            listener.wait_for("ticket.created", timeout=60)
        except errors.CStarError as error:
            raised.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    threading.Event().wait(0.05)
    listener.close()
    thread.join(2)
    assert (False, [errors.ConfigurationError]) == (thread.is_alive(), [type(error) for error in raised])


# --- limits


def test_only_the_newest_refused_requests_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Deliveries are not dropped for them, and the number of those dropped is reported. Reopening keeps the limit."""
    monkeypatch.setattr(f"{STORE}.MAX_STORED", 10_000)
    monkeypatch.setattr(f"{STORE}.MAX_REFUSED", 3)
    with cx.Listener(path=tmp_path / "captures.db") as listener:
        send(listener.url, body_of("evt_kept"))
        for number in range(5):
            send(listener.url, path=f"/scan/{number}")
        paths = [request.path for request in listener.requests()]
        assert ["/scan/2", "/scan/3", "/scan/4"] == paths[1:]
        assert re.search(r"2 not stored: .*newest 3 refused", message_of(listener, "x"))
    with cx.Listener(path=tmp_path / "captures.db") as listener:
        send(listener.url, path="/scan/5")
        assert ["/scan/3", "/scan/4", "/scan/5"] == [request.path for request in listener.requests()][1:]
        for _ in range(200):  # the oldest ones are dropped
            send(listener.url, path="/" + "x" * 60)
        assert 200 == send(listener.url, body_of())[0]


def test_full_listener_answers_507_and_drops_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """What was answered 2xx stays. `wait_for` reports the rest, also after reopening the file."""
    monkeypatch.setattr(f"{STORE}.MAX_STORED", 10_000)
    monkeypatch.setattr(f"{STORE}.MAX_REFUSED", 3)
    bodies = [b"%d" % number * 1_000 for number in range(9)]
    with cx.Listener(path=tmp_path / "captures.db") as listener:
        statuses = [send(listener.url, body)[0] for body in bodies]
        assert {200, 507} == set(statuses)
        kept = [body for body, status in zip(bodies, statuses, strict=True) if status == 200]
        assert (kept, sorted(statuses)) == ([request.body for request in listener.requests()], statuses)
        assert re.search(rf"{statuses.count(507)} not stored: .*is full", message_of(listener))
        assert 403 == send(listener.url, headers={"Host": "x" * 5_000})[0]
    with cx.Listener(path=tmp_path / "captures.db") as listener:
        assert (507, len(kept)) == (send(listener.url, bodies[0])[0], len(listener.requests()))
