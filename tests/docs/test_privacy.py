"""docs/privacy.md leaves out no table, names limits as they are, and proofs that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.installation import settings_in

from assistant.banking.purpose import Purpose
from assistant.customers.linking import ATTEMPT_LIFE
from assistant.customers.one_time import LIFE
from assistant.storage.keys import DataKeyRow
from assistant.storage.tables import Base

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "privacy.md").read_text()
ROWS = dict(re.findall(r"^\| [^|]+ \| `(\w+)` \| ([^|]+ \| [^|]+) \|$", DOCUMENT, re.MULTILINE))


def test_every_table_is_described() -> None:
    assert set(ROWS) == {*Base.metadata.tables, *DataKeyRow.metadata.tables}


def test_what_has_a_sealed_column_is_said_to_be_sealed_and_nothing_else() -> None:
    sealed = {
        table.name for table in Base.metadata.tables.values() if {"sealed", "tokens"} & set(table.columns.keys())
    } | {"data_keys"}
    assert {name for name, row in ROWS.items() if not row.startswith("nobody")} == sealed


def test_the_limits_are_those_of_the_settings(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert f"`TELLERLINE_CONVERSATION_DAYS` ({settings.conversation_days})" in ROWS["conversation_events"]
    assert f"`TELLERLINE_CACHE_HOURS` ({settings.cache_hours})" in ROWS["bank_cache"]
    assert f"`TELLERLINE_CACHE_SECONDS` ({settings.cache_seconds})" in DOCUMENT
    assert ATTEMPT_LIFE.total_seconds() == LIFE.total_seconds() == 600
    assert all("ten minutes to use" in ROWS[name] for name in ("link_attempts", "one_time_links"))


def test_the_purposes_are_those_of_the_code() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE)) == {purpose.value for purpose in Purpose}


@pytest.mark.parametrize("path", sorted(set(re.findall(r"tests/[\w/]+(?:\.py)?", DOCUMENT))))
def test_the_proofs_exist(path: str) -> None:
    assert (ROOT / path).exists()
