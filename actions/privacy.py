"""Privacy in words: what is held, who sees it, switching purposes, connecting and disconnecting, export, erasure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from actions.base import Answer, TurnAction, ask
from actions.services import services
from actions.turn import Turn, Waiting, WaitingFor
from assistant.banking import clock
from assistant.banking.errors import NotLinked
from assistant.banking.purpose import Purpose
from assistant.channels.addresses import Page, page_url
from assistant.customers.consent import RENEWAL_NOTICE
from assistant.customers.demo import BANK_ID as DEMO_BANK
from assistant.customers.identity import Customer
from assistant.customers.one_time import EXPORT, LinkKind, OneTimeLinks
from assistant.customers.step_up import Result
from assistant.skills import privacy
from assistant.skills.choose import bank_title
from assistant.skills.conversation import says
from assistant.skills.focus import Focus, Topic

#: What linking asks for, unless something else was being talked about.
LINK_PURPOSES = (Purpose.BALANCES, Purpose.TRANSACTIONS, Purpose.INSIGHTS)


class ActionPrivacy(TurnAction):
    action = "action_privacy"

    def answer(self, turn: Turn) -> Answer:
        return _ANSWERS[turn.intent](turn)


def data_held(turn: Turn) -> Answer:
    customer = turn.customer
    if customer is None:
        return nothing_held()
    rooms = services().customers
    held = rooms.export.held(customer)
    since = held.since.astimezone(ZoneInfo(customer.profile.time_zone)).date()
    names = [bank_name(bank_id) for bank_id in held.bank_ids]
    copies = [bank_name(bank_id) for bank_id in held.bank_data_of]
    settings = rooms.settings
    return Answer(
        privacy.held(
            since,
            names,
            held.purposes,
            held.messages,
            copies,
            days=settings.conversation_days,
            hours=settings.cache_hours,
        )
    )


def ending_consents(turn: Turn) -> dict[str, date]:
    """The banks at which a consent of this channel ends within the notice, and the first day one does."""
    customer = turn.customer
    if customer is None:
        return {}
    ending: dict[str, date] = {}
    for consent in services().customers.consents.in_force(customer.id):
        if consent.channel == turn.channel and consent.expires_at <= clock.now() + RENEWAL_NOTICE:
            day = consent.expires_at.astimezone(ZoneInfo(customer.profile.time_zone)).date()
            name = bank_name(consent.bank_id)
            ending[name] = min(day, ending.get(name, day))
    return ending


def nothing_held() -> Answer:
    return Answer(privacy.held_nothing(services().settings.conversation_days))


def stop_using(turn: Turn) -> Answer:
    customer = turn.customer
    if customer is None:
        return nothing_held()
    rooms = services().customers
    live = tuple(dict.fromkeys(consent.purpose for consent in rooms.consents.in_force(customer.id)))
    purpose = named_purpose(turn)
    if purpose is None:
        return Answer(privacy.which_purpose(live))
    banks = [bank_id for bank_id in linked(customer) if _named(turn, bank_id)]
    ended = [bank_id for bank_id in banks if rooms.withdraw(customer, [purpose], bank_id=bank_id)]
    return Answer(privacy.stopped(purpose, [bank_name(bank_id) for bank_id in ended]))


def allow(turn: Turn) -> Answer:
    customer = turn.customer
    if customer is None:
        return link(turn)
    rooms = services().customers
    purpose = named_purpose(turn)
    if purpose is None:
        live = {consent.purpose for consent in rooms.consents.in_force(customer.id)}
        off = [one for one in LINK_PURPOSES if one not in live]
        only = Waiting(WaitingFor.CONSENT, purpose=off[0]) if len(off) == 1 else Waiting()
        return Answer(privacy.which_purpose_on(off), waiting=only)
    for bank_id in linked(customer):
        if _named(turn, bank_id):
            rooms.consents.grant(customer.id, bank_id, turn.channel, [purpose])
    return Answer(privacy.allowed(purpose))


def link(turn: Turn) -> Answer:
    rooms = services().customers
    ready = {bank_id: bank.name for bank_id, bank in rooms.profiles.items() if not bank.missing()}
    chosen = _which(turn.heard.bank, ready)
    if chosen is None and not turn.heard.bank and not rooms.settings.production and DEMO_BANK in ready:
        chosen = DEMO_BANK
    if chosen is None:
        return Answer(privacy.which_bank(list(ready.values()), "which_bank_link"))
    question = turn.focus if turn.focus.topic is not Topic.NONE else Focus()
    invitation = rooms.linking.begin(
        turn.channel, turn.conversation, chosen, LINK_PURPOSES, json.dumps(question.to_slot())
    )
    url = page_url(rooms.settings, invitation.token)
    return Answer(privacy.link_here(ready[chosen], url), waiting=Waiting(WaitingFor.LINK, question))


def after_linking(turn: Turn) -> Answer | None:
    """The question that waited for the bank, answered now; None when it is not connected (yet) or nothing waited."""
    if turn.customer is None:
        return None
    waited = services().customers.linking.take_waiting(turn.channel, turn.conversation)
    question = Focus.from_slot(json.loads(waited) if waited else None)
    if question.topic is Topic.NONE:
        return Answer(says("linked", "meant_ask_balance", "help")) if waited else None
    return ask(question, turn.bank, turn)


def unlink(turn: Turn) -> Answer:
    customer = turn.customer
    if customer is None:
        return nothing_held()
    mine = {bank_id: bank_name(bank_id) for bank_id in linked(customer)}
    if not mine:
        return nothing_held()
    chosen = _which(turn.heard.bank, mine)
    if chosen is None and turn.heard.bank and not any(_named(turn, bank_id) for bank_id in mine):
        return Answer(privacy.not_connected(bank_title(turn.heard.bank), list(mine.values())))
    if chosen is None:
        return Answer(privacy.which_bank(list(mine.values()), "which_bank_unlink"))
    return Answer(privacy.confirm_unlink(mine[chosen]), waiting=Waiting(WaitingFor.UNLINK, bank_id=chosen))


def unlink_confirmed(turn: Turn) -> Answer:
    customer, bank_id = turn.customer, turn.waiting.bank_id
    if customer is None or bank_id not in linked(customer):
        raise NotLinked("nothing to disconnect", bank_id=bank_id)
    told = services().customers.linking.unlink(customer, bank_id)
    return Answer(privacy.unlinked(bank_name(bank_id), told=told), Focus())


def export(turn: Turn) -> Answer:
    return _stepped_up(turn, "export")


def erase(turn: Turn) -> Answer:
    if turn.customer is None:
        services().customers.erasure.erase_conversation(turn.conversation)
        return Answer(privacy.erased(()), Focus())
    return _stepped_up(turn, "erase")


def go_on(turn: Turn) -> Answer:
    """After "done" or "yes" to a code that was to be given on its page."""
    return _stepped_up(turn, turn.waiting.then)


def after_code(turn: Turn) -> Answer | None:
    """What the code was asked for, if it has been given; None when not."""
    customer = turn.customer
    if customer is None or not services().customers.step_up.has_passed(customer):
        return None
    return go_on(turn)


def _stepped_up(turn: Turn, action: str) -> Answer:
    """Do what needs the code if it was given in this conversation, else send to the page where it is given."""
    customer = turn.customer
    if customer is None or action not in _STEPPED_UP:
        return nothing_held()
    rooms = services().customers
    if rooms.step_up.begin(customer, action) is None:
        return _STEPPED_UP[action](turn, customer)
    state = rooms.step_up.state(customer.id)
    waiting = Waiting(WaitingFor.CODE, then=action)
    if state is Result.LOCKED:
        return Answer(says("code_locked", "meant_talk_to_person"))
    if state is Result.NOT_SET:
        return _choose_a_code(turn, customer, waiting)
    token = one_time().issue(customer.id, LinkKind.ENTER_CODE, conversation=customer)
    return Answer(privacy.code_needed(page_url(rooms.settings, token, Page.ENTER)), waiting=waiting)


def _choose_a_code(turn: Turn, customer: Customer, waiting: Waiting) -> Answer:
    """A first code is chosen after signing in at the bank, where the page offers it. A link from here straight to
    the choice would let whoever picks up the phone choose one."""
    banks = linked(customer)
    if not banks:
        return Answer(says("code_needs_bank", "link", "meant_talk_to_person"))
    rooms = services().customers
    live = [
        consent.purpose
        for consent in rooms.consents.in_force(customer.id)
        if consent.bank_id == banks[0] and consent.channel == turn.channel
    ]
    invitation = rooms.linking.begin(turn.channel, turn.conversation, banks[0], live)
    reply = privacy.code_not_set(bank_name(banks[0]), page_url(rooms.settings, invitation.token))
    return Answer(reply, waiting=waiting)


def _export_now(turn: Turn, customer: Customer) -> Answer:
    rooms = services().customers
    token = one_time().issue(customer.id, *EXPORT)
    return Answer(privacy.export_here(page_url(rooms.settings, token, Page.EXPORT)))


def _confirm_erase(turn: Turn, customer: Customer) -> Answer:
    return Answer(privacy.confirm_erase(), waiting=Waiting(WaitingFor.ERASE))


def erase_confirmed(turn: Turn) -> Answer:
    """A yes in words is not enough: the code must have been given in this conversation, and not long ago."""
    customer = turn.customer
    rooms = services().customers
    if customer is None or not rooms.step_up.has_passed(customer):
        return erase(turn)
    receipt = rooms.erasure.erase(customer)
    return Answer(privacy.erased([bank_name(bank_id) for bank_id in receipt.banks_not_told]), Focus())


def one_time() -> OneTimeLinks:
    return OneTimeLinks(services().customers.storage.database)


def bank_name(bank_id: str) -> str:
    profile = services().customers.profiles.get(bank_id)
    return profile.name if profile else bank_id


def linked(customer: Customer) -> tuple[str, ...]:
    return tuple(one.bank_id for one in services().customers.vault.links(customer.id))


def named_purpose(turn: Turn) -> Purpose | None:
    try:
        return Purpose(turn.heard.purpose)
    except ValueError:
        return None


def _named(turn: Turn, bank_id: str) -> bool:
    """Whether what is asked is about this bank: about all of them when none was named."""
    return not turn.heard.bank or _which(turn.heard.bank, {bank_id: bank_name(bank_id)}) is not None


def _which(said: str, names: Mapping[str, str]) -> str | None:
    """The bank that was named, spelled a little wrong perhaps; the only one when none was named."""
    if not said:
        return next(iter(names)) if len(names) == 1 else None
    folded = {name.casefold(): bank_id for bank_id, name in names.items()}
    for name, bank_id in folded.items():
        if said.casefold() in name or name in said.casefold():
            return bank_id
    close = get_close_matches(said.casefold(), folded, n=1, cutoff=0.75)
    return folded[close[0]] if close else None


_STEPPED_UP: dict[str, Callable[[Turn, Customer], Answer]] = {"export": _export_now, "erase": _confirm_erase}

_ANSWERS: dict[str, Callable[[Turn], Answer]] = {
    "ask_data_held": data_held,
    "ask_data_access": lambda turn: Answer(says("data_access", "data_held", "data_sold")),
    "ask_data_sold": lambda turn: Answer(says("data_sold", "data_held", "erase_data")),
    "stop_using_data": stop_using,
    "allow_data": allow,
    "link_bank": link,
    "disconnect_bank": unlink,
    "export_data": export,
    "erase_data": erase,
}
