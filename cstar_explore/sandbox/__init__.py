"""An embedded cStar: the webhook API on loopback, inside this process, with false keys and data of its own.

Written from the API reference and sharing no encoding or decoding with the client, so that neither can cover the other's
mistakes. `README.md` lists where cStar's pages are silent and what the sandbox does there.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..secret import Secret
from ..serving import Server, replaces_its_cell
from .api import Api
from .clock import Clock, Ids
from .keys import KEYS, TEAM
from .limits import Limits
from .seeds import sow
from .store import Store

if TYPE_CHECKING:
    from ..client import Client

__all__ = ["Sandbox"]


class Sandbox:
    """A cStar of one's own, running as soon as it is made. Running its notebook cell again replaces it.

    Args:
        path: A file to keep the state in, readable by its owner only; without it, the state is in memory.
        rate_limit: True enforces the published limits, a number that many requests an hour; by default none is refused.
        port: On 127.0.0.1; by default a free one.

    Attributes:
        base_url, team_id: Where it is.
        key: A secret test key, the one `client()` uses. `keys` has one of every kind: `secret`, `publishable`, `live`,
            `live_publishable`, `expired`, `revoked`, `other_team`.
        clock: The sandbox's time.
    """

    def __init__(self, path: str | Path | None = None, *, rate_limit: bool | int = False, port: int = 0) -> None:
        replaces_its_cell(self)
        self._store = Store(None if path is None else Path(path))
        self.clock = Clock()
        ids = self._recalled()
        self._server = Server(
            Api(self._store, self.clock, ids, Limits(self.clock, enforced=rate_limit)), name="sandbox", port=port
        )
        self.base_url = self._server.url
        self.team_id = TEAM
        self.keys: Mapping[str, Secret] = {name: key.secret for name, key in KEYS.items()}
        self.key = self.keys["secret"]

    def client(self, key: str = "secret", **options: Any) -> "Client":
        """A client for this sandbox; `key` is one of `keys`, the options are those of `Client`."""
        from ..client import Client  # noqa: PLC0415 - a convenience; the sandbox itself does without our client

        return Client(self.keys[key], self.team_id, self.base_url, **options)

    def close(self) -> None:
        """Stops it. A second call does nothing."""
        self._server.close()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Sandbox({self.base_url}, team {self.team_id})"

    def _recalled(self) -> Ids:
        """The ids and the time where the file left off, or a fresh start with the seeds."""
        used = self._store.state("ids")
        if used is not None:
            self.clock.set(datetime.fromisoformat(self._store.state("now")))
            return Ids(used)
        ids = Ids()
        with self._store.writing():
            sow(self._store, ids)
            self._store.keep("ids", ids.used)
            self._store.keep("now", self.clock.now.isoformat())
        return ids
