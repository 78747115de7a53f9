"""The conversation itself: greeting, help, what is out of reach, misunderstandings, a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from assistant.banking.account import Account, AccountFamily
from assistant.banking.connector import CustomerBank
from assistant.banking.errors import BankingError
from assistant.banking.purpose import Purpose
from assistant.replies.reply import Choice, Listed, Literal, Phrase, Reply, Spelled

#: Intents that can be offered as "did you mean", each as a question (``choice_meant_<intent>``).
OFFERABLE = frozenset(
    {
        "ask_balance", "ask_accounts", "ask_card_payment", "ask_credit_limit", "ask_loan",
        "ask_transactions", "ask_last_payment", "ask_largest",
        "ask_spending", "ask_spending_breakdown", "ask_spending_comparison", "ask_average_spending",
        "ask_spending_pace", "ask_fees", "ask_income",
        "ask_subscriptions", "ask_bills", "ask_price_rises", "ask_payday",
        "talk_to_person", "help", "dispute_charge",
    }
)  # fmt: skip
#: After this many misunderstandings in a row a person is offered first.
MISSES_BEFORE_PERSON = 2


def says(key: str, *choices: str) -> Reply:
    """A fixed reply."""
    return Reply((Phrase(key),), choices=tuple(Choice(choice) for choice in choices))


def greeting(*, linked: bool, ending: Mapping[str, date] | None = None) -> Reply:
    """The hello. Says it is automated, as Californian law (B&P Code 17941) and Messenger's policy want at the start.

    ``ending``: banks at which something she agreed to ends soon, and the first day it does.
    """
    if not linked:
        return Reply((Phrase("greet"), Phrase("greet_not_linked")), choices=(Choice("link"),))
    say = [Phrase("greet")]
    for bank, day in (ending or {}).items():
        say.append(Phrase("renewal_due", {"bank": Literal(bank), "day": day}))
    renew = (Choice("link"),) if ending else ()
    return Reply(tuple(say), choices=(*renew, Choice("meant_ask_balance"), Choice("help")))


def help_for(bank: CustomerBank | None) -> Reply:
    """What it can do, with this customer's own accounts where they may be read."""
    accounts = _accounts(bank)
    phrases = [Phrase("help")]
    if accounts:
        phrases.append(Phrase("help_accounts", {"count": len(accounts), "accounts": Listed(accounts)}))
    deposits = [one for one in accounts if one.kind.family is AccountFamily.DEPOSIT]
    cards = [one for one in accounts if one.kind.family is AccountFamily.CREDIT]
    choices = [
        Choice("balance_of", {"account": Literal(deposits[0].label)}) if deposits else Choice("meant_ask_balance"),
        Choice("spent_on_groceries"),
        Choice("due_on", {"account": Literal(cards[0].label)}) if cards else Choice("meant_ask_bills"),
        Choice("meant_ask_subscriptions"),
    ]
    return Reply((*phrases, Phrase("help_person")), choices=tuple(choices))


def _accounts(bank: CustomerBank | None) -> tuple[Account, ...]:
    """For help only: a bank that is down, or not opted into, must not keep help from being given."""
    if bank is None:
        return ()
    try:
        return bank.accounts(Purpose.BALANCES).value
    except BankingError:
        return ()


def did_you_mean(ranking: Sequence[str], misses: int) -> Reply:
    """Not understood: the two likeliest questions; from the second miss in a row, a person first.

    ``ranking`` holds intents, likeliest first; ``misses`` counts this one.
    """
    likeliest = [intent for intent in ranking if intent in OFFERABLE][:2]
    choices = tuple(Choice(f"meant_{intent}") for intent in likeliest)
    person = Choice("meant_talk_to_person")
    if misses >= MISSES_BEFORE_PERSON:
        rest = tuple(choice for choice in choices if choice != person)
        return Reply((Phrase("not_understood_again"),), choices=(person, *rest), expects_answer=True)
    if not choices:
        return Reply((Phrase("not_understood"),), choices=(Choice("help"), person), expects_answer=True)
    return Reply((Phrase("did_you_mean"),), choices=choices, expects_answer=True)


def handed_over(reference: str, *, dispute: bool) -> Reply:
    """A person will take it; ``reference`` is short enough to say."""
    return Reply((Phrase("handed_over_dispute" if dispute else "handed_over", {"reference": Spelled(reference)}),))
