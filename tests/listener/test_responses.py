"""How a listener is told to answer: what it cannot do is refused where it is said."""

import pytest

import cstar_explore as cx
from cstar_explore import errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("status", 99, id="no status"),
        pytest.param("status", 600, id="beyond all statuses"),
        pytest.param("status", True, id="a truth value"),
        pytest.param("status", "200", id="text"),
        pytest.param("seconds", -1, id="a time before"),
        pytest.param("seconds", "1", id="a time as text"),
    ],
)
def test_what_cannot_be_answered_is_refused_at_once(sandbox: cx.Sandbox, name: str, value: object) -> None:
    """And the answer stays what it was."""
    with sandbox.listener() as listener:
        with pytest.raises(errors.ConfigurationError):
            setattr(listener.answer, name, value)

        assert (listener.answer.status, listener.answer.seconds) == (200, 0.0)
