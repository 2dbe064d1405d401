"""Questions that cStar's pages do not answer: one table for the sandbox, for `probe` and for `docs/open_questions.md`.

Each question has an id, what the pages say, what the sandbox assumes, the possible answers and how `probe` asks. An answer is one of
`answers`; for the kind "names", those of `answers` that were observed, in this order; for the kind "seconds", numbers of seconds.
"not documented" means that none of the pages that could be read documents it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Answer = str | tuple[str, ...]
Needs = Literal["read", "many", "publishable", "write", "fire", "listener", "wait", "nothing"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that cStar's pages do not answer, or answer in different ways.

    Attributes:
        id, topic, text: The question.
        documented: What the pages say, in Markdown.
        right: The answers that agree with the pages; empty if the pages are silent or contradict each other.
        assumed: What the sandbox does, unless `like=` passes a recording.
        answers: The possible answers and what each means; for names, the known names.
        kind: Whether an answer is one of `answers`, a set of them, or a list of seconds.
        needs: What asking requires: only GET ("read"), also a team with more than 20 webhooks ("many"), a publishable key, a secret
            test key ("write"), also `fire=True` ("fire"), a listener, or `wait=`. "nothing": `probe` does not ask.
        how: How `probe` asks, or why it does not.
        depends: What depends on the answer.
    """

    id: str
    topic: str
    text: str
    documented: str
    assumed: Answer
    answers: Mapping[str, str]
    right: tuple[Answer, ...] = ()
    kind: Literal["one", "names", "seconds"] = "one"
    needs: Needs
    how: str
    depends: str

    def accepts(self, answer: object) -> bool:
        """Whether this is a possible answer in canonical form: names are in the order of `answers`, without duplicates."""
        if self.kind == "one":
            return isinstance(answer, str) and answer in self.answers
        if not isinstance(answer, tuple) or not all(isinstance(part, str) for part in answer):
            return False
        if self.kind == "names":
            return answer == self.names(answer)
        return all(part.isascii() and part.isdigit() and 0 < int(part) < 10**6 for part in answer)

    def names(self, seen: "tuple[str, ...] | set[str]") -> tuple[str, ...]:
        """The observed names as an answer: known names in order, and `*` for any others, which are not recorded."""
        known = tuple(name for name in self.answers if name in seen and name != OTHER)
        return (*known, OTHER) if set(seen) - set(known) else known


OTHER = "*"  # stands for names that no page mentions; they are not recorded

_REFERENCE = "[reference](https://www.cstar.help/developers/api-reference/webhooks)"
_GENERAL = "[general reference](https://www.cstar.help/developers/api-reference)"
_SDK = "[SDK page](https://www.cstar.help/developers/sdk/js/webhooks)"
_SDK_ERRORS = "[SDK's page on errors](https://www.cstar.help/developers/sdk/js/errors)"
_GUIDE = "[guide](https://www.cstar.help/developers/webhooks)"
_REALTIME = "[realtime client](https://www.cstar.help/developers/sdk/js/realtime)"
_CODES = "[error codes](https://www.cstar.help/library/cstar/articles/api-error-codes)"
_ERRORS = "[errors](https://www.cstar.help/developers/errors)"
_AUTHENTICATION = "[authentication](https://www.cstar.help/library/cstar/articles/api-authentication)"
_LIMITS = "[rate limits](https://www.cstar.help/library/cstar/articles/api-rate-limits)"
_CHEAT_SHEET = "[cheat sheet](https://www.cstar.help/developers/cheatsheets/webhooks)"
_TROUBLESHOOTING = "[troubleshooting](https://cstar.help/support/technical/webhook-troubleshooting)"
_OLD_TROUBLESHOOTING = "[older page](https://www.cstar.help/support/technical/webhook-troubleshooting)"
_SECURITY = "[security](https://cstar.help/support/technical/webhook-security)"
_SILENT = "not documented"


def _names(*names: str) -> Mapping[str, str]:
    return dict.fromkeys((*names, OTHER), "")


