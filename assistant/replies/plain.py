"""A reply as plain text: the terminal, and any channel that has nothing better."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from assistant.banking.connector import CustomerProfile
from assistant.replies.formats import Format
from assistant.replies.reply import Chart, Phrase, Reply, Table
from assistant.replies.wording import Wording

#: Characters of the longest bar.
BAR_WIDTH = 24
#: A label or a cell longer than this is cut, so that a row stays on one line of a small terminal.
CELL_WIDTH = 34


def plain(reply: Reply, wording: Wording, profile: CustomerProfile, today: date) -> str:
    """The whole reply as lines of text: sentences, then the chart (or the table), then what one might ask next."""
    form = wording.format(profile, today)
    parts = [" ".join(wording.phrase(phrase, form) for phrase in reply.say)]
    if reply.link:
        parts.append(reply.link.url)
    if reply.chart and reply.chart.bars:
        parts.append(_bars(reply.chart, form))
    elif reply.table and reply.table.rows:
        parts.append(_table(reply.table, wording, form))
    if reply.choices:
        offers = [wording.choice(choice, form) for choice in reply.choices]
        parts.append(wording.phrase(Phrase("you_can_say", {"offers": " · ".join(f"“{o}”" for o in offers)}), form))
    return "\n".join(part for part in parts if part)


def _cut(text: str) -> str:
    return text if len(text) <= CELL_WIDTH else text[: CELL_WIDTH - 1].rstrip() + "…"


def _bars(chart: Chart, form: Format) -> str:
    labels = [_cut(form.label(bar.label)) for bar in chart.bars]
    amounts = [form.money(bar.amount) for bar in chart.bars]
    top = max((abs(bar.amount.amount) for bar in chart.bars), default=Decimal(0))
    lines = []
    for label, amount, bar in zip(labels, amounts, chart.bars, strict=True):
        size = int(abs(bar.amount.amount) / top * BAR_WIDTH) if top else 0
        blocks = "█" * max(size, 1 if bar.amount else 0)
        lines.append(f"  {label:<{max(map(len, labels))}}  {amount:>{max(map(len, amounts))}}  {blocks}".rstrip())
    return "\n".join(lines)


def _table(table: Table, wording: Wording, form: Format) -> str:
    rows = [[_cut(form.value(cell)) for cell in row] for row in table.rows]
    if sum(column.align_right for column in table.columns) > 1:
        # One figure explains itself; of two, a reader must be told which is which.
        rows.insert(0, [wording.phrase(Phrase(f"column_{column.title}"), form) for column in table.columns])
    widths = [max(len(row[index]) for row in rows) for index in range(len(table.columns))]
    lines = []
    for row in rows:
        cells = [
            f"{cell:>{width}}" if column.align_right else f"{cell:<{width}}"
            for cell, width, column in zip(row, widths, table.columns, strict=True)
        ]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)
