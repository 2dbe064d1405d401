"""What a rule is, and the list of all of them, in the order of their files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from ...plans import State
from ..inventory import Hook, Team

Severity = Literal["high", "medium", "low", "info"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low", "info")

Mend = Callable[[State], State]


def paused(state: State) -> State:
    """The webhook, paused: what mends whatever must not be delivered."""
    return replace(state, is_active=False)


class Found(NamedTuple):
    """What a rule found.

    Attributes:
        hook: On which webhook; None for something about the whole team.
        evidence: What was seen, in a sentence without secrets.
        fix: What would mend it without losing anything, for each webhook that it takes.
        host: Which host it is about, where it is about a whole team.
    """

    hook: Hook | None
    evidence: str
    fix: Sequence[tuple[Hook, Mend]] = ()
    host: str | None = None


@dataclass(frozen=True)
class Rule:
    """A rule, and what is told of it.

    Attributes:
        name, title: What it is called.
        severity: `high`: somebody else may read or forge what is sent, or nothing arrives; `medium`: events are lost, doubled
            or sent to whom they do not concern; `low`: untidy; `info`: to be known.
        why: Why it matters.
        remedy: What to do about it.
        find: Yields what it finds in a team.
    """

    name: str
    severity: Severity
    title: str
    why: str
    remedy: str
    find: Callable[[Team], Iterator[Found]]


RULES: dict[str, Rule] = {}


def rule(
    severity: Severity, *, why: str, remedy: str
) -> Callable[[Callable[[Team], Iterator[Found]]], Callable[[Team], Iterator[Found]]]:
    """Makes a rule of a function that looks at a whole team."""

    def register(find: Callable[[Team], Iterator[Found]]) -> Callable[[Team], Iterator[Found]]:
        title = (find.__doc__ or "").rstrip(".")
        RULES[find.__name__] = Rule(find.__name__, severity, title, why, remedy, find)
        return find

    return register


def each(
    severity: Severity, *, why: str, remedy: str, mend: Mend | None = None
) -> Callable[[Callable[[Hook, Team], str | None]], Callable[[Hook, Team], str | None]]:
    """Makes a rule of a function that looks at one webhook and says what is wrong with it; `mend` is what would mend it."""

    def register(judge: Callable[[Hook, Team], str | None]) -> Callable[[Hook, Team], str | None]:
        def find(team: Team) -> Iterator[Found]:
            for hook in team.hooks:
                evidence = judge(hook, team)
                if evidence:
                    yield Found(hook, evidence, [(hook, mend)] if mend else ())

        find.__name__, find.__doc__ = judge.__name__, judge.__doc__
        rule(severity, why=why, remedy=remedy)(find)
        return judge

    return register
