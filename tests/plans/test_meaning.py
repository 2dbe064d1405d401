"""Which spellings of a field mean the same."""

from typing import Any

import pytest

from cstar_explore.plans.meaning import meaning, normal_url, same_meaning

H = "https://h.example"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(H, f"{H}/", id="no path"),
        pytest.param("HTTPS://H.Example:443/a", f"{H}/a", id="scheme, host, port"),
        pytest.param("http://h.example:80/a", "http://h.example/a", id="port of http"),
        pytest.param(f"{H}/%7ea%41?%7e#%7e", f"{H}/~aA?~#~", id="encoded for nothing"),
        pytest.param(f"{H}/a%2fb", f"{H}/a%2Fb", id="case of an encoding"),
        pytest.param(f"{H}/ü?ü#ü", f"{H}/%C3%BC?%C3%BC#%C3%BC", id="not ASCII"),
        pytest.param("https://bücher.example/", "https://xn--bcher-kva.example/", id="IDN"),
        pytest.param(f"{H}/a/./b/../c", f"{H}/a/c", id="dots"),
        pytest.param(f"{H}/a/b/..", f"{H}/a/", id="dots at the end"),
        pytest.param(f"{H}/a/.", f"{H}/a/", id="a dot at the end"),
        pytest.param(f"{H}/..", f"{H}/", id="above the root"),
        pytest.param(f"{H}/../../a", f"{H}/a", id="above the root, and down"),
        pytest.param("https://[2001:DB8::1]:443/", "https://[2001:db8::1]", id="IPv6"),
        pytest.param("https://User:Pw@H.example/", "https://User:Pw@h.example", id="user"),
    ],
)
def test_these_urls_are_the_same(first: str, second: str) -> None:
    assert (True, normal_url(first)) == (same_meaning("url", first, second), normal_url(second))
    assert meaning("url", first) == normal_url(normal_url(first))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"{H}/a", f"{H}/b"),
        (f"{H}/a", f"{H}/a/"),
        (f"{H}/a", f"{H}/A"),
        (f"{H}/a/b", f"{H}/a%2Fb"),
        (f"{H}/a%2Fb", f"{H}/a2Fb"),
        (f"{H}/a//b", f"{H}/a/b"),
        (f"{H}/a", f"{H}/a?"),
        (f"{H}/a?b", f"{H}/a?c"),
        (f"{H}/a", f"{H}/a#"),
        (f"{H}/a#b", f"{H}/a#c"),
        (f"{H}/a?", f"{H}/a#?"),
        (f"{H}/", "http://h.example/"),
        (f"{H}:80/", f"{H}/"),
        (f"{H}:8443/", f"{H}/"),
        (f"{H}/", "https://g.example/"),
        ("https://u@h.example/", f"{H}/"),
        ("https://u@h.example/", "https://U@h.example/"),
        ("ftp://h.example/%7e", "ftp://h.example/~"),
        (f"{H}/ %7e", f"{H}/ ~"),
        (f"{H}/\u202e%7e", f"{H}/\u202e~"),
        ("https:///%7e", "https:///~"),
        (f"{H}:x/%7e", f"{H}:x/~"),
    ],
)
def test_these_urls_differ(first: str, second: str) -> None:
    """What is no http URL stays as it is."""
    assert not same_meaning("url", first, second)


@pytest.mark.parametrize(
    ("field", "first", "second", "same"),
    [
        ("name", "Caf\u00e9", "Cafe\u0301", True),
        ("name", "One", "one", False),
        ("name", None, None, True),
        ("name", None, "", False),
        ("events", ("ticket.created", "ticket.closed"), ("ticket.closed", "ticket.created"), True),
        ("events", ("ticket.*",), ("ticket.created",), False),
        ("events", ("own.event",), ("own.event", "own.event"), True),
        ("events", ("own.event",), ("own.other",), False),
        ("is_active", True, False, False),
        ("is_active", True, True, True),
    ],
)
def test_other_fields_mean_the_same_or_not(field: str, first: Any, second: Any, same: bool) -> None:
    assert same_meaning(field, first, second) is same


def test_a_pattern_means_the_types_that_it_matches() -> None:
    assert meaning("events", ["ticket.*"]) > meaning("events", ["ticket.created"]) == {"ticket.created"}
    assert meaning("events", ["own.event"]) == {"own.event"}
    assert (meaning("events", None), meaning("is_active", False)) == (None, False)
