from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from support.alerts import NOON, Channel, Watched, paid

from assistant.alerts.alert import Answer
from assistant.alerts.kinds import AlertKind
from assistant.alerts.sender import Closed, NotNow
from assistant.banking.purpose import Purpose

MIDNIGHT = NOON + timedelta(hours=12)


def fee(number: int) -> object:
    return paid("-34.00", f"OVERDRAFT ITEM FEE {number}", NOON + timedelta(minutes=number), id=f"fee-{number}")


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """On a terminal and on a page, agreed to on both; she wrote on neither yet."""
    watched = Watched(tmp_path, monkeypatch, [Channel("cmdline"), Channel("web")])
    customers = watched.customers
    with customers.storage.database.write() as session:
        customers.identities.bind(session, "web", "conversation-web", watched.customer.id)
    customers.consents.grant(watched.customer.id, "chase", "web", [Purpose.ALERTS])
    watched.alerts.preferences.set_channels(watched.customer.id, ("web", "cmdline"))
    watched.look()
    return watched


def told(watched: Watched) -> list[tuple[str, int]]:
    return [(channel.channel, len(channel.shown)) for channel in watched.channels]


def test_the_channel_she_named_first_and_no_other(watched: Watched) -> None:
    watched.shows(fee(1))
    watched.look()
    watched.work()
    assert told(watched) == [("cmdline", 0), ("web", 1)]


def test_a_closed_window_leads_to_another_channel(watched: Watched) -> None:
    watched.channels[1].raises = [Closed()]
    watched.shows(fee(1))
    watched.look()
    watched.work()
    assert [len(channel.taken) for channel in watched.channels] == [1, 1]
    assert told(watched) == [("cmdline", 1), ("web", 0)]


def test_closed_everywhere_it_waits_for_the_next_conversation(watched: Watched) -> None:
    for channel in watched.channels:
        channel.raises = [Closed()]
    watched.shows(fee(1))
    watched.look()
    watched.work()
    desk, customer = watched.alerts.desk, watched.customer.id
    (alert,) = desk.waiting(customer)
    assert alert.kind is AlertKind.FEE
    assert desk.told(customer, alert.id, "cmdline")
    assert not desk.told(customer, alert.id, "web"), "she was told already"
    assert desk.waiting(customer) == ()


def test_a_channel_that_refuses_is_tried_again_later_and_later(watched: Watched) -> None:
    channel = watched.channels[1]
    channel.raises = [NotNow(), ConnectionError(), NotNow(retry_at=NOON + timedelta(hours=1))]
    watched.shows(fee(1))
    watched.look()
    for _ in range(180):
        watched.deliver()
        watched.later(seconds=30)
    assert [len(each.taken) for each in watched.channels] == [0, 4]
    assert len({message.key for message in channel.taken}) == 1, "the key tells a repeat"
    assert told(watched) == [("cmdline", 0), ("web", 1)]


def test_what_is_stale_is_let_go(watched: Watched) -> None:
    watched.channels[1].raises = [NotNow(retry_at=NOON + timedelta(days=8))]
    watched.shows(fee(1))
    watched.look()
    watched.deliver()
    watched.at(NOON + timedelta(days=8, minutes=1))
    assert watched.deliver() == 0 and watched.alerts.desk.waiting(watched.customer.id) == ()


def test_at_night_it_waits_for_the_morning(watched: Watched) -> None:
    watched.at(MIDNIGHT)
    watched.shows(fee(1))
    watched.look()
    for _ in range(16):
        assert watched.deliver() == 0
        watched.later(minutes=30)
    watched.later(minutes=1)
    assert watched.now == NOON + timedelta(hours=20, minutes=1)  # 8:01 in New York
    assert watched.deliver() == 1


def test_several_come_as_one(watched: Watched) -> None:
    watched.shows(*(fee(number) for number in range(4)))
    watched.look()
    assert watched.deliver() == 1
    (message,) = watched.channels[1].taken
    assert len(message.alert_ids) == 4 and message.reply.say[0].key == "alert_several"
    assert message.reply.say[0].values["count"] == 4 and len(message.reply.say) == 5


def test_the_days_cap_holds_back_the_rest(watched: Watched) -> None:
    watched.alerts.preferences.set_cap(watched.customer.id, 2)
    for number in range(4):
        watched.shows(fee(number))
        watched.look()
        watched.deliver()
    assert told(watched)[1] == ("web", 2)
    watched.at(NOON + timedelta(hours=20, minutes=1))
    assert watched.deliver() == 1
    assert sorted(watched.channels[1].kinds().items()) == [(AlertKind.FEE, 4)]


def test_what_was_switched_off_meanwhile_is_not_sent(watched: Watched) -> None:
    watched.shows(fee(1))
    watched.look()
    watched.alerts.preferences.switch(watched.customer.id, AlertKind.FEE, on=False)
    assert watched.deliver() == 0 and watched.alerts.desk.waiting(watched.customer.id) == ()


def test_a_channel_without_consent_is_not_used(watched: Watched) -> None:
    watched.customers.withdraw(watched.customer, [Purpose.ALERTS], channel="web")
    watched.shows(fee(1))
    watched.look()
    watched.deliver()
    assert told(watched) == [("cmdline", 1), ("web", 0)]


def test_killed_between_the_channel_and_the_commit_it_is_shown_once(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.shows(fee(1), fee(2))
    watched.look()

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(watched.alerts.outbox, "sent", dies)
        with pytest.raises(KeyboardInterrupt):
            watched.deliver()
    watched.restart()
    assert watched.deliver() == 0, "still claimed"
    watched.later(minutes=2)
    watched.shows(fee(3))
    watched.look()
    watched.deliver()
    channel = watched.channels[1]
    assert len(channel.taken) == 3 and len(channel.shown) == 2
    assert sorted(channel.alert_ids()) == sorted(set(channel.alert_ids())) and channel.kinds() == {AlertKind.FEE: 3}


def test_answers_are_kept_and_only_hers(watched: Watched) -> None:
    watched.shows(fee(1))
    watched.look()
    watched.work()
    (alert_id,) = watched.channels[1].alert_ids()
    desk = watched.alerts.desk
    with pytest.raises(LookupError):
        desk.answer("somebody", alert_id, Answer.NO)
    assert desk.get(watched.customer.id, alert_id).answer is None
    assert desk.answer(watched.customer.id, alert_id, Answer.NO).answer is Answer.NO
    assert desk.answer(watched.customer.id, alert_id, Answer.YES).answer is Answer.YES
    assert desk.take_back(watched.customer.id, alert_id).answer is None
