"""Suites of other projects: the documented examples, failing tests, and suites that do not use the fixtures."""

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
LOOP_SCOPE = ("-o", "asyncio_default_fixture_loop_scope=function")
# Without the plugins that take seconds to load.
OPTIONS = ("-p", "no:cacheprovider", "-p", "no:nbval", "-p", "no:hypothesispytest", "-W", "error", *LOOP_SCOPE)

pytest_plugins = "pytester"


@pytest.mark.parametrize(("framework", "options"), [("flask", ["-n2"]), ("fastapi", []), ("django", [])])
def test_a_documented_suite_passes(framework: str, options: list[str], pytester: pytest.Pytester) -> None:
    """With `conftest.py`, which all share. One runs in parallel, and one in event loops."""
    for path in (EXAMPLES / "conftest.py", *(EXAMPLES / framework).glob("*.py")):
        (pytester.path / path.name).write_bytes(path.read_bytes())

    pytester.runpytest_subprocess(*OPTIONS, *options).assert_outcomes(passed=3)


def test_the_conftest_of_an_ordinary_suite_is_short() -> None:
    """Without blank lines."""
    lines = (EXAMPLES / "conftest.py").read_text(encoding="utf-8").splitlines()

    assert len(list(filter(None, lines))) <= 5


def test_a_suite_can_replace_the_sandbox(pytester: pytest.Pytester) -> None:
    """With other options, or one for all tests. Each test's webhooks are then deleted after it."""
    pytester.makeconftest(
        """
        import cstar_explore as cx
        import pytest

        @pytest.fixture(scope="session")
        def cstar_sandbox():
            with cx.Sandbox(real_time=True, follow_subscriptions=True) as sandbox:
                yield sandbox
        """
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize(("event", "made"), [("ticket.created", 1), ("ticket.closed", 0)])
        def test_fires(event, made, cstar_client, cstar_webhook, cstar_fire, cstar_listener):
            cstar_webhook(cstar_listener.url, events="ticket.created")
            assert len(cstar_fire(event).deliveries) == made
            assert len(cstar_client.webhooks.list()) == 5
        """
    )
    pytester.runpytest(*OPTIONS).assert_outcomes(passed=2)


def test_a_failing_test_prints_no_secret(pytester: pytest.Pytester) -> None:
    """Neither as a local, nor as an argument, nor where an assertion is taken apart."""
    pytester.makepyfile(
        """
        def test_fails(cstar_sandbox, cstar_client, cstar_webhook, cstar_secret, cstar_delivery):
            webhook = cstar_webhook("http://127.0.0.1:9/")
            print("SECRETS", webhook.secret.reveal()[6:], cstar_secret.reveal()[6:], cstar_sandbox.key.reveal()[8:])
            assert (webhook, cstar_secret, cstar_client) == (cstar_sandbox.keys, cstar_delivery("ticket.created"))

        def test_raises(cstar_secret, cstar_delivery):
            cstar_delivery("ticket.created", secret="whsec_" + "given" * 5, titel="x")
        """
    )
    result = pytester.runpytest(*OPTIONS, "-vv", "--showlocals")
    [printed] = [line for line in result.outlines if line.startswith("SECRETS")]
    rest = result.stdout.str().replace(printed, "")

    result.assert_outcomes(failed=2)
    assert "Did you mean 'title'" in rest
    assert "webhook    = Webhook(" in rest
    assert [] == [secret for secret in (*printed.split()[1:], "givengiven") if secret in rest]


def test_a_suite_that_uses_no_fixture_loads_nothing_of_the_toolkit(pytester: pytest.Pytester) -> None:
    """Only the plugin itself and the package around it, so coverage of a suite's own modules starts in time."""
    pytester.makepyfile(
        """
        import sys

        HEAVY = {"httpx", "uvicorn", "starlette", "pandas", "ipywidgets", "matplotlib"}

        def test_loaded():
            ours = {name for name in sys.modules if name.partition(".")[0] == "cstar_explore"}
            assert ours == {"cstar_explore", "cstar_explore._version", "cstar_explore.pytest_plugin"}
            assert not HEAVY & set(sys.modules)

        def test_delivery_without_a_socket(cstar_delivery):
            cstar_delivery("ticket.created")
            assert not HEAVY & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess(*OPTIONS).assert_outcomes(passed=2)


def test_the_plugin_can_be_turned_off_and_lists_its_fixtures(pytester: pytest.Pytester) -> None:
    """Each with one line of documentation."""
    pytester.makepyfile("def test_off(cstar_secret): pass")
    listed = pytester.runpytest(*OPTIONS, "--fixtures").stdout.str()

    pytester.runpytest(*OPTIONS, "-p", "no:cstar_explore").assert_outcomes(errors=1)
    for name in ("sandbox", "client", "listener", "webhook", "fire", "secret", "delivery"):
        assert f"cstar_{name} -- " in listed
    assert "no docstring available" not in listed.partition("cstar_sandbox")[2].partition("---- fixtures")[0]
