"""The form that explains a pasted delivery: its verdict, and what it does not keep."""

import time
from collections.abc import Callable, Iterator

import pytest

import cstar_explore as cx
from cstar_explore.widgets.explain_form import ExplainForm
from tests.support.forms import alive, in_loop, states, turns, until

SECRET = "whsec_typed_into_the_form"
MARK = "only-in-the-pasted-text"
BODY = f'{{"id": "evt_1", "type": "ticket.created", "note": "{MARK}"}}'


def pasted(age: float = 0) -> str:
    """A curl command, as copied from a tool."""
    signature = cx.sign(BODY.encode(), SECRET, int(time.time() - age))
    return f"curl -X POST 'https://{MARK}.example.com/hook' -H 'X-Signature: {signature}' --data-raw '{BODY}'"


@pytest.fixture
def form() -> Iterator[ExplainForm]:
    form = ExplainForm()
    yield form
    form.close()


@in_loop
async def test_submit_explains_the_delivery(form: ExplainForm) -> None:
    """The banner has the verdict in words and the evidence."""
    explanation = await form.submit(pasted(), SECRET)
    assert (True, explanation) == (explanation.ok, form.result)
    assert ["good", "Verified", explanation.evidence] == form._pasted.content["banner"][:3]


@in_loop
async def test_a_refused_delivery_has_its_remedy(form: ExplainForm) -> None:
    """And its cause in words."""
    explanation = await form.submit(pasted(age=3_600), SECRET)
    assert ["bad", "Refused: too old"] == form._pasted.content["banner"][:2]
    assert explanation.remedy in form._pasted.content["banner"]


@in_loop
async def test_what_the_page_sends_is_explained_and_not_kept(form: ExplainForm) -> None:
    """Neither the secret nor the pasted text is in the state of any widget, or in the message afterwards, also while busy."""
    message, again = ({"event": "explain", "text": pasted(), "secret": SECRET} for _ in range(2))
    form._pasted._handle_custom_msg(message, [])
    await turns(1)
    form._pasted._handle_custom_msg(again, [])
    await until(lambda: form.result is not None)
    assert (False, False) == (SECRET in states(), MARK in states())
    assert {"event": "explain"} == message == again


@pytest.mark.parametrize(
    ("text", "secret"),
    [pytest.param(lambda: MARK, SECRET, id="unreadable text"), pytest.param(pasted, "", id="no secret")],
)
@in_loop
async def test_an_error_is_shown_and_removes_the_last_verdict(
    text: Callable[[], str], secret: str, form: ExplainForm
) -> None:
    """The state still contains neither the secret nor the text, and the form can be used again."""
    await form.submit(pasted(), SECRET)
    with pytest.raises(cx.CStarError) as caught:
        await form.submit(text(), secret)
    assert (str(caught.value), [], None) == (form._pasted.content["error"], form._pasted.content["banner"], form.result)
    assert (False, False) == (SECRET in states(), MARK in states())
    assert not form._pasted.content["busy"]


@pytest.mark.parametrize("message", [{}, {"event": "other", "text": "x"}], ids=["empty", "unknown event"])
@in_loop
async def test_other_messages_are_ignored(message: dict[str, str], form: ExplainForm) -> None:
    """Nothing is explained."""
    form._pasted._handle_custom_msg(message, [])
    assert (False, []) == (form._pasted.content["busy"], form._pasted.content["banner"])


@pytest.mark.parametrize("with_listener", [True, False], ids=["with a listener", "without a listener"])
@in_loop
async def test_the_deliveries_of_the_explorer_open_and_close_the_form(with_listener: bool, sandbox: cx.Sandbox) -> None:
    """All its widgets are freed."""
    with sandbox.client() as client, sandbox.listener() as listener:
        before = alive()
        explorer = cx.Explorer(client, listener if with_listener else None)
        await explorer.refresh()
        explorer.open("Deliveries")
        paste = explorer._paste
        assert paste is not None
        paste.button.click()
        assert paste.form is not None
        assert paste.form.widget in paste.widget.children
        paste.button.click()
        assert (None, "Paste a delivery…") == (paste.form, paste.button.description)
        paste.button.click()
        explorer.close()
        assert set() == alive() - before
