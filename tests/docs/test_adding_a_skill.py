"""docs/adding-a-skill.md works: its blocks are applied, in order, to a copy of the project, which is then tried."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs/adding-a-skill.md").read_text(encoding="utf-8")
#: Language, the file its first line names, and the rest.
BLOCKS = re.findall(r"^```(\w+)\n# (\S+)\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
COPIED = ("assistant", "actions", "data", "tests/support")


def change(text: str, diff: str) -> str:
    """Apply a block of " ", "-" and "+" lines, whose old lines must be found exactly once."""
    lines = diff.splitlines()
    old = "".join(f"{line[1:]}\n" for line in lines if line[:1] in (" ", "-"))
    new = "".join(f"{line[1:]}\n" for line in lines if line[:1] in (" ", "+"))
    assert text.count(old) == 1, f"not found once:\n{old}"
    return text.replace(old, new)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("project")
    for folder in COPIED:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("domain.yml", "config.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, copy / name)
    for language, name, text in BLOCKS:
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if language == "diff":
            target.write_text(change(target.read_text(encoding="utf-8"), text), encoding="utf-8")
        else:
            assert not target.exists(), name
            target.write_text(text, encoding="utf-8")
    return copy


def run(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=project, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_block_is_used() -> None:
    assert len(BLOCKS) == DOCUMENT.count("```") // 2
    assert {name.split("/")[0] for _, name, _ in BLOCKS} == {"assistant", "domain.yml", "tests", "data", "actions"}


def test_its_own_test_passes(project: Path) -> None:
    assert "4 passed" in run(project, "-m", "pytest", "-p", "no:cacheprovider", "tests/skills/test_savings.py")


def test_rasa_finds_the_action_and_the_skill_answers_for_its_topic(project: Path) -> None:
    script = (
        "from rasa_sdk.executor import ActionExecutor\n"
        "executor = ActionExecutor()\n"
        "executor.register_package('actions')\n"
        "from actions.base import _SKILLS\n"
        "from assistant.skills.focus import Topic\n"
        "print('action_savings' in executor.actions, _SKILLS[Topic.SAVINGS].__module__)\n"
    )
    assert run(project, "-c", script).split()[-2:] == ["True", "assistant.skills.savings"]


@pytest.mark.slow
def test_rasa_accepts_the_data(project: Path) -> None:
    script = (
        "from rasa.shared.importers.rasa import RasaFileImporter\n"
        "from rasa.validator import Validator\n"
        "importer = RasaFileImporter('config.yml', 'domain.yml', ['data'])\n"
        "validator = Validator.from_importer(importer)\n"
        "print(validator.verify_domain_validity() and validator.verify_intents(ignore_warnings=False)\n"
        "      and validator.verify_story_structure(ignore_warnings=False))\n"
    )
    assert run(project, "-W", "ignore", "-c", script).split()[-1] == "True"


def test_what_the_document_names_exists() -> None:
    written = {name for _, name, _ in BLOCKS}
    for path in set(re.findall(r"`((?:assistant|tests|actions|data)/[\w/]+(?:\.py)?/?)`", DOCUMENT)):
        assert (ROOT / path).exists() or path in written, path
