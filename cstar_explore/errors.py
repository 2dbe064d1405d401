"""Exception hierarchy. All errors derive from `CStarError`, and every field can be read on any of them.

CStarError
├── ConfigurationError        a key, team, address, file or setting cannot work; nothing was sent
├── ReadOnlyError             the client is read-only; nothing was sent
├── ConfirmationError         a form on a live key was not confirmed; nothing was sent
├── SignatureError            a delivery is not proven to come from cStar
├── NotReceivedError          an expected delivery did not arrive
├── WaitCancelledError        a wait before a retry was cancelled
├── IncompleteError           a plan was applied in part; see `steps`
├── StatusError               cStar refused the request
│   ├── ValidationError       400, 422; or refused before sending (`status` is None)
│   ├── AuthenticationError   401
│   ├── PermissionDeniedError 403; or refused before sending (`status` is None)
│   ├── NotFoundError         404
│   ├── ConflictError         409; or a webhook changed in the meantime (`status` is None)
│   ├── RateLimitError        429
│   └── ServerError           5xx
└── TransportError            no usable response
    ├── UnreachableError      no connection; nothing arrived
    │   └── TlsError          the certificate is not trusted, or TLS failed otherwise
    ├── ResponseTimeoutError  connected, but no complete response in time
    ├── ConnectionLostError   the connection broke before the response was complete
    ├── RedirectError         the response is a redirect, which is never followed
    ├── InvalidResponseError  the response is not one of cStar's
    └── OutcomeUnknownError   the response to a create was lost; the webhook may exist
"""

from collections.abc import Callable, Mapping
from typing import Any

from .text import printable
from .tracebacks import short_traceback


