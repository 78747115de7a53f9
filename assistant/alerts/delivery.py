"""Bringing alerts to the customer: one channel, once, at a time she likes."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from assistant.alerts.alert import Alert
from assistant.alerts.desk import AlertDesk
from assistant.alerts.outbox import Due, Outbox
from assistant.alerts.preferences import PreferenceDesk, Preferences
from assistant.alerts.sender import AlertMessage, AlertSender, Closed, NotNow
from assistant.banking import clock
from assistant.banking.connector import CustomerProfile
from assistant.banking.purpose import Purpose
from assistant.customers.service import Customers
from assistant.replies.reply import Phrase, Reply
from assistant.storage.keys import KeyDestroyed
from assistant.storage.tables import ConversationEventsRow, CustomerRow

logger = logging.getLogger(__name__)

#: Between two tries, doubled each time, at most.
_FIRST_WAIT = timedelta(seconds=20)
_LONGEST_WAIT = timedelta(hours=1)
#: What the day's cap held back comes in the morning.
_MORNING = time(8)
#: More than this in one message nobody reads.
_TOGETHER = 6


class Delivery:
    def __init__(
        self, customers: Customers, outbox: Outbox, desk: AlertDesk, preferences: PreferenceDesk,
        senders: Iterable[AlertSender],
    ) -> None:  # fmt: skip
        self._customers = customers
        self._outbox = outbox
        self._desk = desk
        self._preferences = preferences
        self._senders: Mapping[str, AlertSender] = {sender.channel: sender for sender in senders}

    def deliver(self, customer_id: str) -> int:
        """Everything of hers that is due. Returns how many messages were sent. Safe to repeat, and to be killed."""
        due = self._outbox.claim(customer_id)
        if not due:
            return 0
        profile = self._profile(customer_id)
        if profile is None:
            return 0  # being erased: its rows go with her
        try:
            chosen = self._preferences.of(customer_id)
        except KeyDestroyed:
            return 0
        now = clock.now()
        stale = [each for each in due if each.expires_at <= now or not chosen.is_on(each.kind)]
        if stale:
            self._outbox.let_go(stale)
        fresh = [each for each in due if each not in stale]
        sent = sum(self._send(customer_id, [each], profile, chosen) for each in fresh if each.urgent)
        for group in self._groups(customer_id, [each for each in fresh if not each.urgent], profile, chosen):
            sent += self._send(customer_id, group, profile, chosen)
        return sent

    def _groups(
        self, customer_id: str, due: Sequence[Due], profile: CustomerProfile, chosen: Preferences
    ) -> Iterator[Sequence[Due]]:
        """What may be sent now, as few messages; the rest is put off."""
        if not due:
            return
        now = clock.now()
        if chosen.quiet is not None and chosen.quiet.covers(now, profile.time_zone):
            self._outbox.later(due, chosen.quiet.over_at(now, profile.time_zone), counts=False)
            return
        midnight = datetime.combine(_local(now, profile).date(), time(), ZoneInfo(profile.time_zone))
        left = chosen.per_day - self._outbox.sent_since(customer_id, midnight.astimezone(timezone.utc))
        for group in _by_key_and_bank(due):
            if left <= 0:
                self._outbox.later(group, _next_morning(now, profile), counts=False)
                continue
            left -= 1
            yield group

    def _send(self, customer_id: str, due: Sequence[Due], profile: CustomerProfile, chosen: Preferences) -> int:
        """One message. 1 when a channel took it."""
        tried = set(due[0].tried)
        allowed = self._channels(customer_id, due[0].bank_id)
        if not allowed:
            self._outbox.let_go(due)  # she has withdrawn her consent since
            return 0
        route = _route(chosen.channels_for(due[0].kind), allowed)
        for channel, conversation_id in route:
            sender = self._senders.get(channel)
            if sender is None or channel in tried:
                continue
            key = self._outbox.together(due)
            alerts = [self._desk.get(customer_id, each.alert_id) for each in due]
            try:
                sender.send(_message(key, alerts, conversation_id, profile))
            except Closed:
                logger.info("channel %s is closed to an alert", channel)
                self._outbox.closed(due, channel)
                tried.add(channel)
                due = [_with_tried(each, channel) for each in due]
                continue
            except Exception as error:
                retry_at = error.retry_at if isinstance(error, NotNow) else None
                logger.warning("channel %s did not take an alert: %s", channel, type(error).__name__)
                self._outbox.later(due, retry_at or _next_try(due[0].attempts))
                return 0
            self._outbox.sent(due, channel)
            return 1
        self._outbox.wait(due)
        return 0

    def _channels(self, customer_id: str, bank_id: str) -> tuple[tuple[str, str], ...]:
        """Her conversations on channels with a live consent to alerts of this bank, the one she used last first."""
        consents = self._customers.consents
        found = [
            (channel, conversation_id)
            for channel, conversation_id in self._customers.identities.conversations(customer_id)
            if consents.is_live(customer_id, bank_id, channel, Purpose.ALERTS)
        ]
        events = ConversationEventsRow
        latest = (
            select(events.conversation_id, func.max(events.id))
            .where(events.conversation_id.in_([conversation_id for _, conversation_id in found]))
            .group_by(events.conversation_id)
        )
        with self._customers.storage.database.read() as session:
            used = dict(session.execute(latest).tuples().all())
        return tuple(sorted(found, key=lambda one: (-used.get(one[1], 0), one)))

    def _profile(self, customer_id: str) -> CustomerProfile | None:
        with self._customers.storage.database.read() as session:
            row = session.get(CustomerRow, customer_id)
        return None if row is None or row.erasing_at else CustomerProfile(row.time_zone, row.locale)


def _route(wanted: Sequence[str], allowed: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The channels she named, in her order, then the others: an alert that reaches her elsewhere beats one that
    doesn't."""
    rank = {channel: place for place, channel in enumerate(wanted)}
    return sorted(allowed, key=lambda one: rank.get(one[0], len(rank)))


