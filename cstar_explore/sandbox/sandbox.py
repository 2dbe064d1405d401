"""An embedded cStar: the webhook API on loopback, inside this process, with fake keys and its own data.

`docs/sandbox.md` lists what cStar does not document and how the sandbox behaves there.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from secrets import randbelow
from typing import TYPE_CHECKING, Any, Self

from ..behaviours import ASSUMED
from ..errors import ConfigurationError
from ..hosts import host_names
from ..recordings import Recording, as_recording
from ..secret import Secret
from ..serving.cells import close_on_rerun, close_previous
from ..serving.server import Server
from ..serving.times import checked_seconds
from ..signatures.timestamps import unix_seconds
from .app import Api
from .clock import Clock, Ids, RealTimeClock
from .deliverer import Deliverer
from .faults import Faults
from .keys import ACCOUNTS, KEYS, TEAM
from .outbox import COLUMNS, Outbox
from .rate_limit import RateLimiter
from .seeds import add_seeds

if TYPE_CHECKING:
    import pandas as pd

    from ..api.client import Client
    from ..listener import Listener
    from .timeline import Timeline

_LONGEST_TIMEOUT = 3600  # seconds


class Sandbox:
    """A local cStar, running from the moment it is created. Rerunning its notebook cell replaces it.

    Args:
        path: A file for the state, readable by its owner only; by default the state is in memory.
        like: A `cx.Recording` or the path of a saved one. The sandbox behaves as the recording says, and
            its payloads have the recorded shapes. For questions without an answer, it keeps its default behavior.
        follow_subscriptions: Whether a test event reaches only the webhooks that subscribe to it. By default, it reaches all
            active ones, as the API reference says.
        allowed_hosts: Hosts besides loopback to send deliveries to, also over http. Deliveries to any other host are withheld.
        delivery_timeout: Seconds that a receiver has to respond; 10 as in cStar's cheat sheet.
        rate_limit: True enforces the published limits, a number that many requests an hour; by default there is no limit.
        neglected: Whether to start with three teams' badly maintained webhooks, for an audit, instead of a small team's
            four; see `accounts`.
        port: The port on 127.0.0.1; by default a free one.
        real_time: Whether to follow this machine's clock, for receivers that check signatures against a clock of their own.
            Deliveries are then signed with the current time, and retries are made when they become due.

    Attributes:
        base_url, team_id: What a client needs besides the key.
        key: A secret test key, the one that `client()` uses. `keys` has one of every kind: `secret`, `publishable`, `live`,
            `live_publishable`, `expired`, `revoked`, `other_team`; and `north` and `lab` for the teams of `accounts`.
        clock: `clock.advance(hours=31)` makes all retries that become due in that time. With the simulated clock, each is
            signed with the time at which it is due; in real time, with the current one.
        faults: Queues faults for the next calls and deliveries.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        like: Recording | str | Path | None = None,
        follow_subscriptions: bool = False,
        allowed_hosts: Iterable[str] = (),
        delivery_timeout: float | None = None,
        rate_limit: bool | int = False,
        neglected: bool = False,
        port: int = 0,
        real_time: bool = False,
    ) -> None:
        recording = None if like is None else as_recording(like)
        behaviours = ASSUMED if recording is None else recording.behaviours()
        if follow_subscriptions:
            behaviours = {**behaviours, "fire_subscriptions": "subscribers"}
        close_previous(type(self))
        self.clock = (RealTimeClock if real_time else Clock)(advance_to=self._advance_to)
        self.faults = Faults()
        hosts = host_names(allowed_hosts)
        if delivery_timeout is None:
            delivery_timeout = float(behaviours["receiver_timeout"][0])
        timeout = checked_seconds("delivery_timeout", delivery_timeout, most=_LONGEST_TIMEOUT)
        rate_limiter = RateLimiter(self.clock, enforced=rate_limit)
        self._store = Outbox(path)
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self._store.close)
            ids = self._restore_or_seed(neglected=neglected)
            self._deliverer = Deliverer(
                store=self._store,
                clock=self.clock,
                ids=ids,
                faults=self.faults,
                allowed_hosts=hosts,
                timeout=timeout,
                behaviours=behaviours,
                like=recording,
            )
            api = Api(deliverer=self._deliverer, rate_limiter=rate_limiter)
            self._server = Server(api.app, name="sandbox", port=port)
            on_failure.pop_all()
        if real_time:
            self._server.run(self._deliverer.keep_running())
        self.base_url = self._server.url
        self.team_id = TEAM
        self.keys: Mapping[str, Secret] = {name: key.secret for name, key in KEYS.items()}
        self.key = self.keys["secret"]
        close_on_rerun(self)

    def client(self, key: str = "secret", **options: Any) -> "Client":
        """A client for this sandbox. `key` is one of `keys`; the options are those of `Client`."""
        from ..api.client import Client

        team_id = self.team_id if key == "other_team" else KEYS[key].team_id
        return Client(self.keys[key], team_id, self.base_url, **options)

    def listener(self, **options: Any) -> "Listener":
        """A listener that uses this sandbox's clock, simulated or real; the options are those of `Listener`."""
        from ..listener import Listener

        return Listener(clock=self.clock, **options)

    def accounts(self) -> "pd.DataFrame":
        """The teams of `neglected=True`, for `cx.Accounts`: `account`, `team_id`, `key_env`, `base_url` (str)."""
        from ..frames import from_rows

        rows = [(name, key.team_id, variable, self.base_url) for name, (variable, key) in ACCOUNTS.items()]
        return from_rows(rows, dict.fromkeys(("account", "team_id", "key_env", "base_url"), "str"))

    def export_keys(self) -> None:
        """Sets the environment variables of `accounts` in this process, as a shell or CI would.

        Raises:
            ConfigurationError: One of them has another value, which is not replaced. None is set then.
        """
        for variable, key in ACCOUNTS.values():
            if os.environ.get(variable, "").strip() not in ("", key.secret.reveal()):
                raise ConfigurationError(
                    f"{variable} is set already, and the sandbox does not replace it.",
                    advice=f"Use another process, or remove it from this one: del os.environ['{variable}'].",
                )
        os.environ.update({variable: key.secret.reveal() for variable, key in ACCOUNTS.values()})

    def deliveries(self) -> "pd.DataFrame":
        """One row per delivery attempt; one row without an attempt for a delivery that is held back.

        Columns: `id` (of the delivery), `webhook_id`, `webhook`, `event_id`, `event` (str), `attempt` (Int64), `at`
        (datetime64[us, UTC]), `success` (boolean), `status`, `response_time_ms` (Int64), `cause` of a failure, `fault`,
        `state` (str), `next_attempt_at` (datetime64[us, UTC]), `url`, `expected` (str), `as_expected` (boolean),
        `sent_headers` (dict), `sent_body` (bytes), `response_headers` (dict), `response_body` (bytes), `elapsed_ms` (Float64).

        `state` is `pending`, `delivered`, `failed` (after the last retry), `withheld` (neither on loopback nor allowed) or
        `dropped` (the webhook was deleted or deactivated). `success` is a 2xx. `expected` is what a correct receiver does:
        `accepted` (2xx), `rejected` (4xx) or `accepted or rejected`, according to the fault; `as_expected` compares it with
        the response. Both are missing if nothing was sent. `sent_headers` and `sent_body` are exactly what was signed and
        sent; `response_body` is the first kilobyte. `response_time_ms` is by the sandbox's clock, `elapsed_ms` the real time.
        """
        from ..frames import from_rows

        return from_rows(self._store.rows(self.clock.ahead), COLUMNS)

    def lost(self, since: datetime | None = None) -> "pd.DataFrame":
        """The events that a receiver never got: those without a 2xx and without a pending retry.

        A row per event and URL, with the columns of `deliveries()`: the last attempt. `state` is `failed`, or `dropped` if the
        webhook was deleted or deactivated before the next attempt. What is withheld is not lost. To send them again, use
        `listener.lost()`, which has the requests that arrived at a listener.

        Args:
            since: Only events whose last attempt was at this time or later, as a datetime with a time zone. What was dropped
                before its first attempt has no time, and is left out.

        Raises:
            ValidationError: `since` is a datetime without a time zone, or not a time.
        """
        deliveries = self.deliveries()
        arrived = deliveries.loc[deliveries["success"].fillna(value=False), "id"]
        last = deliveries.drop_duplicates("id", keep="last")
        settled = last["id"].isin(arrived) | last["state"].isin(["pending", "withheld"])
        lost = last[~settled.groupby([last["event_id"], last["url"]]).transform("any")]
        lost = lost.drop_duplicates(["event_id", "url"], keep="last")
        if since is not None:
            lost = lost[lost["at"] >= datetime.fromtimestamp(unix_seconds(since), UTC)]
        return lost.reset_index(drop=True)

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
            self._store.save_state(clock=self.clock.save())

    def _restore_or_seed(self, *, neglected: bool) -> Ids:
        """Restores the clock and ids from the file, or adds the seeds to an empty one."""
        used = self._store.state("ids")
        if used is not None:
            self.clock.restore(self._store.state("clock"))
            return Ids(used)
        # In real time, a receiver may remember the events of an earlier sandbox.
        ids = Ids({"event": randbelow(10**12)} if self.clock.is_real else None)
        with self._store.writing():
            add_seeds(self._store, ids, neglected=neglected)
            self._store.save_state(clock=self.clock.save(), ids=ids.used)
        return ids
