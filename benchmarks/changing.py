"""Planning and applying changes, against a loop of the same calls."""

from collections.abc import Iterator
from functools import partial
from itertools import count

import httpx
import pandas as pd

import cstar_explore as cx

from .measuring import Case
from .server import running

CHANGES = 1_000


def run() -> Iterator[Case]:
    """Renames each webhook of a team. The sandbox is a process of its own."""
    with running("cstar_explore.cli", "sandbox") as line:
        values = dict(part.split("=", 1) for part in line.removeprefix("export ").split())
        key, team, url = values["CSTAR_KEY"], values["CSTAR_TEAM_ID"], values["CSTAR_BASE_URL"]
        with cx.Client(key, team, url) as client, httpx.Client(headers={"Authorization": f"Bearer {key}"}) as http:
            for number in range(CHANGES - len(client.webhooks.list())):
                client.webhooks.create(name=f"{number}", url=f"https://example.com/{number}", events=["ticket.*"])
            rounds = count()
            bare = "floor: httpx, a list, then GET, PATCH and GET of each"
            loop = partial(_loop, http, f"{url}/api/v1/teams/{team}/webhooks", rounds)
            ours, size = partial(_plan, client, rounds), f"{CHANGES:,} changes"
            yield Case(
                "plan and apply", size, "for the changes", ours, {bare: loop}, aims={bare: 1.3}, rounds=3, warm=False
            )


def _plan(client: cx.Client, rounds: "count[int]") -> None:
    ids, turn = client.webhooks.list().to_frame()["id"], next(rounds)
    frame = pd.DataFrame({"id": ids, "name": [f"{number}, round {turn}" for number in range(len(ids))]})
    applied = cx.plan(client, frame).apply()
    assert applied.finished
    assert len(applied) == CHANGES


def _loop(http: httpx.Client, url: str, rounds: "count[int]") -> None:
    turn = next(rounds)
    for number, webhook in enumerate(http.get(url).json()["data"]):
        one, body = f"{url}/{webhook['id']}", {"name": f"{number}, round {turn}"}
        assert http.get(one).json()["data"]["name"] == webhook["name"]
        http.patch(one, json=body).raise_for_status()
        assert http.get(one).json()["data"]["name"] == body["name"]
