"""What is to be said, as Messenger's messages: within its limits, and never with a whole account number.

Limits: developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages, updated 2026-04-22.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from assistant.channels.text_split import size, split, title
from assistant.replies.said import Said, SaidChart, SaidChoice, SaidLink, SaidTable

MAX_TEXT = 2000
MAX_TITLE = 20
MAX_PAYLOAD = 1000
MAX_QUICK_REPLIES = 13
MAX_BUTTONS = 3
MAX_BUTTON_TEXT = 640
MAX_ELEMENTS = 10
MAX_ELEMENT_TITLE = 80
#: Rows of one list: more is no answer on a phone. The skills give ten and offer more.
MAX_ROWS = 40
#: The kind of link that Messenger has a button of its own for.
CONNECT = "connect"
#: Stands in a message for the picture that is drawn and uploaded when it is sent.
CHART = "chart"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Renderer:
    """``token`` makes what travels in a button (channels.buttons). ``card_title`` stands on the button of an account's
    card, and ``card_says`` is what pressing it says of that account."""

    token: Callable[[SaidChoice], str]
    card_title: str
    card_says: Callable[[str], str]

    def render(self, said: Said) -> list[Json]:
        """Messages in their order, each as Graph takes it, save that one may hold a ``CHART`` (see ``with_picture``).

        A chart is written out as well: whoever can't see the picture reads it.
        """
        said = _masked(said)
        cards = _are_accounts(said.table) and not said.chart
        text = "\n\n".join(filter(None, (said.text, *_written(said.chart, None if cards else said.table))))
        messages: list[Json] = []
        if said.link and not said.link.url.startswith("https:"):
            # During development; Messenger opens no other address from a button.
            text = f"{text}\n{said.link.url}"
        elif said.link:
            text, asked = _last_part(text, MAX_BUTTON_TEXT)
            messages.append(_with_buttons(asked or said.link.title, _link_buttons(said.link)))
        elif self._as_buttons(said, cards):
            text, asked = _last_part(text, MAX_BUTTON_TEXT)
            messages.append(_with_buttons(asked, [_postback(reply) for reply in self._replies(said.choices)]))
            said = replace(said, choices=())
        if cards and said.table:
            messages += [_template("generic", elements=list(self._cards(said.table)))]
        if said.chart:
            messages.append({CHART: asdict(said.chart)})
        messages = [*({"text": part} for part in split(text, MAX_TEXT)), *messages]
        replies = self._replies(said.choices)
        if replies and messages:
            # Messenger takes quick replies away once another message follows.
            messages[-1] = {**messages[-1], "quick_replies": replies}
        return messages

    def _as_buttons(self, said: Said, cards: bool) -> bool:
        """A question must keep its answers in sight; what is only an offer may go with the next message."""
        few = 0 < len(self._replies(said.choices)) <= MAX_BUTTONS
        return said.expects and few and bool(said.text) and not cards and not said.chart

    def _replies(self, choices: Sequence[SaidChoice]) -> list[Json]:
        replies = []
        for choice in choices[:MAX_QUICK_REPLIES]:
            token = self.token(choice)
            if choice.title.strip() and len(token) <= MAX_PAYLOAD:
                replies.append({"content_type": "text", "title": title(choice.title, MAX_TITLE), "payload": token})
        return replies

    def _cards(self, table: SaidTable) -> Iterable[Json]:
        for account, *rest in table.rows[:MAX_ELEMENTS]:
            token = self.token(SaidChoice(self.card_says(account)))
            yield {
                "title": title(account, MAX_ELEMENT_TITLE),
                "subtitle": title(" · ".join(filter(None, rest)), MAX_ELEMENT_TITLE),
                "buttons": [{"type": "postback", "title": self.card_title, "payload": token}],
            }


def with_picture(message: Mapping[str, Any], attachment_id: str) -> Json:
    """The message of a chart, once its picture is uploaded."""
    rest = {name: value for name, value in message.items() if name != CHART}
    return rest | {"attachment": {"type": "image", "payload": {"attachment_id": attachment_id}}}


def without_picture(message: Mapping[str, Any]) -> Json | None:
    """The message of a chart that can't be drawn or uploaded: all is said in the text before. Quick replies need
    something to stand under; None when there are none."""
    if "quick_replies" not in message:
        return None
    return {"text": message[CHART]["title"], "quick_replies": message["quick_replies"]}


def _written(chart: SaidChart | None, table: SaidTable | None) -> list[str]:
    if chart:
        return ["\n".join(f"{bar.label}: {bar.amount}" for bar in chart.bars)]
    if table:
        return ["\n".join(_row(table, row) for row in table.rows[:MAX_ROWS])]
    return []


def _row(table: SaidTable, row: Sequence[str]) -> str:
    """ "Whole Foods · March 12: $54.20"; of several figures each is named."""
    cells = list(zip(table.titles, table.right, row, strict=True))
    words = " · ".join(cell for _, right, cell in cells if not right and cell)
    figures = [(name, cell) for name, right, cell in cells if right and cell]
    if len(figures) > 1:
        figures = [(name, f"{name} {cell}") for name, cell in figures]
    return ": ".join(filter(None, (words, " · ".join(cell for _, cell in figures))))


_ACCOUNT = re.compile(r"\(…\w{2,4}\)$")


def _are_accounts(table: SaidTable | None) -> bool:
    """A few accounts, each with what is in it: cards to swipe through."""
    return (
        table is not None
        and 2 <= len(table.rows) <= MAX_ELEMENTS
        and len(table.right) > 1
        and all(_ACCOUNT.search(row[0]) for row in table.rows)
        and len({row[0] for row in table.rows}) == len(table.rows)
    )


def _link_buttons(link: SaidLink) -> list[Json]:
    """A page of ours. To connect a bank there is Messenger's own button too, after which the phone goes back to the
    conversation by itself; only its iOS and Android apps know it, so the plain one stands beside it."""
    page = {"type": "web_url", "url": link.url, "title": title(link.title, MAX_TITLE)}
    return [{"type": "account_link", "url": link.url}, page] if link.kind == CONNECT else [page]


def _postback(reply: Json) -> Json:
    return {"type": "postback", "title": reply["title"], "payload": reply["payload"]}


def _with_buttons(text: str, buttons: list[Json]) -> Json:
    return _template("button", text=text, buttons=buttons)


def _template(kind: str, **payload: Any) -> Json:
    return {"attachment": {"type": "template", "payload": {"template_type": kind, **payload}}}


def _last_part(text: str, limit: int) -> tuple[str, str]:
    """What goes before, and the end of it that fits: the question stands at the end."""
    if size(text) <= limit:
        return "", text
    *before, last = split(text, limit)
    return " ".join(before), last


# Numbers

#: So many digits in a row are no amount (amounts have separators), no date and no telephone number as written here.
_LONG = re.compile(r"(?<![\w.,$€£¥])\d{8,}(?!\w|[.,]\d)")
_GROUPED = re.compile(r"(?<![\w.,$€£¥])\d(?:[ -]?\d){11,18}(?!\w|[.,]\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")


def mask(text: str) -> str:
    """Account and card numbers by their last four digits; whatever the bank or a skill lets through."""
    for pattern in (_IBAN, _GROUPED, _LONG):
        text = pattern.sub(_last_four, text)
    return text


def _last_four(found: re.Match[str]) -> str:
    plain = re.sub(r"[ -]", "", found[0])
    return f"…{plain[-4:]}"


def _masked(said: Said) -> Said:
    chart, table = said.chart, said.table
    return replace(
        said,
        text=mask(said.text),
        chart=chart and replace(
            chart, title=mask(chart.title), bars=tuple(replace(bar, label=mask(bar.label)) for bar in chart.bars)
        ),
        table=table and replace(table, rows=tuple(tuple(map(mask, row)) for row in table.rows)),
        choices=tuple(replace(choice, title=mask(choice.title)) for choice in said.choices),
    )  # fmt: skip
