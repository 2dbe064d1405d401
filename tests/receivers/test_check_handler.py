"""`check_handler` finds what is wrong with a Python handler, without a network."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

import cstar_explore as cx

Event = dict[str, Any]


class Mailer:
    """Mails the title of each event's ticket."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.seen: set[str] = set()
        self._lock = threading.Lock()

    def right(self, event: Event) -> None:
        with self._lock:
            if event["id"] not in self.seen and event["type"] == "ticket.created":
                self.mails.append(event["data"]["ticket"]["title"])
                self.seen.add(event["id"])

    async def right_and_async(self, event: Event) -> None:
        self.right(event)

    def repeats(self, event: Event) -> None:
        self.mails.append(event["data"].get("ticket", {}).get("title", ""))

    def remembers_first(self, event: Event) -> None:
        with self._lock:
            if event["id"] in self.seen:
                return
            self.seen.add(event["id"])
            self.mails.append(event["data"]["ticket"]["title"])

    def fails(self, event: Event) -> None:
        self.mails.append(event["data"]["ticket"]["titel"])

    def refuses_other_types(self, event: Event) -> int | None:
        if event["type"] not in {"ticket.created", "ticket.closed"}:
            return 422
        return self.right(event)

    def needs_few_fields(self, event: Event) -> None:
        if "api_version" in event:
            raise ValueError("api_version")
        self.right(event)


def check(handler: Callable[[Mailer], Any]) -> cx.ReceiverCheck:
    mailer = Mailer()
    return cx.check_handler(handler(mailer), acted=lambda: mailer.mails)


@pytest.mark.parametrize("handler", [lambda mailer: mailer.right, lambda mailer: mailer.right_and_async])
def test_a_right_handler_is_right(handler: Callable[[Mailer], Any]) -> None:
    result = check(handler)

    assert (str(result.causes), result.verdict) == ("[]", "right")


@pytest.mark.parametrize(
    ("handler", "cause"),
    [
        (lambda mailer: mailer.repeats, "acts on duplicates"),
        (lambda mailer: mailer.remembers_first, "before it has acted"),
        (lambda mailer: mailer.fails, "500 KeyError: 'titel'"),
        (lambda mailer: mailer.refuses_other_types, "unknown event types"),
        (lambda mailer: mailer.needs_few_fields, "fields that it does not know"),
    ],
)
def test_the_only_fault_of_a_wrong_handler_is_named(handler: Callable[[Mailer], Any], cause: str) -> None:
    (found,) = check(handler).causes

    assert cause in found.sentence


def test_without_acted_idempotence_is_not_tested() -> None:
    result = cx.check_handler(Mailer().repeats)

    assert (result.ok, result.verdict) == (True, "incomplete")
    assert "without `acted`" in repr(result)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(cx.errors.ValidationError, match="not NoneType"):
        cx.check_handler(None)  # type: ignore[arg-type]
