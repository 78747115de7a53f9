"""Amounts as a picture: bars for a small screen, drawn here and never put at a public address.

Each bar has its label and its amount in words above it, so the picture says the same in black and white, and nothing
depends on telling colours apart. What it shows is in the message's text as well.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from assistant.replies.said import SaidBar, SaidChart

#: Pixels. Messenger shows a picture about 300 points wide, on screens of up to three pixels a point.
WIDTH = 900
MARGIN = 48
_ROW, _BAR, _GAP = 92, 22, 26
_TITLE, _LABEL = 36, 34
#: Bars drawn at most; the skills give eight.
MAX_BARS = 12
#: Ink on paper 15:1, bars on their track 5:1 (WCAG 2.2 asks for 4.5:1 and 3:1).
_PAPER, _INK, _TRACK = "#ffffff", "#14222b", "#e6edf0"
_MONEY_OUT, _MONEY_BACK = "#0f6b78", "#8a5a00"
_FINER = 4


def draw(chart: SaidChart) -> bytes:
    """The chart as a PNG. Takes about 40 ms of one core: call it in a thread."""
    bars = chart.bars[:MAX_BARS]
    title_lines = _lines(chart.title, _font(_TITLE, bold=True), WIDTH - 2 * MARGIN)
    top = MARGIN + len(title_lines) * (_TITLE + 12) + _GAP
    height = top + len(bars) * (_ROW + _GAP) - _GAP + MARGIN
    picture = Image.new("RGB", (WIDTH, height), _PAPER)
    _shapes(picture, bars, top)
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(title_lines):
        pen.text((MARGIN, MARGIN + number * (_TITLE + 12)), line, _INK, _font(_TITLE, bold=True))
    for number, bar in enumerate(bars):
        _words(pen, bar, top + number * (_ROW + _GAP))
    file = io.BytesIO()
    # 64 colours are enough for two, their track and the edges of letters; a third of the bytes.
    picture.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "PNG")
    return file.getvalue()


def _shapes(picture: Image.Image, bars: Sequence[SaidBar], top: int) -> None:
    values = [bar.value if bar.value.is_finite() else Decimal(0) for bar in bars]
    most = max(map(abs, values), default=Decimal(0))
    full = WIDTH - 2 * MARGIN
    for number, value in enumerate(values):
        y = top + number * (_ROW + _GAP) + _ROW - _BAR
        _pill(picture, full, y, _TRACK)
        if value:
            # Never shorter than its round ends: a small amount is still one.
            length = max(_BAR, int(abs(value) / most * full))
            _pill(picture, length, y, _MONEY_OUT if value > 0 else _MONEY_BACK)


def _pill(picture: Image.Image, length: int, y: int, colour: str) -> None:
    """Drawn larger and scaled down: the edges of Pillow's own shapes have steps."""
    shape = Image.new("L", (length * _FINER, _BAR * _FINER))
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, shape.width - 1, shape.height - 1), shape.height // 2, fill=255)
    picture.paste(colour, (MARGIN, y), shape.reduce(_FINER))


def _words(pen: ImageDraw.ImageDraw, bar: SaidBar, y: int) -> None:
    figure = _font(_LABEL, bold=True)
    right = WIDTH - MARGIN
    amount = _fitting(bar.amount, figure, (WIDTH - 2 * MARGIN) * 0.6)
    pen.text((right, y + 6), amount, _INK, figure, anchor="ra")
    room = right - MARGIN - figure.getlength(amount) - 30
    pen.text((MARGIN, y + 6), _fitting(bar.label, _font(_LABEL), room), _INK, _font(_LABEL))


def _fitting(text: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    text = " ".join(text.split())
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(f"{text}…") > room:
        text = text[:-1].rstrip()
    return f"{text}…"


def _lines(text: str, font: ImageFont.FreeTypeFont, room: float) -> list[str]:
    """At most two lines."""
    words, line = text.split(), ""
    while words and font.getlength(f"{line} {words[0]}") <= room:
        line = f"{line} {words.pop(0)}".strip()
    if not words:
        return [line] if line else []
    rest = _fitting(" ".join(words), font, room)
    return [line, rest] if line else [rest]


@lru_cache(maxsize=8)
def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which matplotlib brings: it has the letters of a merchant's name in most of the world's scripts
    that read from left to right. matplotlib itself is not imported, which would take a second."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        raise ImportError("matplotlib, which holds the font of charts, is not installed")
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / name), size)
