"""A reply put into words for one customer: what travels from the actions, through Rasa, to a channel.

Wording, language and formats are settled here, once; what a channel still decides is how much of it it can show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from assistant.banking.connector import CustomerProfile
from assistant.banking.period import Period
from assistant.replies.formats import Format
from assistant.replies.reply import Bar, Chart, Phrase, Reply, Table
from assistant.replies.wording import Wording

#: Under which key of Rasa's ``custom`` payload it travels.
SAID = "tellerline"


@dataclass(frozen=True, slots=True)
class SaidTable:
    """Cells as people write them. ``right`` tells the columns of figures. ``spoken`` has a sentence for each row;
    empty where rows are not for the ear. ``kind`` is the wording key of a row, which tells what it is a table of."""

    titles: tuple[str, ...] = ()
    right: tuple[bool, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    spoken: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True)
class SaidBar:
    """``amount`` as people write it; ``size`` the exact figure (a decimal number) to draw it by. ``short`` is the name
    of a whole month where the label is one, for a place beneath a column."""

    label: str
    amount: str
    size: str
    short: str = ""

    @property
    def value(self) -> Decimal:
        try:
            return Decimal(self.size)
        except InvalidOperation:
            return Decimal(0)


@dataclass(frozen=True, slots=True)
class SaidChart:
    """``title`` serves as alternative text too."""

    title: str = ""
    bars: tuple[SaidBar, ...] = ()


@dataclass(frozen=True, slots=True)
class SaidChoice:
    """Choosing it is the same as saying ``title``. ``about``: see Choice. ``key`` is the wording key of the title, by
    which a channel knows an offer that has a place of its own ("more")."""

    title: str
    about: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class SaidLink:
    """``kind`` is the wording key of its title, by which a channel knows what the page is for."""

    kind: str
    title: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """``text`` and ``speech`` are the sentences alone, for the eye and for the ear; table, chart, choices and link
    go with them. ``expects`` says that the customer is asked something."""

    text: str
    speech: str = ""
    table: SaidTable | None = None
    chart: SaidChart | None = None
    choices: tuple[SaidChoice, ...] = ()
    link: SaidLink | None = None
    expects: bool = False

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Said:
        """The reverse of ``to_json``. Raises KeyError or TypeError for what it did not write."""
        table, chart, link = data.get("table"), data.get("chart"), data.get("link")
        return cls(
            text=str(data.get("text", "")),
            speech=str(data.get("speech", "")),
            table=SaidTable(
                tuple(table["titles"]),
                tuple(table["right"]),
                tuple(tuple(row) for row in table["rows"]),
                tuple(table["spoken"]),
                str(table.get("kind", "")),
            )
            if table
            else None,
            chart=SaidChart(chart["title"], tuple(SaidBar(**bar) for bar in chart["bars"])) if chart else None,
            choices=tuple(SaidChoice(**choice) for choice in data.get("choices", ())),
            link=SaidLink(**link) if link else None,
            expects=bool(data.get("expects", False)),
        )

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Said:
        """From a message as Rasa hands it to an output channel. One that did not come from our actions (a response
        that somebody wrote into a story) is its text and its buttons."""
        custom = message.get("custom")
        if isinstance(custom, Mapping) and isinstance(custom.get(SAID), Mapping):
            return cls.from_json(custom[SAID])
        buttons = message.get("buttons") or message.get("quick_replies") or ()
        text = str(message.get("text") or "")
        return cls(text, text, choices=tuple(SaidChoice(str(one["title"])) for one in buttons if one.get("title")))


def say(reply: Reply, wording: Wording, profile: CustomerProfile, today: date) -> Said:
    """Put a reply into the words of this customer's language, as of her date."""
    form = wording.format(profile, today)
    aloud = wording.format(profile, today, spoken=True)
    link = reply.link
    return Said(
        text=wording.text(reply, profile, today),
        speech=wording.speech(reply, profile, today),
        table=_table(reply.table, wording, form, aloud) if reply.table and reply.table.rows else None,
        chart=_chart(reply.chart, wording, form) if reply.chart and reply.chart.bars else None,
        choices=tuple(SaidChoice(wording.choice(choice, form), choice.about, choice.title) for choice in reply.choices),
        link=SaidLink(link.title, wording.phrase(Phrase(f"link_{link.title}"), form), link.url) if link else None,
        expects=reply.expects_answer,
    )


def _table(table: Table, wording: Wording, form: Format, aloud: Format) -> SaidTable:
    names = [column.title for column in table.columns]
    spoken: tuple[str, ...] = ()
    if table.spoken_row:
        spoken = tuple(aloud.phrase(Phrase(table.spoken_row, dict(zip(names, row, strict=True)))) for row in table.rows)
    return SaidTable(
        titles=tuple(wording.phrase(Phrase(f"column_{name}"), form) for name in names),
        right=tuple(column.align_right for column in table.columns),
        rows=tuple(tuple(form.value(cell) for cell in row) for row in table.rows),
        spoken=spoken,
        kind=table.spoken_row,
    )


def _chart(chart: Chart, wording: Wording, form: Format) -> SaidChart:
    bars = tuple(_bar(bar, form) for bar in chart.bars)
    return SaidChart(wording.phrase(chart.title, form), bars)


def _bar(bar: Bar, form: Format) -> SaidBar:
    short = form.short_month(bar.label) if isinstance(bar.label, Period) else ""
    return SaidBar(form.label(bar.label), form.money(bar.amount), str(bar.amount.amount), short)
