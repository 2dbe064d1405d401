"""The client's side of the contract: every example that the API reference prints, without any server of ours."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors, models
from cstar_explore.api import requests, responses
from tests.support.reference import ANSWERS, ERRORS, EXAMPLES, Example

BASE_URL = "https://www.cstar.help"
TEAM = "team_1"
HOOK = "whk_a1b2c3d4e5f6"
CLASSES = {
    400: errors.ValidationError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    429: errors.RateLimitError,
}


def request_of(example: Example) -> requests.Request[Any]:
    """Our request for the printed call, with the values of its printed body."""
    sent = example.sent or {}
    with cx.Client("sk_live_your_key", TEAM, BASE_URL) as client:
        preview = client.webhooks.preview
        match example.call:
            case "List Webhooks":
                return preview.list()
            case "Get Webhook":
                return preview.get(HOOK)
            case "Create Webhook":
                return preview.create(name=sent["name"], url=sent["url"], events=sent["events"].split(","))
            case "Update Webhook":
                return preview.update(HOOK, events=sent["events"].split(","))
            case "Delete Webhook":
                return preview.delete(HOOK)
            case _:
                return preview.trigger_test(sent["event"])


def answer_of(example: Example) -> responses.Response:
    """The printed answer, as bytes that came back."""
    return responses.Response(example.status, {"content-type": "application/json"}, json.dumps(example.body).encode())


def moment(text: str) -> datetime:
    """A printed timestamp."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def told_by_webhook(hook: models.Webhook) -> dict[str, Any]:
    """The fields a webhook holds, under the names they are printed with."""
    fields = {
        "id": hook.id,
        "name": hook.name,
        "url": hook.url,
        "events": None if hook.events is None else list(hook.events),
        "secret": hook.secret and hook.secret.reveal(),
        "isActive": hook.is_active,
        "createdAt": hook.created_at,
        "updatedAt": hook.updated_at,
        **hook.extra,
    }
    return {name: value for name, value in fields.items() if value is not None}


def told(value: Any) -> Any:
    """Everything a value read from an answer holds, in the shape of the printed `data`."""
    match value:
        case None:
            return {"deleted": True}
        case models.Webhook():
            return told_by_webhook(value)
        case models.FiredEvent():
            fields = {"event": value.event, "eventId": value.event_id, "test": value.test}
            return {**fields, "deliveries": list(value.deliveries), **value.extra}
        case _:
            return [told_by_webhook(hook) for hook in models.WebhookList(value.items)]


def with_moments(data: Any) -> Any:
    """The printed `data`, its timestamps as points in time."""
    if isinstance(data, list):
        return [with_moments(item) for item in data]
    return {name: moment(value) if name.endswith("At") else value for name, value in data.items()}


def test_the_reference_prints_twenty_eight_answers_to_six_calls() -> None:
    """No example was forgotten when they were copied."""
    assert (6, 28) == (len({example.call for example in EXAMPLES}), len(EXAMPLES))


@pytest.mark.parametrize("example", ANSWERS, ids=str)
def test_each_call_sends_what_the_reference_prints(example: Example) -> None:
    """Method, address and body are those of the printed call."""
    request = request_of(example)
    url = BASE_URL + example.path.replace("{teamId}", TEAM).replace("{webhookId}", HOOK)
    content = json.loads(request.content) if request.content else None
    expected = (example.method, url, example.sent, example.sent)
    assert expected == (request.method, request.url, request.body, content)


@pytest.mark.parametrize("example", ANSWERS, ids=str)
def test_each_printed_answer_yields_a_value_with_every_printed_field(example: Example) -> None:
    """Nothing printed under `data` is lost, and nothing is added."""
    value = requests.read(request_of(example), answer_of(example))
    assert with_moments(example.body["data"]) == told(value)


@pytest.mark.parametrize("example", ERRORS, ids=str)
def test_each_printed_error_yields_its_class_with_every_printed_field(example: Example) -> None:
    """The class follows the status; a field that is not printed is None."""
    with pytest.raises(errors.StatusError) as caught:
        requests.read(request_of(example), answer_of(example))
    error = caught.value
    names = ("type", "code", "message", "doc_url", "param", "request_id")
    fields = {name: getattr(error, name) for name in names if getattr(error, name) is not None}
    expected = (CLASSES[example.status], example.status, example.body["error"])
    assert expected == (type(error), error.status, fields)


@pytest.mark.parametrize("example", ERRORS, ids=str)
def test_each_printed_error_ends_in_a_sentence_on_what_to_do(example: Example) -> None:
    """The message is followed by advice of the package's own."""
    error = responses.error_in(answer_of(example))
    assert (True, True) == (example.body["error"]["message"] in str(error), str(error).endswith(error.advice))
    assert error.advice.endswith(".")


@pytest.mark.parametrize("example", [example for example in ERRORS if example.status == 429], ids=str)
def test_the_wait_is_read_from_the_printed_message(example: Example) -> None:
    """The printed 429 names its sixty seconds in the message only."""
    assert 60 == responses.error_in(answer_of(example)).retry_after
