"""An embedded cStar: the webhook API on loopback, inside this process, with fake keys and its own data.

`docs/sandbox.md` lists what cStar does not document and how the sandbox behaves there.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..secret import Secret
from ..serving.cells import close_on_rerun
from ..serving.posting import TIMEOUT
from ..serving.server import Server
from .app import Api
from .clock import Clock, Ids
from .deliverer import Deliverer
from .faults import Faults
from .keys import ACCOUNTS, KEYS, TEAM
from .outbox import COLUMNS
from .rate_limit import RateLimiter
from .seeds import add_seeds
from .store import Store

if TYPE_CHECKING:
    import pandas as pd

    from ..api.client import Client
    from ..listener import Listener
    from .timeline import Timeline


class Sandbox:
    """A local cStar, running from the moment it is created. Rerunning its notebook cell replaces it.

    Args:
        path: A file for the state, readable by its owner only; by default the state is in memory.
        follow_subscriptions: Whether a test event reaches only the webhooks that subscribe to it. By default it reaches all
            active ones, as the API reference says.
        allowed_hosts: Hosts besides loopback to post deliveries to. Deliveries to any other host are withheld.
        delivery_timeout: Seconds that a receiver has to respond; 10 as in cStar's cheat sheet.
        rate_limit: True enforces the published limits, a number that many requests an hour; by default there is no limit.
        neglected: Whether to start with three teams' badly maintained webhooks, for an audit, instead of a small team's
            four; see `accounts`.
        port: The port on 127.0.0.1; by default a free one.

    Attributes:
        base_url, team_id: What a client needs besides the key.
        key: A secret test key, the one that `client()` uses. `keys` has one of every kind: `secret`, `publishable`, `live`,
            `live_publishable`, `expired`, `revoked`, `other_team`; and `north` and `lab` for the teams of `accounts`.
        clock: The simulated clock; `clock.advance(hours=31)` makes all retries that become due.
        faults: Queues faults for the next calls and deliveries.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        follow_subscriptions: bool = False,
        allowed_hosts: Iterable[str] = (),
        delivery_timeout: float = TIMEOUT,
        rate_limit: bool | int = False,
        neglected: bool = False,
        port: int = 0,
    ) -> None:
        close_on_rerun(self)
        self.clock = Clock(advance_to=self._advance_to)
        self.faults = Faults()
        rate_limiter = RateLimiter(self.clock, enforced=rate_limit)
        self._store = Store(None if path is None else Path(path))
        ids = self._restore_or_seed(neglected=neglected)
        self._deliverer = Deliverer(
            self._store, self.clock, ids, self.faults, allowed_hosts=allowed_hosts, timeout=delivery_timeout
        )
        api = Api(
            self._store,
            self.clock,
            ids,
            rate_limiter=rate_limiter,
            faults=self.faults,
            deliverer=self._deliverer,
            follow_subscriptions=follow_subscriptions,
        )
        self._server = Server(api.app, name="sandbox", port=port)
        self.base_url = self._server.url
        self.team_id = TEAM
        self.keys: Mapping[str, Secret] = {name: key.secret for name, key in KEYS.items()}
        self.key = self.keys["secret"]

    def client(self, key: str = "secret", **options: Any) -> "Client":
        """A client for this sandbox. `key` is one of `keys`; the options are those of `Client`."""
        from ..api.client import Client

        team_id = self.team_id if key == "other_team" else KEYS[key].team_id
        return Client(self.keys[key], team_id, self.base_url, **options)

    def listener(self, **options: Any) -> "Listener":
        """A listener that uses this sandbox's clock; the options are those of `Listener`."""
        from ..listener import Listener

        return Listener(clock=self.clock, **options)

    def accounts(self) -> "pd.DataFrame":
        """The teams of `neglected=True`, for `cx.Accounts`: `account`, `team_id`, `key_env`, `base_url` (str)."""
        from ..frames import from_rows

        rows = [(name, key.team_id, variable, self.base_url) for name, (variable, key) in ACCOUNTS.items()]
        return from_rows(rows, dict.fromkeys(("account", "team_id", "key_env", "base_url"), "str"))

    def export_keys(self) -> None:
        """Sets the environment variables of `accounts` in this process, as a shell or CI would."""
        os.environ.update({variable: key.secret.reveal() for variable, key in ACCOUNTS.values()})

    def deliveries(self) -> "pd.DataFrame":
        """One row per delivery attempt; one row without an attempt for a delivery that is held back.

        Columns: `id` (of the delivery), `webhook_id`, `webhook`, `event_id`, `event` (str), `attempt` (Int64), `at`
        (datetime64[us, UTC]), `success` (boolean), `status`, `response_time_ms` (Int64), `cause` of a failure, `fault`,
        `state` (str), `next_attempt_at` (datetime64[us, UTC]), `url` (str). `state` is `pending`, `delivered`, `failed`
        (after the last retry), `withheld` (not on loopback) or `dropped` (the webhook was deleted or deactivated).
        """
        from ..frames import from_rows

        return from_rows(self._deliverer.outbox.rows(), COLUMNS)

    def timeline(self) -> "Timeline":
        """A chart of `deliveries()`: the attempts of each delivery over time."""
        from .timeline import Timeline

        return Timeline(self.deliveries())

    def close(self) -> None:
        """Stops the server. A second call does nothing."""
        if self._server.running:
            self._server.run(self._deliverer.close())
        self._server.close()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Sandbox({self.base_url}, team {self.team_id})"

    def _advance_to(self, time: datetime) -> None:
        self._server.run(self._deliverer.run_due(time))
        with self._store.writing():
            self._store.save_state("now", self.clock.now.isoformat())

    def _restore_or_seed(self, *, neglected: bool) -> Ids:
        """Restores the clock and ids from the file, or adds the seeds to an empty one."""
        used = self._store.state("ids")
        if used is not None:
            self.clock.set(datetime.fromisoformat(self._store.state("now")))
            return Ids(used)
        ids = Ids()
        with self._store.writing():
            add_seeds(self._store, ids, neglected=neglected)
            self._store.save_state("ids", ids.used)
            self._store.save_state("now", self.clock.now.isoformat())
        return ids
