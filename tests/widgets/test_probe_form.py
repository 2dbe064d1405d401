"""The form that asks cStar what its documentation does not answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import cstar_explore as cx
from cstar_explore.errors import ConfigurationError
from tests.support.forms import in_loop


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.fixture
def form(client: cx.Client) -> Iterator[cx.ProbeForm]:
    form = cx.ProbeForm(client)
    yield form
    form.close()


def test_the_form_says_what_it_would_do(form: cx.ProbeForm) -> None:
    """As `cx.probe` without `confirm`, for the boxes as they are. It names its own box in place of an argument."""
    assert 0 == form.plan.fires
    assert [*form.plan.sentences][:2] == form.sentences.lines[:2]
    assert "Some questions are not asked: the box 'Fire test events' is not checked." in form.sentences.lines
    assert [] == [line for line in form.sentences.lines if "=" in line or "passed" in line]
    form.fields["fire"].value = True
    assert form.plan.fires > 0
    assert any("all active webhooks" in line for line in form.sentences.lines)
    assert ["cx.probe(client, fire=True, confirm=True)"] == form.code.lines


@in_loop
async def test_submit_shows_the_answers_and_leaves_nothing(form: cx.ProbeForm, client: cx.Client) -> None:
    """A row per question that was answered, those that differ first."""
    before = list(client.webhooks.list())
    result = await form.submit()
    assert len(result.observations) == len(form.table.content["rows"])
    assert "as documented" == form.table.content["rows"][-1][0]
    assert before == list(client.webhooks.list())
    assert form.status.text.startswith(result.summary())


@in_loop
async def test_stop_ends_after_the_current_question(form: cx.ProbeForm, client: cx.Client) -> None:
    """What was created is removed, and the answers so far are shown."""
    before = len(client.webhooks.list())
    form._show_progress = lambda done, total: form._stop()  # type: ignore[method-assign] # pressed at the first step
    result = await form.submit()
    assert result.stopped
    assert "Stopped before the end" in form.status.text
    assert before == len(client.webhooks.list())


@in_loop
async def test_a_live_key_needs_no_confirmation_and_changes_nothing(sandbox: cx.Sandbox) -> None:
    """Only GET is sent."""
    with sandbox.client("live", write=False) as live:
        form = cx.ProbeForm(live)
        try:
            result = await form.submit()
        finally:
            form.close()
    assert 0 == form.plan.creates
    assert "with a live key, only GET is sent" == result.reasons["unknown_type"]


def test_a_secret_key_in_place_of_a_publishable_one_is_refused(client: cx.Client, sandbox: cx.Sandbox) -> None:
    """Before anything is shown."""
    with pytest.raises(ConfigurationError, match="publishable"):
        cx.ProbeForm(client, publishable_key=sandbox.key)
