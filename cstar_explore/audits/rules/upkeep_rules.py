"""Rules about the age and the name of webhooks."""

from datetime import timedelta

from ..harmless import CAMEL_CASE
from ..inventory import Hook, Team
from .registry import webhook_rule

_TEST_WORDS = {
    *("test", "tests", "testing", "tmp", "temp", "temporary", "demo", "debug", "dummy", "foo", "bar", "asdf"),
    *("playground", "sandbox", "staging", "dev", "deleteme"),
}


@webhook_rule("low")
def inactive_long(hook: Hook, team: Team) -> str | None:
    """Paused for a long time.

    A webhook that has not been missed for so long can still be resumed by mistake.

    Remedy: Delete it if it is no longer needed. You can create it again, with another signing secret.
    """
    age = team.age(hook.updated_at)
    if hook.active or age <= timedelta(days=team.inventory.thresholds.inactive_days):
        return None
    return f"Paused, and last changed {age.days:,} days ago, on {hook.updated_at:%Y-%m-%d}."


@webhook_rule("low")
def old_secret(hook: Hook, team: Team) -> str | None:
    """Old signing secret.

    Everyone who has seen the secret since then can still forge deliveries, including people and machines that are gone.

    Remedy: Create the webhook again, switch the receiver to the new secret, and delete this one.
    """
    age = team.age(hook.created_at)
    if not hook.active or age <= timedelta(days=team.inventory.thresholds.secret_days):
        return None
    return (
        f"Created {age.days:,} days ago, on {hook.created_at:%Y-%m-%d}, and cStar does not document a way to change a secret. "
        "An audit cannot find out who has it."
    )


@webhook_rule("medium")
def test_name(hook: Hook, team: Team) -> str | None:
    """Test webhook in the live environment.

    A webhook created as a trial is often unmonitored, yet receives real customer data.

    Remedy: Delete it, or name it after its purpose.
    """
    if team.environment != "live":
        return None
    words = [word for word in CAMEL_CASE.findall(hook.state.name or "") if word.lower() in _TEST_WORDS]
    return f"Its name contains '{words[0]}', and the environment is live." if words else None
