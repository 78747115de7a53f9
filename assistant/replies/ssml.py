"""Speech Synthesis Markup Language 1.1 (W3C, 2010): the part that Alexa, Google and Polly all read.

A text is escaped here and nowhere else, so nothing that a bank or a merchant wrote can become markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape

#: Between things that are read one after the other.
PAUSE = '<break time="350ms"/>'
#: After "slower": a little under the usual pace, which for Polly is the least that is noticed.
SLOW = "80%"
#: What XML 1.0 (section 2.2) lets in no document, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def ssml(parts: Sequence[str], *, slow: bool = False) -> str:
    """A whole document of plain texts, with a pause between each two."""
    body = PAUSE.join(f"<s>{escaped(part)}</s>" for part in parts if part.strip())
    return f'<speak><prosody rate="{SLOW}">{body}</prosody></speak>' if slow else f"<speak>{body}</speak>"


def escaped(text: str) -> str:
    """As character data of XML, quotes included, since Alexa reads a bare one as the end of an attribute."""
    return escape(_NOT_XML.sub("", text), {'"': "&quot;", "'": "&apos;"})
