"""Labelled webhooks of several teams: each has exactly the rules that must report it.

Constant data. Each host is used once, except where sharing is the point, so that rules that compare webhooks and teams (duplicates,
lookalikes, hosts of many teams) match only what was planted for them.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

NOW = dt.datetime(2025, 12, 10, 14, 30, tzinfo=dt.UTC)

RULES = {
    "unreadable_url": "high",
    "plain_http": "high",
    "credentials_in_url": "high",
    "tunnel_host": "high",
    "private_address": "high",
    "lookalike_host": "high",
    "odd_port": "low",
    "delivers_twice": "medium",
    "same_url": "low",
    "everything": "medium",
    "wildcard": "low",
    "unknown_event": "medium",
    "former_event": "medium",
    "no_events": "medium",
    "unreceived_event": "medium",
    "inactive_long": "low",
    "old_secret": "low",
    "test_name": "medium",
    "many_teams": "info",
}
"""Every rule and its severity."""

TICKETS = (
    "ticket.created",
    "ticket.updated",
    "ticket.closed",
    "ticket.message_added",
    "ticket.deleted",
    "ticket.assigned",
)
CUSTOMERS = (
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "customer_group.created",
    "customer_group.updated",
    "customer_group.deleted",
)
OTHERS = (
    "article.created",
    "article.published",
    "article.updated",
    "article.deleted",
    "team.preferences_updated",
    "agent.preferences_updated",
    "boss.spawned",
    "boss.damaged",
    "boss.defeated",
    "player.level_up",
    "player.achievement_unlocked",
    "player.xp_gained",
    "player.quest_completed",
    "player.streak_milestone",
    "social.one_up_sent",
    "social.high_five_sent",
    "community_post.created",
    "community_post.updated",
    "community_post.status_changed",
    "community_post.commented",
    "community_post.deleted",
    "community_post.voted",
    "survey.submitted",
)
ALL = TICKETS + CUSTOMERS + OTHERS
PATTERNS = (
    "ticket.*",
    "customer.*",
    "customer_group.*",
    "article.*",
    "team.*",
    "agent.*",
    "boss.*",
    "player.*",
    "social.*",
    "community_post.*",
    "survey.*",
)
USUAL = ("ticket.created", "ticket.closed")

PASSWORD = "hunter2-Rosebud"
VALUE = "q7Zp2Xw9Lk4T"
STRIPE = "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dcQmZx81Vb"
SIGNING = "whsec" + "_" + "AbCdEf1234567890GhIjKlMnOpQrStUv"
GITHUB = "ghp" + "_" + "16C7e42F292c6912E7710c838347Ae178B4a"
SLACK = "xoxb" + "-" + "263594206564-2343594206574-FGqddMF8t08v8N7Oq4i57vs1"
AMAZON = "AKIA" + "IOSFODNN7EXAMPLE"
TOKEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    ".eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0"
    ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
)
SECRETS = (PASSWORD, VALUE, STRIPE, SIGNING, GITHUB, SLACK, AMAZON, TOKEN)
"""Secrets in the URLs, which must never be shown."""


@dataclass(frozen=True)
class LabelledWebhook:
    """A webhook and the rules that must report it."""

    account: str
    environment: str
    id: str
    name: str | None
    url: str | None
    events: tuple[str, ...]
    is_active: bool
    created_at: dt.datetime | None
    updated_at: dt.datetime | None
    labels: frozenset[str]

    @property
    def team_id(self) -> str:
        return f"team_{self.account}"


def ago(days: float) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


class Team:
    """A team under construction. By default, a webhook is active, four months old and without findings."""

    def __init__(self, account: str, environment: str, *, covered: bool = True) -> None:
        self.account = account
        self.environment = environment
        self.webhooks: list[LabelledWebhook] = []
        if covered:  # receives every type, so that a paused webhook has no unreceived events
            self.add(name="Help desk", events=TICKETS + CUSTOMERS)
            self.add(name="Everything else", events=OTHERS)

    def add(
        self,
        url: str | None = "",
        *labels: str,
        name: str | None = "Order sync",
        events: Iterable[str] = USUAL,
        active: bool = True,
        created: float | None = 120,
        updated: float | None = None,
    ) -> None:
        """Adds a webhook. Without a URL it gets one of its own. Times are days ago."""
        number = len(self.webhooks) + 1
        self.webhooks.append(
            LabelledWebhook(
                account=self.account,
                environment=self.environment,
                id=f"whk_{self.account}_{number:03}",
                name=name,
                url=f"https://hook-{number}.{self.account}.example/cstar" if url == "" else url,
                events=tuple(events),
                is_active=active,
                created_at=None if created is None else ago(created),
                updated_at=None if updated is None else ago(updated),
                labels=frozenset(labels),
            )
        )

    def add_all(self, urls: Iterable[str | None], *labels: str, **fields: Any) -> None:
        for url in urls:
            self.add(url, *labels, **fields)


def punycode(host: str) -> str:
    """The host as it is written in DNS."""
    return ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in host.split(".")
    )


# --- teams without findings -------------------------------------------------------------------------------------------


def clean() -> list[Team]:
    """Five teams without findings, some of them unusual at first sight."""
    alder = Team("alder", "live")
    alder.add("https://hooks.slack.com/services/T0001/B0001/alder", name="Slack")
    alder.add("https://hooks.zapier.com/hooks/catch/1/abc/", name="Zapier")
    alder.add("https://discord.com/api/webhooks/1/alder", name="Discord")
    alder.add("https://acme.webhook.office.com/webhookb2/1", name="Teams")
    alder.add("https://prod-01.westeurope.logic.azure.com/workflows/1", name="Logic app")
    alder.add("https://chat.googleapis.com/v1/spaces/AAA/messages", name="Google Chat")
    alder.add("https://events.pagerduty.com/v2/enqueue", name="PagerDuty")
    alder.add("https://hook.alder-shop.com:443/cstar", name="Explicit port")
    alder.add("https://hook.alder-shop.com:8443/cstar", name="Port 8443")
    alder.add(active=False, updated=20, name="Old ticket board")
    alder.add(active=False, updated=90, name="Paused for exactly ninety days")
    alder.add(created=365, name="A year old to the second")
    alder.add(events=ALL[:27], name="Twenty-seven types")

    birch = Team("birch", "test")
    birch.add("https://hooks.slack.com/services/T0001/B0001/birch", name="test")
    birch.add("https://hooks.zapier.com/hooks/catch/2/abc/", name="Zapier test")
    birch.add("https://discord.com/api/webhooks/1/birch", name="Discord")
    birch.add("https://acme.webhook.office.com/webhookb2/2", name="Teams")
    birch.add("https://prod-01.westeurope.logic.azure.com/workflows/2", name="Logic app")
    birch.add("https://chat.googleapis.com/v1/spaces/BBB/messages", name="Google Chat")
    birch.add("https://events.pagerduty.com/v2/enqueue", name="PagerDuty")
    for name in ("tmp", "demo hook", "foo", "bar", "asdf", "debug", "staging", "dev", "deleteme", "sandbox"):
        birch.add(name=name)

    cedar = Team("cedar", "sandbox")
    cedar.add("http://127.0.0.1/hook")
    cedar.add("http://127.0.0.1:80/hook/eighty")
    cedar.add("http://127.0.0.1:8443/hook/8443")
    cedar.add("https://127.0.0.1/secure")
    cedar.add("http://127.8.9.10/hook")
    cedar.add("http://localhost/hook")
    cedar.add("http://LOCALHOST/hook/upper")
    cedar.add("http://app.localhost/hook")
    cedar.add("https://[::1]/hook")
    cedar.add("http://[::1]/plain")
    cedar.add("https://hooks.slack.com/services/T0001/B0001/cedar", name="test")
    cedar.add("https://discord.com/api/webhooks/1/cedar", name="staging")
    cedar.add("https://acme.webhook.office.com/webhookb2/3", name="dummy")
    cedar.add("https://prod-01.westeurope.logic.azure.com/workflows/3", name="temp")

    elm = Team("elm", "live")
    elm.add("https://HOOKS.elm-shop.com/Cstar/IN?x=1&y=2#part", name="Ünïcødé & <b>bold</b>")
    elm.add("https://elm.example", name="No path")
    elm.add("https://elm.example./dot", name="Dot at the end")
    elm.add("https://bücher.elm.example/hook", name="Bücher")
    elm.add("https://xn--bcher-kva.elm-shop.com/hook", name="Bücher in punycode")
    elm.add("https://例え.テスト/hook", name="日本語")
    elm.add("https://пример.рф/hook", name="Пример")
    elm.add("https://a-very-long-host-name-with-many-words.and-labels.elm.example/" + "p" * 1500, name="Long")
    elm.add("https://93.184.216.34/hook", name="An IPv4 address")
    elm.add("https://[2606:4700:4700::1111]/hook", name="An IPv6 address")
    elm.add(name=None)
    elm.add(name="")
    elm.add(name="=HYPERLINK(1)")
    elm.add(created=None)
    elm.add(created=-2, name="Clock ahead")
    elm.add(active=False, name="Paused at an unknown time", created=80)

    return [alder, birch, cedar, elm, Team("empty-but-covered", "live")]


# --- URLs -------------------------------------------------------------------------------------------------------------


def unreadable() -> Team:
    team = Team("fir", "live")
    team.add_all(
        (
            None,
            "   ",
            "not a url",
            "example.com/hook",
            "//fir.example/hook",
            "/hook",
            "?x=1",
            "https://",
            "https:///hook",
            "https://?x=1",
            "https://#part",
            "https://:443/hook",
            "https:fir.example/hook",
            "mailto:ada@fir.example",
            "javascript:alert(1)",
            "https://fir shop.example/hook",
            "https://[::1/hook",
            "https://[zz::]/hook",
            "https://port.fir.example:port/hook",
            "https://high.fir.example:99999/hook",
            "••••",
        ),
        "unreadable_url",
    )
    team.add("https://fir.example/a%20b/hook")
    team.add("https://space.fir.example/?q=a%20b")
    team.add("https://blank-port.fir.example:/hook")
    team.add("https://fir.example?x=//")
    return team


def plain() -> list[Team]:
    hazel = Team("hazel", "live")
    hazel.add_all(
        (
            "http://hazel.example/hook",
            "HTTP://upper.hazel.example/hook",
            "Http://mixed.hazel.example/hook",
            "http://eighty.hazel.example:80/hook",
            "http://secure.hazel.example:443/hook",
            "http://other.hazel.example:8443/hook",
            "http://93.184.216.35/hook",
            "http://bücher.hazel.example/hook",
            "http://paused.hazel.example/?next=https://hazel.example",
        ),
        "plain_http",
    )
    hazel.add("http://resting.hazel.example/hook", "plain_http", active=False, updated=5)
    hazel.add("http://8080.hazel.example:8080/hook", "plain_http", "odd_port")
    hazel.add("http://hazel.localhost/hook", "plain_http", "private_address")
    hazel.add("http://127.0.0.3/hazel", "plain_http", "private_address")
    hazel.add("http://[fe80::2]/hazel", "plain_http", "private_address")
    hazel.add("http://hazel-bin.requestcatcher.com/", "plain_http", "tunnel_host")
    hazel.add(f"http://ada:{PASSWORD}@login.hazel.example/", "plain_http", "credentials_in_url")
    hazel.add_all(
        (
            "https://http.hazel.example/http://x",
            "https://next.hazel.example/?next=http://example.org/",
            "https://coded.hazel.example/?next=http%3A%2F%2Fexample.org",
            "HTTPS://loud.hazel.example/hook",
            "https://part.hazel.example/#http://x",
            "https://to.hazel.example/http/hazel.example",
        )
    )
    test = Team("ivy", "test")
    test.add("http://ivy.example/hook", "plain_http")
    test.add("http://ivy.localhost:80/hook", "plain_http", "private_address")
    test.add("http://app.localhost/ivy", "plain_http", "private_address")
    sandbox = Team("kapok", "sandbox")
    sandbox.add("http://kapok.example/hook", "plain_http")
    sandbox.add("http://10.0.0.7/hook", "plain_http", "private_address")
    sandbox.add("http://printer.local/hook", "plain_http", "private_address")
    sandbox.add("http://localhost.kapok.example/hook", "plain_http")
    sandbox.add("http://127.0.0.1.kapok.example/hook", "plain_http")
    sandbox.add("https://192.168.0.7/kapok", "private_address")
    sandbox.add("https://kapok/hook", "private_address")
    return [hazel, test, sandbox]


def credentials() -> Team:
    team = Team("juniper", "live")
    team.add_all(
        (
            f"https://ada:{PASSWORD}@juniper.example/hook",
            f"https://:{PASSWORD}@no-user.juniper.example/hook",
            f"https://ada%40x:{PASSWORD}@coded.juniper.example/hook",
            f"https://q1.juniper.example/hook?token={VALUE}",
            f"https://q2.juniper.example/hook?TOKEN={VALUE}",
            f"https://q3.juniper.example/hook?a=1&key={VALUE}&b=2",
            f"https://q4.juniper.example/hook?apikey={VALUE}",
            f"https://q5.juniper.example/hook?api_key={VALUE}",
            f"https://q6.juniper.example/hook?api-key={VALUE}",
            f"https://q7.juniper.example/hook?apiKey={VALUE}",
            f"https://q8.juniper.example/hook?secret={VALUE}",
            f"https://q9.juniper.example/hook?client_secret={VALUE}",
            f"https://q10.juniper.example/hook?password={VALUE}",
            f"https://q11.juniper.example/hook?sig={VALUE}",
            f"https://q12.juniper.example/hook?sv=2020&signature={VALUE}",
            f"https://q13.juniper.example/hook?X-Amz-Signature={VALUE}",
            f"https://q14.juniper.example/hook?auth={VALUE}",
            f"https://q15.juniper.example/hook?auth_token={VALUE}",
            f"https://q16.juniper.example/hook?access_token={VALUE}",
            f"https://q17.juniper.example/hook?accessToken={VALUE}",
            f"https://q18.juniper.example/hook?%74oken={VALUE}",
            f"https://q19.juniper.example/?x=1&amp=2&Secret={VALUE}#part",
            f"https://k1.juniper.example/{STRIPE}",
            f"https://k2.juniper.example/hook?x={SIGNING}",
            f"https://k3.juniper.example/hook/{GITHUB}/in",
            f"https://k4.juniper.example/hook?who={SLACK}",
            f"https://k5.juniper.example/{AMAZON}/hook",
            f"https://k6.juniper.example/hook?jwt={TOKEN}",
            f"https://k7.juniper.example/hook/{TOKEN}",
            f"https://k8.juniper.example/hook#{STRIPE}",
            f"https://{GITHUB}@k9.juniper.example/hook",
        ),
        "credentials_in_url",
    )
    team.add(f"https://rest.juniper.example/?token={VALUE}", "credentials_in_url", active=False, updated=5)
    team.add(f"https://odd.juniper.example:9000/?token={VALUE}", "credentials_in_url", "odd_port")
    team.add_all(
        (
            "https://n1.juniper.example/hook?tokenise=1",
            "https://n2.juniper.example/hook?keyboard=qwerty",
            "https://n3.juniper.example/hook?monkey=george",
            "https://n4.juniper.example/hook?design=blue",
            "https://n5.juniper.example/hook?author=ada",
            "https://n6.juniper.example/hook?signal=strong",
            "https://n7.juniper.example/hook?keyword=help",
            "https://n8.juniper.example/hook?secretary=ada",
            "https://n9.juniper.example/hook?sigma=2",
            "https://n10.juniper.example/hook?token=",
            "https://n11.juniper.example/hook?key",
            "https://n12.juniper.example/hook?passwordless=true",
            "https://n13.juniper.example/token/secret/password",
            "https://token.juniper.example/hook",
            "https://n15.juniper.example/hook?what=token",
            "https://n16.juniper.example/hook?hockey=1&turkey=2",
            "https://n17.juniper.example/at@sign:here",
            "https://n18.juniper.example/hook?mail=ada:b@example.com",
            "https://n19.juniper.example/sk_live_",
            "https://n20.juniper.example/risk_lives_here",
            "https://n21.juniper.example/AKIA/akiaiosfodnn7",
            "https://n22.juniper.example/eyJ.html",
            "https://n23.juniper.example/hook?authority=city&authors=3",
            "https://n24.juniper.example/3fa85f64-5717-4562-b3fc-2c963f66afa6",
        )
    )
    return team


def tunnels() -> Team:
    team = Team("larch", "test")
    team.add_all(
        (
            "https://abc.ngrok.io/hook",
            "https://ABC-2.NGROK.IO/hook",
            "https://abc-3.ngrok.io./hook",
            "https://abc.eu.ngrok.io/hook",
            "https://ngrok.io/hook",
            "https://abc.ngrok.app/hook",
            "https://abc.ngrok-free.app/hook",
            "https://abc.ngrok-free.dev/hook",
            "https://abc.ngrok.dev/hook",
            "https://abc.loca.lt/hook",
            "https://abc.localtunnel.me/hook",
            "https://four-random-words-here.trycloudflare.com/hook",
            "https://abc.serveo.net/hook",
            "https://abc.lhr.life/hook",
            "https://abc.localhost.run/hook",
            "https://abc.pagekite.me/hook",
            "https://bore.pub/hook",
            "https://abc-3000.euw.devtunnels.ms/hook",
            "https://abc-3000.app.github.dev/hook",
            "https://3000-abc.ws-eu1.gitpod.io/hook",
            "https://webhook.site/3fa85f64-5717-4562-b3fc-2c963f66afa6",
            "https://abc.webhook.site/",
            "https://abc.requestbin.com/",
            "https://requestbin.net/r/abc",
            "https://hookbin.com/abc",
            "https://abc.free.beeceptor.com/",
            "https://mockbin.org/bin/abc",
            "https://abc.requestcatcher.com/",
            "https://smee.io/abc",
            "https://httpbin.org/post",
            "https://www.postb.in/abc",
            "https://webhook.cool/at/abc",
            "https://play.svix.com/in/abc/",
            "https://eoabc.x.pipedream.net/",
        ),
        "tunnel_host",
    )
    team.add("https://def.ngrok.io:4040/hook", "tunnel_host", "odd_port")
    team.add(f"https://def.loca.lt/hook?token={VALUE}", "tunnel_host", "credentials_in_url")
    team.add_all(
        (
            "https://myngrok.io.example.com/hook",
            "https://ngrok.io.larch.example/hook",
            "https://myngrok.io/hook",
            "https://ngrok.com/hook",
            "https://my-ngrok.app/hook",
            "https://mywebhook.site/hook",
            "https://webhook.site.larch.example/hook",
            "https://webhook-site.larch.example/hook",
            "https://api.svix.com/hook",
            "https://eoabc.m.pipedream.net/",
            "https://www.github.dev/hook",
            "https://github.com/hook",
            "https://gitpod.larch.example/hook",
            "https://larch.example/hook?to=https://abc.ngrok.io",
            "https://path.larch.example/webhook.site/ngrok.io",
            "https://trycloudflare.com.larch.example/",
            "https://nothttpbin.org/post",
            "https://bore.public.larch.example/",
            "https://dev.localhost.running.larch.example/",
        )
    )
    return team


def private() -> list[Team]:
    maple = Team("maple", "live")
    maple.add_all(
        (
            "https://127.0.0.1/maple",
            "https://127.255.0.9/hook",
            "https://127.0.0.1./dot",
            "https://localhost/maple",
            "https://LocalHost./dot",
            "https://api.localhost/hook",
            "https://10.0.0.1/hook",
            "https://10.255.255.255/hook",
            "https://172.16.0.1/hook",
            "https://172.31.255.254/hook",
            "https://192.168.1.1/hook",
            "https://169.254.169.254/latest/meta-data",
            "https://0.0.0.0/hook",
            "https://100.64.0.1/hook",
            "https://100.127.255.254/hook",
            "https://240.0.0.1/hook",
            "https://255.255.255.255/hook",
            "https://[::1]/maple",
            "https://[0:0:0:0:0:0:0:1]/long",
            "https://[::]/hook",
            "https://[fe80::1]/hook",
            "https://[fc00::1]/hook",
            "https://[fd12:3456:789a::1]/hook",
            "https://[FD12:3456:789A::2]/hook",
            "https://[::ffff:10.0.0.1]/hook",
            "https://[::ffff:7f00:1]/hook",
            "https://[::ffff:100.64.0.1]/hook",
            "https://[64:ff9b::10.0.0.1]/hook",
            "https://[2002:0a00:0001::1]/hook",
            "https://2130706433/hook",
            "https://0x7f000001/hook",
            "https://0x7f.1/hook",
            "https://0X7F.0.0.1/hook",
            "https://017700000001/hook",
            "https://0177.0.0.1/hook",
            "https://127.1/hook",
            "https://10.1/hook",
            "https://192.168.257/hook",
            "https://3232235777/hook",
            "https://0xC0A80101/hook",
            "https://0xa9fea9fe/hook",
            "https://１２７.０.０.１/hook",
            "https://printer.local/maple",
            "https://deep.down.printer.local/hook",
            "https://db.internal/hook",
            "https://metadata.google.internal/computeMetadata/v1/",
            "https://nas.lan/hook",
            "https://sandbox.home.arpa/hook",
            "https://wiki.intranet/hook",
            "https://jira.corp/hook",
            "https://tv.home/hook",
            "https://DB.INTERNAL./dot",
            "https://intranet/hook",
            "https://build-server/hook",
        ),
        "private_address",
    )
    maple.add("https://10.0.0.2:8080/hook", "private_address", "odd_port")
    maple.add(f"https://ada:{PASSWORD}@10.0.0.3/hook", "private_address", "credentials_in_url")

    oak = Team("oak", "live")
    oak.add_all(
        (
            "https://10.example.com/hook",
            "https://127.0.0.1.oak.example/hook",
            "https://192.168.1.1.oak.example/hook",
            "https://10-0-0-1.oak.example/hook",
            "https://localhost.oak.example/hook",
            "https://mylocalhost.com/hook",
            "https://local.oak.example/hook",
            "https://internal.oak.example/hook",
            "https://db.internal.oak.example/hook",
            "https://thelocal.se/hook",
            "https://wlan.com/hook",
            "https://home.oak.example/hook",
            "https://corp.oak.example/hook",
            "https://acmecorp.com/hook",
            "https://lan.party/hook",
            "https://fe80.oak.example/hook",
            "https://0x7f.oak.example/hook",
            "https://2130706433.oak.example/hook",
            "https://9.255.255.255/hook",
            "https://11.0.0.1/hook",
            "https://100.63.255.255/hook",
            "https://100.128.0.1/hook",
            "https://126.255.255.255/hook",
            "https://128.0.0.1/hook",
            "https://169.253.1.1/hook",
            "https://169.255.1.1/hook",
            "https://172.15.255.255/hook",
            "https://172.32.0.1/hook",
            "https://192.167.1.1/hook",
            "https://192.169.1.1/hook",
            "https://8.8.8.8/hook",
            "https://0x8.0x8.0x8.0x9/hook",
            "https://[2001:4860:4860::8888]/hook",
            "https://[::ffff:8.8.4.4]/hook",
            "https://[64:ff9b::8.8.4.4]/hook",
            "https://home.arpa.oak.example/hook",
        )
    )
    return [maple, oak]


def lookalikes() -> list[Team]:
    """Originals in one team, lookalikes in another, and a pair within one."""
    real = Team("rowan", "live")
    fake = Team("spruce", "test")
    for host in (
        "apple-like.com",
        "hooks.paypol.example",
        "shop.scope.example",
        "coco.example",
        "mixed.kite-shop.example",
    ):
        real.add(f"https://{host}/hook", created=100)
    # Cyrillic and Greek letters: the ASCII host is the original, whichever is older
    fake.add(f"https://{punycode('аpple-like.com')}/hook", "lookalike_host", created=50)
    fake.add("https://hooks.pаypοl.example/hook", "lookalike_host", created=300)
    fake.add("https://SHOP.ѕсоре.example/hook", "lookalike_host", created=50)
    fake.add(f"https://{punycode('сосо.example').upper()}/hook", "lookalike_host", created=50)
    fake.add("https://mixed.kıte-shop.example/hook", "lookalike_host", created=50)
    # confusable ASCII letters: the later host is reported
    for first, second in (
        ("hooks.sample-shop.com", "hooks.samp1e-shop.com"),
        ("api.goodle.com", "api.g00dle.com"),
        ("a.payfriend.com", "b.payfrlend.com"),
        ("tumble.org", "turnble.org"),
        ("wonder.net", "vvonder.net"),
        ("hook.micro-sort.io", "HOOK.MICR0-SORT.io"),
        ("in.million.dev", "in.mi11ion.dev"),
        ("late.zer0ne.com", "late.zerone.com"),  # the host with the digit is older
        ("x.bil-ling.com", "x.biI-ling.com"),
    ):
        real.add(f"https://{first}/hook", created=100)
        fake.add(f"https://{second}/hook", "lookalike_host", created=50)
    fake.add("https://vvonder.net/again", "lookalike_host", created=40)
    # not alike
    for host in (
        "modern.rowan-shop.com",
        "corner.io",
        "vvip.example",
        "tumbler.org",
        "tumble.net",
        "wonders.net",
        "wander.net",
        "sample-shop.org",
        "sampleshop.com",
        "api.tumble.org",
        "0ne.rowan-shop.com",
        "one.rowan-shop.com",
        "rn.rowan-shop.com",
        "m.rowan-shop.com",
        "hooks.example2.rowan-shop.com",
        "hooks.examplez.rowan-shop.com",
        "café-rowan.example",
        punycode("übergröße.example"),
        "кухня.example",
        "東京.example",
        "δοκιμή.gr",
        "xn-80ak6.rowan-shop.com",
    ):
        fake.add(f"https://{host}/hook")
    return [real, fake]


def ports() -> Team:
    team = Team("tulip", "live")
    team.add_all(
        (
            "https://p1.tulip.example:8080/hook",
            "https://p2.tulip.example:3000/hook",
            "https://p3.tulip.example:444/hook",
            "https://p4.tulip.example:4430/hook",
            "https://p5.tulip.example:80/hook",
            "https://p6.tulip.example:65535/hook",
            "https://p7.tulip.example:22/hook",
            "https://p8.tulip.example:8444/hook",
            "https://93.184.216.36:9443/hook",
            "https://[2606:4700:4700::1112]:9443/hook",
            "https://p9.tulip.example:1/?x=:443",
        ),
        "odd_port",
    )
    team.add("https://p10.tulip.example:5000/hook", "odd_port", active=False, updated=3)
    team.add_all(
        (
            "https://o1.tulip.example:443/hook",
            "https://o2.tulip.example:8443/hook",
            "https://o3.tulip.example/hook:8080",
            "https://o4.tulip.example/?x=a:8080",
            "https://8080.tulip.example/hook",
            "https://[2606:4700:4700::1113]/hook",
            "https://[2606:4700:4700::1114]:443/hook",
            "https://o7.tulip.example:/hook",
        )
    )
    return team


# --- duplicates -------------------------------------------------------------------------------------------------------


def duplicates() -> list[Team]:
    """Pairs with the same receiver, query included; all but the oldest are reported."""
    team = Team("umbra", "live")
    both = ("ticket.created", "survey.submitted")
    for number, (older, younger) in enumerate(
        (
            ("https://{}/hook", "https://{}/hook"),
            ("https://{}/hook?tenant=a", "https://{}/hook?tenant=a"),
            ("https://{}", "https://{}/"),
            ("https://{}/hook", "https://{}:443/hook"),
            ("https://{}:443/hook", "https://{}/hook"),
            ("https://{}/hook", "https://{}/hook#one"),
            ("https://{}/hook?copy=2", "https://{}:443/hook?copy=2"),
            ("https://{}/hook", "https://{}/hook#two"),
            ("https://{}/hook", "HTTPS://{}/hook"),
            ("https://{}:8443/hook", "https://{}:8443/hook"),
        )
    ):
        host = f"twice-{number}.umbra.example"
        team.add(younger.format(host.upper()), "delivers_twice", events=both, created=50)
        team.add(older.format(host), events=("ticket.created", "ticket.closed"), created=60)
    # overlaps through a wildcard
    team.add("https://stars-1.umbra.example/", events=("ticket.created",), created=60)
    team.add("https://stars-1.umbra.example/", "delivers_twice", "wildcard", events=("ticket.*",), created=50)
    team.add("https://stars-2.umbra.example/", "wildcard", events=("ticket.*",), created=60)
    team.add("https://stars-2.umbra.example/", "delivers_twice", events=("ticket.assigned",), created=50)
    team.add("https://stars-3.umbra.example/", events=("boss.spawned",), created=60)
    team.add("https://stars-3.umbra.example/", "delivers_twice", "everything", events=("*",), created=50)
    # three, the oldest in the middle of the list
    team.add("https://three.umbra.example/", "delivers_twice", created=50)
    team.add("https://three.umbra.example/", created=60)
    team.add("https://three.umbra.example:443/", "delivers_twice", created=40)
    # three, one of them without overlap
    team.add("https://mixed.umbra.example/", events=("ticket.created",), created=60)
    team.add("https://mixed.umbra.example/", "delivers_twice", events=("ticket.created",), created=50)
    team.add("https://mixed.umbra.example/", "same_url", events=("boss.spawned",), created=40)
    # the same URL without overlap
    for number, (older, younger) in enumerate(
        (
            ("https://{}/hook", "https://{}/hook"),
            ("https://{}/hook", "https://{}:443/hook"),
            ("https://{}/hook", "https://{}/hook#two"),
            ("https://{}/hook?a=1", "https://{}/hook?a=1"),
        )
    ):
        host = f"same-{number}.umbra.example"
        team.add(older.format(host), events=("ticket.created",), created=60)
        team.add(younger.format(host.title()), "same_url", events=("customer.created",), created=50)
    team.add("https://near-0.umbra.example/", "wildcard", events=("customer.*",), created=60)
    team.add("https://near-0.umbra.example/", "same_url", events=("customer_group.created",), created=50)
    # the same URL, but one of the two is paused: no finding
    team.add("https://paused-1.umbra.example/", created=60)
    team.add("https://paused-1.umbra.example/", active=False, updated=5, created=50)
    team.add("https://paused-2.umbra.example/", active=False, updated=5, created=60)
    team.add("https://paused-2.umbra.example/", active=False, updated=5, created=50)
    # different receivers, or the same receiver without overlap
    for number, (older, younger) in enumerate(
        (
            ("https://{}/hook", "https://{}/Hook"),
            ("https://{}/hook", "https://{}/hook/in"),
            ("https://{}/hook", "https://www.{}/hook"),
            ("https://{}/hook", "https://{}:8443/hook"),
            ("https://{}/hook?team=1", "https://{}/hooks?team=1"),
            ("https://{}/hook", "https://{}/hook/"),
            ("https://{}/hook", "https://{}/hook?copy=2"),
            ("https://{}/hook?tenant=a", "https://{}/hook?tenant=b"),
            ("https://{}/hook?a=1&b=2", "https://{}/hook?b=2&a=1"),
        )
    ):
        host = f"apart-{number}.umbra.example"
        team.add(older.format(host), created=60)
        team.add(younger.format(host), created=50)
    team.add("https://apart-a.umbra.example/hook", events=("ticket.created",), created=60)
    team.add("https://apart-a.umbra.example/hook/", events=("customer.created",), created=50)
    team.add("https://apart-b.umbra.example/hook?a=1", events=("ticket.created",), created=60)
    team.add("https://apart-b.umbra.example/hook?a=2", events=("customer.created",), created=50)
    team.add("https://apart-c.umbra.example/hook", created=60)
    team.add("https://apart-c.umbra.example/hook/", active=False, updated=5, created=50)

    here, there = Team("vine", "live"), Team("vine-test", "test")
    for number in range(4):
        here.add(f"https://both-{number}.vine.example/hook", created=60)
        there.add(f"https://both-{number}.vine.example/hook", created=50)
    return [team, here, there]


# --- events -----------------------------------------------------------------------------------------------------------


def subscriptions() -> Team:
    team = Team("willow", "live")
    team.add("", "everything", events=("*",))
    team.add("", "everything", events=("*", "ticket.created"))
    team.add("", "everything", events=ALL)
    team.add("", "everything", events=ALL[:28])
    team.add("", "everything", events=reversed(ALL[7:]))
    team.add("", "everything", events=PATTERNS)
    team.add("", "everything", events=(*ALL[:34], "ticket.*"))
    team.add("", "everything", events=("*",), active=False, updated=3)
    team.add("", "everything", "unknown_event", events=(*ALL, "ticket.exploded"))
    team.add(events=ALL[:27])
    team.add(events=ALL[8:])
    team.add(events=ALL[:20] * 2)
    team.add("", "unknown_event", events=(*ALL[:27], *(f"ticket.exploded_{number}" for number in range(8))))

    team.add("", "wildcard", events=("ticket.*",))
    team.add("", "wildcard", events=("customer_group.*",))
    team.add("", "wildcard", events=("community_post.*", "ticket.created"))
    team.add("", "wildcard", events=("survey.*",))
    team.add("", "wildcard", events=("ticket.*", "customer.*", "boss.*"))
    team.add("", "wildcard", events=("player.*",), active=False, updated=3)
    team.add(events=TICKETS)
    team.add(events=("social.one_up_sent", "social.high_five_sent"))

    team.add("", "unknown_event", events=("ticket.exploded",))
    team.add("", "unknown_event", events=("ticket.created", "ticket.create"))
    team.add("", "unknown_event", events=("Ticket.Created",))
    team.add("", "unknown_event", events=("ticket_created",))
    team.add("", "unknown_event", events=("tickets.created",))
    team.add("", "unknown_event", events=("ticket",))
    team.add("", "unknown_event", events=("*.created",))
    team.add("", "unknown_event", events=("ticket.**",))
    team.add("", "unknown_event", events=("Achievement.Unlocked",))
    team.add("", "unknown_event", events=("player.achievement.unlocked",))
    team.add("", "unknown_event", events=("<script>alert(1)</script>",))
    team.add("", "unknown_event", "wildcard", events=("ticket.*", "member.joined"))

    team.add("", "former_event", events=("achievement.unlocked",))
    team.add("", "former_event", events=("ticket.created", "achievement.unlocked"))
    team.add("", "former_event", events=("player.achievement_unlocked", "achievement.unlocked"))
    team.add("", "former_event", "unknown_event", events=("achievement.unlocked", "achievement.locked"))
    team.add("", "former_event", "wildcard", events=("achievement.unlocked", "player.*"))
    team.add(events=("player.achievement_unlocked",))

    for number in range(8):
        team.add("", "no_events", events=(), name=f"Silent {number + 1}")
    team.add(events=("survey.submitted",))
    return team


def unreceived() -> list[Team]:
    team = Team("yew", "live", covered=False)
    team.add(events=("ticket.created", "ticket.closed"))
    team.add("", "wildcard", events=("article.*",))
    resting: dict[str, Any] = {"active": False, "updated": 5}
    for events in (
        ("boss.spawned",),
        ("ticket.created", "boss.spawned"),
        ("survey.submitted",),
        ("survey.submitted", "article.published"),
        ("customer.created", "customer.updated", "customer.deleted"),
        ("ticket.updated",),
        ("player.level_up",),
    ):
        team.add("", "unreceived_event", events=events, **resting)
    team.add("", "unreceived_event", "wildcard", events=("boss.*",), **resting)
    team.add("", "unreceived_event", "wildcard", events=("ticket.*",), **resting)
    team.add("", "unreceived_event", "everything", events=("*",), **resting)
    for events in (
        ("ticket.created",),
        ("ticket.closed", "ticket.created"),
        ("article.published",),
        ("article.deleted", "ticket.closed"),
    ):
        team.add(events=events, **resting)
    team.add("", "wildcard", events=("article.*",), **resting)
    team.add(events=("social.one_up_sent",))

    all_received = Team("zelkova", "test", covered=False)
    all_received.add("", "everything", events=("*",))
    all_received.add(events=("boss.spawned",), **resting)
    all_received.add("", "wildcard", events=("customer.*",), **resting)
    all_received.add("", "everything", events=ALL, **resting)
    none_active = Team("zinnia", "test", covered=False)
    none_active.add("", "unreceived_event", **resting)
    none_active.add("", "unreceived_event", **resting)
    return [team, all_received, none_active]


# --- ages and names ---------------------------------------------------------------------------------------------------


def ages() -> Team:
    team = Team("acacia", "live")
    for days in (90.001, 91, 120, 364, 400, 3000):
        team.add("", "inactive_long", active=False, updated=days, created=days + 1)
    team.add("", "inactive_long", active=False, updated=100, created=None)
    for days in (0, 1, 30, 89, 89.999, 90, -5):
        team.add(active=False, updated=days, created=700)
    team.add(active=False, updated=None, created=85)
    team.add(active=False, updated=None, created=None)
    team.add(active=True, updated=300, created=301)
    for days in (365.001, 366, 400, 1000, 4000):
        team.add("", "old_secret", created=days)
    team.add("", "old_secret", created=500, updated=1)
    team.add("http://old.acacia.example/hook", "old_secret", "plain_http", created=500)
    for days in (0, 1, 180, 364, 364.999, 365):
        team.add(created=days)
    team.add(created=None)
    return team


def names() -> list[Team]:
    live = Team("aspen", "live")
    for name in (
        "test",
        "TEST hook",
        "my-test-hook",
        "test_hook",
        "Webhook (test)",
        "Testing",
        "orders/dev",
        "[dev] orders",
        "tmp",
        "a temp thing",
        "Temporary!",
        "demo",
        "Demo: orders",
        "debug",
        "dummy",
        "foo",
        "bar",
        "foo-bar",
        "asdf",
        "Playground",
        "sandbox 2",
        "Staging",
        "orders.staging",
        "DELETEME",
        "A/B-Test",
        "test\u00a0hook",
        "tmp\tfile",
    ):
        live.add("", "test_name", name=name)
    live.add("", "test_name", name="temp", active=False, updated=3)
    for name in (
        "contest entries",
        "Latest",
        "Development",
        "Testament",
        "protest votes",
        "attestation",
        "Device sync",
        "devotion",
        "Demographics",
        "democracy",
        "Barcode",
        "food orders",
        "temperature",
        "Template",
        "tempo",
        "Contestants",
        "Greatest hits",
        "Backstaging",
        "tmpl",
        "debugged",
        "dummyish",
        "deletements",
        "crowbar",
        "Fastest path",
    ):
        live.add(name=name)
    sandbox = Team("balsa", "sandbox")
    test = Team("beech", "test")
    for name in ("test", "my-test-hook", "tmp", "Demo: orders", "deleteme", "foo-bar"):
        sandbox.add(name=name)
        test.add(name=name)
    return [live, sandbox, test]


# --- across teams -----------------------------------------------------------------------------------------------------


def shared() -> list[Team]:
    """Hosts that several of these teams use; the findings are in `TEAM_LABELS`."""
    teams = [
        Team(name, "live" if number % 2 else "test")
        for number, name in enumerate(("dogwood", "ebony", "ginkgo", "holly"))
    ]
    for number, team in enumerate(teams):
        team.add(f"https://hub.shared-host.com/in/{number}", name="At all four")
        team.add(f"https://{'RELAY' if number else 'relay'}.shared-host.com:8443/in/{number}", name="At all four too")
        if number < 3:
            team.add(f"https://three.shared-host.com/in/{number}", name="At three of them")
        if number < 2:
            team.add(f"https://two.shared-host.com/in/{number}", name="At two of them")
        team.add(f"https://own-{number}.shared-host.com/in", name="Its own")
        team.add(f"https://hooks.slack.com/services/T1/{number}", name="Slack")
        team.add(f"https://hooks.zapier.com/hooks/catch/{number + 10}/", name="Zapier")
        team.add(f"https://contoso.webhook.office.com/webhookb2/{number}", name="Teams")
        team.add(f"https://prod-7.northeurope.logic.azure.com/workflows/x{number}", name="Logic app")
    for number in range(3):
        teams[3].add(f"https://often.shared-host.com/in/{number}", name="Three times in one team")
    return teams


TEAM_LABELS = {
    ("dogwood", "many_teams"): ("hub.shared-host.com", "relay.shared-host.com", "three.shared-host.com"),
    ("ebony", "many_teams"): ("hub.shared-host.com", "relay.shared-host.com", "three.shared-host.com"),
    ("ginkgo", "many_teams"): ("hub.shared-host.com", "relay.shared-host.com", "three.shared-host.com"),
    ("holly", "many_teams"): ("hub.shared-host.com", "relay.shared-host.com"),
}
"""The findings about a whole team: account and rule, and the hosts for which there is one."""

CLEAN = ("alder", "birch", "cedar", "elm", "empty-but-covered")
"""Accounts without a single finding."""


def teams() -> list[Team]:
    return [
        *clean(),
        unreadable(),
        *plain(),
        credentials(),
        tunnels(),
        *private(),
        *lookalikes(),
        ports(),
        *duplicates(),
        subscriptions(),
        *unreceived(),
        ages(),
        *names(),
        *shared(),
    ]


def webhooks() -> list[LabelledWebhook]:
    """The webhooks of all teams."""
    return [webhook for team in teams() for webhook in team.webhooks]


def frame(planted: Iterable[LabelledWebhook]) -> pd.DataFrame:
    """The webhooks like `to_frame()`, with account, team and environment."""
    rows = list(planted)
    columns = ("account", "team_id", "environment", "id", "name", "url")
    table = pd.DataFrame({column: pd.Series([getattr(row, column) for row in rows], dtype="str") for column in columns})
    table["events"] = pd.Series([row.events for row in rows], dtype="object")
    table["is_active"] = pd.Series([row.is_active for row in rows], dtype="boolean")
    for column in ("created_at", "updated_at"):
        table[column] = pd.Series([getattr(row, column) for row in rows], dtype="datetime64[us, UTC]")
    return table