_ACCEPTED_OR_REFUSED = {"accepted": "the webhook is created", "refused": "a 4xx with one of cStar's errors"}
_WILDCARD = {
    "literal": "accepted, and returned as sent",
    "expanded": "accepted, and returned as the event types that it matches",
    "refused": "a 4xx with one of cStar's errors",
}
_STATUSES = dict.fromkeys(("404", "400", "403", "410", "422"), "")
_KEY_RESPONSES = {"allowed": "a 2xx", "401": "", "403": ""}
_WEBHOOK_FIELDS = _names(
    *("id", "name", "url", "events", "secret", "signingSecret", "isActive", "createdAt", "updatedAt"),
    *("signing_secret", "is_active", "created_at", "updated_at", "teamId", "team_id", "description"),
)
_ERROR_FIELDS = _names(
    *("type", "code", "message", "param", "field", "doc_url", "docUrl", "request_id", "requestId"),
    *("retryAfter", "details", "only a text"),
)
_CODES_SEEN = dict.fromkeys(
    (
        *("PARAMETER_INVALID", "parameter_invalid", "PARAMETER_MISSING", "parameter_missing", "VALIDATION_ERROR"),
        *("validation_error", "RESOURCE_MISSING", "resource_missing", "NOT_FOUND", "not_found"),
        *("AUTHENTICATION_REQUIRED", "authentication_required", "INVALID_API_KEY", "invalid_api_key"),
        *("INVALID_KEY_FORMAT", "invalid_key_format", "KEY_EXPIRED", "key_expired", "UNAUTHORIZED", "unauthorized"),
        *("another code", "no code"),
    ),
    "",
)
_TYPES_SEEN = dict.fromkeys(
    (
        *("validation_error", "invalid_request_error", "not_found_error", "authentication_error"),
        *("authorization_error", "api_error", "another type", "no type"),
    ),
    "",
)
_ENVELOPE = _names(
    *("id", "type", "created_at", "team_id", "data", "createdAt", "teamId", "api_version", "test", "livemode")
)
_HEADERS = _names(
    *("Content-Type", "User-Agent", "X-Signature", "X-Event-Type", "X-Event-ID", "X-Webhook-ID", "X-Timestamp"),
    *("X-Delivery-Attempt", "x-cstar-request-id", "x-cstar-signature", "X-Test"),
)

