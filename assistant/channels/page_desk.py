"""What each hosted page does. Synchronous: it waits for banks and the database, so it runs in a thread.

Nothing is done on a GET, save taking the bank's answer: messengers fetch links to preview them.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from math import ceil
from urllib.parse import parse_qs, urlsplit

from assistant.banking import clock
from assistant.banking.errors import BankUnavailable
from assistant.banking.purpose import Purpose
from assistant.channels.addresses import ONWARD, Page
from assistant.channels.event import Event, Kind
from assistant.channels.messenger_linking import CHANNEL as MESSENGER
from assistant.channels.messenger_linking import asked_back, back_address, with_code
from assistant.channels.page_exchange import (
    Answer,
    Ask,
    back,
    back_cookie,
    is_proven,
    mark_cookie,
    marks,
    new_proof,
)
from assistant.channels.page_words import Words
from assistant.customers.identity import Customer
from assistant.customers.link_browser import left_from_here, mark
from assistant.customers.linking import Linked
from assistant.customers.oauth_link import LinkRefused, Reason
from assistant.customers.one_time import EXPORT, LinkKind, OneTimeLinks, OneTimeReason, OneTimeRefused
from assistant.customers.service import Customers
from assistant.customers.step_up import MAX_DIGITS, MIN_DIGITS, Result, WeakCode
from assistant.replies.reply import Term, Value

logger = logging.getLogger(__name__)

_TOKEN = re.compile(r"[\w-]{43}", re.ASCII)
_CODE_KINDS = (LinkKind.NEW_CODE, LinkKind.FIRST_CODE)
_GONE, _UNAVAILABLE = 410, 503
_STATUS: Mapping[Reason, int] = {
    Reason.UNKNOWN: 404,
    Reason.EXPIRED: _GONE,
    Reason.USED: _GONE,
    Reason.DECLINED: 200,
    Reason.MISMATCH: 400,
    Reason.BANK: 502,
}


class PageDesk:
    def __init__(self, customers: Customers, words: Words) -> None:
        self._customers = customers
        self._words = words
        self._one_time = OneTimeLinks(customers.storage.database)

    def answer(self, ask: Ask) -> Answer:
        """Raises only what nobody expects."""
        try:
            return self._route(ask)
        except LinkRefused as refused:
            logger.info("Linking at bank %s ended: %s %s", refused.bank_id, refused.reason.value, refused.code)
            return self._link_refused(ask, refused)
        except OneTimeRefused as refused:
            status = 404 if refused.reason is OneTimeReason.UNKNOWN else _GONE
            return self._message(status, f"page_once_{refused.reason.value}")
        except BankUnavailable as error:
            logger.warning("Bank %s could not be reached from a page: %s", error.bank_id, error.code)
            # Before the bank the attempt is still good; after it the bank's code is spent.
            key = "page_bank_down_after" if ask.path == ("callback",) else "page_bank_down"
            return self._message(_UNAVAILABLE, key, bank=self._bank_name(error.bank_id))

    def trouble(self, status: int, key: str) -> Answer:
        """A page that says only what ``key`` says."""
        return self._message(status, key)

    def _route(self, ask: Ask) -> Answer:
        if ask.path == ("pages.css",):
            return Answer(200, self._words.stylesheet, "text/css; charset=utf-8", cacheable=True)
        if ask.path == ("callback",):
            return self._callback(ask) if ask.method == "GET" else self._nothing()
        *kind, token = ask.path or ("",)
        if not _TOKEN.fullmatch(token):
            return self._nothing()
        page = {
            (): self._link,
            (Page.CODE.value,): self._code,
            (Page.ENTER.value,): self._enter,
            (Page.EXPORT.value,): self._export,
        }.get(tuple(kind))
        if page is None:
            return self._nothing()
        if ask.method == "POST" and not is_proven(ask):
            return self._message(403, "page_stale")
        return page(ask, token)

    # Linking

    def _link(self, ask: Ask, token: str) -> Answer:
        linking = self._customers.linking
        page = linking.page(token)
        authorize_url = self._customers.profiles[page.bank_id].oauth.authorize_url
        if ask.method == "POST":
            cookies = [mark_cookie(mark(token))]
            if address := asked_back(ask.query):
                cookies.append(back_cookie(mark(token), address))
            return Answer(303, location=linking.authorize(token), cookies=tuple(cookies))
        proof, cookie = new_proof(ask)
        asked = f"page_link_asked_{page.channel}"
        body = self._words.page(
            "link.html",
            proof=proof,
            bank=page.bank_name,
            asked=asked if self._words.has(asked) else "page_link_asked",
            purposes=[purpose.value for purpose in page.purposes],
            moves_money=Purpose.PAYMENTS in page.purposes,
            minutes=_minutes(page.expires_at - clock.now()),
        )
        return Answer(200, body, cookies=(cookie,), leaves=_origin(authorize_url))

    def _callback(self, ask: Ask) -> Answer:
        answered = {name: values[0] for name, values in parse_qs(ask.query, keep_blank_values=True).items()}
        database = self._customers.storage.database
        if not left_from_here(database, answered.get("state", ""), marks(ask)):
            logger.warning("The answer of a bank came back in another browser than it left from")
            return self._message(400, "page_other_browser")
        linked = self._customers.linking.complete(f"?{ask.query}")
        self._returned(linked.customer)
        code_token = ""
        if self._customers.step_up.state(linked.customer.id) is Result.NOT_SET:
            # She has just signed in at her bank: a better moment than any to choose a code.
            code_token = self._one_time.issue(linked.customer.id, LinkKind.FIRST_CODE, conversation=linked.customer)
        body = self._words.page(
            "linked.html",
            bank=self._customers.profiles[linked.bank_id].name,
            waiting=bool(linked.waiting),
            code_token=code_token,
            back=self._way_back(ask, linked),
            onward=ONWARD.get(linked.customer.channel, ""),
        )
        return Answer(200, body)

    def _way_back(self, ask: Ask, linked: Linked) -> str:
        """Messenger's apps wait to be told; "" for everybody else."""
        address = back_address(back(ask))
        if not address or linked.customer.channel != MESSENGER:
            return ""
        return with_code(address, self._customers, linked.customer, linked.bank_id)

    def _link_refused(self, ask: Ask, refused: LinkRefused) -> Answer:
        if refused.reason is Reason.UNKNOWN and ask.path != ("callback",):
            return self._nothing()
        key = f"page_link_{refused.reason.value}"
        return self._message(_STATUS[refused.reason], key, bank=self._bank_name(refused.bank_id))

    def _bank_name(self, bank_id: str) -> Value:
        profile = self._customers.profiles.get(bank_id)
        return profile.name if profile else Term("word", "your_bank")

    # The step-up code

    def _code(self, ask: Ask, token: str) -> Answer:
        link = self._one_time.look(token, *_CODE_KINDS)
        kind = link.kinds[0]
        if kind is LinkKind.FIRST_CODE and self._customers.step_up.state(link.customer.id) is not Result.NOT_SET:
            return self._message(_GONE, "page_code_is_set")
        if ask.method == "GET":
            return self._code_form(ask, link.left)
        form = ask.form or {}
        problem = _code_problem(form.get("code", ""), form.get("again", ""))
        if not problem:
            customer = self._one_time.claim(token, kind)
            try:
                self._customers.step_up.set_code(customer.id, form["code"])
            except WeakCode:
                self._one_time.give_back(token, kind)
                problem = "page_code_guessable"
            else:
                if kind is LinkKind.FIRST_CODE and customer.channel in ONWARD:
                    return Answer(303, location=ONWARD[customer.channel])
                return self._message(200, "page_code_done")
        return self._code_form(ask, link.left, problem)

    def _code_form(self, ask: Ask, left: timedelta, problem: str = "") -> Answer:
        proof, cookie = new_proof(ask)
        body = self._words.page(
            "code.html", proof=proof, problem=problem, low=MIN_DIGITS, high=MAX_DIGITS, minutes=_minutes(left)
        )
        return Answer(422 if problem else 200, body, cookies=(cookie,))

    def _enter(self, ask: Ask, token: str) -> Answer:
        """The code is given here, so that it is never a message. A wrong one may be tried again by the same link."""
        link = self._one_time.look(token, LinkKind.ENTER_CODE)
        problem = ""
        if ask.method == "POST":
            answered = self._customers.step_up.answer(link.customer, (ask.form or {}).get("code", ""))
            if answered.result is Result.PASSED:
                self._one_time.claim(token, LinkKind.ENTER_CODE)
                self._returned(link.customer)
                return self._message(200, "page_enter_done")
            if answered.result is not Result.WRONG:
                return self._message(_GONE, "page_enter_locked")
            problem = "page_enter_wrong"
        proof, cookie = new_proof(ask)
        body = self._words.page("enter.html", proof=proof, problem=problem, minutes=_minutes(link.left))
        return Answer(422 if problem else 200, body, cookies=(cookie,))

    def _returned(self, customer: Customer) -> None:
        """Where we can write to her, the conversation goes on by itself; elsewhere she says that she is back."""
        inbox = self._customers.inbox
        if inbox.correspondent(customer.channel, customer.conversation_id).address:
            body = Event("", "", Kind.RETURNED).body()
            once = secrets.token_hex(16)
            inbox.take("", [inbox.letter_to(customer.channel, customer.conversation_id, once, body)])

    # Export

    def _export(self, ask: Ask, token: str) -> Answer:
        if ask.method == "POST":
            return self._download(token, (ask.form or {}).get("file", ""))
        link = self._one_time.look(token, *EXPORT)
        proof, cookie = new_proof(ask)
        files = [kind.value for kind in link.kinds]
        body = self._words.page(
            "export.html", link.customer.profile, proof=proof, files=files, minutes=_minutes(link.left)
        )
        return Answer(200, body, cookies=(cookie,))

    def _download(self, token: str, wanted: str) -> Answer:
        kind = next((kind for kind in EXPORT if kind.value == wanted), None)
        if kind is None:
            return self._nothing()
        customer = self._one_time.claim(token, kind)
        try:
            held = self._customers.export.everything(customer)
            name = f"tellerline-{clock.today(customer.profile.time_zone).isoformat()}"
            if kind is LinkKind.EXPORT_DATA:
                data = json.dumps(held, indent=2, ensure_ascii=False, default=str).encode()
                return Answer(200, data, "application/json", file_name=f"{name}.json")
            return Answer(200, self._words.export_file(held, customer.profile), file_name=f"{name}.html")
        except LookupError:
            raise OneTimeRefused(OneTimeReason.UNKNOWN) from None  # erased meanwhile
        except BaseException:
            self._one_time.give_back(token, kind)
            raise

    # Plain pages

    def _nothing(self) -> Answer:
        return self._message(404, "page_nothing")

    def _message(self, status: int, key: str, **values: Value) -> Answer:
        """A heading (``<key>_title``) and what to do (``<key>``)."""
        return Answer(status, self._words.page("message.html", key=key, values=values))


def _code_problem(code: str, again: str) -> str:
    """The wording that says what is wrong with what was typed, as far as it can be told before trying."""
    digits = code.replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdigit()):
        return "page_code_only_digits"
    if not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
        return "page_code_length"
    return "" if code == again else "page_code_differs"


def _minutes(left: timedelta) -> int:
    return max(1, ceil(left / timedelta(minutes=1)))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
