"""Environment variables that decide how cStar is reached: each works, or is named by a ConfigurationError and by doctor."""

import socket
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

import cstar_explore as cx
from cstar_explore import cli, errors
from cstar_explore.api.certificates import tls_context
from cstar_explore.api.proxies import proxy_for
from cstar_explore.cli import doctor
from tests.support.certificates import server_context

KEY = "sk_test_abcdefghijklmnopqrstuvwxyz012345"
HOST = "https://www.cstar.help"
PROXY = "http://proxy.test:3128"


@pytest.fixture(autouse=True)
def _no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here reaches another machine."""

    def getaddrinfo(host: str, *_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, f"No lookup of {host} in tests")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def shown(url: str) -> str | None:
    """The proxy for a URL, as text."""
    proxy = proxy_for(url)
    return None if proxy is None else f"{proxy.url.scheme.decode()}://{proxy.url.host.decode()}:{proxy.url.port}"


def assert_refused(variable: str, value: str, hidden: str | None = None) -> None:
    """By each way that opens a connection; the message names variable and value, and doctor prints it on a line."""
    for connect in (
        lambda: cx.Client(KEY, "team_1", HOST),
        lambda: cx.connect(KEY, "team_1", HOST),
    ):
        with pytest.raises(errors.ConfigurationError) as caught:
            connect()
        assert variable in caught.value.message
        assert variable in caught.value.advice
        assert value in caught.value.message
        assert hidden is None or hidden not in f"{caught.value}{caught.value!r}{vars(caught.value)}"
    failed = [message for state, _, message in doctor.checks() if state == "fail"]
    assert [True] == [variable in message for message in failed]
    assert hidden is None or hidden not in str(failed)


def failed_subjects() -> list[str]:
    return [subject for state, subject, _ in doctor.checks() if state == "fail"]


@pytest.fixture
def doctor_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("CSTAR_KEY", KEY)
    monkeypatch.setenv("CSTAR_TEAM_ID", "team_1")
    monkeypatch.setenv("CSTAR_BASE_URL", HOST)
    return monkeypatch


# --- which proxy ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"HTTPS_PROXY": PROXY}, PROXY, id="HTTPS_PROXY"),
        pytest.param({"https_proxy": PROXY}, PROXY, id="https_proxy"),
        pytest.param({"ALL_PROXY": PROXY}, PROXY, id="ALL_PROXY"),
        pytest.param({"all_proxy": PROXY}, PROXY, id="all_proxy"),
        pytest.param({"HTTP_PROXY": PROXY}, None, id="HTTP_PROXY is for http"),
        pytest.param({"HTTPS_PROXY": PROXY, "ALL_PROXY": "http://other.test"}, PROXY, id="the scheme's own wins"),
        pytest.param({"HTTPS_PROXY": "http://other.test", "https_proxy": PROXY}, PROXY, id="lower case wins"),
        pytest.param({"HTTPS_PROXY": ""}, None, id="empty"),
        pytest.param({"HTTPS_PROXY": "", "ALL_PROXY": PROXY}, PROXY, id="empty, then ALL_PROXY"),
        pytest.param({"HTTPS_PROXY": "proxy.test:3128"}, PROXY, id="without a scheme"),
        pytest.param({"HTTPS_PROXY": "http://proxy.test"}, "http://proxy.test:80", id="default port of http"),
        pytest.param({"HTTPS_PROXY": "https://proxy.test"}, "https://proxy.test:443", id="default port of https"),
        pytest.param({"HTTPS_PROXY": "http://user:pass@proxy.test:3128/"}, PROXY, id="with credentials and a slash"),
        pytest.param({"HTTPS_PROXY": "HTTP://PROXY.test:3128"}, PROXY, id="upper case"),
        pytest.param({"HTTPS_PROXY": "http://[2001:db8::1]:3128"}, "http://2001:db8::1:3128", id="IPv6"),
    ],
)
def test_the_proxy_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str | None
) -> None:
    """By the rules of httpx and curl."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert expected == shown(HOST)


