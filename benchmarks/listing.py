"""From an answer's bytes to a frame, and from a server to a frame."""

import json
from collections.abc import Iterator

import httpx
import pandas as pd
import stripe
from svix.api import EndpointListOptions, Svix, SvixOptions

import cstar_explore as cx
from cstar_explore.api.responses import Answer, read_page

from . import items
from .measuring import Row, in_turns
from .serving import lists

ROUNDS = 15


def parsed() -> Iterator[Row]:
    """Bytes in memory → DataFrame, every field kept."""
    for count, times in ((100, 20), (1_000, 5), (10_000, 1)):
        content = items.cstar(count)

        def ours(content: bytes = content) -> pd.DataFrame:
            return cx.WebhookList(read_page(Answer(200, {}, content)).items).to_frame()

        def theirs(content: bytes = content) -> pd.DataFrame:
            frame = pd.json_normalize(json.loads(content)["data"])
            frame["createdAt"] = pd.to_datetime(frame["createdAt"])
            return frame

        assert len(ours()) == len(theirs()) == count
        taken = in_turns({"ours": ours, "theirs": theirs}, ROUNDS, times)
        aim = "at least 2.5 times faster" if count == 1_000 else "faster"
        yield Row(
            "answer → DataFrame", f"{count:,}", "json_normalize + to_datetime", taken["ours"], taken["theirs"], aim
        )


def fetched() -> Iterator[Row]:
    """Over loopback HTTP → DataFrame; Stripe's and Svix's SDKs list as many, page by page as they do."""
    for count, rounds, times in ((100, ROUNDS, 5), (1_000, ROUNDS, 3), (10_000, 5, 1)):
        with lists(count) as url, cx.Client("sk_test_not-a-real-key", "team_1", url) as client, httpx.Client() as http:
            paying = stripe.StripeClient("sk_test_not-a-real-key", base_addresses={"api": url})
            sending = Svix("not-a-real-token", SvixOptions(server_url=url))

            def bare(http: httpx.Client = http, url: str = url) -> httpx.Response:
                return http.get(f"{url}/api/v1/teams/team_1/webhooks")

            def with_svix(sending: Svix = sending) -> list[object]:
                found: list[object] = []
                page = sending.endpoint.list("app_1", EndpointListOptions(limit=250))
                found += page.data
                while not page.done:
                    page = sending.endpoint.list("app_1", EndpointListOptions(limit=250, iterator=page.iterator))
                    found += page.data
                return found

            def with_stripe(paying: stripe.StripeClient = paying) -> list[object]:
                return list(paying.v1.webhook_endpoints.list({"limit": 100}).auto_paging_iter())

            def ours(client: cx.Client = client) -> pd.DataFrame:
                return client.webhooks.list().to_frame()

            rivals = {"ours": ours, "bare httpx.get": bare, "svix": with_svix, "stripe": with_stripe}
            assert len(ours()) == len(with_svix()) == len(with_stripe()) == count
            taken = in_turns(rivals, rounds, times)
        for name in ("bare httpx.get", "svix", "stripe"):
            aim = "" if count != 1_000 else "at most 3 times" if name == "bare httpx.get" else "at least 5 times faster"
            yield Row("list over HTTP → DataFrame", f"{count:,}", name, taken["ours"], taken[name], aim)
