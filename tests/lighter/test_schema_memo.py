"""A schema is proved sound once; an unsound one, and an answer that doesn't fit, are refused as before."""

from collections.abc import Iterator

import jsonschema
import pytest

from assistant.lighter import schema_memo

SCHEMA = {"type": "object", "properties": {"events": {"type": "array"}}, "required": ["events"]}


@pytest.fixture(autouse=True)
def memo() -> Iterator[None]:
    before = jsonschema.Draft202012Validator.__dict__["check_schema"]
    schema_memo._checked.cache_clear()
    schema_memo.remember_checked_schemas()
    schema_memo.remember_checked_schemas()
    yield
    jsonschema.Draft202012Validator.check_schema = before


def test_the_same_schema_is_checked_once() -> None:
    for _ in range(3):
        jsonschema.validate({"events": []}, dict(SCHEMA))
    assert schema_memo._checked.cache_info().misses == 1
    assert schema_memo._checked.cache_info().hits == 2


def test_an_answer_that_does_not_fit_is_refused() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"responses": []}, SCHEMA)


def test_an_unsound_schema_is_refused_every_time() -> None:
    for _ in range(2):
        with pytest.raises(jsonschema.SchemaError):
            jsonschema.validate({}, {"type": "no such type"})
