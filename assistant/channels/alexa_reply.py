"""What Alexa is answered.

https://developer.amazon.com/docs/custom-skills/request-and-response-json-reference.html#response-format
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from assistant.channels.aloud import within
from assistant.replies.said import Said

#: Characters of speech, markup included, and of a card, title included.
MAX_SPEECH, MAX_CARD = 8000, 8000
#: Characters of what is said meanwhile.
MAX_MOMENT = 600
#: Rows that a screen or a card gets.
MAX_ROWS = 20
#: The intents of ours that a question waits in, and the slot of each (see alexa_model).
ANSWER, CODE = ("AnswerIntent", "words"), ("CodeIntent", "code")


@dataclass(frozen=True, slots=True)
class Telling:
    """``lines`` are said. ``ask`` is said after silence; "" ends the session. ``elicit``: the intent and slot that
    the next words are for. ``remember`` comes back with the session's next request."""

    lines: Sequence[str] = field(repr=False)
    ask: str = ""
    elicit: tuple[str, str] | None = None
    link_account: bool = False
    card: tuple[str, str] | None = field(default=None, repr=False)
    screen: Mapping[str, Any] | None = field(default=None, repr=False)
    remember: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> bytes:
        response: dict[str, Any] = {"shouldEndSession": not self.ask}
        if self.lines:
            response["outputSpeech"] = _speech(self.lines)
        if self.ask:
            response["reprompt"] = {"outputSpeech": _speech([self.ask])}
        if self.link_account:
            response["card"] = {"type": "LinkAccount"}
        elif self.card:
            title, text = self.card
            response["card"] = {"type": "Simple", "title": title, "content": text[: MAX_CARD - len(title)]}
        directives = [self.screen] if self.screen else []
        if self.ask and self.elicit:
            directives.append(_elicit(*self.elicit))
        if directives:
            response["directives"] = directives
        return _json({"version": "1.0", "sessionAttributes": dict(self.remember), "response": response})


#: For requests that take no answer.
NOTHING = json.dumps({"version": "1.0", "response": {}}).encode()


def can_fulfil(known: bool, slots: Mapping[str, str]) -> bytes:
    """Before anybody speaks to us, Alexa asks whether we could: of nobody's accounts, so nothing is looked up."""
    yes = "YES" if known else "NO"
    each = {name: {"canUnderstand": yes, "canFulfill": yes} for name in slots}
    answer: dict[str, Any] = {"canFulfill": yes}
    if each:
        answer["slots"] = each
    return _json({"version": "1.0", "response": {"canFulfillIntent": answer}})


def moment(request_id: str, text: str) -> dict[str, Any]:
    """A progressive response: said while the answer is being fetched."""
    return {
        "header": {"requestId": request_id},
        "directive": {"type": "VoicePlayer.Speak", "speech": within([text], 600)},
    }


def card_of(said: Sequence[Said], title: str) -> tuple[str, str] | None:
    """Figures for the Alexa app; None for an answer without any."""
    if not any(one.table or one.chart for one in said):
        return None
    return title, "\n".join(line for one in said for line in _written(one))


def screen_of(said: Sequence[Said], title: str) -> dict[str, Any] | None:
    """The same for a screen; None for an answer without figures."""
    shown = next((one for one in reversed(said) if one.table or one.chart), None)
    if shown is None:
        return None
    rows = [{"label": _apl(label), "amount": _apl(amount), "part": part} for label, amount, part in _rows(shown)]
    data = {"title": _apl(title), "text": _apl(shown.text), "rows": rows}
    return {
        "type": "Alexa.Presentation.APL.RenderDocument",
        "token": "answer",
        "document": _DOCUMENT,
        "datasources": {"answer": data},
    }


def _written(one: Said) -> list[str]:
    return [one.text, *(f"{label}: {amount}" if label else amount for label, amount, _ in _rows(one))]


def _rows(one: Said) -> list[tuple[str, str, int]]:
    """What a row is called, its figure, and how long its bar is in percent of the longest."""
    if one.table:
        return [(" · ".join(filter(None, row[:-1])), row[-1], 0) for row in one.table.rows[:MAX_ROWS] if row]
    bars = one.chart.bars[:MAX_ROWS] if one.chart else ()
    most = max((abs(bar.value) for bar in bars), default=None) or 1
    return [(bar.label, bar.amount, round(abs(bar.value) * 100 / most)) for bar in bars]


def _speech(lines: Sequence[str]) -> dict[str, Any]:
    return {"type": "SSML", "ssml": within(lines, MAX_SPEECH)}


def _elicit(intent: str, slot: str) -> dict[str, Any]:
    slots = {slot: {"name": slot, "confirmationStatus": "NONE"}}
    return {
        "type": "Dialog.ElicitSlot",
        "slotToElicit": slot,
        "updatedIntent": {"name": intent, "confirmationStatus": "NONE", "slots": slots},
    }


def _apl(text: str) -> str:
    """As APL's Text shows it: it reads markup, and takes what stands in ${} for an expression."""
    return escape(text).replace("${", "$ {")


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


#: Draws by vw and vh, so that it fits every viewport; bars only where there are any.
_DOCUMENT: Mapping[str, Any] = {
    "type": "APL",
    "version": "1.9",
    "theme": "dark",
    "mainTemplate": {
        "parameters": ["answer"],
        "items": [
            {
                "type": "Container",
                "width": "100vw",
                "height": "100vh",
                "paddingLeft": "5vw",
                "paddingRight": "5vw",
                "paddingTop": "4vh",
                "items": [
                    {"type": "Text", "text": "${answer.title}", "fontSize": "5vh", "color": "#9DB2C7"},
                    {"type": "Text", "text": "${answer.text}", "fontSize": "6vh", "paddingBottom": "3vh"},
                    {
                        "type": "Sequence",
                        "data": "${answer.rows}",
                        "grow": 1,
                        "shrink": 1,
                        "width": "100%",
                        "items": [
                            {
                                "type": "Container",
                                "paddingBottom": "2vh",
                                "items": [
                                    {
                                        "type": "Container",
                                        "direction": "row",
                                        "justifyContent": "spaceBetween",
                                        "items": [
                                            {"type": "Text", "text": "${data.label}", "fontSize": "5vh", "shrink": 1},
                                            {"type": "Text", "text": "${data.amount}", "fontSize": "5vh"},
                                        ],
                                    },
                                    {
                                        "type": "Frame",
                                        "when": "${data.part > 0}",
                                        "width": "${data.part}%",
                                        "height": "1vh",
                                        "backgroundColor": "#4FA3E0",
                                    },
                                ],
                            }
                        ],
                    },
                ],
            }
        ],
    },
}
