"""Everything that goes wrong has one root, and every field can be read on any of them.

CStarError
├── ConfigurationError        a key, team, address or setting that cannot work; nothing was sent
├── ReadOnlyError             this client was told not to change anything; nothing was sent
├── ConfirmationError         a form on a live key was not given its confirmation; nothing was sent
├── SignatureError            a delivery is not proven to be cStar's
├── NotReceivedError          a delivery that was waited for did not arrive
├── WaitCancelledError        a wait was cancelled before the call was repeated
├── IncompleteError           a plan was carried out in part; `steps` says which
├── StatusError               cStar answered, and the answer was no
│   ├── ValidationError       400, 422; also raised here, before sending, with `status` None
│   ├── AuthenticationError   401
│   ├── PermissionDeniedError 403; also raised here, before sending, with `status` None
│   ├── NotFoundError         404
│   ├── ConflictError         409; also when a webhook changed under a form, with `status` None
│   ├── RateLimitError        429
│   └── ServerError           5xx
└── TransportError            there was no usable answer
    ├── UnreachableError      no connection was made: nothing arrived
    ├── ResponseTimeoutError    connected, but no whole answer in time
    ├── ConnectionLostError   the connection broke before the answer was whole
    ├── RedirectError         the answer pointed elsewhere; a key is not carried there
    ├── InvalidResponseError     an answer came, and it is not one of cStar's
    └── OutcomeUnknownError   a create whose answer was lost: it may have happened
"""

from collections.abc import Mapping
from typing import Any, Protocol

from .text import printable


class StepLike(Protocol):
    """What the errors know of `plans.Step`."""

    @property
    def outcome(self) -> str: ...
    @property
    def detail(self) -> str: ...


