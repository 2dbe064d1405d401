"""From the bytes of a response to a frame; and from a server to objects, and to a frame."""

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

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
        ours, floor, idiom = (partial(make, content) for make in (_frame, _by_hand, _idiom))
        pd.testing.assert_frame_equal(ours(), floor())
        rivals = {"`json_normalize` and `to_datetime`": (idiom, 1), "floor: the columns by hand": (floor, 1.2)}
        case = partial(Case, rounds=15, times=times, clock=time.process_time)
        yield case("response → DataFrame", f"{count:,}", "for the frame", ours, rivals)


def _frame(content: bytes) -> pd.DataFrame:
    return cx.WebhookList(read_page(Response(200, {}, content)).items).to_frame()


def _idiom(content: bytes) -> pd.DataFrame:
    frame = pd.json_normalize(json.loads(content)["data"])
    return frame.assign(createdAt=pd.to_datetime(frame["createdAt"]))


def _by_hand(content: bytes) -> pd.DataFrame:
    data = json.loads(content)["data"]
    active = np.array([item["isActive"] for item in data])
    times = np.array([item["createdAt"][:-1] for item in data], dtype="datetime64[us]")
    columns = {
        **{name: pd.array([item[name] for item in data], dtype=TEXT) for name in ("id", "name", "url")},
        "events": np.fromiter((tuple(item["events"]) for item in data), dtype=object, count=len(data)),
        "is_active": pd.arrays.BooleanArray(active, np.zeros_like(active)),
        "created_at": pd.DatetimeIndex(times).tz_localize("UTC"),
        "updated_at": pd.DatetimeIndex(np.full(len(data), "NaT", dtype="datetime64[us]")).tz_localize("UTC"),
    }
    return pd.DataFrame(columns, copy=False).set_axis(pd.Index(list(columns), dtype=TEXT), axis="columns")


def fetch() -> Iterator[Case]:
    """All get their webhooks in one response of the same server. The others make objects; their frame is of the attributes."""
    for count, rounds, times in ((100, 15, 5), (1_000, 11, 2), (10_000, 5, 1)):
        with lists(count) as url, cx.Client(KEY, "team_1", url) as client, httpx.Client() as http:
            get = partial(http.get, f"{url}/api/v1/teams/team_1/webhooks")
            works = _rivals(url, count)
            assert all(len(work()) == count for work in works.values())
            framed = {name: (partial(_framed, name, work), 1) for name, work in works.items()}
            rivals = framed | {"floor: `httpx.get`, not parsed": (get, 2.5 if count == 1_000 else None)}
            case = partial(Case, rounds=rounds, times=times, clock=time.process_time)
            ours: Work = lambda client=client: list(client.webhooks.list())  # noqa: E731
            objects = {name: (work, 1) for name, work in works.items()}
            yield case("list over HTTP → objects", f"{count:,}", "for the list", ours, objects)
            ours = lambda client=client: client.webhooks.list().to_frame()  # noqa: E731
            yield case("list over HTTP → DataFrame", f"{count:,}", "for the frame", ours, rivals)


def _rivals(url: str, count: int) -> dict[str, Any]:
    endpoints = Svix("not-a-real-token", SvixOptions(server_url=url)).endpoint
    stripe_endpoints = stripe.StripeClient(KEY, base_addresses={"api": url}).v1.webhook_endpoints
    github = Github(auth=Auth.Token("not-a-real-token"), base_url=url, per_page=count, seconds_between_requests=None)
    repository = github.get_repo("owner/name", lazy=True)
    return {
        "svix": lambda: endpoints.list("app_1", EndpointListOptions(limit=count)).data,
        "stripe": lambda: list(stripe_endpoints.list({"limit": count}).auto_paging_iter()),
        "PyGithub": lambda: list(repository.get_hooks()),
    }


def _framed(name: str, work: Any) -> pd.DataFrame:
    listed = work()
    frame = pd.DataFrame({column: [getattr(each, column) for each in listed] for column in COLUMNS[name]})
    return frame.assign(created=pd.to_datetime(frame["created"], unit="s", utc=True)) if name == "stripe" else frame
