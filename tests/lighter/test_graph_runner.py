"""One node after the other gives what Dask's scheduler gives, and refuses what it refuses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import pytest

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

from rasa.engine.exceptions import GraphComponentException, GraphRunError
from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema, SchemaNode
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage

from assistant.lighter.graph_runner import InOrderRunner


class Sum(GraphComponent):  # type: ignore[misc]  # Rasa is read untyped
    """Notes each run, so that a test can count."""

    runs: ClassVar[list[str]] = []

    def __init__(self, name: str) -> None:
        self._name = name

    @classmethod
    def create(cls, config: Any, model_storage: Any, resource: Any, execution_context: ExecutionContext) -> Sum:
        return cls(execution_context.node_name)

    def add(self, left: Any, right: Any = 0) -> Any:
        self.runs.append(self._name)
        return left + right


def node(**needs: str) -> SchemaNode:
    return SchemaNode(needs=needs, uses=Sum, constructor_name="create", fn="add", config={}, eager=True)


#: Two ways from "first" to "last", listed back to front; "aside" leads nowhere.
SCHEMA = GraphSchema(
    {
        "last": SchemaNode(
            needs={"left": "second", "right": "third"},
            uses=Sum,
            constructor_name="create",
            fn="add",
            config={},
            eager=True,
            is_target=True,
        ),
        "aside": node(left="first"),
        "third": node(left="first", right="__given__"),
        "second": node(left="first", right="first"),
        "first": node(left="__given__"),
    }
)


def runner(kind: type[DaskGraphRunner], folder: Path) -> DaskGraphRunner:
    Sum.runs.clear()
    return kind.create(SCHEMA, LocalModelStorage.create(folder), ExecutionContext(SCHEMA, "test"))


@pytest.mark.parametrize("targets", [None, ["last"], ["second", "third"], ["first"], ["aside", "last"]])
def test_the_same_as_dask(tmp_path: Path, targets: list[str] | None) -> None:
    found = []
    for kind in (DaskGraphRunner, InOrderRunner):
        ours = runner(kind, tmp_path / kind.__name__)
        found.append((ours.run({"__given__": 5}, targets), ours.run({"__given__": 7}, targets), sorted(Sum.runs)))
    assert found[0] == found[1]


def test_what_no_target_needs_is_not_run(tmp_path: Path) -> None:
    assert runner(InOrderRunner, tmp_path).run({"__given__": 5}, ["last"]) == {"last": 20}
    assert sorted(Sum.runs) == ["first", "last", "second", "third"]


def test_a_node_that_is_given_is_not_run(tmp_path: Path) -> None:
    assert runner(InOrderRunner, tmp_path).run({"__given__": 5, "second": 1}, ["last"]) == {"last": 11}
    assert "second" not in Sum.runs


@pytest.mark.parametrize("kind", [DaskGraphRunner, InOrderRunner])
@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        ({}, GraphRunError),  # nobody gives what "first" needs
        ({"__given__": "second"}, GraphRunError),  # a value that Dask would take for the node
        ({"__given__": None}, GraphComponentException),  # the node itself breaks
    ],
)
def test_what_is_refused(tmp_path: Path, kind: type[DaskGraphRunner], inputs: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        runner(kind, tmp_path).run(inputs, ["last"])
