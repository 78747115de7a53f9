"""Which time in a sentence is only compared with: "than last month", "this week against last week"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.nlu.entity import Entity

#: The role of an entity that is compared with, and not asked about.
BASELINE = "baseline"
_COMPARING = re.compile(r"\b(?:than|vs|versus|against|relative to|compar\w+|stack up|differen\w+)\b")
#: What stands right before it.
_AFTER = re.compile(
    r"(?:\b(?:than|vs\.?|versus|against|relative to|stack up (?:against|to|with))"
    r"|\bcompar\w+(?: \w+){0,4} (?:to|with|against)|\bdifferent from"
    r"|\b(?:up|down|higher|lower|chang\w+|increas\w+|decreas\w+|grown?) (?:\w+ )?from)"
    r"(?: (?:i|we|it|they|what|my)(?: \w+){0,2}| was| were)?(?: (?:back|in|on|over|for|during|the|of))* $"
)


def with_baseline(folded: str, entities: Sequence[Entity]) -> list[Entity]:
    """The same entities; a period that another time is compared with has the role of a baseline.

    Of two in a comparison it is the second, unless words before the first say that it is that one.
    """
    periods = [entity for entity in entities if entity.name == "period"]
    marked = [period for period in periods if _AFTER.search(folded[: period.start])]
    if not marked and len(periods) > 1 and _COMPARING.search(folded):
        marked = periods[1:2]
    baseline = marked[0] if marked else None
    return [replace(entity, role=BASELINE) if entity is baseline else entity for entity in entities]
