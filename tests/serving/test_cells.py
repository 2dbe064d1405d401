"""Rerunning a notebook cell replaces what it opened; nothing else does."""

import builtins
import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.listeners import send

Run = Callable[..., None]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Begins a run of a cell: the following code is in it."""
    runs = itertools.count()

    def begin(parent: Any = None, **metadata: Any) -> None:
        message = {"header": {"msg_id": f"run-{next(runs)}"}, "metadata": metadata, "content": {"code": "x"}}
        answer = message if parent is None else parent

        def get_parent(_: str) -> Any:
            if isinstance(answer, BaseException):
                raise answer
            return answer

        kernel = SimpleNamespace(kernel=SimpleNamespace(get_parent=get_parent))
        monkeypatch.setattr(builtins, "get_ipython", lambda: kernel, raising=False)

    return begin


def is_open(listener: cx.Listener) -> bool:
    try:
        return send(listener.url)[0] == 200
    except ConnectionError:
        return False


def test_rerun_of_a_cell_closes_what_its_last_run_opened(run: Run) -> None:
    """Several objects of one run stay open."""
    run(cellId="one")
    first = [cx.Listener(), cx.Listener()]
    assert [True, True] == [is_open(listener) for listener in first]
    run(cellId="one")
    second = cx.Listener()
    assert [False, False, True] == [is_open(listener) for listener in (*first, second)]
    second.close()


def test_rerun_can_use_the_same_port_and_file_again(run: Run, tmp_path: Any) -> None:
    """The last run's is closed first."""
    run(cellId="one")
    first = cx.Listener(path=tmp_path / "captures.db")
    port = int(first.url.split(":")[2].split("/")[0])
    run(cellId="one")
    with cx.Listener(path=tmp_path / "captures.db", port=port) as second:
        assert is_open(second)


def test_other_cells_and_types_are_left_alone(run: Run) -> None:
    """A sandbox and a listener of one cell are replaced separately."""
    run(cellId="one")
    with cx.Listener() as first, cx.Sandbox() as sandbox:
        run(cellId="two")
        with cx.Listener() as second:
            assert [True, True] == [is_open(first), is_open(second)]
        run(cellId="one")
        with cx.Listener() as third, sandbox.client() as client:
            assert (False, True, True) == (is_open(first), is_open(third), len(client.webhooks.list()) > 0)


@pytest.mark.parametrize(
    "parent",
    [
        pytest.param(None, id="no cell id"),
        pytest.param({}, id="empty message"),
        pytest.param([], id="no message"),
        pytest.param({"metadata": None, "header": None}, id="message without parts"),
        pytest.param({"metadata": {"cellId": ["x"]}, "header": {"msg_id": "x"}}, id="invalid id"),
        pytest.param(NotImplementedError(), id="NotImplementedError"),
        pytest.param(TypeError("get_parent() takes 1 argument"), id="TypeError"),
        pytest.param(LookupError("no context"), id="LookupError"),
        pytest.param(AttributeError("x"), id="AttributeError"),
    ],
)
def test_without_a_cell_id_nothing_is_replaced(run: Run, parent: Any) -> None:
    """Two cells may have the same code. A kernel may raise anything."""
    run(parent)
    with cx.Listener() as first:
        run(parent)
        with cx.Listener() as second:
            assert [True, True] == [is_open(first), is_open(second)]


@pytest.mark.parametrize("kind", [cx.Listener, cx.Sandbox])
def test_cell_can_be_run_again_after_it_failed(run: Run, tmp_path: Any, kind: Any) -> None:
    """The failed constructor leaves neither an open file nor a half-made object."""
    run(cellId="one")
    with cx.Listener() as other:
        port = int(other.url.split(":")[2].split("/")[0])
        for _ in range(2):
            run(cellId="two")
            with pytest.raises(errors.ConfigurationError, match=str(port)):
                kind(path=tmp_path / "state.db", port=port)
    run(cellId="two")
    kind(path=tmp_path / "state.db", port=port).close()
