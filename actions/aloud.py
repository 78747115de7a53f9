"""What speaking changes in a turn: rows are read three at a time, and what was offered is asked again after silence."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from actions.turn import Turn, Waiting, WaitingFor
from assistant.replies.aloud import Aloud
from assistant.replies.reply import Phrase
from assistant.skills.focus import Focus

#: What is asked again, by what is open. None of these has a value in it: whoever else is in the room hears nothing.
_REPROMPTS = {
    WaitingFor.CONSENT: "reprompt_yes_no",
    WaitingFor.UNLINK: "reprompt_yes_no",
    WaitingFor.ERASE: "reprompt_yes_no",
    WaitingFor.PERSON: "reprompt_yes_no",
    WaitingFor.MORE: "reprompt_more",
    WaitingFor.RETRY: "reprompt_retry",
    WaitingFor.CODE: "reprompt_code",
    WaitingFor.CHOICE: "reprompt_choice",
}
_FIRST = re.compile(r"(?:the |option |number )*(?:first|1st|one|1|former)(?: (?:one|option|please))*\W*", re.IGNORECASE)
_SECOND = re.compile(
    r"(?:the |option |number )*(?:second|2nd|two|2|latter|other)(?: (?:one|option|please))*\W*", re.IGNORECASE
)


def reprompt(waiting: Waiting) -> Phrase:
    """What to say when nothing was heard after a turn that left this open."""
    return Phrase(_REPROMPTS.get(waiting.kind, "reprompt"))


def waits_for_more(said: Aloud, asked: Focus | None, focus: Focus | None) -> Waiting:
    """What "more" or a bare "yes" goes on with: the rows left of the answer to ``asked``, or the page that ``focus``
    is at the start of."""
    if said.next_row and asked is not None:
        return Waiting(WaitingFor.MORE, asked, then=str(said.next_row))
    if said.next_page and focus is not None:
        return Waiting(WaitingFor.MORE, focus)
    return Waiting()


def choice_of(questions: Sequence[Focus]) -> Waiting:
    """Two questions were offered."""
    return Waiting(WaitingFor.CHOICE, then=json.dumps([question.to_slot() for question in questions]))


def picked(turn: Turn) -> Focus | None:
    """The question meant by "the second one" after two were offered; None for anything else that was said."""
    if turn.waiting.kind is not WaitingFor.CHOICE:
        return None
    try:
        slots = json.loads(turn.waiting.then)
    except ValueError:  # a slot can be filled by hand
        return None
    for pattern, slot in zip((_FIRST, _SECOND), slots if isinstance(slots, list) else (), strict=False):
        if pattern.fullmatch(turn.text.strip()):
            return Focus.from_slot(slot)
    return None
