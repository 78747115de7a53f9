"""Who may know whom: every room has a contract, and the contracts bite."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
#: Helpers of the command line that know nothing of the rooms.
LEAVES = {"assistant.processes", "assistant.progress"}


def test_every_room_says_who_may_import_it() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    protected = {name for contract in contracts for name in contract.get("protected_modules", ())}
    rooms = {
        f"assistant.{path.stem}"
        for path in (ROOT / "assistant").iterdir()
        if path.name != "__init__.py" and (path.suffix == ".py" or list(path.glob("*.py")))
    }
    assert rooms - protected - LEAVES == set()


#: What must be caught: who imports, what.
FORBIDDEN = (
    ("assistant.banking.money", "assistant.replies.reply"),
    ("assistant.skills.balances", "assistant.connectors.registry"),
    ("assistant.skills.balances", "assistant.customers.service"),
    ("assistant.skills.balances", "assistant.storage.db"),
    ("assistant.skills.balances", "rasa"),
    ("assistant.storage.db", "rasa"),
    ("assistant.storage.db", "assistant.skills.focus"),
    ("assistant.storage.db", "assistant.banking.money"),
    ("assistant.connectors.registry", "assistant.customers.vault"),
    ("assistant.customers.vault", "assistant.sandbox.app"),
    ("assistant.sandbox.app", "assistant.banking.money"),
    ("assistant.nlu.period", "assistant.settings"),
    ("assistant.customers.vault", "actions.guard"),
    ("assistant.replies.plain", "assistant.cli"),
)


def test_forbidden_imports_are_caught(tmp_path: Path) -> None:
    for name in ("assistant", "actions"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for importer, imported in FORBIDDEN:
        with (tmp_path / f"{importer.replace('.', '/')}.py").open("a") as file:
            file.write(f"\nimport {imported}\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1
    caught = set(re.findall(r"-\s+([a-z_.]+) -> ([a-z_.]+)", done.stdout))
    assert set(FORBIDDEN) - caught == set(), done.stdout
