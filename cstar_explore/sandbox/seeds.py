"""The webhooks that a new sandbox starts with: one small team's, or with `neglected=True` those of three teams.

The neglected ones trigger every audit rule. Both sets are stored without the API's validation.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from .clock import Ids
from .keys import LAB, NORTH, TEAM
from .store import Store, StoredWebhook


class Seed(NamedTuple):
    """A webhook, with the dates on which it was created and last updated (if it was)."""

    name: str
    url: str
    events: list[str]
    created: str
    updated: str = ""
    is_active: bool = True


_TICKETS = ["ticket.created", "ticket.updated", "ticket.closed"]
_CUSTOMERS = ["customer.created", "customer.updated", "customer.deleted"]

_SMALL_TEAM: tuple[Seed, ...] = (
    Seed(
        "Slack notifications",
        "https://hooks.slack.example/services/T0001",
        ["ticket.created", "ticket.closed"],
        "2025-11-01",
        "2025-11-15",
    ),
    Seed("CRM sync", "https://crm.example.com/cstar", _CUSTOMERS, "2025-06-03"),
    Seed("Search index", "https://search.example.com/hooks/articles", ["article.*"], "2025-09-22", "2025-10-02"),
    Seed(
        "Boss fight overlay",
        "https://tv.example.com/boss",
        ["boss.spawned", "boss.damaged", "boss.defeated"],
        "2025-10-31",
        "2025-11-03",
        is_active=False,
    ),
)

# By team and environment.
_NEGLECTED: Mapping[tuple[str, str], tuple[Seed, ...]] = {
    (TEAM, "live"): (
        Seed("Slack notifications", "https://hooks.slack.com/services/T0001", _TICKETS, "2025-09-01"),
        Seed("CRM sync", "https://crm.example.com/cstar", _CUSTOMERS, "2023-02-14", "2024-05-02"),
        Seed("CRM sync (new)", "https://crm.example.com/cstar", ["customer.created"], "2025-08-20"),
        Seed("Ticket mirror", "http://tickets.example.com/mirror", ["ticket.created"], "2025-07-07"),
        Seed("Data lake", "https://lake.example.com/in", ["*"], "2025-06-11"),
        Seed("Mailer", "https://mail.example.com/hook?token=not-a-real-token", ["survey.submitted"], "2025-10-03"),
        Seed("Trophies", "https://tv.example.com/trophies", ["achievement.unlocked", "boss.defeated"], "2025-03-30"),
        Seed("test import, delete", "https://import.example.com/cstar", ["article.created"], "2025-11-28"),
        Seed("Shared relay", "https://relay.example.net/support", ["ticket.created"], "2025-05-05"),
    ),
    (NORTH, "live"): (
        Seed("Desk", "https://desk.example.com/cstar", _TICKETS, "2025-04-22"),
        Seed("Forward to my laptop", "https://3f2a-not-real.ngrok-free.app/hooks", ["ticket.created"], "2025-11-02"),
        Seed("What do they send?", "https://webhook.site/not-a-real-id", ["customer.created"], "2025-10-19"),
        Seed("CRM", "https://crm.examp1e.com/cstar", ["customer.updated"], "2025-11-30"),
        Seed("Cloud", "https://169.254.169.254/latest", ["ticket.closed"], "2025-09-09"),
        Seed("Billing", "https://billing.example.com:9443/cstar", ["customer.deleted"], "2025-08-01"),
        Seed("Left over", "https://old.example.com/hook", [], "2025-02-02"),
        Seed("Escalations", "https://pager.example.com/cstar", ["ticket.create"], "2025-10-10"),
        Seed(
            "Search index",
            "https://search.example.com/hooks",
            ["article.*"],
            "2024-12-01",
            "2025-01-20",
            is_active=False,
        ),
        Seed("Shared relay", "https://relay.example.net/north", ["ticket.created"], "2025-05-05"),
    ),
    (LAB, "test"): (
        Seed("Playground", "https://lab.example.com/hook", _TICKETS, "2025-11-20"),
        Seed("Playground 2", "https://lab.example.com/hook", ["survey.submitted"], "2025-11-21", "2025-12-01"),
        Seed("Prices", "https://xn--exmple-4nf.com/prices", ["article.published"], "2025-11-25"),
        Seed("Prices, real", "https://example.com/prices", ["article.updated"], "2025-11-24"),
        Seed("Shared relay", "https://relay.example.net/lab", ["ticket.created"], "2025-05-05"),
    ),
}


def add_seeds(store: Store, ids: Ids, *, neglected: bool) -> None:
    """Adds the webhooks of a new sandbox."""
    webhooks = _NEGLECTED if neglected else {(TEAM, "test"): _SMALL_TEAM, (TEAM, "live"): _SMALL_TEAM}
    for (team_id, environment), seeds in webhooks.items():
        for name, url, events, created, updated, is_active in seeds:
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
                    created_at=datetime.fromisoformat(f"{created}T10:00:00Z"),
                    updated_at=datetime.fromisoformat(f"{updated or created}T12:00:00Z"),
                )
            )


def new_secret(ids: Ids) -> str:
    """A fake signing secret, marked as the sandbox's."""
    return f"whsec_SANDBOX{ids.next('secret', 25)}"
