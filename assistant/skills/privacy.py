"""What is held, who sees it, and how to change it: told in words. Decides nothing; the customer's rooms do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from assistant.banking.purpose import Purpose
from assistant.replies.reply import Choice, Link, Listed, Literal, Phrase, Reply, Term, Value


def purposes_listed(purposes: Sequence[Purpose]) -> Listed:
    """As customers call them, in the order of the closed list."""
    ordered = [purpose for purpose in Purpose if purpose in purposes]
    return Listed(tuple(Term("purpose", purpose.value) for purpose in ordered))


def banks_listed(names: Sequence[str], conjunction: str = "and") -> Listed:
    return Listed(tuple(Literal(name) for name in names), conjunction)


def held(
    since: date,
    banks: Sequence[str],
    purposes: Sequence[Purpose],
    messages: int,
    copies: Sequence[str],
    *,
    days: int,
    hours: int,
) -> Reply:
    """ "What do you know about me?": every kind of thing that is held.

    ``copies``: banks whose last answers are kept, for ``hours``; messages are kept for ``days``.
    """
    say = [Phrase("held_since", {"day": since})]
    if banks:
        say.append(Phrase("held_banks", {"banks": banks_listed(banks)}))
    if purposes:
        say.append(Phrase("held_purposes", {"purposes": purposes_listed(purposes)}))
    else:
        say.append(Phrase("held_no_purposes"))
    say.append(Phrase("held_messages", {"count": messages, "days": days}))
    if copies:
        say.append(Phrase("held_copies", {"banks": banks_listed(copies), "hours": hours}))
    return Reply(tuple(say), choices=(Choice("data_sold"), Choice("export_data"), Choice("erase_data")))


def held_nothing(days: int) -> Reply:
    """For somebody who has linked no bank; messages are kept for ``days``."""
    return Reply((Phrase("held_nothing", {"days": days}),), choices=(Choice("data_sold"), Choice("link")))


def which_purpose(live: Sequence[Purpose]) -> Reply:
    """ "Stop using my data", without saying for what."""
    if not live:
        return Reply((Phrase("nothing_switched_on"),), choices=(Choice("erase_data"),))
    return Reply(
        (Phrase("which_purpose", {"purposes": purposes_listed(live)}),),
        choices=tuple(Choice(f"stop_{purpose.value}") for purpose in Purpose if purpose in live),
        expects_answer=True,
    )


def which_purpose_on(off: Sequence[Purpose]) -> Reply:
    """ "Switch it back on", without saying what."""
    if not off:
        return Reply((Phrase("everything_switched_on"),))
    return Reply(
        (Phrase("which_purpose_on", {"purposes": purposes_listed(off), "count": len(off)}),),
        choices=tuple(Choice(f"allow_{purpose.value}") for purpose in Purpose if purpose in off),
        expects_answer=True,
    )


def stopped(purpose: Purpose, banks: Sequence[str]) -> Reply:
    """It is off from this moment, in every process. ``banks`` empty: it was off already."""
    values: dict[str, Value] = {"purpose": Term("purpose", purpose.value), "banks": banks_listed(banks)}
    if not banks:
        return Reply((Phrase("purpose_was_off", values),))
    return Reply((Phrase("purpose_off", values),), choices=(Choice(f"allow_{purpose.value}"), Choice("data_held")))


def allowed(purpose: Purpose) -> Reply:
    return Reply((Phrase(f"consent_given_{purpose.value}"),), choices=(Choice("data_held"),))


def which_bank(names: Sequence[str], key: str) -> Reply:
    """Several banks fit, or none was named. ``key`` is the wording's: "which_bank_link", "which_bank_unlink"."""
    return Reply((Phrase(key, {"banks": banks_listed(names, "or")}),), expects_answer=True)


def not_connected(name: str, banks: Sequence[str]) -> Reply:
    """She wants to disconnect a bank that is not connected; ``banks`` are."""
    return Reply((Phrase("not_connected_bank", {"bank": Literal(name), "banks": banks_listed(banks)}),))


def link_here(bank: str, url: str) -> Reply:
    """``url`` works once and for a short time; it names nobody."""
    say = (Phrase("link_here", {"bank": Literal(bank)}),)
    return Reply(say, choices=(Choice("linked_done"),), link=Link("connect", url))


def confirm_unlink(bank: str) -> Reply:
    values: dict[str, Value] = {"bank": Literal(bank)}
    return Reply((Phrase("confirm_unlink", values),), choices=(Choice("yes"), Choice("no_thanks")), expects_answer=True)


def unlinked(bank: str, *, told: bool) -> Reply:
    """``told``: whether the bank has confirmed that it ended its side; if not, it is told again until it does."""
    key = "unlinked" if told else "unlinked_bank_not_told"
    return Reply((Phrase(key, {"bank": Literal(bank)}),), choices=(Choice("erase_data"), Choice("link")))


def confirm_erase() -> Reply:
    return Reply((Phrase("confirm_erase"),), choices=(Choice("yes"), Choice("no_thanks")), expects_answer=True)


def erased(not_told: Sequence[str]) -> Reply:
    say = [Phrase("erased")]
    if not_told:
        say.append(Phrase("erased_bank_not_told", {"banks": banks_listed(not_told)}))
    return Reply(tuple(say))


def code_needed(url: str) -> Reply:
    """The code is typed on our own page, so that it never becomes a message."""
    choices = (Choice("code_done"),)
    return Reply((Phrase("code_needed"),), choices=choices, expects_answer=True, link=Link("enter_code", url))


def code_not_set(bank: str, url: str) -> Reply:
    """``url`` leads to the bank's sign-in, and from there to choosing a code."""
    return Reply(
        (Phrase("code_not_set", {"bank": Literal(bank)}),),
        choices=(Choice("code_done"),),
        expects_answer=True,
        link=Link("connect", url),
    )


def export_here(url: str) -> Reply:
    return Reply((Phrase("export_here"),), link=Link("export", url))
