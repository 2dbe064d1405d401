"""An audit of many teams whose server takes 50 ms to answer: against one after the other, and against bare threads."""

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


def audited() -> Iterator[Row]:
    """Twenty webhooks a team; the serial loop is measured on a tenth of the teams, and told as ten times that."""
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
                findings = cx.audit(accounts, at_once=AT_ONCE, on_progress=lambda *_: None)
                ours.append(time.perf_counter() - began)
                assert findings.complete
                assert len(findings.webhooks) == teams * WEBHOOKS

                began = time.perf_counter()
                with ThreadPoolExecutor(AT_ONCE) as pool:
                    assert len(list(pool.map(fetch, (account.team_id for account in accounts)))) == teams
                threads.append(time.perf_counter() - began)

                began = time.perf_counter()
                some = accounts[: max(10, teams // 10)]
                for account in some:
                    fetch(account.team_id)
                serial.append((time.perf_counter() - began) * teams / len(some))
        size = f"{teams:,} teams"
        aims = ("at least 5 times faster", "at most 1.3 times") if teams == 1_000 else ("", "")
        yield Row("audit", size, "serial loop", ours, serial, aims[0])
        yield Row("audit", size, "bare threaded httpx loop", ours, threads, aims[1])
