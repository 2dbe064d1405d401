"""The handful of webhooks that a new sandbox starts with: what a small support team might have."""

from collections.abc import Iterable
from datetime import UTC, datetime

from .clock import Ids
from .keys import TEAM
from .store import Store, StoredWebhook

# Name, url, events, active, created, last changed.
Seed = tuple[str, str, list[str], bool, tuple[int, int, int], tuple[int, int, int]]

_SEEDS: tuple[Seed, ...] = (
    (
        "Slack notifications",
        "https://hooks.slack.example/services/T0001",
        ["ticket.created", "ticket.closed"],
        True,
        (2025, 11, 1),
        (2025, 11, 15),
    ),
    (
        "CRM sync",
        "https://crm.example.com/cstar",
        ["customer.created", "customer.updated", "customer.deleted"],
        True,
        (2025, 6, 3),
        (2025, 6, 3),
    ),
    ("Search index", "https://search.example.com/hooks/articles", ["article.*"], True, (2025, 9, 22), (2025, 10, 2)),
    (
        "Boss fight overlay",
        "https://tv.example.com/boss",
        ["boss.spawned", "boss.damaged", "boss.defeated"],
        False,
        (2025, 10, 31),
        (2025, 11, 3),
    ),
)


def sow(store: Store, ids: Ids) -> None:
    """Adds the seeds, to test data and to live data alike; the two are apart from then on."""
    for environment in ("test", "live"):
        plant(store, ids, TEAM, environment, _SEEDS)


def plant(store: Store, ids: Ids, team_id: str, environment: str, webhooks: Iterable[Seed]) -> None:
    """Adds webhooks as they are, past the API's checks."""
    for name, url, events, is_active, created, updated in webhooks:
        store.add(
            StoredWebhook(
                id=f"whk_{ids.next('webhook')}",
                team_id=team_id,
                environment=environment,
                name=name,
                url=url,
                events=list(events),
                secret=new_secret(ids),
                is_active=is_active,
                created_at=datetime(*created, 10, tzinfo=UTC),
                updated_at=datetime(*updated, 12, tzinfo=UTC),
            )
        )


def new_secret(ids: Ids) -> str:
    """A signing secret that is made up and says so."""
    return f"whsec_SANDBOX{ids.next('secret', 25)}"