def _by_key_and_bank(due: Sequence[Due]) -> list[list[Due]]:
    """Those that were tried as one stay one; new ones of a bank and route go together."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[Due]] = {}
    for each in due:
        shared = each.key if each.attempts > 1 else ""
        groups.setdefault((each.bank_id, shared, each.tried), []).append(each)
    return [group[start : start + _TOGETHER] for group in groups.values() for start in range(0, len(group), _TOGETHER)]


def _message(key: str, alerts: Sequence[Alert], conversation_id: str, profile: CustomerProfile) -> AlertMessage:
    kinds = tuple(alert.kind for alert in alerts)
    urgent = any(alert.reply.expects_answer for alert in alerts)
    reply = alerts[0].reply
    if len(alerts) > 1:
        lines = (phrase for alert in alerts for phrase in alert.say)
        reply = Reply((Phrase("alert_several", {"count": len(alerts)}), *lines))
    return AlertMessage(key, tuple(alert.id for alert in alerts), kinds, conversation_id, profile, reply, urgent=urgent)


def _with_tried(due: Due, channel: str) -> Due:
    return replace(due, tried=(*due.tried, channel))


def _next_try(attempts: int) -> datetime:
    wait = min(_FIRST_WAIT * 2.0 ** min(attempts - 1, 10), _LONGEST_WAIT)
    return clock.now() + wait * random.uniform(0.8, 1.2)  # noqa: S311  # spreads load, guards nothing


def _local(moment: datetime, profile: CustomerProfile) -> datetime:
    return moment.astimezone(ZoneInfo(profile.time_zone))


def _next_morning(now: datetime, profile: CustomerProfile) -> datetime:
    tomorrow = _local(now, profile).date() + timedelta(days=1)
    return datetime.combine(tomorrow, _MORNING, ZoneInfo(profile.time_zone)).astimezone(timezone.utc)
