"""The sandbox's deliveries against receivers: each wrong one fails one of them, and no correct one does."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

import cstar_explore as cx
from tests.receivers import frameworks, plain
from tests.receivers.receiving import Running, Work
from tests.support.sampling import sample

# A delivery is an ordinary event or has the fault of this name.
ORDINARY = "ordinary"
DELIVERIES = (
    ORDINARY,
    "unusual_bytes",
    "unknown_type",
    "duplicate",
    "wrong_signature",
    "no_signature",
    "malformed_signature",
    "stale",
    "legacy_signature",
    "reencode",
    "oversize",
)
ACCEPTED = frozenset(DELIVERIES[:4])
FORGED = frozenset(DELIVERIES[4:10])

# The deliveries by which each wrong receiver is found. `both_forms` is a warning rather than a mistake: cStar's own verifier takes both.
FOUND_BY: dict[str, frozenset[str]] = {
    "believes_everything": FORGED,
    "responds_before_it_verifies": FORGED,
    "needs_two_parts": frozenset({"no_signature", "malformed_signature", "legacy_signature"}),
    "needs_a_header": frozenset({"no_signature"}),
    "forgets_the_age": frozenset({"stale"}),
    "repeats_itself": frozenset({"duplicate"}),
    "old_form_only": ACCEPTED | {"legacy_signature"},
    "both_forms": frozenset({"legacy_signature"}),
    "published_types_only": frozenset({"unknown_type"}),
    "works_before_it_responds": ACCEPTED | {"oversize"},
    "parses_and_writes": ACCEPTED,
    "sorts_the_keys": ACCEPTED,
    "writes_compact_json": frozenset({"unusual_bytes", "reencode"}),
    "drops_and_trims": frozenset({"unusual_bytes"}),
    "joins_lines": frozenset({"unusual_bytes"}),
    "flask_writes_json_with_escapes": ACCEPTED,
    "flask_trims_line_ends": frozenset({"unusual_bytes"}),
    "fastapi_writes_default_json": ACCEPTED,
    "aiohttp_writes_compact_json": frozenset({"unusual_bytes", "reencode"}),
    "aiohttp_trims": frozenset({"unusual_bytes"}),
}
RECEIVERS: dict[str, Running] = {
    **plain.receivers(plain.CORRECT),
    **plain.receivers(plain.WRONG),
    **frameworks.RECEIVERS,
}
TABLE = Path("build/receivers.txt")


@dataclass(frozen=True)
class Fired:
    """A delivery and its outcome. `acted` is how often the receiver acted on the event."""

    expected: str
    as_expected: bool
    acted: int

    @property
    def right(self) -> bool:
        """Whether the response is as expected, and the receiver acted on what it accepted, and once."""
        if self.expected == "rejected":
            return self.as_expected and self.acted == 0
        return self.as_expected and self.acted <= 1


def fire_all(start: Running, timeout: float) -> dict[str, Fired]:
    """Makes each delivery once, in real time, because a receiver has a clock of its own."""
    work = Work()
    with (
        cx.Sandbox(real_time=True, follow_subscriptions=True, delivery_timeout=timeout) as sandbox,
        sandbox.client() as client,
        start(work) as url,
    ):
        for other in client.webhooks.list():
            client.webhooks.delete(other.id)
        secret = client.webhooks.create(name="Receiver", url=url, events="*").secret
        assert secret is not None
        work.secret = secret.reveal().encode()
        fired = {}
        for name in DELIVERIES:
            if name != ORDINARY:
                getattr(sandbox.faults, name)()
            fired[client.webhooks.trigger_test("ticket.created").event_id] = name
        rows = sandbox.deliveries()
    wait_until_idle(work)
    rows = rows[rows["attempt"] == 1].groupby("event_id").agg({"expected": "first", "as_expected": "all"})
    return {
        name: Fired(rows.loc[event_id, "expected"], bool(rows.loc[event_id, "as_expected"]), work.acted.count(event_id))
        for event_id, name in fired.items()
    }


def wait_until_idle(work: Work) -> None:
    """Waits for the receivers that act after they have responded."""
    count = -1
    while count != len(work.acted):
        count = len(work.acted)
        time.sleep(0.15)


def table(outcomes: dict[str, dict[str, Fired]]) -> str:
    """A row per receiver, a column per delivery."""
    lines = [["receiver", *DELIVERIES]]
    for receiver, fired in outcomes.items():
        cells = ["ok" if fired[name].right else "FAULT" for name in DELIVERIES]
        lines.append([receiver, *cells])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def test_each_wrong_receiver_is_found_and_no_correct_one_is_refused() -> None:
    """Prints the table of receivers and deliveries, and keeps it in build/. In `make test`, a sample of each kind."""
    kinds = (plain.receivers(plain.CORRECT), plain.receivers(plain.WRONG), frameworks.RECEIVERS)
    outcomes = {
        name: fire_all(RECEIVERS[name], plain.BUSY / 2 if name == "works_before_it_responds" else 10)
        for kind in kinds
        for name in sample(list(kind), len(kind) // 2, name="receivers of the sandbox")
    }
    text = table(outcomes)
    print(text)  # noqa: T201
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(text + "\n")

    found = {
        name: frozenset(delivery for delivery in DELIVERIES if not fired[delivery].right)
        for name, fired in outcomes.items()
    }
    assert {name: FOUND_BY.get(name, frozenset()) for name in outcomes} == found


def test_every_wrong_receiver_has_a_delivery_that_finds_it() -> None:
    """And no correct one is among them."""
    correct = {name for name in RECEIVERS if name.endswith("correct")} | {each.__name__ for each in plain.CORRECT}
    assert set(RECEIVERS) - correct <= set(FOUND_BY)
    assert not correct & set(FOUND_BY)
    assert all(FOUND_BY.values())


@pytest.mark.parametrize("name", sample(list(plain.receivers(plain.CORRECT)), 2, name="every event"))
def test_a_correct_receiver_accepts_every_published_event(name: str) -> None:
    """Each of the 35 types, once."""
    work = Work()
    with (
        cx.Sandbox(real_time=True) as sandbox,
        sandbox.client() as client,
        plain.receivers(plain.CORRECT)[name](work) as url,
    ):
        secret = client.webhooks.create(name="Receiver", url=url, events="*").secret
        assert secret is not None
        work.secret = secret.reveal().encode()
        fired = [client.webhooks.trigger_test(event).event_id for event in cx.events.NAMES]
        rows = sandbox.deliveries()
        rows = rows[rows["webhook"] == "Receiver"]
        assert (35, True) == (len(rows), rows["as_expected"].all())
        wait_until_idle(work)
    assert sorted(fired) == sorted(work.acted)
