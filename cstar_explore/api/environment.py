"""From arguments and environment to a client."""

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
    """A client for cStar itself, checked by one request (`whoami`), with one printed line on what it reached.

    Args:
        key: Else the environment's CSTAR_KEY.
        team_id: Else CSTAR_TEAM_ID, else the team the key belongs to.
        base_url: Else CSTAR_BASE_URL, else https://www.cstar.help.
        write: Whether it may change things; by default a test key may, and a live key may not.
        timeout: Seconds for one attempt of each call.

    The client tells of its waits in a line on stderr each; forms tell of theirs by themselves.

    Raises:
        ConfigurationError: No key was given, or something given cannot work.
        AuthenticationError, TransportError: The key was refused, or cStar not reached.
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
        team, answered = _whose(client)
    except BaseException:
        client.close()
        raise
    publishable = client.key.is_publishable
    may_write = not publishable and (client.environment != "live" if write is None else write)
    client = client.with_options(team_id=client.team_id or team, write=may_write)
    only = (
        "reads only; a publishable key cannot write" if publishable else "reads only; write=True lets it change things"
    )
    may = "reads and writes" if may_write else only
    print(f"{client.environment.upper()}: {answered} at {client.base_url}, key {client.key}, {may}.")  # noqa: T201 - the promised line
    return client


def _announce(wait: Wait) -> None:
    print(f"Waiting {wait.seconds:,.1f} s, then trying again: {wait.reason.message}", file=sys.stderr)  # noqa: T201 - no wait is silent


def _whose(client: Client) -> tuple[str | None, str]:
    try:
        identity = client.whoami()
    except NotFoundError:
        if client.team_id is None:
            raise ConfigurationError(
                "This server does not tell whose key it is, and no team was given.",
                advice="Give team_id, or set CSTAR_TEAM_ID.",
            ) from None
        return None, f"team {printable(client.team_id, 80)} (not checked: whoami is not answered)"
    team = client.team_id or identity.team_id
    if team is None:
        raise ConfigurationError("cStar did not say whose key it is.", advice="Give team_id, or set CSTAR_TEAM_ID.")
    if identity.team_id not in (None, team):
        raise ConfigurationError(
            f"The key belongs to team {printable(identity.team_id, 80)}, not to {printable(team, 80)}.",
            advice="Check CSTAR_TEAM_ID, or leave it out.",
        )
    return team, f"team {printable(identity.team_name or team, 80)} ({printable(team, 80)})"
