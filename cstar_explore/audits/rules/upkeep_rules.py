"""What has been forgotten."""

import re
from datetime import timedelta

from ..inventory import Hook, Team
from .registry import each

_TRIAL = frozenset(
    [
        "test",
        "tests",
        "testing",
        "tmp",
        "temp",
        "temporary",
        "demo",
        "debug",
        "dummy",
        "foo",
        "bar",
        "asdf",
        "playground",
        "sandbox",
        "staging",
        "dev",
        "deleteme",
    ]
)
# `TestHook` and `test-hook1` are three words or two; `Contest` is one.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@each(
    "low",
    why="A webhook that nobody has missed for so long is one more that can be resumed by mistake.",
    remedy="Delete it if nobody needs it: it can be made anew, with another secret.",
)
def inactive_long(hook: Hook, team: Team) -> str | None:
    """Paused for long."""
    age = team.age(hook.updated_at)
    if hook.active or age <= timedelta(days=team.thresholds.inactive_days):
        return None
    return f"It is paused, and was last changed {age.days:,} days ago, on {hook.updated_at:%Y-%m-%d}."


@each(
    "low",
    why="Whoever has seen the secret since can still forge deliveries; people and machines that knew it have come and gone.",
    remedy="Create it anew, move the receiver over to the new secret, and delete this one.",
)
def old_secret(hook: Hook, team: Team) -> str | None:
    """A signing secret as old as the webhook."""
    age = team.age(hook.created_at)
    if not hook.active or age <= timedelta(days=team.thresholds.secret_days):
        return None
    return (
        f"It was made {age.days:,} days ago, on {hook.created_at:%Y-%m-%d}, and no page of cStar's that could be read has a way to change a secret. "
        "Who holds it cannot be known from here."
    )


@each(
    "medium",
    why="What was made to try something out is watched by nobody, and receives real customers' data.",
    remedy="Delete it, or give it the name of what it is for.",
)
def test_name(hook: Hook, team: Team) -> str | None:
    """A trial on a live key."""
    if team.environment != "live":
        return None
    found = [word for word in _WORDS.findall(hook.state.name or "") if word.lower() in _TRIAL]
    return f"Its name says '{found[0]}', and the key is live." if found else None
