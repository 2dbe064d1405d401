"""The error responses, as the API reference prints them.

Where the reference prints no body (a missing field, a malformed body, another team's key), the shape is the reference's. The
code is then from cStar's article on error codes, or ours where that article could not be read; the message is ours.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from ..behaviours import ASSUMED, Answer
from ..serving.times import iso
from .fields import named

_AUTHENTICATION = "https://www.cstar.help/developers/api-reference#authentication"
_RATE_LIMITING = "https://www.cstar.help/developers/api-reference#rate-limiting"


@dataclass(frozen=True)
class ErrorResponse:
    """An error response. `retry_after` is in seconds."""

    status: int
    type: str
    code: str
    message: str
    param: str | None = None
    doc_url: str | None = None
    retry_after: int | None = None

    def render(self, request: Request, headers: Mapping[str, str] | None = None) -> Response:
        """The response to this request, in the order of fields that the reference has."""
        error = self._as_observed(request.state.behaviours, request.state.request_id)
        body = {"success": False, "error": error, "meta": {"timestamp": iso(request.state.now)}}
        headers = dict(headers or {})
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.status in (408, 413):
            headers["Connection"] = "close"  # the rest of the request body is not read
        return Response(json.dumps(body, ensure_ascii=False), self.status, headers, "application/json")

    def _as_observed(self, behaviours: Mapping[str, Answer], request_id: str) -> object:
        """The `error` of the body. Of a 400, 401 and 404, `behaviours` has the fields, and the type and code of its usual error."""
        kind, code, usual = self.type, self.code, False
        fields: Answer = ("type", "code", "message", "param", "doc_url", "request_id")
        if self.status in (400, 401, 404):
            fields = behaviours[f"error_{self.status}"]
            usual = code == ASSUMED[f"code_{self.status}"]
            if usual:
                kind, code = str(behaviours[f"type_{self.status}"]), str(behaviours[f"code_{self.status}"])
        if "only a text" in fields:
            return self.message
        doc_url = self.doc_url or ("https://www.cstar.help/developers/errors" if self.status in (400, 404) else None)
        values: dict[str, object] = {
            "type": kind if kind != "no type" else None,
            "code": code if code != "no code" else None,
            "message": self.message,
            "param": self.param,
            "field": self.param,
            "doc_url": doc_url,
            "request_id": request_id,
            "retry_after": 60,
            "details": [],
            "*": "a field that cStar does not document",
        }
        observed = ("param", "field", "doc_url", "docUrl") if usual else ()
        return {name: value for name, value in named(values, fields).items() if value is not None or name in observed}


class ApiError(Exception):
    """Ends a call with an error response."""

    def __init__(self, response: ErrorResponse) -> None:
        super().__init__(response.message)
        self.response = response


def _refused(code: str, message: str, status: int = 403, kind: str = "authorization_error") -> ErrorResponse:
    return ErrorResponse(status, kind, code, message, doc_url=_AUTHENTICATION)


# The reference prints one 401 for every reason; an expired key looks like an unknown one.
INVALID_KEY = _refused("authentication_required", "Invalid or expired API key", 401, "authentication_error")
SECRET_KEY_REQUIRED = _refused("insufficient_permissions", "Secret key required for this endpoint")
OTHER_TEAM = _refused("team_access_denied", "This key does not belong to this team")

WEBHOOK_NOT_FOUND = ErrorResponse(404, "not_found_error", "RESOURCE_MISSING", "Webhook not found")
PATH_NOT_FOUND = ErrorResponse(404, "not_found_error", "RESOURCE_MISSING", "Path not found")
METHOD_NOT_ALLOWED = ErrorResponse(405, "invalid_request_error", "method_not_allowed", "Method not allowed")
INVALID_JSON = ErrorResponse(400, "invalid_request_error", "invalid_json", "The body is not a JSON object")

IDEMPOTENCY_KEY_REUSED = ErrorResponse(
    409,
    "invalid_request_error",
    "idempotency_conflict",
    "This Idempotency-Key was used for a different request (cStar does not document this case; the sandbox refuses it)",
)


def rate_limited(seconds: int, retry_after: int | None) -> ErrorResponse:
    """429, with the wait in its message as the reference has it."""
    message = f"Rate limit exceeded. Try again in {seconds} seconds"
    return ErrorResponse(
        429, "rate_limit_error", "rate_limit_exceeded", message, doc_url=_RATE_LIMITING, retry_after=retry_after
    )


def server_error(status: int) -> ErrorResponse:
    """5xx, with the published type; cStar does not document the rest of the body."""
    return ErrorResponse(status, "api_error", "internal_error", "Something went wrong on our side")


def missing(param: str) -> ApiError:
    """A required field is absent or empty."""
    message = f"Missing required field: {param}"
    return ApiError(ErrorResponse(400, "invalid_request_error", "parameter_missing", message, param))


def invalid(param: str, message: str) -> ApiError:
    """A field has an invalid value."""
    return ApiError(ErrorResponse(400, "validation_error", "PARAMETER_INVALID", message, param))
