"""An audit of many teams, from a server that responds after 50 ms: against httpx calls in sequence and on threads."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pandas as pd

import cstar_explore as cx

from .measuring import Row
from .serving import lists

DELAY, AT_ONCE, WEBHOOKS = 0.05, 10, 20


def run() -> Iterator[Row]:
    """Each team has 20 webhooks. The calls in sequence are measured on a tenth of the teams and multiplied."""
    os.environ["CSTAR_KEY_BENCH"] = "sk_test_not-a-real-key"
    for teams, rounds in ((10, 5), (100, 3), (1_000, 2)):
        with lists(WEBHOOKS, DELAY) as url, httpx.Client() as http:
            rows = [(f"Team {number}", f"team_{number}", "CSTAR_KEY_BENCH", url) for number in range(teams)]
            accounts = cx.Accounts(pd.DataFrame(rows, columns=["account", "team_id", "key_env", "base_url"]))

            def fetch(team: str, http: httpx.Client = http, url: str = url) -> object:
                return http.get(f"{url}/api/v1/teams/{team}/webhooks").json()["data"]

            ours, serial, threads = [], [], []
            for _ in range(rounds):
                began = time.perf_counter()
                audit = cx.audit(accounts, at_once=AT_ONCE, on_progress=lambda *_: None)
                ours.append(time.perf_counter() - began)
                assert audit.complete
                assert len(audit.webhooks) == teams * WEBHOOKS

                began = time.perf_counter()
                with ThreadPoolExecutor(AT_ONCE) as pool:
                    assert len(list(pool.map(fetch, (account.team_id for account in accounts)))) == teams
                threads.append(time.perf_counter() - began)

                began = time.perf_counter()
                tenth = accounts[: max(10, teams // 10)]
                for account in tenth:
                    fetch(account.team_id)
                serial.append((time.perf_counter() - began) * teams / len(tenth))
        size = f"{teams:,} teams"
        targets = ("at least 5x faster", "at most 1.3x") if teams == 1_000 else ("", "")
        yield Row("audit", size, "httpx calls in sequence", ours, serial, targets[0])
        yield Row("audit", size, "httpx calls on threads", ours, threads, targets[1])
