"""Lesson 4, `04_audit.ipynb`: what is wrong, what is meant, and what has changed."""

import tempfile
from pathlib import Path
from typing import Any

from .. import audits
from ..api.client import Client
from ..errors import CStarError
from ..models import Webhook
from ..plans import plan
from .answer import check, shown

_DEBUGGING = "What do they send?"
_KEPT, _GONE = "Playground", "Playground 2"
_MERGED = {"ticket.created", "ticket.updated", "ticket.closed", "survey.submitted"}
_MOVED = "Billing"
_NEW_YEAR = "2026-01-01"


@check
def settled(decided: Any, accounts: audits.Accounts) -> str:
    """One finding that is meant to be, set aside with a reason and an end; nothing else is."""
    assert decided is not ..., (
        "`decided` is still `...`. It is to be the text of a settings file, such as the one further up."
    )
    assert isinstance(decided, str), f"`decided` is {shown(decided)}; it is to be text."
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "audit.toml")
        path.write_text(decided, encoding="utf-8")
        try:
            found = audits.audit(accounts, settings=path)
        except CStarError as error:
            raise AssertionError(f"These settings are refused. {error}") from None
    aside = found.ignored
    ours = aside[(aside["name"] == _DEBUGGING) & (aside["rule"] == "tunnel_host")]
    notes = " ".join(found.notes)
    assert len(ours), f"The finding about '{_DEBUGGING}' still stands. Its rule is tunnel_host. {notes}".rstrip()
    others = aside[aside["name"] != _DEBUGGING]
    assert others.empty, (
        f'What {others["rule"].iloc[0]} finds of {others["name"].fillna("all of them").iloc[0]!r} is set aside too, and nobody has decided that. Name the one webhook, by webhook = "whk_…" or by its host.'
    )
    assert len(found.findings) + len(aside) == len(audits.audit(accounts).findings), (
        "These settings change what is found elsewhere, too. Leave the thresholds as they are."
    )
    assert ours["until"].notna().all(), "It holds for ever. Give it an end, until = and a day without quotes."
    until = str(ours["until"].iloc[0])
    assert until == _NEW_YEAR, (
        f"From {until} on it is a finding again; you have agreed to all of 2025. The first day on which it is to be back is"
        f" {_NEW_YEAR}."
    )
    return f"Right. '{_DEBUGGING}' is quiet until {until}, and from that day on it is a finding again."


@check
def merged(desired: Any, client: Client) -> str:
    """A plan that makes one webhook out of two. It is looked at and not applied."""
    assert desired is not ..., (
        "`desired` is still `...`. It is to be a frame with a row for each of the two webhooks: its id and what is to change."
    )
    assert _GONE in [webhook.name for webhook in client.webhooks.list()], (
        f"'{_GONE}' is gone: the plan was applied already. Run the notebook again from the top."
    )
    try:
        changes = plan(client, desired).changes
    except CStarError as error:
        raise AssertionError(f"It makes no plan. {error}") from None
    strangers = [change.name for change in changes if change.name not in (_KEPT, _GONE)]
    assert not strangers, (
        f"It also changes '{strangers[0]}'. Leave out what is to stay as it is: a plan touches no row that it does not have."
    )
    by_name = {change.name: change for change in changes}
    assert _KEPT in by_name, (
        f"'{_KEPT}' stays as it is, and survey.submitted would reach nobody. Give its row the events that it is to have."
    )
    kept = by_name[_KEPT].after
    assert kept is not None, f"It deletes '{_KEPT}', which is to stay. Delete '{_GONE}'."
    told = set(kept.events or ())
    assert not any("*" in name for name in told), "A wildcard takes all of a kind. Name the four types themselves."
    assert told >= _MERGED, (
        f"'{_KEPT}' would not be told of {', '.join(sorted(_MERGED - told))}: the events are replaced as a whole, so give the old ones too."
    )
    assert told == _MERGED, f"'{_KEPT}' would also be told of {', '.join(sorted(told - _MERGED))}."
    fields = [field for field, _, _ in by_name[_KEPT].differences if field != "events"]
    assert not fields, (
        f"'{_KEPT}' would also have another {fields[0]}. Leave out the columns of what is to stay as it is."
    )
    assert _GONE in by_name, (
        f"'{_GONE}' stays, and the address would be told of each survey twice. Give its row delete=True."
    )
    assert by_name[_GONE].after is None, f"'{_GONE}' would be changed and not deleted. Give its row delete=True."
    return "Right. Two steps, and nothing else is touched; plan.apply() would carry them out, plan.invert() take them back."


@check
def moved(answer: Any, before: audits.Audit, accounts: audits.Accounts) -> str:
    """The webhook whose deliveries go to another host since the audit before."""
    assert answer is not ..., (
        "`moved` is still `...`. cx.compare(findings, cx.audit(accounts)) has a row for each thing that was changed: put the name"
        " of one webhook in it."
    )
    assert isinstance(answer, str), f"`moved` is {shown(answer)}; it is to be a name, as text."
    frame = audits.compare(before, audits.audit(accounts))
    changed = frame[frame["what"] == "changed"]
    assert len(changed), (
        "Nothing has changed since. Run the cell in which the colleague is at work; `findings` has to be from before."
    )
    mine = changed[changed["name"] == answer]
    assert len(mine), f"`moved` is {shown(answer)}; what was changed are {', '.join(sorted(set(changed['name'])))}."
    field, was, now = mine[["field", "before", "after"]].iloc[0]
    assert field == "url", f"Of '{answer}' the {field} was changed: {was} → {now}. Its deliveries go where they went."
    assert answer == _MOVED, (
        f"'{answer}' goes to another path, {was} → {now}, on the same host. Another one has left its host."
    )
    return f"Right. '{answer}' went to {was}, and goes to {now}: ask who decided that."


def colleague(client: Client) -> None:
    """Changes three webhooks, as somebody else might; what the last exercise looks for."""
    there: dict[Any, Webhook] = {webhook.name: webhook for webhook in client.webhooks.list()}
    client.webhooks.update(there[_MOVED].id, url="https://billing.example.org:9443/cstar")
    client.webhooks.update(there["Desk"].id, url="https://desk.example.com/cstar/v2")
    client.webhooks.update(there["Escalations"].id, events=["ticket.created"])
