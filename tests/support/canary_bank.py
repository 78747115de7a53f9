"""The sandbox bank with one customer more, in whose data every name is unmistakable. Run as the sandbox is."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from assistant.sandbox.__main__ import main
from assistant.sandbox.customers import CUSTOMERS
from assistant.sandbox.people import Bill, Habit, Income, Move, Person, card, checking, savings

LOGIN = "tester"
#: In everything that the bank says of this customer, whoever writes it how.
STEM = "zqxcanary"
PERSON = Person(
    LOGIN,
    "Zephyra Zqxcanary",
    (
        checking("checking", "Zqxcanary Checking", "7393", 412_377),
        savings("savings", "Online Savings", "7394", 1_234_567, nickname="Zqxcanary Reserve", rate=300),
        card("card", "Zqxcanary Visa", "7395", -81_319, rate=1999, limit=500_000, closes=24, due=19,
             pays_from="checking"),
    ),
    incomes=(Income("checking", 321_947, "ZQXCANARY LOGISTICS DES:PAYROLL ID:88213 INDN:ZEPHYRA", "biweekly"),),
    bills=(
        Bill("checking", 1, 178_311, "ZELLE PAYMENT TO ZQXCANARY PROPERTIES", kind="TRANSFER",
             payee="Zqxcanary Properties"),
        Bill("card", 7, 13_477, "ZQXCANARY DENTAL 800-555-0199 CA", "8021"),
        Bill("card", 18, 6_999, "COMCAST CABLE COMM 800-266-2278 PA", "4899"),
    ),
    habits=(Habit("card", "groceries-nyc", 0.30, 0.50), Habit("card", "dining-nyc", 0.20, 0.55)),
    moves=(Move("checking", "savings", 15, 20_000),),
)  # fmt: skip

if __name__ == "__main__":
    CUSTOMERS[LOGIN] = PERSON  # in this process only: whoever imports the table must not find her in it
    main()
