"""Linking a bank to a conversation, and ending a link.

An attempt begins in a conversation and gives a secret for one URL: the hosted page, which says which bank and
what for. Its "continue" sends the browser to the bank; the bank sends it back with a code; the code becomes
tokens, sealed. An attempt lives ten minutes and works once. Killed at any point, a link is either made, with
its consents, or not begun; then what came of it at the bank is ended there.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import ColumnElement, Update, delete, select, update

from assistant.banking import clock
from assistant.banking.connector import CustomerProfile
from assistant.banking.errors import BankUnavailable, NotLinked
from assistant.banking.purpose import Purpose
from assistant.connectors.profiles import BankProfile
from assistant.connectors.tokens import TokenSet
from assistant.customers.attempt_seal import AttemptSeal, Kept
from assistant.customers.cache import FreshCache, LastWords
from assistant.customers.consent import Consents
from assistant.customers.identity import Customer, Identities
from assistant.customers.oauth_link import (
    PATIENCE,
    HttpOf,
    LinkRefused,
    Reason,
    Secrets,
    authorization_url,
    check_callback,
    check_identity,
    redeem,
)
from assistant.customers.revocations import Revocations
from assistant.customers.vault import LinkState, Vault
from assistant.storage.db import LockTimeout
from assistant.storage.open import Storage
from assistant.storage.tables import LinkAttemptRow

logger = logging.getLogger(__name__)

ATTEMPT_LIFE = timedelta(minutes=10)
#: How long a question that waited for linking may still be answered.
WAITING_LIFE = timedelta(hours=1)

#: ASKED: the bank was sent its code, and what it answered is not kept yet.
_OPEN, _ASKED, _LINKED, _DONE = "open", "asked", "linked", "done"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An attempt, as told to the conversation. ``token`` goes into the URL of the hosted page, and nowhere else."""

    token: str
    bank_id: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Invitation(bank_id={self.bank_id!r}, expires_at={self.expires_at!r})"


@dataclass(frozen=True, slots=True)
class LinkPage:
    """What the hosted page says: which bank, what for, where it was asked for, until when."""

    bank_id: str
    bank_name: str
    purposes: tuple[Purpose, ...]
    channel: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Linked:
    """``waiting`` is the question the customer had asked before, to be answered now; "" when none."""

    customer: Customer
    bank_id: str
    waiting: str
    is_new_customer: bool


