"""The arguments of `probe`, and which questions can be asked with them."""

from dataclasses import dataclass

from ..api.client import Client
from ..api.validation import checked_team
from ..behaviours import Needs
from ..errors import ConfigurationError
from ..listener import Listener
from ..secret import ApiKey
from ..serving.times import checked_seconds

MAX_WAIT = 7 * 86_400.0  # seconds


@dataclass(frozen=True)
class Options:
    """The arguments of `probe`.

    Raises:
        ConfigurationError: An argument cannot be used.
    """

    client: Client
    listener: Listener | None
    publishable_key: ApiKey | None
    fire: bool
    payloads: bool
    wait: float

    def __post_init__(self) -> None:
        checked_team(self.client.team_id or "")
        if self.publishable_key is not None and not self.publishable_key.is_publishable:
            raise ConfigurationError("publishable_key must be a publishable key (pk_…).", advice="Leave it out.")
        wait = checked_seconds("wait", self.wait, zero=True, most=MAX_WAIT)
        for name, given in (("payloads", self.payloads), ("wait", wait)):
            if given and not (self.fire and self.listener is not None):
                raise ConfigurationError(
                    f"{name}= needs fire=True and a listener.", advice=f"Pass all three, or leave {name} out."
                )

    def missing(self, needs: Needs) -> str:
        """Why a question with these needs is not asked; empty if it is asked."""
        conditions = [
            ("with a live key, only GET is sent", self.client.environment != "live"),
            ("this client may not write", self.client.write and not self.client.key.is_publishable),
            ("fire=True was not passed", self.fire),
            ("no listener was passed", self.listener is not None),
            ("wait= was not passed", self.wait > 0),
        ]
        counts: dict[Needs, int] = {"read": 0, "many": 0, "write": 2, "fire": 3, "listener": 4, "wait": 5}
        if needs == "publishable":
            return "" if self.publishable_key else "publishable_key= was not passed"
        return next((reason for reason, met in conditions[: counts[needs]] if not met), "")
