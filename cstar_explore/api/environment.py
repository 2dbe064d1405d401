"""`connect`: a client from arguments and environment variables."""

import os
import sys

from ..errors import ConfigurationError, NotFoundError
from ..secret import Secret
from ..text import printable
from .client import BASE_URL, Client
from .retries import Wait


def connect(
    key: str | Secret | None = None,
    team_id: str | None = None,
    base_url: str | None = None,
    *,
    write: bool | None = None,
    timeout: float = 30,
) -> Client:
    """A client for cStar. Checks the key with one request (`whoami`) and prints the team and environment it connected to.

    Args:
        key: By default CSTAR_KEY.
        team_id: By default CSTAR_TEAM_ID, or else the team that the key belongs to.
        base_url: By default CSTAR_BASE_URL, or else https://www.cstar.help.
        write: Whether it may change things. By default a test key may, and a live key may not.
        timeout: Seconds for one attempt of each call.

    The client logs each retry wait to stderr; forms show theirs themselves.

    Raises:
        ConfigurationError: There is no key, or an argument or environment variable cannot work.
        AuthenticationError: cStar refused the key.
        TransportError: cStar could not be reached.
    """
    # Under the same name at once: a traceback may show the arguments of this frame.
    key = Secret(key or os.environ.get("CSTAR_KEY", ""))
    client = Client(
        key,
        team_id or os.environ.get("CSTAR_TEAM_ID") or None,
        base_url or os.environ.get("CSTAR_BASE_URL") or BASE_URL,
        timeout=timeout,
        on_wait=_announce,
    )
    try:
        team_id, team = _team_of_key(client)
    except BaseException:
        client.close()
        raise
    publishable = client.key.is_publishable
    may_write = not publishable and (client.environment != "live" if write is None else write)
    client = client.with_options(team_id=client.team_id or team_id, write=may_write)
    access = (
        "read and write"
        if may_write
        else "read-only: a publishable key cannot write"
        if publishable
        else "read-only; pass write=True to allow changes"
    )
    print(f"{client.environment.upper()}: {team} at {client.base_url}, key {client.key}, {access}.")  # noqa: T201 - documented
    return client


def _announce(wait: Wait) -> None:
    print(f"Retrying in {wait.seconds:,.1f} s: {wait.reason.message}", file=sys.stderr)  # noqa: T201 - documented


def _team_of_key(client: Client) -> tuple[str | None, str]:
    """The ID of the key's team, and the team as text. Without `whoami` only the client's own team is known."""
    try:
        identity = client.whoami()
    except NotFoundError:
        if client.team_id is None:
            raise ConfigurationError(
                "This server has no whoami to find the key's team with, and no team was given.",
                advice="Pass team_id, or set CSTAR_TEAM_ID.",
            ) from None
        return None, f"team {printable(client.team_id, 80)} (not checked, as this server has no whoami)"
    team_id = client.team_id or identity.team_id
    if team_id is None:
        raise ConfigurationError("cStar did not return the key's team.", advice="Pass team_id, or set CSTAR_TEAM_ID.")
    if identity.team_id not in (None, team_id):
        raise ConfigurationError(
            f"The key belongs to team {printable(identity.team_id, 80)}, not to {printable(team_id, 80)}.",
            advice="Correct or omit the team ID (team_id or CSTAR_TEAM_ID).",
        )
    return team_id, f"team {printable(identity.team_name or team_id, 80)} ({printable(team_id, 80)})"
