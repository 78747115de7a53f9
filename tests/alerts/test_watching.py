from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from support.alerts import CARD, NOON, Watched, paid

from assistant.alerts.kinds import AlertKind
from assistant.banking.errors import BankUnavailable, RateLimited
from assistant.banking.purpose import Purpose
from assistant.storage.tables import AlertRow, AlertWatchRow

#: A fee is an alert by itself, whatever else is known of her.
FEE = paid("-34.00", "OVERDRAFT ITEM FEE", id="fee-1", pending=False)


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    watched = Watched(tmp_path, monkeypatch)
    watched.shows(paid("-12.00", "SQ *BLUE DOOR CAFE 0341", NOON - timedelta(days=3), id="old"))
    watched.look()
    return watched


def kept(watched: Watched) -> int:
    with watched.customers.storage.database.read() as session:
        return session.scalar(select(func.count()).select_from(AlertRow)) or 0


def test_what_was_there_before_is_no_news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(tmp_path, monkeypatch)
    watched.shows(FEE)
    assert watched.look() == 0 and watched.look() == 0


def test_something_new_is_told_once(watched: Watched) -> None:
    watched.shows(FEE)
    assert watched.look() == 1
    assert watched.deliver() == 1
    for _ in range(3):
        assert watched.look() == 0 and watched.deliver() == 0
    assert watched.channels[0].kinds() == {AlertKind.FEE: 1}


def test_the_same_push_forty_times_is_one_alert(watched: Watched) -> None:
    watched.shows(FEE)
    for _ in range(40):
        assert watched.alerts.watches.push(watched.customer.id, "chase")
        watched.work()
    assert watched.channels[0].kinds() == {AlertKind.FEE: 1} and kept(watched) == 1


def test_eight_workers_at_once_find_it_once(watched: Watched) -> None:
    watched.shows(FEE)
    gate = threading.Barrier(8)
    watch = watched.alerts.watches.claim(watched.customer.id, "chase")
    assert watch is not None

    def race() -> None:
        gate.wait()
        watched.alerts.watcher.look(watch)
        watched.deliver()

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept(watched) == 1
    assert len(watched.channels[0].taken) == 1


def test_a_restart_forgets_nothing(watched: Watched) -> None:
    watched.shows(FEE)
    watched.look()
    watched.restart()
    assert watched.look() == 0
    watched.deliver()
    watched.restart()
    assert watched.look() == 0 and watched.deliver() == 0
    assert watched.channels[0].kinds() == {AlertKind.FEE: 1}


def test_a_push_that_comes_during_a_look_is_looked_after(watched: Watched) -> None:
    def shows_more(what: str) -> None:
        if what == "transactions":
            watched.bank.on_call = None
            watched.alerts.watches.push(watched.customer.id, "chase")

    watched.bank.on_call = shows_more
    watched.look()
    watched.shows(FEE)
    watched.work()
    assert watched.channels[0].kinds() == {AlertKind.FEE: 1}


def test_the_bank_down_for_an_hour_costs_no_alert(watched: Watched) -> None:
    watched.bank.failure = BankUnavailable("down", bank_id="chase")
    watched.shows(FEE)
    watched.alerts.watches.push(watched.customer.id, "chase")
    watched.bank.calls.clear()
    for _ in range(60):
        watched.work()
        watched.later(minutes=1)
    assert 5 <= len(watched.bank.calls) < 12, "it backs off, and does not give up"
    watched.bank.failure = None
    watched.later(hours=1.3)
    watched.work()
    assert watched.channels[0].kinds() == {AlertKind.FEE: 1}


def test_half_an_answer_is_none(watched: Watched) -> None:
    """With one account failing, a look is not taken for what there is."""
    watched.shows(FEE)
    watched.bank.failing_accounts[CARD.id] = BankUnavailable("down", bank_id="chase")
    assert watched.look() == 0
    watched.bank.failing_accounts.clear()
    assert watched.look() == 1


def test_a_bank_that_says_when_is_not_asked_before(watched: Watched) -> None:
    watched.bank.failure = RateLimited("wait", bank_id="chase", retry_at=NOON + timedelta(hours=3))
    watched.look()
    with watched.customers.storage.database.read() as session:
        row = session.get_one(AlertWatchRow, (watched.customer.id, "chase"))
    assert row.due_at >= NOON + timedelta(hours=3)


def test_without_consent_nothing_is_read_nor_told(watched: Watched) -> None:
    watched.shows(FEE)
    watched.look()
    watched.customers.withdraw(watched.customer, [Purpose.ALERTS])
    watched.bank.calls.clear()
    assert watched.deliver() == 0
    watch = watched.alerts.watches.claim(watched.customer.id, "chase")
    assert watch is not None and watched.alerts.watcher.look(watch) == 0
    watched.alerts.watches.follow()
    assert watched.bank.calls == [] and watched.channels[0].taken == []
    with watched.customers.storage.database.read() as session:
        assert session.get(AlertWatchRow, (watched.customer.id, "chase")) is None


def test_who_never_agreed_is_not_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(tmp_path, monkeypatch)
    watched.customers.withdraw(watched.customer, [Purpose.ALERTS])
    watched.bank.calls.clear()
    watched.work()
    assert watched.bank.calls == []


@pytest.mark.parametrize("jump", [timedelta(days=-300), timedelta(days=300)])
def test_a_clock_that_jumps_stops_nothing(watched: Watched, jump: timedelta) -> None:
    """And jumps back: what was put off on the wrong clock is not put off for a year."""
    watched.at(NOON + jump)
    watched.look()
    watched.at(NOON + timedelta(hours=2))
    watched.shows(FEE)
    watched.work()
    assert watched.channels[0].kinds()[AlertKind.FEE] == 1


def test_erased_meanwhile(watched: Watched) -> None:
    watched.shows(FEE)
    watched.bank.on_call = lambda what: (
        watched.customers.erasure.erase(watched.customer) if what == "balances" else None
    )
    watch = watched.alerts.watches.claim(watched.customer.id, "chase")
    assert watch is not None
    assert watched.alerts.watcher.look(watch) == 0
    assert kept(watched) == 0 and watched.deliver() == 0
