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
from ..urls import HOSTS, LOOPBACK, matching_domain, parse_url, private_kind
from .registry import Match, pause, team_rule, webhook_rule


def _use_https(state: State) -> State:
    """Replaces http by https and drops port 80. A URL with any other port is left alone: it may not speak https."""
    url = parse_url(state.url)
    if url is None or url.port not in (None, 80):
        return state
    netloc = url.parts.netloc.removesuffix(":80").removesuffix(":")
    return replace(state, url=url.parts._replace(scheme="https", netloc=netloc).geturl())


@webhook_rule("high")
def unreadable_url(hook: Hook, team: Team) -> str | None:
    """Invalid URL.

    cStar delivers only to https URLs. This webhook receives nothing, and the other URL rules cannot check it.

    Remedy: Correct the URL, or delete the webhook.
    """
    if hook.parsed_url is not None:
        return None
    has_url = bool((hook.state.url or "").strip())
    return f"{_url(hook, team)} is not an http or https URL with a host." if has_url else "The URL is missing."


@webhook_rule("high", fix=_use_https)
def plain_http(hook: Hook, team: Team) -> str | None:
    """Plain http.

    Anyone on the network path can read the customer data and change whatever the signature does not cover.

    Remedy: Deliver to an https URL.
    """
    if hook.parsed_url is None or hook.parsed_url.parts.scheme != "http" or _is_sandbox_loopback(hook, team):
        return None
    return f"Delivers to {_url(hook, team)}."


@webhook_rule("high")
def credentials_in_url(hook: Hook, team: Team) -> str | None:
    """Credentials in the URL.

    URLs end up in logs, error reports and screenshots on both sides. cStar signs each delivery: no credential is needed.

    Remedy: Remove it from the URL, replace it wherever it was valid, and verify the signature instead.
    """
    credential = credentials_in(hook.state.url)
    return f"{_url(hook, team)} contains {printable(credential, 200)}." if credential else None


@webhook_rule("high", fix=pause)
def tunnel_host(hook: Hook, team: Team) -> str | None:
    """Tunnel or request bin.

    A tunnel ends on a personal machine, and its name may pass to another user. A request bin shows requests to others.

    Remedy: Deliver to a host of your own. Pause this webhook until then.
    """
    for kind in ("tunnel", "request bin"):
        domain = matching_domain(hook.host, HOSTS[kind])
        if domain and hook.active:
            return f"{_host(hook.host, team.inventory)} is a {kind} ({domain})."
    return None


@webhook_rule("high", fix=pause)
def private_address(hook: Hook, team: Team) -> str | None:
    """Private address.

    cStar cannot reach it from the internet. If it could, webhooks could be used to reach hosts behind a firewall.

    Remedy: Deliver to a public address. Pause this webhook until then.
    """
    if not hook.host or not hook.active or _is_sandbox_loopback(hook, team):
        return None
    kind = private_kind(hook.host)
    return f"{_host(hook.host, team.inventory)} is {kind}." if kind else None


@webhook_rule("high")
def lookalike_host(hook: Hook, team: Team) -> str | None:
    """Host that looks like another one in use.

    A domain that looks like yours may belong to an attacker, who receives what was meant for you. It is easy to miss.

    Remedy: Find out who created this webhook and who owns the host. If you cannot, delete the webhook.
    """
    original = team.inventory.once(_lookalikes).get(hook.host)
    if original is None:
        return None
    host = _host(hook.host, team.inventory)
    if not hook.host.isascii():
        host += f" ({_host(hook.host.encode('ascii', 'backslashreplace').decode(), team.inventory)})"
    return f"{host} looks like {_host(original, team.inventory)}, which is also in use."


@webhook_rule("low")
def odd_port(hook: Hook, team: Team) -> str | None:
    """Unusual port.

    An unusual port is often that of a development server, or was opened in a hurry and is not monitored.

    Remedy: Deliver to port 443, or add the port to thresholds.ports in the settings.
    """
    url = hook.parsed_url
    if url is None or url.port is None or _is_sandbox_loopback(hook, team):
        return None
    is_usual = url.port in team.inventory.thresholds.ports or (url.parts.scheme, url.port) == ("http", 80)
    return None if is_usual else f"Delivers to port {url.port}."


@team_rule("info")
def many_teams(team: Team) -> Iterator[Match]:
    """One host for many teams.

    The operator of the host sees the data of all these teams, and its failure affects all of them.

    Remedy: Check that this is intended. If it is, add the host to thresholds.shared_hosts in the settings.
    """
    shared = team.inventory.once(_shared_hosts)
    for host in sorted({hook.host for hook in team.hooks} & shared.keys()):
        yield Match(None, shared[host], host=host)


def _url(hook: Hook, team: Team) -> str:
    return printable(masked_url(hook.state.url, team.inventory.mask_key), 200)


def _host(host: str, inventory: Inventory) -> str:
    return printable(masked_host(host, inventory.mask_key), 120)


def _is_sandbox_loopback(hook: Hook, team: Team) -> bool:
    """Whether a sandbox delivers to its own machine, as in the course."""
    return team.environment == "sandbox" and private_kind(hook.host) == LOOPBACK


def _shared_hosts(inventory: Inventory) -> dict[str, str]:
    """The evidence for each host that many accounts use."""
    users: dict[str, set[str]] = defaultdict(set)
    for team, hook in inventory.hooks_with_hosts():
        users[hook.host].add(team.account)
    evidence = {}
    for host, accounts in users.items():
        is_allowed = matching_domain(host, inventory.thresholds.shared_hosts)
        if len(accounts) >= inventory.thresholds.teams_per_host and not is_allowed:
            names = ", ".join(printable(account, 80) for account in sorted(accounts)[:5])
            more = " …" if len(accounts) > 5 else ""
            shown = _host(host, inventory)
            evidence[host] = f"{shown} receives deliveries for {len(accounts)} accounts: {names}{more}."
    return evidence


def _lookalikes(inventory: Inventory) -> dict[str, str]:
    """The hosts that look like another host in use, and that host. Of a group, an ASCII or else the oldest host is the original."""
    first_used: dict[str, datetime] = {}
    for _, hook in inventory.hooks_with_hosts():
        created = hook.created_at or datetime.max.replace(tzinfo=UTC)
        first_used[hook.host] = min(created, first_used.get(hook.host, created))
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
