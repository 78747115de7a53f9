"""How answering grows: the same questions on histories of 1,000, 10,000 and 100,000 transactions.

Each history is a customer of the sandbox bank, fetched over HTTP once; that time is counted apart. Then each
question is answered by its skill from what was fetched, as the second question of a conversation is. There is no peer.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from installation import Installation, installation
from results import Metric, report

from assistant.banking import clock
from assistant.banking.connector import CustomerBank
from assistant.banking.period import Grain, Period
from assistant.banking.purpose import Purpose
from assistant.customers.demo import ensure_demo_customer
from assistant.customers.service import open_customers
from assistant.skills import balances, recurring, spending, transactions
from assistant.skills.focus import AmountRange, Focus, Order, Outcome, Topic

SIZES = (1_000, 10_000, 100_000)
REPEATS = 15
LIMIT_MS = 50

Skill = Callable[[CustomerBank, Focus, date], Outcome]


def questions(today: date) -> dict[str, tuple[Skill, Focus]]:
    month = Period.month_of(today).previous()
    year = Period(date(today.year, 1, 1), date(today.year + 1, 1, 1), Grain.YEAR)

    def spent(view: str, period: Period = month, **more: object) -> tuple[Skill, Focus]:
        return spending.answer, Focus(Topic.SPENDING, view, period=period, **more)  # type: ignore[arg-type]

    return {
        "balance": (balances.answer, Focus(Topic.BALANCES, "balance")),
        "latest": (transactions.answer, Focus(Topic.TRANSACTIONS, "list")),
        "over 100 this year": (
            transactions.answer,
            Focus(Topic.TRANSACTIONS, "list", period=year, amount=AmountRange(low=Decimal(100))),
        ),
        "largest this year": (
            transactions.answer,
            Focus(Topic.TRANSACTIONS, "largest", period=year, order=Order.LARGEST),
        ),
        "food last month": spent("total", category="food"),
        "by category, year": spent("by_category", year),
        "by month, year": spent("by_month", year),
        "against the usual": spent("comparison"),
        "subscriptions": (recurring.answer, Focus(Topic.RECURRING, "subscriptions")),
        "bills": (recurring.answer, Focus(Topic.RECURRING, "bills")),
    }


def main() -> None:
    found: list[Metric] = []
    with installation() as place:
        for size in SIZES:
            found += measure(place, size)
    report("growth", found, [f"median of {REPEATS} answers each; fetching includes paging, parsing and cleaning names"])


def measure(place: Installation, size: int) -> list[Metric]:
    settings = place.plan.settings
    customers = open_customers(settings)
    login = f"bulk-{size}"
    print(f"Fetching {size:,} transactions ...", flush=True)
    customer_id = ensure_demo_customer(settings, login)
    customer = customers.identities.bind_demo("cmdline", login, customer_id)
    bank = customers.bank(customer)
    today = clock.today(bank.profile.time_zone)
    everything = Period(date(today.year - 2, today.month, 1), date(today.year, today.month, today.day)).clipped(today)
    assert everything is not None
    began = time.perf_counter()
    history = bank.transactions(everything, Purpose.INSIGHTS).value
    fetched = time.perf_counter() - began
    answers = {name: answered(skill, bank, focus, today) for name, (skill, focus) in questions(today).items()}
    slowest = max(answers, key=lambda name: answers[name])
    print(f"  {len(history):,} came; " + ", ".join(f"{name} {ms:.1f}" for name, ms in answers.items()) + " (ms)")
    worst = answers[slowest]
    return [
        Metric(f"fetch_{size}", fetched, "s"),
        Metric(
            f"answer_{size}",
            worst,
            "ms",
            target=f"slowest: {slowest}" + (f", under {LIMIT_MS} ms" if size == 10_000 else ""),
            reached=worst < LIMIT_MS if size == 10_000 else None,
        ),
    ]


def answered(skill: Skill, bank: CustomerBank, focus: Focus, today: date) -> float:
    """Milliseconds; the first answer, which may fetch what the history did not hold, does not count."""
    skill(bank, focus, today)
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        skill(bank, focus, today)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


if __name__ == "__main__":
    main()
