"""Why the bank is asked. A closed list: there is no advertising purpose, and no way to add one by setting."""

from __future__ import annotations

from enum import Enum


class Purpose(str, Enum):
    BALANCES = "balances"  #: account names and what is in or owed on them
    TRANSACTIONS = "transactions"  #: showing and searching single transactions
    INSIGHTS = "insights"  #: adding transactions up: spending, habits, recurring bills
    ALERTS = "alerts"  #: watching for what the customer asked to be told, and acting on her answer
    PAYMENTS = "payments"  #: moving money
