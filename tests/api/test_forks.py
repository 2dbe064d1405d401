"""Processes that are forked from one that used a client: each has connections of its own and gets its own responses."""

import contextlib
import json
import os
import pickle
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import cstar_explore as cx
from tests.support.scripted_server import RecordedRequest, ScriptedServer, reply

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork"),
    # Python 3.12 warns of forks in a process with threads: here those of the server, which the children do not use.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

KEY = "sk_test_abcdefghijklmnopqrstuvwxyz012345"
OTHER_KEY = "sk_test_543210zyxwvutsrqponmlkjihgfedcba"
PROCESSES, ROUNDS, DELAY = 3, 6, 0.01

# What each call returns for a process and a round, reduced to the part that names both.
CALLS: dict[str, Callable[[cx.Client, str], str | None]] = {
    "list": lambda client, tag: client.webhooks.list()[0].name,
    "get": lambda client, tag: client.webhooks.get(tag).id,
    "create": lambda client, tag: client.webhooks.create(
        name=tag, url="https://example.com/", events="*"
    ).secret.reveal(),
    "update": lambda client, tag: client.webhooks.update(tag, name=f"name-{tag}").name,
    "delete": lambda client, tag: client.webhooks.delete(tag),
    "trigger_test": lambda client, tag: client.webhooks.trigger_test("ticket.created").event_id,
    "whoami": lambda client, tag: client.whoami().team_name,
}
EXPECTED: dict[str, Callable[[str, str], str | None]] = {
    "list": lambda team, tag: f"of {team}",
    "get": lambda team, tag: tag,
    "create": lambda team, tag: f"whsec_{tag}",
    "update": lambda team, tag: f"name-{tag}",
    "delete": lambda team, tag: None,
    "trigger_test": lambda team, tag: f"evt_{team}",
    "whoami": lambda team, tag: f"of {KEY[-4:]}",
}


class EchoServer(ScriptedServer):
    """Responds after a delay with the team, ID, name or key of the request, and records who used which connection."""

    def __init__(self) -> None:
        self.teams_by_port: dict[int, set[str]] = {}
        super().__init__(*[self._echo] * 1000)

    def _echo(self, connection: socket.socket, request: RecordedRequest) -> bool:
        team, _, rest = request.path.removeprefix("/api/v1/teams/").partition("/")
        self.teams_by_port.setdefault(connection.getpeername()[1], set()).add(team)
        time.sleep(DELAY)
        webhook_id = rest.removeprefix("webhooks").removeprefix("/").partition("?")[0]
        if request.path.endswith("whoami"):
            value: Any = {"teamId": "team_1", "teamName": f"of {request.headers['authorization'][-4:]}"}
        elif webhook_id == "trigger-test":
            value = {"event": "ticket.created", "eventId": f"evt_{team}"}
        elif request.method == "DELETE":
            value = {"deleted": True}
        elif request.method == "POST":
            value = {"id": "whk_new", "name": request.json["name"], "secret": f"whsec_{request.json['name']}"}
        elif request.method == "PATCH":
            value = {"id": webhook_id, **request.json}
        elif webhook_id:
            value = {"id": webhook_id, "name": request.headers["authorization"][-4:]}
        else:
            value = [{"id": "whk_1", "name": f"of {team}"}]
        return reply(200, json.dumps({"success": True, "data": value}), close=False)(connection, request)


@pytest.fixture
def server() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


