"""The decorators that register rules, and the registry."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

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


Find = Callable[[Team], Iterator[Match]]
Check = Callable[[Hook, Team], str | None]


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
    find: Find


RULES: dict[str, Rule] = {}  # by name, in the order of the report


def team_rule(severity: Severity) -> Callable[[Find], Find]:
    """Registers a rule that checks a whole team."""

    def register(find: Find) -> Find:
        _add(find, severity, find)
        return find

    return register


def webhook_rule(severity: Severity, *, fix: Fix | None = None) -> Callable[[Check], Check]:
    """Registers a rule that checks one webhook and returns the evidence, or None or "" if there is nothing to report."""

    def register(check: Check) -> Check:
        def find(team: Team) -> Iterator[Match]:
            for hook in team.hooks:
                evidence = check(hook, team)
                if evidence:
                    yield Match(hook, evidence, [(hook, fix)] if fix else ())

        _add(check, severity, find)
        return check

    return register


def _add(function: Any, severity: Severity, find: Find) -> None:
    """Adds the rule. The function has its name and its texts."""
    title, _, texts = inspect.cleandoc(function.__doc__ or "").partition(".\n\n")
    why, _, remedy = texts.partition("\n\nRemedy: ")
    RULES[function.__name__] = Rule(function.__name__, severity, title, why, remedy, find)
