"""The exception hierarchy: all fields on every error, and advice at the end of each text."""

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


def documented_tree(docstring: str) -> dict[str, str]:
    """The parent of each class, as drawn in the docstring."""
    parents: dict[str, str] = {}
    ancestors: list[str] = []
    for line in docstring.splitlines():
        if match := re.match(r"^([│├└─ ]*)(\w+Error)\b", line):
            depth = len(match[1]) // 4
            ancestors[depth:] = [match[2]]
            if depth:
                parents[match[2]] = ancestors[depth - 1]
    return parents


def test_the_docstring_shows_the_hierarchy() -> None:
    """All classes, each under its base class."""
    actual = {member.__name__: member.__base__.__name__ for member in CLASSES if member is not errors.CStarError}
    assert documented_tree(errors.__doc__) == actual


@pytest.mark.parametrize("error_class", CLASSES)
def test_every_field_can_be_read_on_every_error(error_class: type[errors.CStarError]) -> None:
    """Without getattr or a check of the class."""
    error = error_class("It went wrong")
    assert "It went wrong" == error.message
    assert dict.fromkeys(FIELDS) == {name: getattr(error, name) for name in FIELDS}
    assert isinstance(error.may_have_acted, bool)


@pytest.mark.parametrize("error_class", CLASSES)
def test_the_text_of_every_error_ends_with_its_advice(error_class: type[errors.CStarError]) -> None:
    """After the message."""
    error = error_class("It went wrong")
    assert str(error).startswith("It went wrong")
    assert str(error).endswith(error.advice)
    assert error.advice.endswith(".")


def test_advice_can_be_given() -> None:
    """It replaces the advice of the class."""
    error = errors.NotFoundError("No such webhook", advice="List them first.")
    assert "List them first." == error.advice
    assert str(error).endswith("List them first.")


def test_the_text_contains_status_code_and_request_id() -> None:
    """cStar's support asks for them."""
    text = str(errors.ValidationError("Bad URL", **FIELDS))
    assert [True] * 3 == [part in text for part in ("400", "PARAMETER_INVALID", "req_abc123")]


@pytest.mark.parametrize("duplicate", [pytest.param(lambda error: pickle.loads(pickle.dumps(error)), id="pickle"), copy.copy, copy.deepcopy])  # fmt: skip
@pytest.mark.parametrize("error_class", CLASSES)
def test_an_error_survives_pickling_and_copying_with_its_fields(
    error_class: type[errors.CStarError], duplicate
) -> None:
    """Errors are sent between processes."""
    error = error_class("It went wrong", advice="Try this.", **FIELDS)
    error.may_have_acted = True
    result = duplicate(error)
    assert error_class is type(result)
    assert str(error) == str(result)
    assert FIELDS == {name: getattr(result, name) for name in FIELDS}
    assert ("It went wrong", "Try this.", True) == (result.message, result.advice, result.may_have_acted)


def test_the_candidates_of_an_unknown_outcome_survive_pickling() -> None:
    """They are sent between processes with the error."""
    candidates = (models.Webhook("whk_1", "One", "https://example.com/", ("ticket.created",)),)

    error = pickle.loads(pickle.dumps(errors.OutcomeUnknownError("Lost", candidates=candidates)))
    assert candidates == error.candidates


def test_an_unknown_outcome_has_no_candidates_by_default() -> None:
    """The field always exists."""
    assert () == errors.OutcomeUnknownError("Lost").candidates


def test_the_base_class_is_a_public_name() -> None:
    """`except cx.CStarError` catches all errors of the package."""
    assert errors.CStarError is cx.CStarError
