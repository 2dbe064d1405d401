"""A server that stores webhooks, optionally in its own spelling, and a client for it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import cstar_explore as cx
from tests.support.scripted_server import RecordedRequest, ScriptedServer, data, status

KEY = "sk_test_abcdefghijklmnop"
SECRET = "whsec_storedOnlyOnce"


class StoringServer:
    """Answers the calls of the API reference for one team.

    Attributes:
        webhooks: What it stores, by ID.
        stored: Changes the fields of a request before they are stored.
        headers: Sent with every response.
        before: Called with each request before it is answered.
    """

    def __init__(self, *webhooks: dict[str, Any]) -> None:
        self.webhooks: dict[str, dict[str, Any]] = {item["id"]: dict(item) for item in webhooks}
        self.stored: Callable[[dict[str, Any]], dict[str, Any]] = lambda fields: fields
        self.headers: Mapping[str, str] = {}
        self.before: Callable[[RecordedRequest], object] = lambda _: None
        self.created = 0
        self.server = ScriptedServer(*[self._respond] * 5_000)

    def client(self, **options: Any) -> cx.Client:
        return cx.Client(KEY, "team_1", self.server.url, timeout=5, **options)

    def names(self) -> list[str]:
        return sorted(item["name"] for item in self.webhooks.values())

    def add(self, **fields: Any) -> str:
        """Creates a webhook, as another process would. Returns its ID."""
        self.created += 1
        webhook_id = f"whk_{self.created}"
        self.webhooks[webhook_id] = {"id": webhook_id, "isActive": True} | fields
        return webhook_id

    def _respond(self, connection: Any, received: RecordedRequest) -> bool:
        self.before(received)
        return self._script(received)(connection, received)

    def _script(self, received: RecordedRequest) -> Any:
        fields = received.json if received.body else {}
        if isinstance(fields.get("events"), str):
            fields["events"] = fields["events"].split(",")
        last = received.path.partition("?")[0].rpartition("/")[2]
        if last == "webhooks" and received.method == "GET":
            return data(list(self.webhooks.values()), headers=self.headers)
        if last == "webhooks":
            webhook_id = self.add(**self.stored(fields))
            return data(self.webhooks[webhook_id] | {"secret": f"{SECRET}{self.created}"}, 201, self.headers)
        if last not in self.webhooks:
            return status(404, self.headers, type="not_found_error", code="RESOURCE_MISSING")
        if received.method == "DELETE":
            del self.webhooks[last]
            return data({"deleted": True}, headers=self.headers)
        if received.method == "PATCH":
            self.webhooks[last].update(self.stored(fields))
        return data(self.webhooks[last], headers=self.headers)


def item(number: int, **fields: Any) -> dict[str, Any]:
    """A webhook as cStar's list has it."""
    base = {"id": f"whk_old{number}", "name": f"Old {number}", "url": f"https://example.com/{number}"}
    return base | {"events": ["ticket.created"], "isActive": True, "createdAt": "2025-11-01T10:00:00Z"} | fields


@contextmanager
def storing(*webhooks: dict[str, Any]) -> Iterator[tuple[StoringServer, cx.Client]]:
    """A storing server and a client for it."""
    server = StoringServer(*webhooks)
    with server.server, server.client() as client:
        yield server, client
