"""Long texts for channels that take short ones."""

from __future__ import annotations

import re

#: Where a text may be parted, best first: between paragraphs, lines, sentences, words.
_BORDERS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?…])[\"”’)\]]*\s+"), re.compile(r"\s+"))
#: A part is at least so full, unless a word alone is longer.
_LEAST = 0.5


def size(text: str) -> int:
    """Characters as JavaScript and Java count them (UTF-16): an emoji is two. Never fewer than Python's."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, limit: int) -> list[str]:
    """In parts of at most ``limit`` (see ``size``), none of them empty. Nothing but blanks at the seams is lost."""
    parts = []
    text = text.strip()
    while size(text) > limit:
        end, following = _border(text, _reach(text, limit))
        parts.append(text[:end].rstrip())
        text = text[following:].lstrip()
    if text:
        parts.append(text)
    return [part for part in parts if part]


def title(text: str, limit: int) -> str:
    """On one line, cut after a whole word where that leaves anything worth reading."""
    text = " ".join(text.split())
    if size(text) <= limit:
        return text
    text = text.rstrip("?!. ")
    if size(text) <= limit:
        return text
    cut = text[: _reach(text, limit - 1)]
    if not text[len(cut)].isspace() and " " in cut:
        shorter = cut[: cut.rindex(" ")]
        cut = shorter if size(shorter) >= limit * _LEAST else cut
    return f"{cut.rstrip(' ,;:-–')}…"


def _reach(text: str, limit: int) -> int:
    """How many characters of Python's fit."""
    end = min(len(text), limit)
    while size(text[:end]) > limit:
        end -= 1
    return end


def _border(text: str, reach: int) -> tuple[int, int]:
    """Where the first part ends and the next begins. A border just behind the reach counts: its blanks are dropped."""
    for border in _BORDERS:
        found = [one for one in border.finditer(text, 0, min(len(text), reach + 40)) if one.start() <= reach]
        # A closing quotation mark belongs to the sentence before it.
        ends = [(one.start() + len(one[0].rstrip()), one.end()) for one in found]
        ends = [one for one in ends if reach * _LEAST <= one[0] <= reach]
        if ends:
            return ends[-1]
    return reach, reach
