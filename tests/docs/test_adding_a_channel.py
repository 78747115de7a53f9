"""docs/adding-a-channel.md shows the channel that the contract tests run."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_line_shown_stands_in_the_channel_or_its_test() -> None:
    document = (ROOT / "docs/adding-a-channel.md").read_text(encoding="utf-8")
    code = "".join((ROOT / "tests" / name).read_text() for name in ("support/toy_channel.py", "channels/test_base.py"))
    known = {line.strip() for line in code.splitlines()}
    shown = [
        line.strip() for block in re.findall(r"```python\n(.*?)```", document, re.S) for line in block.splitlines()
    ]
    missing = [line for line in shown if line and line not in known and not line.startswith("class Toy(")]
    assert len(shown) > 12 and missing == []
