"""The bodies that the sandbox answers with: those of the API reference to the letter, in its order of fields.

Where the reference prints no body (a missing field, a broken body, another team's key), the shape is the reference's and
the code is from cStar's article on error codes or, where that could not be read, ours; the messages are ours and say so where they speak of the sandbox.
"""

from dataclasses import dataclass
from typing import Any

_DOCS = "https://www.cstar.help/developers/api-reference"


@dataclass(frozen=True)
class Refusal:
    """An answer that says no."""

    status: int
    type: str
    code: str
    message: str
    param: str | None = None
    doc_url: str | None = None

    def body(self, request_id: str, timestamp: str) -> dict[str, Any]:
        """The envelope of an error."""
        error: dict[str, Any] = {"type": self.type, "code": self.code, "message": self.message}
        if self.param is not None:
            error["param"] = self.param
        if self.doc_url is not None:
            error["doc_url"] = self.doc_url
        error["request_id"] = request_id
        return {"success": False, "error": error, "meta": {"timestamp": timestamp}}


class Refused(Exception):  # noqa: N818 - it is an answer, not a failure of the sandbox
    """Raised with a `Refusal` by whatever finds the fault, answered in one place."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def success(data: Any, request_id: str, timestamp: str) -> dict[str, Any]:
    """The envelope of an answer that says yes."""
    return {"success": True, "data": data, "meta": {"requestId": request_id, "timestamp": timestamp}}


# The reference prints one 401 for every reason, so an expired key cannot be told from an unknown one.
BAD_KEY = Refusal(
    401,
    "authentication_error",
    "authentication_required",
    "Invalid or expired API key",
    doc_url=f"{_DOCS}#authentication",
)

SECRET_KEY_REQUIRED = Refusal(
    403,
    "authorization_error",
    "insufficient_permissions",
    "Secret key required for this endpoint",
    doc_url=f"{_DOCS}#authentication",
)

OTHER_TEAM = Refusal(
    403,
    "authorization_error",
    "team_access_denied",
    "This key does not belong to this team",
    doc_url=f"{_DOCS}#authentication",
)

NO_WEBHOOK = Refusal(404, "not_found_error", "RESOURCE_MISSING", "Webhook not found")

NO_ROUTE = Refusal(404, "not_found_error", "RESOURCE_MISSING", "There is nothing at this path")

NO_METHOD = Refusal(405, "invalid_request_error", "method_not_allowed", "This path does not take this method")

BAD_JSON = Refusal(400, "invalid_request_error", "invalid_json", "The body is not a JSON object")

KEY_REUSED = Refusal(
    409,
    "invalid_request_error",
    "idempotency_conflict",
    "This Idempotency-Key was used for a different request (cStar does not document this case; the sandbox refuses it)",
)


def rate_limited(seconds: int) -> Refusal:
    """429, with the wait in its message as the reference has it."""
    return Refusal(
        429,
        "rate_limit_error",
        "rate_limit_exceeded",
        f"Rate limit exceeded. Try again in {seconds} seconds",
        doc_url=f"{_DOCS}#rate-limiting",
    )


def failing(status: int) -> Refusal:
    """5xx, with the published type; no page prints a body of one."""
    return Refusal(status, "api_error", "internal_error", "Something went wrong on our side")


def missing(param: str) -> Refusal:
    """A required field is absent or empty."""
    return Refusal(400, "invalid_request_error", "parameter_missing", f"Missing required field: {param}", param=param)


def invalid(param: str, message: str) -> Refusal:
    """A field has a value it cannot have."""
    return Refusal(400, "validation_error", "PARAMETER_INVALID", message, param=param)
