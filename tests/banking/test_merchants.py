"""Descriptors become names people know."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.banking.merchants import Merchants
from assistant.banking.tables import TableError

MERCHANTS = Merchants.load()


@pytest.mark.parametrize(
    ("descriptor", "name"),
    [
        ("SQ *BLUE DOOR CAFE 0341 SEATTLE WA", "Blue Door Cafe"),
        ("SQ *BLUE DOOR CAFE 0341", "Blue Door Cafe"),
        ("TST* THE PINK DOOR - SEATTLE WA", "The Pink Door"),
        ("PAYPAL *SPOTIFY", "Spotify"),
        ("PAYPAL *HANDMADE BOWLS 402-935-7733 CA", "Handmade Bowls"),
        ("AMZN Mktp US*2K4AB12C3 Amzn.com/billWA", "Amazon"),
        ("AMAZON.COM*M12AB34CD", "Amazon"),
        ("POS DEBIT SAFEWAY #1234 SEATTLE WA", "Safeway"),
        ("CHECKCARD 0312 JOES PIZZA NEW YORK NY 24692", "Joes Pizza"),
        ("PURCHASE AUTHORIZED ON 03/12 CORNER BAKERY DALLAS TX S123 CARD 1234", "Corner Bakery"),
        ("ORIG CO NAME:PUGET SOUND ENER ORIG ID:1 DESC DATE:", "Puget Sound Energy"),
        ("ACME CORP DES:PAYROLL ID:XXX INDN:MAYA", "Acme"),
        ("NORTHWIND PAYROLL PPD ID: 12345", "Northwind"),
        ("COMCAST CABLE COMM 800-266-2278 WA", "Comcast"),
        ("NETFLIX.COM 866-579-7172 CA", "Netflix"),
        ("UBER *TRIP HELP.UBER.COM", "Uber"),
        ("UBER *EATS", "Uber Eats"),
        ("GOOGLE *YouTubePremium", "YouTube Premium"),
        ("CVS/PHARMACY #0922", "CVS"),
        ("TRADER JOE'S #552", "Trader Joe's"),
        ("24 HOUR FITNESS 555", "24 Hour Fitness"),
        ("SP ALLBIRDS ALLBIRDS.COM CA", "Allbirds"),
        ("IN *MARTINEZ PLUMBING LLC", "Martinez Plumbing"),
        ("CAFE ROSE LOUISVILLE KY US", "Cafe Rose"),
        ("BAECKEREI MUELLER BERLIN DE", "Baeckerei Mueller"),
        ("Online Transfer to SAV ...8821", "Online Transfer to Sav"),
        ("REFUND - TARGET T-1234", "Target"),
        ("HOTEL MUNDIAL  LISBOA", "Hotel Mundial"),
        ("HETZNER ONLINE GMBH GUNZENHAUSEN", "Hetzner Online"),
        ("ZELLE PAYMENT FROM PAT BLAKE", "Pat Blake"),
        ("30-YEAR FIXED MORTGAGE PMT ...4410", "30-Year Fixed Mortgage"),
        ("ONLINE PMT PEARL DISTRICT APTS", "Pearl District Apts"),
        ("ONLINE PAYMENT THANK YOU", "Online Payment Thank You"),
        ("МАГАЗИН ПРОДУКТЫ 1234", "Магазин Продукты"),
        ("123456", ""),
        ("", ""),
    ],
)
def test_a_descriptor_becomes_a_name(descriptor: str, name: str) -> None:
    assert MERCHANTS.identify(descriptor).name == name


def test_the_payee_helps_where_the_descriptor_says_nothing() -> None:
    assert MERCHANTS.identify("00012345", "Blue Door Cafe").name == "Blue Door Cafe"
    assert MERCHANTS.identify("NETFLIX.COM", "N/A STREAM").name == "Netflix"


def test_a_word_that_only_begins_like_a_merchant_is_not_that_merchant() -> None:
    assert not MERCHANTS.identify("TARGETED MARKETING 123").known
    assert not MERCHANTS.identify("THE SHELL MUSEUM").known


@given(st.text(max_size=300))
def test_any_text_gives_a_short_printable_name(text: str) -> None:
    name = MERCHANTS.identify(text).name
    assert len(name) <= 40
    assert name.isprintable()
    assert name == name.strip()


@given(st.sampled_from(["BLUE DOOR CAFE", "NORTH STAR BOOKS", "LOPEZ BROTHERS"]), st.integers(100, 99999))
def test_store_numbers_never_split_a_merchant(name: str, store: int) -> None:
    assert MERCHANTS.identify(f"SQ *{name} {store} SEATTLE WA").name == MERCHANTS.identify(name).name


def test_a_bank_can_replace_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "merchants.yml"
    own.write_text("merchants:\n  - {name: The Corner, category: coffee, patterns: [BLUE DOOR*]}\n")
    found = Merchants.load(own).identify("SQ *BLUE DOORWAY 12")
    assert (found.name, found.category, found.known) == ("The Corner", "coffee", True)
    monkeypatch.setenv("TELLERLINE_MERCHANTS", str(own))
    assert Merchants.load().identify("NETFLIX.COM").known is False


@pytest.mark.parametrize(
    "content",
    [
        "merchants: {a: b}",
        "merchants:\n  - {patterns: [A]}",
        "merchants:\n  - {name: A, patterns: ['*']}",
        "- a",
        "a: [",
    ],
)
def test_a_broken_table_names_its_file(tmp_path: Path, content: str) -> None:
    broken = tmp_path / "merchants.yml"
    broken.write_text(content)
    with pytest.raises(TableError, match=r"merchants\.yml"):
        Merchants.load(broken)


@pytest.mark.parametrize(
    ("descriptor", "name"),
    [
        ("IRS DES:USATAXPYMT ID:225041", "IRS"),
        ("AUSTIN ISD DES:SALARY ID:AISD-5521", "Austin ISD"),
        ("FX EUR/USD OFFICE", "FX EUR/USD Office"),
        ("IRISH PUB", "Irish Pub"),
    ],
)
def test_acronyms_stay_capitals(descriptor: str, name: str) -> None:
    assert Merchants.load().identify(descriptor).name == name
