"""Every example of the API reference: the client sends its request and reads its response, without a server."""

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
WEBHOOK_ID = "whk_a1b2c3d4e5f6"
CLASSES = {
    400: errors.ValidationError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    429: errors.RateLimitError,
}


def webhook_id_of(example: Example) -> str:
    """The ID of the webhook in an example, which is the requested one."""
    item = example.body.get("data")
    return item.get("id", WEBHOOK_ID) if isinstance(item, dict) else WEBHOOK_ID


def request_of(example: Example) -> requests.Request[Any]:
    """The client's request for an example, with the values of its body."""
    sent, webhook_id = example.sent or {}, webhook_id_of(example)
    with cx.Client("sk_live_your_key", TEAM, BASE_URL) as client:
        preview = client.webhooks.preview
        match example.call:
            case "List Webhooks":
                return preview.list()
            case "Get Webhook":
                return preview.get(webhook_id)
            case "Create Webhook":
                return preview.create(name=sent["name"], url=sent["url"], events=sent["events"].split(","))
            case "Update Webhook":
                return preview.update(webhook_id, events=sent["events"].split(","))
            case "Delete Webhook":
                return preview.delete(webhook_id)
            case _:
                return preview.trigger_test(sent["event"])


def response_of(example: Example) -> responses.Response:
    """The response of an example, as bytes."""
    return responses.Response(example.status, {"content-type": "application/json"}, json.dumps(example.body).encode())


def timestamp(text: str) -> datetime:
    """A timestamp of an example."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def fields_of_webhook(webhook: models.Webhook) -> dict[str, Any]:
    """The fields of a webhook under their names in the reference, without those that are None."""
    fields = {
        "id": webhook.id,
        "name": webhook.name,
        "url": webhook.url,
        "events": None if webhook.events is None else list(webhook.events),
        "secret": webhook.secret and webhook.secret.reveal(),
        "isActive": webhook.is_active,
        "createdAt": webhook.created_at,
        "updatedAt": webhook.updated_at,
        **webhook.extra,
    }
    return {name: value for name, value in fields.items() if value is not None}


def fields_of(value: Any) -> Any:
    """Everything in a value that was read from a response, in the shape of `data`."""
    match value:
        case None:
            return {"deleted": True}
        case models.Webhook():
            return fields_of_webhook(value)
        case models.FiredEvent():
            fields = {"event": value.event, "eventId": value.event_id, "test": value.test}
            return {**fields, "deliveries": list(value.deliveries), **value.extra}
        case _:
            return [fields_of_webhook(webhook) for webhook in models.WebhookList(value.items)]


def with_timestamps(data: Any) -> Any:
    """The `data` of an example, with its timestamps as datetimes."""
    if isinstance(data, list):
        return [with_timestamps(item) for item in data]
    return {name: timestamp(value) if name.endswith("At") else value for name, value in data.items()}


def test_the_reference_has_twenty_eight_responses_to_six_calls() -> None:
    """The copy is complete."""
    assert (6, 28) == (len({example.call for example in EXAMPLES}), len(EXAMPLES))


@pytest.mark.parametrize("example", ANSWERS, ids=str)
def test_each_call_sends_the_request_of_its_example(example: Example) -> None:
    """Method, URL and body."""
    request = request_of(example)
    url = BASE_URL + example.path.replace("{teamId}", TEAM).replace("{webhookId}", webhook_id_of(example))
    content = json.loads(request.content) if request.content else None
    expected = (example.method, url, example.sent, example.sent)
    assert expected == (request.method, request.url, request.body, content)


@pytest.mark.parametrize("example", ANSWERS, ids=str)
def test_each_successful_example_is_read_with_all_its_fields(example: Example) -> None:
    """Nothing in `data` is lost, and nothing is added."""
    value = requests.read(request_of(example), response_of(example))
    assert with_timestamps(example.body["data"]) == fields_of(value)


@pytest.mark.parametrize("example", ERRORS, ids=str)
def test_each_error_example_is_read_with_all_its_fields(example: Example) -> None:
    """The class follows the status; absent fields are None."""
    with pytest.raises(errors.StatusError) as caught:
        requests.read(request_of(example), response_of(example))
    error = caught.value
    names = ("type", "code", "message", "doc_url", "param", "request_id")
    fields = {name: getattr(error, name) for name in names if getattr(error, name) is not None}
    expected = (CLASSES[example.status], example.status, example.body["error"])
    assert expected == (type(error), error.status, fields)


@pytest.mark.parametrize("example", ERRORS, ids=str)
def test_the_text_of_each_error_example_ends_with_advice(example: Example) -> None:
    """After cStar's message."""
    error = responses.error_in(response_of(example))
    assert (True, True) == (example.body["error"]["message"] in str(error), str(error).endswith(error.advice))
    assert error.advice.endswith(".")


@pytest.mark.parametrize("example", [example for example in ERRORS if example.status == 429], ids=str)
def test_the_wait_is_read_from_the_message_of_the_429_example(example: Example) -> None:
    """It names its sixty seconds there only."""
    assert 60 == responses.error_in(response_of(example)).retry_after
