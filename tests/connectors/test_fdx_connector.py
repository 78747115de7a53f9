"""What only a scripted bank can show: how the connector asks, and how it copes with ranges and shapes."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from support.bank_server import Asked, BankServer, Said
from support.token_store import MemoryTokenStore, tokens

from assistant.banking.account import Account, AccountKind
from assistant.banking.errors import AccountNotFound, BankUnavailable, HistoryTooOld
from assistant.banking.period import Period
from assistant.connectors import fdx
from assistant.connectors.fdx import FdxConnector, split_range
from assistant.connectors.http import BankHttp
from assistant.connectors.oauth import Credentials

CHECKING = Account("testbank:1", "testbank", AccountKind.CHECKING, "Checking", "USD")
YEAR = Period(date(2025, 1, 1), date(2026, 1, 1))


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLERLINE_CLOCK", "2026-03-15T16:00:00Z")


def connector(bank: BankServer, **profile: Any) -> FdxConnector:
    changed = bank.profile(**profile)
    http = BankHttp(changed)
    return FdxConnector(
        changed, http, Credentials(changed, MemoryTokenStore(tokens()), http), time_zone="America/New_York"
    )


def daily(asked: Asked) -> Said:
    """One purchase a day, for the days asked for."""
    first, last = (date.fromisoformat(asked.query[name]) for name in ("startTime", "endTime"))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return Said({"transactions": [purchase(day) for day in days]})


def purchase(day: date, **more: Any) -> dict[str, Any]:
    return {"transactionId": f"t{day}", "transactionTimestamp": f"{day}T15:00:00Z", "amount": 1.5,
            "debitCreditMemo": "DEBIT", "status": "POSTED", "description": "COFFEE", **more}  # fmt: skip


def test_every_call_is_an_interaction_with_a_uuid_of_its_own(serve: Any) -> None:
    bank = serve(lambda asked: Said({"accounts": []}))
    linked = connector(bank, headers={"FDX-API-Actor-Type": "USER", "uuid": "{interaction_id}"})
    linked.accounts()
    linked.accounts()
    seen = [asked.headers["x-fapi-interaction-id"] for asked in bank.asked]
    assert len({uuid.UUID(value) for value in seen}) == 2
    assert [asked.headers["uuid"] for asked in bank.asked] == seen
    assert {asked.headers["fdx-api-actor-type"] for asked in bank.asked} == {"USER"}
    assert bank.asked[0].headers["authorization"] == "Bearer access-1"
    assert bank.asked[0].query == {"resultType": "details", "limit": "100"}


def test_a_little_more_is_asked_for_and_only_the_period_is_kept(serve: Any) -> None:
    """A purchase of 31 December posts in January: banks that select by posting day would leave it out."""
    bank = serve(daily)
    items = connector(bank).transactions(CHECKING, YEAR)
    assert bank.asked[0].query["startTime"] == "2024-12-31"
    assert bank.asked[0].query["endTime"] == "2026-01-05"
    assert [items[-1].date, items[0].date, len(items)] == [date(2025, 1, 1), date(2025, 12, 31), 365]


def test_the_future_is_not_asked_for(serve: Any) -> None:
    bank = serve(daily)
    connector(bank).transactions(CHECKING, Period(date(2026, 3, 1), date(2027, 1, 1)))
    assert bank.asked[0].query["endTime"] == "2026-03-15"


def test_parameters_have_the_banks_names(serve: Any) -> None:
    bank = serve(lambda asked: Said({"transactions": []}))
    connector(bank, from_param="startDate", to_param="endDate", limit_param="pageSize", page_size=25).transactions(
        CHECKING, YEAR
    )
    assert set(bank.asked[0].query) == {"startDate", "endDate", "pageSize"}


def test_a_bank_that_takes_short_ranges_is_asked_several_times(serve: Any) -> None:
    bank = serve(daily)
    items = connector(bank, window_days=90).transactions(CHECKING, YEAR)
    assert len(items) == 365
    assert len(bank.asked) == 5
    for asked in bank.asked:
        first, last = (date.fromisoformat(asked.query[name]) for name in ("startTime", "endTime"))
        assert (last - first).days < 90


def test_what_the_bank_no_longer_keeps_is_not_asked_for(serve: Any) -> None:
    bank = serve(daily)
    linked = connector(bank, history_days=100)
    items = linked.transactions(CHECKING, Period(date(1525, 1, 1), date(2026, 3, 16)))
    assert len(items) == 101
    assert linked.transactions(CHECKING, Period(date(2020, 1, 1), date(2021, 1, 1))) == ()
    assert len(bank.asked) == 1


def test_a_bank_that_stumbles_over_a_long_range_is_asked_in_halves(serve: Any) -> None:
    def answer(asked: Asked) -> Said:
        first, last = (date.fromisoformat(asked.query[name]) for name in ("startTime", "endTime"))
        return Said({"code": "500"}, 500) if (last - first).days > 100 else daily(asked)

    bank = serve(answer)
    items = connector(bank).transactions(CHECKING, YEAR)
    assert len({item.id for item in items}) == len(items) == 365


def test_a_bank_that_stumbles_over_everything_is_left_after_a_few(serve: Any) -> None:
    bank = serve(lambda asked: Said({"code": "500"}, 500))
    with pytest.raises(BankUnavailable):
        connector(bank).transactions(CHECKING, YEAR)
    assert len(bank.asked) <= 6


def test_no_data_is_no_transactions(serve: Any) -> None:
    bank = serve(lambda asked: Said({"code": "1107", "message": "No data"}, 404))
    assert connector(bank).transactions(CHECKING, YEAR) == ()
    assert connector(bank).accounts() == ()
    with pytest.raises(AccountNotFound):
        connector(bank).balances(CHECKING)


def test_a_range_the_bank_refuses(serve: Any) -> None:
    bank = serve(lambda asked: Said({"code": "703"}, 400))
    with pytest.raises(HistoryTooOld):
        connector(bank).transactions(CHECKING, YEAR)


def test_a_row_that_cannot_be_counted_fails_the_answer(serve: Any) -> None:
    bank = serve(lambda asked: Said({"transactions": [purchase(date(2025, 5, 5), amount=None)]}))
    with pytest.raises(BankUnavailable) as caught:
        connector(bank).transactions(CHECKING, YEAR)
    assert caught.value.code == "row_unreadable"


@pytest.mark.parametrize("key", ["depositAccount", ""])
@pytest.mark.parametrize("listed", [False, True])
def test_one_account_may_come_as_a_list(serve: Any, key: str, listed: bool) -> None:
    entity = {"accountId": "1", "accountType": "CHECKING", "currentBalance": 12.5}
    item = {key: entity} if key else {"accountCategory": "DEPOSIT_ACCOUNT", **entity}
    bank = serve(lambda asked: Said({"accounts": [{"accountId": "2", "currentBalance": 9}, item]} if listed else item))
    found = connector(bank).balances(CHECKING)
    assert found.current is not None
    assert str(found.current.amount) == "12.5"


def test_a_light_listing_leaves_the_figures_to_a_call_of_their_own(serve: Any) -> None:
    def answer(asked: Asked) -> Said:
        entity: dict[str, Any] = {"accountCategory": "DEPOSIT_ACCOUNT", "accountId": "1", "accountType": "CHECKING"}
        return (
            Said({"accounts": [entity]}) if asked.path.endswith("/accounts") else Said(entity | {"currentBalance": 7})
        )

    bank = serve(answer)
    linked = connector(bank, account_details_in_list=False)
    [account] = linked.accounts()
    assert linked.balances(account).current is not None
    assert "resultType" not in bank.asked[0].query
    assert [asked.path for asked in bank.asked] == ["/fdx/accounts", "/fdx/accounts/1"]


def test_listed_figures_are_good_for_a_while_only(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    entity = {"accountCategory": "DEPOSIT_ACCOUNT", "accountId": "1", "accountType": "CHECKING", "currentBalance": 7}
    bank = serve(lambda asked: Said({"accounts": [entity]}) if asked.path.endswith("/accounts") else Said(entity))
    linked = connector(bank)
    [account] = linked.accounts()
    linked.balances(account)
    assert len(bank.asked) == 1
    monkeypatch.setattr(fdx, "DETAILS_KEEP", -1.0)
    linked.balances(account)
    assert len(bank.asked) == 2


def test_an_account_without_an_id_does_not_hide_the_others(serve: Any) -> None:
    bank = serve(lambda asked: Said({"accounts": [{"annuityAccount": {}}, {"depositAccount": {"accountId": "1"}}]}))
    assert [account.native_id for account in connector(bank).accounts()] == ["1"]


def test_ids_are_escaped_in_the_path(serve: Any) -> None:
    bank = serve(lambda asked: Said({"code": "701"}, 404))
    odd = Account("testbank:a/../b?x=1#y", "testbank", AccountKind.CHECKING, "C", "USD")
    with pytest.raises(AccountNotFound):
        connector(bank).balances(odd)
    assert bank.asked[0].path == "/fdx/accounts/a%2F..%2Fb%3Fx%3D1%23y"


@pytest.mark.parametrize(
    ("window", "expected"), [(0, [(1, 10)]), (4, [(1, 4), (5, 8), (9, 10)]), (10, [(1, 10)]), (30, [(1, 10)])]
)
def test_split_range(window: int, expected: list[tuple[int, int]]) -> None:
    found = split_range(date(2026, 1, 1), date(2026, 1, 10), window)
    assert found == [(date(2026, 1, a), date(2026, 1, b)) for a, b in expected]
