"""A client masks its own key in every error, however and wherever a server repeats it."""

import json
from collections.abc import Callable

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.reports import texts_of
from tests.support.scripted_server import Script, ScriptedServer, data, redirect, reply, status

KEY = "legacy-FALSE_key+of/the~Tests=0123"
"""A key without a published prefix, which no pattern recognises."""

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda key: key,
    "upper case": str.upper,
    "lower case": str.lower,
    "percent-encoded": lambda key: "".join(f"%{ord(character):02X}" for character in key),
    "%5F": lambda key: key.replace("_", "%5F").replace("+", "%2b").replace("/", "%2F").replace("=", "%3d"),
    "\\u005f": lambda key: key.replace("_", "\\u005f").replace("+", "\\u002B"),
    "\\/": lambda key: key.replace("/", "\\/"),
    "HTML entities": lambda key: "".join(f"&#{ord(character)};" for character in key),
    "hexadecimal entities": lambda key: key.replace("_", "&#x5f;").replace("+", "&#X2B;").replace("/", "&#x2F;"),
    "entity with zeros": lambda key: key.replace("_", "&#095;"),
    "bearer": lambda key: f"bearer {key}",
}
SCRIPTS: dict[str, Callable[[str], Script]] = {
    "every field of an error": lambda text: status(
        401, message=f"Key {text} is unknown", type=text, code=text, param=text, doc_url=text, request_id=text
    ),
    "header with the request ID": lambda text: reply(500, "", {"X-Request-Id": text}),
    "HTML with 403": lambda text: reply(403, f"<p>Key {text}</p>", content_type="text/html"),
    "HTML with 502": lambda text: reply(502, f"<p>Key {text}</p>", content_type="text/html"),
    "HTML with 200": lambda text: reply(200, f"<p>Key {text}</p>", content_type="text/html"),
    "content type": lambda text: reply(404, "", content_type=f"text/{text}"),
    "content encoding": lambda text: reply(200, "{}", {"Content-Encoding": text}),
    "target of a redirect": lambda text: redirect(f"https://example.com/?key={text}"),
    "ID of a webhook": lambda text: data({"id": text}),
    "reason phrase": lambda text: (
        lambda connection, _: bool(connection.sendall(f"HTTP/1.1 999 {text}\r\n\r\n".encode("latin-1")))
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("where", SCRIPTS)
def test_an_error_shows_the_clients_key_in_no_spelling(where: str, spelling: str) -> None:
    """Neither in its text nor in one of its fields."""
    spelled = SPELLINGS[spelling](KEY)
    with (
        ScriptedServer(*[SCRIPTS[where](spelled)] * 4) as server,
        cx.Client(KEY, "team_1", server.url, timeout=5, max_wait=1) as client,
        pytest.raises(errors.CStarError) as caught,
    ):
        client.webhooks.get("whk_1")
    error = caught.value
    shown = "\n".join([str(error), repr(error), json.dumps(vars(error), default=str), *map(str, error.args)])
    assert spelled.removeprefix("bearer ").lower() not in shown.lower()
    assert "FALSE_key" not in shown


@pytest.mark.parametrize("where", SCRIPTS)
def test_no_traceback_with_locals_shows_the_key_of_a_client(where: str) -> None:
    """Where a response repeats it as it is."""
    with (
        ScriptedServer(*[SCRIPTS[where](KEY)] * 4) as server,
        cx.Client(KEY, "team_1", server.url, timeout=5, max_wait=1) as client,
        pytest.raises(errors.CStarError) as caught,
    ):
        client.webhooks.get("whk_1")
    own = [text for text in texts_of(caught.value) if KEY in text and "SCRIPTS" not in text]
    assert [] == own


def test_the_error_of_a_lost_create_masks_the_key_too() -> None:
    """Its message contains that of the lost attempt."""
    page = reply(504, f"<p>{KEY}</p>", content_type="text/html")
    with (
        ScriptedServer(*[page] * 4, data([])) as server,
        cx.Client(KEY, "team_1", server.url, timeout=5, max_wait=1) as client,
        pytest.raises(errors.OutcomeUnknownError) as caught,
    ):
        client.webhooks.create(name="New", url="https://example.com/", events="*")
    assert KEY not in f"{caught.value}{caught.value!r}{vars(caught.value)}"


def test_on_wait_gets_an_error_without_the_key() -> None:
    """Its message is logged and shown by forms."""
    reasons: list[str] = []
    page = reply(503, f"<p>{KEY}</p>", content_type="text/html")
    with (
        ScriptedServer(page, data([])) as server,
        cx.Client(KEY, "t", server.url, on_wait=lambda wait: reasons.append(f"{wait} {wait.reason!r}")) as client,
    ):
        client.webhooks.list()
    assert (1, False) == (len(reasons), KEY in reasons[0])
