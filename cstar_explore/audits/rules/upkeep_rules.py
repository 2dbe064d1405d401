"""Rules about the age and the name of webhooks."""

import re
from datetime import timedelta

from ..inventory import Hook, Team
from .registry import webhook_rule

_TEST_WORDS = frozenset(
    (
        *("test", "tests", "testing", "tmp", "temp", "temporary", "demo", "debug", "dummy", "foo", "bar", "asdf"),
        *("playground", "sandbox", "staging", "dev", "deleteme"),
    )
)
# `TestHook` and `test-hook1` are two words; `Contest` is one.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@webhook_rule(
    "low",
    why="A webhook that has not been missed for so long can still be resumed by mistake.",
    remedy="Delete it if it is no longer needed. You can create it again, with another signing secret.",
)
def inactive_long(hook: Hook, team: Team) -> str | None:
    """Paused for a long time."""
    age = team.age(hook.updated_at)
    if hook.active or age <= timedelta(days=team.thresholds.inactive_days):
        return None
    return f"Paused, and last changed {age.days:,} days ago, on {hook.updated_at:%Y-%m-%d}."


@webhook_rule(
    "low",
    why="Everyone who has seen the secret since then can still forge deliveries, including people and machines that are gone.",
    remedy="Create the webhook again, switch the receiver to the new secret, and delete this one.",
)
def old_secret(hook: Hook, team: Team) -> str | None:
    """Old signing secret."""
    age = team.age(hook.created_at)
    if not hook.active or age <= timedelta(days=team.thresholds.secret_days):
        return None
    return (
        f"Created {age.days:,} days ago, on {hook.created_at:%Y-%m-%d}, and cStar does not document a way to change a secret. "
        "An audit cannot find out who has it."
    )


@webhook_rule(
    "medium",
    why="A webhook created as a trial is often unmonitored, yet receives real customer data.",
    remedy="Delete it, or name it after its purpose.",
)
def test_name(hook: Hook, team: Team) -> str | None:
    """Test webhook in the live environment."""
    if team.environment != "live":
        return None
    words = [word for word in _WORDS.findall(hook.state.name or "") if word.lower() in _TEST_WORDS]
    return f"Its name contains '{words[0]}', and the environment is live." if words else None
