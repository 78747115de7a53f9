"""What the documents name exists: files, make targets, commands, settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assistant.cli import _parser

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
NAMES = [document.relative_to(ROOT).as_posix() for document in DOCUMENTS]


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_links_lead_somewhere(document: Path) -> None:
    prose = re.sub(r"(?s)```.*?```|`[^`\n]*`", "", document.read_text())
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", prose)
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?m)(?:`|^)make ([a-z-]+)", document.read_text()))
    assert named - targets == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_commands_exist(document: Path) -> None:
    commands = set(next(a for a in _parser()._actions if a.choices and a.metavar == "COMMAND").choices or ())
    named = set(re.findall(r"(?m)(?:`|^|bin/)tellerline ([a-z]+)", document.read_text()))
    assert named - commands == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_source_files_exist(document: Path) -> None:
    named = re.findall(r"`((?:assistant|actions|data|tests|benchmarks|docs)/[A-Za-z0-9_./-]+)`", document.read_text())
    # A worked example names the files that its reader is about to write.
    written = set(re.findall(r"<!-- file: (\S+?) -->", document.read_text()))
    examples = {name for name in named if "harbor" in name} | written
    assert [name for name in named if name not in examples and not (ROOT / name).exists()] == []


def test_every_setting_is_documented() -> None:
    code = "".join(path.read_text() for room in ("assistant", "actions") for path in (ROOT / room).rglob("*.py"))
    settings = set(re.findall(r"\"(TELLERLINE_[A-Z_]+)\"", code))
    assert len(settings) > 10
    documented = set(re.findall(r"`(TELLERLINE_[A-Z_]+)`", (ROOT / "docs/deploying.md").read_text()))
    assert settings - documented == set()
