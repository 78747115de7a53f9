"""Believable history, day by day, from a fixed first day.

Each day is drawn from the seed, the customer and the date alone, on top of the days before. So the same seed and
date give the same books, and a later date only adds to them.
"""

from __future__ import annotations

import calendar
import random
import zlib
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

from assistant.sandbox.book import Book
from assistant.sandbox.descriptors import RATES, SHOPS, Shop
from assistant.sandbox.people import AccountSpec, Bill, Buffer, Category, Exchange, Habit, Income, Person

#: Where every customer's history begins.
EPOCH = date(2022, 1, 1)

_CODE = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
_WEATHER = (142, 135, 112, 92, 85, 104, 138, 141, 110, 88, 98, 126)  # per cent of the usual bill, by month
_OVERDRAFT_FEE = 3_400
_ATM_FEE = 300


class History:
    """One customer's books, grown as far as asked."""

    def __init__(self, person: Person, seed: int) -> None:
        self.person = person
        self.book = Book(person, seed)
        self._next = EPOCH
        self._refunds: dict[date, list[tuple[str, int, str, str]]] = defaultdict(list)

    def through(self, day: date) -> Book:
        """The books with every day up to and including ``day``. Safe to ask for an earlier day."""
        while self._next <= day:
            self._live(self._next)
            self._next += timedelta(days=1)
        return self.book

    def _live(self, day: date) -> None:
        rng = random.Random(f"{self.book.seed}/{self.person.days_of}/{day.isoformat()}")  # noqa: S311  # not a secret
        self.book.settle(day)
        for income in self.person.incomes:
            self._pay(income, day)
        self._invoices(day, rng)
        for bill in self.person.bills:
            self._bill(bill, day, rng)
        for move in self.person.moves:
            if day == on_month_day(day, move.day) and self.book.free(move.source) > move.cents:
                self.book.transfer(day, self.person.account(move.source), self.person.account(move.target), move.cents)
        for exchange in self.person.exchanges:
            self._exchange(exchange, day)
        for spec in self.person.accounts:
            if spec.category is Category.LOAN:
                self._loan(spec, day)
            elif spec.category is Category.LOC:
                self._card_payment(spec, day)
        for account, cents, descriptor, mcc in self._refunds.pop(day, ()):
            self.book.add(
                day, account, cents, descriptor, minutes=11 * 60, lag=1, mcc=mcc, kind="ADJUSTMENT", truth="refund"
            )
        self._out_and_about(day, rng)
        for buffer in self.person.buffers:
            self._balance_out(buffer, day)
        for spec in self.person.accounts:
            self._close_of_day(spec, day)

    def _pay(self, income: Income, day: date) -> None:
        if income.every == "biweekly":
            due = (day - income.anchor).days % 14 == 0 and day >= income.anchor
        else:
            due = day == business_day_before(on_month_day(day, income.day))
        if due:
            cents = income.cents * (100 + income.raise_percent * (day.year - EPOCH.year)) // 100
            self.book.add(day, income.account, cents, income.descriptor, kind=income.kind)

    def _invoices(self, day: date, rng: random.Random) -> None:
        for client in self.person.invoices:
            drawn, amount = rng.random(), rng.randint(client.low, client.high) * 100
            if day.weekday() < 5 and drawn < client.weekly / 5:
                self.book.add(day, client.account, amount, client.descriptor, minutes=9 * 60 + 5, kind="DEPOSIT")
                if client.fee:
                    self.book.add(day, client.account, -client.fee, "INCOMING WIRE FEE", minutes=9 * 60 + 6, kind="FEE")

    def _bill(self, bill: Bill, day: date, rng: random.Random) -> None:
        jitter = rng.randint(-bill.spread, bill.spread) if bill.spread else 0
        code = _code(rng)
        if bill.months and day.month not in bill.months and (day - timedelta(days=2)).month not in bill.months:
            return
        on_card = self.person.account(bill.account).category is Category.LOC
        due = on_month_day(day, bill.day)
        if bill.months and due.month not in bill.months:
            return
        if day != (due if on_card else business_day_after(due)):
            return
        cents = price(bill, day) * (100 + jitter) // 100
        if bill.seasonal:
            cents = cents * _WEATHER[day.month - 1] // 100
        check = f"{1000 + (day.year - EPOCH.year) * 12 + day.month}" if bill.kind == "CHECK" else ""
        self.book.add(
            day,
            bill.account,
            -cents,
            bill.descriptor.replace("{code}", code) + (f" {check}" if check else ""),
            minutes=8 * 60 + 20 if on_card else 6 * 60 + 30,
            lag=1 if on_card else 0,
            mcc=bill.mcc,
            kind="PURCHASE" if on_card else bill.kind,
            payee=bill.payee,
            check=check,
            foreign=bill.foreign or (0, ""),
            linked=bill.day % 2 == 0,
            truth="price_rise" if _has_risen(bill, due) else "",
        )

    def _exchange(self, exchange: Exchange, day: date) -> None:
        spare = (self.book.free(exchange.source) - exchange.keep) // 10_000 * 10_000
        if day != business_day_after(on_month_day(day, exchange.day)) or spare <= 0:
            return
        currency = self.person.account(exchange.source).currency
        name = f"FX {currency}/{self.person.account(exchange.target).currency}"
        bought = round(spare * RATES[currency] * 0.99)
        self.book.add(day, exchange.source, -spare, f"{name} TRANSFER OUT", kind="TRANSFER")
        self.book.add(day, exchange.target, bought, f"{name} TRANSFER IN", kind="TRANSFER", foreign=(spare, currency))

    def _loan(self, spec: AccountSpec, day: date) -> None:
        owed = -self.book.posted[spec.key]
        if day != business_day_after(on_month_day(day, spec.due)) or owed <= 0:
            return
        interest = owed * spec.rate // 120_000
        payment = min(spec.payment, owed + interest + spec.escrow)
        name = spec.product.upper()
        if self.book.free(spec.pays_from) < payment:
            return
        self.book.add(day, spec.key, -interest, "INTEREST", minutes=400, kind="INTEREST")
        if spec.escrow:
            self.book.add(day, spec.key, -spec.escrow, "ESCROW DISBURSEMENT", minutes=401, kind="ADJUSTMENT")
        self.book.add(day, spec.pays_from, -payment, f"{name} PMT ...{spec.mask}", minutes=402, kind="BILLPAYMENT")
        self.book.add(day, spec.key, payment, "PAYMENT RECEIVED - THANK YOU", minutes=402, kind="PAYMENT")

    def _card_payment(self, spec: AccountSpec, day: date) -> None:
        statements = self.book.statements[spec.key]
        if not statements or day != business_day_before(statements[-1].due - timedelta(days=2)):
            return
        last = statements[-1]
        payment = last.balance if not spec.carry else max(last.minimum, last.balance - spec.carry)
        payment = min(payment, max(last.minimum, self.book.free(spec.pays_from)))
        if payment <= 0:
            return
        self.book.add(
            day, spec.pays_from, -payment, f"{spec.product.upper()} AUTOPAY PMT ...{spec.mask}",
            minutes=410, kind="BILLPAYMENT",
        )  # fmt: skip
        self.book.add(day, spec.key, payment, "AUTOPAY PAYMENT - THANK YOU", minutes=410, kind="PAYMENT")

    def _out_and_about(self, day: date, rng: random.Random) -> None:
        trip = next((t for t in self.person.trips if 0 <= (day - _this_year(day, t.month, t.day)).days < t.days), None)
        if trip is not None:
            for _ in range(rng.randint(1, 3)):
                self._purchase(day, trip.account, rng.choice(SHOPS[trip.shops]), rng)
            return
        for habit in self.person.habits:
            self._habit(habit, day, rng)
        twice = self.person.duplicates
        if twice and day.toordinal() % 47 == len(self.person.days_of):
            shop = next(shop for shop in SHOPS[twice[1]] if shop.mcc in {"5812", "5814"})
            shop = replace(shop, name=_named(shop.name, rng))
            cents, minutes = rng.randint(shop.low, shop.high), rng.randint(700, 1200)
            for again in (0, 2):  # the terminal sent the same charge twice, two minutes apart
                truth = "duplicate" if again else ""
                self._charge(day, twice[0], shop, cents, minutes + again, rng, tip=0, lag=2, truth=truth)

    def _habit(self, habit: Habit, day: date, rng: random.Random) -> None:
        drawn = rng.random()
        shop = rng.choice(SHOPS[habit.shops])
        if drawn >= (habit.weekend if day.weekday() >= 5 else habit.weekday):
            return
        account = self.person.account(habit.account)
        if account.category is Category.DEPOSIT and self.book.free(habit.account) < shop.high // 3:
            return
        self._purchase(day, habit.account, shop, rng)

    def _purchase(self, day: date, account: str, shop: Shop, rng: random.Random) -> None:
        cents, minutes = rng.randint(shop.low, shop.high), rng.randint(7 * 60 + 10, 21 * 60 + 50)
        lag = rng.choice((1, 1, 2, 2, 3))
        tip = rng.randint(15, 22) if shop.tips else 0
        if shop.mcc == "6011":
            cents = max(2_000, cents // 2_000 * 2_000)
            self.book.add(
                day, account, -cents, f"{_named(shop.name, rng)} {shop.tail}",
                minutes=minutes, mcc=shop.mcc, kind="ATMWITHDRAWAL",
            )  # fmt: skip
            self.book.add(day, account, -_ATM_FEE, "NON-NETWORK ATM FEE", minutes=minutes, kind="FEE")
            return
        self._charge(day, account, shop, cents, minutes, rng, tip=tip, lag=lag)
        if rng.random() < 0.07 and shop.mcc in {"5942", "5651", "5310", "5732", "5200"} and not shop.currency:
            back = self.book.entries[account][-1]
            self._refunds[day + timedelta(days=rng.randint(5, 12))].append(
                (account, -back.cents, f"{back.held_descriptor} REFUND", shop.mcc)
            )

    def _charge(
        self, day: date, account: str, shop: Shop, cents: int, minutes: int, rng: random.Random,
        *, tip: int, lag: int, truth: str = "",
    ) -> None:  # fmt: skip
        name = _named(shop.name, rng)
        spec = self.person.account(account)
        foreign = (0, "")
        if shop.currency:
            foreign = (cents, shop.currency)
            cents = round(cents * RATES[shop.currency] * (1 + rng.randint(-20, 20) / 1000))
        self.book.add(
            day,
            account,
            -(cents + cents * tip // 100),
            f"{name} {shop.tail}",
            minutes=minutes,
            lag=lag,
            held=-cents,
            held_descriptor=name,
            mcc=shop.mcc,
            kind="PURCHASE" if spec.category is Category.LOC else "POSDEBIT",
            foreign=foreign,
            linked=rng.random() < 0.6,
            truth=truth,
        )
        if foreign[1] and spec.foreign_fee:
            fee = max(1, cents * 3 // 100)
            self.book.add(day, account, -fee, "FOREIGN TRANSACTION FEE", minutes=minutes, lag=lag, kind="FEE")

    def _balance_out(self, buffer: Buffer, day: date) -> None:
        here, there = self.person.account(buffer.checking), self.person.account(buffer.savings)
        low = buffer.floor - self.book.free(here.key)
        if buffer.floor and low > 0:
            move = min(-(-low // 10_000) * 10_000, self.book.free(there.key) // 100 * 100)
            if move > 0:
                self.book.transfer(day, there, here, move, minutes=22 * 60)
        if day.day != 6:
            return
        spare = (self.book.free(here.key) - buffer.cap) // 10_000 * 10_000
        if buffer.cap and spare > 0:
            self.book.transfer(day, here, there, spare, minutes=22 * 60 + 5)
        spare = (self.book.free(there.key) - buffer.savings_cap) // 10_000 * 10_000
        if buffer.savings_cap and spare > 0:
            self.book.add(
                day, there.key, -spare, "VANGUARD BUY INVESTMENT", minutes=22 * 60 + 10, mcc="6211", kind="TRANSFER"
            )

    def _close_of_day(self, spec: AccountSpec, day: date) -> None:
        key = spec.key
        if spec.category is Category.LOC:
            if day == on_month_day(day, spec.closes):
                self._close_card(spec, day)
        elif spec.category is Category.DEPOSIT:
            if self.book.posted[key] < 0:
                today = [entry for entry in self.book.entries[key][-12:] if entry.day == day]
                if today and not any(entry.kind == "FEE" for entry in today):
                    self.book.add(day, key, -_OVERDRAFT_FEE, "OVERDRAFT ITEM FEE", minutes=22 * 60 + 30, kind="FEE")
            if spec.rate and (day + timedelta(days=1)).day == 1 and self.book.posted[key] > 0:
                earned = self.book.posted[key] * spec.rate // 120_000
                if earned:
                    self.book.add(day, key, earned, "INTEREST PAYMENT", minutes=22 * 60 + 40, kind="INTEREST")

    def _close_card(self, spec: AccountSpec, day: date) -> None:
        statements = self.book.statements[spec.key]
        if statements:
            last = statements[-1]
            paid = sum(
                entry.cents
                for entry in self.book.entries[spec.key][-400:]
                if entry.kind == "PAYMENT" and entry.day > last.day
            )
            carried = last.balance - paid
            interest = carried * spec.rate // 120_000
            if interest > 0:
                self.book.add(
                    day, spec.key, -interest, "INTEREST CHARGE ON PURCHASES", minutes=22 * 60 + 50, kind="INTEREST"
                )
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        self.book.close_statement(day, spec, on_month_day(following, spec.due))


def price(bill: Bill, day: date) -> int:
    """What the bill costs on a day, in cents, after its yearly rises."""
    if not bill.rise_month:
        return bill.cents
    rises = day.year - EPOCH.year + (1 if day.month >= bill.rise_month else 0) - (1 if bill.rise_month == 1 else 0)
    return bill.cents + bill.rise * rises


def _has_risen(bill: Bill, due: date) -> bool:
    """Whether it costs more than it did a month before (a yearly one: than a year before)."""
    before = due.replace(day=1) - timedelta(days=365 if bill.months else 1)
    return bool(bill.rise) and before >= EPOCH and price(bill, due) > price(bill, before)


def on_month_day(day: date, number: int) -> date:
    """That day of the same month, or the month's last."""
    return day.replace(day=min(number, calendar.monthrange(day.year, day.month)[1]))


def business_day_before(day: date) -> date:
    return day - timedelta(days=max(0, day.weekday() - 4))


def business_day_after(day: date) -> date:
    """Weekends move to Monday, but never into the next month."""
    moved = day + timedelta(days=(7 - day.weekday()) if day.weekday() >= 5 else 0)
    return moved if moved.month == day.month else business_day_before(day)


def _this_year(day: date, month: int, number: int) -> date:
    return date(day.year, month, number)


def _code(rng: random.Random) -> str:
    return "".join(rng.choice(_CODE) for _ in range(9))


def _named(name: str, rng: random.Random) -> str:
    """The name with a code of its own and one of the two branches people go to."""
    branch = (zlib.crc32(name.encode()) + 137 * rng.randint(0, 1)) % 9_800 + 101
    return name.replace("{code}", _code(rng)).replace("{store}", f"{branch:04d}")
