"""No value that a server sends gets into what a probe shows or saves, and the shapes of payloads do."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import cstar_explore as cx
from cstar_explore.events.shapes import shape_of
from cstar_explore.probing import receiver
from tests.probing.stand_in import PUBLISHABLE_KEY, SECRET_KEY, TEAM, StandIn
from tests.probing.stand_in_deliveries import DATA

PLANTED = "Quartzlake"
_CUSTOMER = {
    "id": f"cus_{PLANTED}",
    "name": f"Zoë {PLANTED}",
    "email": f"{PLANTED}@example.org",
    "custom_fields": {f"{PLANTED} number": "4711-0815", "status": "open"},
    PLANTED: [{"deeper": PLANTED}],
    f"{PLANTED}@example.org": 1,
}
PAYLOADS: dict[str, Any] = {
    event: {
        event.partition(".")[0]: {
            "id": f"{event[:3]}_{PLANTED}",
            "title": f"{PLANTED} / é",
            "tags": [PLANTED],
            "score": 4.25,
        },
        "customer": _CUSTOMER,
        f"{PLANTED.lower()}_extension": {"sk_live_planted": f"whsec_{PLANTED}"},
    }
    for event in DATA
}
_ANSWERS = {
    "code_404": "another code",
    "type_404": "another type",
    "error_404": ("type", "code", "message", "details", "*"),
    "error_400": ("type", "code", "message", "param", "*"),
    "list_fields": ("id", "name", "url", "events", "secret", "isActive", "description", "*"),
    "create_fields": ("id", "name", "url", "events", "secret", "isActive", "createdAt", "*"),
    "delivery_headers": ("Content-Type", "X-Signature", "X-Event-ID", "*"),
    "envelope": ("id", "type", "created_at", "data", "*"),
    "fired_fields": ("event", "eventId", "deliveries", "*"),
    "delivery_fields": ("deliveryId", "url", "webhookId", "*"),
}


@dataclass
class Probed:
    """The outcome of a probe of a server with planted values."""

    result: cx.ProbeResult
    path: Path
    values: set[str]


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probed]:
    folder = tmp_path_factory.mktemp("secrecy")
    capture = pytest.MonkeyPatch()
    capture.setenv("XDG_STATE_HOME", str(folder))
    with (
        cx.Listener(allowed_hosts=["receiver.example"]) as listener,
        StandIn(_ANSWERS, payloads=PAYLOADS, planted=PLANTED) as stand_in,
        cx.Client(SECRET_KEY, TEAM, stand_in.url) as client,
    ):
        stand_in.deliveries.route("receiver.example", "127.0.0.1", urlsplit(listener.url).port or 0)
        for webhook in stand_in.webhooks:
            webhook.name, webhook.url = f"{PLANTED} & sons", f"https://{PLANTED.lower()}.example.org/{PLANTED}"
        result = cx.probe(client, listener, publishable_key=PUBLISHABLE_KEY, fire=True, payloads=True, confirm=True)
        values = {
            PLANTED.lower(),
            TEAM,
            SECRET_KEY,
            PUBLISHABLE_KEY,
            "receiver.example",
            "4711-0815",
            "sk_live_planted",
        }
        values |= {part for webhook in stand_in.made for part in (webhook.id, webhook.secret, webhook.url)}
        yield Probed(result, folder / "cstar.json", values)
    capture.undo()


def test_no_value_is_shown_or_saved(probed: Probed) -> None:
    """Neither names, addresses, ids, secrets and keys, nor names of unknown fields and codes."""
    result = probed.result
    result.save(probed.path)
    page = probed.path.with_suffix(".html")
    result.to_html(page)
    frame = result.to_frame()
    texts = {
        "repr": repr(result) + str(result),
        "fields": f"{result.observations} {result.reasons} {result.left} {result.recording.payloads} {result.recording!r}",
        "display": result._repr_html_(),
        "page": page.read_text(),
        "recording": probed.path.read_text(),
        "frame": frame.to_csv() + frame.to_html(),
        "drift": result.drift(cx.Recording({}, {}, "2026-01-01")).to_csv(),
    }
    found = [(name, value) for name, text in texts.items() for value in probed.values if value.lower() in text.lower()]
    assert not found
    assert len(result.recording.payloads) == len(DATA)


def test_a_recording_is_small_and_has_a_line_for_each_answer_and_shape(probed: Probed) -> None:
    """So that a person can read it and compare it with another."""
    probed.result.save(probed.path)
    text = probed.path.read_text()
    assert len(text.encode()) < 40_000
    lines = text.splitlines()
    for name in (*probed.result.recording.answers, *probed.result.recording.payloads):
        assert len([line for line in lines if line.startswith(f'"{name}": ')]) == 1
    assert max(map(len, lines)) < 1000
    assert json.loads(text)["recorded_on"] == probed.result.recording.recorded_on


def test_samples_and_the_catalogue_follow_what_was_observed(probed: Probed) -> None:
    """With false values in the learned shape."""
    probed.result.save(probed.path)
    assert set(cx.events.catalogue(like=probed.path)["payload"]) == {"observed"}
    for event in DATA:
        data = json.loads(cx.events.sample(event, like=probed.path))["data"]
        assert PLANTED.lower() not in json.dumps(data).lower()
        assert set(data["customer"]) >= {"id", "name", "email", "custom_fields"}
        assert re.fullmatch(r"cus_\w+", data["customer"]["id"])
        assert isinstance(data["customer"]["custom_fields"], dict)


def test_a_sandbox_like_it_delivers_the_learned_shapes(
    probed: Probed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe of it learns the same."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    probed.result.save(probed.path)
    with cx.Sandbox(like=probed.path, real_time=True) as sandbox, sandbox.client() as client, cx.Listener() as listener:
        again = cx.probe(
            client, listener, publishable_key=sandbox.keys["publishable"], fire=True, payloads=True, confirm=True
        )
        bodies = b"".join(request.body for request in listener.requests()).lower()
    assert PLANTED.lower().encode() not in bodies
    assert set(again.recording.payloads) == set(DATA)
    drift = probed.result.drift(again)
    assert drift.empty, drift[["question", "before", "after"]].to_string()


@pytest.mark.parametrize("late", [False, True])
def test_each_shape_is_that_of_its_own_event(late: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if deliveries arrive when the next event was fired, and if the server knows one type less."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(receiver, "ARRIVAL", 0.2 if late else 5.0)
    wrong = []
    with cx.Listener() as listener, StandIn(unknown=("team.preferences_updated",)) as stand_in:
        stand_in.deliveries.delay = 0.3 if late else 0.0
        with cx.Client(SECRET_KEY, TEAM, stand_in.url) as client:
            result = cx.probe(client, listener, fire=True, payloads=True, confirm=True)
    for event, shape in result.recording.payloads.items():
        wrong += [event] if shape != shape_of(DATA[event]) else []
    assert not wrong
    assert late or len(result.recording.payloads) == len(DATA) - 1
