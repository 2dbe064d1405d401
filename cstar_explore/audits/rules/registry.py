"""The decorators that register rules, and the registry."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from ...plans import State
from ..inventory import Hook, Team

Severity = Literal["high", "medium", "low", "info"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low", "info")

Fix = Callable[[State], State]


def pause(state: State) -> State:
    """The fix for webhooks that must not deliver."""
    return replace(state, is_active=False)


class Match(NamedTuple):
    """One result of a rule.

    Attributes:
        hook: The webhook; None if the match is about the whole team.
        evidence: What the rule saw, in one sentence without secrets.
        fixes: Lossless fixes, each with the webhook it changes.
        host: The host, if the match is about the whole team and one host.
    """

    hook: Hook | None
    evidence: str
    fixes: Sequence[tuple[Hook, Fix]] = ()
    host: str | None = None


@dataclass(frozen=True)
class Rule:
    """A registered rule.

    Attributes:
        severity: `high`: others may read or forge deliveries, or nothing arrives; `medium`: events are lost, duplicated or
            sent where they are not needed; `low`: untidy; `info`: for information.
        why: Why it matters.
        remedy: What to do about it.
        find: Yields the matches in a team.
    """

    name: str
    severity: Severity
    title: str
    why: str
    remedy: str
    find: Callable[[Team], Iterator[Match]]


RULES: dict[str, Rule] = {}  # by name, in the order of the report


def team_rule(
    severity: Severity, *, why: str, remedy: str
) -> Callable[[Callable[[Team], Iterator[Match]]], Callable[[Team], Iterator[Match]]]:
    """Registers a rule that checks a whole team."""

    def register(find: Callable[[Team], Iterator[Match]]) -> Callable[[Team], Iterator[Match]]:
        title = (find.__doc__ or "").rstrip(".")
        RULES[find.__name__] = Rule(find.__name__, severity, title, why, remedy, find)
        return find

    return register


def webhook_rule(
    severity: Severity, *, why: str, remedy: str, fix: Fix | None = None
) -> Callable[[Callable[[Hook, Team], str | None]], Callable[[Hook, Team], str | None]]:
    """Registers a rule that checks one webhook and returns the evidence, or None or "" if there is nothing to report."""

    def register(check: Callable[[Hook, Team], str | None]) -> Callable[[Hook, Team], str | None]:
        def find(team: Team) -> Iterator[Match]:
            for hook in team.hooks:
                evidence = check(hook, team)
                if evidence:
                    yield Match(hook, evidence, [(hook, fix)] if fix else ())

        find.__name__, find.__doc__ = check.__name__, check.__doc__
        team_rule(severity, why=why, remedy=remedy)(find)
        return check

    return register