@pytest.mark.parametrize(
    ("no_proxy", "url", "exempt"),
    [
        pytest.param("*", HOST, True, id="asterisk"),
        pytest.param("localhost,*", HOST, True, id="asterisk in a list"),
        pytest.param("www.cstar.help", HOST, True, id="name"),
        pytest.param("WWW.CSTAR.HELP", HOST, True, id="name in upper case"),
        pytest.param("cstar.help", HOST, True, id="parent domain"),
        pytest.param(".cstar.help", HOST, True, id="parent domain with a dot"),
        pytest.param("*.cstar.help", HOST, True, id="parent domain with an asterisk"),
        pytest.param(".www.cstar.help", HOST, False, id="dot and the whole name"),
        pytest.param("star.help", HOST, False, id="end of a label"),
        pytest.param("cstar.help.example", HOST, False, id="longer name"),
        pytest.param("cstar.help:443", HOST, True, id="name and port"),
        pytest.param("cstar.help:8443", HOST, False, id="name and another port"),
        pytest.param("cstar.help:8443", f"{HOST}:8443", True, id="name and a port that is not the default"),
        pytest.param("https://www.cstar.help", HOST, True, id="URL"),
        pytest.param("http://www.cstar.help", HOST, False, id="URL of another scheme"),
        pytest.param("all://www.cstar.help", HOST, True, id="URL of every scheme"),
        pytest.param(" localhost , www.cstar.help ", HOST, True, id="spaces"),
        pytest.param("a.test,,www.cstar.help,", HOST, True, id="empty entries"),
        pytest.param("10.0.0.0/8", "https://10.1.2.3", True, id="IPv4 range"),
        pytest.param("10.0.0.0/8", "https://11.1.2.3", False, id="outside the IPv4 range"),
        pytest.param("10.1.2.3/8", "https://10.9.9.9", True, id="IPv4 range from an address in it"),
        pytest.param("[2001:db8::]/32", "https://[2001:db8::1]", False, id="brackets around a part of an IPv6 range"),
        pytest.param("cstar.help", f"{HOST}.", True, id="name of the host without its last dot"),
        pytest.param("10.1.2.3", "https://10.1.2.3", True, id="IPv4 address"),
        pytest.param("2001:db8::/32", "https://[2001:db8::1]", True, id="IPv6 range"),
        pytest.param("2001:db8::1", "https://[2001:db8::1]", True, id="IPv6 address"),
        pytest.param("[2001:db8::1]", "https://[2001:db8::1]", True, id="IPv6 address in brackets"),
        pytest.param("::1/128", HOST, False, id="IPv6 loopback range"),
        pytest.param("localhost,127.0.0.0/8,::1/128", HOST, False, id="as container tools set it"),
        pytest.param("10.0.0.0/99", HOST, False, id="range that is not valid"),
        pytest.param("[::1", HOST, False, id="open bracket"),
        pytest.param("://", HOST, False, id="separator only"),
        pytest.param("https://", HOST, False, id="scheme only"),
        pytest.param(":443", HOST, False, id="port only"),
        pytest.param("www.cstar.help:port", HOST, False, id="port not a number"),
        pytest.param("\u202ehelp", HOST, False, id="direction character"),
    ],
)
def test_no_proxy_exempts_names_ports_addresses_and_ranges(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, exempt: bool
) -> None:
    """An entry that cannot be read exempts nothing, and fails nothing."""
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (None if exempt else PROXY) == shown(url)
    cx.Client(KEY, "team_1", url).close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9", "https://127.0.0.1"])
def test_loopback_has_no_proxy(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Even if a variable could not be used."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "socks://[")
    assert proxy_for(url) is None


@pytest.mark.parametrize(
    ("credentials", "auth"),
    [
        pytest.param("us%40er:p%3Ass%20word@", (b"us@er", b"p:ss word"), id="user and password"),
        pytest.param("user@", (b"user", b""), id="user"),
        pytest.param(":token@", (b"", b"token"), id="password"),
        pytest.param("", None, id="none"),
    ],
)
def test_the_credentials_of_a_proxy_are_decoded(
    monkeypatch: pytest.MonkeyPatch, credentials: str, auth: tuple[bytes, bytes] | None
) -> None:
    """They are percent-encoded in a URL."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://{credentials}proxy.test:3128")
    proxy = proxy_for(HOST)
    assert proxy is not None
    assert auth == proxy.auth


# --- variables that cannot be used ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("doctor_environment")
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("socks://127.0.0.1:9/", id="socks without a version"),
        pytest.param("socks4://127.0.0.1:9", id="socks4"),
        pytest.param("ftp://proxy.test", id="ftp"),
        pytest.param("http://", id="no host"),
        pytest.param("http://:3128", id="port only"),
        pytest.param("http://proxy.test:port", id="port not a number"),
        pytest.param("http://proxy.test:99999", id="port too high"),
        pytest.param("http://[::1", id="open bracket"),
        pytest.param("http://a..b:3128", id="empty label"),
        pytest.param(f"http://{'a' * 64}.test", id="overlong label"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """Variable and value, by the client, by connect and by doctor."""
    monkeypatch.setenv(variable, value)
    assert_refused(variable, value)


@pytest.mark.usefixtures("doctor_environment")
@pytest.mark.parametrize(
    "value",
    [
        "socks://user:hunter2word@127.0.0.1:9/",
        "http://user:hunter2word@proxy.test:port",
        "user:hunter2word@proxy.test:port",
        "http://user:hunter2word@",
        "http://us@er:hunter2word@[::1",
        "ftp://hunter2word@proxy.test",
        "http://user:hunter2word/@a..b",
    ],
)
def test_the_password_of_a_proxy_is_masked(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """In the message and by doctor, however wrong the value is."""
    monkeypatch.setenv("HTTPS_PROXY", value)
    assert_refused("HTTPS_PROXY", "••••", hidden="hunter2word")


@pytest.mark.usefixtures("doctor_environment")
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_names_the_package_that_is_missing(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """`socksio` is optional."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://proxy.test:1080")
    assert_refused("ALL_PROXY", "socksio")


