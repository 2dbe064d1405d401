"""From the bytes of a response to a frame; and from a server to objects, and to a frame."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import httpx
import numpy as np
import pandas as pd
import stripe
from github import Auth, Github
from svix.api import EndpointListOptions, Svix, SvixOptions

import cstar_explore as cx
from cstar_explore.api.responses import Response, read_page
from cstar_explore.frames import TEXT

from . import items
from .measuring import Case, Work
from .server import KEY, lists

IDIOM, FLOOR = "`json_normalize` and `to_datetime`", "floor: the columns by hand"

# For each rival, the attributes that make the columns of its frame.
COLUMNS = {
    "svix": ("id", "description", "url", "event_types", "disabled", "created_at", "updated_at"),
    "stripe": ("id", "description", "url", "enabled_events", "status", "created"),
    "PyGithub": ("id", "name", "url", "events", "active", "created_at", "updated_at"),
}


def parse() -> Iterator[Case]:
    """From bytes in memory."""
    for count, times in ((100, 20), (1_000, 5), (10_000, 1)):
        content = items.response("", count)
        pd.testing.assert_frame_equal(_frame(content), _by_hand(content))
        rivals = {IDIOM: partial(_idiom, content), FLOOR: partial(_by_hand, content)}
        yield Case(
            "response → DataFrame",
            f"{count:,}",
            "for the frame",
            partial(_frame, content),
            rivals,
            aims={IDIOM: 1, FLOOR: 1.2},
            rounds=15,
            times=times,
            clock=time.process_time,
        )


def _frame(content: bytes) -> pd.DataFrame:
    return cx.WebhookList(read_page(Response(200, {}, content)).items).to_frame()


def _idiom(content: bytes) -> pd.DataFrame:
    frame = pd.json_normalize(json.loads(content)["data"])
    return frame.assign(createdAt=pd.to_datetime(frame["createdAt"]))


def _by_hand(content: bytes) -> pd.DataFrame:
    data = json.loads(content)["data"]
    texts = {name: pd.array([item[name] for item in data], dtype=TEXT) for name in ("id", "name", "url")}
    active = np.array([item["isActive"] for item in data])
    times = np.array([item["createdAt"][:-1] for item in data], dtype="datetime64[us]")
    columns = {
        **texts,
        "events": np.fromiter((tuple(item["events"]) for item in data), dtype=object, count=len(data)),
        "is_active": pd.arrays.BooleanArray(active, np.zeros_like(active)),
        "created_at": pd.DatetimeIndex(times).tz_localize("UTC"),
        "updated_at": pd.DatetimeIndex(np.full(len(data), "NaT", dtype="datetime64[us]")).tz_localize("UTC"),
    }
    frame = pd.DataFrame(columns, copy=False)
    return frame.set_axis(pd.Index(list(columns), dtype=TEXT), axis="columns")


def objects() -> Iterator[Case]:
    """The objects that each library makes."""
    for count, rounds, times in ((100, 15, 5), (1_000, 11, 2), (10_000, 5, 1)):
        with _alternatives(count) as (client, _, rivals):
            work = "list over HTTP → objects"
            ours = partial(lambda client: list(client.webhooks.list()), client)
            aims = dict.fromkeys(rivals, 1)
            yield Case(work, f"{count:,}", "for the list", ours, rivals, aims=aims, rounds=rounds, times=times)


def frames() -> Iterator[Case]:
    """A frame. The other libraries make none, so theirs is made of their objects' attributes."""
    for count, rounds, times in ((100, 15, 5), (1_000, 11, 2), (10_000, 5, 1)):
        with _alternatives(count) as (client, get, listed):
            get_name = "floor: `httpx.get`, not parsed"
            rivals = {name: partial(_framed, name, work) for name, work in listed.items()} | {get_name: get}
            aims = dict.fromkeys(listed, 1) | ({get_name: 2.5} if count == 1_000 else {})
            ours = partial(lambda client: client.webhooks.list().to_frame(), client)
            work = "list over HTTP → DataFrame"
            yield Case(work, f"{count:,}", "for the frame", ours, rivals, aims=aims, rounds=rounds, times=times)


@contextmanager
def _alternatives(count: int) -> Iterator[tuple[cx.Client, Work, dict[str, Work]]]:
    """Our client, a bare GET, and the lists of the others. All get their webhooks in one response of the same server."""
    with lists(count) as url, cx.Client(KEY, "team_1", url) as client, httpx.Client() as http:
        endpoints = Svix("not-a-real-token", SvixOptions(server_url=url)).endpoint
        stripe_endpoints = stripe.StripeClient(KEY, base_addresses={"api": url}).v1.webhook_endpoints
        github = Github(
            auth=Auth.Token("not-a-real-token"), base_url=url, per_page=count, seconds_between_requests=None
        )
        repository = github.get_repo("owner/name", lazy=True)
        rivals: dict[str, Work] = {
            "svix": lambda: endpoints.list("app_1", EndpointListOptions(limit=count)).data,
            "stripe": lambda: list(stripe_endpoints.list({"limit": count}).auto_paging_iter()),
            "PyGithub": lambda: list(repository.get_hooks()),
        }
        assert all(len(work()) == count for work in (*rivals.values(), client.webhooks.list))
        yield client, lambda: http.get(f"{url}/api/v1/teams/team_1/webhooks"), rivals


def _framed(name: str, listed: Work) -> pd.DataFrame:
    endpoints: Sequence[object] = listed()
    frame = pd.DataFrame({column: [getattr(each, column) for each in endpoints] for column in COLUMNS[name]})
    return frame.assign(created=pd.to_datetime(frame["created"], unit="s", utc=True)) if name == "stripe" else frame
