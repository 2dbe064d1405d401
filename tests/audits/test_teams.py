"""`compare` of two teams: each side by its name, not before and after."""

from typing import Any

import pandas as pd
import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.scripted_server import ScriptedServer, data, status

KEY = "sk_live_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"
LABELS = ("production", "staging")


def hook(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"whk_{number}",
        "name": f"Orders {number}",
        "url": f"https://hooks.example.com/orders/{number}",
        "events": ["ticket.created"],
        "isActive": True,
        "createdAt": "2025-12-01T10:00:00Z",
    } | fields


def listed(*hooks: dict[str, Any]) -> cx.WebhookList:
    return cx.WebhookList(hooks)


def compared(one: Any, other: Any, **options: Any) -> list[dict[str, Any]]:
    """The rows, with None for missing cells."""
    frame = cx.compare(one, other, **{"labels": LABELS} | options)
    assert {"str"} == {str(kind) for kind in frame.dtypes}
    return frame.astype("object").where(frame.notna(), None).to_dict("records")


def test_each_side_is_named() -> None:
    """What is on one side only, and what differs, with the values and ids of both."""
    production = listed(hook(1), hook(2), hook(3))
    staging = listed(hook(11, name="Orders 1"), hook(12, name="Orders 2", events=["boss.spawned"]), hook(4))
    rows = compared(production, staging)
    frame = cx.compare(production, staging, labels=LABELS)

    columns = ["what", "name", "field", "production", "staging", "production_id", "staging_id"]
    assert columns == list(frame.columns)
    assert {("different", "Orders 1", "url"), ("different", "Orders 2", "events")} <= {
        (row["what"], row["name"], row["field"]) for row in rows
    }
    (only_there,) = (row for row in rows if row["what"] == "only in production")
    (only_here,) = (row for row in rows if row["what"] == "only in staging")
    assert ("Orders 3", "whk_3", None) == tuple(only_there[name] for name in ("name", "production_id", "staging_id"))
    assert ("Orders 4", None, "whk_4") == tuple(only_here[name] for name in ("name", "production_id", "staging_id"))
    (events,) = (row for row in rows if row["field"] == "events")
    assert ("ticket.created", "boss.spawned") == (events["production"], events["staging"])


def test_equal_teams_do_not_differ() -> None:
    """Ids and the order are no differences. The columns are the same."""
    frame = cx.compare(listed(hook(1), hook(2)), listed(hook(2, id="b"), hook(1, id="a")), labels=LABELS)

    assert (0, "production_id") == (len(frame), frame.columns[5])


def test_clients_are_compared_by_their_webhooks() -> None:
    """One GET request each. Without labels, the sides have the names of their environments or teams."""
    with ScriptedServer(data([hook(1)]), data([hook(1), hook(2)])) as server:
        live, test = cx.Client(KEY, "team_1", server.url), cx.Client(KEY, "team_2", server.url)
        frame = cx.compare(live, test)

        assert ["GET", "GET"] == server.methods
    assert ["only in team_2"] == frame["what"].tolist()
    assert {"team_1", "team_2", "team_1_id", "team_2_id"} < {*frame.columns}


def test_a_team_that_cannot_be_read_is_an_error() -> None:
    """Nothing is reported as missing."""
    with ScriptedServer(data([hook(1)]), *[status(403)] * 3) as server:
        clients = [cx.Client(KEY, team, server.url, max_wait=0) for team in ("team_1", "team_2")]
        with pytest.raises(errors.CStarError):
            cx.compare(*clients)


def test_a_client_and_a_list_can_be_compared() -> None:
    """For example with last month's list."""
    with ScriptedServer(data([hook(1)])) as server:
        frame = cx.compare(listed(hook(1)), cx.Client(KEY, "team_1", server.url))

    assert (0, ["first", "second"]) == (len(frame), list(frame.columns[3:5]))


def test_lists_of_one_team_are_compared_by_id() -> None:
    """A renamed webhook is then one difference."""
    (row,) = compared(listed(hook(1)), listed(hook(1, name="New")), by="id")

    assert ("different", "name", "Orders 1", "New") == tuple(row[name] for name in ("what", "field", *LABELS))


def test_urls_are_masked_and_equal_secrets_are_equal() -> None:
    """The digits show which secrets differ."""
    one = listed(*(hook(n, url=f"https://hooks.zapier.com/hooks/catch/1/qzxv{n}/") for n in (1, 2)))
    other = listed(
        hook(1, url="https://hooks.zapier.com/hooks/catch/1/qzxv1/"),
        hook(2, url="https://hooks.zapier.com/hooks/catch/1/wkjr/"),
    )
    (row,) = compared(one, other)

    assert "Orders 2" == row["name"]
    assert "••••" in row["production"]
    assert "qzxv" not in str(row)
    assert row["production"] != row["staging"]


@pytest.mark.parametrize(
    "labels", ["ab", ("a",), ("a", "a"), ("a", "b", "c"), ("", "b"), (1, 2), ("name", "b"), ("a", "a_id"), {"a", "b"}]
)
def test_invalid_labels_are_refused(labels: Any) -> None:
    """Two different names that are no other column's."""
    with pytest.raises(errors.ValidationError):
        cx.compare(listed(), listed(), labels=labels)


def test_a_team_and_an_audit_are_not_compared() -> None:
    """Nor do audits take labels."""
    audit = cx.audit(listed(hook(1)))
    with pytest.raises(errors.ValidationError, match="audit"):
        cx.compare(audit, listed(hook(1)))
    with pytest.raises(errors.ValidationError, match="labels"):
        cx.compare(audit, audit, labels=LABELS)


def test_missing_names_are_compared() -> None:
    """Webhooks without a name match each other."""
    frame = cx.compare(listed(hook(1, name=None)), listed(hook(2, name=None, isActive=False)), labels=LABELS)

    assert {"url", "is_active"} == {*frame["field"]}
    assert isinstance(frame, pd.DataFrame)
