"""Every table of the main database. Columns named ``sealed`` or ``tokens`` are opened only by storage.seal.

Nothing here names a person: customers and conversations are opaque ids, bank data and conversations are sealed.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, Date, Float, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from assistant.storage.types import Instant


class Base(DeclarativeBase):
    pass


def _customer() -> Mapped[str]:
    return mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)


class CustomerRow(Base):
    """``demo_login`` "" except for the sandbox's demo customers. ``erasing_at`` set: being erased, do not serve."""

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    time_zone: Mapped[str] = mapped_column(String(64))
    locale: Mapped[str] = mapped_column(String(16))
    demo_login: Mapped[str] = mapped_column(String(40), default="", index=True)
    erasing_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class IdentityRow(Base):
    """A conversation (keyed hash of channel and channel user) and whose it is."""

    __tablename__ = "identities"

    conversation_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    customer_id: Mapped[str] = _customer()
    created_at: Mapped[datetime] = mapped_column(Instant)


class BankLinkRow(Base):
    """One customer's link to one bank. ``state``: active, expired (reconnect), revoking (being disconnected)."""

    __tablename__ = "bank_links"
    __table_args__ = (UniqueConstraint("customer_id", "bank_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    customer_id: Mapped[str] = _customer()
    bank_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    tokens: Mapped[bytes] = mapped_column(LargeBinary)
    linked_at: Mapped[datetime] = mapped_column(Instant)
    refreshed_at: Mapped[datetime] = mapped_column(Instant)


class RevocationRow(Base):
    """A consent that has ended here, of which its bank has yet to be told. Erasing the customer leaves it without her
    id: nothing in it names anybody, and ``tokens`` is sealed under a key of its own."""

    __tablename__ = "revocations"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"), index=True)
    bank_id: Mapped[str] = mapped_column(String(64))
    tokens: Mapped[bytes] = mapped_column(LargeBinary)
    since: Mapped[datetime] = mapped_column(Instant)
    next_at: Mapped[datetime] = mapped_column(Instant, index=True)
    tries: Mapped[int] = mapped_column(Integer)


class LinkAttemptRow(Base):
    """One try at linking. Looked up by hashes of what travels in URLs, so the table opens no attempt."""

    __tablename__ = "link_attempts"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    state_hash: Mapped[str | None] = mapped_column(String(64), unique=True, default=None)
    conversation_id: Mapped[str] = mapped_column(String(255), index=True)
    channel: Mapped[str] = mapped_column(String(40))
    bank_id: Mapped[str] = mapped_column(String(64))
    purposes: Mapped[str] = mapped_column(String(120))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    outcome: Mapped[str] = mapped_column(String(16), default="")


class LedgerRow(Base):
    """One entry of the consent ledger. Written once; erasing a customer empties the columns from ``salt`` on
    and leaves the hashes, so that the chain still verifies."""

    __tablename__ = "consent_ledger"
    __table_args__ = (Index("ix_consent_ledger_key", "customer_id", "bank_id", "channel", "purpose"),)

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    prev_hash: Mapped[str] = mapped_column(String(64))
    content_hash: Mapped[str] = mapped_column(String(64))
    chain_hash: Mapped[str] = mapped_column(String(64))
    salt: Mapped[str | None] = mapped_column(String(32))
    at: Mapped[datetime | None] = mapped_column(Instant)
    action: Mapped[str | None] = mapped_column(String(16))
    customer_id: Mapped[str | None] = mapped_column(String(32))
    bank_id: Mapped[str | None] = mapped_column(String(64))
    channel: Mapped[str | None] = mapped_column(String(40))
    purpose: Mapped[str | None] = mapped_column(String(16))
    version: Mapped[str | None] = mapped_column(String(16))
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    covers: Mapped[str | None] = mapped_column(String)


class StepUpRow(Base):
    """The code a customer set outside the channel. ``failures`` counts wrong tries since the last right one."""

    __tablename__ = "step_up"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(255))
    failures: Mapped[int] = mapped_column(Integer, default=0)
    set_at: Mapped[datetime] = mapped_column(Instant)


class StepUpPassRow(Base):
    """A conversation in which the code was given. Ends when idle (see customers.step_up)."""

    __tablename__ = "step_up_passes"

    conversation_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    customer_id: Mapped[str] = _customer()
    used_at: Mapped[datetime] = mapped_column(Instant)


class OneTimeLinkRow(Base):
    """What one secret URL may be used for, once each kind. Looked up by the hash of what travels in the URL.

    ``channel`` and ``conversation_id`` name the conversation it was sent to, where that matters; else "".
    """

    __tablename__ = "one_time_links"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    customer_id: Mapped[str] = _customer()
    channel: Mapped[str] = mapped_column(String(64), default="")
    conversation_id: Mapped[str] = mapped_column(String(255), default="")
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class HandoverRow(Base):
    """A request to speak to a person."""

    __tablename__ = "handovers"

    reference: Mapped[str] = mapped_column(String(16), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(String(255), index=True)
    channel: Mapped[str] = mapped_column(String(40))
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    reason: Mapped[str] = mapped_column(String(40))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class BankOrderRow(Base):
    """One thing a customer told her bank to do. Its id is the key under which the bank takes it once.

    ``kind`` and ``state`` as in customers.orders; ``because`` is the alert it answers, or "". ``done_at`` is when it
    was carried out, or given up.
    """

    __tablename__ = "bank_orders"
    __table_args__ = (Index("ix_bank_orders_state", "state", "begun_at"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    customer_id: Mapped[str] = _customer()
    bank_id: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(40))
    conversation_id: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    because: Mapped[str] = mapped_column(String(32), default="")
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    begun_at: Mapped[datetime] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class BankCacheRow(Base):
    """What a bank last said, for the hours in which it may be repeated, marked as old, while the bank is down."""

    __tablename__ = "bank_cache"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    bank_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    item: Mapped[str] = mapped_column(String(64), primary_key=True)
    starts: Mapped[date | None] = mapped_column(Date)
    ends: Mapped[date | None] = mapped_column(Date)
    fetched_at: Mapped[datetime] = mapped_column(Instant, index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class ConversationEventsRow(Base):
    """Events of one conversation that were saved together. ``starts_session`` marks the first of a session."""

    __tablename__ = "conversation_events"
    __table_args__ = (Index("ix_conversation_events_session", "conversation_id", "starts_session", "id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(String(255))
    starts_session: Mapped[bool] = mapped_column(Boolean)
    events: Mapped[int] = mapped_column(Integer)
    saved_at: Mapped[datetime] = mapped_column(Instant, index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class AlertPreferencesRow(Base):
    """What a customer chose to be told (see alerts.preferences)."""

    __tablename__ = "alert_preferences"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class AlertWatchRow(Base):
    """One link that is watched: when to look again, and, sealed, what was seen there and what is usual for her.

    ``due_at`` is when a worker should look; a bank's push moves it to now. ``asked`` counts pushes and ``answered``
    those that a look came after: equal when there is nothing to hurry for. ``failures`` in a row. ``active_at``: the
    newest transaction or conversation.
    """

    __tablename__ = "alert_watches"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    bank_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(Instant, index=True)
    active_at: Mapped[datetime] = mapped_column(Instant)
    claimed_until: Mapped[datetime | None] = mapped_column(Instant, default=None)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    asked: Mapped[int] = mapped_column(Integer, default=0)
    answered: Mapped[int] = mapped_column(Integer, default=0)
    looked_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)


class AlertRow(Base):
    """One alert. ``mark`` is a keyed hash of what it is about: the same thing is never told twice."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("customer_id", "mark"), Index("ix_alerts_answer", "customer_id", "kind"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    bank_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(24))
    mark: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    answer: Mapped[str | None] = mapped_column(String(8), default=None)
    answered_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class AlertDeliveryRow(Base):
    """An alert's place in the outbox. ``state``: due, sent, waiting (for the next conversation), stale (let go).

    ``key`` is the delivery's, shared by alerts that are sent as one; "" until it is first tried. ``tried`` are the
    channels that are closed to it.
    """

    __tablename__ = "alert_deliveries"
    __table_args__ = (Index("ix_alert_deliveries_due", "state", "due_at"),)

    alert_id: Mapped[str] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True)
    customer_id: Mapped[str] = _customer()
    state: Mapped[str] = mapped_column(String(8))
    due_at: Mapped[datetime] = mapped_column(Instant)
    urgent: Mapped[bool] = mapped_column(Boolean)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    claimed_until: Mapped[datetime | None] = mapped_column(Instant, default=None)
    key: Mapped[str] = mapped_column(String(32), default="")
    tried: Mapped[str] = mapped_column(String(200), default="")
    channel: Mapped[str] = mapped_column(String(40), default="")
    done_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class FraudCountRow(Base):
    """What answers taught the score: of so many purchases in one cell of one reason, how many were fraud. Names
    nobody."""

    __tablename__ = "fraud_counts"

    reason: Mapped[str] = mapped_column(String(24), primary_key=True)
    cell: Mapped[int] = mapped_column(Integer, primary_key=True)
    frauds: Mapped[float] = mapped_column(Float)
    total: Mapped[float] = mapped_column(Float)


class MerchantRiskRow(Base):
    """What was learned of a merchant where a fraud was confirmed. ``merchant`` is a keyed hash of its name."""

    __tablename__ = "merchant_risks"

    merchant: Mapped[str] = mapped_column(String(64), primary_key=True)
    run: Mapped[int] = mapped_column(Integer)
    first_at: Mapped[datetime] = mapped_column(Instant)
    last_at: Mapped[datetime] = mapped_column(Instant)


class CorrespondentRow(Base):
    """Somebody on a channel that delivers later: where to answer, and which process serves her queue.

    ``sealed`` is the channel's address of her, None until her first turn. ``owner`` "" when no process has her
    queue. ``closed`` says why nothing can be sent ("blocked"), "" when it can.
    """

    __tablename__ = "correspondents"

    conversation_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)
    owner: Mapped[str] = mapped_column(String(32), default="", index=True)
    heard_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    closed: Mapped[str] = mapped_column(String(24), default="")


class InboxRow(Base):
    """An event that a channel has acknowledged. ``sealed`` is emptied once it is answered; the hash stays for as
    long as the channel may deliver it again."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "event_hash"),
        Index("ix_inbox_queue", "conversation_id", "state", "id"),
        {"sqlite_autoincrement": True},  # an id is never given twice
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    event_hash: Mapped[str] = mapped_column(String(40))
    conversation_id: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(8))
    tries: Mapped[int] = mapped_column(Integer, default=0)
    received_at: Mapped[datetime] = mapped_column(Instant, index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class AnswerRow(Base):
    """What is to be said on a channel, in order. ``event_hash`` is that of the event it answers, "" when we speak
    first. ``due_at``: not to be tried before. ``sealed`` is emptied once nobody needs it."""

    __tablename__ = "answers"
    __table_args__ = (Index("ix_answers_queue", "conversation_id", "state", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    conversation_id: Mapped[str] = mapped_column(String(255))
    event_hash: Mapped[str] = mapped_column(String(40), default="", index=True)
    state: Mapped[str] = mapped_column(String(8))
    tries: Mapped[int] = mapped_column(Integer, default=0)
    made_at: Mapped[datetime] = mapped_column(Instant, index=True)
    due_at: Mapped[datetime] = mapped_column(Instant)
    tried_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class WebSessionRow(Base):
    """A browser that talks to us on the web page. Known by the hash of what it keeps; ``person`` is the channel's id of
    whoever uses it, a keyed hash or a random number; ``ticket_hash`` that of the bank's token it came in with, so that
    the token works once."""

    __tablename__ = "web_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(String(64))
    conversation_id: Mapped[str] = mapped_column(String(255), index=True)
    ticket_hash: Mapped[str | None] = mapped_column(String(64), unique=True, default=None)
    started_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime] = mapped_column(Instant, index=True)
    ended: Mapped[bool] = mapped_column(Boolean, default=False)


class WebTranscriptRow(Base):
    """What the web page shows of a conversation, in the order of ``seq``; a number is never given twice. ``key`` names
    what is shown, so that it is shown once."""

    __tablename__ = "web_transcript"
    __table_args__ = (
        UniqueConstraint("conversation_id", "key"),
        Index("ix_web_transcript_conversation", "conversation_id", "seq"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(String(255))
    key: Mapped[str] = mapped_column(String(80))
    shown_at: Mapped[datetime] = mapped_column(Instant, index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
