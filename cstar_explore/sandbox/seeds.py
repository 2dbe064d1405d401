"""The webhooks that a new sandbox starts with: one small team's, or with `neglected=True` those of three teams.

`seeds.json` has both. The neglected ones trigger every audit rule. Neither set is validated as the API does it.
"""

from datetime import datetime

from ..packaged import read_table
from .clock import Ids
from .store import Store, StoredWebhook


def add_seeds(store: Store, ids: Ids, *, neglected: bool) -> None:
    """Adds the webhooks of a new sandbox."""
    teams = read_table(__file__)
    for team in teams["neglected" if neglected else "small"]:
        for environment, seed in ((name, seed) for name in team["environments"] for seed in team["webhooks"]):
            times = {name: datetime.fromisoformat(seed[name]) for name in ("created_at", "updated_at")}
            webhook = StoredWebhook(
                id=f"whk_{ids.next('webhook')}",
                team_id=team["team_id"],
                environment=environment,
                secret=new_secret(ids),
                **{"is_active": True, **seed, **times},
            )
            store.save(webhook)


def new_secret(ids: Ids) -> str:
    """A fake signing secret, marked as the sandbox's."""
    return f"whsec_SANDBOX{ids.next('secret', 25)}"
