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
        url, team, key = (part.partition("=")[2] for part in line.removeprefix("export ").split())
        with cx.Client(key, team, url) as client, httpx.Client(headers={"Authorization": f"Bearer {key}"}) as http:
            for number in range(CHANGES - len(client.webhooks.list())):
                client.webhooks.create(name=f"{number}", url=f"https://example.com/{number}", events=["ticket.*"])
            turns = count()
            bare = "floor: httpx, a list, then GET, PATCH and GET of each"
            rivals = {bare: (partial(_loop, http, f"{url}/api/v1/teams/{team}/webhooks", turns), 1.3)}
            case = partial(Case, rounds=3, warm=False)
            yield case("plan and apply", f"{CHANGES:,} changes", "for the end", partial(_plan, client, turns), rivals)


def _plan(client: cx.Client, turns: "count[int]") -> None:
    ids, turn = client.webhooks.list().to_frame()["id"], next(turns)
    frame = pd.DataFrame({"id": ids, "name": [f"{number}, turn {turn}" for number in range(len(ids))]})
    applied = cx.plan(client, frame).apply()
    assert applied.finished
    assert len(applied) == CHANGES


def _loop(http: httpx.Client, url: str, turns: "count[int]") -> None:
    turn = next(turns)
    for number, webhook in enumerate(http.get(url).json()["data"]):
        one, body = f"{url}/{webhook['id']}", {"name": f"{number}, turn {turn}"}
        assert http.get(one).json()["data"]["name"] == webhook["name"]
        http.patch(one, json=body).raise_for_status()
        assert http.get(one).json()["data"]["name"] == body["name"]
