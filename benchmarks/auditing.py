"""An audit of many teams, each with 20 webhooks, from a server that responds after 50 ms."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import Any

import dask
import distributed
import httpx
import pandas as pd

import cstar_explore as cx

from .measuring import Case
from .server import KEY, lists

AT_ONCE, WEBHOOKS = 10, 20


def run() -> Iterator[Case]:
    """On threads, and on a Dask cluster of two workers with five threads each. The others' webhooks become a frame, and no rule
    is applied to them."""
    os.environ["CSTAR_KEY_BENCH"] = KEY
    dask.config.set({"distributed.admin.tick.limit": "1h"})
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=AT_ONCE // 2, dashboard_address=None)
    with cluster, distributed.Client(cluster) as scheduler:
        for teams, rounds in ((1_000, 3), (5_000, 2)):
            with lists(WEBHOOKS, 0.05) as url, httpx.Client() as http, ThreadPoolExecutor(AT_ONCE) as pool:
                rows = [(f"Team {number}", f"team_{number}", "CSTAR_KEY_BENCH", url) for number in range(teams)]
                accounts = cx.Accounts(pd.DataFrame(rows, columns=["account", "team_id", "key_env", "base_url"]))
                urls = [f"{url}/api/v1/teams/team_{number}/webhooks" for number in range(teams)]
                threads, on_dask = "httpx on 10 threads, a frame", "httpx on Dask, two workers, a frame"
                for executor, name, fetch in (
                    (None, threads, partial(_collected, pool.map, partial(_fetch, http), urls)),
                    (scheduler.get_executor(), on_dask, partial(_on_dask, scheduler, urls)),
                ):
                    ours = partial(_audit, accounts, executor)
                    size, aims = f"{teams:,} teams", {name: 1.2}
                    work = f"audit{' on Dask' if executor else ''}"
                    yield Case(
                        work, size, "for the audit", ours, {name: fetch}, aims=aims, rounds=rounds, warm=teams == 1_000
                    )


def _audit(accounts: cx.Accounts, executor: Executor | None) -> None:
    audit = cx.audit(accounts, executor=executor, at_once=AT_ONCE, on_progress=lambda *_: None)
    assert audit.complete
    assert len(audit.webhooks) == len(accounts) * WEBHOOKS


def _fetch(http: httpx.Client, url: str) -> list[dict[str, Any]]:
    webhooks: list[dict[str, Any]] = http.get(url).json()["data"]
    return webhooks


def _collected(
    map_: Callable[..., Iterable[Any]], fetch: Callable[[str], list[dict[str, Any]]], urls: list[str]
) -> None:
    frame = pd.json_normalize(list(chain.from_iterable(map_(fetch, urls))))
    assert len(frame.assign(createdAt=pd.to_datetime(frame["createdAt"]))) == len(urls) * WEBHOOKS


def _on_dask(scheduler: distributed.Client, urls: list[str]) -> None:
    def map_(fetch: Callable[[str], object], urls: list[str]) -> object:
        return scheduler.gather(scheduler.map(fetch, urls, pure=False))

    _collected(map_, _fetch_in_worker, urls)


def _fetch_in_worker(url: str, clients: list[httpx.Client] = []) -> list[dict[str, Any]]:  # noqa: B006 - one for each worker
    if not clients:
        clients.append(httpx.Client())
    return _fetch(clients[0], url)
