"""Runs Rasa's graph one node after the other, in an order found once.

Stands in for ``rasa.engine.runner.dask.DaskGraphRunner``, which works out the graph and its order, starts a scheduler
and a queue anew for every message and every choice of an action: three times a turn. The nodes and what they
are given are the same.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import GraphSchema
from rasa.engine.runner.dask import DaskGraphRunner


class InOrderRunner(DaskGraphRunner):  # type: ignore[misc]  # Rasa is read untyped
    """``run`` alone is ours."""

    def run(self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None) -> dict[str, Any]:
        wanted = tuple(targets or self._graph_schema.target_names)
        steps = self._steps(wanted)
        # A node takes and gives pairs: whose output, and the output.
        done: dict[str, Any] = {name: (name, value) for name, value in (inputs or {}).items()}
        self._refuse_ambiguous(inputs or {}, {name for name, _ in steps} | done.keys())
        try:
            for name, needs in steps:
                if name not in done:
                    # Where nothing gives what a node needs, it is told the name, as Dask does, and says so itself.
                    done[name] = self._instantiated_nodes[name](*[done.get(need, need) for need in needs])
        except RuntimeError as error:
            raise GraphRunError("Error running runner.") from error
        return dict(done[target] for target in wanted)

    def _steps(self, targets: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
        """The nodes that lead to these targets, each after those it needs."""
        known: dict[tuple[str, ...], list[tuple[str, tuple[str, ...]]]] = self.__dict__.setdefault("_orders", {})
        if targets not in known:
            known[targets] = _in_order(self._graph_schema.minimal_graph_schema(list(targets)))
        return known[targets]

    @staticmethod
    def _refuse_ambiguous(inputs: dict[str, Any], names: set[str]) -> None:
        for name, value in inputs.items():
            if isinstance(value, str) and value in names:
                raise GraphRunError(f"the input {name} has the name of a node for its value")


def _in_order(schema: GraphSchema) -> list[tuple[str, tuple[str, ...]]]:
    order: dict[str, tuple[str, ...]] = {}

    def place(name: str) -> None:
        if name in order or name not in schema.nodes:
            return
        needs = tuple(schema.nodes[name].needs.values())
        for need in needs:
            place(need)
        order[name] = needs

    for name in schema.nodes:
        place(name)
    return list(order.items())
