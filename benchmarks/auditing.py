"""An audit of many teams, each with 20 webhooks, from a server that responds after 50 ms."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache, partial
from itertools import chain
from typing import Any

import distributed
import httpx
import pandas as pd

import cstar_explore as cx

from .measuring import Case
from .server import KEY, lists

AT_ONCE, WEBHOOKS = 10, 20


def run() -> Iterator[Case]:
    """On threads, and on a Dask cluster of two workers with five threads each. The bare loops make a frame, and know no rules."""
    os.environ["CSTAR_KEY_BENCH"] = KEY
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=AT_ONCE // 2, dashboard_address=":0")
    with cluster, distributed.Client(cluster) as dask, ThreadPoolExecutor(AT_ONCE) as pool:
        for teams in (1_000, 5_000):
            with lists(WEBHOOKS, 0.05) as url:
                rows = [(f"Team {number}", f"team_{number}", "CSTAR_KEY_BENCH", url) for number in range(teams)]
                accounts = cx.Accounts(pd.DataFrame(rows, columns=["account", "team_id", "key_env", "base_url"]))
                urls = [f"{url}/api/v1/teams/team_{number}/webhooks" for number in range(teams)]
                case = partial(Case, rounds=2, warm=teams == 1_000)
                size = f"{teams:,} teams"
                rivals = {"bare httpx on 10 threads, a frame": (partial(_bare, pool.map, urls), 1.2)}
                yield case("audit", size, "for the audit", partial(_audit, accounts, None), rivals)
                on_dask = partial(_bare, lambda fetch, urls: dask.gather(dask.map(fetch, urls, pure=False)), urls)
                ours, rivals = (
                    partial(_audit, accounts, dask.get_executor()),
                    {"bare httpx on Dask, a frame": (on_dask, 1.2)},
                )
                yield case("audit on two workers of Dask", size, "for the audit", ours, rivals)


def _audit(accounts: cx.Accounts, executor: Executor | None) -> None:
    audit = cx.audit(accounts, executor=executor, at_once=AT_ONCE, on_progress=lambda *_: None)
    assert audit.complete
    assert len(audit.webhooks) == len(accounts) * WEBHOOKS


def _bare(map_: Callable[..., Any], urls: list[str]) -> None:
    frame = pd.json_normalize(list(chain.from_iterable(map_(_fetch, urls))))
    assert len(frame.assign(createdAt=pd.to_datetime(frame["createdAt"]))) == len(urls) * WEBHOOKS


def _fetch(url: str) -> Any:
    return _http().get(url).json()["data"]


@cache
def _http() -> httpx.Client:
    """One for each process."""
    return httpx.Client()
