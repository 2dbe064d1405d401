"""The webhooks of all audited teams, as the rules see them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from ..events import matching_types
from ..plans import State
from .fetching import FetchResult
from .settings import Thresholds
from .urls import DeliveryUrl, parse_url

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

_COLUMNS = ("account", "id", "name", "url", "events", "is_active", "created_at", "updated_at")


@dataclass(slots=True, eq=False)
class Hook:
    """One webhook.

    Attributes:
        row: Its row in `Audit.webhooks`.
        state: Its name, URL, event types and whether it is active.
        parsed_url: None if the URL is missing or invalid.
    """

    row: int
    id: str
    state: State
    created_at: datetime | None
    updated_at: datetime | None
    parsed_url: DeliveryUrl | None

    @property
    def host(self) -> str:
        """The host of the URL; empty if the URL is missing or invalid."""
        return self.parsed_url.host if self.parsed_url else ""

    @property
    def active(self) -> bool:
        """Whether it receives deliveries. If cStar did not send the flag, it counts as active."""
        return self.state.is_active is not False

    @property
    def covered_types(self) -> frozenset[str]:
        """The published event types that its subscriptions match."""
        return covered_types(self.state.events or ())


@dataclass(slots=True)
class Team:
    """The webhooks of one account. Ages are computed from `now`."""

    account: str
    team_id: str
    environment: str
    now: datetime
    hooks: list[Hook]
    inventory: "Inventory"

    def age(self, moment: datetime | None) -> timedelta:
        """The time since then; zero if unknown."""
        return timedelta(0) if moment is None else self.now - moment


class Inventory:
    """All teams of an audit."""

    def __init__(self, thresholds: Thresholds, mask_key: str) -> None:
        self.thresholds = thresholds
        self.mask_key = mask_key
        self.teams: list[Team] = []
        self._computed: dict[Callable[[Inventory], Any], Any] = {}

    def once(self, compute: Callable[["Inventory"], T]) -> T:
        """The function's result for this inventory, computed on first use."""
        if compute not in self._computed:
            self._computed[compute] = compute(self)
        result: T = self._computed[compute]
        return result

    def hooks_with_hosts(self) -> Iterator[tuple[Team, Hook]]:
        """Every webhook with a valid URL, and its team."""
        return ((team, hook) for team in self.teams for hook in team.hooks if hook.host)


def take_inventory(
    read: Iterable[FetchResult], webhooks: "pd.DataFrame", thresholds: Thresholds, mask_key: str
) -> Inventory:
    """The inventory of the frame `Audit.webhooks`, whose accounts are those that were read."""
    from ..frames import plain

    inventory = Inventory(thresholds, mask_key)
    teams: dict[str, Team] = {}
    # A team without webhooks is checked too: `expected_events` applies to it.
    for each in read:
        teams.setdefault(each.account, Team(each.account, each.team_id, each.environment, each.now, [], inventory))
    table = plain(webhooks[list(_COLUMNS)])
    for index, row in enumerate(zip(*(table[name].tolist() for name in _COLUMNS), strict=True)):
        account, webhook_id, name, url, events, is_active, created, updated = row
        state = State(name, url, events, is_active)
        hook = Hook(index, webhook_id, state, _datetime(created), _datetime(updated), parse_url(url))
        teams[account].hooks.append(hook)
    inventory.teams.extend(teams.values())
    return inventory


def _datetime(value: Any) -> datetime | None:
    return None if value is None else value.to_pydatetime(warn=False)


@lru_cache(maxsize=10_000)
def covered_types(patterns: tuple[str, ...]) -> frozenset[str]:
    """The published event types that these subscriptions match."""
    return frozenset(name for pattern in patterns for name in matching_types(pattern))
