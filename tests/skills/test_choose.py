"""Accounts are found as customers name them, and never guessed when nothing fits."""

import pytest
from support.fake_bank import TODAY, FakeBank, account

from assistant.banking.account import Account, AccountKind, AccountStatus
from assistant.replies.reply import Choice, Literal
from assistant.replies.wording import Wording
from assistant.skills.choose import choose, of_kind, unknown_account
from assistant.skills.focus import AccountRef

EVERYDAY = account(AccountKind.CHECKING, "Everyday Checking", mask="4729")
VACATION = account(AccountKind.CD, "12 Month CD", nickname="Vacation Fund", mask="1111")
RAINY = account(AccountKind.MONEY_MARKET, "Premier Money Market", nickname="Rainy Day", mask="2222")
GOLD = account(AccountKind.CREDIT_CARD, "Visa Gold", id="gold", mask="8210", bank_id="chase")
PLATINUM = account(AccountKind.CREDIT_CARD, "Visa Platinum", id="platinum", mask="8211", bank_id="chase")
CREDIT_LINE = account(AccountKind.LINE_OF_CREDIT, "Home Equity Line", mask="5555")
MORTGAGE = account(AccountKind.MORTGAGE, "Home Mortgage", mask="9001")
EURO = account(AccountKind.CHECKING, "Travel Account", id="euro", mask="3333", currency="EUR")
NO_MASK = account(AccountKind.OTHER, "Prepaid", id="prepaid")
OLD = account(AccountKind.CHECKING, "Student Checking", id="old", mask="7777", status=AccountStatus.CLOSED)
ALL = (EVERYDAY, VACATION, RAINY, GOLD, PLATINUM, CREDIT_LINE, MORTGAGE, EURO, NO_MASK, OLD)
BANK = FakeBank(ALL, names={"chase": "Chase", "demo": "First Demo"})


def chosen(**ref: str) -> tuple[Account, ...]:
    return choose(BANK, ALL, AccountRef(**ref)).accounts


def test_none_named_is_every_open_account() -> None:
    assert chosen() == ALL[:-1]


@pytest.mark.parametrize(
    ("ref", "accounts"),
    [
        ({"kind": "checking"}, (EVERYDAY, EURO)),
        ({"kind": "card"}, (GOLD, PLATINUM)),
        ({"kind": "credit_card"}, (GOLD, PLATINUM)),
        ({"kind": "loan"}, (CREDIT_LINE, MORTGAGE)),
        ({"kind": "mortgage"}, (MORTGAGE,)),
        ({"kind": "deposit"}, (EVERYDAY, VACATION, RAINY, EURO)),
        ({"kind": "savings"}, (RAINY,)),
        ({"last4": "4729"}, (EVERYDAY,)),
        ({"last4": "211"}, (PLATINUM,)),
        ({"last4": "8210", "kind": "card"}, (GOLD,)),
        ({"last4": "8210", "kind": "checking"}, (GOLD,)),
        ({"name": "vacation fund"}, (VACATION,)),
        ({"name": "my vacation fund account"}, (VACATION,)),
        ({"name": "VACATION"}, (VACATION,)),
        ({"name": "vacaton fund"}, (VACATION,)),
        ({"name": "rainyday"}, (RAINY,)),
        ({"name": "visa"}, (GOLD, PLATINUM)),
        ({"name": "visa", "kind": "card"}, (GOLD, PLATINUM)),
        ({"name": "platinum"}, (PLATINUM,)),
        ({"name": "chase"}, (GOLD, PLATINUM)),
        ({"name": "euro"}, (EURO,)),
        ({"name": "euros", "kind": "checking"}, (EURO,)),
        ({"name": "vacation", "kind": "savings"}, (VACATION,)),
        ({"name": "student checking"}, (OLD,)),
        ({"last4": "7777"}, (OLD,)),
    ],
)
def test_meant(ref: dict[str, str], accounts: tuple[Account, ...]) -> None:
    assert chosen(**ref) == accounts


@pytest.mark.parametrize(
    ("ref", "nearest"),
    [
        ({"last4": "4792"}, EVERYDAY),
        ({"name": "vacuum fund"}, VACATION),
        ({"kind": "auto_loan"}, MORTGAGE),
        ({"last4": "8219", "kind": "checking"}, GOLD),
    ],
)
def test_not_found_offers_the_nearest(ref: dict[str, str], nearest: Account) -> None:
    found = choose(BANK, ALL, AccountRef(**ref))
    assert not found.found
    assert found.nearest[0] == nearest
    assert len(found.nearest) <= 3
    assert OLD not in found.nearest


def test_nothing_like_it_is_not_offered_as_near() -> None:
    assert choose(BANK, ALL, AccountRef(name="moon base")).nearest == ()
    assert [one.title for one in unknown_account(AccountRef(name="moon base"), ()).choices] == ["accounts"]


def test_digits_never_match_an_account_that_shows_none() -> None:
    assert not choose(BANK, (NO_MASK,), AccountRef(last4="4729")).found


def test_a_kind_that_no_table_knows_finds_nothing() -> None:
    assert not choose(BANK, ALL, AccountRef(kind="crypto")).found


def test_choosing_again_from_the_chosen_changes_nothing() -> None:
    for ref in (AccountRef(kind="card"), AccountRef(name="visa"), AccountRef(last4="4729")):
        once = choose(BANK, ALL, ref).accounts
        assert choose(BANK, once, ref).accounts == once


def test_of_kind_leaves_closed_accounts_out() -> None:
    assert OLD not in of_kind(ALL, "checking")


def test_unknown_account_says_what_was_looked_for() -> None:
    wording = Wording.load("domain.yml")

    def text(ref: AccountRef) -> str:
        return wording.text(unknown_account(ref, choose(BANK, ALL, ref).nearest), BANK.profile, TODAY)

    assert text(AccountRef(last4="4792")) == (
        "I don't see an account ending in 4792 among your accounts. Did you mean Everyday Checking (…4729)?"
    )
    assert text(AccountRef(kind="auto_loan")).startswith("I don't see any auto loan among your accounts.")
    reply = unknown_account(AccountRef(name="moon"), (VACATION,))
    assert reply.choices == (Choice("account", {"account": Literal("Vacation Fund")}),)
    assert reply.expects_answer
