"""The sandbox's API keys: fake ones of every kind, and the teams they belong to.

A key is a published prefix and 32 base64url characters (cStar: api-authentication).
"""

from dataclasses import dataclass
from typing import Literal

from ..secret import Secret

TEAM, OTHER_TEAM, NORTH, LAB = "team_sandbox", "team_elsewhere", "team_north", "team_lab"
TEAM_NAMES = {TEAM: "Sandbox Support", OTHER_TEAM: "Another Team", NORTH: "North", LAB: "Lab"}


@dataclass(frozen=True)
class Key:
    """An API key and what it gives access to."""

    secret: Secret
    team_id: str
    environment: Literal["test", "live"]
    publishable: bool = False
    valid: bool = True  # False: expired or revoked


def _key(prefix: str, number: int) -> Secret:
    return Secret(f"{prefix}_SANDBOX-not-a-real-key-{number:09}")


KEYS = {
    "secret": Key(_key("sk_test", 1), TEAM, "test"),
    "publishable": Key(_key("pk_test", 2), TEAM, "test", publishable=True),
    "live": Key(_key("sk_live", 3), TEAM, "live"),
    "live_publishable": Key(_key("pk_live", 4), TEAM, "live", publishable=True),
    "expired": Key(_key("sk_test", 5), TEAM, "test", valid=False),
    "revoked": Key(_key("sk_test", 6), TEAM, "test", valid=False),
    "other_team": Key(_key("sk_test", 7), OTHER_TEAM, "test"),
    "north": Key(_key("sk_live", 8), NORTH, "live"),
    "lab": Key(_key("sk_test", 9), LAB, "test"),
}

# The accounts of an audit: each one's environment variable and key.
ACCOUNTS = {
    "Support": ("CSTAR_KEY_SUPPORT", KEYS["live"]),
    "North": ("CSTAR_KEY_NORTH", KEYS["north"]),
    "Lab": ("CSTAR_KEY_LAB", KEYS["lab"]),
}

_VALID_KEYS = {f"Bearer {key.secret.reveal()}": key for key in KEYS.values() if key.valid}


def find_key(authorization: str | None) -> Key | None:
    """The valid key in an `Authorization` header, or None."""
    return _VALID_KEYS.get(authorization or "")
