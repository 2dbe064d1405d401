"""`cstar-explore doctor`: what is configured, reachable and permitted. It changes nothing: it sends two GETs at most."""

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, NamedTuple
from urllib.request import getproxies

from ..api.client import BASE_URL, Client
from ..errors import CStarError, NotFoundError
from ..secret import Secret
from ..serving.loopback import is_loopback_url
from ..signatures.signing import TOLERANCE
from ..text import printable, redacted

_PACKAGES = ("cstar-explore", "jupyterlab", "ipywidgets", "anywidget", "pandas", "httpx")


class Check(NamedTuple):
    """One thing looked at: `ok`, worth a look (`warn`), or in the way (`fail`)."""

    state: Literal["ok", "warn", "fail"]
    about: str
    words: str


def run(_: argparse.Namespace) -> int:
    """Prints a line for each check; 1 if one of them is in the way."""
    failed = False
    for check in examine():
        failed = failed or check.state == "fail"
        print(f"{check.state:<5} {check.about:<12} {printable(redacted(check.words), 400)}", flush=True)
    if failed:
        print("Something is in the way: see the lines that begin with fail.", file=sys.stderr)
    return int(failed)


def examine() -> Iterator[Check]:
    """Looks at the installation, the configuration, the way to cStar, and what the key may do, each in turn."""
    yield Check("ok", "python", sys.version.split()[0])
    yield from map(_package, _PACKAGES)
    yield from _way()
    client = None
    try:
        client = Client(
            Secret(os.environ.get("CSTAR_KEY", "")),
            os.environ.get("CSTAR_TEAM_ID") or None,
            os.environ.get("CSTAR_BASE_URL") or BASE_URL,
            timeout=10,
            max_wait=0,
            write=False,
        )
    except CStarError as error:
        yield Check("fail", "configured", str(error))
        return
    with client:
        yield Check("ok", "configured", f"{client.environment.upper()} key {client.key} for {client.base_url}")
        yield from _reached(client)


def _package(name: str) -> Check:
    try:
        return Check("ok", name, version(name))
    except PackageNotFoundError:
        return Check("fail", name, "It is not installed.")


def _way() -> Iterator[Check]:
    """What stands between here and cStar."""
    proxies = {name: url for name, url in getproxies().items() if name in ("http", "https", "all")}
    if proxies:
        yield Check(
            "warn",
            "proxy",
            f"Requests pass {', '.join(sorted(set(proxies)))} proxies of the environment, except to this machine.",
        )
    certificates = os.environ.get("SSL_CERT_FILE")
    if certificates and not os.path.isfile(certificates):  # noqa: PTH113 - a name from the environment
        yield Check("fail", "certificates", f"SSL_CERT_FILE names {certificates}, which is no file.")
    elif certificates:
        yield Check("ok", "certificates", f"SSL_CERT_FILE: {certificates}")


def _reached(client: Client) -> Iterator[Check]:
    team = client.team_id
    try:
        identity = client.whoami()
    except NotFoundError:
        yield Check("warn", "reached", "whoami is not answered there (it is on the SDK's page, not in the reference).")
    except CStarError as error:
        yield Check("fail", "reached", str(error))
        return
    else:
        yield Check("ok", "reached", f"team {identity.team_name or 'without a name'} ({identity.team_id})")
        if team is not None and identity.team_id not in (None, team):
            yield Check("fail", "team", f"CSTAR_TEAM_ID is {team}, and the key belongs to {identity.team_id}.")
            return
        team = team or identity.team_id
    yield from _clock(client)
    if team is None:
        yield Check("fail", "team", "Set CSTAR_TEAM_ID: cStar did not say whose key it is.")
        return
    yield from _permitted(client.with_options(team_id=team))


def _clock(client: Client) -> Iterator[Check]:
    """A clock that is wrong refuses good signatures. A sandbox has a time of its own."""
    told = client.server_time
    if told is None or is_loopback_url(client.base_url):
        return
    off = abs((datetime.now(UTC) - told).total_seconds())
    words = f"This machine's clock and cStar's differ by {off:,.0f} s; signatures are good for {TOLERANCE} s."
    yield Check("ok" if off < TOLERANCE / 10 else "warn" if off < TOLERANCE else "fail", "clock", words)


def _permitted(client: Client) -> Iterator[Check]:
    try:
        webhooks = client.webhooks.list()
    except CStarError as error:
        yield Check("fail", "permitted", f"The webhooks cannot be listed: {error}")
        return
    writes = (
        "It is publishable, so it can only read."
        if client.key.is_publishable
        else "It may also write; nothing was tried."
    )
    yield Check("ok", "permitted", f"The key lists {len(webhooks):,} webhooks. {writes}")
    rate_limit = client.rate_limit
    if rate_limit is not None and rate_limit.remaining is not None:
        low = rate_limit.limit is not None and rate_limit.remaining < rate_limit.limit / 10
        yield Check(
            "warn" if low else "ok",
            "rate limit",
            f"{rate_limit.remaining:,} of {rate_limit.limit or 0:,} requests are left in this window.",
        )
