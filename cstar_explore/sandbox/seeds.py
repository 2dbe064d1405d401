"""The webhooks that a new sandbox starts with: a small support team's, or with `neglected=True` those of three teams.

The neglected ones have something for every audit rule. Both are stored without the API's validation.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from .clock import Ids
from .keys import LAB, NORTH, TEAM
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


_TICKETS = ["ticket.created", "ticket.updated", "ticket.closed"]
_CUSTOMERS = ["customer.created", "customer.updated", "customer.deleted"]

# By team and environment.
_ESTATE: Mapping[tuple[str, str], tuple[Seed, ...]] = {
    (TEAM, "live"): (
        ("Slack notifications", "https://hooks.slack.com/services/T0001", _TICKETS, True, (2025, 9, 1), (2025, 9, 1)),
        ("CRM sync", "https://crm.example.com/cstar", _CUSTOMERS, True, (2023, 2, 14), (2024, 5, 2)),
        ("CRM sync (new)", "https://crm.example.com/cstar/", ["customer.created"], True, (2025, 8, 20), (2025, 8, 20)),
        ("Ticket mirror", "http://tickets.example.com/mirror", ["ticket.created"], True, (2025, 7, 7), (2025, 7, 7)),
        ("Data lake", "https://lake.example.com/in", ["*"], True, (2025, 6, 11), (2025, 6, 11)),
        (
            "Mailer",
            "https://mail.example.com/hook?token=not-a-real-token",
            ["survey.submitted"],
            True,
            (2025, 10, 3),
            (2025, 10, 3),
        ),
        (
            "Trophies",
            "https://tv.example.com/trophies",
            ["achievement.unlocked", "boss.defeated"],
            True,
            (2025, 3, 30),
            (2025, 3, 30),
        ),
        (
            "test import, delete",
            "https://import.example.com/cstar",
            ["article.created"],
            True,
            (2025, 11, 28),
            (2025, 11, 28),
        ),
        ("Shared relay", "https://relay.example.net/support", ["ticket.created"], True, (2025, 5, 5), (2025, 5, 5)),
    ),
    (NORTH, "live"): (
        ("Desk", "https://desk.example.com/cstar", _TICKETS, True, (2025, 4, 22), (2025, 4, 22)),
        (
            "Forward to my laptop",
            "https://3f2a-not-real.ngrok-free.app/hooks",
            ["ticket.created"],
            True,
            (2025, 11, 2),
            (2025, 11, 2),
        ),
        (
            "What do they send?",
            "https://webhook.site/not-a-real-id",
            ["customer.created"],
            True,
            (2025, 10, 19),
            (2025, 10, 19),
        ),
        ("CRM", "https://crm.examp1e.com/cstar", ["customer.updated"], True, (2025, 11, 30), (2025, 11, 30)),
        ("Cloud", "https://169.254.169.254/latest", ["ticket.closed"], True, (2025, 9, 9), (2025, 9, 9)),
        ("Billing", "https://billing.example.com:9443/cstar", ["customer.deleted"], True, (2025, 8, 1), (2025, 8, 1)),
        ("Left over", "https://old.example.com/hook", [], True, (2025, 2, 2), (2025, 2, 2)),
        ("Escalations", "https://pager.example.com/cstar", ["ticket.create"], True, (2025, 10, 10), (2025, 10, 10)),
        ("Search index", "https://search.example.com/hooks", ["article.*"], False, (2024, 12, 1), (2025, 1, 20)),
        ("Shared relay", "https://relay.example.net/north", ["ticket.created"], True, (2025, 5, 5), (2025, 5, 5)),
    ),
    (LAB, "test"): (
        ("Playground", "https://lab.example.com/hook", _TICKETS, True, (2025, 11, 20), (2025, 11, 20)),
        ("Playground 2", "https://lab.example.com/hook", ["survey.submitted"], True, (2025, 11, 21), (2025, 12, 1)),
        ("Prices", "https://xn--exmple-4nf.com/prices", ["article.published"], True, (2025, 11, 25), (2025, 11, 25)),
        ("Prices, real", "https://example.com/prices", ["article.updated"], True, (2025, 11, 24), (2025, 11, 24)),
        ("Shared relay", "https://relay.example.net/lab", ["ticket.created"], True, (2025, 5, 5), (2025, 5, 5)),
    ),
}


def sow(store: Store, ids: Ids) -> None:
    """Adds the seeds, to test data and to live data alike; the two are apart from then on."""
    for environment in ("test", "live"):
        plant(store, ids, TEAM, environment, _SEEDS)


def neglect(store: Store, ids: Ids) -> None:
    """Adds them all."""
    for (team_id, environment), webhooks in _ESTATE.items():
        plant(store, ids, team_id, environment, webhooks)


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
