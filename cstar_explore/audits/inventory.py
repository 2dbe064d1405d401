"""What rules look at: the webhooks of all teams, with what several rules need worked out once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from ..events import matching_types
from ..plans import State
from .settings import Thresholds
from .urls import Address

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Hook:
    """A webhook as rules see it. `place` is its row in the audit's frame of webhooks."""

    place: int
    id: str
    state: State
    created_at: datetime | None
    updated_at: datetime | None
    address: Address | None

    @property
    def active(self) -> bool:
        """Whether it is delivered to; not told counts as yes."""
        return self.state.is_active is not False

    @property
    def covered(self) -> frozenset[str]:
        """The published types that it receives, wildcards resolved."""
        return covered(self.state.events or ())


@dataclass(slots=True)
class Team:
    """The webhooks of one account, and by when they are judged."""

    account: str
    team_id: str
    environment: str
    now: datetime
    hooks: list[Hook]
    estate: "Estate"

    @property
    def thresholds(self) -> Thresholds:
        """The audit's."""
        return self.estate.thresholds

    def age(self, moment: datetime | None) -> timedelta:
        """The time since then; none where that is not told."""
        return timedelta(0) if moment is None else self.now - moment

    def received(self) -> frozenset[str]:
        """The types that some active webhook receives."""
        return frozenset[str]().union(*(hook.covered for hook in self.hooks if hook.active))


class Estate:
    """All teams of an audit."""

    def __init__(self, thresholds: Thresholds) -> None:
        self.thresholds = thresholds
        self.teams: list[Team] = []
        self._worked_out: dict[Callable[[Estate], Any], Any] = {}

    def once(self, work_out: Callable[["Estate"], T]) -> T:
        """What a function makes of the estate, worked out for the first team that asks."""
        if work_out not in self._worked_out:
            self._worked_out[work_out] = work_out(self)
        found: T = self._worked_out[work_out]
        return found

    def addressed(self) -> Iterator[tuple[Team, Hook, Address]]:
        """Every webhook that has an address."""
        for team in self.teams:
            for hook in team.hooks:
                if hook.address is not None:
                    yield team, hook, hook.address


@lru_cache(maxsize=10_000)
def covered(patterns: tuple[str, ...]) -> frozenset[str]:
    """The published types that these subscriptions cover."""
    return frozenset(name for pattern in patterns for name in matching_types(pattern))
