"""The steps of a probe, in order, and what each requires."""

from collections.abc import Callable
from dataclasses import dataclass

from ..behaviours import QUESTIONS
from . import reading, receiving, writing
from .answers import Observations
from .options import Options
from .session import Session


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


_RESPONSES = ("request_id", "rate_limit_headers", "date_header", "list_fields", "get_fields", "field_casing")
_DELIVERY = (
    *("arrival", "delivery_headers", "signature_form", "signature_key", "envelope", "test_mark", "event_id"),
    *("fired_event_id", "body_bytes", "fire_subscriptions"),
)
_STEPS = (
    Step(("create_fields", "update_fields"), writing.ordinary, 4, 1),
    Step(("error_400", "code_400", "type_400"), writing.invalid_value, 3, 1),
    Step(("unknown_type",), writing.unknown_type, 4, 1),
    Step(("wildcard_resource",), writing.wildcard("wildcard_resource", "ticket.*"), 4, 1),
    Step(("wildcard_all",), writing.wildcard("wildcard_all", "*"), 4, 1),
    Step(("wildcard_action",), writing.wildcard("wildcard_action", "*.created"), 4, 1),
    Step(("events_array",), writing.events_array, 4, 1),
    Step(("empty_events",), writing.empty_events, 3, 1),
    Step(("patch_events",), writing.replaced_events, 5, 1),
    Step(("http_url",), writing.http_url, 4, 1),
    Step(("url_form",), writing.url_form, 4, 1),
    Step(("duplicate_name",), writing.duplicates("name"), 6, 2),
    Step(("duplicate_url",), writing.duplicates("url"), 6, 2),
    Step(("name_limit",), writing.name_limit, 11, 1),
    Step(("unchanged_update",), writing.unchanged_update, 6, 1),
    Step(("second_delete",), writing.second_delete, 4, 1),
    Step(("replay_create",), writing.replayed("replay_create"), 6, 2),
    Step(("replay_other_body",), writing.replayed("replay_other_body"), 6, 2),
    Step(("replay_update",), writing.replayed_update, 7, 1),
    Step(_RESPONSES, reading.responses, 2),
    Step(("unknown_id", "error_404", "code_404", "type_404"), reading.unknown_ids, 1),
    Step(("other_kind_of_id",), reading.other_ids, 1),
    Step(("error_401", "code_401", "type_401"), reading.false_key, 1),
    Step(("list_pages", "pagination", "page_size"), reading.pages, 3),
    Step(("publishable_list", "publishable_get"), reading.publishable, 3),
    Step(("fired_fields", "delivery_fields"), writing.fired, 3, 1, 1),
    Step(("fire_unknown_type",), writing.fire_unknown_type, 1, 0, 1),
    Step(_DELIVERY, receiving.delivery, 6, 2, 2),
    Step(("redirects",), receiving.redirects, 3, 1, 1),
    Step(("retry_steps", "retry_signature"), receiving.retries, 3, 1, 1),
    Step(("receiver_timeout",), receiving.receiver_timeout, 8, 2, 4),
)
_PAYLOADS = Step((), receiving.payloads, 37, 1, 35)


def steps(options: Options) -> list[Step]:
    """The steps whose questions may all be asked."""
    chosen = [step for step in _STEPS if not options.missing(QUESTIONS[step.questions[0]].needs)]
    learns = options.payloads and not options.missing("listener")
    return [*chosen, _PAYLOADS] if learns else chosen
