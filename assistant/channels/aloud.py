"""What is said on a channel without a keyboard: the words of an answer, free of what no voice should read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.replies.said import Said
from assistant.replies.ssml import PAUSE, ssml

#: Rows that people keep in mind.
_MOST_ROWS = 3
_ADDRESS = re.compile(r"\bhttps?://\S+|\bwww\.\S+", re.IGNORECASE)
#: Pictures, their joiners and skin tones; flags are pairs of regional letters.
_PICTURES = re.compile("[\u200d\u20e3\ufe0f\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\U000e0020-\U000e007f]")


def parts(said: Sequence[Said]) -> list[str]:
    """The lines to say, a pause between each two."""
    lines: list[str] = []
    for one in said:
        lines += (one.speech or one.text).splitlines()
        lines += one.table.spoken[:_MOST_ROWS] if one.table else ()
    return [clean for clean in map(_speakable, lines) if clean]


def within(lines: Sequence[str], limit: int) -> str:
    """As SSML of at most ``limit`` characters. What is too long ends after the last line that fits."""
    fitting: list[str] = []
    left = limit - len(ssml([]))
    for line in lines:
        left -= len(ssml([line])) - len(ssml([])) + (len(PAUSE) if fitting else 0)
        if left < 0:
            break
        fitting.append(line)
    if not fitting and lines:
        # Half of the first line, and half of that, until it fits.
        return within([lines[0][: len(lines[0]) // 2]], limit)
    return ssml(fitting)


def _speakable(line: str) -> str:
    return " ".join(_PICTURES.sub("", _ADDRESS.sub("", line)).split())