class WebhookLike(Protocol):
    """What the errors know of `models.Webhook`."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def url(self) -> str | None: ...


class CStarError(Exception):
    """The root of all errors of this package.

    Attributes:
        message: What went wrong, in cStar's words where it gave any.
        advice: What to do about it, in one sentence.
        status: The HTTP status, or None where there was no answer.
        type, code, param, doc_url, request_id: As cStar sent them (API reference, error bodies), or None.
        retry_after: Seconds cStar asked to wait, or None.
        may_have_acted: Whether cStar may have done what was asked all the same.
    """

    advice = "See the message."
    may_have_acted = False

    def __init__(
        self,
        message: str,
        *,
        advice: str | None = None,
        status: int | None = None,
        type: str | None = None,  # noqa: A002 - cStar's own word
        code: str | None = None,
        param: str | None = None,
        doc_url: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = printable(message)
        if advice is not None:
            self.advice = advice
        self.status = status
        self.type = type
        self.code = code
        self.param = param
        self.doc_url = doc_url
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        known = [str(part) for part in (self.status, self.code, self.request_id) if part]
        where = f" ({', '.join(printable(part, 80) for part in known)})" if known else ""
        message = self.message.rstrip(".")
        stop = "" if message.endswith("?") and not where else "."
        return f"{message}{where}{stop} {self.advice}"

    # Exceptions pickle by their positional arguments alone; an audit over many processes needs the fields too.
    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.message, self.__dict__)


class ConfigurationError(CStarError):
    """A key, team, address or setting cannot work. Nothing was sent."""


class ReadOnlyError(CStarError):
    """The client reads only, and the call would change something. Nothing was sent."""

    advice = "Open it with cx.connect(write=True) when you mean to change things."


class ConfirmationError(CStarError):
    """A form on a live key was submitted without typing the name it asks for. Nothing was sent."""


class NotReceivedError(CStarError):
    """A delivery that was waited for did not arrive in time."""


class WaitCancelledError(CStarError):
    """Somebody cancelled a wait; the call was not repeated."""

    advice = "Call again when you are ready."

    def __init__(self, message: str, *, may_have_acted: bool = False, **fields: Any) -> None:
        super().__init__(message, **fields)
        self.may_have_acted = may_have_acted


class IncompleteError(CStarError):
    """Not all of a plan was done.

    Attributes:
        steps: What became of each change, in order: `outcome` and `detail` say it.
    """

    advice = "See .steps; apply the plan again to go on, or apply its .invert() to take back what was done."

    def __init__(self, message: str, *, steps: tuple[StepLike, ...] = (), **fields: Any) -> None:
        super().__init__(message, **fields)
        self.steps = steps
        self.may_have_acted = any(step.outcome in ("done", "unknown") for step in steps)


class SignatureError(CStarError):
    """A delivery is not proven to be cStar's.

    Attributes:
        cause: The check that failed: `header_missing`, `header_malformed`, `legacy_form`, `no_match`, `too_old`,
            `in_the_future`, or `not_json` for a proven body that is no JSON object.
    """

    advice = "Do not act on it. cx.explain(body, headers, secrets) says why."

    def __init__(self, message: str, *, cause: str = "no_match", **fields: Any) -> None:
        super().__init__(message, **fields)
        self.cause = cause


class StatusError(CStarError):
    """cStar answered with a status that means no. Statuses without a class of their own raise this one."""

    advice = "cStar's documentation does not describe this status; the message is all there is."

    @staticmethod
    def for_status(status: int, message: str, **fields: Any) -> "StatusError":
        """The error of the class that belongs to this status."""
        return _class_of(status)(message, status=status, **fields)


class ValidationError(StatusError):
    """400 or 422, or a value refused before anything was sent (`status` is then None). `param` names the field."""

    advice = "Correct the value and send it again."


class AuthenticationError(StatusError):
    """401: the key is missing, malformed, expired or revoked."""

    advice = "Check CSTAR_KEY: it may have expired, been revoked, or belong to another team; a new one is made in cStar's team settings."


class PermissionDeniedError(StatusError):
    """403, or a publishable key on a writing call (`status` is then None): the key may not do this."""

    advice = "Use a secret key (sk_…) that belongs to this team."


class NotFoundError(StatusError):
    """404: there is no such thing, or this key cannot see it."""

    advice = "List the webhooks to see which exist; test keys and live keys see different ones."


class ConflictError(StatusError):
    """409, or a webhook that somebody else changed meanwhile (`status` is then None)."""

    advice = "Read it again, and decide on what it says now."


class RateLimitError(StatusError):
    """429: too many requests in this window. `retry_after` is in seconds where it could be learned."""

    advice = "Wait for the window to pass, then call again."


class ServerError(StatusError):
    """5xx: something failed at cStar. A writing call may have had its effect all the same."""

    advice = "It is usually passing; for a call that changes something, look first whether it did."
    may_have_acted = True


class TransportError(CStarError):
    """No usable answer came. `may_have_acted` tells whether the request may have arrived."""

    advice = "Look whether it happened before you repeat it."
    may_have_acted = True


class UnreachableError(TransportError):
    """No connection was made: name, route, refusal, proxy or TLS. Nothing arrived."""

    advice = "Nothing was sent. Check the address, the network and the proxy settings."
    may_have_acted = False


class ResponseTimeoutError(TransportError):
    """The request went out and no whole answer came in time."""

    advice = "It may have arrived: look before you repeat it, or give the client a longer timeout."


class ConnectionLostError(TransportError):
    """The connection broke before the answer was whole."""

    advice = "It may have arrived: look before you repeat it."


class RedirectError(TransportError):
    """The answer was a redirect. Following it would carry the key to a host nobody named."""

    advice = "Set the base URL to where cStar really is; redirects are never followed."
    may_have_acted = False


class InvalidResponseError(TransportError):
    """An answer came that is not one of cStar's: HTML, nothing, half of something, an envelope without data."""

    advice = "Something between here and cStar may have answered in its place; check the base URL and the proxy."


class OutcomeUnknownError(TransportError):
    """A create whose answer was lost.

    Attributes:
        candidates: The webhooks on the list that have the name, URL and events that were to be created.
    """

    def __init__(self, message: str, *, candidates: tuple[WebhookLike, ...] = (), **fields: Any) -> None:
        super().__init__(message, **fields)
        self.candidates = candidates


_BY_STATUS: Mapping[int, type[StatusError]] = {
    400: ValidationError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: ValidationError,
    429: RateLimitError,
}


def _class_of(status: int) -> type[StatusError]:
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, StatusError)


def _rebuilt(cls: type[CStarError], message: str, fields: dict[str, Any]) -> CStarError:
    error = cls(message)
    error.__dict__.update(fields)
    return error