@pytest.mark.usefixtures("doctor_environment")
@pytest.mark.parametrize(
    ("variable", "content"),
    [
        pytest.param("SSL_CERT_FILE", None, id="no such file"),
        pytest.param("SSL_CERT_FILE", "folder", id="folder instead of a file"),
        pytest.param("SSL_CERT_FILE", "", id="empty file"),
        pytest.param("SSL_CERT_FILE", "not a certificate", id="not PEM"),
        pytest.param(
            "SSL_CERT_FILE", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", id="broken certificate"
        ),
        pytest.param("SSL_CERT_DIR", None, id="no such folder"),
        pytest.param("SSL_CERT_DIR", "not a folder", id="file instead of a folder"),
        pytest.param("SSLKEYLOGFILE", "folder", id="key log is a folder"),
        pytest.param("SSLKEYLOGFILE", "missing/log", id="folder of the key log missing"),
    ],
)
def test_certificates_that_cannot_be_used_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, content: str | None
) -> None:
    """Variable and path."""
    path = tmp_path / "gone"
    if content == "folder":
        path.mkdir()
    elif content == "missing/log":
        path = path / "log"
    elif content is not None:
        path.write_text(content)
    monkeypatch.setenv(variable, str(path))
    assert_refused(variable, str(path)[:100])


# --- variables that work ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_of_the_environment_are_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    """Instead of those of httpx, as in httpx itself."""
    certificate = tmp_path / "server.pem"
    server_context(certificate, "DNS:cstar.test")
    monkeypatch.setenv(variable, str(certificate if variable == "SSL_CERT_FILE" else tmp_path))
    context = tls_context(HOST)
    assert (int(variable == "SSL_CERT_FILE"), True) == (len(context.get_ca_certs()), context.check_hostname)


def test_empty_variables_count_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for httpx."""
    expected = len(httpx.create_ssl_context(trust_env=False).get_ca_certs())
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    assert expected == len(tls_context(HOST).get_ca_certs())
    assert proxy_for(HOST) is None


def test_plain_http_to_loopback_needs_no_certificates(monkeypatch: pytest.MonkeyPatch, sandbox: cx.Sandbox) -> None:
    """A broken variable does not keep the sandbox from working."""
    monkeypatch.undo()
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, "/gone")
    monkeypatch.setenv("ALL_PROXY", "socks://[")
    with sandbox.client() as client:
        assert client.webhooks.list()


# --- doctor -----------------------------------------------------------------------------------------------------------


def test_doctor_reports_all_variables_and_still_ends(
    doctor_environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each on a line of its own, without the proxy's password. The exit code is 1."""
    doctor_environment.setenv("HTTPS_PROXY", "socks://user:hunter2word@proxy.test")
    doctor_environment.setenv("SSL_CERT_FILE", "/gone.pem")
    assert 1 == cli.main(["doctor"])
    printed = capsys.readouterr()
    failed = [line for line in printed.out.splitlines() if line.startswith("fail")]
    assert [(True, False), (False, True)] == [("HTTPS_PROXY" in line, "SSL_CERT_FILE" in line) for line in failed]
    assert "hunter2word" not in printed.out + printed.err


def test_doctor_reports_a_proxy_and_certificates_that_work(
    doctor_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The proxy as a warning, without its password."""
    certificate = tmp_path / "server.pem"
    server_context(certificate, "DNS:cstar.test")
    doctor_environment.setenv("HTTPS_PROXY", "http://user:hunter2word@proxy.test:3128")
    doctor_environment.setenv("SSL_CERT_FILE", str(certificate))
    checks = list(doctor.checks())
    states = {subject: state for state, subject, _ in checks}
    messages = {subject: message for _, subject, message in checks}
    assert ("warn", "ok", "fail") == (states["proxy"], states["certificates"], states["connection"])
    assert "http://proxy.test:3128" in messages["proxy"]
    assert str(certificate) in messages["certificates"]
    assert "hunter2word" not in str(checks)


def test_doctor_reports_an_invalid_base_url(doctor_environment: pytest.MonkeyPatch) -> None:
    """And does not go on."""
    doctor_environment.setenv("CSTAR_BASE_URL", "http://www.cstar.help")
    assert ["base URL"] == failed_subjects()


def test_a_no_proxy_that_cannot_be_read_does_not_fail_doctor(doctor_environment: pytest.MonkeyPatch) -> None:
    """Only the connection fails here, as no name can be looked up."""
    doctor_environment.setenv("NO_PROXY", "localhost,::1/128,[::1,://")
    assert ["connection"] == failed_subjects()
