"""Masks and credentials, on a corpus of URLs with secrets and one without."""

import json
import re
import time
from urllib.parse import urlsplit

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore.audits.harmless import is_harmless
from cstar_explore.audits.redaction import masked_host, masked_text, masked_url
from cstar_explore.audits.url_credentials import credentials_in, names_a_secret
from tests.audits import url_corpus

MASKED = re.compile("••••[0-9a-f]{6}")
WITH_SECRETS = [pytest.param(marked, id=name) for name, marked in url_corpus.WITH_SECRETS.items()]


def audited(*urls: str) -> cx.Audit:
    rows = [(f"whk_{n}", f"N{n}", url, ("ticket.created",), True) for n, url in enumerate(urls)]
    return cx.audit(pd.DataFrame(rows, columns=["id", "name", "url", "events", "is_active"]).assign(environment="live"))


def everything_shown(audit: cx.Audit) -> str:
    return "".join((audit.to_frame().to_csv(), audit.to_json(), audit.to_html(), repr(audit), audit._repr_html_()))


# --- the corpus -------------------------------------------------------------------------------------------------------


def test_the_corpus_is_large_enough() -> None:
    """At least sixty shapes of each kind."""
    assert len(url_corpus.WITH_SECRETS) >= 60
    assert len(url_corpus.WITHOUT_SECRETS) >= len(url_corpus.WITH_SECRETS) - 10 >= 60


@pytest.mark.parametrize("marked", WITH_SECRETS)
def test_no_secret_in_a_url_is_shown(marked: str) -> None:
    """Whatever its length and its letters. A mask is in its place."""
    masked = masked_url(url_corpus.plain(marked), "key")

    assert [] == [
        secret
        for secret in url_corpus.secrets_in(marked)
        if re.search(rf"(?<![a-z]){re.escape(secret)}(?![a-z])", masked)
    ]
    assert MASKED.search(masked)


@pytest.mark.parametrize("marked", WITH_SECRETS)
def test_the_host_stays_readable(marked: str) -> None:
    """The reader sees which service it is."""
    host = marked.partition("://")[2].partition("/")[0].rpartition("}")[2].lstrip("@.").partition(":")[0]

    assert host in masked_url(url_corpus.plain(marked))


def test_no_secret_of_the_corpus_is_in_an_audit() -> None:
    """Neither in findings, nor in the baseline, the report or a repr."""
    text = everything_shown(audited(*map(url_corpus.plain, url_corpus.WITH_SECRETS.values())))
    secrets = {secret for marked in url_corpus.WITH_SECRETS.values() for secret in url_corpus.secrets_in(marked)}

    assert [] == sorted(secret for secret in secrets if len(secret) > 4 and secret != "orders" and secret in text)


def test_few_segments_without_secrets_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    """At most a tenth. The false alarms are printed."""
    alarms = [
        segment
        for url in url_corpus.WITHOUT_SECRETS
        for segment in re.split("[/?&;=]", f"{urlsplit(url).path}?{urlsplit(url).query}")
        if segment and not is_harmless(segment) and not names_a_secret(segment)
    ]
    masks = [url for url in url_corpus.WITHOUT_SECRETS if MASKED.search(masked_url(url))]
    segments = sum(
        len(list(filter(None, re.split("[/?&;=]", url.partition("://")[2])))) - 1 for url in url_corpus.WITHOUT_SECRETS
    )
    count = sum(len(MASKED.findall(masked_url(url))) for url in url_corpus.WITHOUT_SECRETS)
    with capsys.disabled():
        print(  # noqa: T201 - shows how good the words are
            f"\n{count} of {segments} harmless segments are masked ({len(masks)} of {len(url_corpus.WITHOUT_SECRETS)} URLs): {alarms}"
        )

    assert count <= segments / 10


def test_no_url_without_secrets_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """False alarms are printed; there are none."""
    alarms = {url: found for url in url_corpus.WITHOUT_SECRETS if (found := credentials_in(url))}
    with capsys.disabled():
        print(f"\n{len(alarms)} of {len(url_corpus.WITHOUT_SECRETS)} harmless URLs are reported: {alarms}")  # noqa: T201 - as above

    assert {} == alarms


# --- digests ----------------------------------------------------------------------------------------------------------


def test_two_secrets_can_be_distinguished() -> None:
    """Equal ones have equal digits."""
    one, other = (masked_url(f"https://hooks.zapier.com/hooks/catch/1/{secret}/", "key") for secret in ("qzxv", "qzxw"))

    assert one != other
    assert one == masked_url("https://hooks.zapier.com/hooks/catch/1/qzxv/", "key")


def test_digits_depend_on_the_key() -> None:
    """They cannot be looked up, nor compared with those of another organisation."""
    assert masked_url("https://h.example/qzxv", "one") != masked_url("https://h.example/qzxv", "other")


