"""`cstar-explore doctor`: checks the installation, the configuration, the network and the key. It sends two GETs at most."""

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from ..api.certificates import tls_context
from ..api.client import BASE_URL, Client
from ..api.proxies import proxy_for
from ..api.validation import checked_base_url
from ..errors import CStarError, NotFoundError
from ..hosts import is_loopback_url
from ..secret import Secret
from ..signatures.timestamps import TOLERANCE
from ..text import printable, redacted

_PACKAGES = ("cstar-explore", "jupyterlab", "ipywidgets", "anywidget", "pandas", "httpx")


Check = tuple[Literal["ok", "warn", "fail"], str, str]  # the state, the subject and a message


def run(_: argparse.Namespace) -> int:
    """Prints a line for each check. Exit code 1 if one of them failed."""
    failed = False
    for state, subject, message in checks():
        failed = failed or state == "fail"
        print(f"{state:<5} {subject:<13} {printable(redacted(message), 400)}", flush=True)
    if failed:
        print("Some checks failed.", file=sys.stderr)
    return int(failed)


def checks() -> Iterator[Check]:
    """Checks the installation, the configuration, the network and the key's permissions, in this order."""
    yield "ok", "python", sys.version.split()[0]
    yield from map(_package, _PACKAGES)
    base_url = os.environ.get("CSTAR_BASE_URL") or BASE_URL
    network = list(_reported("base URL", _network(base_url)))
    yield from network
    reported = {message for _, _, message in network}
    yield from (check for check in _reported("configuration", _cstar(base_url)) if check[2] not in reported)


def _reported(subject: str, checks: Iterator[Check]) -> Iterator[Check]:
    """The checks. An error ends them, and is itself reported as a check that failed."""
    try:
        yield from checks
    except CStarError as error:
        yield "fail", subject, str(error)


def _package(name: str) -> Check:
    try:
        return "ok", name, version(name)
    except PackageNotFoundError:
        return "fail", name, "It is not installed."


def _network(base_url: str) -> Iterator[Check]:
    """The environment variables that decide how cStar is reached."""
    base_url = checked_base_url(base_url)
    yield from _reported("proxy", _proxy(base_url))
    yield from _reported("certificates", _certificates(base_url))


def _proxy(base_url: str) -> Iterator[Check]:
    proxy = proxy_for(base_url)
    if proxy is not None:
        where = f"{proxy.url.scheme.decode()}://{proxy.url.host.decode()}:{proxy.url.port}"
        yield "warn", "proxy", f"Requests to {base_url} go through the proxy {where}."


def _certificates(base_url: str) -> Iterator[Check]:
    tls_context(base_url)
    name = next((name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)), None)
    if name is not None:
        yield "ok", "certificates", f"{name}: {os.environ[name]}"


def _cstar(base_url: str) -> Iterator[Check]:
    key, team_id = Secret(os.environ.get("CSTAR_KEY", "")), os.environ.get("CSTAR_TEAM_ID") or None
    with Client(key, team_id, base_url, timeout=10, max_wait=0, write=False) as client:
        yield "ok", "configuration", f"{client.environment.upper()} key {client.key} for {client.base_url}"
        yield from _reported("connection", _connection(client))


def _connection(client: Client) -> Iterator[Check]:
    team_id = client.team_id
    try:
        identity = client.whoami()
    except NotFoundError:
        yield "warn", "connection", "The server has no whoami (documented on the SDK's page, not in the reference)."
    else:
        yield "ok", "connection", f"team {identity.team_name or 'without a name'} ({identity.team_id})"
        if team_id is not None and identity.team_id not in (None, team_id):
            yield "fail", "team", f"CSTAR_TEAM_ID is {team_id}, but the key belongs to {identity.team_id}."
            return
        team_id = team_id or identity.team_id
    yield from _clock(client)
    if team_id is None:
        yield "fail", "team", "Set CSTAR_TEAM_ID: cStar did not return the key's team."
        return
    yield from _permissions(client.with_options(team_id=team_id))


def _clock(client: Client) -> Iterator[Check]:
    """A wrong clock refuses valid signatures. A sandbox has its own time."""
    server_time = client.server_time
    if server_time is None or is_loopback_url(client.base_url):
        return
    offset = abs((datetime.now(UTC) - server_time).total_seconds())
    message = f"This machine's clock differs from cStar's by {offset:,.0f} s. Signatures are valid for {TOLERANCE} s."
    yield "ok" if offset < TOLERANCE / 10 else "warn" if offset < TOLERANCE else "fail", "clock", message


def _permissions(client: Client) -> Iterator[Check]:
    try:
        webhooks = client.webhooks.list()
    except CStarError as error:
        yield "fail", "permissions", f"The webhooks could not be listed: {error}"
        return
    publishable = client.key.is_publishable
    writes = "It is publishable, so it can only read." if publishable else "It may also write; that was not tried."
    yield "ok", "permissions", f"The key lists {len(webhooks):,} webhooks. {writes}"
    rate_limit = client.rate_limit
    if rate_limit is not None and rate_limit.remaining is not None:
        low = rate_limit.limit is not None and rate_limit.remaining < rate_limit.limit / 10
        message = f"{rate_limit.remaining:,} of {rate_limit.limit or 0:,} requests are left in this window."
        yield "warn" if low else "ok", "rate limit", message
