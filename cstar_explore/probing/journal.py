"""A private file with the names of the webhooks that a probe creates, so that the next probe can remove any that are left."""

import hashlib
import os
import secrets
from pathlib import Path

from ..api.client import Client
from ..errors import ConfigurationError
from ..serving.database import Database

PREFIX = "cstar_explore probe "

_SCHEMA = "CREATE TABLE IF NOT EXISTS names (name TEXT PRIMARY KEY);"


class Journal:
    """The journal for one team, environment and address. One probe at a time can have it open.

    Raises:
        ConfigurationError: Another probe of this team is running, or the file cannot be written.
    """

    def __init__(self, client: Client) -> None:
        target = f"{client.base_url}\n{client.team_id}\n{client.environment}"
        self._path = _folder() / f"{hashlib.sha256(target.encode()).hexdigest()[:16]}.db"
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"The journal of probes cannot be written: {error.strerror}.",
                advice="Set XDG_STATE_HOME to a folder of your own.",
            ) from None
        self._database = Database(self._path, _SCHEMA, b"cPrb")

    def new_name(self) -> str:
        """Makes a random name for a webhook, and returns it once it is stored in the file."""
        name = f"{PREFIX}{secrets.token_hex(6)}"
        self._database.run("INSERT INTO names VALUES (?)", name)
        return name

    def names(self) -> tuple[str, ...]:
        """The names of all webhooks that may exist, including those of earlier runs."""
        return tuple(name for (name,) in self._database.run("SELECT name FROM names ORDER BY rowid"))

    def forget(self, name: str) -> None:
        """Forgets a name: no webhook with it was created."""
        self._database.run("DELETE FROM names WHERE name = ?", name)

    def clear(self) -> None:
        """Removes all names, once no webhook with one of them exists."""
        self._database.run("DELETE FROM names")

    def close(self) -> None:
        """Closes the file, and deletes it if it has no names."""
        empty = not self.names()
        self._database.close()
        if empty:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)


def _folder() -> Path:
    """The folder for state files (XDG Base Directory Specification)."""
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state") / "cstar_explore" / "probes"