def test_baselines_of_different_teams_have_different_digits() -> None:
    """Baselines of the same teams have equal ones, so that they can be compared."""
    frame = audited("https://h.example/qzxv").webhooks
    one, again, other = (cx.audit(frame.assign(account=name, team_id=name)).to_json() for name in ("a", "a", "b"))
    digits = [MASKED.findall(json.loads(text)["webhooks"][0]["url"]) for text in (one, again, other)]

    assert digits[0]
    assert digits[0] == digits[1] != digits[2]


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "TOKEN",
        "api_key",
        "apiKey",
        "api-key",
        "X-Api-Key",
        "auth[token]",
        "a[b][secret]",
        "passphrase",
        "pwd",
        "accessToken",
        "client_secret",
        "sig",
        "X-Amz-Signature",
        "hmac",
        "pin",
        "otp",
        "session_id",
        "JSESSIONID",
        "code",
        "private_key",
        "webhook_token",
        "user.password",
        "signing_key",
        "authToken",
    ],
)
def test_a_parameter_is_a_credential_by_its_whole_name(name: str) -> None:
    """In every spelling."""
    assert names_a_secret(name)
    assert credentials_in(f"https://in.example.com/in?{name}=qzxv")


@pytest.mark.parametrize(
    "name",
    [
        "country_code",
        "currency_code",
        "zip_code",
        "status_code",
        "sort_key",
        "primary_key",
        "keyboard",
        "monkey",
        "author",
        "design",
        "signal",
        "tokenise",
        "page_token",
        "next_token",
        "passwordless",
        "secretary",
        "authority",
        "key_id",
        "hotkey",
        "barcode",
        "postcode",
        "discount_code",
    ],
)
def test_a_parameter_that_ends_like_one_is_no_credential(name: str) -> None:
    """`country_code=DE` is a country."""
    assert not names_a_secret(name)
    assert credentials_in(f"https://in.example.com/in?{name}=DE") is None


@pytest.mark.parametrize(
    "url",
    ["https://in.example.com/in;token=qzxv", "https://in.example.com/token/qzxv", "https://in.example.com/key=qzxv/a"],
)
def test_a_credential_in_the_path_is_reported(url: str) -> None:
    """By the name before it; the value is not shown."""
    found = credentials_in(url)

    assert found is not None
    assert "qzxv" not in found


def test_a_long_parameter_name_is_not_repeated() -> None:
    """It may be a secret too."""
    assert "qzxvwkjr" not in str(credentials_in(f"https://h.example/?{'qzxvwkjr' * 9}_token=1"))


# --- text and hosts ---------------------------------------------------------------------------------------------------


def test_a_url_in_a_name_is_masked() -> None:
    """Webhooks are often named after their URL."""
    text = masked_text("to https://hooks.zapier.com/hooks/catch/1/qzxvwk, nightly")

    assert "qzxvwk" not in text
    assert text.startswith("to https://hooks.zapier.com/hooks/catch/1/••••")
    assert text.endswith(", nightly")


@pytest.mark.parametrize(
    ("host", "shown"), [("hooks.example.com", True), ("abc.m.pipedream.net", False), ("10.0.0.1", True)]
)
def test_hosts_are_shown_unless_they_are_the_credential(host: str, shown: bool) -> None:
    """At some providers the name is all it takes."""
    assert (masked_host(host) == host) is shown


# --- properties -------------------------------------------------------------------------------------------------------


@given(st.text(max_size=60))
def test_any_text_can_be_masked(text: str) -> None:
    """Masking again changes nothing in a URL that was masked."""
    once = masked_url(f"https://h.example/{text}", "key")

    assert isinstance(masked_url(text), str)
    assert isinstance(credentials_in(text), str | None)
    assert MASKED.sub("", once) == MASKED.sub("", masked_url(once, "key"))


@given(st.text("qxzvkj", min_size=3, max_size=40))
def test_no_random_text_is_shown(secret: str) -> None:
    """Neither as a segment nor as the name or the value of a parameter."""
    url = f"https://h.example/{secret}/in;{secret}=1?{secret}=2&x={secret}#{secret}"

    assert secret not in masked_url(url).partition("h.example")[2]


@pytest.mark.parametrize(
    "text", ["/" * 50_000, "a/" * 50_000, "?a=1" * 50_000, ";" * 50_000, "@:" * 50_000, "é[" * 50_000]
)
@pytest.mark.parametrize("start", ["https://h.example/", "", "https://[", "https://h.example/?"])
def test_long_urls_are_masked_in_linear_time(start: str, text: str) -> None:
    """A second is a hundred times what they take."""
    begun = time.perf_counter()
    masked_url(f"{start}{text}")
    credentials_in(f"{start}{text}")
    masked_text(f"{start}{text}")

    assert time.perf_counter() - begun < 3
