"""Google's telephone and chat front ends, by the standard webhook of Dialogflow CX (docs/google.md).

https://cloud.google.com/dialogflow/cx/docs/reference/rest/v3/WebhookRequest, WebhookResponse. A session of the agent
is one conversation. A caller's number is never who she is.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sanic.response import HTTPResponse

from assistant.channels.aloud import parts, within
from assistant.channels.base import AnswersNow, Raw, Refused
from assistant.channels.event import Event, Kind
from assistant.channels.google_proof import IdTokens
from assistant.channels.office import Turned
from assistant.customers.inbox import Correspondent
from assistant.replies.said import Said
from assistant.settings import Settings

CHANNEL = "dialogflow"
#: Dialogflow waits 5 s by default, and asks once more with the same id.
DEADLINE = 3.5
#: Bytes of the largest response, and characters of speech in it.
MAX_RESPONSE, MAX_SPEECH = 64 * 1024, 6000
#: The tags of the webhook in the agent: any words, the end of a session.
TAG, TAG_END = "tellerline", "tellerline-end"
#: The header of the shared secret, for agents that can't send ID tokens.
SECRET_HEADER = "x-tellerline-webhook-secret"  # noqa: S105 - a header's name
#: What keys of a telephone mean where words are expected.
KEYS = {"0": "talk to a person", "1": "yes", "2": "no", "9": "more", "*": "repeat that"}
_MAX_TEXT = 4000
_SESSION_PARAMETER = "tellerline_waiting"
_GO_ON = frozenset({"go on", "continue", "yes", "more", "ok", "okay"})


class Dialogflow(AnswersNow):
    """In credentials.yml: ``assistant.channels.dialogflow.Dialogflow:`` with ``agent``, and ``audience`` with
    ``service_account``, or ``secret``, or all."""

    max_body = 256 * 1024
    deadline = DEADLINE

    def __init__(
        self, given: Mapping[str, Any], tokens: IdTokens | None = None, settings: Settings | None = None
    ) -> None:
        super().__init__(settings)
        self._agent = str(given["agent"]).rstrip("/")
        self._secret = str(given.get("secret") or "")
        self._tokens = tokens
        if tokens is None and given.get("audience"):
            self._tokens = IdTokens(str(given["audience"]), str(given["service_account"]))

    @classmethod
    def name(cls) -> str:
        return CHANNEL

    @classmethod
    def from_credentials(cls, credentials: Mapping[str, Any] | None) -> Dialogflow:
        given = credentials or {}
        proven = given.get("secret") or (given.get("audience") and given.get("service_account"))
        if not given.get("agent") or not proven:
            raise ValueError("credentials.yml: dialogflow needs agent, and secret or audience with service_account")
        return cls(given)

    # Coming in

    async def verify(self, raw: Raw) -> None:
        if raw.method != "POST":
            raise Refused(405, "Dialogflow posts")
        if self._secret:
            shown = raw.headers.get(SECRET_HEADER, "").encode(errors="replace")
            if not hmac.compare_digest(shown, self._secret.encode()):
                raise Refused(401, "the shared secret does not match")
        if self._tokens:
            await self._tokens.check(raw.headers.get("authorization", ""))

    def event(self, raw: Raw) -> Event:
        asked = _read(raw)
        info = asked.get("sessionInfo")
        session = _text(info, "session")
        if not session.startswith(f"{self._agent}/"):
            raise Refused(403, "a session of another agent")
        id_, words, digits = _text(asked, "detectIntentResponseId"), _words(asked), _text(asked, "dtmfDigits")
        if not id_:
            raise Refused(400, "no detectIntentResponseId")
        if _text(asked.get("fulfillmentInfo"), "tag") == TAG_END:
            return Event(session, id_, Kind.END)
        waiting = isinstance(info, Mapping) and _waits(info.get("parameters"))
        if digits:
            words = KEYS.get(digits[:1], "") if len(digits) == 1 else ""
            if not words:
                return Event(session, id_, Kind.DIGITS, digits)
        if waiting and (not words or words.lower().strip(" .") in _GO_ON):
            return Event(session, id_, Kind.SILENCE, extra={"waiting": True})
        if words:
            return Event(session, id_, Kind.TEXT, words)
        return Event(session, id_, Kind.LAUNCH if _text(asked, "triggerIntent") else Kind.SILENCE)

    async def special(self, event: Event, who: Correspondent) -> Sequence[Said] | None:
        if event.kind is Kind.DIGITS:
            return [self._say("voice_code_unasked")]
        if event.kind is Kind.SILENCE:
            return [] if event.extra.get("waiting") else [self._say("voice_not_heard")]
        return None

    # Going out

    def respond(self, turned: Turned, event: Event, raw: Raw) -> HTTPResponse:
        said = [*turned.late, *(turned.said or ())]
        waits = turned.said is None or (event.extra.get("waiting") is True and not said)
        if waits:
            said.append(self._say("voice_slow"))
        body = answer([] if event.kind is Kind.END else said, waits=waits, ends=event.kind is Kind.END)
        return HTTPResponse(body, content_type="application/json")

    def _say(self, key: str) -> Said:
        return self.office.words.say(key)


def answer(said: Sequence[Said], *, waits: bool = False, ends: bool = False) -> bytes:
    """A WebhookResponse: text for a chat, the same as speech for a telephone. Never longer than Dialogflow takes."""
    messages: list[dict[str, Any]] = []
    lines = parts(said)
    if lines:
        messages.append({"text": {"text": [_cut("\n".join(lines))], "allowPlaybackInterruption": True}})
        speech = {"ssml": within(lines, MAX_SPEECH), "allowPlaybackInterruption": True}
        messages.append({"outputAudioText": speech})
    if ends:
        messages.append({"endInteraction": {}})
    body = {
        "fulfillmentResponse": {"messages": messages, "mergeBehavior": "REPLACE"},
        "sessionInfo": {"parameters": {_SESSION_PARAMETER: waits}},
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SPEECH else text[: MAX_SPEECH - 1] + "…"


def _read(raw: Raw) -> dict[str, Any]:
    try:
        asked = json.loads(raw.body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise Refused(400, "not a request of Dialogflow's")
    return asked


def _text(part: object, name: str) -> str:
    value = part.get(name) if isinstance(part, Mapping) else None
    return value[:_MAX_TEXT] if isinstance(value, str) else ""


def _words(asked: Mapping[str, Any]) -> str:
    return _text(asked, "text") or _text(asked, "transcript")


def _waits(parameters: object) -> bool:
    return isinstance(parameters, Mapping) and parameters.get(_SESSION_PARAMETER) is True
