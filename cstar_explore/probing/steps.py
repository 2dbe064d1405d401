"""The steps of a probe, in order, and what each requires."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..api.client import Client
from ..behaviours import QUESTIONS, Needs
from ..errors import ConfigurationError
from ..listener import Listener
from ..secret import ApiKey
from ..text import printable
from . import firing, reading, receiving, writing
from .answers import Observations
from .receiver import Receiver
from .session import Session

MAX_WAIT = 7 * 86_400.0  # seconds

Payloads = dict[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Step:
    """Asks one or more questions.

    Attributes:
        questions: Their ids.
        ask: Asks them, and yields the answers.
        requests, creates, fires: The maximum numbers of requests, new webhooks and test events.
    """

    questions: tuple[str, ...]
    ask: Callable[[Session], Observations]
    requests: int
    creates: int = 0
    fires: int = 0


@dataclass(frozen=True)
class Options:
    """The arguments of `probe`.

    Raises:
        ConfigurationError: An argument cannot be used.
    """

    client: Client
    listener: Listener | None
    publishable_key: ApiKey | None
    fire: bool
    payloads: bool
    wait: float

    def __post_init__(self) -> None:
        if self.publishable_key is not None and not self.publishable_key.is_publishable:
            raise ConfigurationError("publishable_key must be a publishable key (pk_…).", advice="Leave it out.")
        has_receiver = self.fire and self.listener is not None
        if self.payloads and not has_receiver:
            raise ConfigurationError("payloads=True needs fire=True and a listener.", advice="Pass all three.")
        wait = self.wait
        if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait <= MAX_WAIT:
            raise ConfigurationError(
                f"wait must be a number of seconds from 0 to {MAX_WAIT:,.0f}, not {printable(repr(wait), 80)}.",
                advice="Pass 40 for the first retry: it comes after 30 s.",
            )
        if wait and not has_receiver:
            raise ConfigurationError(
                "wait= needs fire=True and a listener.", advice="Pass all three, or leave wait out."
            )

    def missing(self, needs: Needs) -> str:
        """Why a question with these needs is not asked; empty if it is asked."""
        conditions = [
            ("with a live key, only GET is sent", self.client.environment != "live"),
            ("this client may not write", self.client.write and not self.client.key.is_publishable),
            ("fire=True was not passed", self.fire),
            ("no listener was passed", self.listener is not None),
            ("wait= was not passed", self.wait > 0),
        ]
        counts: dict[Needs, int] = {"read": 0, "many": 0, "write": 2, "fire": 3, "listener": 4, "wait": 5}
        if needs == "publishable":
            return "" if self.publishable_key else "publishable_key= was not passed"
        return next((reason for reason, met in conditions[: counts[needs]] if not met), "")

    @property
    def writes(self) -> bool:
        """Whether webhooks are created."""
        return not self.missing("write")


def steps(options: Options, learned: Payloads) -> list[Step]:
    """The steps whose questions may all be asked. `learned` gets the shapes of payloads."""
    chosen = [step for step in _own_webhooks() + _reads() if not options.missing(QUESTIONS[step.questions[0]].needs)]
    if options.publishable_key is not None:
        key = options.publishable_key
        chosen.append(Step(("publishable_list", "publishable_get"), reading.publishable(key), 3))
    if not options.missing("fire"):
        chosen.append(Step(("fired_fields", "delivery_fields"), firing.fired, 3, 1, 1))
        chosen.append(Step(("fire_unknown_type",), firing.unknown_type, 1, 0, 1))
    if options.listener is not None and not options.missing("listener"):
        chosen += _deliveries(options, options.listener, learned)
    return chosen


def _own_webhooks() -> list[Step]:
    variants: tuple[tuple[str, Callable[[Session], Observations], int, int], ...] = (
        ("unknown_type", writing.unknown_type, 4, 1),
        ("wildcard_resource", writing.wildcard("wildcard_resource", "ticket.*"), 4, 1),
        ("wildcard_all", writing.wildcard("wildcard_all", "*"), 4, 1),
        ("wildcard_action", writing.wildcard("wildcard_action", "*.created"), 4, 1),
        ("events_array", writing.events_array, 4, 1),
        ("empty_events", writing.accepted("empty_events", events=""), 3, 1),
        ("patch_events", writing.replaced_events, 5, 1),
        ("http_url", writing.http_url, 4, 1),
        ("url_form", writing.url_form, 4, 1),
        ("duplicate_name", writing.duplicates("name"), 6, 2),
        ("duplicate_url", writing.duplicates("url"), 6, 2),
        ("name_limit", writing.name_limit, 11, 1),
        ("unchanged_update", writing.unchanged_update, 6, 1),
        ("second_delete", writing.second_delete, 4, 1),
        ("replay_create", writing.replayed("replay_create"), 6, 2),
        ("replay_other_body", writing.replayed("replay_other_body"), 6, 2),
        ("replay_update", writing.replayed_update, 7, 1),
    )
    return [
        Step(("create_fields", "update_fields"), writing.ordinary, 4, 1),
        Step(("error_400", "code_400", "type_400"), writing.invalid_value, 3, 1),
        *(Step((question,), ask, requests, creates) for question, ask, requests, creates in variants),
    ]


def _reads() -> list[Step]:
    responses = ("request_id", "rate_limit_headers", "date_header", "list_fields", "get_fields", "field_casing")
    return [
        Step(responses, reading.responses, 2),
        Step(("unknown_id", "error_404", "code_404", "type_404"), reading.unknown_ids, 1),
        Step(("other_kind_of_id",), reading.other_ids, 1),
        Step(("error_401", "code_401", "type_401"), reading.false_key, 1),
        Step(("list_pages", "pagination", "page_size"), reading.pages, 3),
    ]


def _deliveries(options: Options, listener: Listener, learned: Payloads) -> list[Step]:
    def asked(ask: receiving.Ask) -> Callable[[Session], Observations]:
        return lambda session: ask(session, Receiver(listener, options.client, session.stopped))

    def learn(session: Session, receiver: Receiver) -> Observations:
        receiving.payloads(session, receiver, learned)
        yield from ()

    first = (
        *("arrival", "delivery_headers", "signature_form", "signature_key", "envelope", "test_mark", "event_id"),
        *("fired_event_id", "body_bytes", "fire_subscriptions"),
    )
    found = [
        Step(first, asked(receiving.delivery), 6, 2, 2),
        Step(("redirects",), asked(receiving.redirects), 3, 1, 1),
    ]
    if options.wait:
        found.append(Step(("retry_steps", "retry_signature"), asked(receiving.retries(options.wait)), 3, 1, 1))
        found.append(Step(("receiver_timeout",), asked(receiving.receiver_timeout(options.wait)), 8, 2, 4))
    if options.payloads:
        found.append(Step((), asked(learn), 37, 1, 35))
    return found
