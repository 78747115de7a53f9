"""Runs the benchmarks one after another: all, or those named (`python benchmarks/run.py growth`).

Understanding is measured on BANKING77 too when the environment's BANKING77 names a folder with its train.csv and
test.csv (github.com/PolyAI-LDN/task-specific-datasets, banking_data); the peer alone then takes hours to train.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
#: In this order: the quick ones first.
BENCHMARKS = ("tracker", "growth", "web", "turn", "nlu")


def main(names: list[str]) -> int:
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        print(f"No such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(BENCHMARKS)}.")
        return 2
    failed = 0
    for name in names or BENCHMARKS:
        failed += subprocess.run([sys.executable, str(FOLDER / f"{name}.py")], check=False).returncode != 0
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
