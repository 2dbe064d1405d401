"""From the bytes of a response to a frame, and from a server to a frame."""

import json
from collections.abc import Iterator

import httpx
import pandas as pd
import stripe
from svix.api import EndpointListOptions, Svix, SvixOptions

import cstar_explore as cx
from cstar_explore.api.responses import Response, read_page

from . import items
from .measuring import Row, measure
from .serving import lists

ROUNDS = 15


def parse() -> Iterator[Row]:
    """From bytes in memory, keeping every field."""
    for count, times in ((100, 20), (1_000, 5), (10_000, 1)):
        content = items.cstar(count)

        def ours(content: bytes = content) -> pd.DataFrame:
            return cx.WebhookList(read_page(Response(200, {}, content)).items).to_frame()

        def theirs(content: bytes = content) -> pd.DataFrame:
            frame = pd.json_normalize(json.loads(content)["data"])
            frame["createdAt"] = pd.to_datetime(frame["createdAt"])
            return frame

        assert len(ours()) == len(theirs()) == count
        taken = measure({"ours": ours, "theirs": theirs}, ROUNDS, times)
        target = "at least 2.5x faster" if count == 1_000 else "faster"
        yield Row(
            "response → DataFrame",
            f"{count:,}",
            "`json_normalize` and `to_datetime`",
            taken["ours"],
            taken["theirs"],
            target,
        )


def fetch() -> Iterator[Row]:
    """Over loopback HTTP. The SDKs of Stripe and Svix list as many endpoints, page by page."""
    for count, rounds, times in ((100, ROUNDS, 5), (1_000, ROUNDS, 3), (10_000, 5, 1)):
        with lists(count) as url, cx.Client("sk_test_not-a-real-key", "team_1", url) as client, httpx.Client() as http:
            stripe_client = stripe.StripeClient("sk_test_not-a-real-key", base_addresses={"api": url})
            svix_client = Svix("not-a-real-token", SvixOptions(server_url=url))

            def with_httpx(http: httpx.Client = http, url: str = url) -> httpx.Response:
                return http.get(f"{url}/api/v1/teams/team_1/webhooks")

            def with_svix(svix_client: Svix = svix_client) -> list[object]:
                endpoints: list[object] = []
                page = svix_client.endpoint.list("app_1", EndpointListOptions(limit=250))
                endpoints += page.data
                while not page.done:
                    page = svix_client.endpoint.list("app_1", EndpointListOptions(limit=250, iterator=page.iterator))
                    endpoints += page.data
                return endpoints

            def with_stripe(stripe_client: stripe.StripeClient = stripe_client) -> list[object]:
                return list(stripe_client.v1.webhook_endpoints.list({"limit": 100}).auto_paging_iter())

            def ours(client: cx.Client = client) -> pd.DataFrame:
                return client.webhooks.list().to_frame()

            alternatives = {"ours": ours, "`httpx.get`": with_httpx, "svix": with_svix, "stripe": with_stripe}
            assert len(ours()) == len(with_svix()) == len(with_stripe()) == count
            taken = measure(alternatives, rounds, times)
        for name in ("`httpx.get`", "svix", "stripe"):
            target = "" if count != 1_000 else "at most 3x" if name == "`httpx.get`" else "at least 5x faster"
            yield Row("list over HTTP → DataFrame", f"{count:,}", name, taken["ours"], taken[name], target)
