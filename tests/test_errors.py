"""The errors: one tree, every field on each of them, and each ends in what to do."""

import copy
import inspect
import pickle
import re

import pytest

import cstar_explore as cx
from cstar_explore import errors, models

CLASSES = [
    member
    for member in vars(errors).values()
    if inspect.isclass(member) and issubclass(member, errors.CStarError) and member.__module__ == errors.__name__
]
FIELDS = {
    "status": 400,
    "type": "validation_error",
    "code": "PARAMETER_INVALID",
    "param": "url",
    "doc_url": "https://www.cstar.help/developers/errors#PARAMETER_INVALID",
    "request_id": "req_abc123",
    "retry_after": 42.0,
}


def drawn_tree(drawing: str) -> dict[str, str]:
    """Parent by child, as the lines of a drawn tree show them."""
    parents: dict[str, str] = {}
    line_of_descent: list[str] = []
    for line in drawing.splitlines():
        if found := re.match(r"^([│├└─ ]*)(\w+Error)\b", line):
            depth = len(found[1]) // 4
            line_of_descent[depth:] = [found[2]]
            if depth:
                parents[found[2]] = line_of_descent[depth - 1]
    return parents


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    """What a reader sees drawn is what `except` will do."""
    actual = {member.__name__: member.__base__.__name__ for member in CLASSES if member is not errors.CStarError}
    assert drawn_tree(errors.__doc__) == actual


@pytest.mark.parametrize("kind", CLASSES)
def test_every_field_can_be_read_on_every_error(kind: type[errors.CStarError]) -> None:
    """Nobody needs getattr or a check of the class before reading a field."""
    error = kind("It went wrong")
    assert "It went wrong" == error.message
    assert dict.fromkeys(FIELDS) == {name: getattr(error, name) for name in FIELDS}
    assert isinstance(error.may_have_acted, bool)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_ends_in_a_sentence_on_what_to_do(kind: type[errors.CStarError]) -> None:
    """The text is the message, then the advice."""
    error = kind("It went wrong")
    assert str(error).startswith("It went wrong")
    assert str(error).endswith(error.advice)
    assert error.advice.endswith(".")


def test_advice_given_stands_in_for_the_usual_one() -> None:
    """Where more is known, the better sentence is shown."""
    error = errors.NotFoundError("No such webhook", advice="List them first.")
    assert "List them first." == error.advice
    assert str(error).endswith("List them first.")


def test_the_text_names_status_code_and_request_id() -> None:
    """What support will ask for can be read off the message."""
    text = str(errors.ValidationError("Bad URL", **FIELDS))
    assert [True] * 3 == [known in text for known in ("400", "PARAMETER_INVALID", "req_abc123")]


@pytest.mark.parametrize("through", [pytest.param(lambda error: pickle.loads(pickle.dumps(error)), id="pickle"), copy.copy, copy.deepcopy])  # fmt: skip
@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_survives_pickling_and_copying_with_its_fields(kind: type[errors.CStarError], through) -> None:
    """Errors cross processes and stay themselves."""
    error = kind("It went wrong", advice="Try this.", **FIELDS)
    error.may_have_acted = True
    twin = through(error)
    assert kind is type(twin)
    assert str(error) == str(twin)
    assert FIELDS == {name: getattr(twin, name) for name in FIELDS}
    assert ("It went wrong", "Try this.", True) == (twin.message, twin.advice, twin.may_have_acted)


def test_the_candidates_of_an_unknown_outcome_survive_pickling() -> None:
    """The webhooks that may be the lost one travel with the error."""
    candidates = (models.Webhook("whk_1", "One", "https://example.com/", ("ticket.created",)),)
    twin = pickle.loads(pickle.dumps(errors.OutcomeUnknownError("Lost", candidates=candidates)))
    assert candidates == twin.candidates


def test_an_unknown_outcome_has_no_candidates_unless_told() -> None:
    """The field is there in any case."""
    assert () == errors.OutcomeUnknownError("Lost").candidates


def test_the_root_is_a_public_name() -> None:
    """`except cx.CStarError` catches everything of ours."""
    assert errors.CStarError is cx.CStarError
