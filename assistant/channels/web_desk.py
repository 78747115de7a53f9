"""What the web page may ask of the server, one method each. Synchronous: it waits for the database, so it runs in a
thread. Who asks is the session and nothing else; no request names a customer or a conversation.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Mapping
from typing import Any

from assistant.banking import clock
from assistant.banking.connector import CustomerProfile
from assistant.channels.event import Event, Kind
from assistant.channels.web_http import Call, Refused, Result
from assistant.channels.web_streams import view
from assistant.channels.web_words import WebWords
from assistant.customers.identity import Customer
from assistant.customers.one_time import LinkKind, OneTimeLinks, OneTimeRefused
from assistant.customers.service import Customers
from assistant.customers.step_up import Result as Tried
from assistant.customers.transcript import Transcript
from assistant.customers.web_sessions import CHANNEL, Ticket, TicketRefused, Tickets, WebSession, WebSessions

logger = logging.getLogger(__name__)

#: Characters of the longest message. What is too long to be a question is answered in words (actions.base).
LONGEST = 4000
#: Of what was said before, this much is shown after a reload.
HISTORY = 60
#: In development anybody may come in as one of the sandbox's customers, or as somebody new.
DEMO_WAYS = ("maya", "jordan", "rivera", "alex")
GUEST = "guest"
#: Where answers go: to her page, wherever it is open. That there is an address says that we can write to her.
ADDRESS = {"page": CHANNEL}
_KEY = re.compile(r"[\w-]{8,64}", re.ASCII)
_LINK = re.compile(r"[\w-]{43}", re.ASCII)
_RTL = frozenset({"ar", "fa", "he", "ur", "yi", "ps", "sd", "ug", "dv"})


class WebDesk:
    def __init__(self, customers: Customers, words: WebWords, tickets: Tickets | None, *, voice: bool = False) -> None:
        self._customers = customers
        self._words = words
        self._tickets = tickets
        self._voice = voice
        self._settings = customers.settings
        self.sessions: WebSessions = customers.web_sessions
        self.transcript: Transcript = customers.transcript
        self._one_time = OneTimeLinks(customers.storage.database)

    # Coming in

    def session(self, secret: str) -> WebSession:
        """Raises Refused when there is none, any more."""
        session = self.sessions.find(secret)
        if session is None:
            raise Refused(401, self.sessions.why_over(secret))
        return session

    def start(self, call: Call) -> Result:
        """The session of this browser, or a new one, with everything that its page needs to begin."""
        asked = call.json()
        ticket = asked.get("ticket")
        session = None if ticket else self.sessions.find(call.secret)
        secret = ""
        if session is None:
            try:
                secret, session = self._let_in(asked, str(ticket or ""))
            except TicketRefused as refused:
                logger.warning("A sign-in by the bank's token was refused: %s", refused.why)
                raise Refused(401, "ticket") from None
            if session is None:
                return Result.of({**self._frame(self._newcomer()), "door": self._words.door(self._ways())})
            if call.secret and (before := self.sessions.find(call.secret)):
                self.sessions.end(before)  # on a shared computer the one before her must not stay signed in
        shown = self.transcript.last(session.conversation_id, HISTORY)
        customer = self.customer(session)
        profile = customer.profile if customer else self._newcomer()
        what = {
            **self._frame(profile),
            "history": [view(one) for one in shown],
            "last": shown[-1].seq if shown else 0,
            "welcome": self._words.welcome(profile, linked=customer is not None),
        }
        if asked.get("bearer") and secret:
            return Result.of({**what, "bearer": secret})
        return Result.of(what, secret=secret or None)

    def sign_out(self, session: WebSession) -> Result:
        """What a guest said who never became a customer can be read by nobody any more, so it goes at once."""
        self.sessions.end(session)
        if session.guest and self.customer(session) is None:
            self._customers.erasure.erase_conversation(session.conversation_id)
        return Result(secret="")

    # Saying

    def message(self, session: WebSession, call: Call) -> Event:
        """What she said, as an event that counts once however often it is sent. Raises Refused."""
        asked = call.json()
        key, text, press = asked.get("key"), asked.get("text", ""), asked.get("press", "")
        if not (isinstance(key, str) and _KEY.fullmatch(key)):
            raise Refused(400, "key")
        if not isinstance(text, str) or not isinstance(press, str) or not (text.strip() or press):
            raise Refused(400, "text")
        if len(text) > LONGEST or len(press) > LONGEST:
            raise Refused(413, "text")
        self.sessions.used(session)
        extra = {"key": key, "aloud": bool(asked.get("spoken"))}
        kind = Kind.CHOICE if press else Kind.TEXT
        # Ids of events are those of the whole channel: with the person in it nobody can use up another's.
        return Event(
            session.person, f"{session.person}:{key}", kind, press or text.strip(), text.strip(), ADDRESS, extra
        )

    def code(self, session: WebSession, call: Call) -> tuple[Result, Event | None]:
        """The step-up code, given in the page. It goes no further than this; when it is right, what waited for it in
        the conversation goes on (unless it was asked for outside of it: ``quiet``). Raises Refused."""
        asked = call.json()
        link, digits = asked.get("link"), asked.get("code")
        if not (isinstance(link, str) and _LINK.fullmatch(link) and isinstance(digits, str)):
            raise Refused(400, "code")
        self.sessions.used(session)
        try:
            open_link = self._one_time.look(link, LinkKind.ENTER_CODE)
        except OneTimeRefused as refused:
            raise Refused(410, "code", self._words.text(f"page_once_{refused.reason.value}")) from None
        if open_link.customer.conversation_id != session.conversation_id:
            raise Refused(410, "code", self._words.text("page_once_unknown"))
        tried = self._customers.step_up.answer(open_link.customer, digits)
        if tried.result is Tried.WRONG:
            return Result.of({"passed": False, "text": self._words.text("page_enter_wrong")}), None
        if tried.result is not Tried.PASSED:
            raise Refused(410, "code", self._words.text("page_enter_locked"))
        self._one_time.claim(link, LinkKind.ENTER_CODE)
        if asked.get("quiet") is True:
            return Result.of({"passed": True}), None
        returned = Event(session.person, f"{session.person}:{secrets.token_hex(16)}", Kind.RETURNED, address=ADDRESS)
        return Result.of({"passed": True}), returned

    # Parts

    def _let_in(self, asked: Mapping[str, Any], ticket: str) -> tuple[str, WebSession | None]:
        """By the bank's token, as a guest, or in development as one of the sandbox's customers; no session for whoever
        has yet to say who she is. Raises TicketRefused."""
        if ticket:
            if self._tickets is None:
                raise TicketRefused("no_keys")
            return self.sessions.begin(self._tickets.read(ticket))
        ways, way = self._ways(), asked.get("way")
        if ways == (GUEST,) or (way == GUEST and GUEST in ways):
            return self.sessions.begin()
        if way in ways:
            return self.sessions.begin(Ticket(f"demo {way}", secrets.token_hex(32)))
        return "", None

    def _ways(self) -> tuple[str, ...]:
        demo = () if self._settings.production else DEMO_WAYS
        return (*demo, GUEST) if self._settings.web_guests else demo

    def _newcomer(self) -> CustomerProfile:
        return CustomerProfile(self._settings.time_zone, self._settings.locale)

    def _frame(self, profile: CustomerProfile) -> dict[str, Any]:
        language = profile.locale.replace("_", "-")
        return {
            "words": self._words.all(),
            "language": language,
            "direction": "rtl" if language.split("-")[0] in _RTL else "ltr",
            "time_zone": profile.time_zone,
            "today": clock.today(profile.time_zone).isoformat(),
            "longest": LONGEST,
            "voice": self._voice,
        }

    def customer(self, session: WebSession) -> Customer | None:
        return self._customers.identities.resolve(CHANNEL, session.conversation_id)