class CStarError(Exception):
    """The base class of all errors of this package.

    Attributes:
        message: What went wrong, in cStar's words if it sent any.
        advice: What to do, in one sentence.
        status: The HTTP status, or None without a response.
        type, code, param, doc_url, request_id: As cStar sent them (API reference, error bodies), or None.
        retry_after: How long cStar asked to wait, in seconds, or None.
        may_have_acted: Whether the request may have taken effect.
    """

    advice = "See the message."
    may_have_acted = False

    def __init__(
        self,
        message: str,
        *,
        advice: str | None = None,
        status: int | None = None,
        type: str | None = None,  # noqa: A002 - cStar's own name
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
        return f"{self._sentence()} {self.advice}"

    def _sentence(self) -> str:
        details = [str(part) for part in (self.status, self.code, self.request_id) if part]
        suffix = f" ({', '.join(printable(part, 80) for part in details)})" if details else ""
        message = self.message.rstrip(".")
        stop = "" if message.endswith("?") and not suffix else "."
        return f"{message}{suffix}{stop}"

    # IPython and Jupyter call this in place of their own traceback, which would be mostly lines of this package.
    def _render_traceback_(self) -> list[str]:
        return short_traceback(self, self._sentence(), self.advice)

    def redact(self, redacted_in: Callable[[str], str]) -> None:
        """Masks credentials in every field."""
        self.args = tuple(redacted_in(part) if isinstance(part, str) else part for part in self.args)
        for name, value in vars(self).items():
            if isinstance(value, str):
                setattr(self, name, redacted_in(value))


class ConfigurationError(CStarError):
    """A key, team, address, file or setting cannot work. Nothing was sent."""


class ReadOnlyError(CStarError):
    """The client is read-only, and the call would change something. Nothing was sent."""

    advice = "To change things, connect with cx.connect(write=True)."


class ConfirmationError(CStarError):
    """A form on a live key was submitted without the name that confirms it. Nothing was sent."""


class NotReceivedError(CStarError):
    """A delivery did not arrive in time."""


class WaitCancelledError(CStarError):
    """A wait was cancelled, and the call was not retried."""

    advice = "Call again when you are ready."

    def __init__(self, message: str, *, may_have_acted: bool = False, **fields: Any) -> None:
        super().__init__(message, **fields)
        self.may_have_acted = may_have_acted


class IncompleteError(CStarError):
    """A plan was not applied completely.

    Attributes:
        steps: A `Step` for each change, in order, with its `outcome` and `detail`.
    """

    advice = "See .steps. To continue, apply the plan again; to undo what was done, apply its .invert()."

    def __init__(self, message: str, *, steps: tuple[Any, ...] = (), **fields: Any) -> None:
        super().__init__(message, **fields)
        self.steps = steps
        self.may_have_acted = any(step.outcome in ("done", "unknown") for step in steps)


class SignatureError(CStarError):
    """A delivery is not proven to come from cStar.

    Attributes:
        cause: The check that failed: `header_missing`, `header_malformed`, `legacy_form`, `no_match`, `too_old`,
            `in_the_future`, or `not_json` if the signature is right and the body is not a JSON object.
    """

    advice = "Do not act on it. cx.explain(body, headers, secrets) finds the reason."

    def __init__(self, message: str, *, cause: str = "no_match", **fields: Any) -> None:
        super().__init__(message, **fields)
        self.cause = cause


class StatusError(CStarError):
    """cStar refused the request. Raised itself for statuses without a class of their own."""

    advice = "cStar does not document this status. The message is all it sent."

    @staticmethod
    def for_status(status: int, message: str, **fields: Any) -> "StatusError":
        """An error of the class for this status."""
        cls = _BY_STATUS.get(status, ServerError if status >= 500 else StatusError)
        return cls(message, status=status, **fields)


class ValidationError(StatusError):
    """400 or 422, or a value that was refused before sending (`status` is None). `param` names the field."""

    advice = "Correct the value and try again."


class AuthenticationError(StatusError):
    """401: the key is missing, malformed, expired or revoked."""

    advice = (
        "Check CSTAR_KEY: the key may be expired, revoked or of another team. Create keys in cStar's team settings."
    )


class PermissionDeniedError(StatusError):
    """403, or a writing call with a publishable key (`status` is None)."""

    advice = "Use a secret key (sk_…) of this team."


class NotFoundError(StatusError):
    """404: the webhook does not exist, or this key cannot see it."""

    advice = "List the webhooks to see which exist. Test keys and live keys see different ones."


class ConflictError(StatusError):
    """409, or a webhook that someone else changed in the meantime (`status` is None)."""

    advice = "Read it again and decide on its current state."


class RateLimitError(StatusError):
    """429: too many requests in this window. `retry_after` is set if the response says how long to wait."""

    advice = "Wait until the window ends, then call again."


class ServerError(StatusError):
    """5xx: cStar, or a server in front of it, failed. A writing call may have taken effect."""

    advice = "Server errors usually pass. Check whether a writing call took effect before you retry."
    may_have_acted = True


class TransportError(CStarError):
    """There is no usable response. `may_have_acted` says whether the request may have arrived."""

    advice = "Check whether it took effect before you retry."
    may_have_acted = True


class UnreachableError(TransportError):
    """No connection was made, because of the name, the route, the proxy or TLS. Nothing arrived."""

    advice = "Nothing was sent. Check the address, the network and the proxy settings."
    may_have_acted = False


class TlsError(UnreachableError):
    """The certificate is not trusted or does not match the host, or the server speaks no TLS. It is not retried."""

    advice = "Nothing was sent. Check the address. Behind a company proxy, set SSL_CERT_FILE to its certificates."


class ResponseTimeoutError(TransportError):
    """The request was sent, and no complete response arrived in time."""

    advice = "It may have arrived: check before you retry, or give the client a longer timeout."


class ConnectionLostError(TransportError):
    """The connection broke before the response was complete."""

    advice = "It may have arrived: check before you retry."


class RedirectError(TransportError):
    """The response is a redirect. Following it would send the key to another host."""

    advice = "Set the base URL to cStar's own address. Redirects are never followed."
    may_have_acted = False


class InvalidResponseError(TransportError):
    """The response is not one of cStar's: HTML, an empty or incomplete body, an envelope without data, another webhook."""

    advice = (
        "A proxy, load balancer or sign-in page may have answered instead of cStar. Check the base URL and the network."
    )


class OutcomeUnknownError(TransportError):
    """The response to a create was lost.

    Attributes:
        candidates: The `Webhook`s on the list that match its name, URL and events.
    """

    def __init__(self, message: str, *, candidates: tuple[Any, ...] = (), **fields: Any) -> None:
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
