"""Rules about where webhooks deliver."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from ...plans import State
from ...text import printable
from ..homoglyphs import possible_lookalikes, registrable_domain, skeleton
from ..inventory import Hook, Inventory, Team
from ..redaction import masked_host, masked_url
from ..url_credentials import credentials_in
from ..urls import BINS, LOOPBACK, TUNNELS, matching_domain, parse_url, private_kind
from .registry import Match, pause, team_rule, webhook_rule


def _use_https(state: State) -> State:
    """Replaces http by https and drops port 80. A URL with any other port is left alone: it may not speak https."""
    url = parse_url(state.url)
    if url is None or url.port not in (None, 80):
        return state
    netloc = url.parts.netloc.removesuffix(":80").removesuffix(":")
    return replace(state, url=url.parts._replace(scheme="https", netloc=netloc).geturl())


@webhook_rule(
    "high",
    why="cStar delivers only to https URLs. This webhook receives nothing, and the other URL rules cannot check it.",
    remedy="Correct the URL, or delete the webhook.",
)
def unreadable_url(hook: Hook, team: Team) -> str | None:
    """Invalid URL."""
    if hook.parsed_url is not None:
        return None
    has_url = bool((hook.state.url or "").strip())
    return f"{_url(hook, team)} is not an http or https URL with a host." if has_url else "The URL is missing."


@webhook_rule(
    "high",
    why="Anyone on the network path can read the customer data and change whatever the signature does not cover.",
    remedy="Deliver to an https URL.",
    fix=_use_https,
)
def plain_http(hook: Hook, team: Team) -> str | None:
    """Plain http."""
    if hook.parsed_url is None or hook.parsed_url.scheme != "http" or _is_sandbox_loopback(hook, team):
        return None
    return f"Delivers to {_url(hook, team)}."


@webhook_rule(
    "high",
    why="URLs end up in logs, error reports and screenshots on both sides. cStar signs each delivery: no credential is needed.",
    remedy="Remove it from the URL, replace it wherever it was valid, and verify the signature instead.",
)
def credentials_in_url(hook: Hook, team: Team) -> str | None:
    """Credentials in the URL."""
    credential = credentials_in(hook.state.url)
    return f"{_url(hook, team)} contains {printable(credential, 200)}." if credential else None


@webhook_rule(
    "high",
    why="A tunnel ends on a personal machine, and its name may pass to another user. A request bin shows requests to others.",
    remedy="Deliver to a host of your own. Pause this webhook until then.",
    fix=pause,
)
def tunnel_host(hook: Hook, team: Team) -> str | None:
    """Tunnel or request bin."""
    host = hook.parsed_url.host if hook.parsed_url and hook.active else ""
    if domain := matching_domain(host, TUNNELS):
        return f"{_host(host, team.inventory)} is a tunnel ({domain})."
    if domain := matching_domain(host, BINS):
        return f"{_host(host, team.inventory)} is a request bin ({domain})."
    return None


@webhook_rule(
    "high",
    why="cStar cannot reach it from the internet. If it could, webhooks could be used to reach hosts behind a firewall.",
    remedy="Deliver to a public address. Pause this webhook until then.",
    fix=pause,
)
def private_address(hook: Hook, team: Team) -> str | None:
    """Private address."""
    if hook.parsed_url is None or not hook.active or _is_sandbox_loopback(hook, team):
        return None
    kind = private_kind(hook.parsed_url.host)
    return f"{_host(hook.parsed_url.host, team.inventory)} is {kind}." if kind else None


@team_rule(
    "high",
    why="A domain that looks like yours may belong to an attacker, who receives what was meant for you. It is easy to miss.",
    remedy="Find out who created this webhook and who owns the host. If you cannot, delete the webhook.",
)
def lookalike_host(team: Team) -> Iterator[Match]:
    """Host that looks like another one in use."""
    lookalikes = team.inventory.once(_lookalikes)
    for hook in team.hooks:
        original = lookalikes.get(hook.parsed_url.host) if hook.parsed_url else None
        if original is not None and hook.parsed_url is not None:
            host = hook.parsed_url.host
            escapes = (
                ""
                if host.isascii()
                else f" ({_host(host.encode('ascii', 'backslashreplace').decode(), team.inventory)})"
            )
            yield Match(
                hook,
                f"{_host(host, team.inventory)}{escapes} looks like {_host(original, team.inventory)}, which is also in use.",
            )


@webhook_rule(
    "low",
    why="An unusual port is often that of a development server, or was opened in a hurry and is not monitored.",
    remedy="Deliver to port 443, or add the port to thresholds.ports in the settings.",
)
def odd_port(hook: Hook, team: Team) -> str | None:
    """Unusual port."""
    url = hook.parsed_url
    if url is None or url.port is None or _is_sandbox_loopback(hook, team):
        return None
    is_usual = url.port in team.thresholds.ports or (url.scheme, url.port) == ("http", 80)
    return None if is_usual else f"Delivers to port {url.port}."


@team_rule(
    "info",
    why="The operator of the host sees the data of all these teams, and its failure affects all of them.",
    remedy="Check that this is intended. If it is, add the host to thresholds.shared_hosts in the settings.",
)
def many_teams(team: Team) -> Iterator[Match]:
    """One host for many teams."""
    shared, used = team.inventory.once(_shared_hosts), {hook.parsed_url.host for hook in team.hooks if hook.parsed_url}
    for host in sorted(used & shared.keys()):
        yield Match(None, shared[host], host=host)


def _url(hook: Hook, team: Team) -> str:
    return printable(masked_url(hook.state.url, team.inventory.mask_key), 200)


def _host(host: str, inventory: Inventory) -> str:
    return printable(masked_host(host, inventory.mask_key), 120)


def _is_sandbox_loopback(hook: Hook, team: Team) -> bool:
    """Whether a sandbox delivers to its own machine, as in the course."""
    return (
        team.environment == "sandbox" and hook.parsed_url is not None and private_kind(hook.parsed_url.host) == LOOPBACK
    )


def _shared_hosts(inventory: Inventory) -> dict[str, str]:
    """The evidence for each host that many accounts use."""
    users: dict[str, set[str]] = defaultdict(set)
    for team, _, url in inventory.parsed_urls():
        users[url.host].add(team.account)
    thresholds = inventory.thresholds
    evidence = {}
    for host, accounts in users.items():
        if len(accounts) >= thresholds.teams_per_host and not matching_domain(host, thresholds.shared_hosts):
            names = ", ".join(printable(account, 80) for account in sorted(accounts)[:5])
            more = " …" if len(accounts) > 5 else ""
            evidence[host] = (
                f"{_host(host, inventory)} receives deliveries for {len(accounts)} accounts: {names}{more}."
            )
    return evidence


def _lookalikes(inventory: Inventory) -> dict[str, str]:
    """The hosts that look like another host in use, and that host. Of a group, an ASCII or else the oldest host is the original."""
    first_used: dict[str, datetime] = {}
    for _, hook, url in inventory.parsed_urls():
        created = hook.created_at or datetime.max.replace(tzinfo=UTC)
        first_used[url.host] = min(created, first_used.get(url.host, created))
    groups: dict[str, list[str]] = defaultdict(list)
    for host in sorted(possible_lookalikes(first_used)):
        groups[skeleton(host)].append(host)
    lookalikes: dict[str, str] = {}
    for group in groups.values():
        original = min(group, key=lambda host: (not host.isascii(), first_used[host]))
        same_domain = [host for host in group if registrable_domain(host) == registrable_domain(original)]
        for host in group if original.isascii() else ():
            if host not in same_domain:
                lookalikes[host] = min(same_domain, key=lambda other: abs(len(other) - len(host)))
    return lookalikes
