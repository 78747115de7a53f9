"""A reply as the web page draws it: words, one table that says what it is a table of, one chart, offers, a door.

Plain JSON. The page decides nothing about money or dates; it gets them as they are to be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from assistant.channels.addresses import PREFIX, Page
from assistant.replies.said import Said, SaidChart, SaidChoice, SaidLink, SaidTable

#: Which tables are drawn as what, by the wording of their rows.
LOOKS = {
    "row_account": "accounts",
    "row_balance": "accounts",
    "row_owed": "accounts",
    "row_credit": "accounts",
    "row_transaction": "transactions",
}
#: The offer that belongs to a list rather than below the message.
MORE = "more"
_MASKED = re.compile(r"(.+?)\s*\(…(\w{2,8})\)")
_CODE_PAGE = f"{PREFIX}/{Page.ENTER.value}/"

#: Makes the token of a button.
Press = Callable[[SaidChoice], str]


def view(said: Said, press: Press) -> dict[str, Any]:
    """What is not there is left out."""
    offers = [(choice, {"title": choice.title, "press": press(choice)}) for choice in said.choices]
    parts: dict[str, Any] = {
        "text": said.text,
        "speech": said.speech,
        "table": _table(said.table) if said.table else None,
        "chart": _chart(said.chart) if said.chart else None,
        "links": [_link(said.link)] if said.link else None,
        "choices": [offer for choice, offer in offers if not (choice.key == MORE and said.table)],
        "more": next((offer for choice, offer in offers if choice.key == MORE and said.table), None),
    }
    return {"kind": "say", **{name: part for name, part in parts.items() if part}}


def _table(table: SaidTable) -> dict[str, Any]:
    look = LOOKS.get(table.kind, "plain")
    return {
        "look": look,
        "columns": [{"title": title, "end": right} for title, right in zip(table.titles, table.right, strict=True)],
        "rows": [[_cell(cell, look, index) for index, cell in enumerate(row)] for row in table.rows],
    }


def _cell(text: str, look: str, index: int) -> dict[str, Any]:
    if look == "accounts" and index == 0 and (named := _MASKED.fullmatch(text)):
        return {"text": named[1], "mask": named[2]}
    if look == "transactions" and text.startswith("+"):
        return {"text": text, "sign": 1}
    return {"text": text}


def _chart(chart: SaidChart) -> dict[str, Any]:
    """Whole months one after another are columns, anything else bars. ``share`` is of the largest, from 0 to 1."""
    largest = max((abs(bar.value) for bar in chart.bars), default=Decimal(0))
    months = len(chart.bars) > 3 and all(bar.short for bar in chart.bars)
    return {
        "title": chart.title,
        "shape": "columns" if months else "bars",
        "bars": [
            {
                "label": bar.label,
                "short": bar.short,
                "amount": bar.amount,
                "share": round(float(abs(bar.value) / largest), 4) if largest else 0,
            }
            for bar in chart.bars
        ],
    }


def _link(link: SaidLink) -> dict[str, Any]:
    """A code is given in a field in the conversation; every other page opens in a tab of its own."""
    if _CODE_PAGE in link.url:
        return {"kind": "enter", "title": link.title, "url": link.url, "token": link.url.rpartition("/")[2]}
    return {"kind": link.kind, "title": link.title, "url": link.url}
