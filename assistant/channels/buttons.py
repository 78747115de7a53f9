"""What travels in a button: sealed, so that it can be neither read, nor forged, nor pressed by anybody else.

A channel's client can send us any payload it likes. One that we did not make for this very person, or made too
long ago, opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from assistant.customers.sealed_token import SealedTokens
from assistant.replies.said import SaidChoice

#: For how long a button works. Old screens stay on phones for years.
LIFE = timedelta(days=7)
_USE = "button"


@dataclass(frozen=True, slots=True)
class Pressed:
    """What is said by pressing, and what it is about (see replies.Choice)."""

    text: str = field(repr=False)
    about: str = ""


class Buttons:
    def __init__(self, tokens: SealedTokens) -> None:
        self._tokens = tokens

    def token(self, conversation_id: str, choice: SaidChoice, life: timedelta = LIFE) -> str:
        """For one person's conversation; URL-safe text, about twice as long as the title."""
        return self._tokens.issue(_USE, conversation_id, {"t": choice.title, "a": choice.about}, life)

    def pressed(self, conversation_id: str, token: str) -> Pressed | None:
        """None for anything that is not a live button of this person's."""
        value = self._tokens.open(_USE, conversation_id, token)
        return Pressed(value["t"], value["a"]) if value else None