class Linking:
    def __init__(
        self,
        storage: Storage,
        profiles: Mapping[str, BankProfile],
        identities: Identities,
        consents: Consents,
        vault: Vault,
        revocations: Revocations,
        caches: tuple[FreshCache, LastWords],
        http_of: HttpOf,
        newcomer: CustomerProfile,
    ) -> None:
        """``newcomer`` is the profile of customers who have told us nothing about themselves."""
        self._database = storage.database
        self._seal = AttemptSeal(storage.keys)
        self._profiles = profiles
        self._identities = identities
        self._consents = consents
        self._vault = vault
        self._revocations = revocations
        self._fresh, self._last_words = caches
        self._http_of = http_of
        self._newcomer = newcomer

    def begin(
        self, channel: str, conversation_id: str, bank_id: str, purposes: Iterable[Purpose], waiting: str = ""
    ) -> Invitation:
        """A new attempt; one that was open for the same bank in this conversation ends.

        ``waiting``: the customer's question, to be answered after linking. Raises NotLinked for a bank we
        don't know.
        """
        if bank_id not in self._profiles:
            raise NotLinked("no such bank", bank_id=bank_id)
        token = secrets.token_urlsafe(32)
        now = clock.now()
        row = LinkAttemptRow(
            token_hash=_hash(token),
            conversation_id=conversation_id,
            channel=channel,
            bank_id=bank_id,
            purposes=",".join(sorted({Purpose(purpose).value for purpose in purposes})),
            sealed=self._seal.seal(conversation_id, _hash(token), Kept(waiting)),
            created_at=now,
            expires_at=now + ATTEMPT_LIFE,
            outcome=_OPEN,
        )
        with self._database.write() as session:
            session.execute(
                delete(LinkAttemptRow).where(
                    LinkAttemptRow.conversation_id == conversation_id,
                    LinkAttemptRow.bank_id == bank_id,
                    LinkAttemptRow.used_at.is_(None),
                )
            )
            session.add(row)
        return Invitation(token, bank_id, row.expires_at)

    def page(self, token: str) -> LinkPage:
        """Raises LinkRefused."""
        row = self._open_attempt(LinkAttemptRow.token_hash == _hash(token))
        name = self._profiles[row.bank_id].name
        return LinkPage(row.bank_id, name, _purposes(row), row.channel, row.expires_at)

    def authorize(self, token: str) -> str:
        """The bank's URL to send the browser to. Asked for again (back, reload) it starts the trip anew.

        Raises LinkRefused, BankUnavailable.
        """
        row = self._open_attempt(LinkAttemptRow.token_hash == _hash(token))
        waiting = self._seal.open(row).waiting
        trip = Secrets.new()
        url = authorization_url(self._profiles[row.bank_id], trip, self._http_of)
        with self._database.write() as session:
            session.execute(
                update(LinkAttemptRow)
                .where(LinkAttemptRow.token_hash == row.token_hash, LinkAttemptRow.used_at.is_(None))
                .values(
                    state_hash=_hash(trip.state),
                    sealed=self._seal.seal(row.conversation_id, row.token_hash, Kept(waiting, trip)),
                )
            )
        return url

    def complete(self, callback_url: str) -> Linked:
        """The bank's answer has come back to our redirect address. Works once.

        Raises LinkRefused, BankUnavailable; then nothing has changed except that the attempt is spent.
        """
        callback = dict(parse_qsl(urlsplit(callback_url).query, keep_blank_values=True))
        row = self._claim(callback.get("state", ""))
        profile = self._profiles[row.bank_id]
        kept = self._seal.open(row)
        trip = kept.trip
        if trip is None or not secrets.compare_digest(trip.state.encode(), callback.get("state", "").encode()):
            raise LinkRefused(Reason.MISMATCH, row.bank_id, "state")
        kept = replace(kept, code=check_callback(profile, callback))
        with self._at_work_on(row, seconds=PATIENCE):
            self._set(row, _ASKED, kept)
            tokens = self._redeemed(row, kept.code, trip)
            known = self._identities.resolve(row.channel, row.conversation_id)
            replaced = ""
            if known is None:
                linked, _ = self._store(row, tokens, kept.waiting)
            else:
                with self._vault.tokens(known.id, row.bank_id).lock():  # a refresh must not overwrite the new grant
                    linked, replaced = self._store(row, tokens, kept.waiting, self._before(known.id, row.bank_id))
        if replaced:
            self._revocations.tell(replaced)
        self._consents.anchor()
        self._fresh.forget(linked.customer.id, row.bank_id)
        return linked

    def take_waiting(self, channel: str, conversation_id: str) -> str:
        """The question that waited for a link made since, once; "" when there is none."""
        mine = (
            LinkAttemptRow.conversation_id == conversation_id,
            LinkAttemptRow.channel == channel,
            LinkAttemptRow.outcome == _LINKED,
        )
        with self._database.write() as session:
            rows = session.scalars(select(LinkAttemptRow).where(*mine).order_by(LinkAttemptRow.used_at)).all()
            questions = [
                self._seal.open(row).waiting for row in rows if (row.used_at or row.created_at) > _ago(WAITING_LIFE)
            ]
            for row in rows:
                row.outcome = _DONE
                row.sealed = b""
        return next((question for question in reversed(questions) if question), "")

    def unlink(self, customer: Customer, bank_id: str) -> bool:
        """Disconnect a bank: consents end and nothing is read from now on; then the bank is told and the tokens
        are destroyed. Returns whether the bank could be told; if not, it is told later (customers.revocations).

        Raises NotLinked.
        """
        if not self._has(customer.id, bank_id):
            raise NotLinked("no link", bank_id=bank_id)
        with self._database.write() as session:
            self._consents.withdraw_within(session, customer.id, Purpose, bank_id=bank_id)
            self._vault.mark_within(session, customer.id, bank_id, LinkState.REVOKING)
            self._last_words.forget_within(session, customer.id, bank_id)
        self._consents.anchor()
        self._fresh.forget(customer.id, bank_id)
        return self._let_go(customer.id, bank_id)

    def finish(self) -> None:
        """Housekeeping: go on with disconnections that were interrupted, end at the bank what an interrupted attempt
        got there; drop attempts that have ended."""
        with self._database.read() as session:
            asked = session.scalars(select(LinkAttemptRow).where(LinkAttemptRow.outcome == _ASKED)).all()
        for row in asked:
            self._ask_again(row)
        for customer_id, bank_id in self._vault.in_state(LinkState.REVOKING):
            self._let_go(customer_id, bank_id)
        with self._database.write() as session:
            session.execute(delete(LinkAttemptRow).where(LinkAttemptRow.expires_at < _ago(WAITING_LIFE)))

    def _store(
        self, row: LinkAttemptRow, tokens: TokenSet, waiting: str, before: TokenSet | None = None
    ) -> tuple[Linked, str]:
        """Customer, identity, tokens, consents, and the end of the consent ``before``: all in one transaction.

        Also returns the id of that revocation, "" when there is none. A consent should not live on at the bank,
        where nobody would look for it; a bank that names no consent may take both for one, so there it is left.
        """
        replaced = ""
        with self._database.write() as session:
            customer = self._identities.find(session, row.channel, row.conversation_id)
            is_new = customer is None
            if customer is None:
                customer_id = self._identities.create(session, self._newcomer)
                customer = self._identities.bind(session, row.channel, row.conversation_id, customer_id)
            if before is not None and before.consent_id and before.consent_id != tokens.consent_id:
                replaced = self._revocations.add_within(session, customer.id, row.bank_id, before)
            self._vault.put_within(session, customer.id, row.bank_id, tokens)
            self._last_words.forget_within(session, customer.id, row.bank_id)
            self._consents.grant_within(session, customer.id, row.bank_id, row.channel, _purposes(row))
            session.execute(
                _of(row).values(
                    outcome=_LINKED, sealed=self._seal.seal(row.conversation_id, row.token_hash, Kept(waiting))
                )
            )
        return Linked(customer, row.bank_id, waiting, is_new), replaced

    def _redeemed(self, row: LinkAttemptRow, code: str, trip: Secrets) -> TokenSet:
        """Tokens for the code. When they can't be used they are ended. Raises LinkRefused, BankUnavailable."""
        profile = self._profiles[row.bank_id]
        try:
            tokens = redeem(profile, code, trip, self._http_of)
        except LinkRefused:
            self._set(row, _DONE)  # the bank gave nothing
            raise
        try:
            check_identity(profile, tokens, trip, self._http_of)
        except (LinkRefused, BankUnavailable):
            self._give_back(row, tokens)
            raise
        return tokens

    def _ask_again(self, row: LinkAttemptRow) -> None:
        """A process died, or gave up waiting, with the bank's answer on its way: the customer was told of no link.

        So the code is shown once more. If it was spent, what came of it ends at the bank (RFC 6749 4.1.2); if not,
        the tokens are ended at once. Not reached, the bank is asked again as long as the attempt is kept, which is
        longer than a code lives.
        """
        try:
            with self._at_work_on(row, seconds=0.05):
                with self._database.read() as session:
                    now = session.get(LinkAttemptRow, row.token_hash)
                if now is None or now.outcome != _ASKED:
                    return
                kept = self._seal.open(now)
                if kept.trip is not None and now.bank_id in self._profiles:
                    self._give_back(now, redeem(self._profiles[now.bank_id], kept.code, kept.trip, self._http_of))
        except LinkRefused as refused:
            logger.info("an interrupted link at bank %s was ended there: %s", row.bank_id, refused.code)
            self._set(row, _DONE)
        except BankUnavailable as error:
            logger.warning("an interrupted link at bank %s can't be ended yet: %s", row.bank_id, error.code)

    def _give_back(self, row: LinkAttemptRow, tokens: TokenSet) -> None:
        """End at the bank what nobody will use. One that names no consent may take a live link of hers for the same,
        so there it is left, as in ``_store``."""
        known = self._identities.resolve(row.channel, row.conversation_id)
        if not tokens.consent_id and known is not None and self._has(known.id, row.bank_id):
            self._set(row, _DONE)
            return
        with self._database.write() as session:
            waiting = self._revocations.add_within(session, None, row.bank_id, tokens)
            session.execute(_of(row).values(outcome=_DONE, sealed=b""))
        self._revocations.tell(waiting)

    def _set(self, row: LinkAttemptRow, outcome: str, kept: Kept | None = None) -> None:
        sealed = self._seal.seal(row.conversation_id, row.token_hash, kept) if kept else b""
        with self._database.write() as session:
            session.execute(_of(row).values(outcome=outcome, sealed=sealed))

    @contextmanager
    def _at_work_on(self, row: LinkAttemptRow, seconds: float) -> Iterator[None]:
        """Shared by one attempt in 256, so that not every attempt leaves a lock file. Raises BankUnavailable."""
        try:
            with self._database.lock(f"linking:{row.token_hash[:2]}", seconds):
                yield
        except LockTimeout as error:
            raise BankUnavailable(
                "linked elsewhere, and slowly", bank_id=row.bank_id, code="busy", slow=True
            ) from error

    def _let_go(self, customer_id: str, bank_id: str) -> bool:
        """The second half of disconnecting: what the bank must be told waits, the link is gone, the bank is told."""
        store = self._vault.tokens(customer_id, bank_id)
        try:
            with store.lock():  # tokens that a refresh is fetching just now are the ones to end
                tokens = store.load()
                with self._database.write() as session:
                    if self._vault.state_within(session, customer_id, bank_id) is not LinkState.REVOKING:
                        return True  # linked anew meanwhile, which ended the old one
                    waiting = self._revocations.add_within(session, customer_id, bank_id, tokens)
                    self._vault.remove_within(session, customer_id, bank_id)
        except NotLinked:
            return True  # somebody else did
        except BankUnavailable:
            return False  # a refresh that hangs; ``finish`` goes on
        return self._revocations.tell(waiting)

    def _before(self, customer_id: str, bank_id: str) -> TokenSet | None:
        return self._vault.tokens(customer_id, bank_id).load() if self._has(customer_id, bank_id) else None

    def _has(self, customer_id: str, bank_id: str) -> bool:
        return any(link.bank_id == bank_id for link in self._vault.links(customer_id))

    def _open_attempt(self, which: ColumnElement[bool]) -> LinkAttemptRow:
        with self._database.read() as session:
            row = session.scalars(select(LinkAttemptRow).where(which)).first()
        if row is None or row.bank_id not in self._profiles:
            raise LinkRefused(Reason.UNKNOWN)
        if row.used_at is not None:
            raise LinkRefused(Reason.USED, row.bank_id)
        if row.expires_at <= clock.now():
            raise LinkRefused(Reason.EXPIRED, row.bank_id)
        return row

    def _claim(self, state: str) -> LinkAttemptRow:
        """Spend the attempt this state belongs to; of two that try, one gets it."""
        row = self._open_attempt(LinkAttemptRow.state_hash == _hash(state))
        with self._database.write() as session:
            claimed = session.execute(
                update(LinkAttemptRow)
                .where(
                    LinkAttemptRow.token_hash == row.token_hash,
                    LinkAttemptRow.state_hash == row.state_hash,
                    LinkAttemptRow.used_at.is_(None),
                )
                .values(used_at=clock.now())
                .returning(LinkAttemptRow.token_hash)
            ).first()
        if claimed is None:
            raise LinkRefused(Reason.USED, row.bank_id)
        return row


def _of(row: LinkAttemptRow) -> Update:
    return update(LinkAttemptRow).where(LinkAttemptRow.token_hash == row.token_hash)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _ago(span: timedelta) -> datetime:
    return clock.now() - span


def _purposes(row: LinkAttemptRow) -> tuple[Purpose, ...]:
    """In the order in which they are explained."""
    return tuple(purpose for purpose in Purpose if purpose.value in row.purposes.split(","))
