"""Which time of a comparison is only compared with."""

from __future__ import annotations

import pytest

from assistant.nlu.compared import BASELINE
from assistant.nlu.entities import EntityReader
from assistant.nlu.vocabulary import Vocabulary

READER = EntityReader(Vocabulary({}))


@pytest.mark.parametrize(
    ("text", "asked", "baseline"),
    [
        ("Am I spending more on groceries than last month", [], "last month"),
        ("did i spend more this month than last month", ["this month"], "last month"),
        ("compare January to February", ["january"], "february"),
        ("compare my spending to last year", [], "last year"),
        ("this quarter vs last quarter", ["this quarter"], "last quarter"),
        ("is my spending down from last year", [], "last year"),
        ("was last month more expensive than usual", ["last month"], None),
        ("why did i spend more last month", ["last month"], None),
        ("what did i spend in march", ["march"], None),
    ],
)
def test_baseline(text: str, asked: list[str], baseline: str | None) -> None:
    periods = [entity for entity in READER.read(text) if entity.name == "period"]
    assert [one.value for one in periods if one.role == BASELINE] == ([baseline] if baseline else [])
    assert [one.value for one in periods if not one.role] == asked