_QUESTIONS = (
    # Responses
    Question(
        id="list_fields",
        topic="Responses",
        text="Fields of a webhook in the list",
        documented=f"the {_REFERENCE} prints six, without `updatedAt`",
        right=(("id", "name", "url", "events", "isActive", "createdAt"),),
        assumed=("id", "name", "url", "events", "isActive", "createdAt"),
        answers=_WEBHOOK_FIELDS,
        kind="names",
        needs="read",
        how="the fields of all webhooks in the list",
        depends="the columns of `webhooks.list().to_frame()`; audits of age",
    ),
    Question(
        id="get_fields",
        topic="Responses",
        text="Fields of a webhook in the response to get",
        documented=f"the {_REFERENCE} prints seven",
        right=(("id", "name", "url", "events", "isActive", "createdAt", "updatedAt"),),
        assumed=("id", "name", "url", "events", "isActive", "createdAt", "updatedAt"),
        answers=_WEBHOOK_FIELDS,
        kind="names",
        needs="read",
        how="the fields of one webhook",
        depends="a plan's check that nothing else changed the webhook",
    ),
    Question(
        id="create_fields",
        topic="Responses",
        text="Fields of a webhook in the response to create",
        documented=f"the {_REFERENCE} prints `secret` and no `updatedAt`; the {_SDK} calls the secret `signingSecret`",
        assumed=("id", "name", "url", "events", "secret", "isActive", "createdAt"),
        answers=_WEBHOOK_FIELDS,
        kind="names",
        needs="write",
        how="the fields in the response to create",
        depends="where the client finds the signing secret",
    ),
    Question(
        id="update_fields",
        topic="Responses",
        text="Fields of a webhook in the response to update",
        documented=f"the {_REFERENCE} prints no `createdAt`",
        right=(("id", "name", "url", "events", "isActive", "updatedAt"),),
        assumed=("id", "name", "url", "events", "isActive", "updatedAt"),
        answers=_WEBHOOK_FIELDS,
        kind="names",
        needs="write",
        how="the fields in the response that pauses the probe's webhook",
        depends="what a plan reads back",
    ),
    Question(
        id="field_casing",
        topic="Responses",
        text="Casing of a webhook's fields",
        documented=f"camelCase in the {_REFERENCE}; snake_case in an older capture of it",
        right=("camelCase",),
        assumed="camelCase",
        answers={
            "camelCase": "`isActive`",
            "snake_case": "`is_active`",
            "both": "each field in both casings, or a mix",
        },
        needs="read",
        how="the fields of one webhook",
        depends="nothing: the client reads both",
    ),
    Question(
        id="request_id",
        topic="Responses",
        text="Where a successful response has its request ID",
        documented=f"`meta.requestId` ({_REFERENCE}); no page mentions a header",
        right=(("meta.requestId",),),
        assumed=("meta.requestId",),
        answers={"meta.requestId": "", "X-Request-ID": "", "x-cstar-request-id": ""},
        kind="names",
        needs="read",
        how="the response to list",
        depends="`request_id` of errors",
    ),
    Question(
        id="rate_limit_headers",
        topic="Responses",
        text="Headers with the rate limit",
        documented=f"four `X-RateLimit-…` headers ({_LIMITS})",
        right=(("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Window"),),
        assumed=("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Window"),
        answers=dict.fromkeys(
            (
                *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Window"),
                *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy"),
            ),
            "",
        ),
        kind="names",
        needs="read",
        how="the response to list",
        depends="`client.rate_limit`, and how long the client waits after a 429",
    ),
    Question(
        id="date_header",
        topic="Responses",
        text="Whether responses have a `Date` header",
        documented=_SILENT,
        assumed="present",
        answers={"present": "", "absent": ""},
        needs="read",
        how="the response to list",
        depends="the age of webhooks in audits, which is measured from it",
    ),
    # Errors
    Question(
        id="unknown_id",
        topic="Errors",
        text="Status for the ID of a webhook that does not exist",
        documented=f"404 ({_REFERENCE})",
        right=("404",),
        assumed="404",
        answers=_STATUSES,
        needs="read",
        how="get with a random `whk_…`",
        depends="`NotFoundError`",
    ),
    Question(
        id="other_kind_of_id",
        topic="Errors",
        text="Status for the ID of something else, such as a ticket",
        documented=_SILENT,
        assumed="404",
        answers=_STATUSES,
        needs="read",
        how="get with a random `tkt_…`",
        depends="`NotFoundError`",
    ),
    Question(
        id="error_404",
        topic="Errors",
        text="Fields of the error in a 404",
        documented=f"four in the {_REFERENCE}",
        right=(("type", "code", "message", "request_id"),),
        assumed=("type", "code", "message", "request_id"),
        answers=_ERROR_FIELDS,
        kind="names",
        needs="read",
        how="get with a random `whk_…`",
        depends="the fields of the client's errors",
    ),
    Question(
        id="code_404",
        topic="Errors",
        text="Code of a 404",
        documented=f"`RESOURCE_MISSING` in the {_REFERENCE}; in lower case in an older capture of it",
        right=("RESOURCE_MISSING",),
        assumed="RESOURCE_MISSING",
        answers=_CODES_SEEN,
        needs="read",
        how="get with a random `whk_…`",
        depends="nothing: the client goes by the status",
    ),
    Question(
        id="type_404",
        topic="Errors",
        text="Type of a 404",
        documented=f"`not_found_error` ({_REFERENCE})",
        right=("not_found_error",),
        assumed="not_found_error",
        answers=_TYPES_SEEN,
        needs="read",
        how="get with a random `whk_…`",
        depends="nothing: the client goes by the status",
    ),
    Question(
        id="error_401",
        topic="Errors",
        text="Fields of the error in a 401",
        documented=f"five in the {_REFERENCE}; a string in an older capture of {_AUTHENTICATION}",
        right=(("type", "code", "message", "doc_url", "request_id"),),
        assumed=("type", "code", "message", "doc_url", "request_id"),
        answers=_ERROR_FIELDS,
        kind="names",
        needs="read",
        how="list with an invalid key",
        depends="the fields of the client's errors",
    ),
    Question(
        id="code_401",
        topic="Errors",
        text="Code for a key that does not exist",
        documented=f"`authentication_required` in the {_REFERENCE}; `invalid_api_key` on the page on {_CODES}",
        assumed="authentication_required",
        answers=_CODES_SEEN,
        needs="read",
        how="list with an invalid key",
        depends="nothing: the client goes by the status",
    ),
    Question(
        id="type_401",
        topic="Errors",
        text="Type of a 401",
        documented=f"`authentication_error` ({_REFERENCE})",
        right=("authentication_error",),
        assumed="authentication_error",
        answers=_TYPES_SEEN,
        needs="read",
        how="list with an invalid key",
        depends="nothing: the client goes by the status",
    ),
    Question(
        id="error_400",
        topic="Errors",
        text="Fields of the error in a 400",
        documented=f"`param` and four others in the {_REFERENCE}; `field` on one page for AI agents",
        right=(("type", "code", "message", "param", "request_id"),),
        assumed=("type", "code", "message", "param", "request_id"),
        answers=_ERROR_FIELDS,
        kind="names",
        needs="write",
        how="create with the URL `not a URL`",
        depends="`param` of `ValidationError`, which decides beside which field a form shows the error",
    ),
    Question(
        id="code_400",
        topic="Errors",
        text="Code of a 400 for an invalid value",
        documented=f"`PARAMETER_INVALID` in the {_REFERENCE}, for trigger-test; others on the page on {_CODES}",
        assumed="PARAMETER_INVALID",
        answers=_CODES_SEEN,
        needs="write",
        how="create with the URL `not a URL`",
        depends="nothing: the client goes by the status",
    ),
    Question(
        id="type_400",
        topic="Errors",
        text="Type of a 400 for an invalid value",
        documented=f"`validation_error` in the {_REFERENCE}; `invalid_request_error` on the page on {_ERRORS}",
        assumed="validation_error",
        answers=_TYPES_SEEN,
        needs="write",
        how="create with the URL `not a URL`",
        depends="nothing: the client goes by the status",
    ),
    # Pagination
    Question(
        id="list_pages",
        topic="Pagination",
        text="Whether the list is paginated",
        documented=f"one list in the {_REFERENCE}; cStar's other lists have 20 entries per page",
        right=("complete",),
        assumed="complete",
        answers={
            "complete": "all webhooks at once",
            "20": "the first 20; `page=2` has the next",
            "another number": "a first page of another length; `page=2` has the next",
        },
        needs="many",
        how="list, and list with `page=2`",
        depends="whether `webhooks.list()` is complete",
    ),
    Question(
        id="page_size",
        topic="Pagination",
        text="What `pageSize` does",
        documented=f"{_SILENT} for webhooks; 20 by default and at most 100 for other lists",
        assumed="ignored",
        answers={"ignored": "the list is the same", "honoured": "the list has the requested length"},
        needs="many",
        how="list with `page=1&pageSize=5`",
        depends="how many requests the client sends for a long list",
    ),
    Question(
        id="pagination",
        topic="Pagination",
        text="Where a list reports its pagination",
        documented=f"nowhere in the {_REFERENCE}; at the top level or in `meta` for other lists",
        right=("nowhere",),
        assumed="nowhere",
        answers={"nowhere": "no `pagination`", "top": "`pagination` beside `data`", "meta": "`meta.pagination`"},
        needs="many",
        how="list",
        depends="whether `webhooks.list()` fetches further pages",
    ),
    # Keys
    Question(
        id="publishable_list",
        topic="Keys",
        text="Response to list with a publishable key",
        documented=f"the {_REFERENCE} lists a 403; {_AUTHENTICATION} calls these keys read-only",
        assumed="allowed",
        answers=_KEY_RESPONSES,
        needs="publishable",
        how="list with the publishable key",
        depends="which key an audit needs",
    ),
    Question(
        id="publishable_get",
        topic="Keys",
        text="Response to get with a publishable key",
        documented=f"the {_REFERENCE} lists a 403; {_AUTHENTICATION} calls these keys read-only",
        assumed="allowed",
        answers=_KEY_RESPONSES,
        needs="publishable",
        how="get with the publishable key",
        depends="which key an audit needs",
    ),
    Question(
        id="expired_key",
        topic="Keys",
        text="Response to an expired or revoked key",
        documented=f"one 401 in the {_REFERENCE}; four codes on the page on {_CODES}",
        assumed="as for an unknown key",
        answers={"as for an unknown key": ""},
        needs="nothing",
        how="this requires an expired key",
        depends="the code of `AuthenticationError`",
    ),
    Question(
        id="other_team",
        topic="Keys",
        text="Response to a key of another team",
        documented=f'the {_REFERENCE} lists "team access" under 403 without a body; the page on {_ERRORS} lists it under 401',
        assumed="403 `team_access_denied`",
        answers={"403 `team_access_denied`": "a code from the page on error codes"},
        needs="nothing",
        how="this requires another team's key",
        depends="which error class the client raises",
    ),
    Question(
        id="publishable_write",
        topic="Keys",
        text="Response to a write with a publishable key",
        documented=f"`insufficient_permissions` in the {_REFERENCE}; `publishable_key_write` on the page on {_CODES}",
        assumed="as in the reference",
        answers={"as in the reference": ""},
        needs="nothing",
        how="the client refuses to send such a request",
        depends="nothing: the client refuses such calls itself",
    ),
    # Subscriptions
    Question(
        id="unknown_type",
        topic="Subscriptions",
        text="Subscribing to an unknown event type",
        documented=_SILENT,
        assumed="refused",
        answers={
            "refused": "a 4xx with one of cStar's errors, as documented for trigger-test",
            "kept": "accepted, and returned with the others",
            "dropped": "accepted, and missing from the events that are returned",
        },
        needs="write",
        how="create with one known and one unknown type",
        depends="whether a misspelled type is noticed",
    ),
    Question(
        id="wildcard_resource",
        topic="Subscriptions",
        text="Subscribing to `ticket.*`",
        documented=f"wildcards are allowed ({_GUIDE}); this form is shown for the {_REALTIME} only",
        right=("literal", "expanded"),
        assumed="literal",
        answers=_WILDCARD,
        needs="write",
        how="create with this subscription",
        depends="wildcards in forms, audits and plans",
    ),
    Question(
        id="wildcard_all",
        topic="Subscriptions",
        text="Subscribing to `*`",
        documented=f"wildcards are allowed ({_GUIDE}); this form is not shown",
        assumed="literal",
        answers=_WILDCARD,
        needs="write",
        how="create with this subscription",
        depends="wildcards in forms, audits and plans",
    ),
    Question(
        id="wildcard_action",
        topic="Subscriptions",
        text="Subscribing to `*.created`",
        documented=f"wildcards are allowed ({_GUIDE}); this form is not shown",
        assumed="refused",
        answers=_WILDCARD,
        needs="write",
        how="create with this subscription",
        depends="wildcards in forms, audits and plans",
    ),
    Question(
        id="events_array",
        topic="Subscriptions",
        text="`events` as an array in a request",
        documented=f"a comma-separated string in the {_REFERENCE}; an array on the {_SDK}",
        assumed="accepted",
        answers=_ACCEPTED_OR_REFUSED,
        needs="write",
        how="create with an array of two types",
        depends="nothing: the client sends the string",
    ),
    Question(
        id="empty_events",
        topic="Subscriptions",
        text="A webhook without events",
        documented=f"required ({_REFERENCE}); {_TROUBLESHOOTING} mentions webhooks without any",
        right=("refused",),
        assumed="refused",
        answers=_ACCEPTED_OR_REFUSED,
        needs="write",
        how="create with an empty string as `events`",
        depends="the audit rule about webhooks without events",
    ),
    Question(
        id="patch_events",
        topic="Subscriptions",
        text="Whether updating `events` replaces the old ones",
        documented=f"the example in the {_REFERENCE} suggests so",
        assumed="replaced",
        answers={"replaced": "only the new ones remain", "added": "the new ones are added to the old ones"},
        needs="write",
        how="change a webhook's events from `ticket.created` to `ticket.closed`, then get it",
        depends="every update of events",
    ),
    # Names and URLs
    Question(
        id="http_url",
        topic="Names and URLs",
        text="http URLs",
        documented=f"must be HTTPS ({_REFERENCE})",
        right=("refused",),
        assumed="refused",
        answers={**_ACCEPTED_OR_REFUSED, "https": "accepted, and returned with https"},
        needs="write",
        how="create with an http URL",
        depends="webhooks with http URLs; the sandbox accepts those to loopback in any case",
    ),
    Question(
        id="url_form",
        topic="Names and URLs",
        text="How cStar normalizes a URL",
        documented=_SILENT,
        assumed=(),
        answers=dict.fromkeys(
            ("host in lower case", "default port removed", "final slash added", "fragment removed"), ""
        ),
        kind="names",
        needs="write",
        how="create with `https://Name.invalid:443#fragment`",
        depends="plans and audits, which compare URLs",
    ),
    Question(
        id="duplicate_name",
        topic="Names and URLs",
        text="Two webhooks with one name",
        documented=f"{_SILENT}; the {_SDK_ERRORS} mentions unique keys",
        assumed="accepted",
        answers=_ACCEPTED_OR_REFUSED,
        needs="write",
        how="create two webhooks with one name",
        depends="plans, which find webhooks by name",
    ),
    Question(
        id="duplicate_url",
        topic="Names and URLs",
        text="Two webhooks with one URL",
        documented=f"{_SILENT}; the {_SDK_ERRORS} mentions unique keys",
        assumed="accepted",
        answers=_ACCEPTED_OR_REFUSED,
        needs="write",
        how="create two webhooks with one URL",
        depends="rotating a secret, which needs two webhooks with one URL for a while",
    ),
    Question(
        id="name_limit",
        topic="Names and URLs",
        text="Maximum length of a name, in characters",
        documented=_SILENT,
        assumed="1000",
        answers={
            "1000": "at least 1,000",
            "500": "from 500 to 999",
            "255": "from 255 to 499",
            "200": "from 200 to 254",
            "128": "from 128 to 199",
            "100": "from 100 to 127",
            "64": "from 64 to 99",
            "cut": "longer names are accepted and truncated",
        },
        needs="write",
        how="rename a webhook to 1,000 characters, then to fewer, until cStar accepts",
        depends="validation in forms",
    ),
    # Writes
    Question(
        id="unchanged_update",
        topic="Writes",
        text="Whether an update that changes nothing sets `updatedAt`",
        documented=_SILENT,
        assumed="moved",
        answers={"moved": "`updatedAt` is the time of the update", "kept": "`updatedAt` stays the same"},
        needs="write",
        how="update a webhook with its current name, more than a second after its last change",
        depends="audits of webhooks that have not changed for a long time",
    ),
    Question(
        id="second_delete",
        topic="Writes",
        text="Status of a second delete",
        documented=f"404 for an ID that does not exist ({_REFERENCE})",
        right=("404",),
        assumed="404",
        answers={"404": "", "410": "", "200": "as for the first delete"},
        needs="write",
        how="delete a webhook twice",
        depends="retries of deletes",
    ),
    Question(
        id="replay_create",
        topic="Writes",
        text="Repeating a create with the same `Idempotency-Key`",
        documented=f'"the original response" ({_GENERAL}); the {_SDK_ERRORS} lists a 409 for a repeated key',
        assumed="with secret",
        answers={
            "with secret": "the same webhook, with its secret",
            "without secret": "the same webhook, without its secret",
            "409": "",
            "another": "another webhook",
        },
        needs="write",
        how="create twice with one key and one body",
        depends="whether a lost response, and the signing secret in it, can be recovered",
    ),
    Question(
        id="replay_other_body",
        topic="Writes",
        text="The same `Idempotency-Key` with another body",
        documented=_SILENT,
        assumed="409",
        answers={
            "409": "",
            "400": "",
            "422": "",
            "first response": "the response to the first body",
            "another": "another webhook",
        },
        needs="write",
        how="create twice with one key and two bodies",
        depends="nothing: the client never does it",
    ),
    Question(
        id="replay_update",
        topic="Writes",
        text="Repeating an update with the same `Idempotency-Key`, after another update",
        documented=f'"the original response" ({_GENERAL})',
        right=("first response",),
        assumed="first response",
        answers={
            "first response": "nothing is changed",
            "again": "the update is made again",
            "409": "",
        },
        needs="write",
        how="rename to A with a key, to B without one, and to A with the same key; then get",
        depends="whether the client's retries can undo another user's change",
    ),
    # Test events
    Question(
        id="fired_fields",
        topic="Test events",
        text="Fields in the response to trigger-test",
        documented=f"four in the {_REFERENCE}; `deliveredTo` on the {_SDK}",
        assumed=("event", "eventId", "test", "deliveries"),
        answers=_names("event", "eventId", "test", "deliveries", "deliveredTo", "event_id", "delivered_to"),
        kind="names",
        needs="fire",
        how="fire `ticket.created`",
        depends="`FiredEvent`",
    ),
    Question(
        id="delivery_fields",
        topic="Test events",
        text="Fields of an entry of `deliveries` in that response",
        documented=f"the {_REFERENCE} shows an empty list; the {_SDK} has seven for the test of one webhook",
        assumed=("deliveryId", "event", "url", "success", "status", "responseTimeMs", "error"),
        answers=_names(
            *("deliveryId", "webhookId", "event", "url", "success", "status", "responseTimeMs", "error"),
            *("id", "eventId", "attempt"),
        ),
        kind="names",
        needs="fire",
        how='fire `ticket.created` with an active webhook for it; "none" means that the list was empty',
        depends="`FiredEvent.to_frame()`",
    ),
    Question(
        id="fire_unknown_type",
        topic="Test events",
        text="Firing an unknown event type",
        documented=f"400 ({_REFERENCE})",
        right=("refused",),
        assumed="refused",
        answers={"refused": "a 4xx with one of cStar's errors", "fired": "a 2xx"},
        needs="fire",
        how="fire a type that does not exist",
        depends="whether a misspelled type is noticed",
    ),
    Question(
        id="fire_subscriptions",
        topic="Test events",
        text="Which webhooks a test event reaches",
        documented=f'"all active webhooks" ({_REFERENCE})',
        right=("all",),
        assumed="all",
        answers={"all": "all active ones", "subscribers": "the active ones that subscribe to the event type"},
        needs="listener",
        how="fire two event types, with an active webhook for each",
        depends="which other integrations a test event reaches",
    ),
    Question(
        id="arrival",
        topic="Test events",
        text="When the delivery arrives",
        documented=_SILENT,
        assumed="before the response",
        answers={
            "before the response": "trigger-test responds after the receiver has responded",
            "after the response": "trigger-test does not wait for the receiver",
        },
        needs="listener",
        how="fire `ticket.created` at a receiver that responds after half a second",
        depends="`listener.wait_for`",
    ),
    Question(
        id="test_mark",
        topic="Test events",
        text="How a test delivery is marked",
        documented=_SILENT,
        assumed=(),
        answers={"test": "`test` in the body", "livemode": "`livemode` in the body", "X-Test": "a header `X-Test`"},
        kind="names",
        needs="listener",
        how='the delivery of `ticket.created`; "none" means that it is not marked',
        depends="how a receiver distinguishes test events from real ones",
    ),
    # Deliveries
    Question(
        id="delivery_headers",
        topic="Deliveries",
        text="Headers of a delivery",
        documented=f"nine, spread over {_CHEAT_SHEET}, {_SECURITY} and older pages",
        assumed=(
            *("Content-Type", "User-Agent", "X-Signature", "X-Event-Type", "X-Event-ID", "X-Webhook-ID"),
            *("X-Timestamp", "X-Delivery-Attempt", "x-cstar-request-id"),
        ),
        answers=_HEADERS,
        kind="names",
        needs="listener",
        how="the delivery of `ticket.created`, without the headers that HTTP clients, proxies and tunnels add",
        depends="receivers that dispatch by header",
    ),
    Question(
        id="envelope",
        topic="Deliveries",
        text="Top-level fields of a body",
        documented=f"`id`, `type`, `created_at`, `team_id` and `data` ({_GUIDE}); camelCase on older pages",
        right=(("id", "type", "created_at", "team_id", "data"),),
        assumed=("id", "type", "created_at", "team_id", "data"),
        answers=_ENVELOPE,
        kind="names",
        needs="listener",
        how="the delivery of `ticket.created`",
        depends="receivers that read the envelope",
    ),
    Question(
        id="event_id",
        topic="Deliveries",
        text="Whether `X-Event-ID` equals the `id` in the body",
        documented="both are described as the way to detect duplicates",
        assumed="equal",
        answers={"equal": "", "different": "", "absent": "one of the two is missing"},
        needs="listener",
        how="the delivery of `ticket.created`",
        depends="how a receiver detects duplicates",
    ),
    Question(
        id="fired_event_id",
        topic="Deliveries",
        text="Whether the ID in the response to trigger-test equals the `id` in the body",
        documented=_SILENT,
        assumed="equal",
        answers={"equal": "", "different": "", "absent": "one of the two is missing"},
        needs="listener",
        how="the delivery of `ticket.created`",
        depends="`listener.wait_for(fired.event_id)`",
    ),
    Question(
        id="body_bytes",
        topic="Deliveries",
        text="JSON formatting of a body",
        documented=f"{_SILENT}; the published samples are compact",
        assumed=(),
        answers=dict.fromkeys(("spaces", "indented", "escaped letters", "escaped slashes", "final newline"), ""),
        kind="names",
        needs="listener",
        how='the delivery of `ticket.created`; "none" means compact, without escapes that JSON does not require',
        depends="receivers that verify re-serialized JSON instead of the bytes received",
    ),
    Question(
        id="signature_form",
        topic="Deliveries",
        text="Form of the signature",
        documented=f"`t=…,v1=…` ({_SECURITY}); `sha256=…` on older pages",
        right=("t,v1",),
        assumed="t,v1",
        answers={"t,v1": "`t=…,v1=…`", "sha256": "`sha256=…`", "none": "no `X-Signature` in either form"},
        needs="listener",
        how="the delivery of `ticket.created`",
        depends="every verification",
    ),
    Question(
        id="signature_key",
        topic="Deliveries",
        text="Key of the signature",
        documented=f"the whole secret ({_SECURITY})",
        right=("whole secret",),
        assumed="whole secret",
        answers={
            "whole secret": "with `whsec_`",
            "without prefix": "the part after `whsec_`",
            "decoded": "the part after `whsec_`, decoded as base64",
            "none of these": "the signature verifies with none of these",
        },
        needs="listener",
        how="verify a delivery to one of the probe's own webhooks, whose secret it knows",
        depends="every verification",
    ),
    # Retries
    Question(
        id="redirects",
        topic="Retries",
        text="Whether redirects are followed",
        documented=f"any response other than 2xx is a failure ({_GUIDE}); redirects are not mentioned",
        assumed="not followed",
        answers={"not followed": "", "followed": "the delivery arrives at the address in `Location`"},
        needs="listener",
        how="respond to a delivery with 307",
        depends="receivers behind a redirect",
    ),
    Question(
        id="retry_steps",
        topic="Retries",
        text="Seconds from each attempt to the next",
        documented=f"30 s, 2 m, 10 m, 1 h, 6 h and 24 h ({_TROUBLESHOOTING}), but not what they count from",
        right=tuple(("30", "120", "600", "3600", "21600", "86400")[:count] for count in range(1, 7)),
        assumed=("30", "120", "600", "3600", "21600", "86400"),
        answers={},
        kind="seconds",
        needs="wait",
        how="respond to each attempt with 500, for as long as `wait=` says",
        depends="`listener.lost()`, the sandbox's schedule",
    ),
    Question(
        id="retry_signature",
        topic="Retries",
        text="Whether each retry has a new signature",
        documented=_SILENT,
        assumed="anew",
        answers={"anew": "with the time of the retry", "same": "with the signature of the first attempt"},
        needs="wait",
        how="respond to a delivery with 500, and compare the signatures",
        depends="the tolerance of receivers: with the old signature, a retry after an hour would be too old",
    ),
    Question(
        id="receiver_timeout",
        topic="Retries",
        text="How many seconds cStar waits for a receiver's response",
        documented=f"10 s on the {_CHEAT_SHEET}, 30 s on an {_OLD_TROUBLESHOOTING}",
        right=(("10",), ("30",)),
        assumed=("10",),
        answers={},
        kind="seconds",
        needs="wait",
        how="fire with a receiver that takes as long as `wait`, if the response to trigger-test waits for the delivery",
        depends="`cx.check_receiver`; `Sandbox(delivery_timeout=)`",
    ),
    Question(
        id="retried_responses",
        topic="Retries",
        text="Which responses are retried",
        documented="any response other than 2xx is a failure; 4xx and redirects are not mentioned",
        assumed="all but 2xx",
        answers={"all but 2xx": "redirects are not followed"},
        needs="nothing",
        how="this takes hours",
        depends="whether a delivery that was refused with 401 is retried",
    ),
    Question(
        id="retry_start",
        topic="Retries",
        text="What the retry delays count from",
        documented=f"six delays are published ({_TROUBLESHOOTING}), but not what they count from",
        assumed="the previous attempt",
        answers={"the previous attempt": "its start"},
        needs="nothing",
        how="see `retry_steps`",
        depends="the sandbox's schedule",
    ),
    Question(
        id="retries_of_deleted",
        topic="Retries",
        text="Retries for a webhook that was deleted or deactivated",
        documented=_SILENT,
        assumed="dropped",
        answers={"dropped": ""},
        needs="nothing",
        how="this requires deleting a webhook between two attempts, and proof that no retry follows",
        depends="whether pausing a broken webhook stops its retries",
    ),
    Question(
        id="refusal_status",
        topic="Retries",
        text="Status with which to refuse a forged delivery",
        documented=f"the samples respond with 401; otherwise {_SILENT}",
        assumed="any 4xx",
        answers={"any 4xx": "a 5xx does not count as a refusal, because it looks like an outage"},
        needs="nothing",
        how="this is about receivers, not about cStar",
        depends="faults with `expected`; `cx.check_receiver`",
    ),
    # Payloads
    Question(
        id="payloads",
        topic="Payloads",
        text="The `data` of an event",
        documented="published for `ticket.created` and `ticket.updated`; the pages for the others could not be read",
        assumed="as published",
        answers={"as published": "these two, and 33 of our own in the same style: `cx.events.catalogue()`, `payload`"},
        needs="nothing",
        how="with `payloads=True`, a recording has the shape of each, besides the answers",
        depends="`cx.events.sample`",
    ),
    Question(
        id="body_limit",
        topic="Payloads",
        text="Maximum size of a body",
        documented=_SILENT,
        assumed="none",
        answers={"none": "the fault `oversize()` sends a large one"},
        needs="nothing",
        how="this requires real customers' data",
        depends="limits of receivers",
    ),
)

QUESTIONS: Mapping[str, Question] = {question.id: question for question in _QUESTIONS}
ASSUMED: Mapping[str, Answer] = {question.id: question.assumed for question in _QUESTIONS}
