"""cStar's replies. Only a response that is recognizably cStar's counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from ..api.responses import Response
from ..behaviours import QUESTIONS
from ..signatures.bodies import parse_json

_REFUSALS = (400, 403, 409, 422)
# Codes that may be shown; any other could repeat what was sent.
_CODES = frozenset(QUESTIONS["code_400"].answers) | frozenset(QUESTIONS["code_404"].answers)


class NotAnsweredError(Exception):
    """A question has no answer; the message says why, without text that the server sent."""


class AddressRefusedError(NotAnsweredError):
    """The server refuses the listener's URL, for example because it is http to loopback."""


@dataclass(frozen=True)
class Reply:
    """A response of cStar's: `success: true` with `data`, or `success: false` with an `error` and a 4xx.

    Attributes:
        status: The response's status.
        headers: By lower-case name.
        envelope: The JSON object.
        sent: The request without IDs, as evidence.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    envelope: Mapping[str, Any] = field(repr=False)
    sent: str

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether the server refused what the request asks for, not the key or the rate of requests."""
        return self.status in _REFUSALS

    def require_success(self) -> Self:
        """This reply. It raises NotAnsweredError unless it is a success."""
        if not self.ok:
            raise NotAnsweredError(self.evidence)
        return self

    @property
    def data(self) -> Any:
        """`data` of a success; None for an error."""
        return self.envelope.get("data")

    @property
    def error(self) -> Mapping[str, Any]:
        """`error`; empty for a success, and for an error that is a string."""
        error = self.envelope.get("error")
        return error if isinstance(error, dict) else {}

    @property
    def webhook(self) -> Mapping[str, Any]:
        """The webhook in a success. It raises NotAnsweredError if the reply has none with an ID."""
        if self.ok and isinstance(self.data, dict) and isinstance(self.data.get("id"), str) and self.data["id"]:
            return self.data
        raise NotAnsweredError(f"{self.evidence}: the response has no webhook with an ID")

    @property
    def webhooks(self) -> list[Mapping[str, Any]]:
        """The webhooks with an ID in a success. It raises NotAnsweredError if the reply has no list."""
        if not self.ok or not isinstance(self.data, list):
            raise NotAnsweredError(self.evidence)
        return [{**item, "id": str(item["id"])} for item in self.data if isinstance(item, dict) and item.get("id")]

    @property
    def evidence(self) -> str:
        """The request, the status, and the code of an error if it is a published one."""
        code = self.error.get("code")
        return f"{self.sent}: {self.status}" + (f" {code}" if code in _CODES else "")


def read_reply(response: Response, sent: str) -> Reply:
    """The reply in a response.

    Raises:
        NotAnsweredError: The response is not cStar's, or says nothing about the question: 408, 429 and 5xx.
    """
    if response.status in (408, 429) or response.status >= 500:
        raise NotAnsweredError(f"{sent}: {response.status}")
    envelope = parse_json(response.content)
    match response.status // 100, envelope:
        case 2, {"success": True, "data": _}:
            pass
        case 4, {"success": False, "error": {"message": str()} | {"code": str()} | {"type": str()}}:
            pass  # other services have an `error`, too
        case 4, {"success": False, "error": str(text)} if text:
            pass
        case _:
            raise NotAnsweredError(f"{sent}: a response with {response.status} that is not cStar's")
    return Reply(response.status, response.headers, envelope, sent)
