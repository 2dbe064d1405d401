"""An embedded cStar: the webhook API on loopback, inside this process, with false keys and data of its own.

Written from the API reference and sharing no encoding or decoding with the client, so that neither can cover the other's
mistakes. `docs/sandbox.md` lists where cStar's pages are silent and what the sandbox does there.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..secret import Secret
from ..serving.cells import replaces_its_cell
from ..serving.posting import TIMEOUT
from ..serving.server import Server
from .app import Api
from .clock import Clock, Ids
from .deliverer import Deliverer
from .faults import Faults
from .keys import ACCOUNTS, KEYS, TEAM
from .outbox import COLUMNS
from .rate_limit import Limits
from .seeds import neglect, sow
from .store import Store

if TYPE_CHECKING:
    import pandas as pd

    from ..api.client import Client
    from ..listener import Listener
    from .timeline import Timeline


class Sandbox:
    """A cStar of one's own, running as soon as it is made. Running its notebook cell again replaces it.

    Args:
        path: A file to keep the state in, readable by its owner only; without it, the state is in memory.
        follow_subscriptions: Whether a test event reaches only the webhooks that subscribe to it. The API reference says it
            reaches all that are active, and so it does by default.
        allowed_hosts: Hosts besides loopback that deliveries are really posted to. To others nothing is sent.
        delivery_timeout: Seconds a receiver has for its answer; cStar's cheat sheet says 10.
        rate_limit: True enforces the published limits, a number that many requests an hour; by default none is refused.
        neglected: Whether it begins with three teams' webhooks that nobody has looked after, for an audit, instead of the few
            that one small team needs; see `accounts`.
        port: On 127.0.0.1; by default a free one.

    Attributes:
        base_url, team_id: Where it is.
        key: A secret test key, the one `client()` uses. `keys` has one of every kind: `secret`, `publishable`, `live`,
            `live_publishable`, `expired`, `revoked`, `other_team`; and `north` and `lab` for the teams of `accounts`.
        clock: The sandbox's time; `clock.advance(hours=31)` lives through all retries due until then.
        faults: What shall go wrong next.
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
        replaces_its_cell(self)
        self.clock = Clock()
        self.faults = Faults()
        limits = Limits(self.clock, enforced=rate_limit)
        self._store = Store(None if path is None else Path(path))
        ids = self._recalled(neglect if neglected else sow)
        self._deliverer = Deliverer(
            self._store, self.clock, ids, self.faults, allowed_hosts=allowed_hosts, timeout=delivery_timeout
        )
        api = Api(
            self._store,
            self.clock,
            ids,
            limits=limits,
            faults=self.faults,
            deliverer=self._deliverer,
            follow_subscriptions=follow_subscriptions,
        )
        self._server = Server(api, name="sandbox", port=port)
        self.clock.on_advance(self._live_through)
        self.base_url = self._server.url
        self.team_id = TEAM
        self.keys: Mapping[str, Secret] = {name: key.secret for name, key in KEYS.items()}
        self.key = self.keys["secret"]

    def client(self, key: str = "secret", **options: Any) -> "Client":
        """A client for this sandbox; `key` is one of `keys`, the options are those of `Client`."""
        from ..api.client import Client

        team_id = self.team_id if key == "other_team" else KEYS[key].team_id
        return Client(self.keys[key], team_id, self.base_url, **options)

    def listener(self, **options: Any) -> "Listener":
        """A listener that shares this sandbox's clock; the options are those of `Listener`."""
        from ..listener import Listener

        return Listener(clock=self.clock, **options)

    def accounts(self) -> "pd.DataFrame":
        """The teams of a neglected sandbox, as `cx.Accounts` takes them: `account`, `team_id`, `key_env`, `base_url` (str)."""
        from ..frames import from_rows

        rows = [(name, key.team_id, variable, self.base_url) for name, (variable, key) in ACCOUNTS.items()]
        return from_rows(rows, dict.fromkeys(("account", "team_id", "key_env", "base_url"), "str"))

    def export_keys(self) -> None:
        """Puts the keys of `accounts` into this process's environment, as a shell or a CI would do with real ones."""
        os.environ.update({variable: key.secret.reveal() for variable, key in ACCOUNTS.values()})

    def deliveries(self) -> "pd.DataFrame":
        """What was delivered to whom, and what came of it: a row per webhook, event and attempt.

        Columns: `id` (of the delivery), `webhook_id`, `webhook`, `event_id`, `event` (str), `attempt` (Int64), `at`
        (datetime64[us, UTC]), `success` (boolean), `status`, `response_time_ms` (Int64), `cause` of the failure, `fault`
        asked for, `state` (`pending`, `delivered`, `failed` after the last retry, `withheld` as not on loopback, `dropped`
        as its webhook is gone), `next_attempt_at`, `url`. A delivery held back has one row without an attempt.
        """
        from ..frames import from_rows

        return from_rows(self._deliverer.outbox.rows(), COLUMNS)

    def timeline(self) -> "Timeline":
        """A picture of `deliveries()`: the attempts of each delivery over time."""
        from .timeline import Timeline

        return Timeline(self.deliveries())

    def close(self) -> None:
        """Stops it. A second call does nothing."""
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

    def _live_through(self, until: datetime) -> None:
        self._server.run(self._deliverer.run_due(until))
        with self._store.writing():
            self._store.keep("now", self.clock.now.isoformat())

    def _recalled(self, seed: Callable[[Store, Ids], None]) -> Ids:
        """The ids and the time where the file left off, or a fresh start with the seeds."""
        used = self._store.state("ids")
        if used is not None:
            self.clock.set(datetime.fromisoformat(self._store.state("now")))
            return Ids(used)
        ids = Ids()
        with self._store.writing():
            seed(self._store, ids)
            self._store.keep("ids", ids.used)
            self._store.keep("now", self.clock.now.isoformat())
        return ids
