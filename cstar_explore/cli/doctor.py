"""`cstar-explore doctor`: checks the installation, the configuration, the network and the key. It sends two GETs at most."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, NamedTuple

from ..api.certificates import tls_context
from ..api.client import BASE_URL, Client
from ..api.proxies import proxy_for
from ..api.validation import checked_base_url
from ..errors import ConfigurationError, CStarError, NotFoundError
from ..secret import Secret
from ..serving.loopback import is_loopback_url
from ..signatures.timestamps import TOLERANCE
from ..text import printable, redacted

_PACKAGES = ("cstar-explore", "jupyterlab", "ipywidgets", "anywidget", "pandas", "httpx")


class Check(NamedTuple):
    """The result of one check."""

    state: Literal["ok", "warn", "fail"]
    subject: str
    message: str


def run(_: argparse.Namespace) -> int:
    """Prints a line for each check. Exit code 1 if one of them failed."""
    failed = False
    for check in checks():
        failed = failed or check.state == "fail"
        print(f"{check.state:<5} {check.subject:<13} {printable(redacted(check.message), 400)}", flush=True)
    if failed:
        print("Some checks failed.", file=sys.stderr)
    return int(failed)


def checks() -> Iterator[Check]:
    """Checks the installation, the configuration, the network and the key's permissions, in this order."""
    yield Check("ok", "python", sys.version.split()[0])
    yield from map(_package, _PACKAGES)
    base_url = os.environ.get("CSTAR_BASE_URL") or BASE_URL
    network = list(_network(base_url))
    yield from network
    try:
        client = Client(
            Secret(os.environ.get("CSTAR_KEY", "")),
            os.environ.get("CSTAR_TEAM_ID") or None,
            base_url,
            timeout=10,
            max_wait=0,
            write=False,
        )
    except CStarError as error:
        if all(str(error) != check.message for check in network):
            yield Check("fail", "configuration", str(error))
        return
    with client:
        yield Check("ok", "configuration", f"{client.environment.upper()} key {client.key} for {client.base_url}")
        yield from _cstar(client)


def _package(name: str) -> Check:
    try:
        return Check("ok", name, version(name))
    except PackageNotFoundError:
        return Check("fail", name, "It is not installed.")


def _network(base_url: str) -> Iterator[Check]:
    """The environment variables that decide how cStar is reached."""
    try:
        base_url = checked_base_url(base_url)
    except ConfigurationError as error:
        yield Check("fail", "base URL", str(error))
        return
    yield from _variable("proxy", lambda: _proxy(base_url))
    yield from _variable("certificates", lambda: _certificates(base_url))


def _variable(subject: str, check: Callable[[], Check | None]) -> Iterator[Check]:
    try:
        result = check()
    except ConfigurationError as error:
        result = Check("fail", subject, str(error))
    if result is not None:
        yield result


def _proxy(base_url: str) -> Check | None:
    proxy = proxy_for(base_url)
    if proxy is None:
        return None
    where = f"{proxy.url.scheme.decode()}://{proxy.url.host.decode()}:{proxy.url.port}"
    return Check("warn", "proxy", f"Requests to {base_url} go through the proxy {where}.")


def _certificates(base_url: str) -> Check | None:
    tls_context(base_url)
    name = next((name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)), None)
    return None if name is None else Check("ok", "certificates", f"{name}: {os.environ[name]}")


def _cstar(client: Client) -> Iterator[Check]:
    team_id = client.team_id
    try:
        identity = client.whoami()
    except NotFoundError:
        yield Check(
            "warn", "connection", "The server has no whoami (documented on the SDK's page, not in the reference)."
        )
    except CStarError as error:
        yield Check("fail", "connection", str(error))
        return
    else:
        yield Check("ok", "connection", f"team {identity.team_name or 'without a name'} ({identity.team_id})")
        if team_id is not None and identity.team_id not in (None, team_id):
            yield Check("fail", "team", f"CSTAR_TEAM_ID is {team_id}, but the key belongs to {identity.team_id}.")
            return
        team_id = team_id or identity.team_id
    yield from _clock(client)
    if team_id is None:
        yield Check("fail", "team", "Set CSTAR_TEAM_ID: cStar did not return the key's team.")
        return
    yield from _permissions(client.with_options(team_id=team_id))


def _clock(client: Client) -> Iterator[Check]:
    """A wrong clock refuses valid signatures. A sandbox has its own time."""
    server_time = client.server_time
    if server_time is None or is_loopback_url(client.base_url):
        return
    offset = abs((datetime.now(UTC) - server_time).total_seconds())
    message = f"This machine's clock differs from cStar's by {offset:,.0f} s. Signatures are valid for {TOLERANCE} s."
    yield Check("ok" if offset < TOLERANCE / 10 else "warn" if offset < TOLERANCE else "fail", "clock", message)


def _permissions(client: Client) -> Iterator[Check]:
    try:
        webhooks = client.webhooks.list()
    except CStarError as error:
        yield Check("fail", "permissions", f"The webhooks could not be listed: {error}")
        return
    writes = (
        "It is publishable, so it can only read."
        if client.key.is_publishable
        else "It may also write; that was not tried."
    )
    yield Check("ok", "permissions", f"The key lists {len(webhooks):,} webhooks. {writes}")
    rate_limit = client.rate_limit
    if rate_limit is not None and rate_limit.remaining is not None:
        low = rate_limit.limit is not None and rate_limit.remaining < rate_limit.limit / 10
        message = f"{rate_limit.remaining:,} of {rate_limit.limit or 0:,} requests are left in this window."
        yield Check("warn" if low else "ok", "rate limit", message)
