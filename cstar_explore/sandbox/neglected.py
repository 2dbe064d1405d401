"""Three teams whose webhooks nobody has looked after: something for every rule of an audit, and nothing that is real.

They are put into the store as they are, past the API's checks: years of other clients and of cStar's own changes lie behind
them.
"""

from collections.abc import Mapping

from .clock import Ids
from .keys import LAB, NORTH, TEAM
from .seeds import Seed, plant
from .store import Store

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


def neglect(store: Store, ids: Ids) -> None:
    """Adds them all."""
    for (team_id, environment), webhooks in _ESTATE.items():
        plant(store, ids, team_id, environment, webhooks)
