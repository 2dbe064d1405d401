"""The webhooks of all audited teams, as the rules see them."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from ..events import matching_types
from ..models import Webhook
from ..plans import State
from .fetching import FetchResult
from .settings import Thresholds
from .urls import DeliveryUrl, parse_url

T = TypeVar("T")


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
    """All teams that were read."""

    def __init__(self, read: Iterable[FetchResult], thresholds: Thresholds, mask_key: str) -> None:
        self.thresholds = thresholds
        self.mask_key = mask_key
        self.unknown_types: dict[str, str] = {}  # a sentence about each that was compared with the published ones
        self._computed: dict[Callable[[Inventory], Any], Any] = {}
        teams: dict[str, Team] = {}
        row = itertools.count()
        # A team without webhooks is checked too: `expected_events` applies to it.
        for each in read:
            new = Team(each.account, each.team_id, each.environment, each.now, [], self)
            team = teams.setdefault(each.account, new)
            for webhook in map(Webhook.from_item, each.items or ()):
                times = webhook.created_at, webhook.updated_at
                team.hooks.append(Hook(next(row), webhook.id, State.of(webhook), *times, parse_url(webhook.url)))
        self.teams = list(teams.values())

    def once(self, compute: Callable[["Inventory"], T]) -> T:
        """The function's result for this inventory, computed on first use."""
        if compute not in self._computed:
            self._computed[compute] = compute(self)
        result: T = self._computed[compute]
        return result

    def hooks_with_hosts(self) -> Iterator[tuple[Team, Hook]]:
        """Every webhook with a valid URL, and its team."""
        return ((team, hook) for team in self.teams for hook in team.hooks if hook.host)


@lru_cache(maxsize=10_000)
def covered_types(patterns: tuple[str, ...]) -> frozenset[str]:
    """The published event types that these subscriptions match."""
    return frozenset(name for pattern in patterns for name in matching_types(pattern))