class Child:
    """A forked process that runs a function. `result()` is what it returned."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._read, write = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(write)
            return
        try:
            outcome = ("returned", function())
        except BaseException as error:  # noqa: BLE001 - reported to the parent
            outcome = ("raised", repr(error))
        with contextlib.suppress(BaseException):
            os.write(write, pickle.dumps(outcome))
        os._exit(0)

    def result(self) -> Any:
        ready, _, _ = select.select([self._read], [], [], 60)
        if not ready:
            os.kill(self.pid, signal.SIGKILL)
        with os.fdopen(self._read, "rb") as pipe:
            content = pipe.read()
        os.waitpid(self.pid, 0)
        assert ready, "The child did not end."
        how, value = pickle.loads(content)
        assert "returned" == how, value
        return value


def client_of(server: EchoServer, team: str = "team_parent") -> cx.Client:
    return cx.Client(KEY, team, server.url, timeout=20, max_wait=0)


@pytest.mark.parametrize("call", CALLS)
def test_each_process_gets_the_responses_to_its_own_requests(server: EchoServer, call: str) -> None:
    """Several children and their parent call at the same time, with a client that was used before the fork."""

    def results(client: cx.Client, team: str) -> list[tuple[str | None, str | None]]:
        client = client.with_options(team_id=team)
        tags = [f"{team}-{number}" for number in range(ROUNDS)]
        return [(EXPECTED[call](team, tag), CALLS[call](client, tag)) for tag in tags]

    with client_of(server) as client:
        client.webhooks.list()
        teams = [f"team_{number}" for number in range(PROCESSES)]
        children = [Child(lambda team=team: results(client, team)) for team in teams]
        pairs = results(client, "team_parent")
        for child in children:
            pairs += child.result()
    assert [] == [(expected, actual) for expected, actual in pairs if expected != actual]
    assert len(pairs) == (PROCESSES + 1) * ROUNDS
    if call != "whoami":  # its path does not name the team
        assert {1} == {len(teams) for teams in server.teams_by_port.values()}
    assert PROCESSES + 1 == len(server.teams_by_port)


def test_two_keys_over_one_connection_stay_apart(server: EchoServer) -> None:
    """As in an audit of several teams that a forked process continues."""

    def names(client: cx.Client) -> set[str | None]:
        return {client.webhooks.get(f"whk_{number}").name for number in range(ROUNDS)}

    with client_of(server) as client:
        other = cx.Client.over(client._connection, server.url, OTHER_KEY, "team_other", on_wait=None)
        assert ({"2345"}, {"dcba"}) == (names(client), names(other))
        children = [Child(lambda each=each: names(each)) for each in (client, other)]
        mine = names(client)
        assert [{"2345"}, {"dcba"}, {"2345"}] == [*(child.result() for child in children), mine]


@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_a_child_leaves_its_parents_connection_open(server: EchoServer, used: bool, closed: bool) -> None:
    """The parent continues on the connection that it had."""

    def child(client: cx.Client) -> None:
        if used:
            client.webhooks.list()
        if closed:
            client.close()

    with client_of(server) as client:
        client.webhooks.list()
        (port,) = server.teams_by_port
        Child(lambda: child(client)).result()
        client.with_options(team_id="team_again").webhooks.list()
        assert {"team_parent", "team_again"} == server.teams_by_port[port]


def test_a_grandchild_has_connections_of_its_own(server: EchoServer) -> None:
    """As it is not the process that its parent is."""

    def name_of(client: cx.Client, team: str) -> str | None:
        return client.with_options(team_id=team).webhooks.list()[0].name

    def child(client: cx.Client) -> list[str | None]:
        own = name_of(client, "team_child")
        return [own, Child(lambda: name_of(client, "team_grandchild")).result(), name_of(client, "team_child")]

    with client_of(server) as client:
        client.webhooks.list()
        assert ["of team_child", "of team_grandchild", "of team_child"] == Child(lambda: child(client)).result()
    assert 3 == len(server.teams_by_port)


def test_a_fork_during_a_call_of_another_thread_does_not_block_the_child(server: EchoServer) -> None:
    """No lock of the parent's connections is waited for."""
    ended = threading.Event()

    def call_until_ended(client: cx.Client) -> None:
        while not ended.is_set():
            client.webhooks.list()

    with client_of(server) as client:
        threads = [threading.Thread(target=call_until_ended, args=(client,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        names = []
        for number in range(4):
            child_client = client.with_options(team_id=f"team_{number}")
            names.append(Child(lambda each=child_client: each.webhooks.list()[0].name).result())
        ended.set()
        for thread in threads:
            thread.join()
    assert [f"of team_{number}" for number in range(4)] == names
