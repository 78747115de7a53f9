"""What every benchmark leaves behind: a table for people, a file for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Metric:
    """One measured thing. ``ratio`` is how many times better than the peer, unless the benchmark says otherwise;
    None, like ``peer``, where there is no peer. ``target`` is what it has to reach, in words."""

    name: str
    ours: float
    unit: str
    peer: float | None = None
    ratio: float | None = None
    target: str = ""
    reached: bool | None = None


def report(benchmark: str, metrics: Sequence[Metric], notes: Sequence[str] = ()) -> None:
    """Prints the table and writes results/<benchmark>.json."""
    print(f"\n{benchmark}\n{'':24}{'ours':>12}{'peer':>12}{'ratio':>8}  unit  target")
    for metric in metrics:
        mark = "" if metric.reached is None else "  reached" if metric.reached else "  NOT REACHED"
        print(
            f"{metric.name:24}{_number(metric.ours):>12}{_number(metric.peer):>12}{_number(metric.ratio):>8}"
            f"  {metric.unit:4}  {metric.target}{mark}"
        )
    for note in notes:
        print(f"  {note}")
    FOLDER.mkdir(exist_ok=True)
    document = {m.name: {"ours": m.ours, "peer": m.peer, "ratio": m.ratio, "unit": m.unit} for m in metrics}
    (FOLDER / f"{benchmark}.json").write_text(json.dumps(document, indent=2) + "\n")


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
