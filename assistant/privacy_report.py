"""What `tellerline privacy report` says: each sentence of the promise, and what was found when it was checked just now.

It reads this installation as it is: its database, keys, settings and Rasa's own files. It opens nothing that is
sealed, and prints counts, hosts and table names only. docs/privacy.md holds the whole promise.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy import LargeBinary, Table, distinct, func, inspect, select

from assistant.banking import clock
from assistant.banking.purpose import Purpose
from assistant.customers.identity import key_owner
from assistant.customers.revocations import LIFE
from assistant.customers.service import Customers
from assistant.egress import Guard
from assistant.guarded import allow_table
from assistant.redact import Redactor
from assistant.settings import Settings
from assistant.storage.seal import Unreadable
from assistant.storage.tables import (
    BankCacheRow,
    Base,
    ConversationEventsRow,
    CustomerRow,
    LedgerRow,
    LinkAttemptRow,
    RevocationRow,
)

#: The purposes of docs/privacy.md. One that is in the code or in the database, and not here, is a breach.
PURPOSES = frozenset({"balances", "transactions", "insights", "alerts", "payments"})
#: Where Rasa would report to if it were let.
TELEMETRY_HOSTS = ("api.segment.io", "sentry.io", "o251570.ingest.sentry.io")
#: Housekeeping runs every hour; what it lets go of may be that much older, and a little.
GRACE = timedelta(hours=2)
_TRACKER_STORE = "assistant.storage.tracker_store.TellerlineTrackerStore"
#: Version, nonce, tag: a sealed value is never shorter. One that a question was taken out of is empty.
_SHORTEST = 1 + 12 + 16
_READABLE_RUN = 32
_SPOKEN_THROUGH = ("action-server", "assistant")


@dataclass(frozen=True, slots=True)
class Promise:
    """One sentence, whether it is kept here and now, and what was found."""

    says: str
    kept: bool
    found: str


@dataclass(frozen=True, slots=True)
class Report:
    promises: tuple[Promise, ...]

    @property
    def kept(self) -> bool:
        return all(promise.kept for promise in self.promises)

    def lines(self) -> Iterator[str]:
        for promise in self.promises:
            yield f"{'ok' if promise.kept else 'VIOLATED':<9} {promise.says}"
            yield f"{'':<9} {promise.found}"
        broken = sum(not promise.kept for promise in self.promises)
        yield f"{broken} of {len(self.promises)} sentences are VIOLATED." if broken else "Every sentence is kept."


def report(customers: Customers, settings: Settings, root: Path | None = None) -> Report:
    """``root`` is the folder of the bot, whose endpoints.yml is read; the current one by default."""
    context = _Context(customers, settings, root or Path.cwd())
    return Report(tuple(check(context) for check in _CHECKS))


@dataclass(frozen=True, slots=True)
class _Context:
    customers: Customers
    settings: Settings
    root: Path

    def rows(self, query: Any) -> list[Any]:
        with self.customers.storage.database.reading() as connection:
            return list(connection.execute(query).all())

    def one(self, query: Any) -> Any:
        return self.rows(query)[0][0]


def _consent(context: _Context) -> Promise:
    verdict = context.customers.consents.verify()
    found = f"ledger verified: {verdict.entries} entries, {verdict.erased} of them erased"
    if not verdict.sound:
        found += f"; entries {', '.join(str(each) for each in sorted({b.seq for b in verdict.breaches}))} are wrong"
    return Promise("Nothing is read from a bank without a live, dated opt-in for that purpose.", verdict.sound, found)


def _purposes(context: _Context) -> Promise:
    ids = [row.id for row in context.rows(select(CustomerRow.__table__.c.id))]
    counted = dict.fromkeys(sorted(PURPOSES), 0)
    for customer_id in ids:
        for consent in context.customers.consents.in_force(customer_id):
            counted[consent.purpose.value] += 1
    named = {row[0] for row in context.rows(select(distinct(LedgerRow.purpose)))} - {None}
    for (purposes,) in context.rows(select(distinct(LinkAttemptRow.purposes))):
        named |= set(purposes.split(",")) - {""}
    unknown = sorted((named | {purpose.value for purpose in Purpose}) - PURPOSES)
    found = "in force: " + ", ".join(f"{count} for {name}" for name, count in counted.items())
    if unknown:
        found += f"; not on the closed list: {', '.join(unknown)}"
    return Promise("The purposes are a closed list, and advertising is not on it.", not unknown, found)


def _sealed(context: _Context) -> Promise:
    values, plain = 0, set()
    for table in Base.metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, LargeBinary):
                for value in _values(context, table, column.name):
                    values += 1
                    if value and not looks_sealed(bytes(value)):
                        plain.add(f"{table.name}.{column.name}")
    strange = _strange(context)
    found = f"{values} sealed values looked at"
    if plain:
        found += f"; readable: {', '.join(sorted(plain))}"
    if strange:
        found += f"; not ours, and not sealed: {', '.join(strange)}"
    return Promise("Tokens, conversations and bank data rest sealed.", not plain and not strange, found)


def looks_sealed(value: bytes) -> bool:
    """Whether the bytes are what storage.seal makes: no text, and nothing that could be packed tighter."""
    if len(value) < _SHORTEST or value[:1] != b"\x01" or len(zlib.compress(value, 9)) < len(value):
        return False
    run = 0
    for byte in value:
        run = run + 1 if 32 <= byte < 127 else 0
        if run >= _READABLE_RUN:
            return False
    return True


def _values(context: _Context, table: Table, column: str) -> Iterator[Any]:
    with context.customers.storage.database.reading() as connection:
        query = select(table.c[column]).execution_options(yield_per=200)
        for (value,) in connection.execute(query):
            yield value


def _strange(context: _Context) -> list[str]:
    """Tables and columns that the promise knows nothing of: another store has been writing here."""
    known = {(table.name, column.name) for table in Base.metadata.tables.values() for column in table.columns}
    ours = {"alembic_version", *({"data_keys", "anchors"} if _keys_are_beside(context.settings) else ())}
    seen = inspect(context.customers.storage.database.engine)
    return [
        f"{table}.{column['name']}"
        for table in sorted(set(seen.get_table_names()) - ours)
        for column in seen.get_columns(table)
        if (table, column["name"]) not in known
    ]


def _keys_are_beside(settings: Settings) -> bool:
    return not settings.database_url.startswith("sqlite") and settings.keys_url in ("", settings.database_url)


def _stores(context: _Context) -> Promise:
    wrong, looked = [], []
    for path in (context.root / "endpoints.yml", context.settings.home / "endpoints.yml"):
        if path.exists():
            looked.append(path.name)
            endpoints = YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}
            if (endpoints.get("tracker_store") or {}).get("type") != _TRACKER_STORE:
                wrong.append(f"{path}: conversations go to another tracker store")
            if endpoints.get("event_broker"):
                wrong.append(f"{path}: an event broker sends conversations on")
    found = "; ".join(wrong) or f"{len(looked)} endpoints files name the sealed store alone"
    return Promise("Conversations are kept in one place only.", not wrong and bool(looked), found)


def _keys(context: _Context) -> Promise:
    keys = context.customers.storage.keys
    living = {key_owner(row.id) for row in context.rows(select(CustomerRow.__table__.c.id))}
    held = {owner for owner in keys.owners() if owner.startswith(key_owner(""))}
    unreadable = 0
    for owner in held:
        try:
            keys.cipher(owner)
        except Unreadable:
            unreadable += 1
    left, missing = len(held - living), len(living - held)
    erasing = CustomerRow.erasing_at
    stuck = context.one(select(func.count()).where(erasing.is_not(None), erasing < clock.now() - GRACE))
    found = f"{len(held)} customers' keys, all opened by this master key"
    if unreadable:
        found = f"{unreadable} of {len(held)} customers' keys are under another master key"
    found += f"; {left} outlived their customer, {stuck} erasures are stuck"
    # A customer has no key before the first value is sealed for her.
    found += f"; {missing} customers have nothing sealed" if missing else ""
    return Promise("Erasing destroys a customer's key.", not (unreadable or left or stuck), found)


def _retention(context: _Context) -> Promise:
    now, settings = clock.now(), context.settings
    events = ConversationEventsRow.__table__.c
    ends = select(func.max(events.saved_at).label("end")).group_by(events.conversation_id).subquery()
    limits = (
        ("conversation", func.min(ends.c.end), timedelta(days=settings.conversation_days)),
        ("bank answer", func.min(BankCacheRow.fetched_at), timedelta(hours=settings.cache_hours)),
        ("ended consent of which a bank has yet to be told", func.min(RevocationRow.since), LIFE),
        ("ended attempt at linking", func.min(LinkAttemptRow.expires_at), timedelta(hours=1)),
    )
    kept, told = True, []
    for what, oldest, limit in limits:
        at: datetime | None = context.one(select(oldest))
        kept = kept and (at is None or now - at <= limit + GRACE)
        age = "none" if at is None else _span(max(now - at, timedelta(0)))
        told.append(f"oldest {what}: {age} (limit {_span(limit)})")
    return Promise("Conversations and copies of bank data expire.", kept, "; ".join(told))


def _span(time: timedelta) -> str:
    hours = time.total_seconds() / 3600
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.0f} days"


def _egress(context: _Context) -> Promise:
    table = allow_table(context.settings)
    listed = ", ".join(f"{host} ({why})" for host, why in sorted(table.items())) or "none"
    closed = not Guard(table).knows("not-on-the-list.invalid")
    return Promise(
        "Data goes to the customer's banks, her channels and our own database only.",
        closed,
        f"allowed beside this machine: {listed}; any other name is {'refused' if closed else 'NOT refused'}",
    )


def _telemetry(context: _Context) -> Promise:
    off = os.environ.get("RASA_TELEMETRY_ENABLED") == "false"
    guard = Guard(allow_table(context.settings))
    reachable = [host for host in TELEMETRY_HOSTS if guard.knows(host)]
    found = f"Rasa's telemetry is {'off' if off else 'ON'}; "
    found += f"reachable: {', '.join(reachable)}" if reachable else f"{len(TELEMETRY_HOSTS)} of its hosts are refused"
    return Promise("Nobody is told how the assistant is used.", off and not reachable, found)


def _logs(context: _Context) -> Promise:
    """Those of the processes that customers speak through; the sandbox and training meet no customer."""
    redactor, lines, leaks = Redactor(), 0, []
    for path in sorted((context.settings.home / "logs").glob("*.log")):
        if path.stem.startswith(_SPOKEN_THROUGH):
            with path.open(encoding="utf-8", errors="replace") as file:
                for number, line in enumerate(file, 1):
                    lines += 1
                    if redactor.text(line) != line:
                        leaks.append(f"{path.name}:{number}")
    found = f"{lines} lines of logs read; nothing in them that looks like a number, an amount, a token or an address"
    if leaks:
        found = f"{len(leaks)} of {lines} lines of logs should have been redacted: {', '.join(leaks[:5])}"
    return Promise("Logs hold ids and steps, never contents.", not leaks, found)


def _files(context: _Context) -> Promise:
    home = context.settings.home
    private = [*(home / "secrets").glob("*"), *home.glob("*.db*"), *home.glob("endpoints.yml")]
    files = [path for path in private if path.is_file()]
    shared = sorted(path.name for path in files if path.stat().st_mode & 0o077)
    found = f"{len(files)} files of secrets and data in {home}"
    found += f"; readable by others: {', '.join(shared)}" if shared else ", readable by their owner alone"
    return Promise("Keys and data are read by the assistant's own account only.", not shared, found)


_CHECKS: tuple[Callable[[_Context], Promise], ...] = (
    _consent,
    _purposes,
    _sealed,
    _stores,
    _keys,
    _retention,
    _egress,
    _telemetry,
    _logs,
    _files,
)
