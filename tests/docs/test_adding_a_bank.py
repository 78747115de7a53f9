"""docs/adding-a-bank.md works: its blocks are run, in order, against a bank that answers what it shows."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.bank_server import Asked, BankServer, Said
from support.token_store import MemoryTokenStore
from support.token_store import tokens as token_set

from assistant.banking.account import Account, Balances
from assistant.banking.money import Money
from assistant.banking.period import Period
from assistant.connectors import profiles, registry
from assistant.connectors.fdx import FdxConnector
from assistant.connectors.fdx_values import Row

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs/adding-a-bank.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


def test_the_document_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARBOR_CLIENT_SECRET", "made up")
    monkeypatch.setattr(registry, "CONNECTORS", dict(registry.CONNECTORS))
    [listing] = [json.loads(text) for text in blocks("json")]
    [profile] = blocks("yaml")

    def answer(asked: Asked) -> Said:
        return Said(listing if asked.path == "/open/fdx/accounts" else {"transactions": []})

    with BankServer(answer) as server:
        banks_yml = tmp_path / "banks.yml"
        local = profile.replace("https://api.harborbank.example", server.url).replace(
            "api.harborbank.example", server.host
        )
        banks_yml.write_text(local, encoding="utf-8")
        names: dict[str, Any] = {
            "load_profiles": registry.load_profiles,
            "open_connector": registry.open_connector,
            "CONNECTORS": registry.CONNECTORS,
            "banks_yml": banks_yml,
            "tokens": MemoryTokenStore(token_set()),
            **{kind.__name__: kind for kind in (FdxConnector, Account, Balances, Money, Decimal, datetime)},
            "Row": Row,
            "replace": replace,
        }
        for text in blocks("python"):
            exec(compile(text, "docs/adding-a-bank.md", "exec"), names)

        year = Period(date(2025, 1, 1), date(2025, 12, 25))
        assert names["bank"].transactions(names["checking"], year) == ()
        ranges = [asked for asked in server.asked if asked.path.endswith("/transactions")]
        assert len(ranges) == 5, "a year in five parts, as the document says"
        assert all({"startDate", "endDate"} <= set(asked.query) for asked in ranges)
        assert server.asked[0].headers["x-harbor-client"] == "harbor-demo"


def test_the_profile_loads_as_printed(tmp_path: Path) -> None:
    (tmp_path / "banks.yml").write_text(blocks("yaml")[0], encoding="utf-8")
    profile = registry.load_profiles(tmp_path / "banks.yml", env={})["harbor"]
    assert profile.missing() == ("HARBOR_CLIENT_SECRET",)


def test_what_the_document_names_exists() -> None:
    for path in set(re.findall(r"`((?:assistant|tests)/[\w/]+\.py)`", DOCUMENT)):
        assert (ROOT / path).is_file() or path == "assistant/connectors/harbor.py", path
    assert profiles.BankProfile.__doc__
    for hook in ("read_account", "read_balances", "read_transaction"):
        assert f"`{hook}`" in DOCUMENT
        assert hasattr(FdxConnector, hook)
