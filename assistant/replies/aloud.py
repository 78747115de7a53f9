"""A reply for the ear: its sentences, three rows at most, and whether there is more to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from assistant.banking.connector import CustomerProfile
from assistant.replies.reply import Choice, Phrase, Reply
from assistant.replies.spoken import MOST_ITEMS
from assistant.replies.wording import Wording

#: Between the parts of a text that is spoken: a pause.
PAUSE = "\n"
#: The offer of the next page, which a listener is asked about rather than shown.
_NEXT_PAGE = Choice("more")


@dataclass(frozen=True, slots=True)
class Aloud:
    """``parts`` are said with a pause between. ``next_row`` is the first row that was left for "more", 0 when all
    were read; ``next_page``: all were, and more can be fetched. Choices, charts and links are not said."""

    parts: tuple[str, ...]
    next_row: int = 0
    next_page: bool = False

    @property
    def text(self) -> str:
        return PAUSE.join(self.parts)


def aloud(reply: Reply, wording: Wording, profile: CustomerProfile, today: date, *, start: int = 0) -> Aloud:
    """``start``: the rows before it, and the sentences before them, were heard already."""
    form = wording.format(profile, today, spoken=True)
    parts = [] if start else [" ".join(form.phrase(phrase) for phrase in reply.say)]
    table = reply.table if reply.table and reply.table.spoken_row else None
    rows = table.rows if table else ()
    if table:
        names = [column.title for column in table.columns]
        for row in rows[start : start + MOST_ITEMS]:
            parts.append(form.phrase(Phrase(table.spoken_row, dict(zip(names, row, strict=True)))))
    left = len(rows) - start - MOST_ITEMS
    if left > 0:
        parts.append(form.phrase(Phrase("more_rows", {"count": left})))
        return Aloud(tuple(parts), next_row=start + MOST_ITEMS)
    next_page = _NEXT_PAGE in reply.choices
    if next_page:
        parts.append(form.phrase(Phrase("more_pages")))
    return Aloud(tuple(parts), next_page=next_page)
