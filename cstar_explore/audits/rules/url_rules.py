"""Where a webhook delivers to."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from ...plans import State
from ...text import printable
from ..homoglyphs import registrable, silhouette
from ..inventory import Estate, Hook, Team
from ..redaction import credentials_in, shown_url, without_keys
from ..urls import BINS, TUNNELS, address_in, belongs_to, inside
from .registry import Found, each, paused, rule


def _over_https(state: State) -> State:
    """With https in place of http, and without the port that belongs to http; what has another port stays as it is."""
    address = address_in(state.url)
    if address is None or address.port not in (None, 80):
        return state
    netloc = address.parts.netloc.removesuffix(":80").removesuffix(":")
    return replace(state, url=address.parts._replace(scheme="https", netloc=netloc).geturl())


@each(
    "high",
    why="cStar delivers to https URLs only; what is no URL receives nothing, and no other rule can judge it.",
    remedy="Correct the URL, or delete the webhook.",
)
def unreadable_url(hook: Hook, _: Team) -> str | None:
    """No URL that can be delivered to."""
    if hook.address is not None:
        return None
    return (
        "It has no URL." if not (hook.state.url or "").strip() else f"{_url(hook)} is no http or https URL with a host."
    )


@each(
    "high",
    why="Anybody on the way can read the customers' data in it, and change what the signature does not cover.",
    remedy="Deliver to https.",
    mend=_over_https,
)
def plain_http(hook: Hook, team: Team) -> str | None:
    """Plain http."""
    if hook.address is None or hook.address.scheme != "http" or _at_home(hook, team):
        return None
    return f"It delivers to {_url(hook)}."


@each(
    "high",
    why="A URL ends up in logs, error reports and screenshots, at both ends. cStar signs each delivery, so none is needed.",
    remedy="Take it out of the URL, make a new one where it was valid, and verify the signature instead.",
)
def credentials_in_url(hook: Hook, _: Team) -> str | None:
    """Credentials in the URL."""
    what = credentials_in(hook.state.url)
    return f"{_url(hook)} has {printable(what, 200)} in it." if what else None


@each(
    "high",
    why="A tunnel ends on somebody's own machine and its name may go to another; a request bin shows what it gets to others.",
    remedy="Deliver to a host of your own, and pause this one until then.",
    mend=paused,
)
def tunnel_host(hook: Hook, _: Team) -> str | None:
    """A tunnel or a request bin."""
    host = hook.address.host if hook.address and hook.active else ""
    if domain := belongs_to(host, TUNNELS):
        return f"{_host(host)} is a tunnel of {domain}."
    if domain := belongs_to(host, BINS):
        return f"{_host(host)} is a request bin of {domain}."
    return None


@each(
    "high",
    why="cStar cannot reach it from outside; if it could, it would be used to reach what is behind a firewall.",
    remedy="Deliver to a public address, and pause this one until then.",
    mend=paused,
)
def private_address(hook: Hook, team: Team) -> str | None:
    """A private address."""
    if hook.address is None or not hook.active or _at_home(hook, team):
        return None
    kind = inside(hook.address.host)
    return f"{_host(hook.address.host)} is {kind}." if kind else None


@rule(
    "high",
    why="Who registers a name that looks like yours receives what was meant for you, and nobody sees it in a list.",
    remedy="Find out who made this webhook and whose host it is; if nobody knows, delete it.",
)
def lookalike_host(team: Team) -> Iterator[Found]:
    """A host that looks like another one in use."""
    suspects = team.estate.once(_lookalikes)
    for hook in team.hooks:
        twin = suspects.get(hook.address.host) if hook.address else None
        if twin is not None and hook.address is not None:
            host = hook.address.host
            spelled = "" if host.isascii() else f" ({_host(host.encode('ascii', 'backslashreplace').decode())})"
            yield Found(hook, f"{_host(host)}{spelled} looks like {_host(twin)}, which is in use as well.")


@each(
    "low",
    why="A port of its own is often a development server, or one that was opened in a hurry and is watched by nobody.",
    remedy="Deliver to port 443, or name the port in the settings: thresholds.ports.",
)
def odd_port(hook: Hook, team: Team) -> str | None:
    """An odd port."""
    if hook.address is None or hook.address.port is None or _at_home(hook, team):
        return None
    usual = hook.address.port in team.thresholds.ports or (hook.address.scheme, hook.address.port) == ("http", 80)
    return None if usual else f"It delivers to port {hook.address.port}."


@rule(
    "info",
    why="Whoever runs that host sees the data of all these teams; if it is lost, all of them are.",
    remedy="Make sure that this is meant; name the host in thresholds.shared_hosts if it is.",
)
def many_teams(team: Team) -> Iterator[Found]:
    """One host for many teams."""
    shared, used = team.estate.once(_shared_hosts), {hook.address.host for hook in team.hooks if hook.address}
    for host in sorted(used & shared.keys()):
        yield Found(None, shared[host], host=host)


def _url(hook: Hook) -> str:
    return printable(shown_url(hook.state.url), 200)


def _host(host: str) -> str:
    return printable(without_keys(host), 120)


def _at_home(hook: Hook, team: Team) -> bool:
    """Whether it is a sandbox's webhook to this machine, as in the course."""
    return team.environment == "sandbox" and hook.address is not None and inside(hook.address.host) == "this machine"


def _shared_hosts(estate: Estate) -> dict[str, str]:
    """The hosts that many accounts use, and which accounts, in a sentence."""
    users: dict[str, set[str]] = defaultdict(set)
    for team, _, address in estate.addressed():
        users[address.host].add(team.account)
    limits = estate.thresholds
    found = {}
    for host, accounts in users.items():
        if len(accounts) >= limits.teams_per_host and not belongs_to(host, limits.shared_hosts):
            others = ", ".join(printable(other, 80) for other in sorted(accounts)[:5]) + (
                " …" if len(accounts) > 5 else ""
            )
            found[host] = f"{_host(host)} receives for {len(accounts)} accounts: {others}."
    return found


def _lookalikes(estate: Estate) -> dict[str, str]:
    """Each host in use that is taken for another one in use, and which: the one in plain letters, or the oldest."""
    first: dict[str, datetime] = {}
    for _, hook, address in estate.addressed():
        made = hook.created_at or datetime.max.replace(tzinfo=UTC)
        first[address.host] = min(made, first.get(address.host, made))
    alike: dict[str, list[str]] = defaultdict(list)
    for host in first:
        alike[silhouette(host)].append(host)
    found: dict[str, str] = {}
    for group in alike.values():
        genuine = min(group, key=lambda host: (not host.isascii(), first[host]))
        own = [host for host in group if registrable(host) == registrable(genuine)]
        for host in group if genuine.isascii() else ():
            if host not in own:
                found[host] = min(own, key=lambda other: abs(len(other) - len(host)))
    return found
