"""Invalid response settings are rejected."""

import pytest

import cstar_explore as cx
from cstar_explore import errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("status", 99, id="status below 200"),
        pytest.param("status", 600, id="status above 599"),
        pytest.param("status", True, id="bool as status"),
        pytest.param("status", "200", id="text as status"),
        pytest.param("seconds", -1, id="negative seconds"),
        pytest.param("seconds", "1", id="text as seconds"),
    ],
)
def test_invalid_setting_is_rejected_at_once(sandbox: cx.Sandbox, name: str, value: object) -> None:
    """The settings keep their values."""
    with sandbox.listener() as listener:
        with pytest.raises(errors.ConfigurationError):
            setattr(listener.answer, name, value)

        assert (listener.answer.status, listener.answer.seconds) == (200, 0.0)
