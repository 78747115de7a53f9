"""What is not quite spending: fees, income, and payments of the customer's own cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.banking.money import Money
from assistant.banking.transaction import Transaction
from assistant.replies.reply import Bar, Chart, Choice, Column, Listed, Literal, Phrase, Reply, Table, Value
from assistant.skills.flows import is_income, spent, spent_by
from assistant.skills.matching import name_of
from assistant.skills.spending_question import Question

_SOURCES = 6
_NAMED = 3


def fees(question: Question) -> Reply:
    """Fees, and interest on its own, net of what the bank gave back."""
    found = question.within(question.period)
    if question.focus.category == "interest":
        return _interest(question, found)
    fee_items = [one for one in found if one.category == "fees"]
    interest = spent(one for one in found if one.category != "fees")
    what = question.what()
    values: dict[str, Value] = {"period": question.period, **({"what": what} if what else {})}
    narrowed = "_of" if what else ""
    say = []
    if fee_items:
        amounts = Listed(tuple(spent(fee_items).values()))
        count = sum(one.is_outflow for one in fee_items)
        say.append(Phrase(f"fees_paid{narrowed}", {**values, "amounts": amounts, "count": count}))
    else:
        say.append(Phrase(f"fees_none{narrowed}", values))
    if interest:
        key = "fees_interest" if fee_items else "fees_only_interest"
        say.append(Phrase(key, {"amounts": Listed(tuple(interest.values()))}))
    if not found:
        return Reply((*say, *question.notes), choices=(Choice("where_money_goes"),))
    groups = spent_by(found, name_of)
    table = _table("merchant", groups)
    return Reply((*say, *question.notes), table, _chart("chart_fees", question, groups), (Choice("show_those"),))


def _interest(question: Question, found: Sequence[Transaction]) -> Reply:
    """ "How much interest did I pay": interest alone."""
    what = question.what()
    values: dict[str, Value] = {"period": question.period, **({"what": what} if what else {})}
    narrowed = "_of" if what else ""
    if not found:
        say = Phrase(f"interest_none{narrowed}", values)
        return Reply((say, *question.notes), choices=(Choice("meant_ask_fees"),))
    paid = Phrase(f"interest_paid{narrowed}", {**values, "amounts": Listed(tuple(spent(found).values()))})
    return Reply((paid, *question.notes), choices=(Choice("show_those"), Choice("meant_ask_fees")))


def _interest_earned(question: Question, found: Sequence[Transaction]) -> Reply:
    what = question.what()
    values: dict[str, Value] = {"period": question.period, **({"what": what} if what else {})}
    narrowed = "_of" if what else ""
    if not found:
        return Reply(
            (Phrase(f"interest_earned_none{narrowed}", values), *question.notes), choices=(Choice("income_this_month"),)
        )
    received = Listed(tuple(-amount for amount in spent(found).values()))
    say = Phrase(f"interest_earned{narrowed}", {**values, "amounts": received})
    return Reply((say, *question.notes), choices=(Choice("show_those"), Choice("income_this_month")))


def income(question: Question) -> Reply:
    """What came in, by whom it came from; refunds and moves between her own accounts are not income."""
    found = question.within(question.period)
    if question.focus.category == "interest":
        return _interest_earned(question, found)
    if not found:
        return Reply(
            (question.say("income_none"), *question.notes), choices=(Choice("payday"), Choice("income_last_month"))
        )
    received = {currency: -amount for currency, amount in spent(found).items()}
    first, *others = received.values()
    say = [question.say("income", amount=first)]
    if others:
        say.append(Phrase("income_other_currencies", {"amounts": Listed(tuple(others))}))
    groups = {
        currency: dict(sorted(((who, -amount) for who, amount in amounts.items()), key=lambda item: -item[1].amount))
        for currency, amounts in spent_by(found, name_of).items()
    }
    sources = list(next(iter(groups.values())).items())
    named = tuple(Phrase("income_share", {"label": Literal(who), "amount": amount}) for who, amount in sources[:_NAMED])
    if len(sources) == 1 and not question.focus.merchant:
        say.append(Phrase("income_all_from", {"label": Literal(sources[0][0])}))
    elif len(sources) > 1:
        say.append(Phrase("income_most", {"shares": Listed(named)}))
    if any(one.is_pending for one in found):
        say.append(Phrase("income_pending"))
    chart = _chart("chart_income", question, groups)
    return Reply((*say, *question.notes), _table("source", groups), chart, (Choice("payday"), Choice("show_those")))


def net(question: Question) -> Reply:
    """What came in against what was spent, in the main currency."""
    found = question.within(question.period)
    earned = -spent(one for one in found if is_income(one)).get(question.currency, Money.zero(question.currency))
    gone = spent(one for one in found if not is_income(one)).get(question.currency, Money.zero(question.currency))
    left = earned - gone
    values: dict[str, Value] = {"period": question.period, "earned": earned, "spent": gone, "left": abs(left)}
    say = Phrase("net_ahead" if left.amount >= 0 else "net_short", values)
    return Reply((say, *question.notes), choices=(Choice("where_money_goes"), Choice("pace")))


def card_payments(question: Question) -> Reply:
    """What was paid off cards: a move of her own money, so it is told apart from spending."""
    found = question.within(question.period)
    if not found:
        return Reply((question.say("card_payments_none"), *question.notes), choices=(Choice("card_due"),))
    amounts = Listed(tuple(spent(found).values()))
    say = (question.say("card_payments", amounts=amounts), Phrase("card_payments_why"), *question.notes)
    return Reply(say, choices=(Choice("card_due"), Choice("where_money_goes")))


def _table(first: str, groups: Mapping[str, Mapping[str, Money]]) -> Table:
    rows = tuple((Literal(name), amount) for amounts in groups.values() for name, amount in amounts.items())
    return Table((Column(first), Column("amount", align_right=True)), rows, f"row_{first}_amount")


def _chart(key: str, question: Question, groups: Mapping[str, Mapping[str, Money]]) -> Chart | None:
    amounts = list(next(iter(groups.values())).items())
    if len(amounts) < 2:
        return None
    bars = tuple(Bar(Literal(name), amount) for name, amount in amounts[:_SOURCES])
    return Chart(Phrase(key, {"period": question.period}), bars)
